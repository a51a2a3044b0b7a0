// What a beacon block costs each validator when so many shards have their crosslinks in it: real containers, judged and applied by the production
// rules with every shard's record open, cursors for every source and bundles for every destination in every header. Signatures are counted by costs.ts.
import { stateRootOf } from '../../../src/core/beacon/state-root.ts';
import { applyBeaconBlock } from '../../../src/core/beacon/transition.ts';
import type { ChainId } from '../../../src/core/primitives/ids.ts';
import type { Cursor } from '../../../src/core/protocol/block.ts';
import type { Crosslink } from '../../../src/core/protocol/crosslink.ts';
import type { NetworkParameters } from '../../../src/core/protocol/parameters.ts';
import {
  advanceTo,
  type Beacon,
  beaconOf,
  chainOf,
  crosslinkOf,
  emitting,
  encoded,
  entryOf,
  extend,
  nextInput,
  outboxTo,
  smallGenesis,
} from '../../../test/core/beacon/fixture.ts';

import { timed } from '../costs.ts';

/** Of one crosslink, and of each header in it with the summary of its outbox. */
export interface BeaconCosts {
  readonly crosslinkMs: number;
  readonly headerMs: number;
  /** The root of the state that the block leads to, which its header carries. */
  readonly stateRootMs: number;
  readonly crosslinkBytes: number;
  readonly headerBytes: number;
}

const MORE_HEADERS = 4;

/** A layout of so many shards, all equally deep: a power of two. */
export function layoutOf(shards: number): ChainId[] {
  return Array.from({ length: shards }, (_unused, place) => shards + place);
}

/** See the file's head. Every shard has a committee of its own. */
export function measureBeaconCosts(shards: number, committee: number, parameters: NetworkParameters): BeaconCosts {
  const [one, many] = [1, 1 + MORE_HEADERS].map((headers) => measureBlock(shards, committee, parameters, headers)) as [Measured, Measured];
  const headerMs = Math.max(0, many.applyMs - one.applyMs) / shards / MORE_HEADERS;
  const headerBytes = (many.bytes - one.bytes) / shards / MORE_HEADERS;
  return {
    headerMs,
    crosslinkMs: Math.max(0, one.applyMs / shards - headerMs),
    stateRootMs: one.stateRootMs,
    headerBytes,
    crosslinkBytes: one.bytes / shards - headerBytes,
  };
}

interface Measured {
  readonly applyMs: number;
  readonly stateRootMs: number;
  readonly bytes: number;
}

// A body of as many bytes as it takes: what fits into one is the model's question, not this one's.
function measureBlock(shards: number, committee: number, parameters: NetworkParameters, headers: number): Measured {
  const layout = layoutOf(shards);
  const beacon = beaconOf(
    smallGenesis({
      validators: shards * committee,
      layout,
      parameters: { ...parameters, committeeSeats: committee, bodyBytesMax: 16 * parameters.bodyBytesMax },
    }),
  );
  advanceTo(beacon, 2);
  const crosslinks = layout.map((shard) => encoded(crosslinkWith(beacon, layout, shard, headers)));
  stateRootOf(beacon.state);
  const apply = () => {
    const applied = applyBeaconBlock(nextInput(beacon, { crosslinks }));
    if (!applied.ok) throw new Error(`what is measured is valid: ${applied.reason} ${applied.detail}`);
    return applied.value;
  };
  const applyMs = timed(apply);
  // Roots are kept, so each is asked of a state of its own.
  const applyAndRootMs = timed(() => stateRootOf(apply().state));
  return { applyMs, stateRootMs: Math.max(0, applyAndRootMs - applyMs), bytes: crosslinks.reduce((sum, { length }) => sum + length, 0) };
}

function crosslinkWith(beacon: Beacon, layout: readonly ChainId[], shard: ChainId, headers: number): Crosslink {
  const chain = chainOf(beacon, entryOf(beacon, shard).record);
  const others = layout.filter((other) => other !== shard);
  const cursors: Cursor[] = layout.map((source) => ({ source, prefix: shard, height: 1, index: 1 }));
  const summary = outboxTo(...others);
  // The first header of an instance commits nothing yet, and is no example of the others.
  extend(beacon, chain);
  const outboxes = new Map<number, typeof summary>();
  for (let header = 0; header < headers; header++) {
    const { height } = extend(beacon, chain, { execution: { cursors, ...(others.length === 0 ? {} : emitting(summary)) } });
    if (others.length > 0) outboxes.set(height - 1, summary);
  }
  return crosslinkOf(chain, { outboxes });
}
