// Receipts as Ethereum encodes them (EIP-2718, yellow paper 4.3.1): type ‖ RLP([status, cumulativeGasUsed, bloom, logs]), for type 0
// without the type byte. 0x7e receipts have the same four fields.
import { createdAddressOf } from '../execution/created-address.ts';
import type { Address } from '../primitives/ids.ts';
import { encodeRlp, integerToRlp, type RlpItem } from '../primitives/rlp.ts';
import type { Log } from '../protocol/message.ts';
import { BLOOM_BYTES } from './bloom.ts';
import { SYSTEM_TRANSACTION_TYPE } from './system-transaction.ts';
import type { ViewReceipt, ViewTransaction } from './view-block.ts';

const SUCCEEDED = Uint8Array.of(1);
const FAILED = new Uint8Array(0);
const BLOOM_PREFIX_BYTES = 3;

/** The EIP-2718 type of a transaction and of its receipt. */
export function typeOf(view: ViewTransaction): number {
  return view.kind === 'system' ? SYSTEM_TRANSACTION_TYPE : view.transaction.type;
}

/**
 * The address that a transaction without a target creates, or would have created: wallets are shown it also when the creation failed,
 * as by Ethereum's nodes. Undefined for a call, and for a system transaction, which always has a target.
 */
export function contractAddressOf(view: ViewTransaction, receipt: Pick<ViewReceipt, 'contractAddress'>): Address | undefined {
  if (view.kind === 'system' || view.transaction.to !== undefined) return undefined;
  return receipt.contractAddress ?? createdAddressOf(view.transaction.sender, view.transaction.nonce);
}

/** Most that a receipt without logs takes: four prefixes, type, status, eight bytes of gas, the bloom. */
export const BARE_RECEIPT_BYTES_MAX = 280;

/**
 * The bytes that the receipts root is made of. Those of a receipt without logs are the beginning of `room`, BARE_RECEIPT_BYTES_MAX zeros: whoever
 * encodes many has one array for all.
 */
export function encodeReceipt(
  type: number,
  receipt: ViewReceipt,
  logsBloom: Uint8Array,
  room: Uint8Array = new Uint8Array(BARE_RECEIPT_BYTES_MAX),
): Uint8Array {
  if (receipt.logs.length === 0) return encodeBareReceipt(type, receipt, room);
  const payload = encodeRlp([
    receipt.succeeded ? SUCCEEDED : FAILED,
    integerToRlp(receipt.cumulativeGasUsed),
    logsBloom,
    receipt.logs.map(logToRlp),
  ]);
  if (type === 0) return payload;
  const bytes = new Uint8Array(1 + payload.length);
  bytes[0] = type;
  bytes.set(payload, 1);
  return bytes;
}

// Most receipts have no logs, and so a bloom of zeros, which are in a new array already.
function encodeBareReceipt(type: number, { succeeded, cumulativeGasUsed }: ViewReceipt, bytes: Uint8Array): Uint8Array {
  let gasBytes = 0;
  for (let rest = cumulativeGasUsed; rest > 0; rest = Math.floor(rest / 256)) gasBytes += 1;
  const isGasPrefixed = cumulativeGasUsed === 0 || cumulativeGasUsed >= 0x80;
  const payload = 1 + (isGasPrefixed ? 1 : 0) + gasBytes + BLOOM_PREFIX_BYTES + BLOOM_BYTES + 1;
  const typeBytes = type === 0 ? 0 : 1;
  const length = typeBytes + 3 + payload;
  let at = typeBytes;
  if (typeBytes === 1) bytes[0] = type;
  bytes[at++] = 0xf9; // A list with a length of two bytes.
  bytes[at++] = payload >> 8;
  bytes[at++] = payload & 0xff;
  bytes[at++] = succeeded ? 1 : 0x80;
  if (isGasPrefixed) bytes[at++] = 0x80 + gasBytes;
  for (let i = gasBytes - 1, rest = cumulativeGasUsed; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[at + i] = rest % 256;
  at += gasBytes;
  bytes[at] = 0xb9; // A string with a length of two bytes.
  bytes[at + 1] = BLOOM_BYTES >> 8;
  bytes[length - 1] = 0xc0; // No logs.
  return bytes.subarray(0, length);
}

function logToRlp(log: Log): RlpItem {
  return [log.address, log.topics, log.data];
}
