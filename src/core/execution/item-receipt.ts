// The receipt that Coppice commits for each item, and their root. (What Ethereum clients see is derived from it in core/view.)
//
// A leaf is the SHA-256 of a receipt's SSZ encoding, as a body's leaf is the hash of a transaction: one hash for each item instead
// of a root over its fields, and still a proof for each receipt to whoever has its bytes. EVM errors are in it as success, revert or
// failure only (protocol, section 10.9).
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { sha256 } from '../crypto/sha256.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import type { Log, MessageResult } from '../protocol/message.ts';
import { Bytes20, Bytes32Type, byteList, Uint8, Uint64 } from '../protocol/ssz.ts';

/** Items of one block: its gas buys at most 16 M / 2,000 inclusions, with forwards and bounces on top; rounded up to a power of two. */
const ITEMS_PER_BLOCK_MAX = 2 ** 16;
/** 8 gas a byte of data within 8 M gas, rounded up. */
const LOG_BYTES_MAX = 2 ** 20;
const LOGS_PER_ITEM_MAX = 2 ** 16;
const EMITTED_PER_ITEM_MAX = 2 ** 10;
const TOPICS_MAX = 4;

const LogType = new ContainerType(
  { address: Bytes20, topics: new ListCompositeType(Bytes32Type, TOPICS_MAX), data: byteList(LOG_BYTES_MAX) },
  { typeName: 'Log', jsonCase: 'eth2' },
);

/** What happened to one item. `createdAddress` has at most one entry. */
export const ItemReceipt = new ContainerType(
  {
    messageId: Bytes32Type,
    outcome: Uint8,
    executionGasUsed: Uint64,
    createdAddress: new ListCompositeType(Bytes20, 1),
    logs: new ListCompositeType(LogType, LOGS_PER_ITEM_MAX),
    emitted: new ListCompositeType(Bytes32Type, EMITTED_PER_ITEM_MAX),
  },
  { typeName: 'ItemReceipt', jsonCase: 'eth2' },
);
export type ItemReceipt = ValueOf<typeof ItemReceipt>;

const ReceiptHashes = new ListCompositeType(Bytes32Type, ITEMS_PER_BLOCK_MAX);

const OUTCOME_CODES: Readonly<Record<MessageResult['outcome'], number>> = { failure: 0, success: 1, revert: 2, forwarded: 3 };

/** The receipt of one item. */
export function itemReceiptOf(result: MessageResult): ItemReceipt {
  const { message, outcome, executionGasUsed, createdAddress, logs, emitted } = result;
  return {
    messageId: message.id,
    outcome: OUTCOME_CODES[outcome],
    executionGasUsed,
    createdAddress: createdAddress === undefined ? [] : [createdAddress],
    logs: logs.map(({ address, topics, data }) => ({ address, topics: [...topics], data })),
    emitted: [...emitted],
  };
}

/** What a header commits as `receiptsRoot`: the items of a block in execution order, waves flattened. */
export function receiptsRootOf(results: readonly MessageResult[]): Bytes32 {
  return ReceiptHashes.hashTreeRoot(results.map(receiptHashOf));
}

// Bytes of a receipt's fixed part: id 32, outcome 1, gas 8, three offsets of 4. Of a log's: address 20, two offsets of 4.
const FIXED_BYTES = 53;
const LOG_FIXED_BYTES = 28;
const OFFSET_BYTES = 4;
const ADDRESS_BYTES = 20;
const HASH_BYTES = 32;

/** Receipts are put together here; a larger one takes memory of its own. */
const RECEIPT_SCRATCH_BYTES = 4_096;
const scratch = new Uint8Array(RECEIPT_SCRATCH_BYTES);
const bareReceipt = scratch.subarray(0, FIXED_BYTES);

/** SHA-256 of the receipt's encoding. It is written by hand, and tested against the type: that takes a fifth of the library's time. */
export function receiptHashOf(result: MessageResult): Bytes32 {
  const { logs, emitted, createdAddress } = result;
  if (logs.length === 0 && emitted.length === 0 && createdAddress === undefined) {
    writeFixedPart(scratch, result, FIXED_BYTES, FIXED_BYTES);
    return sha256(bareReceipt);
  }
  const logsStart = FIXED_BYTES + (createdAddress === undefined ? 0 : ADDRESS_BYTES);
  const emittedStart = logsStart + lengthOfLogs(logs);
  const length = emittedStart + HASH_BYTES * emitted.length;
  const bytes = length <= RECEIPT_SCRATCH_BYTES ? scratch : new Uint8Array(length);
  writeFixedPart(bytes, result, logsStart, emittedStart);
  if (createdAddress !== undefined) bytes.set(createdAddress, FIXED_BYTES);
  writeLogs(bytes, logsStart, logs);
  for (let i = 0; i < emitted.length; i++) bytes.set(emitted[i] as Bytes32, emittedStart + HASH_BYTES * i);
  return sha256(bytes.subarray(0, length));
}

// Small integers of the encoding, little-endian.
function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function writeFixedPart(bytes: Uint8Array, result: MessageResult, logsStart: number, emittedStart: number): void {
  bytes.set(result.message.id, 0);
  bytes[32] = OUTCOME_CODES[result.outcome];
  writeUint32(bytes, 33, result.executionGasUsed);
  writeUint32(bytes, 37, Math.floor(result.executionGasUsed / 2 ** 32));
  writeUint32(bytes, 41, FIXED_BYTES);
  writeUint32(bytes, 45, logsStart);
  writeUint32(bytes, 49, emittedStart);
}

function lengthOfLogs(logs: readonly Log[]): number {
  let length = 0;
  for (const { topics, data } of logs) length += OFFSET_BYTES + LOG_FIXED_BYTES + HASH_BYTES * topics.length + data.length;
  return length;
}

// A list of offsets, then the logs.
function writeLogs(bytes: Uint8Array, start: number, logs: readonly Log[]): void {
  let at = start + OFFSET_BYTES * logs.length;
  for (let i = 0; i < logs.length; i++) {
    const { address, topics, data } = logs[i] as Log;
    const dataOffset = LOG_FIXED_BYTES + HASH_BYTES * topics.length;
    writeUint32(bytes, start + OFFSET_BYTES * i, at - start);
    bytes.set(address, at);
    writeUint32(bytes, at + ADDRESS_BYTES, LOG_FIXED_BYTES);
    writeUint32(bytes, at + ADDRESS_BYTES + OFFSET_BYTES, dataOffset);
    for (let topic = 0; topic < topics.length; topic++) bytes.set(topics[topic] as Bytes32, at + LOG_FIXED_BYTES + HASH_BYTES * topic);
    bytes.set(data, at + dataOffset);
    at += dataOffset + data.length;
  }
}
