// Receipts and logs in the JSON form of Ethereum's execution-apis.
import type { Log } from '../core/protocol/message.ts';
import { bloomOfLogs } from '../core/view/bloom.ts';
import { contractAddressOf, typeOf } from '../core/view/receipt.ts';
import type { ViewBlock, ViewReceipt, ViewTransaction } from '../core/view/view-block.ts';
import { data, dataOrNull, type JsonObject, quantity } from './json.ts';

/** The receipt of transaction `index` of a block. */
export function formatReceipt(block: ViewBlock, index: number): JsonObject {
  const view = block.transactions[index] as ViewTransaction;
  const receipt = block.receipts[index] as ViewReceipt;
  return {
    type: quantity(typeOf(view)),
    status: receipt.succeeded ? '0x1' : '0x0',
    transactionHash: data(view.transaction.hash),
    transactionIndex: quantity(index),
    blockHash: data(block.hash),
    blockNumber: quantity(block.header.number),
    from: data(view.kind === 'system' ? view.transaction.from : view.transaction.sender),
    to: dataOrNull(view.transaction.to),
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    gasUsed: quantity(receipt.gasUsed),
    effectiveGasPrice: quantity(receipt.effectiveGasPriceWei),
    contractAddress: dataOrNull(contractAddressOf(view, receipt)),
    logs: receipt.logs.map((_log, position) => formatLog(block, index, position)),
    logsBloom: data(bloomOfLogs(receipt.logs)),
  };
}

/** Log `position` of transaction `index` of a block. */
export function formatLog(block: ViewBlock, index: number, position: number): JsonObject {
  const view = block.transactions[index] as ViewTransaction;
  const receipt = block.receipts[index] as ViewReceipt;
  const log = receipt.logs[position] as Log;
  return {
    address: data(log.address),
    topics: log.topics.map(data),
    data: data(log.data),
    blockHash: data(block.hash),
    blockNumber: quantity(block.header.number),
    blockTimestamp: quantity(block.header.timestamp),
    transactionHash: data(view.transaction.hash),
    transactionIndex: quantity(index),
    logIndex: quantity(receipt.firstLogIndex + position),
    removed: false,
  };
}
