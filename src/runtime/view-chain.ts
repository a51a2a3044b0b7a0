// The view blocks of this node (protocol, section 7): reading them, and the states of the world after them. They are made as the beacon makes executions
// final (view-maker.ts); the newest is what clients know as `latest`, `safe` and `finalized`.
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Address, Bytes32, ChainId, Height } from '../core/primitives/ids.ts';
import type { StateVersion } from '../core/state/state-version.ts';
import type { ShardHeight } from '../core/view/anchor.ts';
import { joinExecutions } from '../core/view/derive-block.ts';
import { decodeChargedTransaction, decodeExecution } from '../core/view/execution-codec.ts';
import { type ChargedTransaction, heldWithCharge, type ShownExecution, withCharges } from '../core/view/shown-execution.ts';
import { decodeSupplyTotals, type SupplyTotals } from '../core/view/supply.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import { decodeViewHeader, type ViewHeader } from '../core/view/view-header-codec.ts';
import { WorldState } from '../core/view/world-state.ts';
import type { TransactionPlace, ViewStore } from '../storage/view-store.ts';

/**
 * Decoded view blocks kept in memory, and transactions in them (about 2 KB each with receipt and message) beyond the newest block: what
 * explorers and wallets ask for is nearly always among the newest.
 */
const RECENT_BLOCKS_MAX = 128;
const RECENT_TRANSACTIONS_MAX = 8_192;
/** Worlds of the newest blocks kept at hand. */
const RECENT_WORLDS_MAX = 16;

/** A view block with the state of the world after it. */
export interface ViewTip {
  readonly block: ViewBlock;
  readonly world: WorldState;
}

/** What reading view blocks stands on. */
export interface ViewChainDependencies {
  readonly viewStore: ViewStore;
  /** The version of a shard's state at a height; undefined where it is pruned. */
  readonly stateAt: (shard: ChainId, height: Height) => StateVersion | undefined;
  readonly evmChainId: number;
}

/** Withdraws a listener. */
type Cancel = () => void;

/** See the file's head. */
export class ViewChain {
  readonly #dependencies: ViewChainDependencies;
  readonly #recent = new Map<number, ViewBlock>();
  #recentTransactions = 0;
  readonly #recentWorlds = new Map<number, WorldState>();
  readonly #listeners = new Set<(block: ViewBlock) => void>();
  #head: ViewTip;

  private constructor(dependencies: ViewChainDependencies, head: ViewTip) {
    this.#dependencies = dependencies;
    this.#head = head;
    this.#remember(head);
  }

  /** The view blocks that are on disk; there is one at least. */
  static open(dependencies: ViewChainDependencies): ViewChain {
    const number = dependencies.viewStore.getHead();
    invariant(number !== undefined, 'view block 0 is written with genesis');
    const block = readBlock(dependencies, number);
    const world = worldAt(dependencies, number);
    invariant(block !== undefined && world !== undefined, `view block ${number} is stored whole, and its states are kept`);
    return new ViewChain(dependencies, { block, world });
  }

  /** The newest block. */
  get head(): ViewTip {
    return this.#head;
  }

