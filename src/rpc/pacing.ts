// One thread runs consensus and JSON-RPC alike, so long work for a client rests in between: nobody's question holds up the node for more than
// TURN_MS_MAX at a time.
import type { RpcTiming } from './ports.ts';

/** Far below the shortest interval between blocks. */
const TURN_MS_MAX = 8;

/** To be awaited between the steps of long work: lets others run when this work has had its turn. */
export type Rest = () => Promise<void>;

/** A rest for one piece of work that begins now. */
export function startWork(timing: RpcTiming): Rest {
  let sinceMs = timing.nowMs();
  return async () => {
    if (timing.nowMs() - sinceMs < TURN_MS_MAX) return;
    await new Promise<void>((resolve) => {
      timing.schedule(0, resolve);
    });
    sinceMs = timing.nowMs();
  };
}
