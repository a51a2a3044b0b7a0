// What a voter checks of a beacon block: the fields of its header, its body, and that the state after it is the one that the header commits.
// Leader, VRF, QC and TC are the consensus engine's to check, as on a shard (docs/decisions/012).
import { bytesEqual } from '../primitives/bytes.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { BeaconReference, type BlockHeader, bodyRootOf, ExecutionCommitment } from '../protocol/block.ts';
import { NO_BASE_FEE_WEI, NO_BEACON_REFERENCE, NO_EXECUTION } from './header-fields.ts';
import { stateRootOf } from './state-root.ts';
import { type Applied, applyBeaconBlock, type TransitionInput, type TransitionRefusal } from './transition.ts';

/** A block beside what its transition depends on. */
export interface ValidationInput extends Omit<TransitionInput, 'block'> {
  readonly header: BlockHeader;
  /** Of the parent block, or the root of the start record. */
  readonly parentHash: Bytes32;
  /** seed(B), from the VRF proof that was verified. */
  readonly seed: Bytes32;
}

/** Which rule a block breaks. */
export type BeaconBlockRefusal =
  | 'wrong-parent'
  | 'timestamp-too-early'
  | 'field-not-permitted'
  | 'wrong-body-root'
  | 'wrong-post-state-root'
  | TransitionRefusal;

type Rule = (input: ValidationInput) => Verdict<undefined, BeaconBlockRefusal>;

const PASSED = accept(undefined);

const RULES: readonly Rule[] = [followsParent, isNotTooEarly, hasOnlyBeaconFields, hasRootOfBody];

/** The state after a block that is valid, if its claims hold; see the file's head. */
export function validateBeaconBlock(input: ValidationInput): Verdict<Applied, BeaconBlockRefusal> {
  for (const rule of RULES) {
    const verdict = rule(input);
    if (!verdict.ok) return verdict;
  }
  const { height, timestampMs, postStateRoot } = input.header;
  const applied = applyBeaconBlock({ ...input, block: { height, timestampMs, seed: input.seed } });
  if (!applied.ok) return applied;
  return bytesEqual(stateRootOf(applied.value.state), postStateRoot) ? applied : refuse('wrong-post-state-root');
}

function followsParent({ header, parentHash }: ValidationInput): Verdict<undefined, BeaconBlockRefusal> {
  return bytesEqual(header.parentHash, parentHash) ? PASSED : refuse('wrong-parent');
}

/** The pace of the beacon is a rule of validity: epochs and graces are counted in its blocks. */
function isNotTooEarly({ header, state, constants }: ValidationInput): Verdict<undefined, BeaconBlockRefusal> {
  const earliestMs = state.timestampMs + constants.parameters.beaconBlockIntervalMsMin;
  return header.timestampMs >= earliestMs ? PASSED : refuse('timestamp-too-early', `${header.timestampMs}, not before ${earliestMs}`);
}

/** What only shards have a use for has one permitted value. */
function hasOnlyBeaconFields({ header }: ValidationInput): Verdict<undefined, BeaconBlockRefusal> {
  if (!BeaconReference.equals(header.beaconReference, NO_BEACON_REFERENCE)) return refuse('field-not-permitted', 'beaconReference');
  if (header.gasBought !== 0) return refuse('field-not-permitted', 'gasBought');
  if (header.baseFeePerGasWei !== NO_BASE_FEE_WEI) return refuse('field-not-permitted', 'baseFeePerGasWei');
  return ExecutionCommitment.equals(header.parentExecution, NO_EXECUTION) ? PASSED : refuse('field-not-permitted', 'parentExecution');
}

function hasRootOfBody({ header, body }: ValidationInput): Verdict<undefined, BeaconBlockRefusal> {
  if (body.transactions.length > 0) return refuse('body-part-not-permitted', `${body.transactions.length} transactions`);
  return bytesEqual(header.bodyRoot, bodyRootOf(body, [])) ? PASSED : refuse('wrong-body-root');
}
