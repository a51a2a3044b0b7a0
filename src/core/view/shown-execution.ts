// What clients are shown of one executed shard block (protocol, section 7): its items in the order of their execution, waves flattened. View blocks are
// made of these, and a node stores them one by one as blocks are committed: most are final only some blocks later.
//
// Sender parts, pointer writes and forwards do not appear: a transaction stands once, where its main call ran, which may be another shard than the one
// that charged its sender; and every other message stands for itself. A main call with contracts whose pointers go to other shards is held back until
// all of them are written (docs/decisions/019): whoever is shown a contract can call it.
import type { BlockResult, SenderPart } from '../execution/executed-block.ts';
import { bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Hex } from '../primitives/ids.ts';
import type { Message, MessageResult } from '../protocol/message.ts';
import { NOTHING_SENT, type SentSums, sentSumsOf } from './supply.ts';
import { systemTransactionOf } from './system-transaction.ts';
import type { ViewMessage, ViewReceipt, ViewTransaction } from './view-block.ts';

/** Where a transaction's main call ran: who sent it, and what each gas was charged. */
export type ChargedTransaction = Pick<SenderPart, 'transaction' | 'effectiveGasPriceWei'>;

/**
 * A transaction where its main call ran. Of one that was charged in another shard only the hash is known here: a node that catches up may execute the
 * call before the block that charged its sender. When it is shown, both are there.
 */
export type ShownTransaction = ViewTransaction | { readonly kind: 'elsewhere'; readonly transactionHash: Bytes32 };

/** What is shown of an execution. Gas, logs and places count from its own beginning; what was charged elsewhere counts as nothing. */
export interface ShownExecution {
  readonly transactions: readonly ShownTransaction[];
  /** One for each transaction. */
  readonly receipts: readonly ViewReceipt[];
  /** In execution order. */
  readonly messages: readonly ViewMessage[];
  /** Main calls that ran here and are shown when the pointers of their contracts are written. */
  readonly held: readonly HeldTransaction[];
  /** Main calls, by their message, one of whose contracts got its pointer here. */
  readonly pointed: readonly Bytes32[];
  /** Value that left the shard and came to it. */
  readonly sums: SentSums;
}

/** A transaction with its receipt, shown after the block in which its main call ran. */
export interface HeldTransaction {
  readonly mainCallId: Bytes32;
  /** How many of its pointers went to other shards. */
  readonly pointerCount: number;
  readonly transaction: Exclude<ShownTransaction, { readonly kind: 'system' }>;
  /** As if it stood alone. */
  readonly receipt: ViewReceipt;
}

/** An execution, or a part of one, of which everything is known. */
export interface WholeExecution {
  readonly transactions: readonly ViewTransaction[];
  readonly receipts: readonly ViewReceipt[];
  readonly messages: readonly ViewMessage[];
}

/** Finds what a transaction was charged, in whatever shard. */
export type ChargedFinder = (transactionHash: Bytes32) => ChargedTransaction;

/** Of an execution in which nothing happened. */
export const NOTHING_SHOWN: ShownExecution = {
  transactions: [],
  receipts: [],
  messages: [],
  held: [],
  pointed: [],
  sums: NOTHING_SENT,
};

/** The messages of the inbox are executed first. */
const INBOX_WAVE = 0;

/** What of a result is shown. */
export type ExecutionToShow = Pick<BlockResult, 'senderParts' | 'messages'> & Partial<Pick<BlockResult, 'outbox'>>;

/** Whether clients see this message, as a transaction or as a system transaction. */
export function isShown(result: MessageResult): boolean {
  return result.outcome !== 'forwarded' && result.message.kind !== 'pointer';
}

/** True of an execution of which nothing has to be kept. */
export function isNothingShown({ messages, sums }: ShownExecution): boolean {
  return messages.length === 0 && sums.sentValueWei === 0n && sums.sentTipsWei === 0n;
}

/** See the file's head. */
export function showExecution(result: ExecutionToShow): ShownExecution {
  const chargedFor = senderPartFinder(result.senderParts);
  const outbox = result.outbox ?? [];
  const pointersOf = pointerCounter(outbox);
  const transactions: ShownTransaction[] = [];
  const receipts: ViewReceipt[] = [];
  const held: HeldTransaction[] = [];
  const messages: ViewMessage[] = [];
  let cumulativeGasUsed = 0;
  let logCount = 0;
  for (const one of result.messages) {
    const { message } = one;
    const isCall = isShown(one) && message.kind === 'main-call';
    const charged = isCall ? chargedFor(message) : undefined;
    const pointerCount = isCall ? pointersOf(message.id) : 0;
    if (isCall && pointerCount > 0)
      held.push({ mainCallId: message.id, pointerCount, transaction: calledBy(message, charged), receipt: receiptOf(one, charged, 0, 0) });
    const isShownHere = isShown(one) && pointerCount === 0;
    messages.push(toViewMessage(one, isShownHere ? transactions.length : undefined));
    if (!isShownHere) continue;
    transactions.push(isCall ? calledBy(message, charged) : { kind: 'system', transaction: systemTransactionOf(message) });
    const receipt = receiptOf(one, charged, cumulativeGasUsed, logCount);
    receipts.push(receipt);
    cumulativeGasUsed = receipt.cumulativeGasUsed;
    logCount += one.logs.length;
  }
  const taken = result.messages.filter(({ wave }) => wave === INBOX_WAVE).map(({ message }) => message);
  return {
    transactions,
    receipts,
    messages,
    held,
    pointed: taken.filter(({ kind }) => kind === 'pointer').map(({ emitterId }) => emitterId),
    sums: sentSumsOf(outbox, taken),
  };
}

