// How what clients are shown of an execution is kept on disk: SSZ, in two rows, since many questions need one of them, written when its shard block is
// committed. What follows from the rest is left out and derived again on reading: hashes, cumulative gas, and the messages of plain main calls, which are
// most messages there are.
import { ByteListType, ContainerType, ListCompositeType, type Type, type ValueOf } from '@chainsafe/ssz';
import { messageIdOf } from '../messaging/message-id.ts';
import { bytesEqual } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { parseTransaction, withSender } from '../protocol/decode-transaction.ts';
import { INBOX_ITEM_BYTES_MAX } from '../protocol/limits.ts';
import type { MessageKind, MessageResult } from '../protocol/message.ts';
import { Bytes20, Bytes32Type, decodeCanonical, Uint8, Uint32, Uint64, Uint256 } from '../protocol/ssz.ts';
import type { ChargedTransaction, HeldTransaction, ShownExecution, ShownTransaction } from './shown-execution.ts';
import { decodeSystemTransaction, SYSTEM_TRANSACTION_TYPE } from './system-transaction.ts';
import type { ViewMessage, ViewReceipt, ViewTransaction } from './view-block.ts';

/** Of a type, not of a block: far above what 16 M gas can emit at 375 a log and 2,000 a message. */
const ITEMS_MAX = 65_536;
const LOGS_PER_ITEM_MAX = 65_536;
/** 16 M gas at 8 a byte. */
const LOG_BYTES_MAX = 2 ** 21;
const TOPICS_MAX = 4;

const LogRecord = new ContainerType(
  { address: Bytes20, topics: new ListCompositeType(Bytes32Type, TOPICS_MAX), data: new ByteListType(LOG_BYTES_MAX) },
  { typeName: 'ViewLogRecord', jsonCase: 'eth2' },
);

const TransactionRecord = new ContainerType(
  {
    /** Recovered once, when the transaction came in. Zeros for a system transaction, whose bytes name it, and one that was charged elsewhere. */
    sender: Bytes20,
    /** Of one that was charged elsewhere, the hash. */
    raw: new ByteListType(INBOX_ITEM_BYTES_MAX),
  },
  { typeName: 'ViewTransactionRecord', jsonCase: 'eth2' },
);
type TransactionRecord = ValueOf<typeof TransactionRecord>;

const TransactionsRecord = new ListCompositeType(TransactionRecord, ITEMS_MAX, { typeName: 'ViewTransactionsRecord' });

const ReceiptRecord = new ContainerType(
  {
    flags: Uint8,
    effectiveGasPriceWei: Uint256,
    contractAddress: Bytes20,
    logs: new ListCompositeType(LogRecord, LOGS_PER_ITEM_MAX),
    /** Of the message whose record is left out. */
    messageGasLimit: Uint64,
    executionGasUsed: Uint64,
  },
  { typeName: 'ViewReceiptRecord', jsonCase: 'eth2' },
);
type ReceiptRecord = ValueOf<typeof ReceiptRecord>;

const MessageRecord = new ContainerType(
  {
    /** In the block's list of messages. */
    position: Uint32,
    id: Bytes32Type,
    kind: Uint8,
    outcome: Uint8,
    originTransactionHash: Bytes32Type,
    emitterId: Bytes32Type,
    sender: Bytes20,
    senderFamily: Bytes20,
    hasTarget: Uint8,
    target: Bytes20,
    targetFamily: Bytes20,
    valueWei: Uint256,
    gasLimit: Uint64,
    executionGasUsed: Uint64,
    hop: Uint8,
    wave: Uint32,
    /** One more than the index; 0 when the message is not shown. */
    shownAt: Uint32,
  },
  { typeName: 'ViewMessageRecord', jsonCase: 'eth2' },
);
type MessageRecord = ValueOf<typeof MessageRecord>;

const HeldRecord = new ContainerType(
  { mainCallId: Bytes32Type, pointerCount: Uint32, transaction: TransactionRecord, receipt: ReceiptRecord },
  { typeName: 'ViewHeldRecord', jsonCase: 'eth2' },
);

