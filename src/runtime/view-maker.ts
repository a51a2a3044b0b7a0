// Makes view blocks (protocol, section 7): each stands for a beacon block, and shows the executions that it made final. What is shown of an execution is
// written with its shard's block, and what the beacon says with the beacon block; a view block is made when both are on disk, which a restart takes up
// where it was. So its own rows need no sync: they follow from others.
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, ChainId, Height, Hex, Wei } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import { type Anchor, anchorOf, decodeAnchor, encodeAnchor, type ShardHeight } from '../core/view/anchor.ts';
import { deriveViewBlock } from '../core/view/derive-block.ts';
import { decodeExecution, encodeChargedTransaction, encodeExecution } from '../core/view/execution-codec.ts';
import {
  type ChargedTransaction,
  departedTransactions,
  type ExecutionToShow,
  type HeldTransaction,
  heldWithCharge,
  isNothingShown,
  type ShownExecution,
  type ShownTransaction,
  showExecution,
  withCharges,
} from '../core/view/shown-execution.ts';
import { decodeSupplyTotals, encodeSupplyTotals, supplyTotalsAfter } from '../core/view/supply.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import { encodeViewHeader } from '../core/view/view-header-codec.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import type { AwaitedPointersRow, ViewStore } from '../storage/view-store.ts';
import type { ExecutedBeaconOutcome } from './beacon-logic.ts';
import type { InFlight } from './in-flight.ts';
import { chargeOf, type ViewChain } from './view-chain.ts';

/** Executions kept decoded until they are final; what is older is read back. */
const RECENT_EXECUTIONS_MAX = 256;

/** What making view blocks stands on. */
export interface ViewMakerDependencies {
  readonly store: KeyValueStore;
  readonly viewStore: ViewStore;
  readonly view: ViewChain;
  readonly inFlight: InFlight;
  readonly parameters: Pick<NetworkParameters, 'evmChainId' | 'transactionGasLimitMax'>;
  readonly genesisStakeWei: Wei;
  /** The newest height of a shard that is on disk. */
  readonly committedHeight: (shard: ChainId) => Height;
  /** Whether this node has committed the block with this hash. */
  readonly hasCommitted: (hash: Bytes32) => boolean;
  /** Rows cannot be written, or contradict each other: the node must stop. */
  readonly onFault: (fault: unknown) => void;
}

/** See the file's head. */
export class ViewMaker {
  readonly #dependencies: ViewMakerDependencies;
  readonly #recent = new Map<string, ShownExecution>();
  #making: Promise<void> = Promise.resolve();
  #isMaking = false;
  #hasNews = false;
  #stopped = false;

  constructor(dependencies: ViewMakerDependencies) {
    this.#dependencies = dependencies;
  }

