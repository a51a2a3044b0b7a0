// From an anchor and the shard blocks whose execution it anchors to a block of the one chain that clients see (protocol, section 7).
// Pure: every node that serves RPC derives the same header, so `eth_getBlockBy…` answers hash and check as Ethereum's do.
//
// Until there is a beacon, view block N is shard block N, anchored by the CC of header N + 1, which commits its execution.
import type { SenderPart } from '../execution/executed-block.ts';
import { bytesToHex, ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Height, Hex, TimestampMs, Wei } from '../primitives/ids.ts';
import type { Message, MessageResult } from '../protocol/message.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import { BLOOM_BYTES, bloomOfLogs, joinBloom } from './bloom.ts';
import { type EthereumHeader, hashOfHeader } from './ethereum-header.ts';
import { orderedListRoot } from './merkle-patricia.ts';
import { type AnchoredExecution, isShown, messagesInOrder } from './order.ts';
import { encodeReceipt, typeOf } from './receipt.ts';
import { systemTransactionOf } from './system-transaction.ts';
import type { ViewBlock, ViewMessage, ViewReceipt, ViewTransaction } from './view-block.ts';

/** What makes executions final, and what a view block takes from it. */
export interface Anchor {
  /** Beacon height; until there is a beacon, the shard block's. */
  readonly number: Height;
  /** Shown as `parentBeaconBlockRoot`. */
  readonly hash: Bytes32;
  readonly timestampMs: TimestampMs;
  readonly prevRandao: Bytes32;
  /** Shown as `stateRoot`: the root of all state after the anchored executions. */
  readonly worldRoot: Bytes32;
  /** What the anchored transactions paid as base fee: the highest shard's. */
  readonly baseFeePerGasWei: Wei;
}

/** What a view block takes from the one before it. Undefined for genesis, number 0. */
export type ParentView = { readonly hash: Bytes32; readonly header: { readonly timestamp: number } };

/** See the file's head. */
export function deriveViewBlock(
  anchor: Anchor,
  parentView: ParentView | undefined,
  executed: readonly AnchoredExecution[],
  parameters: Pick<NetworkParameters, 'transactionGasLimitMax'>,
): ViewBlock {
  const { transactions, receipts, messages } = showItems(executed);
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

interface ShownItems {
  readonly transactions: readonly ViewTransaction[];
  readonly receipts: readonly ViewReceipt[];
  readonly messages: readonly ViewMessage[];
}

// The transactions in order, each with its receipt, and all messages with the place where each is shown.
function showItems(executed: readonly AnchoredExecution[]): ShownItems {
  const senderPartOf = senderPartFinder(executed);
  const transactions: ViewTransaction[] = [];
  const receipts: ViewReceipt[] = [];
  const messages: ViewMessage[] = [];
  let cumulativeGasUsed = 0;
  let logCount = 0;
  for (const result of messagesInOrder(executed)) {
    const senderPart = result.message.kind === 'main-call' ? senderPartOf(result.message) : undefined;
    messages.push(toViewMessage(result, isShown(result) ? transactions.length : undefined));
    if (!isShown(result)) continue;
    const gasUsed = senderPart?.transaction.gasLimit ?? 0;
    cumulativeGasUsed += gasUsed;
    transactions.push(
      senderPart === undefined
        ? { kind: 'system', transaction: systemTransactionOf(result.message) }
        : { kind: 'account', transaction: senderPart.transaction },
    );
    receipts.push({
      succeeded: result.outcome === 'success',
      gasUsed,
      cumulativeGasUsed,
      effectiveGasPriceWei: senderPart?.effectiveGasPriceWei ?? 0n,
      contractAddress: result.createdAddress,
      logs: result.logs,
      firstLogIndex: logCount,
    });
    logCount += result.logs.length;
  }
  return { transactions, receipts, messages };
}

// Finds the sender part of a main call. Main calls come in the order of the sender parts, but for those that were forwarded: only they
// are looked up by hash.
function senderPartFinder(executed: readonly AnchoredExecution[]): (message: Message) => SenderPart {
  const inOrder = executed.flatMap((block) => block.result.senderParts);
  let place = 0;
  let byHash: ReadonlyMap<Hex, SenderPart> | undefined;
  return ({ originTransactionHash }) => {
    const next = inOrder[place];
    if (next !== undefined && next.transaction.hash === originTransactionHash) {
      place += 1;
      return next;
    }
    byHash ??= new Map(inOrder.map((part) => [part.transaction.hashHex, part]));
    const found = byHash.get(bytesToHex(originTransactionHash));
    invariant(found !== undefined, 'the sender part of a main call is anchored before it or with it');
    return found;
  };
}

function rootsOf(
  transactions: readonly ViewTransaction[],
  receipts: readonly ViewReceipt[],
): Pick<EthereumHeader, 'transactionsRoot' | 'receiptsRoot' | 'logsBloom'> {
  const logsBloom = new Uint8Array(BLOOM_BYTES);
  const encodedReceipts = receipts.map((receipt, index) => {
    const bloom = bloomOfLogs(receipt.logs);
    joinBloom(logsBloom, bloom);
    return encodeReceipt(typeOf(transactions[index] as ViewTransaction), receipt, bloom);
  });
  return {
    transactionsRoot: orderedListRoot(transactions.map((view) => view.transaction.raw)),
    receiptsRoot: orderedListRoot(encodedReceipts),
    logsBloom,
  };
}

function toViewMessage(result: MessageResult, transactionIndex: number | undefined): ViewMessage {
  const { message } = result;
  return {
    id: message.id,
    kind: message.kind,
    outcome: result.outcome,
    originTransactionHash: message.originTransactionHash,
    emitterId: message.emitterId,
    sender: message.sender,
    senderFamily: message.senderFamily,
    target: message.target,
    targetFamily: message.targetFamily,
    valueWei: message.valueWei,
    gasLimit: message.gasLimit,
    executionGasUsed: result.executionGasUsed,
    hop: message.hop,
    wave: result.wave,
    transactionIndex,
  };
}
