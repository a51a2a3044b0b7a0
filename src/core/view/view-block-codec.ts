// How view blocks are kept on disk: SSZ, the header in a row of its own, since most questions need only that, and with it the names of the executions
// that are in the block; each of those in two rows, written when its shard block was committed. What follows from the rest is left out and derived
// again on reading: hashes, cumulative gas, and the messages of plain main calls, which are most messages there are.
import { ByteListType, ContainerType, ListCompositeType, type Type, type ValueOf } from '@chainsafe/ssz';
import { messageIdOf } from '../messaging/message-id.ts';
import { bytesEqual, bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { parseTransaction, withSender } from '../protocol/decode-transaction.ts';
import { CROSSLINK_HEADERS_MAX, CROSSLINKS_PER_BODY_MAX, INBOX_ITEM_BYTES_MAX } from '../protocol/limits.ts';
import type { MessageKind, MessageResult } from '../protocol/message.ts';
import { Bytes20, Bytes32Type, Bytes256, decodeCanonical, Uint8, Uint32, Uint64, Uint256 } from '../protocol/ssz.ts';
import { ShardHeight, ShardHeights } from './anchor.ts';
import { hashOfHeader } from './ethereum-header.ts';
import type { ChargedTransaction, ShownExecution } from './shown-execution.ts';
import { decodeSystemTransaction, SYSTEM_TRANSACTION_TYPE } from './system-transaction.ts';
import type { ViewBlock, ViewMessage, ViewReceipt, ViewTransaction } from './view-block.ts';

/** Of a type, not of a block: far above what 16 M gas can emit at 375 a log and 2,000 a message. */
const ITEMS_MAX = 65_536;
const LOGS_PER_ITEM_MAX = 65_536;
/** 16 M gas at 8 a byte. */
const LOG_BYTES_MAX = 2 ** 21;
const TOPICS_MAX = 4;

/** Where a transaction that was held back is: the execution in which its main call ran, and its place among those held there. */
export const HeldPlace = new ContainerType({ shard: Uint64, height: Uint64, index: Uint32 }, { typeName: 'HeldPlace', jsonCase: 'eth2' });
export type HeldPlace = ValueOf<typeof HeldPlace>;

const HeaderRecord = new ContainerType(
  {
    parentHash: Bytes32Type,
    stateRoot: Bytes32Type,
    transactionsRoot: Bytes32Type,
    receiptsRoot: Bytes32Type,
    logsBloom: Bytes256,
    number: Uint64,
    gasLimit: Uint64,
    gasUsed: Uint64,
    timestamp: Uint64,
    prevRandao: Bytes32Type,
    baseFeePerGasWei: Uint256,
    parentBeaconBlockRoot: Bytes32Type,
    timestampMs: Uint64,
    executions: new ListCompositeType(ShardHeight, CROSSLINK_HEADERS_MAX * CROSSLINKS_PER_BODY_MAX),
    late: new ListCompositeType(HeldPlace, ITEMS_MAX),
    heights: ShardHeights,
  },
  { typeName: 'ViewHeaderRecord', jsonCase: 'eth2' },
);

const LogRecord = new ContainerType(
  { address: Bytes20, topics: new ListCompositeType(Bytes32Type, TOPICS_MAX), data: new ByteListType(LOG_BYTES_MAX) },
  { typeName: 'ViewLogRecord', jsonCase: 'eth2' },
);

const TransactionRecord = new ContainerType(
  {
    /** Recovered once, when the transaction came in. Zeros for a system transaction, whose bytes name it. */
    sender: Bytes20,
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

const MESSAGE_KINDS: readonly MessageKind[] = ['main-call', 'value-send', 'credit', 'bounce', 'pointer', 'sweep', 'call', 'reply'];
const OUTCOMES: readonly MessageResult['outcome'][] = ['success', 'revert', 'failure', 'forwarded'];
const NO_ADDRESS = new Uint8Array(20);
/** The sender parts are wave 0, and each emits its main call first. */
const MAIN_CALL_WAVE = 1;

/** The rows of an execution. */
export interface EncodedExecution {
  readonly transactions: Uint8Array;
  /** With the messages. */
  readonly receipts: Uint8Array;
}

/** A view block without its contents: all that a search for logs reads of most blocks. */
export type ViewHeader = Pick<ViewBlock, 'header' | 'hash' | 'hashHex' | 'timestampMs'>;

/** What the header's row says beside the header. */
export interface ViewPlaces {
  /** The executions in the block of which something is kept, in order. */
  readonly executions: readonly ShardHeight[];
  /** Transactions of other blocks' executions that it shows after its own. */
  readonly late: readonly HeldPlace[];
  /** The versions of the shards' states after the block, left to right. */
  readonly heights: readonly ShardHeight[];
}

/** The row of a view block's header. */
export function encodeViewHeader({ header, timestampMs }: ViewHeader, { executions, late, heights }: ViewPlaces): Uint8Array {
  return HeaderRecord.serialize({ ...header, timestampMs, executions: [...executions], late: [...late], heights: [...heights] });
}

/** Reads back the header's row. */
export function decodeViewHeader(bytes: Uint8Array): ViewHeader & ViewPlaces {
  const { timestampMs, executions, late, heights, ...header } = stored(HeaderRecord, bytes);
  const hash = hashOfHeader(header);
  return { header, hash, hashHex: bytesToHex(hash), timestampMs, executions, late, heights };
}

/** The rows of an execution. */
export function encodeExecution(execution: ShownExecution): EncodedExecution {
  const messages: MessageRecord[] = [];
  const implying = new Map<number, ViewMessage>();
  execution.messages.forEach((message, position) => {
    if (isImplied(message, execution)) implying.set(message.transactionIndex as number, message);
    else messages.push(toMessageRecord(message, position));
  });
  const receipts = execution.receipts.map((receipt, index) => toReceiptRecord(receipt, implying.get(index)));
  const { sums, pointed } = execution;
  const held = execution.held.map(({ transaction, receipt, ...of }) => ({
    ...of,
    transaction: toTransactionRecord({ kind: 'account', transaction }),
    receipt: toReceiptRecord(receipt, undefined),
  }));
  return {
    transactions: TransactionsRecord.serialize(execution.transactions.map(toTransactionRecord)),
    receipts: ReceiptsRecord.serialize({ receipts, messages, held, pointed: [...pointed], sums }),
  };
}

/** Reads back rows that this node wrote (their checksums are the storage's affair). */
export function decodeExecution(encoded: EncodedExecution, evmChainId: number): ShownExecution {
  const transactions = stored(TransactionsRecord, encoded.transactions).map((record) => toTransaction(record, evmChainId));
  const { receipts, messages, held, pointed, sums } = stored(ReceiptsRecord, encoded.receipts);
  invariant(receipts.length === transactions.length, 'a stored execution has a receipt for each transaction');
  const implied: ViewMessage[] = [];
  receipts.forEach((record, index) => {
    const view = transactions[index] as ViewTransaction;
    if ((record.flags & FLAG_IMPLIED_MESSAGE) !== 0)
      implied.push(impliedMessage(view, index, record.messageGasLimit, record.executionGasUsed));
  });
  return {
    transactions,
    receipts: toReceipts(receipts, transactions),
    messages: mergeMessages(implied, messages, transactions.length),
    held: held.map(({ transaction, receipt, ...of }) => {
      const view = toTransaction(transaction, evmChainId);
      const [alone] = toReceipts([receipt], [view]);
      invariant(view.kind === 'account' && alone !== undefined, 'what is held back is a transaction with its receipt');
      return { ...of, transaction: view.transaction, receipt: alone };
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
  const view = transactions[message.transactionIndex] as ViewTransaction;
  if (view.kind === 'system' || view.transaction.to === undefined || message.target === undefined) return false;
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

function impliedMessage(view: ViewTransaction, index: number, gasLimit: number, executionGasUsed: number): ViewMessage {
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

function toTransactionRecord(view: ViewTransaction): TransactionRecord {
  return { sender: view.kind === 'system' ? NO_ADDRESS : view.transaction.sender, raw: view.transaction.raw };
}

function toTransaction(record: TransactionRecord, evmChainId: number): ViewTransaction {
  if (record.raw[0] === SYSTEM_TRANSACTION_TYPE) return { kind: 'system', transaction: decodeSystemTransaction(record.raw) };
  const parsed = parseTransaction(record.raw, evmChainId);
  invariant(parsed.ok, 'a stored transaction was decoded before it was stored');
  return { kind: 'account', transaction: withSender(parsed.value, record.sender) };
}

function toReceiptRecord(receipt: ViewReceipt, implying: ViewMessage | undefined): ReceiptRecord {
  return {
    flags:
      (receipt.succeeded ? FLAG_SUCCEEDED : 0) |
      (receipt.contractAddress === undefined ? 0 : FLAG_CREATED_CONTRACT) |
      (implying === undefined ? 0 : FLAG_IMPLIED_MESSAGE),
    effectiveGasPriceWei: receipt.effectiveGasPriceWei,
    contractAddress: receipt.contractAddress ?? NO_ADDRESS,
    logs: receipt.logs.map((log) => ({ address: log.address, topics: [...log.topics], data: log.data })),
    messageGasLimit: implying?.gasLimit ?? 0,
    executionGasUsed: implying?.executionGasUsed ?? 0,
  };
}

function toReceipts(records: readonly ReceiptRecord[], transactions: readonly ViewTransaction[]): readonly ViewReceipt[] {
  let cumulativeGasUsed = 0;
  let logCount = 0;
  return records.map((record, index) => {
    const view = transactions[index] as ViewTransaction;
    const gasUsed = view.kind === 'system' ? 0 : view.transaction.gasLimit;
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