  /** A block is written. */
  extend(tip: ViewTip): void {
    invariant(tip.block.header.number === this.#head.block.header.number + 1, 'view blocks follow each other');
    this.#head = tip;
    this.#remember(tip);
    for (const listener of this.#listeners) listener(tip.block);
  }

  /** The root of a shard's state at a height; undefined where that is not here. */
  stateRootAt(shard: ChainId, height: Height): Bytes32 | undefined {
    return this.#dependencies.stateAt(shard, height)?.root;
  }

  /** The world that a view block's header speaks of, from versions that are here; undefined where one is pruned. */
  worldOf(heights: readonly ShardHeight[]): WorldState | undefined {
    return worldOf(this.#dependencies, heights);
  }

  /** Told of each new block. */
  onHead(listener: (block: ViewBlock) => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A block; undefined above the head. */
  blockByNumber(number: number): ViewBlock | undefined {
    if (!this.#isKnown(number)) return undefined;
    const recent = this.#recent.get(number);
    if (recent !== undefined) return recent;
    const block = readBlock(this.#dependencies, number);
    if (block !== undefined) this.#rememberBlock(block);
    return block;
  }

  /** As `blockByNumber`, without reading transactions. */
  headerByNumber(number: number): ViewHeader | undefined {
    if (!this.#isKnown(number)) return undefined;
    const recent = this.#recent.get(number);
    if (recent !== undefined) return recent;
    const header = this.#dependencies.viewStore.getHeader(number);
    return header === undefined ? undefined : decodeViewHeader(header);
  }

  /** A block by its Ethereum hash. */
  blockByHash(hash: Bytes32): ViewBlock | undefined {
    const number = this.#dependencies.viewStore.getNumberByHash(hash);
    return number === undefined ? undefined : this.blockByNumber(number);
  }

  /** Where a transaction is shown. */
  transactionPlace(hash: Bytes32): TransactionPlace | undefined {
    const place = this.#dependencies.viewStore.getTransactionPlace(hash);
    return place !== undefined && this.#isKnown(place.number) ? place : undefined;
  }

  /** Numbers of blocks with messages of a transaction that is shown in another, ascending. */
  async messagePlaces(hash: Bytes32): Promise<readonly number[]> {
    return (await this.#dependencies.viewStore.readMessagePlaces(hash)).filter((number) => this.#isKnown(number));
  }

  /**
   * The lowest nonce of a sender's transactions that were charged and not mined after a block. Of those that travel now `lowestNow` is the lowest, as
   * it was when the question came. A sender is charged in the order of nonces, so the lowest never falls; and before the first transaction that this
   * gives was charged, its nonce is not below the account's: whoever takes the lesser of both is right in either case.
   */
  async lowestUnminedNonce(sender: Address, number: number, lowestNow: bigint | undefined): Promise<bigint | undefined> {
    if (number === this.#head.block.header.number) return lowestNow;
    return (await this.#dependencies.viewStore.readMinedLate(sender, number)) ?? lowestNow;
  }

  /** Where all money is after a block. */
  supplyTotalsAt(number: number): SupplyTotals | undefined {
    const totals = this.#isKnown(number) ? this.#dependencies.viewStore.getSupplyTotals(number) : undefined;
    return totals === undefined ? undefined : decodeSupplyTotals(totals);
  }

  /** The state of the world after a block; undefined where it is pruned. */
  worldAt(number: number): WorldState | undefined {
    if (!this.#isKnown(number)) return undefined;
    return this.#recentWorlds.get(number) ?? worldAt(this.#dependencies, number);
  }

  #isKnown(number: number): boolean {
    return number >= 0 && number <= this.#head.block.header.number;
  }

  #remember({ block, world }: ViewTip): void {
    this.#rememberBlock(block);
    this.#recentWorlds.set(block.header.number, world);
    for (const oldest of this.#recentWorlds.keys()) {
      if (this.#recentWorlds.size <= RECENT_WORLDS_MAX) break;
      this.#recentWorlds.delete(oldest);
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

function readBlock(dependencies: ViewChainDependencies, number: number): ViewBlock | undefined {
  const row = dependencies.viewStore.getHeader(number);
  if (row === undefined) return undefined;
  const { executions, late, heights: _heights, ...header } = decodeViewHeader(row);
  const chargedFor = (hash: Bytes32): ChargedTransaction => chargeOf(dependencies, hash);
  const shown = executions.map(({ shard, height }) => withCharges(readExecution(dependencies, shard, height), chargedFor));
  const held = late.map(({ shard, height, index }) => {
    const found = readExecution(dependencies, shard, height).held[index];
    invariant(found !== undefined, `what view block ${number} shows late is stored`);
    return heldWithCharge(found, chargedFor);
  });
  return { ...header, ...joinExecutions([...shown, ...held]) };
}

/** What a transaction was charged whose main call left its shard. */
export function chargeOf(
  { viewStore, evmChainId }: Pick<ViewChainDependencies, 'viewStore' | 'evmChainId'>,
  transactionHash: Bytes32,
): ChargedTransaction {
  const stored = viewStore.getCharged(transactionHash);
  invariant(stored !== undefined, 'what charged a transaction is final before its main call, and on disk');
  return decodeChargedTransaction(stored, evmChainId);
}

function readExecution({ viewStore, evmChainId }: ViewChainDependencies, shard: ChainId, height: Height): ShownExecution {
  const stored = viewStore.getExecution(shard, height);
  invariant(stored !== undefined, `what is shown of shard ${shard} at height ${height} is stored`);
  return decodeExecution(stored, evmChainId);
}

function worldAt(dependencies: ViewChainDependencies, number: number): WorldState | undefined {
  const row = dependencies.viewStore.getHeader(number);
  if (row === undefined) return undefined;
  const { heights, header } = decodeViewHeader(row);
  const world = worldOf(dependencies, heights);
  invariant(world === undefined || bytesEqual(world.root, header.stateRoot), `the states of view block ${number} are those that it names`);
  return world;
}

function worldOf({ stateAt }: ViewChainDependencies, heights: readonly ShardHeight[]): WorldState | undefined {
  const versions = new Map<ChainId, StateVersion>();
  for (const { shard, height } of heights) {
    const version = stateAt(shard, height);
    if (version === undefined) return undefined;
    versions.set(shard, version);
  }
  return new WorldState(versions);
}