const SumsRecord = new ContainerType(
  { sentValueWei: Uint256, sentTipsWei: Uint256, takenValueWei: Uint256, takenTipsWei: Uint256 },
  { typeName: 'ViewSumsRecord', jsonCase: 'eth2' },
);

const ReceiptsRecord = new ContainerType(
  {
    receipts: new ListCompositeType(ReceiptRecord, ITEMS_MAX),
    messages: new ListCompositeType(MessageRecord, ITEMS_MAX),
    held: new ListCompositeType(HeldRecord, ITEMS_MAX),
    pointed: new ListCompositeType(Bytes32Type, ITEMS_MAX),
    sums: SumsRecord,
  },
  { typeName: 'ViewReceiptsRecord', jsonCase: 'eth2' },
);

const ChargedRecord = new ContainerType(
  { transaction: TransactionRecord, effectiveGasPriceWei: Uint256 },
  { typeName: 'ChargedTransactionRecord', jsonCase: 'eth2' },
);

const FLAG_SUCCEEDED = 1;
const FLAG_CREATED_CONTRACT = 2;
const FLAG_IMPLIED_MESSAGE = 4;
const FLAG_CHARGED_ELSEWHERE = 8;

const MESSAGE_KINDS: readonly MessageKind[] = ['main-call', 'value-send', 'credit', 'bounce', 'pointer', 'sweep', 'call', 'reply'];
const OUTCOMES: readonly MessageResult['outcome'][] = ['success', 'revert', 'failure', 'forwarded'];
const NO_ADDRESS = new Uint8Array(20);
const HASH_BYTES = 32;
/** The sender parts are wave 0, and each emits its main call first. */
const MAIN_CALL_WAVE = 1;

/** The rows of an execution. */
export interface EncodedExecution {
  readonly transactions: Uint8Array;
  /** With the messages. */
  readonly receipts: Uint8Array;
}

/** The rows of an execution. */
export function encodeExecution(execution: ShownExecution): EncodedExecution {
  const messages: MessageRecord[] = [];
  const implying = new Map<number, ViewMessage>();
  execution.messages.forEach((message, position) => {
    if (isImplied(message, execution)) implying.set(message.transactionIndex as number, message);
    else messages.push(toMessageRecord(message, position));
  });
  const receipts = execution.receipts.map((receipt, index) =>
    toReceiptRecord(receipt, execution.transactions[index] as ShownTransaction, implying.get(index)),
  );
  const { sums, pointed } = execution;
  const held = execution.held.map(({ transaction, receipt, ...of }) => ({
    ...of,
    transaction: toTransactionRecord(transaction),
    receipt: toReceiptRecord(receipt, transaction, undefined),
  }));
  return {
    transactions: TransactionsRecord.serialize(execution.transactions.map(toTransactionRecord)),
    receipts: ReceiptsRecord.serialize({ receipts, messages, held, pointed: [...pointed], sums }),
  };
}

/** Reads back rows that this node wrote (their checksums are the storage's affair). */
export function decodeExecution(encoded: EncodedExecution, evmChainId: number): ShownExecution {
  const { receipts, messages, held, pointed, sums } = stored(ReceiptsRecord, encoded.receipts);
  const records = stored(TransactionsRecord, encoded.transactions);
  invariant(receipts.length === records.length, 'a stored execution has a receipt for each transaction');
  const transactions = records.map((record, index) => toShown(record, receipts[index]?.flags ?? 0, evmChainId));
  const implied: ViewMessage[] = [];
  receipts.forEach((record, index) => {
    const view = transactions[index] as ShownTransaction;
    if ((record.flags & FLAG_IMPLIED_MESSAGE) !== 0)
      implied.push(impliedMessage(view, index, record.messageGasLimit, record.executionGasUsed));
  });
  return {
    transactions,
    receipts: toReceipts(receipts, transactions),
    messages: mergeMessages(implied, messages, transactions.length),
    held: held.map(({ transaction, receipt, ...of }): HeldTransaction => {
      const shown = toShown(transaction, receipt.flags, evmChainId);
      const [alone] = toReceipts([receipt], [shown]);
      invariant(shown.kind !== 'system' && alone !== undefined, 'what is held back is a transaction with its receipt');
      return { ...of, transaction: shown, receipt: alone };
    }),
    pointed,
    sums,
  };
}

