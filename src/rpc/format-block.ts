// Blocks and headers in the JSON form of Ethereum's execution-apis.
import { COINBASE_ADDRESS } from '../core/execution/system-addresses.ts';
import { EMPTY_UNCLES_HASH, EMPTY_WITHDRAWALS_ROOT, encodeHeader, ZERO_NONCE } from '../core/view/ethereum-header.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import type { ViewHeader } from '../core/view/view-header-codec.ts';
import { formatViewTransaction } from './format-transaction.ts';
import { data, type JsonObject, quantity } from './json.ts';

/** A header: what `eth_subscribe` newHeads sends. */
export function formatHeader({ header, hash }: Pick<ViewHeader, 'header' | 'hash'>): JsonObject {
  return {
    hash: data(hash),
    parentHash: data(header.parentHash),
    sha3Uncles: data(EMPTY_UNCLES_HASH),
    miner: data(COINBASE_ADDRESS),
    stateRoot: data(header.stateRoot),
    transactionsRoot: data(header.transactionsRoot),
    receiptsRoot: data(header.receiptsRoot),
    logsBloom: data(header.logsBloom),
    difficulty: '0x0',
    number: quantity(header.number),
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    timestamp: quantity(header.timestamp),
    extraData: '0x',
    mixHash: data(header.prevRandao),
    nonce: data(ZERO_NONCE),
    baseFeePerGas: quantity(header.baseFeePerGasWei),
    withdrawalsRoot: data(EMPTY_WITHDRAWALS_ROOT),
    blobGasUsed: '0x0',
    excessBlobGas: '0x0',
    parentBeaconBlockRoot: data(header.parentBeaconBlockRoot),
  };
}

/** A block with the hashes of its transactions, or with the whole transactions. */
export function formatBlock(block: ViewBlock, isHydrated: boolean): JsonObject {
  return {
    ...formatHeader(block),
    totalDifficulty: '0x0',
    size: quantity(sizeOf(block)),
    transactions: isHydrated
      ? block.transactions.map((_view, index) => formatViewTransaction(block, index))
      : block.transactions.map((view) => data(view.transaction.hash)),
    uncles: [],
    withdrawals: [],
  };
}

// Length of RLP([header, transactions, uncles, withdrawals]); typed transactions stand in it as byte strings (EIP-2718).
function sizeOf(block: ViewBlock): number {
  let transactions = 0;
  for (const view of block.transactions) {
    const { raw } = view.transaction;
    transactions += isLegacy(raw) ? raw.length : withPrefix(raw.length);
  }
  return withPrefix(encodeHeader(block.header).length + withPrefix(transactions) + 2);
}

function isLegacy(raw: Uint8Array): boolean {
  return (raw[0] as number) >= 0xc0;
}

// Length with the RLP prefix of a string or list of that many bytes.
function withPrefix(length: number): number {
  if (length < 56) return length + 1;
  return length + 1 + Math.ceil((32 - Math.clz32(length)) / 8);
}
