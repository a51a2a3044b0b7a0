// Every method that this node answers, and those that clients may expect and it refuses, with the reason.
import { getCommittee } from './coppice/get-committee.ts';
import { getEvidence } from './coppice/get-evidence.ts';
import { getLayout } from './coppice/get-layout.ts';
import { getMessages } from './coppice/get-messages.ts';
import { getProof } from './coppice/get-proof.ts';
import { getShardHead } from './coppice/get-shard-head.ts';
import { getSupply } from './coppice/get-supply.ts';
import { getTrace } from './coppice/get-trace.ts';
import { accounts } from './eth/accounts.ts';
import { blockNumber } from './eth/block-number.ts';
import { call } from './eth/call.ts';
import { chainId } from './eth/chain-id.ts';
import { coinbase } from './eth/coinbase.ts';
import { estimateGas } from './eth/estimate-gas.ts';
import { feeHistory } from './eth/fee-history.ts';
import { gasPrice } from './eth/gas-price.ts';
import { getBalance } from './eth/get-balance.ts';
import { getBlockByHash } from './eth/get-block-by-hash.ts';
import { getBlockByNumber } from './eth/get-block-by-number.ts';
import { getBlockReceipts } from './eth/get-block-receipts.ts';
import { getBlockTransactionCountByHash } from './eth/get-block-transaction-count-by-hash.ts';
import { getBlockTransactionCountByNumber } from './eth/get-block-transaction-count-by-number.ts';
import { getCode } from './eth/get-code.ts';
import { getFilterChanges } from './eth/get-filter-changes.ts';
import { getFilterLogs } from './eth/get-filter-logs.ts';
import { getLogs } from './eth/get-logs.ts';
import { getRawTransactionByBlockHashAndIndex } from './eth/get-raw-transaction-by-block-hash-and-index.ts';
import { getRawTransactionByBlockNumberAndIndex } from './eth/get-raw-transaction-by-block-number-and-index.ts';
import { getRawTransactionByHash } from './eth/get-raw-transaction-by-hash.ts';
import { getStorageAt } from './eth/get-storage-at.ts';
import { getTransactionByBlockHashAndIndex } from './eth/get-transaction-by-block-hash-and-index.ts';
import { getTransactionByBlockNumberAndIndex } from './eth/get-transaction-by-block-number-and-index.ts';
import { getTransactionByHash } from './eth/get-transaction-by-hash.ts';
import { getTransactionCount } from './eth/get-transaction-count.ts';
import { getTransactionReceipt } from './eth/get-transaction-receipt.ts';
import { getUncleByBlockHashAndIndex } from './eth/get-uncle-by-block-hash-and-index.ts';
import { getUncleByBlockNumberAndIndex } from './eth/get-uncle-by-block-number-and-index.ts';
import { getUncleCountByBlockHash } from './eth/get-uncle-count-by-block-hash.ts';
import { getUncleCountByBlockNumber } from './eth/get-uncle-count-by-block-number.ts';
import { maxPriorityFeePerGas } from './eth/max-priority-fee-per-gas.ts';
import { newBlockFilter } from './eth/new-block-filter.ts';
import { newFilter } from './eth/new-filter.ts';
import { newPendingTransactionFilter } from './eth/new-pending-transaction-filter.ts';
import { sendRawTransaction } from './eth/send-raw-transaction.ts';
import { sendRawTransactionSync } from './eth/send-raw-transaction-sync.ts';
import { subscribe } from './eth/subscribe.ts';
import { syncing } from './eth/syncing.ts';
import { uninstallFilter } from './eth/uninstall-filter.ts';
import { unsubscribe } from './eth/unsubscribe.ts';
import type { Method } from './method.ts';
import { netListening } from './net/listening.ts';
import { netPeerCount } from './net/peer-count.ts';
import { netVersion } from './net/version.ts';
import { txpoolContent } from './txpool/content.ts';
import { txpoolContentFrom } from './txpool/content-from.ts';
import { txpoolInspect } from './txpool/inspect.ts';
import { txpoolStatus } from './txpool/status.ts';
import { clientVersion } from './web3/client-version.ts';
import { sha3 } from './web3/sha3.ts';

const ALL: readonly Method[] = [
  getCommittee,
  getEvidence,
  getLayout,
  getMessages,
  getProof,
  getShardHead,
  getSupply,
  getTrace,
  accounts,
  blockNumber,
  call,
  chainId,
  coinbase,
  estimateGas,
  feeHistory,
  gasPrice,
  getBalance,
  getBlockByHash,
  getBlockByNumber,
  getBlockReceipts,
  getBlockTransactionCountByHash,
  getBlockTransactionCountByNumber,
  getCode,
  getFilterChanges,
  getFilterLogs,
  getLogs,
  getRawTransactionByBlockHashAndIndex,
  getRawTransactionByBlockNumberAndIndex,
  getRawTransactionByHash,
  getStorageAt,
  getTransactionByBlockHashAndIndex,
  getTransactionByBlockNumberAndIndex,
  getTransactionByHash,
  getTransactionCount,
  getTransactionReceipt,
  getUncleByBlockHashAndIndex,
  getUncleByBlockNumberAndIndex,
  getUncleCountByBlockHash,
  getUncleCountByBlockNumber,
  maxPriorityFeePerGas,
  newBlockFilter,
  newFilter,
  newPendingTransactionFilter,
  sendRawTransactionSync,
  sendRawTransaction,
  subscribe,
  syncing,
  uninstallFilter,
  unsubscribe,
  netListening,
  netPeerCount,
  netVersion,
  txpoolContentFrom,
  txpoolContent,
  txpoolInspect,
  txpoolStatus,
  clientVersion,
  sha3,
];

/** By name. */
export const METHODS: ReadonlyMap<string, Method> = new Map(ALL.map((method) => [method.name, method]));

/** Those whose answer may take long to make, or be long: they share the turns of long work. */
export const LONG_METHODS: ReadonlySet<string> = new Set(
  [
    getEvidence,
    getProof,
    getMessages,
    getTrace,
    feeHistory,
    getBlockByHash,
    getBlockByNumber,
    getBlockReceipts,
    getLogs,
    getFilterChanges,
    getFilterLogs,
  ]
    .concat([txpoolContent, txpoolContentFrom, txpoolInspect])
    .map((method) => method.name),
);

const NO_KEYS = 'a node holds no keys of users; sign in the wallet and send with eth_sendRawTransaction';

/** Why not, by name. */
export const REFUSED_METHODS: ReadonlyMap<string, string> = new Map([
  ['eth_getProof', 'the state is one binary Merkle tree, not a Merkle-Patricia trie; use coppice_getProof'],
  ['eth_sendTransaction', NO_KEYS],
  ['eth_sign', NO_KEYS],
  ['eth_signTransaction', NO_KEYS],
  ['eth_signTypedData', NO_KEYS],
  ['eth_signTypedData_v4', NO_KEYS],
  ['eth_blobBaseFee', 'there are no blob transactions'],
]);