  /** What a shard's block writes for the view, with its other rows. */
  rowsOfExecution(shard: ChainId, height: Height, result: ExecutionToShow): readonly RowOperation[] {
    const { viewStore, inFlight } = this.#dependencies;
    const shown = showExecution(result);
    for (const { transaction } of result.senderParts) inFlight.add(transaction);
    const charges = departedTransactions(result);
    for (const transaction of [...charges.map(({ transaction }) => transaction), ...heldOf(shown)]) inFlight.travels(transaction);
    const departed = charges.flatMap((charged) => viewStore.putCharged(charged.transaction.hash, encodeChargedTransaction(charged)));
    if (isNothingShown(shown)) return departed;
    this.#recent.set(nameOf(shard, height), shown);
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= RECENT_EXECUTIONS_MAX) break;
      this.#recent.delete(oldest);
    }
    return [...viewStore.putExecution(shard, height, encodeExecution(shown)), ...departed];
  }

  /** What a beacon block writes for the view, with its other rows. */
  rowsOfBeacon({ hash, seed, state, applied }: ExecutedBeaconOutcome): readonly RowOperation[] {
    const { viewStore, genesisStakeWei } = this.#dependencies;
    const anchor = anchorOf({ hash, seed }, state, applied.anchoredExecutions, genesisStakeWei);
    return viewStore.putAnchor(anchor.number, encodeAnchor(anchor));
  }

  /** A shard's executions above a height are void, and their rows gone; so are the charges of these transactions. */
  voided(shard: ChainId, height: Height, transactions: readonly Transaction[]): void {
    for (const name of this.#recent.keys()) {
      const [shardName, heightName] = name.split('/');
      if (Number(shardName) === shard && Number(heightName) > height) this.#recent.delete(name);
    }
    for (const { hashHex } of transactions) this.#dependencies.inFlight.remove(hashHex);
  }

  /** A block of a shard or of the beacon is on disk: makes what can be made. */
  advance(): void {
    this.#hasNews = true;
    if (this.#isMaking || this.#stopped) return;
    this.#isMaking = true;
    this.#making = this.#makeAll()
      .catch((fault: unknown) => {
        this.#stopped = true; // Another try would meet the same fault, and never leave the event loop to those who stop the node.
        this.#dependencies.onFault(fault);
      })
      .finally(() => {
        this.#isMaking = false;
        if (this.#hasNews) this.advance();
      });
  }

  /** Ends after the block that is being written. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#making;
  }

  /**
   * When a node starts: finds the transactions on their way again, and makes the blocks that a crash took. Clients were shown them, so they are there
   * before anybody can ask.
   */
  async restore(): Promise<void> {
    const { viewStore, view, inFlight, committedHeight } = this.#dependencies;
    const travels = (transaction: Transaction): void => {
      inFlight.add(transaction);
      inFlight.travels(transaction);
    };
    for (const hash of await viewStore.readUnderWay()) travels(this.#chargedFor(hash).transaction);
    for (const place of await viewStore.readAwaited()) accountTransactions([this.#heldAt(place).transaction]).forEach(travels);
    for (const [shard, { height }] of view.head.world.versions)
      for (const { execution } of this.#shownOf(shard, height + 1, committedHeight(shard))) {
        for (const transaction of accountTransactions(execution.transactions)) inFlight.add(transaction);
        heldOf(execution).forEach(travels);
      }
    this.#hasNews = true;
    await this.#makeAll();
  }

  async #makeAll(): Promise<void> {
    const { view, viewStore } = this.#dependencies;
    while (this.#hasNews && !this.#stopped) {
      const row = viewStore.getAnchor(view.head.block.header.number + 1);
      const anchor = row === undefined ? undefined : decodeAnchor(row);
      if (anchor !== undefined && this.#isExecuted(anchor)) await this.#make(anchor);
      else this.#hasNews = false;
    }
  }

  // A height is not enough: what this node has committed there may be of the losing side of a fork, or void by a takeover, and about to go.
  #isExecuted({ executions, states }: Anchor): boolean {
    const { view, hasCommitted } = this.#dependencies;
    const isThere = ({ shard, height, stateRoot }: Anchor['states'][number]): boolean => {
      const root = view.stateRootAt(shard, height);
      return root !== undefined && bytesEqual(root, stateRoot);
    };
    return executions.every(({ lastHash }) => hasCommitted(lastHash)) && states.every(isThere);
  }

  async #make(anchor: Anchor): Promise<void> {
    const { store, viewStore, view, inFlight, parameters } = this.#dependencies;
    const before = view.head.block;
    const shown = anchor.executions.flatMap(({ shard, fromHeight, toHeight }) => this.#shownOf(shard, fromHeight, toHeight));
    const executions = shown.map(({ execution }) => execution);
    const pointers = this.#followPointers(shown);
    const late = pointers.complete.map((place) => this.#heldAt(place));
    const chargedFor = (hash: Bytes32): ChargedTransaction => this.#chargedFor(hash);
    const whole = [
      ...executions.map((execution) => withCharges(execution, chargedFor)),
      ...late.map((held) => heldWithCharge(held, chargedFor)),
    ];
    const block = deriveViewBlock(anchor, before, whole, parameters);
    const totalsBefore = viewStore.getSupplyTotals(before.header.number);
    invariant(totalsBefore !== undefined, 'the sums after each block are stored with it');
    const totals = supplyTotalsAfter(
      decodeSupplyTotals(totalsBefore),
      anchor,
      executions.map(({ sums }) => sums),
    );
    const world = view.worldOf(anchor.states);
    invariant(world !== undefined && bytesEqual(world.root, anchor.worldRoot), 'the states here are those that the beacon anchored');
    const mined = accountTransactions(block.transactions);
    await store.write(
      [
        ...viewStore.putBlock({
          number: anchor.number,
          hash: block.hash,
          header: encodeViewHeader(block, {
            executions: shown.map(({ place }) => place),
            late: pointers.complete.map(({ shard, height, index }) => ({ shard, height, index })),
            heights: anchor.states,
          }),
          totals: encodeSupplyTotals(totals),
          transactionHashes: block.transactions.map(({ transaction }) => transaction.hash),
          originsElsewhere: originsElsewhere(block),
        }),
        ...viewStore.dropAnchor(anchor.number),
        ...arrivedIn(executions, late).flatMap((hash) => viewStore.arrived(hash)),
        ...pointers.operations,
        ...inFlight.lowestAmong(mined).flatMap(({ sender, nonce }) => viewStore.putMinedLate(sender, anchor.number, nonce)),
      ],
      { sync: false },
    );
    for (const { hashHex } of mined) inFlight.remove(hashHex);
    for (const { place } of shown) this.#recent.delete(nameOf(place.shard, place.height));
    view.extend({ block, world });
  }

  #shownOf(shard: ChainId, from: Height, to: Height): ShownPlace[] {
    const { viewStore, parameters } = this.#dependencies;
    const shown: ShownPlace[] = [];
    for (let height = from; height <= to; height++) {
      const place = { shard, height };
      const recent = this.#recent.get(nameOf(shard, height));
      const stored = recent === undefined ? viewStore.getExecution(shard, height) : undefined;
      if (recent !== undefined) shown.push({ place, execution: recent });
      else if (stored !== undefined) shown.push({ place, execution: decodeExecution(stored, parameters.evmChainId) });
    }
    return shown;
  }

  // A main call that is held back waits for each of its pointers.
  #followPointers(shown: readonly ShownPlace[]): PointerNews {
    const { viewStore } = this.#dependencies;
    const waiting = new Map<Hex, { readonly mainCallId: Bytes32; readonly awaited: AwaitedPointersRow }>();
    const complete: AwaitedPointersRow[] = [];
    for (const { place, execution } of shown) {
      for (const [index, { mainCallId, pointerCount }] of execution.held.entries())
        waiting.set(bytesToHex(mainCallId), { mainCallId, awaited: { ...place, index, count: pointerCount } });
      for (const mainCallId of execution.pointed) {
        const name = bytesToHex(mainCallId);
        const awaited = waiting.get(name)?.awaited ?? viewStore.getAwaited(mainCallId);
        // For what a later call created nobody waits.
        if (awaited === undefined) continue;
        invariant(awaited.count > 0, 'each pointer is written once');
        const left = { ...awaited, count: awaited.count - 1 };
        waiting.set(name, { mainCallId, awaited: left });
        if (left.count === 0) complete.push(left);
      }
    }
    return { complete, operations: [...waiting.values()].flatMap(({ mainCallId, awaited }) => viewStore.putAwaited(mainCallId, awaited)) };
  }

  #chargedFor(transactionHash: Bytes32): ChargedTransaction {
    const { viewStore, parameters } = this.#dependencies;
    return chargeOf({ viewStore, evmChainId: parameters.evmChainId }, transactionHash);
  }

  #heldAt({ shard, height, index }: Pick<AwaitedPointersRow, 'shard' | 'height' | 'index'>): HeldTransaction {
    const held = this.#shownOf(shard, height, height)[0]?.execution.held[index];
    invariant(held !== undefined, 'what waits for pointers is held with the execution in which it ran');
    return held;
  }
}

