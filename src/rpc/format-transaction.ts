// Transactions in the JSON form of Ethereum's execution-apis; system transactions (0x7e) in that of the OP Stack's deposits.
import { signatureOf } from '../core/protocol/decode-transaction.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { SystemTransaction } from '../core/view/system-transaction.ts';
import type { ViewBlock, ViewReceipt, ViewTransaction } from '../core/view/view-block.ts';
import { data, dataOrNull, type JsonObject, quantity } from './json.ts';

/** EIP-155: `v` of a transaction of type 0 is this much plus twice the chain id plus the parity. */
const EIP_155_V_OFFSET = 35;

/** Transaction `index` of a block. */
export function formatViewTransaction(block: ViewBlock, index: number): JsonObject {
  const view = block.transactions[index] as ViewTransaction;
  const receipt = block.receipts[index] as ViewReceipt;
  const place = {
    blockHash: data(block.hash),
    blockNumber: quantity(block.header.number),
    blockTimestamp: quantity(block.header.timestamp),
    transactionIndex: quantity(index),
  };
  return view.kind === 'system'
    ? { ...formatSystemTransaction(view.transaction), ...place }
    : { ...formatTransaction(view.transaction, receipt.effectiveGasPriceWei), ...place };
}

/** A transaction that is not final yet. */
export function formatPendingTransaction(transaction: Transaction): JsonObject {
  return {
    ...formatTransaction(transaction, transaction.maxFeePerGasWei),
    blockHash: null,
    blockNumber: null,
    blockTimestamp: null,
    transactionIndex: null,
  };
}

function formatTransaction(transaction: Transaction, gasPriceWei: bigint): JsonObject {
  const { r, s } = signatureOf(transaction);
  return {
    type: quantity(transaction.type),
    hash: data(transaction.hash),
    chainId: quantity(transaction.chainId),
    nonce: quantity(transaction.nonce),
    from: data(transaction.sender),
    to: dataOrNull(transaction.to),
    value: quantity(transaction.valueWei),
    gas: quantity(transaction.gasLimit),
    gasPrice: quantity(gasPriceWei),
    ...(transaction.type === 2 && {
      maxFeePerGas: quantity(transaction.maxFeePerGasWei),
      maxPriorityFeePerGas: quantity(transaction.maxPriorityFeePerGasWei),
    }),
    input: data(transaction.data),
    ...(transaction.type !== 0 && {
      accessList: transaction.accessList.map((entry) => ({ address: data(entry.address), storageKeys: entry.storageKeys.map(data) })),
      yParity: quantity(transaction.yParity),
    }),
    v: quantity(transaction.type === 0 ? 2 * transaction.chainId + EIP_155_V_OFFSET + transaction.yParity : transaction.yParity),
    r: quantity(r),
    s: quantity(s),
  };
}

function formatSystemTransaction(transaction: SystemTransaction): JsonObject {
  return {
    type: '0x7e',
    hash: data(transaction.hash),
    sourceHash: data(transaction.sourceHash),
    from: data(transaction.from),
    to: dataOrNull(transaction.to),
    mint: quantity(transaction.mintWei),
    value: quantity(transaction.valueWei),
    gas: quantity(transaction.gasLimit),
    isSystemTx: false,
    input: data(transaction.data),
    // Libraries expect these of every transaction; nobody signed this one, and its gas was bought by what caused it.
    nonce: '0x0',
    gasPrice: '0x0',
    v: '0x0',
    r: '0x0',
    s: '0x0',
    yParity: '0x0',
  };
}
