// What a beacon header says in the fields that only shards have a use for (docs/decisions/012): one permitted value each, all zeros, which
// voters check. Its own state root takes the place of the parent's execution.
import { ZERO_32 } from '../primitives/bytes.ts';
import { type BeaconReference, bodyRootOf, EMPTY_BODY, type ExecutionCommitment } from '../protocol/block.ts';
import { LOAD_DESCENDANTS } from '../protocol/limits.ts';
import type { LoadEntry } from '../protocol/load-type.ts';

const BLOOM_BYTES = 256;
const NO_LOAD: LoadEntry = { gas: 0, backlog: 0, stateLeaves: 0 };

/** The beacon names no other block of its own. */
export const NO_BEACON_REFERENCE: BeaconReference = { height: 0, hash: ZERO_32 };
/** Nobody buys gas on the beacon. */
export const NO_BASE_FEE_WEI = 0n;
/** The beacon executes before it votes: nothing is left to a child. */
export const NO_EXECUTION: ExecutionCommitment = {
  stateRoot: ZERO_32,
  receiptsRoot: ZERO_32,
  outboxRoot: ZERO_32,
  gasUsed: 0,
  logsBloom: new Uint8Array(BLOOM_BYTES),
  cursors: [],
  load: { whole: NO_LOAD, descendants: Array.from({ length: LOAD_DESCENDANTS }, () => NO_LOAD) },
  proposerFeesWei: 0n,
  burnedFeesWei: 0n,
};

/** What a header without a body carries as its body's root. */
export const EMPTY_BODY_ROOT = bodyRootOf(EMPTY_BODY, []);
