// What clients are shown of one executed shard block (protocol, section 7): its items in the order of their execution, waves flattened. View blocks are
// made of these, and a node stores them one by one as blocks are committed: most are final only some blocks later.
//
// Sender parts, pointer writes and forwards do not appear: a transaction stands once, where its main call ran, which may be another shard than the one
// that charged its sender; and every other message stands for itself.
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

/** What is shown of an execution. Gas, logs and places count from its own beginning. */
export interface ShownExecution {
  readonly transactions: readonly ViewTransaction[];
  /** One for each transaction. */
  readonly receipts: readonly ViewReceipt[];
  /** In execution order. */
  readonly messages: readonly ViewMessage[];
  /** Main calls shown here whose contracts have pointers in other shards: mined only when these are written. */
  readonly awaited: readonly AwaitedPointers[];
  /** Main calls, by their message, one of whose contracts got its pointer here. */
  readonly pointed: readonly Bytes32[];
  /** Value that left the shard and came to it. */
  readonly sums: SentSums;
}

/** Pointers that a main call sent to other shards. */
export interface AwaitedPointers {
  /** The id of the main call. */
  readonly mainCallId: Bytes32;
  readonly transactionHash: Bytes32;
  readonly count: number;
}

/** Of an execution in which nothing happened. */
export const NOTHING_SHOWN: ShownExecution = {
  transactions: [],
  receipts: [],
  messages: [],
  awaited: [],
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

/** See the file's head. `chargedElsewhere` knows the transactions that other shards charged. */
export function showExecution(
  result: ExecutionToShow,
  chargedElsewhere: (transactionHash: Bytes32) => ChargedTransaction | undefined,
): ShownExecution {
  const chargedFor = chargedFinder(result.senderParts, chargedElsewhere);
  const outbox = result.outbox ?? [];
  const transactions: ViewTransaction[] = [];
  const receipts: ViewReceipt[] = [];
  const messages: ViewMessage[] = [];
  let cumulativeGasUsed = 0;
  let logCount = 0;
  for (const one of result.messages) {
    const charged = isShown(one) && one.message.kind === 'main-call' ? chargedFor(one.message) : undefined;
    messages.push(toViewMessage(one, isShown(one) ? transactions.length : undefined));
    if (!isShown(one)) continue;
    const gasUsed = charged?.transaction.gasLimit ?? 0;
    cumulativeGasUsed += gasUsed;
    transactions.push(
      charged === undefined
        ? { kind: 'system', transaction: systemTransactionOf(one.message) }
        : { kind: 'account', transaction: charged.transaction },
    );
    receipts.push({
      succeeded: one.outcome === 'success',
      gasUsed,
      cumulativeGasUsed,
      effectiveGasPriceWei: charged?.effectiveGasPriceWei ?? 0n,
      contractAddress: one.createdAddress,
      logs: one.logs,
      firstLogIndex: logCount,
    });
    logCount += one.logs.length;
  }
  const taken = result.messages.filter(({ wave }) => wave === INBOX_WAVE).map(({ message }) => message);
  return {
    transactions,
    receipts,
    messages,
    awaited: awaitedPointers(result.messages, outbox),
    pointed: taken.filter(({ kind }) => kind === 'pointer').map(({ emitterId }) => emitterId),
    sums: sentSumsOf(outbox, taken),
  };
}

/** The transactions charged here whose main call left the shard: where it runs, they are asked for. */
export function departedTransactions({ senderParts, outbox = [] }: ExecutionToShow): readonly ChargedTransaction[] {
  const departed = new Set<Hex>();
  for (const { kind, originTransactionHash } of outbox) if (kind === 'main-call') departed.add(bytesToHex(originTransactionHash));
  return departed.size === 0 ? [] : senderParts.filter(({ transaction }) => departed.has(transaction.hashHex));
}

// Finds what charged a main call. Main calls come in the order of the sender parts, but for those that were forwarded or came from elsewhere: only
// they are looked up by hash.
function chargedFinder(
  inOrder: readonly SenderPart[],
  chargedElsewhere: (transactionHash: Bytes32) => ChargedTransaction | undefined,
): (message: Message) => ChargedTransaction {
  let place = 0;
  let byHash: ReadonlyMap<Hex, SenderPart> | undefined;
  return ({ originTransactionHash }) => {
    const next = inOrder[place];
    if (next !== undefined && next.transaction.hash === originTransactionHash) {
      place += 1;
      return next;
    }
    byHash ??= new Map(inOrder.map((part) => [part.transaction.hashHex, part]));
    const found = byHash.get(bytesToHex(originTransactionHash)) ?? chargedElsewhere(originTransactionHash);
    invariant(found !== undefined, 'whoever executes a main call has executed what charged its sender');
    return found;
  };
}

function awaitedPointers(results: readonly MessageResult[], outbox: readonly Message[]): readonly AwaitedPointers[] {
  const byEmitter = new Map<Hex, number>();
  for (const { kind, emitterId } of outbox) {
    if (kind !== 'pointer') continue;
    const name = bytesToHex(emitterId);
    byEmitter.set(name, (byEmitter.get(name) ?? 0) + 1);
  }
  if (byEmitter.size === 0) return [];
  const awaited: AwaitedPointers[] = [];
  for (const result of results) {
    const { kind, id, originTransactionHash } = result.message;
    const count = kind === 'main-call' && isShown(result) ? byEmitter.get(bytesToHex(id)) : undefined;
    if (count !== undefined) awaited.push({ mainCallId: id, transactionHash: originTransactionHash, count });
  }
  return awaited;
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
