// Rules about a shard's body that hold with a beacon and without one (protocol, section 5): its size, its root, the gas that it says it buys, and
// that each of its transactions is certain to be executable. One rule, one function.
import type { DecodedBlock } from '../execution/executed-block.ts';
import { checkAgainstAccount, checkTransactionShape, type SenderReservation } from '../execution/transaction-checks.ts';
import { bytesEqual } from '../primitives/bytes.ts';
import type { Hex, Wei } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { BlockBody, bodyRootOf } from '../protocol/block.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { Transaction } from '../protocol/transaction.ts';
import type { StateReader } from '../state/state-reader.ts';

/** Which of these rules a body breaks. */
export type BodyRefusal =
  | 'body-part-not-permitted'
  | 'body-too-large'
  | 'wrong-body-root'
  | 'wrong-gas-bought'
  | 'invalid-transaction'
  | 'not-executable';

/** What a body is held against. */
export interface BodyInput {
  readonly block: Pick<DecodedBlock, 'header' | 'body' | 'transactions'>;
  readonly parameters: NetworkParameters;
}

const PASSED = accept(undefined);

/** Sum of the gas limits: gas bought is gas paid. */
export function gasBoughtBy(transactions: readonly Transaction[]): number {
  let gasBought = 0;
  for (const transaction of transactions) gasBought += transaction.gasLimit;
  return gasBought;
}

/** Parts that are other chains' are empty. */
export function checkBodyParts(body: BlockBody, permitted: ReadonlySet<string>): Verdict<undefined, BodyRefusal> {
  const wrong = Object.entries(body).find(([part, items]) => items.length > 0 && !permitted.has(part));
  return wrong === undefined ? PASSED : refuse('body-part-not-permitted', `${wrong[1].length} ${wrong[0]}`);
}

/** The whole body, encoded. */
export function staysWithinBytes({ block: { body }, parameters }: BodyInput): Verdict<undefined, BodyRefusal> {
  const bytes = BlockBody.value_serializedSize(body);
  return bytes <= parameters.bodyBytesMax ? PASSED : refuse('body-too-large', `${bytes} bytes, at most ${parameters.bodyBytesMax}`);
}

/** The header states the gas that the body's transactions buy. */
export function statesGasBought({ block: { header, transactions } }: BodyInput): Verdict<undefined, BodyRefusal> {
  const gasBought = gasBoughtBy(transactions);
  return header.gasBought === gasBought ? PASSED : refuse('wrong-gas-bought', `${header.gasBought} instead of ${gasBought}`);
}

/** The header carries the body's root. */
export function hasRootOfBody({ block: { header, body, transactions } }: BodyInput): Verdict<undefined, BodyRefusal> {
  const transactionHashes = transactions.map(({ hash }) => hash);
  return bytesEqual(header.bodyRoot, bodyRootOf(body, transactionHashes)) ? PASSED : refuse('wrong-body-root');
}

/** What one transaction after another is checked against. */
export interface ExecutableInput {
  /** The parent's post-state. */
  readonly parentState: StateReader;
  readonly parameters: NetworkParameters;
  /** What a gas of the transaction costs at least. */
  readonly baseFeeOf: (transaction: Transaction) => Wei;
}

/**
 * Checks transactions in the order of their body: nonces in sequence, and Σ(value + gas × maxFeePerGas) of each sender within its balance in
 * the parent's post-state; credits of the same block do not count. One that is refused takes nothing. As many reservations as transactions.
 */
export function executableInTurn(input: ExecutableInput): (transaction: Transaction) => Verdict<undefined, BodyRefusal> {
  const reservations = new Map<Hex, SenderReservation>();
  return (transaction) => {
    const shape = checkTransactionShape(transaction, input.parameters);
    if (!shape.ok) return refuse('invalid-transaction', `${transaction.hashHex}: ${shape.reason} ${shape.detail}`);
    const account = input.parentState.getAccount(transaction.sender, transaction.sender);
    const before = reservations.get(transaction.senderHex);
    const reservation = checkAgainstAccount(transaction, account, input.baseFeeOf(transaction), before);
    if (!reservation.ok) return refuse('not-executable', `${transaction.hashHex}: ${reservation.reason} ${reservation.detail}`);
    reservations.set(transaction.senderHex, reservation.value);
    return PASSED;
  };
}

/** All of them, in their order. */
export function checkExecutable(transactions: readonly Transaction[], input: ExecutableInput): Verdict<undefined, BodyRefusal> {
  const isExecutable = executableInTurn(input);
  for (const transaction of transactions) {
    const verdict = isExecutable(transaction);
    if (!verdict.ok) return verdict;
  }
  return PASSED;
}