/** The row of a transaction whose main call runs in another shard. */
export function encodeChargedTransaction({ transaction, effectiveGasPriceWei }: ChargedTransaction): Uint8Array {
  return ChargedRecord.serialize({ transaction: toTransactionRecord({ kind: 'account', transaction }), effectiveGasPriceWei });
}

/** Reads back such a row. */
export function decodeChargedTransaction(bytes: Uint8Array, evmChainId: number): ChargedTransaction {
  const { transaction, effectiveGasPriceWei } = stored(ChargedRecord, bytes);
  const view = toTransaction(transaction, evmChainId);
  invariant(view.kind === 'account', 'nobody is charged for a system transaction');
  return { transaction: view.transaction, effectiveGasPriceWei };
}

function stored<T>(type: Type<T>, bytes: Uint8Array): T {
  const decoded = decodeCanonical(type, bytes);
  invariant(decoded.ok, 'a stored view block decodes');
  return decoded.value;
}

// ---------------------------------------------------------------------------------------------------------------------------
// Messages that a transaction implies: main calls that went straight to an account of its own family, and did not fail.

// Whether the message is what `impliedMessage` makes of its transaction. Its id needs no comparing: it follows from its emitter.
function isImplied(message: ViewMessage, { transactions }: Pick<ShownExecution, 'transactions'>): boolean {
  if (message.transactionIndex === undefined || message.kind !== 'main-call') return false;
  const view = transactions[message.transactionIndex] as ShownTransaction;
  if (view.kind !== 'account' || view.transaction.to === undefined || message.target === undefined) return false;
  const { hash, sender, to, valueWei } = view.transaction;
  return (
    message.outcome === 'success' &&
    message.hop === 0 &&
    message.wave === MAIN_CALL_WAVE &&
    message.valueWei === valueWei &&
    bytesEqual(message.target, to) &&
    bytesEqual(message.targetFamily, to) &&
    bytesEqual(message.sender, sender) &&
    bytesEqual(message.senderFamily, sender) &&
    bytesEqual(message.emitterId, hash) &&
    bytesEqual(message.originTransactionHash, hash)
  );
}

function impliedMessage(view: ShownTransaction, index: number, gasLimit: number, executionGasUsed: number): ViewMessage {
  invariant(view.kind === 'account' && view.transaction.to !== undefined, 'only a call implies its message');
  const { transaction } = view;
  return {
    id: messageIdOf(transaction.hash, 0),
    kind: 'main-call',
    outcome: 'success',
    originTransactionHash: transaction.hash,
    emitterId: transaction.hash,
    sender: transaction.sender,
    senderFamily: transaction.sender,
    target: transaction.to,
    targetFamily: transaction.to as Uint8Array,
    valueWei: transaction.valueWei,
    gasLimit,
    executionGasUsed,
    hop: 0,
    wave: MAIN_CALL_WAVE,
    transactionIndex: index,
  };
}

// Records know their positions; the implied messages fill what is left, in order.
function mergeMessages(
  implied: readonly ViewMessage[],
  records: readonly MessageRecord[],
  transactionCount: number,
): readonly ViewMessage[] {
  const messages: ViewMessage[] = [];
  let next = 0;
  for (const record of records) {
    const before = record.position - messages.length;
    invariant(before >= 0 && before <= implied.length - next, 'the implied messages fill what is left between the records');
    for (const end = next + before; next < end; next++) messages.push(implied[next] as ViewMessage);
    invariant(record.shownAt <= transactionCount, 'a message is shown as a transaction of its block');
    messages.push(toMessage(record));
  }
  messages.push(...implied.slice(next));
  return messages;
}

// ---------------------------------------------------------------------------------------------------------------------------
// Records.

function toTransactionRecord(view: ShownTransaction): TransactionRecord {
  if (view.kind === 'elsewhere') return { sender: NO_ADDRESS, raw: view.transactionHash };
  return { sender: view.kind === 'system' ? NO_ADDRESS : view.transaction.sender, raw: view.transaction.raw };
}

