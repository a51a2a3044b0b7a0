// How long after its last fault a schedule may take until every honest node has committed some more blocks of every chain: never "eventually".
//
// In one chain: when the last fault is over, each node waits for its round timer, at most the cap and the idle wait. Those who are behind then
// learn of the newest certificates when stuck nodes speak again (the resend interval and a journey), and fetch what they lack (a retry and
// the slowest answer). All are in one round then; its leader may be one who still fetches, which costs one more timer at the cap, and
// so may the next when leaders are drawn from an older anchor, which costs another. With everyone there a block is final after five
// journeys, and the block that makes it visible after five more and the idle wait. A dishonest validator may lead rounds and fail them all:
// with less than a third of the seats it is drawn for ten rounds in a row with a chance below one in fifty thousand. One that withholds may
// spoil the round after its own too, whose leader must first fetch what it was not told: so those ten cost twenty. One that attacks leaders has
// the network while faults last, and afterwards only its own rounds. What a flood costs others is verified within a timer: it has its
// bounds, in one frame and in one round.
//
// What the beacon adds: it recovers as any chain does, at its own pace; the shards need it for nothing but the turn of an epoch, and run beside it.
// At a turn each waits for the other once: a shard's instance closes when the beacon is in the next epoch, and its next begins when the beacon has
// made the closing block final. So the chains recover one after the other at worst: the beacon, then the shard's closing block, then the beacon's
// blocks that make it final, then the shard's new instance, whose first rounds are led by whomever the draw gives. A node that is behind by
// several instances goes through them one by one, each with a fetch. And a message to another shard is on its way for two blocks of the source, of
// the beacon and of the destination each, which come after those.
import type { NetworkParameters } from '../core/protocol/parameters.ts';

/** Blocks of each shard that follow the last fault before the schedule ends well. */
export const BLOCKS_AFTER = 6;
/** The same of the beacon, and view blocks. */
export const BEACON_BLOCKS_AFTER = 2;
/** Rounds that dishonest leaders may fail after the last fault, with the ones after them. */
const DISHONEST_ROUNDS = 20;
/** Recoveries one after the other: see the file's head. */
const RECOVERIES = 4;
/** Instances of one chain that a node may be behind when faults end. */
const INSTANCES_BEHIND = 8;
/** Beacon blocks that a message to another shard takes at most, when all chains run, beside those that are asked for. */
const BEACON_BLOCKS_OF_A_MESSAGE = 4;

/** See the file's head. */
export function livenessBoundMs(parameters: NetworkParameters, latencyMs: number, hasDishonest: boolean): number {
  const { roundTimeoutMsMax, idleIntervalMs, resendIntervalMs, beaconBlockIntervalMsMin } = parameters;
  const fetchMs = 1_000 + 4 * latencyMs;
  const roundsLost = hasDishonest ? 3 + DISHONEST_ROUNDS : 3;
  const waitMs = Math.max(idleIntervalMs, beaconBlockIntervalMsMin);
  const recoveryMs = roundsLost * (roundTimeoutMsMax + waitMs) + resendIntervalMs + fetchMs + 10 * 2 * latencyMs;
  const beaconBlocks = BEACON_BLOCKS_AFTER + BEACON_BLOCKS_OF_A_MESSAGE;
  return RECOVERIES * recoveryMs + INSTANCES_BEHIND * fetchMs + BLOCKS_AFTER * idleIntervalMs + beaconBlocks * beaconBlockIntervalMsMin;
}
