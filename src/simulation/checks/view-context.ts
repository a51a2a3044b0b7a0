// In which context calls are simulated on a view block that the replay made.
import { invariant } from '../../core/primitives/errors.ts';
import type { SimulationContext } from '../../node/call-simulator.ts';
import type { ViewTruth } from './replayed-view.ts';

/** What every item with this beacon block as its reference would see. */
export function contextOfView(view: ViewTruth, block: number | 'pending'): SimulationContext {
  const made = block === 'pending' ? undefined : view.viewAt(block);
  invariant(made !== undefined, 'calls are simulated on view blocks that were made');
  const { number, prevRandao, baseFeePerGasWei } = made.header;
  return {
    referenceHeight: number,
    referenceTimestampMs: made.timestampMs,
    prevRandao,
    baseFeePerGasWei,
    blockHash: (wanted) => (wanted < number ? view.viewAt(wanted)?.header.parentBeaconBlockRoot : undefined),
  };
}
