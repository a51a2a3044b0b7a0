// eth_sendRawTransactionSync (EIP-7966): sends a transaction and answers with its receipt as soon as it is final.
import { keccak256 } from '../../core/crypto/keccak.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import { limitExceeded, syncTimeout, transactionRefused } from '../errors.ts';
import { formatReceipt } from '../format-receipt.ts';
import { defineMethod } from '../method.ts';
import { optional, readCount, readData, required } from '../parameter.ts';

/** See the file's head. Zero, as the parameter's absence, means the node's own maximum. */
export const sendRawTransactionSync = defineMethod(
  'eth_sendRawTransactionSync',
  [required('transaction', readData), optional('timeoutMs', readCount, 0)],
  async ({ ports, limits, receiptWaiter }, raw, wantedMs) => {
    if (!receiptWaiter.hasRoom) return limitExceeded(`too many clients wait for receipts: at most ${limits.syncWaitsMax}`);
    const timeoutMs = wantedMs === 0 ? limits.syncWaitMsMax : Math.min(wantedMs, limits.syncWaitMsMax);
    // To wait first: the transaction may be final before the mempool's answer is here.
    const waiting = receiptWaiter.wait(bytesToHex(keccak256(raw)), timeoutMs);
    const submitted = await ports.mempool.submit(raw);
    if (!submitted.ok) {
      waiting.cancel();
      return transactionRefused(submitted.reason, submitted.detail);
    }
    const found = await waiting.found;
    return found === undefined ? syncTimeout(submitted.value, timeoutMs) : formatReceipt(found.block, found.index);
  },
);
