// Composes the shards of a node where there is a beacon: one state database for each shard, and of each the chain of one instance at a time. An
// instance starts by a record of the beacon state, when the node has the state that the record names; it ends with its closing block, and the
// next begins when the beacon has made a record of that (protocol, section 6).
import { stateHeightOf } from '../core/beacon/anchoring.ts';
import type { BeaconConstants } from '../core/beacon/constants.ts';
import { epochOfHeight } from '../core/beacon/epochs.ts';
import { instanceOfRecord } from '../core/beacon/instance.ts';
import { type BeaconState, layoutOfEpoch, shardsOf } from '../core/beacon/state.ts';
import { isCarrier } from '../core/consensus/block-role.ts';
import type { ItemExecutor } from '../core/execution/item-executor.ts';
import { joinCursors, narrowCursors } from '../core/messaging/cursors.ts';
import { placementOfFamily } from '../core/messaging/placement.ts';
import { selectInbox } from '../core/messaging/select-inbox.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Address, ChainId, Height, TimestampMs, ValidatorIndex } from '../core/primitives/ids.ts';
import type { BlockHeader, Cursor } from '../core/protocol/block.ts';
import { Block } from '../core/protocol/certified-block.ts';
import type { Instance, StartRecord } from '../core/protocol/committee.ts';
import { Crosslink } from '../core/protocol/crosslink.ts';
import { CROSSLINK_BYTES_MAX } from '../core/protocol/limits.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import { isUnder } from '../core/protocol/shard-id.ts';
import { storedValue } from '../core/protocol/ssz.ts';
import { makeShardInstance, type ShardInstance } from '../core/shard/beacon-view.ts';
import { buildShardBlock } from '../core/shard/build-shard-block.ts';
import { makePointerProof } from '../core/shard/pointer-proof.ts';
import { extendToWorld } from '../core/state/shard-proof.ts';
import { createStateDatabase } from '../core/state/state-database.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import type { ExecutedBeaconOutcome } from '../runtime/beacon-logic.ts';
import type { BeaconWindow } from '../runtime/beacon-window.ts';
import { BundleShelf, decodeSent } from '../runtime/bundle-shelf.ts';
import type { KeptEvidence } from '../runtime/evidence-keeper.ts';
import { HistoryPruner } from '../runtime/history-pruner.ts';
import type { InstanceSwitch } from '../runtime/instance-switch.ts';
import type { BlockContent } from '../runtime/payload-maker.ts';
import { createShardBlockCommits } from '../runtime/shard-block-commits.ts';
import {
  createShardBlockLogic,
  type ExecutedShardBlockOutcome,
  type ShardBlockOutcome,
  shardStartOutcome,
} from '../runtime/shard-block-logic.ts';
import { createShardPayloads, type TransactionSource, type Urgency } from '../runtime/shard-payloads.ts';
import type { ValidatorSecrets } from '../runtime/signer.ts';
import type { TransactionDirectory } from '../runtime/transaction-directory.ts';
import type { VerifiedClaims } from '../runtime/verified-claims.ts';
import type { SigningRecord } from '../storage/signing-record.ts';
import { type Chain, createChain } from './create-chain.ts';
import type { NodePorts, NodeStores } from './create-node.ts';
import { loadInstance } from './load-instance.ts';
import { newestOutcome } from './newest-shard-block.ts';
import { makeShardCrosslink } from './shard-crosslink.ts';
import type { SigningRecords } from './signing-records.ts';

/** What composing the shards takes beside the node's ports. */
export interface CreateShardsOptions extends NodePorts, NodeStores {
  readonly parameters: NetworkParameters;
  readonly constants: BeaconConstants;
  readonly window: BeaconWindow;
  readonly self: ValidatorIndex | undefined;
  readonly secrets: ValidatorSecrets | undefined;
  readonly signingRecords: SigningRecords;
  readonly instances: InstanceSwitch;
  readonly claims: VerifiedClaims;
  readonly onEvidence: (instance: Instance, kept: KeptEvidence) => void;
  readonly directory: TransactionDirectory;
  readonly evm: ItemExecutor;
  /** How many blocks before the newest keep their state; infinite for an archive. */
  readonly stateBlocks: number;
  /** The lowest version of a shard's state that somebody may still ask for, whatever the window. */
  readonly neededFrom: (shard: ChainId) => Height;
  /** The mempool of a shard's senders. */
  readonly transactionsOf: (shard: ChainId, committed: ShardBlockOutcome) => TransactionSource;
  /** What others write with a shard's block. */
  readonly rowsOf: (shard: ChainId, outcome: ExecutedShardBlockOutcome) => readonly RowOperation[];
  readonly onCommitted: (shard: ChainId, outcome: ExecutedShardBlockOutcome) => void;
  readonly onFault: (fault: unknown) => void;
}