/** The same with everything that other shards know of it. */
export function withCharges(
  execution: Pick<ShownExecution, 'transactions' | 'receipts' | 'messages'>,
  chargedFor: ChargedFinder,
): WholeExecution {
  const { transactions, receipts, messages } = execution;
  if (!transactions.some(({ kind }) => kind === 'elsewhere')) return execution as WholeExecution;
  const known: ViewTransaction[] = [];
  const whole: ViewReceipt[] = [];
  let cumulativeGasUsed = 0;
  for (const [index, shown] of transactions.entries()) {
    const receipt = receipts[index];
    invariant(receipt !== undefined, 'there is a receipt for each transaction');
    const charged = shown.kind === 'elsewhere' ? chargedFor(shown.transactionHash) : undefined;
    known.push(shown.kind !== 'elsewhere' ? shown : { kind: 'account', transaction: (charged as ChargedTransaction).transaction });
    const gasUsed = charged?.transaction.gasLimit ?? receipt.gasUsed;
    cumulativeGasUsed += gasUsed;
    const effectiveGasPriceWei = charged?.effectiveGasPriceWei ?? receipt.effectiveGasPriceWei;
    whole.push({ ...receipt, gasUsed, cumulativeGasUsed, effectiveGasPriceWei });
  }
  return { transactions: known, receipts: whole, messages };
}

/** What was held back, with what it was charged: shown as an execution of its own. */
export function heldWithCharge({ transaction, receipt }: HeldTransaction, chargedFor: ChargedFinder): WholeExecution {
  return withCharges({ transactions: [transaction], receipts: [receipt], messages: [] }, chargedFor);
}

function calledBy(call: Message, charged: ChargedTransaction | undefined): HeldTransaction['transaction'] {
  if (charged === undefined) return { kind: 'elsewhere', transactionHash: call.originTransactionHash };
  return { kind: 'account', transaction: charged.transaction };
}

function receiptOf(
  { outcome, createdAddress, logs }: MessageResult,
  charged: ChargedTransaction | undefined,
  gasUsedBefore: number,
  firstLogIndex: number,
): ViewReceipt {
  const gasUsed = charged?.transaction.gasLimit ?? 0;
  return {
    succeeded: outcome === 'success',
    gasUsed,
    cumulativeGasUsed: gasUsedBefore + gasUsed,
    effectiveGasPriceWei: charged?.effectiveGasPriceWei ?? 0n,
    contractAddress: createdAddress,
    logs,
    firstLogIndex,
  };
}

/** The transactions charged here whose main call left the shard: where it runs, they are asked for. */
export function departedTransactions({ senderParts, outbox = [] }: ExecutionToShow): readonly ChargedTransaction[] {
  const departed = new Set<Hex>();
  for (const { kind, originTransactionHash } of outbox) if (kind === 'main-call') departed.add(bytesToHex(originTransactionHash));
  return departed.size === 0 ? [] : senderParts.filter(({ transaction }) => departed.has(transaction.hashHex));
}

// Finds what charged a main call, if it was in this block. Main calls come in the order of the sender parts, but for those that were forwarded or came
// from elsewhere: only they are looked up by hash.
function senderPartFinder(inOrder: readonly SenderPart[]): (message: Message) => SenderPart | undefined {
  let place = 0;
  let byHash: ReadonlyMap<Hex, SenderPart> | undefined;
  return ({ originTransactionHash }) => {
    const next = inOrder[place];
    if (next !== undefined && next.transaction.hash === originTransactionHash) {
      place += 1;
      return next;
    }
    byHash ??= new Map(inOrder.map((part) => [part.transaction.hashHex, part]));
    return byHash.get(bytesToHex(originTransactionHash));
  };
}

// How many pointers to other shards an item emitted.
function pointerCounter(outbox: readonly Message[]): (emitterId: Bytes32) => number {
  const byEmitter = new Map<Hex, number>();
  for (const { kind, emitterId } of outbox) {
    if (kind !== 'pointer') continue;
    const name = bytesToHex(emitterId);
    byEmitter.set(name, (byEmitter.get(name) ?? 0) + 1);
  }
  return (emitterId) => (byEmitter.size === 0 ? 0 : (byEmitter.get(bytesToHex(emitterId)) ?? 0));
}

function toViewMessage(result: MessageResult, transactionIndex: number | undefined): ViewMessage {
  const { message } = result;
  return {
    id: message.id,
    kind: message.kind,
    outcome: result.outcome,
    originTransactionHash: message.originTransactionHash,
    emitterId: message.emitterId,
    sender: message.sender,
    senderFamily: message.senderFamily,
    target: message.target,
    targetFamily: message.targetFamily,
    valueWei: message.valueWei,
    gasLimit: message.gasLimit,
    executionGasUsed: result.executionGasUsed,
    hop: message.hop,
    wave: result.wave,
    transactionIndex,
  };
}
