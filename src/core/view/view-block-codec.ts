// How a view block is kept on disk: SSZ, one row a block. What follows from the rest is left out and derived again on reading: hashes,
// blooms, cumulative gas, and the messages of plain main calls, which are most messages there are.
import { ByteListType, ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { sha256 } from '../crypto/sha256.ts';
import { bytesEqual, bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { parseTransaction, withSender } from '../protocol/decode-transaction.ts';
import { INBOX_ITEM_BYTES_MAX } from '../protocol/limits.ts';
import type { MessageKind, MessageResult } from '../protocol/message.ts';
import { Bytes20, Bytes32Type, Bytes256, Uint8, Uint32, Uint64, Uint256 } from '../protocol/ssz.ts';
import { hashOfHeader } from './ethereum-header.ts';
import { decodeSystemTransaction } from './system-transaction.ts';
import type { ViewBlock, ViewMessage, ViewReceipt, ViewTransaction } from './view-block.ts';

/** Of a type, not of a block: far above what 16 M gas can emit at 375 a log and 2,000 a message. */
const ITEMS_MAX = 65_536;
const LOGS_PER_ITEM_MAX = 65_536;
/** 16 M gas at 8 a byte. */
const LOG_BYTES_MAX = 2 ** 21;
const TOPICS_MAX = 4;

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
  },
  { typeName: 'ViewHeaderRecord', jsonCase: 'eth2' },
);

const LogRecord = new ContainerType(
  { address: Bytes20, topics: new ListCompositeType(Bytes32Type, TOPICS_MAX), data: new ByteListType(LOG_BYTES_MAX) },
  { typeName: 'ViewLogRecord', jsonCase: 'eth2' },
);

const ItemRecord = new ContainerType(
  {
    flags: Uint8,
    raw: new ByteListType(INBOX_ITEM_BYTES_MAX),
    /** Recovered once, when the transaction came in. Zeros for a system transaction, whose bytes name it. */
    sender: Bytes20,
    effectiveGasPriceWei: Uint256,
    contractAddress: Bytes20,
    logs: new ListCompositeType(LogRecord, LOGS_PER_ITEM_MAX),
    /** Of the message whose record is left out. */
    messageGasLimit: Uint64,
    executionGasUsed: Uint64,
  },
  { typeName: 'ViewItemRecord', jsonCase: 'eth2' },
);
type ItemRecord = ValueOf<typeof ItemRecord>;

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

const BlockRecord = new ContainerType(
  {
    header: HeaderRecord,
    timestampMs: Uint64,
    items: new ListCompositeType(ItemRecord, ITEMS_MAX),
    messages: new ListCompositeType(MessageRecord, ITEMS_MAX),
  },
  { typeName: 'ViewBlockRecord', jsonCase: 'eth2' },
);

const FLAG_SYSTEM = 1;
const FLAG_SUCCEEDED = 2;
const FLAG_CREATED_CONTRACT = 4;
const FLAG_IMPLIED_MESSAGE = 8;

const MESSAGE_KINDS: readonly MessageKind[] = ['main-call', 'value-send', 'credit', 'bounce', 'pointer', 'sweep'];
const OUTCOMES: readonly MessageResult['outcome'][] = ['success', 'revert', 'failure', 'forwarded'];
const NO_ADDRESS = new Uint8Array(20);
/** The sender parts are wave 0, and each emits its main call first. */
const MAIN_CALL_WAVE = 1;
const FIRST_EMISSION = new Uint8Array(4);

/** The row of a view block. */
export function encodeViewBlock(block: ViewBlock): Uint8Array {
  const messages: MessageRecord[] = [];
  const implying = new Map<number, ViewMessage>();
  block.messages.forEach((message, position) => {
    if (isImplied(message, block)) implying.set(message.transactionIndex as number, message);
    else messages.push(toMessageRecord(message, position));
  });
  const items = block.transactions.map((view, index) => toItemRecord(view, block.receipts[index] as ViewReceipt, implying.get(index)));
  return BlockRecord.serialize({ header: block.header, timestampMs: block.timestampMs, items, messages });
}

/** Reads back a row that this node wrote (its checksum is the storage's affair). */
export function decodeViewBlock(bytes: Uint8Array, evmChainId: number): ViewBlock {
  const record = BlockRecord.deserialize(bytes);
  const hash = hashOfHeader(record.header);
  const transactions = record.items.map((item) => toTransaction(item, evmChainId));
  const receipts = toReceipts(record.items, transactions);
  const implied: ViewMessage[] = [];
  record.items.forEach((item, index) => {
    const view = transactions[index] as ViewTransaction;
    if ((item.flags & FLAG_IMPLIED_MESSAGE) !== 0) implied.push(impliedMessage(view, index, item.messageGasLimit, item.executionGasUsed));
  });
  return {
    header: record.header,
    hash,
    hashHex: bytesToHex(hash),
    timestampMs: record.timestampMs,
    transactions,
    receipts,
    messages: mergeMessages(implied, record.messages),
  };
}