/** One shard's chain in the instance that runs. */
export type ShardChain = Chain<ShardBlockOutcome, ExecutedShardBlockOutcome>;

interface Running {
  readonly chain: ShardChain;
  readonly signingRecord: SigningRecord;
  /** Told when the beacon has gone on. */
  readonly onBeacon: () => void;
  /** Height of the newest block with items on which another is committed. */
  readonly newestItems: () => Height;
  /** How far it was crosslinked at the beacon block before, and when its committee was last asked for its end. */
  readonly told: { anchoredHeight: Height; greetedAtMs: TimestampMs };
}

/** An instance that is over for the beacon, and goes on here: its end is asked for at most so often. */
const GREET_INTERVAL_MS = 1_000;

/** See the file's head. */
export class Shards {
  readonly #options: CreateShardsOptions;
  readonly #shelf = new BundleShelf();
  readonly #states = new Map<ChainId, StateDatabase>();
  readonly #pruners = new Map<ChainId, HistoryPruner>();
  readonly #running = new Map<ChainId, Running>();
  /** The same as others see it, made anew when an instance begins: it is asked for often. */
  #chains: ReadonlyMap<ChainId, ShardChain> = new Map();
  readonly #transactions = new Map<ChainId, TransactionSource>();
  #settling: Promise<void> = Promise.resolve();
  #hasStarted = false;
  #stopped = false;

  private constructor(options: CreateShardsOptions) {
    this.#options = options;
  }

  /** Opens every shard of the records in force where it stands on disk. */
  static async open(options: CreateShardsOptions): Promise<Shards> {
    const shards = new Shards(options);
    await shards.#fillShelf();
    await shards.#settleAll();
    return shards;
  }

  /** The chains that run now, by shard. */
  get chains(): ReadonlyMap<ChainId, ShardChain> {
    return this.#chains;
  }

  /** The state database of a shard. */
  statesOf(shard: ChainId): StateDatabase {
    const known = this.#states.get(shard) ?? createStateDatabase(this.#options.store, shard);
    this.#states.set(shard, known);
    return known;
  }

  /** The oldest version of a shard's state that others may read. */
  servedFrom(shard: ChainId): Height {
    return this.#prunerOf(shard).servedFrom;
  }

