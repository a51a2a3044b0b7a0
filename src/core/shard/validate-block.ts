// Static validation: everything that a voter checks of a block before the vote, without executing it (protocol, section 5). One rule,
// one function. Only a sender's own transactions can debit it, so a block that passes is certain to be executable.
//
// Leader, VRF, QC and TC are the consensus engine's to check; these are the shard's rules.
import type { DecodedBlock } from '../execution/executed-block.ts';
import { bytesEqual } from '../primitives/bytes.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import type { ExecutionCommitment } from '../protocol/block.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { StateReader } from '../state/state-reader.ts';
import { type BodyRefusal, checkBodyParts, checkExecutable, hasRootOfBody, statesGasBought, staysWithinBytes } from './body-rules.ts';
import { baseFeeAfter, permittedBeaconReference } from './build-block.ts';
import { commitsParentExecution, followsParent, type HeaderRefusal, isNotTooEarly, leavesResultToChild } from './header-rules.ts';
import type { ParentFacts } from './parent-facts.ts';

/** What a block is checked against. */
export interface ValidationInput {
  readonly block: DecodedBlock;
  readonly parent: ParentFacts;
  /** Our own result of executing the parent. */
  readonly parentExecution: ExecutionCommitment;
  /** The parent's post-state. */
  readonly parentState: StateReader;
  readonly parameters: NetworkParameters;
}

/** Which rule a block breaks: stable, a label of metrics. */
export type BlockRefusal = HeaderRefusal | BodyRefusal | 'wrong-beacon-reference' | 'too-much-gas' | 'wrong-base-fee';

type Rule = (input: ValidationInput) => Verdict<undefined, BlockRefusal>;

const PASSED = accept(undefined);

/** All rules, cheapest first; the first that fails is the verdict. */
const RULES: readonly Rule[] = [
  followsParent,
  isNotTooEarly,
  namesPermittedReference,
  commitsParentExecution,
  leavesResultToChild,
  hasOnlyTransactions,
  staysWithinBytes,
  staysWithinGas,
  leavesRightBaseFee,
  hasRootOfBody,
  hasExecutableTransactions,
];

/** See the file's head. */
export function validateBlock(input: ValidationInput): Verdict<undefined, BlockRefusal> {
  for (const rule of RULES) {
    const verdict = rule(input);
    if (!verdict.ok) return verdict;
  }
  return PASSED;
}

function namesPermittedReference({ block: { header }, parent }: ValidationInput): Verdict<undefined, BlockRefusal> {
  const permitted = permittedBeaconReference(parent);
  const { height, hash } = header.beaconReference;
  return height === permitted.height && bytesEqual(hash, permitted.hash) ? PASSED : refuse('wrong-beacon-reference');
}

/** One shard is the whole state: no other can send it anything. Crosslinks and evidence are the beacon's. */
function hasOnlyTransactions({ block: { body } }: ValidationInput): Verdict<undefined, BlockRefusal> {
  return checkBodyParts(body, new Set(['transactions']));
}

function staysWithinGas(input: ValidationInput): Verdict<undefined, BlockRefusal> {
  const stated = statesGasBought(input);
  if (!stated.ok) return stated;
  const { gasBought } = input.block.header;
  const { blockGasLimit } = input.parameters;
  return gasBought <= blockGasLimit ? PASSED : refuse('too-much-gas', `${gasBought}, at most ${blockGasLimit}`);
}

function leavesRightBaseFee({ block: { header }, parent, parameters }: ValidationInput): Verdict<undefined, BlockRefusal> {
  const expected = baseFeeAfter(parent, header.gasBought, header.timestampMs, parameters);
  return header.baseFeePerGasWei === expected ? PASSED : refuse('wrong-base-fee', `${header.baseFeePerGasWei} instead of ${expected}`);
}

function hasExecutableTransactions({ block, parent, parentState, parameters }: ValidationInput): Verdict<undefined, BlockRefusal> {
  return checkExecutable(block.transactions, { parentState, parameters, baseFeeOf: () => parent.baseFeePerGasWei });
}
