// Validity, determinism, conservation, exactly once: a node that takes part in nothing follows the beacon and every shard from genesis, over a store of
// its own. Every block that becomes final is validated and executed again, once, from its parent's state alone. What it comes to must be what the next
// header says and what the nodes have; what all accounts gained and lost must be what was burned, is owed and is under way; no message or
// transaction may come a second time; and the one chain that clients see is derived from it again. More about each is beside this file.
//
// A shard's block is followed when all that its reference made final was: until then it waits. It is valid and its state is the nodes' whatever becomes of
// it; what it did to money, messages and families counts when its execution is anchored. What a takeover makes void is undone here too, and never counts.
import { beaconConstantsOf } from '../../core/beacon/constants.ts';
import { genesisBeaconState } from '../../core/beacon/genesis-state.ts';
import { firstBeaconRecord } from '../../core/beacon/instance.ts';
import type { BeaconState } from '../../core/beacon/state.ts';
import { stateRootOf } from '../../core/beacon/state-root.ts';
import { initialiseKeccak } from '../../core/crypto/keccak.ts';
import { createOwnLoopExecutor } from '../../core/execution/evm/own-loop-executor.ts';
import type { ItemExecutor } from '../../core/execution/item-executor.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import { BEACON_CHAIN, type Bytes32, type ChainId, type Height, type Wei } from '../../core/primitives/ids.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import { Block } from '../../core/protocol/certified-block.ts';
import type { Instance } from '../../core/protocol/committee.ts';
import { Crosslink } from '../../core/protocol/crosslink.ts';
import type { Genesis } from '../../core/protocol/genesis.ts';
import { decodeCanonical } from '../../core/protocol/ssz.ts';
import { createSimulator } from '../../node/call-simulator.ts';
import { writeGenesisShards } from '../../node/genesis-shards.ts';
import type { Simulator } from '../../rpc/ports.ts';
import type { ExecutedShardBlockOutcome, ShardBlockOutcome } from '../../runtime/shard-block-logic.ts';
import type { BlockPlace, StoredBlock } from '../../storage/block-store.ts';
import { createMemoryStore } from '../../storage/memory-store.ts';
import type { WorldCrypto } from '../world.ts';
import { replayFamilies } from './family-replay.ts';
import { Lanes } from './lanes.ts';
import { brokenMessageRules } from './message-rules.ts';
import { Accounts, excessOfBlock, excessWei, genesisSupplyWei, stakedWei, totalsOf } from './money.ts';
import { ReplayedBeacon } from './replayed-beacon.ts';
import { ReplayedShard } from './replayed-shard.ts';
import { type MadeView, ReplayedView, type ViewTruth } from './replayed-view.ts';
import { type Takeover, Takeovers } from './takeovers.ts';
import { contextOfView } from './view-context.ts';
import type { Property, Report } from './violation.ts';
import { brokenWaves } from './wave-order.ts';

/** BLOCKHASH reaches this far back. */
const BLOCK_HASHES = 256;
/** Final blocks of one chain that wait for what they refer to: far more than the nodes of a schedule can be apart. */
const WAITING_MAX = 4_096;

/** What the replay made of a block that became final. */
export interface ReplayedBlock {
  readonly place: BlockPlace;
  readonly stateRoot: Bytes32;
}

interface Waiting {
  readonly stored: StoredBlock;
  /** The node that committed it first. */
  readonly name: string;
}

interface ReplayOptions {
  readonly genesis: Genesis;
  readonly crypto: WorldCrypto;
  readonly report: Report;
}

interface Parts {
  readonly beacon: ReplayedBeacon;
  readonly shards: ReadonlyMap<ChainId, ReplayedShard>;
  readonly view: ReplayedView;
  readonly genesisState: BeaconState;
  readonly executor: ItemExecutor;
}

/** See the file's head. */
export class Replay {
  /** Runs calls without effect, in the contexts of the view blocks that were made here. */
  readonly simulator: Simulator;
  readonly #report: Report;
  readonly #genesis: Genesis;
  readonly #parts: Parts;
  readonly #lanes: Lanes;
  readonly #accounts: Accounts;
  readonly #supplyWei: Wei;
  readonly #executed = new Set<string>();
  readonly #items: Record<string, number> = {};
  /** By chain, by instance and height. */
  readonly #waiting: ReadonlyMap<ChainId, Map<string, Waiting>>;
  readonly #takeovers: Takeovers;
  readonly #newTakeovers: Takeover[] = [];
  /** Of each shard, the takeovers that are not undone here, oldest first. */
  readonly #toUndo = new Map<ChainId, Takeover[]>();
  /** By shard and height: hashes of the headers that crosslinks made final. */
  readonly #crosslinked = new Map<string, string>();
  /** The same of the blocks that were followed. */
  readonly #followed = new Map<string, string>();
  #isBroken = false;