  start(): void {
    this.#hasStarted = true;
    for (const { chain } of this.#running.values()) chain.runner.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#settling;
    for (const pruner of this.#pruners.values()) await pruner.stop();
    for (const running of this.#running.values()) await endOf(running);
  }

  /** A beacon block is on disk, and the window shows it. */
  onBeacon({ state, applied }: ExecutedBeaconOutcome): void {
    const { shardStore, store, onFault } = this.#options;
    for (const { source, height } of applied.anchoredOutboxes) this.#shelf.anchored(source, height, state.height);
    const read = this.#shelf.forgetRead(state);
    if (read.length > 0) {
      store
        .write(
          read.flatMap(({ source, height }) => shardStore.dropSent(source, height)),
          { sync: false },
        )
        .catch(onFault);
    }
    for (const [shard, running] of this.#running) {
      running.onBeacon();
      this.#catchUpWithBeacon(shard, running, state);
    }
    this.#settleSoon();
  }

  // Who is no member of an instance's committee says nothing in it, so nobody tells him what he has missed of its end; and what the beacon has anchored
  // for a whole block of its own, others have had for long.
  #catchUpWithBeacon(shard: ChainId, { chain, told }: Running, { records }: BeaconState): void {
    const entry = records.find(({ record }) => record.shard === shard && record.epoch === chain.instance.epoch);
    if (entry === undefined || entry.closed) {
      const nowMs = this.#options.clock.nowMs();
      if (chain.runner.state.closed !== undefined || nowMs < told.greetedAtMs + GREET_INTERVAL_MS) return;
      told.greetedAtMs = nowMs;
      chain.runner.greet();
      return;
    }
    const { hash, height, round } = entry.progress;
    const { facts } = chain.blocks.committed;
    if (round > 0 && facts.height < told.anchoredHeight) chain.catchUp.request({ kind: 'request-block', hash, height });
    told.anchoredHeight = height;
  }

  /** Crosslinks for the open records of a beacon state, as far as this node has what they take. */
  async collect(state: BeaconState): Promise<Uint8Array[]> {
    const { blockStore, constants } = this.#options;
    const sources = { blockStore, constants, outboxAt: (shard: ChainId, height: Height) => this.#shelf.summaryAt(shard, height) };
    const crosslinks: Uint8Array[] = [];
    for (const entry of state.records) {
      const crosslink = entry.closed ? undefined : await makeShardCrosslink(sources, state, entry);
      if (crosslink === undefined) continue;
      const encoded = Crosslink.serialize(crosslink);
      if (encoded.length <= CROSSLINK_BYTES_MAX) crosslinks.push(encoded);
    }
    return crosslinks;
  }

  /** Whether a shard has something that is not final on this beacon state: a header that commits results, or the end of its instance. */
  isAwaited({ records }: BeaconState): boolean {
    return records.some(({ record, progress, closed }) => {
      const running = this.#running.get(record.shard);
      if (closed || running === undefined || running.chain.instance.epoch !== record.epoch) return false;
      const { facts, asParent } = running.chain.blocks.committed;
      if (facts.height <= progress.height) return false;
      return asParent.closes || running.newestItems() >= progress.height;
    });
  }

  async #fillShelf(): Promise<void> {
    const { shardStore, window } = this.#options;
    const { sources, height: beaconHeight } = window.newest;
    for (const { shard, anchoredHeight } of sources)
      for (const { height, sent } of await shardStore.readSent(shard))
        this.#shelf.put(shard, height, decodeSent(shard, height, sent), height <= anchoredHeight ? beaconHeight : undefined);
  }

  #settleSoon(): void {
    this.#settling = this.#settling.then(() => this.#settleAll()).catch(this.#options.onFault);
  }

  async #settleAll(): Promise<void> {
    for (const { record } of this.#options.window.newest.records) if (!this.#stopped) await this.#settle(record.shard);
  }

  // The newest instance of the shard whose start this node has: behind, it goes through them one by one.
  async #settle(shard: ChainId): Promise<void> {
    const { window, constants } = this.#options;
    const { height } = this.statesOf(shard).committed();
    const state = window.newest;
    const known = state.instances.filter(({ record }) => record.shard === shard && record.height <= height);
    const record = known.reduce<StartRecord | undefined>(
      (best, next) => (best === undefined || next.record.epoch > best.epoch ? next.record : best),
      undefined,
    );
    if (record === undefined) return;
    const instance = instanceOfRecord(constants, state, record);
    const running = this.#running.get(shard);
    if (running !== undefined && bytesEqual(running.chain.instance.instanceId, instance.instanceId)) return;
    if (running !== undefined) await endOf(running);
    const next = await this.#run(instance);
    this.#running.set(shard, next);
    this.#chains = new Map([...this.#running].map(([each, { chain }]) => [each, chain]));
    if (!this.#hasStarted) return;
    next.chain.runner.start();
    next.chain.runner.greet();
  }

  async #run(instance: Instance): Promise<Running> {
    const { parameters, shardStore, secrets, signingRecords, clock } = this.#options;
    const shard = instance.chain;
    const states = this.statesOf(shard);
    const shardInstance = this.#shardInstanceOf(instance);
    const closes = ({ beaconReference }: BlockHeader): boolean => epochOfHeight(beaconReference.height, parameters) > instance.epoch;
    const loaded = await loadInstance<ShardBlockOutcome>(this.#options, instance, {
      roleOf: (header) => (isCarrier(header) ? 'carrier' : closes(header) ? 'closing' : 'ordinary'),
      start: () => {
        invariant(bytesEqual(states.committed().root, instance.startRecord.stateRoot), 'an instance starts on the state of its record');
        return shardStartOutcome(shardInstance, states.committed());
      },
      newest: (newest) => newestOutcome(newest, states, shardStore.getParent(shard), closes(newest.block.header)),
    });
    const { signingRecord, maySign } = await signingRecords.openFor(loaded);
    let onBeacon = (): void => undefined;
    // What the blocks before had is not known any more: perhaps something.
    let newestItems = loaded.committed.facts.height - 1;
    let before: ShardBlockOutcome = loaded.committed;
    const transactions = this.#transactionsOf(shard, loaded.committed);
    const pruner = this.#prunerOf(shard);
    const chain = await createChain<ShardBlockOutcome, ExecutedShardBlockOutcome>({
      ...this.#options,
      loaded,
      logic: createShardBlockLogic({ ...this.#options, instance: shardInstance, states, held: () => this.#shelf.heldSince() }),
      rows: createShardBlockCommits({
        shard,
        states,
        shardStore,
        shelf: this.#shelf,
        window: this.#options.window,
        rowsOf: (outcome) => this.#options.rowsOf(shard, outcome),
        onCommitted: (outcome) => {
          if (before.facts.hasItems) newestItems = before.facts.height;
          before = outcome;
          transactions.onCommitted(outcome.block, outcome.version, outcome.facts.baseFeePerGasWei);
          this.#options.onCommitted(shard, outcome);
          pruner.onCommitted();
          if (outcome.asParent.closes) this.#settleSoon();
        },
      }),
      payloadsOn: (blocks) =>
        createShardPayloads<ShardBlockOutcome>({
          parameters,
          transactions,
          blocks,
          clock,
          urgencyOn: (parent) => this.#urgencyOn(shardInstance, parent),
          onUrgency: (listener) => {
            onBeacon = listener;
          },
          contentOn: (parent, taken, nowMs) => this.#contentOn(shardInstance, parent, taken, nowMs),
        }),
      signingRecord,
      secrets: maySign ? secrets : undefined,
    });
    return {
      chain,
      signingRecord,
      onBeacon: () => onBeacon(),
      newestItems: () => newestItems,
      told: { anchoredHeight: 0, greetedAtMs: 0 },
    };
  }

  // One mempool for all instances of a shard.
  #transactionsOf(shard: ChainId, committed: ShardBlockOutcome): TransactionSource {
    const known = this.#transactions.get(shard) ?? this.#options.transactionsOf(shard, committed);
    this.#transactions.set(shard, known);
    return known;
  }