function toTransaction(record: TransactionRecord, evmChainId: number): ViewTransaction {
  if (record.raw[0] === SYSTEM_TRANSACTION_TYPE) return { kind: 'system', transaction: decodeSystemTransaction(record.raw) };
  const parsed = parseTransaction(record.raw, evmChainId);
  invariant(parsed.ok, 'a stored transaction was decoded before it was stored');
  return { kind: 'account', transaction: withSender(parsed.value, record.sender) };
}

function toShown(record: TransactionRecord, receiptFlags: number, evmChainId: number): ShownTransaction {
  if ((receiptFlags & FLAG_CHARGED_ELSEWHERE) === 0) return toTransaction(record, evmChainId);
  invariant(record.raw.length === HASH_BYTES, 'of what was charged elsewhere the hash is stored');
  return { kind: 'elsewhere', transactionHash: record.raw };
}

function toReceiptRecord(receipt: ViewReceipt, { kind }: ShownTransaction, implying: ViewMessage | undefined): ReceiptRecord {
  return {
    flags:
      (receipt.succeeded ? FLAG_SUCCEEDED : 0) |
      (receipt.contractAddress === undefined ? 0 : FLAG_CREATED_CONTRACT) |
      (implying === undefined ? 0 : FLAG_IMPLIED_MESSAGE) |
      (kind === 'elsewhere' ? FLAG_CHARGED_ELSEWHERE : 0),
    effectiveGasPriceWei: receipt.effectiveGasPriceWei,
    contractAddress: receipt.contractAddress ?? NO_ADDRESS,
    logs: receipt.logs.map((log) => ({ address: log.address, topics: [...log.topics], data: log.data })),
    messageGasLimit: implying?.gasLimit ?? 0,
    executionGasUsed: implying?.executionGasUsed ?? 0,
  };
}

function toReceipts(records: readonly ReceiptRecord[], transactions: readonly ShownTransaction[]): readonly ViewReceipt[] {
  let cumulativeGasUsed = 0;
  let logCount = 0;
  return records.map((record, index) => {
    const view = transactions[index] as ShownTransaction;
    const gasUsed = view.kind === 'account' ? view.transaction.gasLimit : 0;
    cumulativeGasUsed += gasUsed;
    const firstLogIndex = logCount;
    logCount += record.logs.length;
    return {
      succeeded: (record.flags & FLAG_SUCCEEDED) !== 0,
      gasUsed,
      cumulativeGasUsed,
      effectiveGasPriceWei: record.effectiveGasPriceWei,
      contractAddress: (record.flags & FLAG_CREATED_CONTRACT) !== 0 ? record.contractAddress : undefined,
      logs: record.logs,
      firstLogIndex,
    };
  });
}

function toMessageRecord(message: ViewMessage, position: number): MessageRecord {
  return {
    position,
    id: message.id,
    kind: MESSAGE_KINDS.indexOf(message.kind),
    outcome: OUTCOMES.indexOf(message.outcome),
    originTransactionHash: message.originTransactionHash,
    emitterId: message.emitterId,
    sender: message.sender,
    senderFamily: message.senderFamily,
    hasTarget: message.target === undefined ? 0 : 1,
    target: message.target ?? NO_ADDRESS,
    targetFamily: message.targetFamily,
    valueWei: message.valueWei,
    gasLimit: message.gasLimit,
    executionGasUsed: message.executionGasUsed,
    hop: message.hop,
    wave: message.wave,
    shownAt: message.transactionIndex === undefined ? 0 : message.transactionIndex + 1,
  };
}

function toMessage(record: MessageRecord): ViewMessage {
  const kind = MESSAGE_KINDS[record.kind];
  const outcome = OUTCOMES[record.outcome];
  invariant(kind !== undefined && outcome !== undefined, 'a stored message has a kind and an outcome');
  return {
    id: record.id,
    kind,
    outcome,
    originTransactionHash: record.originTransactionHash,
    emitterId: record.emitterId,
    sender: record.sender,
    senderFamily: record.senderFamily,
    target: record.hasTarget === 1 ? record.target : undefined,
    targetFamily: record.targetFamily,
    valueWei: record.valueWei,
    gasLimit: record.gasLimit,
    executionGasUsed: record.executionGasUsed,
    hop: record.hop,
    wave: record.wave,
    transactionIndex: record.shownAt === 0 ? undefined : record.shownAt - 1,
  };
}
