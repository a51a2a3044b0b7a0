// Static validation: everything that a voter checks of a block before the vote, without executing it (protocol, section 5). One rule,
// one function. Only a sender's own transactions can debit it, so a block that passes is certain to be executable.
//
// Leader, VRF, QC and TC are the consensus engine's to check; these are the shard's rules.
import type { DecodedBlock } from '../execution/executed-block.ts';
import { checkAgainstAccount, checkTransactionShape, type SenderReservation } from '../execution/transaction-checks.ts';
import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import type { Hex } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { BlockBody, bodyRootOf, ExecutionCommitment } from '../protocol/block.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { StateReader } from '../state/state-reader.ts';
import { baseFeeAfter, earliestTimestampMs, gasBoughtBy, permittedBeaconReference } from './build-block.ts';
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
export type BlockRefusal =
  | 'wrong-height'
  | 'wrong-parent'
  | 'timestamp-too-early'
  | 'wrong-beacon-reference'
  | 'wrong-parent-execution'
  | 'wrong-post-state-root'
  | 'wrong-body-root'
  | 'body-part-not-permitted'
  | 'body-too-large'
  | 'wrong-gas-bought'
  | 'too-much-gas'
  | 'wrong-base-fee'
  | 'invalid-transaction'
  | 'not-executable';

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

function followsParent({ block: { header }, parent }: ValidationInput): Verdict<undefined, BlockRefusal> {
  if (!bytesEqual(header.parentHash, parent.hash)) return refuse('wrong-parent');
  return header.height === parent.height + 1 ? PASSED : refuse('wrong-height', `${header.height} on ${parent.height}`);
}

function isNotTooEarly({ block: { header }, parent, parameters }: ValidationInput): Verdict<undefined, BlockRefusal> {
  const earliestMs = earliestTimestampMs(parent, parameters);
  return header.timestampMs >= earliestMs ? PASSED : refuse('timestamp-too-early', `${header.timestampMs}, not before ${earliestMs}`);
}

function namesPermittedReference({ block: { header }, parent }: ValidationInput): Verdict<undefined, BlockRefusal> {
  const permitted = permittedBeaconReference(parent);
  const { height, hash } = header.beaconReference;
  return height === permitted.height && bytesEqual(hash, permitted.hash) ? PASSED : refuse('wrong-beacon-reference');
}

/** Determinism is checked here: equal parent state and equal block give equal commitments on every machine. */
function commitsParentExecution({ block: { header }, parentExecution }: ValidationInput): Verdict<undefined, BlockRefusal> {
  return ExecutionCommitment.equals(header.parentExecution, parentExecution) ? PASSED : refuse('wrong-parent-execution');
}

/** Only the beacon commits its own state. */
function leavesResultToChild({ block: { header } }: ValidationInput): Verdict<undefined, BlockRefusal> {
  return bytesEqual(header.postStateRoot, ZERO_32) ? PASSED : refuse('wrong-post-state-root');
}

/** One shard is the whole state: no other can send it anything. Crosslinks and evidence are the beacon's. */
function hasOnlyTransactions({ block: { body } }: ValidationInput): Verdict<undefined, BlockRefusal> {
  const { transactions: _permitted, ...others } = body;
  const wrong = Object.entries(others).find(([, items]) => items.length > 0);
  return wrong === undefined ? PASSED : refuse('body-part-not-permitted', `${wrong[1].length} ${wrong[0]}`);
}

function staysWithinBytes({ block: { body }, parameters }: ValidationInput): Verdict<undefined, BlockRefusal> {
  const bytes = BlockBody.value_serializedSize(body);
  return bytes <= parameters.bodyBytesMax ? PASSED : refuse('body-too-large', `${bytes} bytes, at most ${parameters.bodyBytesMax}`);
}

function staysWithinGas({ block: { header, transactions }, parameters }: ValidationInput): Verdict<undefined, BlockRefusal> {
  const gasBought = gasBoughtBy(transactions);
  if (header.gasBought !== gasBought) return refuse('wrong-gas-bought', `${header.gasBought} instead of ${gasBought}`);
  return gasBought <= parameters.blockGasLimit ? PASSED : refuse('too-much-gas', `${gasBought}, at most ${parameters.blockGasLimit}`);
}

function leavesRightBaseFee({ block: { header }, parent, parameters }: ValidationInput): Verdict<undefined, BlockRefusal> {
  const expected = baseFeeAfter(parent, header.gasBought, header.timestampMs, parameters);
  return header.baseFeePerGasWei === expected ? PASSED : refuse('wrong-base-fee', `${header.baseFeePerGasWei} instead of ${expected}`);
}

function hasRootOfBody({ block: { header, body, transactions } }: ValidationInput): Verdict<undefined, BlockRefusal> {
  const transactionHashes = transactions.map(({ hash }) => hash);
  return bytesEqual(header.bodyRoot, bodyRootOf(body, transactionHashes)) ? PASSED : refuse('wrong-body-root');
}

/** Nonces in sequence, and Σ(value + gas × maxFeePerGas) of each sender within its balance; credits of the same block do not count. */
function hasExecutableTransactions({ block, parent, parentState, parameters }: ValidationInput): Verdict<undefined, BlockRefusal> {
  const reservations = new Map<Hex, SenderReservation>();
  for (const transaction of block.transactions) {
    const shape = checkTransactionShape(transaction, parameters);
    if (!shape.ok) return refuse('invalid-transaction', `${transaction.hashHex}: ${shape.reason} ${shape.detail}`);
    const account = parentState.getAccount(transaction.sender, transaction.sender);
    const reservation = checkAgainstAccount(transaction, account, parent.baseFeePerGasWei, reservations.get(transaction.senderHex));
    if (!reservation.ok) return refuse('not-executable', `${transaction.hashHex}: ${reservation.reason} ${reservation.detail}`);
    reservations.set(transaction.senderHex, reservation.value);
  }
  return PASSED;
}
