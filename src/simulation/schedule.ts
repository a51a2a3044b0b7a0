// One schedule: a world, clients, faults of its seed, and all checks after every event. From the last fault on, liveness has a bound (liveness-bound.ts).
import { sha256 } from '../core/crypto/sha256.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import type { ChainId, Height, ValidatorIndex } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { Network, PeerName } from '../network/ports.ts';
import type { MemoryStore } from '../storage/memory-store.ts';
import { type DishonestValidator, dishonest, type Strategy } from './adversaries/strategies.ts';
import { toolsFor } from './adversaries/tools.ts';
import { type ChainShape, scheduleParameters } from './chain-shape.ts';
import type { Violation } from './checks/violation.ts';
import type { End } from './disk.ts';
import { dishonestOfSeed, faultsOfSeed, shapeOfSeed } from './draws.ts';
import { excuseOf } from './excuse.ts';
import { ALL_FAULT_KINDS, backupAgeMs, drawClockErrors, type EndTrigger, type Fault, type FaultKind, strike } from './faults.ts';
import { livenessBoundMs } from './liveness-bound.ts';
import { standsAtLostBlock } from './lost-block.ts';
import { drawQuietLinks, type LinkChoice, type QuietLinks } from './quiet-links.ts';
import { SeededRandom } from './random.ts';
import { type Answer, type HeadNews, Readers } from './readers.ts';
import { quietMoments, Recovery } from './recovery.ts';
import { WORLD } from './timeline/story.ts';
import { Watch } from './watch.ts';
import { createClients, fundedAccounts, Workload, type WorkloadFigures } from './workload.ts';
import { createWorld, type World, type WorldCrypto } from './world.ts';

/** What a schedule is made of. */
export interface ScheduleOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly crypto: WorldCrypto;
  /** Preset that the schedule's own timing stands over. */
  readonly preset: NetworkParameters;
  /** What stands over that timing. */
  readonly parameters?: Partial<NetworkParameters>;
  /** Instead of faults drawn from the seed. */
  readonly faults?: readonly Fault[];
  /** Instead of dishonest validators drawn from the seed. */
  readonly dishonest?: readonly DishonestValidator[];
  /** One more dishonest validator, with a strategy of its own making. */
  readonly forger?: Forger;
  /** Told of the world before it runs: what else acts in it. */
  readonly onWorld?: (world: World) => void;
  /** A node that cannot go on is started again, and no violation by itself: for rules broken on purpose, which its own assertions often meet first. */
  readonly mayCrash?: boolean;
  /** Disks say that they have synced when they have not: what no node can stand, to see that the checks see it. */
  readonly disksLie?: boolean;
  /** What clients are told instead: what no node may say, to see that the checks see it. */
  readonly tamper?: { readonly answer: (answer: Answer) => Answer; readonly head: (news: HeadNews) => HeadNews };
  /** When faults are over and the chain must recover; 7 s when absent. */
  readonly faultsUntilMs?: number;
  /** On average; 20 when absent. */
  readonly transactionsPerSecond?: number;
  /** No clock is wrong, or, if false, every one is; drawn from the seed when absent. */
  readonly exactClocks?: boolean;
  /** How messages travel when nothing is wrong, instead of what is drawn from the seed. */
  readonly links?: LinkChoice;
  /** A third of the seats or more is dishonest: agreement and liveness may fail, and then those who broke agreement must be accused. */
  readonly isBeyondThird?: boolean;
  /** Which chains there are, instead of what is drawn from the seed. */
  readonly shape?: ChainShape;
}

/** A validator whose network somebody else has in hand. `world` is undefined while it is being made. */
export interface Forger {
  readonly validator: ValidatorIndex;
  readonly interpose: (own: Network, world: () => World | undefined, crypto: WorldCrypto) => Network;
}

