// The view blocks of this node: which are visible to clients, and reading old ones. View block N is on disk with shard block N, and
// visible once block N + 1, whose header commits N's execution, is on disk too (protocol, section 7).
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, Hex } from '../core/primitives/ids.ts';
import type { StateDatabase, StateVersion } from '../core/state/state-version.ts';
import { decodeSupplyTotals, type SupplyTotals } from '../core/view/supply.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import { decodeViewBlock, decodeViewHeader, type ViewHeader } from '../core/view/view-block-codec.ts';
import type { TransactionPlace, ViewStore } from '../storage/view-store.ts';

/**
 * Decoded view blocks kept in memory, and transactions in them (about 2 KB each with receipt and message) beyond the newest block: what
 * explorers and wallets ask for is nearly always among the newest.
 */
const RECENT_BLOCKS_MAX = 128;
const RECENT_TRANSACTIONS_MAX = 8_192;
/** States of the newest blocks kept at hand. */
const RECENT_STATES_MAX = 16;

/** A view block with the state after it. */
export interface ViewTip {
  readonly block: ViewBlock;
  readonly state: StateVersion;
}

/** Withdraws a listener. */
type Cancel = () => void;

/** See the file's head. */
export class ViewChain {
  readonly #viewStore: ViewStore;
  readonly #states: StateDatabase;
  readonly #evmChainId: number;
  readonly #recent = new Map<number, ViewBlock>();
  #recentTransactions = 0;
  readonly #recentStates = new Map<number, StateVersion>();
  readonly #listeners = new Set<(block: ViewBlock) => void>();
  #visible: ViewTip;
  #newest: ViewTip;

  /** `visible` and `newest` are the same at genesis, else neighbours. */
  constructor(viewStore: ViewStore, states: StateDatabase, evmChainId: number, visible: ViewTip, newest: ViewTip) {
    this.#viewStore = viewStore;
    this.#states = states;
    this.#evmChainId = evmChainId;
    this.#visible = visible;
    this.#newest = newest;
    this.#remember(visible);
    this.#remember(newest);
  }

  /** The newest block that clients see: `latest`, `safe` and `finalized`. */
  get head(): ViewTip {
    return this.#visible;
  }

  /** The block of the newest committed shard block; not visible yet. */
  get newest(): ViewTip {
    return this.#newest;
  }

  /** A block is on disk: the one before becomes visible. */
  extend(tip: ViewTip): void {
    invariant(tip.block.header.number === this.#newest.block.header.number + 1, 'view blocks follow each other');
    const before = this.#visible.block.header.number;
    this.#visible = this.#newest;
    this.#newest = tip;
    this.#remember(tip);
    if (this.#visible.block.header.number > before) for (const listener of this.#listeners) listener(this.#visible.block);
  }

  /** Told of each block when it becomes visible. */
  onHead(listener: (block: ViewBlock) => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A visible block; undefined above the head and where it is pruned. */
  blockByNumber(number: number): ViewBlock | undefined {
    if (number > this.head.block.header.number || number < 0) return undefined;
    const recent = this.#recent.get(number);
    if (recent !== undefined) return recent;
    const header = this.#viewStore.getHeader(number);
    const transactions = this.#viewStore.getTransactions(number);
    const receipts = this.#viewStore.getReceipts(number);
    if (header === undefined || transactions === undefined || receipts === undefined) return undefined;
    const block = decodeViewBlock({ header, transactions, receipts }, this.#evmChainId);
    this.#rememberBlock(block);
    return block;
  }

  /** As `blockByNumber`, without reading transactions. */
  headerByNumber(number: number): ViewHeader | undefined {
    if (number > this.head.block.header.number || number < 0) return undefined;
    const recent = this.#recent.get(number);
    if (recent !== undefined) return recent;
    const header = this.#viewStore.getHeader(number);
    return header === undefined ? undefined : decodeViewHeader(header);
  }

  /** A visible block by its Ethereum hash. */
  blockByHash(hash: Bytes32): ViewBlock | undefined {
    const number = this.#viewStore.getNumberByHash(hash);
    return number === undefined ? undefined : this.blockByNumber(number);
  }

  /** Where a transaction of a visible block stands. */
  transactionPlace(hash: Bytes32): TransactionPlace | undefined {
    const place = this.#viewStore.getTransactionPlace(hash);
    return place !== undefined && place.number <= this.head.block.header.number ? place : undefined;
  }

  /** Sums of fees since genesis after a visible block; undefined in a database that was begun before they were kept. */
  supplyTotalsAt(number: number): SupplyTotals | undefined {
    const totals = number > this.head.block.header.number ? undefined : this.#viewStore.getSupplyTotals(number);
    return totals === undefined ? undefined : decodeSupplyTotals(totals);
  }

  /** A transaction that is committed and not visible yet: still pending to clients. */
  hiddenTransaction(hash: Hex): ViewBlock['transactions'][number] | undefined {
    if (this.#newest === this.#visible) return undefined;
    return this.#newest.block.transactions.find(({ transaction }) => transaction.hashHex === hash);
  }

  /** The state after a visible block; undefined where it is pruned. */
  stateAt(number: number): StateVersion | undefined {
    if (number > this.head.block.header.number) return undefined;
    return this.#recentStates.get(number) ?? this.#states.at(number);
  }

  #remember({ block, state }: ViewTip): void {
    this.#rememberBlock(block);
    this.#recentStates.set(block.header.number, state);
    for (const oldest of this.#recentStates.keys()) {
      if (this.#recentStates.size <= RECENT_STATES_MAX) break;
      this.#recentStates.delete(oldest);
    }
  }

  #rememberBlock(block: ViewBlock): void {
    this.#forgetBlock(block.header.number);
    this.#recent.set(block.header.number, block);
    this.#recentTransactions += block.transactions.length;
    for (const oldest of this.#recent.keys()) {
      const isWithin = this.#recent.size <= RECENT_BLOCKS_MAX && this.#recentTransactions <= RECENT_TRANSACTIONS_MAX;
      if (isWithin || this.#recent.size === 1) break;
      this.#forgetBlock(oldest);
    }
  }

  #forgetBlock(number: number): void {
    this.#recentTransactions -= this.#recent.get(number)?.transactions.length ?? 0;
    this.#recent.delete(number);
  }
}