/** An execution and where it is stored. */
interface ShownPlace {
  readonly place: ShardHeight;
  readonly execution: ShownExecution;
}

/** What a view block changes about who waits for pointers. */
interface PointerNews {
  /** Their last pointer is written here. */
  readonly complete: readonly AwaitedPointersRow[];
  readonly operations: readonly RowOperation[];
}

// But for those of the system.
function accountTransactions(shown: readonly ShownTransaction[]): readonly Transaction[] {
  return shown.flatMap((each) => (each.kind === 'account' ? [each.transaction] : []));
}

// Those that wait for pointers in other shards, and were charged here.
function heldOf({ held }: ShownExecution): readonly Transaction[] {
  return accountTransactions(held.map(({ transaction }) => transaction));
}

// Hashes of what was charged in another shard and is shown now.
function arrivedIn(executions: readonly ShownExecution[], late: readonly HeldTransaction[]): readonly Bytes32[] {
  const shown = [...executions.flatMap(({ transactions }) => transactions), ...late.map(({ transaction }) => transaction)];
  return shown.flatMap((each) => (each.kind === 'elsewhere' ? [each.transactionHash] : []));
}

// Transactions that have messages here and are shown in another block.
function originsElsewhere({ transactions, messages }: ViewBlock): readonly Bytes32[] {
  const origins = new Map<Hex, Bytes32>();
  for (const { originTransactionHash, transactionIndex } of messages) {
    // Most messages are shown as the transaction that they are of.
    const shown = transactionIndex === undefined ? undefined : transactions[transactionIndex];
    if (shown?.kind === 'account' && shown.transaction.hash === originTransactionHash) continue;
    origins.set(bytesToHex(originTransactionHash), originTransactionHash);
  }
  if (origins.size === 0) return [];
  for (const { kind, transaction } of transactions) if (kind === 'account') origins.delete(transaction.hashHex);
  return [...origins.values()];
}

function nameOf(shard: ChainId, height: Height): string {
  return `${shard}/${height}`;
}