  private constructor({ genesis, crypto, report }: ReplayOptions, parts: Parts) {
    this.#genesis = genesis;
    this.#report = report;
    this.#parts = parts;
    this.simulator = createSimulator(
      genesis,
      crypto.secp256k1,
      ({ block }) => contextOfView(parts.view, block),
      () => 0,
    );
    this.#lanes = new Lanes(genesis.layout, report);
    this.#accounts = new Accounts(genesis);
    this.#supplyWei = genesisSupplyWei(genesis, parts.genesisState);
    this.#waiting = new Map([BEACON_CHAIN, ...genesis.layout].map((chain) => [chain, new Map<string, Waiting>()]));
    this.#takeovers = new Takeovers(genesis.parameters);
    for (const known of parts.genesisState.instances) this.#takeovers.began(known);
  }

  /** A replay from genesis on. */
  static async begin(options: ReplayOptions): Promise<Replay> {
    await initialiseKeccak();
    const { genesis, crypto } = options;
    const { parameters, layout } = genesis;
    const store = createMemoryStore();
    const roots = await writeGenesisShards(genesis, store);
    const genesisState = genesisBeaconState(genesis, (shard) => roots.get(shard) as Bytes32);
    const constants = beaconConstantsOf(genesis);
    const beacon = await ReplayedBeacon.begin({ genesis, constants, crypto, store }, genesisState);
    const executor = createOwnLoopExecutor(parameters.evmChainId, crypto.secp256k1);
    const { window } = beacon;
    const shards = new Map(
      layout.map(
        (shard) =>
          [
            shard,
            new ReplayedShard({ shard, parameters, crypto, store, window, executor, cursorsOf: (id) => beacon.cursorsOf(id) }),
          ] as const,
      ),
    );
    const view = ReplayedView.begin(genesis, firstBeaconRecord(genesisState), genesisState, (shard, height) =>
      shards.get(shard)?.states.at(height),
    );
    return new Replay(options, { beacon, shards, view, genesisState, executor });
  }

  /** Blocks that became final, seen on a node. */
  take(news: readonly StoredBlock[], name: string): void {
    for (const stored of news) {
      const waiting = this.#waiting.get(stored.place.chain);
      waiting?.set(placeOf(stored.place.instanceId, stored.place.height), { stored, name });
      if ((waiting?.size ?? 0) > WAITING_MAX) this.#fail('bounds', name, `${waiting?.size} final blocks wait for what they refer to`);
    }
  }

