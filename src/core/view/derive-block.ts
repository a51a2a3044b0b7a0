// From an anchor and the executions that it makes final to a block of the one chain that clients see (protocol, section 7). Pure: every node that serves
// RPC derives the same header, so `eth_getBlockBy…` answers hash and check as Ethereum's do.
import { bytesToHex, ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { Anchor } from './anchor.ts';
import { BLOOM_BYTES, bloomOfLogs, joinBloom } from './bloom.ts';
import { type EthereumHeader, hashOfHeader } from './ethereum-header.ts';
import { orderedListRoot } from './merkle-patricia.ts';
import { BARE_RECEIPT_BYTES_MAX, encodeReceipt, typeOf } from './receipt.ts';
import type { WholeExecution } from './shown-execution.ts';
import type { ViewBlock, ViewMessage, ViewReceipt, ViewTransaction } from './view-block.ts';

/** Of the anchor what the block's header is made of. */
export type HeaderAnchor = Pick<Anchor, 'number' | 'hash' | 'timestampMs' | 'prevRandao' | 'worldRoot' | 'baseFeePerGasWei'>;

/** What a view block takes from the one before it. Undefined for genesis, number 0. */
export type ParentView = { readonly hash: Bytes32; readonly header: { readonly timestamp: number } };

/** See the file's head. `executions` are in the order of (crosslink, shard height); then comes what was held back until now, in the order of its pointers. */
export function deriveViewBlock(
  anchor: HeaderAnchor,
  parentView: ParentView | undefined,
  executions: readonly WholeExecution[],
  parameters: Pick<NetworkParameters, 'transactionGasLimitMax'>,
): ViewBlock {
  const { transactions, receipts, messages } = joinExecutions(executions);
  const roots = rootsOf(transactions, receipts);
  const gasUsed = receipts.at(-1)?.cumulativeGasUsed ?? 0;
  const header: EthereumHeader = {
    parentHash: parentView?.hash ?? ZERO_32,
    stateRoot: anchor.worldRoot,
    ...roots,
    number: anchor.number,
    // Wallets cap what they pad an estimate to by this number, so it is the most that a transaction may buy.
    gasLimit: Math.max(parameters.transactionGasLimitMax, gasUsed),
    gasUsed,
    timestamp: Math.max(Math.floor(anchor.timestampMs / 1000), parentView?.header.timestamp ?? 0),
    prevRandao: anchor.prevRandao,
    baseFeePerGasWei: anchor.baseFeePerGasWei,
    parentBeaconBlockRoot: anchor.hash,
  };
  const hash = hashOfHeader(header);
  return { header, hash, hashHex: bytesToHex(hash), timestampMs: anchor.timestampMs, transactions, receipts, messages };
}

/** All that a block shows in one list: each receipt and message counts on from what came before it. */
export function joinExecutions(executions: readonly WholeExecution[]): WholeExecution {
  const [first] = executions;
  if (first === undefined) return { transactions: [], receipts: [], messages: [] };
  if (executions.length === 1) return first;
  const transactions: ViewTransaction[] = [];
  const receipts: ViewReceipt[] = [];
  const messages: ViewMessage[] = [];
  for (const execution of executions) {
    const before = transactions.length;
    for (const view of execution.transactions) transactions.push(view);
    pushReceipts(receipts, execution.receipts);
    for (const message of execution.messages) {
      const { transactionIndex } = message;
      messages.push(transactionIndex === undefined ? message : { ...message, transactionIndex: before + transactionIndex });
    }
  }
  return { transactions, receipts, messages };
}

function pushReceipts(receipts: ViewReceipt[], more: readonly ViewReceipt[]): void {
  const last = receipts.at(-1);
  const gasBefore = last?.cumulativeGasUsed ?? 0;
  const logsBefore = last === undefined ? 0 : last.firstLogIndex + last.logs.length;
  for (const receipt of more) {
    const { cumulativeGasUsed, firstLogIndex } = receipt;
    receipts.push({ ...receipt, cumulativeGasUsed: gasBefore + cumulativeGasUsed, firstLogIndex: logsBefore + firstLogIndex });
  }
}

function rootsOf(
  transactions: readonly ViewTransaction[],
  receipts: readonly ViewReceipt[],
): Pick<EthereumHeader, 'transactionsRoot' | 'receiptsRoot' | 'logsBloom'> {
  const logsBloom = new Uint8Array(BLOOM_BYTES);
  const room = new Uint8Array(receipts.length * BARE_RECEIPT_BYTES_MAX);
  const encodedReceipts = receipts.map((receipt, index) => {
    const bloom = bloomOfLogs(receipt.logs);
    joinBloom(logsBloom, bloom);
    const roomOfOne = room.subarray(index * BARE_RECEIPT_BYTES_MAX, (index + 1) * BARE_RECEIPT_BYTES_MAX);
    return encodeReceipt(typeOf(transactions[index] as ViewTransaction), receipt, bloom, roomOfOne);
  });
  return {
    transactionsRoot: orderedListRoot(transactions.map((view) => view.transaction.raw)),
    receiptsRoot: orderedListRoot(encodedReceipts),
    logsBloom,
  };
}
