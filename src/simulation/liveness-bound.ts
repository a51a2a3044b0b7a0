// How long after its last fault a schedule may take until every honest node has committed some more blocks: never "eventually".
//
// When the last fault is over, each node waits for its round timer, at most the cap and the idle wait. Those who are behind then
// learn of the newest certificates when stuck nodes speak again (the resend interval and a journey), and fetch what they lack (a retry and
// the slowest answer). All are in one round then; its leader may be one who still fetches, which costs one more timer at the cap, and
// so may the next when leaders are drawn from an older anchor, which costs another. With everyone there a block is final after five
// journeys, and the block that makes it visible after five more and the idle wait. A dishonest validator may lead rounds and fail them all:
// with less than a third of the seats it is drawn for ten rounds in a row with a chance below one in fifty thousand. One that withholds may
// spoil the round after its own too, whose leader must first fetch what it was not told: so those ten cost twenty. One that attacks leaders has
// the network while faults last, and afterwards only its own rounds. What a flood costs others is verified within a timer: it has its
// bounds, in one frame and in one round.
import type { NetworkParameters } from '../core/protocol/parameters.ts';

/** Blocks that follow the last fault before the schedule ends well. */
export const BLOCKS_AFTER = 6;
/** Rounds that dishonest leaders may fail after the last fault, with the ones after them. */
const DISHONEST_ROUNDS = 20;

/** See the file's head. */
export function livenessBoundMs(parameters: NetworkParameters, latencyMs: number, hasDishonest: boolean): number {
  const { roundTimeoutMsMax, idleIntervalMs, resendIntervalMs } = parameters;
  const fetchMs = 1_000 + 4 * latencyMs;
  const roundsLost = hasDishonest ? 3 + DISHONEST_ROUNDS : 3;
  return (
    roundsLost * (roundTimeoutMsMax + idleIntervalMs) + resendIntervalMs + fetchMs + 10 * 2 * latencyMs + BLOCKS_AFTER * idleIntervalMs
  );
}