  /** Follows all that can be followed. */
  async advance(): Promise<readonly ReplayedBlock[]> {
    const replayed: ReplayedBlock[] = [];
    for (let isProgress = true; isProgress && !this.#isBroken; ) {
      const before = replayed.length;
      await this.#advanceBeacon(replayed);
      for (const [shard, of] of this.#parts.shards) await this.#advanceShard(shard, of, replayed);
      isProgress = (await this.#advanceView()) || replayed.length > before;
    }
    return replayed;
  }

  /** The one chain that clients see, as far as it follows from what was final. */
  get view(): ViewTruth {
    return this.#parts.view;
  }

  /** What accounts hold in a state: every account that there is. */
  balancesIn(state: Parameters<Accounts['balancesIn']>[0]): Wei {
    return this.#accounts.balancesIn(state);
  }

  /** The supply at genesis. */
  get supplyWei(): Wei {
    return this.#supplyWei;
  }

  /** The instance with this id, if a block that was followed began it. */
  instanceOf(instanceId: Bytes32): Instance | undefined {
    return this.#parts.beacon.instanceOf(instanceId);
  }

  /** Those that were not told of before. */
  newTakeovers(): readonly Takeover[] {
    return this.#newTakeovers.splice(0);
  }

  /** Which instances the beacon took over, as far as it was followed. */
  get takeovers(): Takeovers {
    return this.#takeovers;
  }

  /** The view block whose executions sent the oldest message that is under way between shards; undefined where none is. */
  get oldestUnderWay(): number | undefined {
    return this.#lanes.underWay().oldest;
  }

  /** Messages executed, by kind and outcome. */
  get items(): Readonly<Record<string, number>> {
    return this.#items;
  }

  async #advanceBeacon(replayed: ReplayedBlock[]): Promise<void> {
    const { beacon, view } = this.#parts;
    for (let next = this.#nextBeacon(); next !== undefined; next = this.#nextBeacon()) {
      const { stored, name } = next;
      const followed = await beacon.follow(stored);
      if (!followed.ok) return this.#fail(followed.property, name, `beacon block ${stored.place.height} ${followed.detail}`);
      const { executed } = followed;
      view.anchored(executed);
      this.#noteCrosslinks(stored, name);
      replayed.push({ place: stored.place, stateRoot: stateRootOf(executed.state) });
      for (const known of executed.state.instances.filter(({ record }) => executed.applied.newRecords.includes(record))) {
        const takeover = this.#takeovers.began(known);
        if (takeover === undefined) continue;
        this.#toUndo.set(takeover.shard, [...(this.#toUndo.get(takeover.shard) ?? []), takeover]);
        this.#newTakeovers.push(takeover);
      }
    }
  }

  async #advanceShard(shard: ChainId, of: ReplayedShard, replayed: ReplayedBlock[]): Promise<void> {
    await this.#undoTakenOver(shard, of);
    for (let next = this.#nextOf(shard, of.height); next !== undefined; next = this.#nextOf(shard, of.height)) {
      const { stored, name } = next;
      const where = `block ${stored.place.height} of shard ${shard}`;
      const decoded = decodeCanonical(Block, stored.block);
      if (!decoded.ok) return this.#fail('validity', name, `${where} does not decode: ${decoded.reason}`);
      const instance = this.instanceOf(stored.place.instanceId);
      const { beaconReference } = decoded.value.header;
      if (instance === undefined || this.#parts.view.height < beaconReference.height) {
        this.#waiting.get(shard)?.set(placeOf(stored.place.instanceId, stored.place.height), next);
        return;
      }
      const followed = await of.follow(stored, instance);
      if (!followed.ok) return this.#fail(followed.property, name, `${where} ${followed.detail}`);
      const { executed, parent } = followed;
      this.#parts.view.executed(shard, stored.place.height, { outcome: executed, parent, name });
      this.#noteFollowed(shard, stored, name);
      replayed.push({ place: stored.place, stateRoot: executed.version.root });
      await this.#undoTakenOver(shard, of);
    }
  }

