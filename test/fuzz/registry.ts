// Every target, and the decoders that none of them needs to run, each with the reason. A test compares both with what the source exports.
import type { FuzzTarget } from './target.ts';
import { BEACON_TARGETS } from './targets/beacon-targets.ts';
import { CONTAINER_TARGETS } from './targets/container-targets.ts';
import { CRYPTO_TARGETS } from './targets/crypto-targets.ts';
import { EVIDENCE_TARGETS } from './targets/evidence-targets.ts';
import { FILE_TARGETS } from './targets/file-targets.ts';
import { LANE_TARGETS } from './targets/lane-targets.ts';
import { ROW_TARGETS } from './targets/row-targets.ts';
import { RPC_TARGETS } from './targets/rpc-targets.ts';
import { SHARD_TARGETS } from './targets/shard-targets.ts';
import { STATE_ROW_TARGETS } from './targets/state-row-targets.ts';
import { STORAGE_TARGETS } from './targets/storage-targets.ts';
import { TRANSACTION_TARGETS } from './targets/transaction-targets.ts';
import { TRANSFER_TARGETS } from './targets/transfer-targets.ts';
import { WIRE_TARGETS } from './targets/wire-targets.ts';

/** In the order in which they run. */
export const TARGETS: readonly FuzzTarget[] = [
  ...WIRE_TARGETS,
  ...CONTAINER_TARGETS,
  ...EVIDENCE_TARGETS,
  ...BEACON_TARGETS,
  ...TRANSACTION_TARGETS,
  ...LANE_TARGETS,
  ...TRANSFER_TARGETS,
  ...STATE_ROW_TARGETS,
  ...ROW_TARGETS,
  ...SHARD_TARGETS,
  ...STORAGE_TARGETS,
  ...CRYPTO_TARGETS,
  ...FILE_TARGETS,
  ...RPC_TARGETS,
];

const KEY_OF_OWN_ROW =
  'reads the key of a row that this program wrote, whose bytes LevelDB checks; a damaged value is what the targets of rows give';

/** Exports whose names or parameters say that they decode, by `file#export`, and why no target runs them. */
export const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ['core/view/anchor#ShardHeight', 'a part of the rows that view-anchor and view-header run'],
  ['core/view/anchor#ShardHeights', 'a part of the rows that view-anchor and view-header run'],
  [
    'core/protocol/message-codec#originOfEncoded',
    'a part of a message that decodeMessage has read before; the conformance of its place is in message-codec.test',
  ],
  ['node/validator-addresses#openValidatorAddresses', 'opens what it composes; records of others are read by what address-record runs'],
  ['core/messaging/lanes#openLanes', 'opens the lanes of cursors and a view of our own, not of bytes'],
  ['core/beacon/slashing#applyEvidence', 'decodes and judges by what evidence runs, and looks its instance up in the state'],
  ['core/consensus/evidence/evidence#evidenceIdOf', 'a hash of bytes that evidence has judged before'],
  ['core/state/row-keys#shardOfHistoryRow', KEY_OF_OWN_ROW],
  ['core/state/row-keys#shardOfCommittedRow', KEY_OF_OWN_ROW],
  ['core/state/row-keys#placeOfClosedRow', KEY_OF_OWN_ROW],
  ['core/state/row-keys#shardOfUncleanRow', KEY_OF_OWN_ROW],
  ['core/execution/evm/fast-curves#recoverOn', 'a precompile of the EVM: Ethereum’s state tests and worst blocks are its tests'],
  ['runtime/evidence-keeper#keptEvidenceOf', 'reads by decodeEvidence and accusationOf, which evidence runs, what they accepted before'],
  ['runtime/signature-verifier-tasks#decodeVerdicts', 'crosses to a worker thread of this process and back, never further'],
  ['runtime/signature-verifier-tasks#decodeSenders', 'crosses to a worker thread of this process and back, never further'],
  ['runtime/signature-verifier-tasks#recoverAll', 'a loop over the recovery that account-signature runs'],
  ['runtime/signature-verifier-tasks#verifyJobs', 'a loop over the verification that bls-point runs'],
  [
    'simulation/command-line#readOptions',
    'options of a tool for developers: test/simulation/simulate-command gives it what makes no sense',
  ],
  [
    'simulation/command-arguments#readArguments',
    'options of tools for developers: test/simulation/simulate-command gives it what makes no sense',
  ],
  ['simulation/plan#readPlan', 'a schedule that the simulator wrote: test/simulation/shrink gives it what it did not'],
  ['simulation/timeline/story#readStory', 'reads the event log of its own process'],
  ['storage/level-store#openLevelStore', 'opens LevelDB, whose files are damaged in test/processes/bad-disk and storage-level'],
  [
    'node/anchored-headers#readAnchoredAbove',
    'looks crosslinks up that this node has committed, by the decoder that beacon-crosslink runs',
  ],
]);
