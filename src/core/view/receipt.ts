// Receipts as Ethereum encodes them (EIP-2718, yellow paper 4.3.1): type ‖ RLP([status, cumulativeGasUsed, bloom, logs]), for type 0
// without the type byte. 0x7e receipts have the same four fields.
import { encodeRlp, integerToRlp, type RlpItem } from '../primitives/rlp.ts';
import type { Log } from '../protocol/message.ts';
import { SYSTEM_TRANSACTION_TYPE } from './system-transaction.ts';
import type { ViewReceipt, ViewTransaction } from './view-block.ts';

const SUCCEEDED = Uint8Array.of(1);
const FAILED = new Uint8Array(0);

/** The EIP-2718 type of a transaction and of its receipt. */
export function typeOf(view: ViewTransaction): number {
  return view.kind === 'system' ? SYSTEM_TRANSACTION_TYPE : view.transaction.type;
}

/** The bytes that the receipts root is made of. */
export function encodeReceipt(type: number, receipt: ViewReceipt, logsBloom: Uint8Array): Uint8Array {
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

function logToRlp(log: Log): RlpItem {
  return [log.address, log.topics, log.data];
}