  async #undoTakenOver(shard: ChainId, of: ReplayedShard): Promise<void> {
    const takeovers = this.#toUndo.get(shard) ?? [];
    for (let [next] = takeovers; next !== undefined && of.height >= next.height; [next] = takeovers) {
      takeovers.shift();
      for (let height = next.height + 1; height <= of.height; height++) this.#followed.delete(`${shard}/${height}`);
      this.#parts.view.voided(shard, next.stateHeight, of.height);
      await of.undo(next.stateHeight, next.height);
    }
  }

  // True when there was something to make.
  async #advanceView(): Promise<boolean> {
    const { view, genesisState } = this.#parts;
    let isProgress = false;
    for (let made = view.makeNext(); made !== undefined; made = view.makeNext()) {
      isProgress = true;
      const { number, state, executions, world } = made;
      for (const execution of executions) {
        const { shard, outcome } = execution;
        await this.#judge(execution);
        this.#lanes.anchored(shard, number, outcome.judged.inbox.messages, outcome.result.outbox);
      }
      const totals = totalsOf(state, stakedWei(genesisState), this.#lanes.underWay());
      view.summed(number, totals);
      const excess = excessWei(this.#supplyWei, this.#accounts.balancesIn(world), totals);
      if (excess !== 0n)
        this.#report('conservation', undefined, `after view block ${number} there are ${excess} more than at genesis: ${textOf(totals)}`);
      if (!bytesEqual(world.root, made.worldRoot))
        this.#report('determinism', undefined, `the world after view block ${number} is ${bytesToHex(world.root)}, the beacon's another`);
    }
    return isProgress;
  }

  #nextBeacon(): Waiting | undefined {
    const { beacon } = this.#parts;
    return this.#take(BEACON_CHAIN, placeOf(beacon.instance.instanceId, beacon.height + 1));
  }

  // Of the newest instance that starts at or below the height; what is void is of none.
  #nextOf(shard: ChainId, height: Height): Waiting | undefined {
    for (const { instanceId, record } of this.#takeovers.instancesOf(shard).toReversed()) {
      if (record.height > height || this.#takeovers.isVoid(instanceId, height + 1)) continue;
      const next = this.#take(shard, placeOf(instanceId, height + 1));
      if (next !== undefined) return next;
    }
    return undefined;
  }

  #take(chain: ChainId, place: string): Waiting | undefined {
    const waiting = this.#waiting.get(chain);
    const next = this.#isBroken ? undefined : waiting?.get(place);
    if (next !== undefined) waiting?.delete(place);
    return next;
  }

  async #judge({ shard, outcome: executed, parent, name }: MadeView['executions'][number]): Promise<void> {
    const { block, judged, result } = executed;
    const where = `block ${block.header.height} of shard ${shard}`;
    const inbox = judged.inbox.messages;
    this.#accounts.changed(result.changeSet);
    const excess = excessOfBlock(inbox, result);
    if (excess !== 0n) this.#report('conservation', name, `${where} leaves ${excess} more than it found`);
    this.#checkOnce(where, name, executed);
    this.#lanes.taken(shard, where, block.header.beaconReference.height, inbox);
    for (const detail of brokenWaves({ shard, inbox, transactions: block.transactions, result }))
      this.#report('exactly-once', name, `${where}: ${detail}`);
    for (const { property, detail } of brokenMessageRules(result.messages, result.outbox))
      this.#report(property, name, `${where}: ${detail}`);
    await this.#checkFamilies(where, name, executed, parent);
  }

  #checkOnce(where: string, name: string, { block, result }: ExecutedShardBlockOutcome): void {
    for (const { hashHex } of block.transactions) this.#once(name, `transaction ${hashHex}`, where);
    for (const { message, outcome } of result.messages) {
      const item = `${message.kind} ${outcome}`;
      this.#items[item] = (this.#items[item] ?? 0) + 1;
      if (outcome !== 'forwarded') this.#once(name, `message ${bytesToHex(message.id)}`, where);
    }
  }

  #once(name: string, what: string, where: string): void {
    if (this.#executed.has(what)) this.#report('exactly-once', name, `${what} is executed again in ${where}`);
    this.#executed.add(what);
  }

  async #checkFamilies(
    where: string,
    name: string,
    { block, judged, result }: ExecutedShardBlockOutcome,
    parent: ShardBlockOutcome,
  ): Promise<void> {
    const { height } = block.header.beaconReference;
    const view = this.#parts.beacon.window.viewAt(height);
    if (view === undefined) return this.#fail('validity', name, `${where} refers to ${height}, whose state is gone`);
    const found = await replayFamilies(
      {
        transactions: block.transactions,
        result,
        parentState: parent.version,
        parentBaseFeePerGasWei: parent.facts.baseFeePerGasWei,
        targetOf: ({ hashHex }) => judged.targets.get(hashHex),
        context: {
          referenceHeight: height,
          referenceTimestampMs: view.timestampMs,
          prevRandao: view.seed,
          blockHash: (wanted) => (wanted < height && wanted >= height - BLOCK_HASHES ? view.hashAt(wanted) : undefined),
        },
        gasLimitSeenByCode: this.#genesis.parameters.transactionGasLimitMax,
      },
      this.#parts.executor,
    );
    for (const detail of found) this.#report('layout-independence', name, `${where}: ${detail}`);
  }

  // Nobody reverts what a crosslink made final: it is what the shard's nodes have.
  #noteCrosslinks(stored: StoredBlock, name: string): void {
    const decoded = decodeCanonical(Block, stored.block);
    if (!decoded.ok) return;
    for (const encoded of decoded.value.body.crosslinks) {
      const crosslink = decodeCanonical(Crosslink, encoded);
      if (!crosslink.ok) continue;
      for (const header of crosslink.value.headers) {
        this.#takeovers.crosslinked(header);
        const place = `${crosslink.value.shard}/${header.height}`;
        this.#crosslinked.set(place, bytesToHex(blockHashOf(header)));
        this.#compare(place, name);
      }
    }
  }

  #noteFollowed(shard: ChainId, { place, hash }: StoredBlock, name: string): void {
    this.#followed.set(`${shard}/${place.height}`, bytesToHex(hash));
    this.#compare(`${shard}/${place.height}`, name);
  }

  #compare(place: string, name: string): void {
    const [final, committed] = [this.#crosslinked.get(place), this.#followed.get(place)];
    if (final !== undefined && committed !== undefined && final !== committed)
      this.#report('agreement', name, `block ${place} is ${committed}, and the beacon made ${final} final`);
  }

  // What follows would stand on what is wrong.
  #fail(property: Property, name: string, detail: string): void {
    this.#isBroken = true;
    this.#report(property, name, detail);
  }
}

function placeOf(instanceId: Bytes32, height: Height): string {
  return `${bytesToHex(instanceId)}/${height}`;
}

function textOf(totals: object): string {
  return Object.entries(totals)
    .map(([term, wei]) => `${term} ${wei}`)
    .join(', ');
}