/** What came of it. */
export interface ScheduleReport extends WorkloadFigures {
  readonly seed: number;
  readonly events: number;
  readonly simulatedMs: number;
  /** Of all chains together. */
  readonly blocks: number;
  /** By chain. */
  readonly heights: Readonly<Record<ChainId, Height>>;
  readonly shape: ChainShape;
  /** Answers and news that reading clients were given. */
  readonly reads: number;
  /** Messages of final blocks, by kind and outcome. */
  readonly items: Readonly<Record<string, number>>;
  readonly faults: readonly Fault[];
  readonly dishonest: readonly DishonestValidator[];
  /** Faults that began, by kind. */
  readonly injected: Readonly<Record<FaultKind['kind'], number>>;
  /** How messages travelled when nothing was wrong. */
  readonly links: QuietLinks['kind'];
  /** How often a node stopped, or did not start, because it read what had rotted. */
  readonly rotFound: number;
  /** A chain stood still at a block that too much lost data took from all honest nodes (lost-block.ts). */
  readonly isBlockLost: boolean;
  /** Offences that nodes counted, over all their lives, by reason. */
  readonly misbehaviour: Readonly<Record<string, number>>;
  /** The first one ends the schedule. */
  readonly violation: Violation | undefined;
  /** Beyond a third: how agreement broke, if it did. */
  readonly disagreement: Violation | undefined;
  /** Whom honest nodes have evidence against, and how often a dishonest validator contradicted himself in the ears of one of them. */
  readonly accused: readonly ValidatorIndex[];
  readonly contradictions: number;
  readonly eventLog: readonly string[];
  readonly eventLogHash: string;
}

/** When the world of every schedule begins. */
export const START_MS = 1_700_000_000_000;
const CLIENTS = 12;
/** What clients send when a schedule does not say. */
export const TRANSACTIONS_PER_SECOND = 20;
const READS_PER_SECOND = 15;
/** Faults begin and end in this window when a schedule does not say. */
export const FAULTS_UNTIL_MS = 7_000;
/** What a schedule's events are bounded by, for its end and for each second of faults and node: about five times what was seen to be needed. */
const EVENTS_AT_LEAST = 500_000;
const EVENTS_PER_NODE_SECOND = 2_000;
/** A node that ended by itself is started again after this long, as a supervisor does. */
const SUPERVISOR_MS = 500;
const SYNC_MS = 1;
/** Time for evidence to come out after the last fault. */
const AFTERMATH_MS = 8_000;

/** Runs a schedule to its end, or to the first violation. */
export async function runSchedule(options: ScheduleOptions): Promise<ScheduleReport> {
  const run = await ScheduleRun.prepare(options);
  return run.run();
}

class ScheduleRun {
  readonly #options: ScheduleOptions;
  readonly #shape: ChainShape;
  readonly #parameters: NetworkParameters;
  readonly #faults: readonly Fault[];
  readonly #dishonestValidators: readonly DishonestValidator[];
  readonly #dishonest: ReadonlyMap<ValidatorIndex, Strategy>;
  readonly #watch: Watch;
  readonly #injected = Object.fromEntries(ALL_FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind['kind'], number>;
  /** What ends a node when it next writes or sends. */
  readonly #triggers = new Map<string, { readonly trigger: EndTrigger; readonly end: End }>();
  readonly #backups = new Map<Fault, MemoryStore>();
  readonly #mayFail = new Set<number>();
  readonly #mayBeCorrupt = new Set<number>();
  /** Honest nodes that were put on another database than theirs. */
  readonly #withoutData = new Set<number>();
  #isBlockLost = false;
  readonly #random: SeededRandom;
  #workload: Workload | undefined;
  #readers: Readers | undefined;
  #rotFound = 0;
  readonly #faultsUntilMs: number;
  #world: World | undefined;
  #quiet: QuietLinks | undefined;

