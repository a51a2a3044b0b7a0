// The receipt that Coppice commits for each item, and their root. (What Ethereum clients see is derived from it in core/view.)
//
// A leaf is the SHA-256 of a receipt's SSZ encoding, as a body's leaf is the hash of a transaction: one hash for each item instead
// of a root over its fields, and still a proof for each receipt to whoever has its bytes. EVM errors are in it as success, revert or
// failure only (protocol, section 10.9).
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { sha256 } from '../crypto/sha256.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import type { MessageResult } from '../protocol/message.ts';
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

// Bytes of the fixed part: id 32, outcome 1, gas 8, three offsets of 4.
const FIXED_BYTES = 53;
const BARE_RECEIPT_GAS_OFFSET = 33;

/** SHA-256 of the receipt's encoding. Most receipts have no variable part: writing those by hand saves 5 of 6 µs. */
export function receiptHashOf(result: MessageResult): Bytes32 {
  if (result.logs.length > 0 || result.emitted.length > 0 || result.createdAddress !== undefined) {
    return sha256(ItemReceipt.serialize(itemReceiptOf(result)));
  }
  const bytes = new Uint8Array(FIXED_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(result.message.id, 0);
  bytes[32] = OUTCOME_CODES[result.outcome];
  view.setUint32(BARE_RECEIPT_GAS_OFFSET, result.executionGasUsed, true);
  view.setUint32(BARE_RECEIPT_GAS_OFFSET + 4, Math.floor(result.executionGasUsed / 2 ** 32), true);
  for (let field = 0; field < 3; field++) view.setUint32(FIXED_BYTES - 12 + 4 * field, FIXED_BYTES, true);
  return sha256(bytes);
}