  #prunerOf(shard: ChainId): HistoryPruner {
    const { neededFrom } = this.#options;
    const known =
      this.#pruners.get(shard) ??
      new HistoryPruner({ ...this.#options, chain: shard, states: this.statesOf(shard), neededFrom: () => neededFrom(shard) });
    this.#pruners.set(shard, known);
    return known;
  }

  #shardInstanceOf({ chain, epoch, startRecord }: Instance): ShardInstance {
    const { window, blockStore } = this.#options;
    const layout = layoutOfEpoch(window.newest, epoch);
    invariant(layout !== undefined, `the layout of epoch ${epoch} is kept while an instance of it runs`);
    // What the closing headers commit: the closing blocks themselves read nothing.
    const closing = startRecord.closingHeaders.map((hash): readonly Cursor[] => {
      const stored = blockStore.getByHash(hash);
      invariant(stored !== undefined, 'who has the state of a record has what closed the one before');
      return narrowCursors(storedValue(Block, stored.block).header.parentExecution.cursors, chain);
    });
    return makeShardInstance(startRecord, new Set(shardsOf(layout)), joinCursors(closing));
  }

  #urgencyOn(instance: ShardInstance, parent: ShardBlockOutcome): Urgency {
    const { window, parameters } = this.#options;
    if (epochOfHeight(window.newest.height, parameters) > instance.epoch) return 'at-once';
    const view = window.viewAt(window.newest.height);
    if (view === undefined) return 'none';
    const lanes = { shard: instance.shard, parentCursors: parent.commitment.cursors, view: view.lanes, share: parameters };
    return selectInbox({ ...lanes, held: this.#shelf.held() }).inbox.length > 0 ? 'wanted' : 'none';
  }

  #contentOn(instance: ShardInstance, parent: ShardBlockOutcome, offered: BlockContent['transactions'], nowMs: number): BlockContent {
    const { window, parameters } = this.#options;
    const view = window.viewAt(window.newest.height);
    invariant(view !== undefined, 'the newest beacon block is there to be referred to');
    const { body, transactions, ...fields } = buildShardBlock({
      instance,
      parent: parent.asParent,
      parentExecution: parent.commitment,
      parentState: parent.version,
      view,
      parameters,
      held: this.#shelf.held(),
      transactions: offered,
      pointerProofOf: (target) => this.#pointerProofOf(target),
      nowMs,
    });
    return { fields, body, transactions };
  }

  // Against the world root at the newest beacon block, from the state that it anchored; none where that is not here yet.
  #pointerProofOf(target: Address): Uint8Array | undefined {
    const { records } = this.#options.window.newest;
    const placement = placementOfFamily(target);
    const entry = records.find(({ record }) => isUnder(placement, record.shard));
    invariant(entry !== undefined, 'the records in force are the whole tree');
    const { shard } = entry.record;
    const states = this.statesOf(shard);
    const version = states.at(stateHeightOf(entry));
    if (version === undefined || !bytesEqual(version.root, entry.progress.stateRoot)) return undefined;
    const roots = new Map(records.map(({ record, progress }) => [record.shard, progress.stateRoot]));
    return makePointerProof(target, undefined, extendToWorld(shard, states.provePointer(version, target), roots));
  }
}

async function endOf({ chain, signingRecord }: Running): Promise<void> {
  await chain.stop();
  await signingRecord.close();
}
