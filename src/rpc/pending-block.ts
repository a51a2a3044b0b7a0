// The block that `pending` means: what would follow the newest finalised one if all that is on its way arrived and the mempool's transactions were
// taken now. Provisional in every field; nothing of it is kept. Its state root and receipts are not known before, so it shows the head's and none.
import { effectiveGasPriceWei } from '../core/execution/execute-block.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { EMPTY_BLOOM } from '../core/view/bloom.ts';
import { type EthereumHeader, hashOfHeader } from '../core/view/ethereum-header.ts';
import { EMPTY_LIST_ROOT, orderedListRoot } from '../core/view/merkle-patricia.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import type { RpcPorts } from './ports.ts';

/** What fits a block of 16 M gas. */
const PENDING_TRANSACTIONS_MAX = 761;

/** Made anew at most this often: with a full mempool it costs 10 ms. */
const AGE_MS_MAX = 20;

/** Gives the pending block, at most AGE_MS_MAX old and always on the newest head. */
export function createPendingBlocks(ports: RpcPorts): () => ViewBlock {
  let made: { readonly block: ViewBlock; readonly atMs: number } | undefined;
  return () => {
    const nowMs = ports.timing.nowMs();
    const isFresh = made !== undefined && nowMs - made.atMs < AGE_MS_MAX && made.block.header.parentHash === ports.view.head().hash;
    if (made === undefined || !isFresh) made = { block: makePendingBlock(ports), atMs: nowMs };
    return made.block;
  };
}

function makePendingBlock(ports: RpcPorts): ViewBlock {
  const head = ports.view.head();
  const baseFeePerGasWei = ports.node.nextBaseFeePerGasWei();
  const transactions = ports.mempool.pendingTransactions(PENDING_TRANSACTIONS_MAX);
  const gasUsed = transactions.reduce((sum, transaction) => sum + transaction.gasLimit, 0);
  const header: EthereumHeader = {
    parentHash: head.hash,
    stateRoot: head.header.stateRoot,
    transactionsRoot: orderedListRoot(transactions.map((transaction) => transaction.raw)),
    receiptsRoot: EMPTY_LIST_ROOT,
    logsBloom: EMPTY_BLOOM,
    number: head.header.number + 1,
    gasLimit: Math.max(ports.node.transactionGasLimitMax, gasUsed),
    gasUsed,
    timestamp: Math.max(head.header.timestamp, Math.floor(ports.timing.nowMs() / 1000)),
    prevRandao: head.header.prevRandao,
    baseFeePerGasWei,
    parentBeaconBlockRoot: head.header.parentBeaconBlockRoot,
  };
  const hash = hashOfHeader(header);
  let cumulativeGasUsed = 0;
  return {
    header,
    hash,
    hashHex: bytesToHex(hash),
    timestampMs: header.timestamp * 1000,
    transactions: transactions.map((transaction) => ({ kind: 'account', transaction })),
    receipts: transactions.map((transaction) => {
      cumulativeGasUsed += transaction.gasLimit;
      return {
        succeeded: false,
        gasUsed: transaction.gasLimit,
        cumulativeGasUsed,
        effectiveGasPriceWei: effectiveGasPriceWei(transaction, baseFeePerGasWei),
        contractAddress: undefined,
        logs: [],
        firstLogIndex: 0,
      };
    }),
    messages: [],
  };
}
