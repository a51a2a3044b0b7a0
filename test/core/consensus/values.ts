// Values that the tests of consensus share: an execution that did nothing, parameters, instances, headers.

import type { ConsensusParameters } from '../../../src/core/consensus/state.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { uint64ToBytes, ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import type { ExecutionCommitment } from '../../../src/core/protocol/block.ts';
import { type Committee, type Instance, makeInstance } from '../../../src/core/protocol/committee.ts';
import { LOAD_DESCENDANTS } from '../../../src/core/protocol/limits.ts';

const NO_LOAD = { gas: 0, backlog: 0, stateLeaves: 0 };

/** What a block without items comes to. */
export const EMPTY_EXECUTION: ExecutionCommitment = {
  stateRoot: ZERO_32,
  receiptsRoot: ZERO_32,
  outboxRoot: ZERO_32,
  gasUsed: 0,
  logsBloom: new Uint8Array(256),
  cursors: [],
  load: { whole: NO_LOAD, descendants: Array.from({ length: LOAD_DESCENDANTS }, () => NO_LOAD) },
  proposerFeesWei: 0n,
  burnedFeesWei: 0n,
};

/** Timers of a devnet in small. */
export const PARAMETERS: ConsensusParameters = {
  roundTimeoutMs: 500,
  roundTimeoutMsMax: 2_000,
  roundTimeoutGrowthPercent: 150,
  resendIntervalMs: 300,
  idleIntervalMs: 0,
  leaderWindow: 8,
};

/** An instance that starts at a height. */
export function instanceOf(committee: Committee, epoch: number, height: number): Instance {
  const startRecord = {
    shard: 1,
    epoch,
    beaconHeight: 0,
    closingHeaders: [],
    stateRoot: ZERO_32,
    height,
    timestampMs: 0,
    baseFeePerGasWei: 1n,
    seed: sha256(uint64ToBytes(epoch)),
  };
  return makeInstance(sha256(Uint8Array.of(7)), startRecord, committee);
}