// ---------------------------------------------------------------------------------------------------------------------------
// Messages that a transaction implies: main calls that went straight to an account of its own family, and did not fail.

function isImplied(message: ViewMessage, block: ViewBlock): boolean {
  if (message.transactionIndex === undefined || message.kind !== 'main-call') return false;
  const view = block.transactions[message.transactionIndex] as ViewTransaction;
  if (view.kind === 'system' || view.transaction.to === undefined) return false;
  return sameMessage(message, impliedMessage(view, message.transactionIndex, message.gasLimit, message.executionGasUsed));
}

function impliedMessage(view: ViewTransaction, index: number, gasLimit: number, executionGasUsed: number): ViewMessage {
  invariant(view.kind === 'account' && view.transaction.to !== undefined, 'only a call implies its message');
  const { transaction } = view;
  return {
    id: sha256(transaction.hash, FIRST_EMISSION),
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

function sameMessage(a: ViewMessage, b: ViewMessage): boolean {
  return (
    a.outcome === b.outcome &&
    a.hop === b.hop &&
    a.wave === b.wave &&
    a.valueWei === b.valueWei &&
    a.target !== undefined &&
    b.target !== undefined &&
    bytesEqual(a.target, b.target) &&
    bytesEqual(a.targetFamily, b.targetFamily) &&
    bytesEqual(a.sender, b.sender) &&
    bytesEqual(a.senderFamily, b.senderFamily) &&
    bytesEqual(a.emitterId, b.emitterId) &&
    bytesEqual(a.originTransactionHash, b.originTransactionHash) &&
    bytesEqual(a.id, b.id)
  );
}

// Records know their positions; the implied messages fill what is left, in order.
function mergeMessages(implied: readonly ViewMessage[], records: readonly MessageRecord[]): readonly ViewMessage[] {
  const messages: ViewMessage[] = [];
  let next = 0;
  for (const record of records) {
    while (messages.length < record.position) messages.push(implied[next++] as ViewMessage);
    messages.push(toMessage(record));
  }
  messages.push(...implied.slice(next));
  return messages;
}

// ---------------------------------------------------------------------------------------------------------------------------
// Records.

function toItemRecord(view: ViewTransaction, receipt: ViewReceipt, implying: ViewMessage | undefined): ItemRecord {
  return {
    flags:
      (view.kind === 'system' ? FLAG_SYSTEM : 0) |
      (receipt.succeeded ? FLAG_SUCCEEDED : 0) |
      (receipt.contractAddress === undefined ? 0 : FLAG_CREATED_CONTRACT) |
      (implying === undefined ? 0 : FLAG_IMPLIED_MESSAGE),
    raw: view.transaction.raw,
    sender: view.kind === 'system' ? NO_ADDRESS : view.transaction.sender,
    effectiveGasPriceWei: receipt.effectiveGasPriceWei,
    contractAddress: receipt.contractAddress ?? NO_ADDRESS,
    logs: receipt.logs.map((log) => ({ address: log.address, topics: [...log.topics], data: log.data })),
    messageGasLimit: implying?.gasLimit ?? 0,
    executionGasUsed: implying?.executionGasUsed ?? 0,
  };
}

function toTransaction(item: ItemRecord, evmChainId: number): ViewTransaction {
  if ((item.flags & FLAG_SYSTEM) !== 0) return { kind: 'system', transaction: decodeSystemTransaction(item.raw) };
  const parsed = parseTransaction(item.raw, evmChainId);
  invariant(parsed.ok, 'a stored transaction was decoded before it was stored');
  return { kind: 'account', transaction: withSender(parsed.value, item.sender) };
}

function toReceipts(items: readonly ItemRecord[], transactions: readonly ViewTransaction[]): readonly ViewReceipt[] {
  let cumulativeGasUsed = 0;
  let logCount = 0;
  return items.map((item, index) => {
    const view = transactions[index] as ViewTransaction;
    const gasUsed = view.kind === 'system' ? 0 : view.transaction.gasLimit;
    cumulativeGasUsed += gasUsed;
    const firstLogIndex = logCount;
    logCount += item.logs.length;
    return {
      succeeded: (item.flags & FLAG_SUCCEEDED) !== 0,
      gasUsed,
      cumulativeGasUsed,
      effectiveGasPriceWei: item.effectiveGasPriceWei,
      contractAddress: (item.flags & FLAG_CREATED_CONTRACT) !== 0 ? item.contractAddress : undefined,
      logs: item.logs,
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
  return {
    id: record.id,
    kind: MESSAGE_KINDS[record.kind] as MessageKind,
    outcome: OUTCOMES[record.outcome] as MessageResult['outcome'],
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