  private constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#dishonestValidators = options.dishonest ?? dishonestOfSeed(options.seed, options.nodes);
    this.#shape = options.shape ?? shapeOfSeed(options, this.#dishonestValidators.length);
    this.#parameters = { ...scheduleParameters(options.preset, options.nodes, this.#shape), ...options.parameters };
    this.#faultsUntilMs = options.faultsUntilMs ?? FAULTS_UNTIL_MS;
    this.#random = new SeededRandom(options.seed, 'schedule');
    this.#faults = options.faults ?? faultsOfSeed(options.seed, options.nodes, this.#faultsUntilMs);
    this.#dishonest = new Map(this.#dishonestValidators.map(({ validator, strategy }) => [validator, strategy]));
    this.#watch = new Watch({
      nodes: options.nodes,
      crypto: options.crypto,
      startMs: START_MS,
      world: () => this.#world,
      isHonest: (index) => this.#isHonest(index),
      mayFail: (index) => this.#mayFail.has(index) || this.#mayBeCorrupt.has(index),
      eventsMax: EVENTS_AT_LEAST + Math.ceil((EVENTS_PER_NODE_SECOND * options.nodes * this.#faultsUntilMs) / 1_000),
      isBeyondThird: options.isBeyondThird === true,
    });
  }

  static async prepare(options: ScheduleOptions): Promise<ScheduleRun> {
    const run = new ScheduleRun(options);
    await run.#build();
    return run;
  }

  async run(): Promise<ScheduleReport> {
    const world = this.#theWorld;
    const { seed } = this.#options;
    const workload = this.#theWorkload;
    workload.start(this.#options.transactionsPerSecond ?? TRANSACTIONS_PER_SECOND);
    this.#readers?.start(READS_PER_SECOND);
    this.#options.onWorld?.(world);
    for (const fault of this.#faults) this.#arm(fault);
    world.clock.onEvent = () => this.#watch.look(world);
    world.clock.schedule(START_MS + this.#faultsUntilMs - world.clock.exactMs, () => this.#heal());
    const boundMs = livenessBoundMs(this.#parameters, this.#quiet?.slowestMs ?? 0, this.#dishonestCount > 0);
    const isHonest = (index: number): boolean => this.#isHonest(index);
    const losses = { isHonest, withoutData: this.#withoutData, dishonest: this.#dishonestCount, nodes: this.#parameters.committeeSeats };
    const isExcused = (): boolean => {
      this.#isBlockLost ||= standsAtLostBlock(world, losses);
      return this.#isBlockLost;
    };
    const recovery = new Recovery({ world, watch: this.#watch, boundMs, isHonest, isExcused });
    if (this.#options.isBeyondThird !== true) recovery.demandAfter(quietMoments(this.#faults, boundMs), START_MS);
    let events = await world.clock.run(START_MS + this.#faultsUntilMs, () => this.#watch.violation !== undefined);
    events += this.#options.isBeyondThird === true ? await this.#runAftermath(world) : await this.#runUntilBack(world, recovery, boundMs);
    workload.stop();
    this.#readers?.stop();
    await this.#watch.look(world);
    this.#watch.conclude();
    return {
      seed,
      events,
      simulatedMs: world.clock.nowMs() - START_MS,
      ...this.#watch.figures(),
      ...workload.figures,
      shape: this.#shape,
      faults: this.#faults,
      dishonest: this.#dishonestValidators,
      injected: this.#injected,
      links: this.#quiet?.kind ?? 'uniform',
      rotFound: this.#rotFound,
      isBlockLost: this.#isBlockLost,
      misbehaviour: world.network.offences(),
      eventLog: world.eventLog,
      eventLogHash: bytesToHex(sha256(new TextEncoder().encode(world.eventLog.join('\n')))),
    };
  }

  async #runUntilBack(world: World, recovery: Recovery, boundMs: number): Promise<number> {
    const healed = recovery.healed();
    const isOver = (): boolean => this.#watch.violation !== undefined || recovery.isBack(healed);
    const events = await world.clock.run(world.clock.nowMs() + boundMs, isOver);
    recovery.demand(healed);
    return events;
  }

  // What agreement rests on is gone: only accountability is still asked for, and that no node stops.
  #runAftermath(world: World): Promise<number> {
    const endMs = Math.max(world.clock.nowMs(), START_MS + this.#faultsUntilMs) + AFTERMATH_MS;
    return world.clock.run(endMs, () => this.#watch.violation !== undefined);
  }

  async #build(): Promise<void> {
    const { seed, nodes, crypto } = this.#options;
    const latencyMs = this.#random.integer(5, 60);
    this.#quiet = drawQuietLinks(new SeededRandom(seed, 'quiet links'), latencyMs, this.#options.links);
    const clients = createClients(CLIENTS, crypto.secp256k1);
    const world = await createWorld({
      crypto,
      seed,
      nodes,
      startMs: START_MS,
      latencyMs,
      lossShare: 0,
      syncMs: SYNC_MS,
      parameters: this.#parameters,
      layout: this.#shape.layout,
      follow: (index) => (index === 0 ? 'all' : (this.#shape.follow ?? 'all')),
      accounts: fundedAccounts(clients),
      clockErrors: this.#options.exactClocks === true ? [] : drawClockErrors(this.#random, nodes, this.#options.exactClocks === false),
      twins: [...this.#dishonest].filter(([, strategy]) => strategy === 'twin').map(([validator]) => validator),
      interpose: (name, own) => this.#mouthOf(name, own),
      onFault: (index, fault) => this.#onFault(index, fault),
      onStarted: (index, node) => {
        if (this.#isHonest(index)) this.#watch.started(index, node);
      },
    });
    this.#world = world;
    Object.assign(world.links, this.#quiet.conditions);
    world.chronicle.tell(WORLD, { kind: 'world', nodes: world.names, dishonest: this.#dishonestValidators });
    for (const disk of world.disks) disk.conditions.lies = this.#options.disksLie === true;
    for (const [index, disk] of world.disks.entries()) disk.onWrite = () => void this.#atTrigger(index, 'while-writing');
    await this.#watch.begin(world);
    const workload = new Workload(world, clients, new SeededRandom(seed, 'workload'), crypto.secp256k1);
    this.#workload = workload;
    this.#readers = new Readers({
      world,
      random: new SeededRandom(seed, 'readers'),
      addresses: clients.map(({ address }) => address),
      contracts: () => workload.contracts,
      blockAt: (number) => this.#watch.viewAt(number),
      isHonest: (index) => this.#isHonest(index),
      onAnswer: (answer) => this.#watch.answered(this.#options.tamper?.answer(answer) ?? answer),
      onSilence: (index, question) => this.#watch.unanswered(index, question),
      onHead: (news) => this.#watch.headSeen(this.#options.tamper?.head(news) ?? news),
    });
  }

  // An honest node's network has an ear at its mouth; a dishonest one's, the strategy.
  #mouthOf(name: PeerName, own: Network): Network {
    const index = Number(/^node-(\d+)/.exec(name)?.[1]);
    const { forger } = this.#options;
    if (index === forger?.validator) return forger.interpose(own, () => this.#world, this.#options.crypto);
    const strategy = this.#dishonest.get(index);
    if (strategy === undefined) return this.#watch.heard(index, name, own, () => this.#atTrigger(index, 'while-sending'));
    const { crypto, seed } = this.#options;
    const tools = toolsFor({
      name,
      validator: index,
      seed,
      crypto,
      world: () => this.#world,
      isHonest: (other) => this.#isHonest(other),
      faultsEndMs: START_MS + this.#faultsUntilMs,
      toldWrong: (hashHex) => this.#watch.toldWrong(hashHex),
    });
    return dishonest(strategy, own, tools);
  }

  // Twins come after all validators.
  #isHonest(index: number): boolean {
    return index < this.#options.nodes && !this.#dishonest.has(index) && index !== this.#options.forger?.validator;
  }

  get #dishonestCount(): number {
    return this.#dishonest.size + (this.#options.forger === undefined ? 0 : 1);
  }

  get #theWorld(): World {
    if (this.#world === undefined) throw new Error('a schedule is prepared before it runs');
    return this.#world;
  }

  get #theWorkload(): Workload {
    if (this.#workload === undefined) throw new Error('a schedule is prepared before it runs');
    return this.#workload;
  }

  #arm(fault: Fault): void {
    const [world, { what }] = [this.#theWorld, fault];
    const ageMs = backupAgeMs(what);
    if (ageMs !== undefined && 'node' in what)
      world.clock.schedule(Math.max(0, fault.fromMs - ageMs), () => {
        const disk = world.disks[what.node];
        if (disk !== undefined) this.#backups.set(fault, disk.backup());
      });
    strike(fault, {
      world,
      endWhen: (node, trigger, end) => this.#endWhen(node, trigger, end),
      backupFor: (struck) => this.#backups.get(struck),
      onOldCopy: (node) => {
        this.#watch.forget(node);
        if (this.#isHonest(node)) this.#withoutData.add(node);
      },
      startAgain: (node) => this.#startAgain(node),
      onBegin: () => {
        world.chronicle.tell(WORLD, { kind: 'fault-begins', fault: this.#faults.indexOf(fault), what });
        this.#injected[what.kind]++;
        if (what.kind === 'full-disk') this.#mayFail.add(what.node);
        if (what.kind === 'bit-rot') this.#mayBeCorrupt.add(what.node);
      },
      onEnd: () => world.chronicle.tell(WORLD, { kind: 'fault-ends', fault: this.#faults.indexOf(fault) }),
    });
  }

  #endWhen(node: number, trigger: EndTrigger, end: End): void {
    this.#triggers.delete(`${node} while-writing`);
    this.#triggers.delete(`${node} while-sending`);
    if (trigger === 'at-once') this.#theWorld.end(node, end);
    else this.#triggers.set(`${node} ${trigger}`, { trigger, end });
  }

  // True when the node ends here.
  #atTrigger(node: number, trigger: EndTrigger): boolean {
    const key = `${node} ${trigger}`;
    const armed = this.#triggers.get(key);
    if (armed === undefined) return false;
    this.#triggers.delete(key);
    this.#theWorld.end(node, armed.end);
    return true;
  }

  #startAgain(node: number): void {
    const world = this.#theWorld;
    if (world.isUp(node) || world.isStarting(node) || world.disks[node]?.conditions.isFull === true) return;
    world.start(node).catch((fault: unknown) => this.#onFault(node, fault));
  }

  #onFault(index: number, fault: unknown): void {
    const excuse = excuseOf(fault, { hasHadFullDisk: this.#mayFail.has(index), hasHadBitRot: this.#mayBeCorrupt.has(index) });
    if (excuse === 'bit-rot') this.#rotFound++;
    // Where agreement broke the beacon makes one side final, and nodes of the other cannot go on from what they have.
    const isExcused = excuse !== undefined || this.#options.mayCrash === true || this.#watch.hasForked;
    if (this.#isHonest(index) && !isExcused)
      this.#watch.report('no-fault', `node-${index}`, fault instanceof Error ? (fault.stack ?? String(fault)) : String(fault));
    this.#theWorld.clock.schedule(SUPERVISOR_MS, () => this.#startAgain(index));
  }

  // Whatever a fault left: from now on the network is quiet and every node is up.
  #heal(): void {
    const world = this.#theWorld;
    world.chronicle.tell(WORLD, { kind: 'quiet' });
    this.#triggers.clear();
    world.links.silenced.clear();
    world.links.slower.clear();
    world.links.mutes.clear();
    Object.assign(world.links, { lossShare: 0, duplicateShare: 0, ...this.#quiet?.conditions });
    for (const disk of world.disks) Object.assign(disk.conditions, { isFull: false, syncMs: SYNC_MS });
    for (const name of world.names) world.network.setUp(name, true);
    for (const index of world.nodes.keys()) this.#startAgain(index);
  }
}
