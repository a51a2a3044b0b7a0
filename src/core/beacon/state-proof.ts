// Proofs of parts of the beacon state against the root that a header carries: of each field, and of one start record with its progress. Whoever
// follows the beacon's headers checks layouts, committees, and by them any shard, with these.
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, ChainId } from '../primitives/ids.ts';
import { SHARDS_MAX } from '../protocol/limits.ts';
import { depthFor, isMerkleBranch, lengthChunk, merkleBranch } from './merkle.ts';
import { BeaconState, RecordEntry } from './state.ts';
import { BEACON_FIELDS, type BeaconField, elementRootsOf, FIELD_DEPTH, fieldRootsOf } from './state-root.ts';

/** A start record and the siblings on its way to the state's root, from the lowest up. */
export interface RecordProof {
  readonly entry: RecordEntry;
  /** Its place from the left. */
  readonly index: number;
  readonly branch: readonly Bytes32[];
}

const RECORD_DEPTH = depthFor(SHARDS_MAX);
/** Below the field is the list's length beside its elements. */
const RECORD_BRANCH_LENGTH = RECORD_DEPTH + 1 + FIELD_DEPTH;

/** The siblings on the way from a field's root to the state's. */
export function proveField(state: BeaconState, field: BeaconField): readonly Bytes32[] {
  return merkleBranch(fieldRootsOf(state), BEACON_FIELDS.indexOf(field), FIELD_DEPTH);
}

/** True if `fieldRoot` is the root of the field in the state of that root. */
export function verifyField(stateRoot: Bytes32, field: BeaconField, fieldRoot: Bytes32, branch: readonly Bytes32[]): boolean {
  return branch.length === FIELD_DEPTH && isMerkleBranch(fieldRoot, BEACON_FIELDS.indexOf(field), branch, stateRoot);
}

/** The proof of the record whose shard this is. */
export function proveRecord(state: BeaconState, shard: ChainId): RecordProof {
  const index = state.records.findIndex(({ record }) => record.shard === shard);
  const entry = state.records[index];
  invariant(entry !== undefined, `shard ${shard} has a record`);
  const elementRoots = elementRootsOf(BeaconState.fields.records as never, state.records);
  const branch = [...merkleBranch(elementRoots, index, RECORD_DEPTH), lengthChunk(state.records.length), ...proveField(state, 'records')];
  return { entry, index, branch };
}

/** True if the entry stands at that place in the state of that root. Behind a list's end are zeros, which no entry hashes to. */
export function verifyRecord(stateRoot: Bytes32, { entry, index, branch }: RecordProof): boolean {
  if (branch.length !== RECORD_BRANCH_LENGTH || !Number.isSafeInteger(index) || index < 0) return false;
  if (index >= SHARDS_MAX) return false;
  const place = index + BEACON_FIELDS.indexOf('records') * 2 ** (RECORD_DEPTH + 1);
  return isMerkleBranch(RecordEntry.hashTreeRoot(entry), place, branch, stateRoot);
}
