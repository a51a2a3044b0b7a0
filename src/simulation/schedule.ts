// One schedule: a world, clients, faults drawn from its seed, and the checks of the protocol's properties after every event. Faults are all
// over at a known moment; from then on the chain must commit again within a bound (liveness-bound.ts).
import { sha256 } from '../core/crypto/sha256.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { isError } from '../core/primitives/errors.ts';
import type { Hex, ValidatorIndex } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { Network, PeerName } from '../network/ports.ts';
import type { ConsensusMessage } from '../runtime/consensus-codec.ts';
import type { MemoryStore } from '../storage/memory-store.ts';
import { type DishonestValidator, dishonest, drawDishonest, type Strategy } from './adversaries/strategies.ts';
import { toolsFor } from './adversaries/tools.ts';
import { CertifiedChain } from './checks/certified-chain.ts';
import { ClientReads } from './checks/client-reads.ts';
import { CommittedChain } from './checks/committed-chain.ts';
import { NodeResults } from './checks/node-results.ts';
import { Replay } from './checks/replay.ts';
import { overheard, SignedWords } from './checks/signed-words.ts';
import type { Property, Violation } from './checks/violation.ts';
import type { End } from './disk.ts';
import { backupAgeMs, drawClockErrors, drawFaults, type EndTrigger, FAULT_KINDS, type Fault, type FaultKind, strike } from './faults.ts';
import { BLOCKS_AFTER, livenessBoundMs } from './liveness-bound.ts';
import { drawQuietLinks, type QuietLinks } from './quiet-links.ts';
import { SeededRandom } from './random.ts';
import { type Answer, type HeadNews, Readers } from './readers.ts';
import { WORLD } from './timeline/story.ts';
import { createClients, fundedAccounts, Workload } from './workload.ts';
import { createWorld, type World, type WorldCrypto } from './world.ts';

/** What a schedule is made of. */
export interface ScheduleOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly crypto: WorldCrypto;
  /** Preset that the schedule's own timing stands over. */
  readonly preset: NetworkParameters;
  /** Instead of faults drawn from the seed. */
  readonly faults?: readonly Fault[];
  /** Instead of dishonest validators drawn from the seed. */
  readonly dishonest?: readonly DishonestValidator[];
  /** One more dishonest validator, with a strategy of its own making. */
  readonly forger?: Forger;
  /** Told of the world before it runs: what else acts in it. */
  readonly onWorld?: (world: World) => void;
  /**
   * A node that cannot go on is no violation by itself: it is started again, and what users of the chain see of it counts. For rules that
   * are broken on purpose, which the node's own assertions often meet first.
   */
  readonly mayCrash?: boolean;
  /** Disks say that they have synced when they have not: what no node can stand, to see that the checks see it. */
  readonly disksLie?: boolean;
  /** What clients are told instead: what no node may say, to see that the checks see it. */
  readonly tamper?: { readonly answer: (answer: Answer) => Answer; readonly head: (news: HeadNews) => HeadNews };
  /** When faults are over and the chain must recover; 7 s when absent. */
  readonly faultsUntilMs?: number;
  /** On average; 20 when absent. */
  readonly transactionsPerSecond?: number;
  /** No clock is wrong. */
  readonly exactClocks?: boolean;
}

/** A validator whose network somebody else has in hand. `world` is undefined while it is being made. */
export interface Forger {
  readonly validator: ValidatorIndex;
  readonly interpose: (own: Network, world: () => World | undefined, crypto: WorldCrypto) => Network;
}

/** What came of it. */
export interface ScheduleReport {
  readonly seed: number;
  readonly events: number;
  readonly simulatedMs: number;
  readonly blocks: number;
  readonly transactions: number;
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
  /** Offences that nodes counted, over all their lives, by reason. */
  readonly misbehaviour: Readonly<Record<string, number>>;
  /** The first one ends the schedule. */
  readonly violation: Violation | undefined;
  readonly eventLog: readonly string[];
  readonly eventLogHash: string;
}

/** When the world of every schedule begins. */
export const START_MS = 1_700_000_000_000;
const CLIENTS = 12;
/** What clients send when a schedule does not say. */
export const TRANSACTIONS_PER_SECOND = 20;
const READS_PER_SECOND = 15;
const FAULTS_MIN = 3;
const FAULTS_MAX = 7;
/** Faults begin and end in this window when a schedule does not say. */
export const FAULTS_UNTIL_MS = 7_000;
/** A node that ended by itself is started again after this long, as a supervisor does. */
const SUPERVISOR_MS = 500;
const SYNC_MS = 1;
/** Far above what a schedule takes: more are a loop that never comes to its end. */
const EVENTS_MAX = 500_000;
/** As in chain-runner.ts, chain-blocks.ts and commit-writer.ts: what their own assertions hold, seen from outside. */
const MAILBOX_MAX = 8_192;
const BLOCKS_HELD_MAX = 1_024;
const COMMITS_WAITING_MAX = 4_096;

/** Timing of schedules: short timers, so that many rounds fail and many follow. */
function parametersOf(preset: NetworkParameters): NetworkParameters {
  return { ...preset, roundTimeoutMs: 600, roundTimeoutMsMax: 3_000, resendIntervalMs: 250, idleIntervalMs: 250 };
}

/** Runs a schedule to its end, or to the first violation. */
export async function runSchedule(options: ScheduleOptions): Promise<ScheduleReport> {
  const run = await ScheduleRun.prepare(options);
  return run.run();
}

class ScheduleRun {
  readonly #options: ScheduleOptions;
  readonly #parameters: NetworkParameters;
  readonly #faults: readonly Fault[];
  readonly #dishonestValidators: readonly DishonestValidator[];
  readonly #dishonest: ReadonlyMap<ValidatorIndex, Strategy>;
  readonly #words: readonly SignedWords[];
  readonly #chain: CommittedChain;
  readonly #injected = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind['kind'], number>;
  /** What ends a node when it next writes or sends. */
  readonly #triggers = new Map<string, { readonly trigger: EndTrigger; readonly end: End }>();
  /** Blocks that dishonest leaders got wrong, by hash. */
  readonly #wrongBlocks = new Set<Hex>();
  readonly #backups = new Map<Fault, MemoryStore>();
  readonly #mayFail = new Set<number>();
  readonly #mayBeCorrupt = new Set<number>();
  readonly #random: SeededRandom;
  /** What clients were told in the event under way: judged once the replay is there. */
  readonly #answers: Answer[] = [];
  readonly #headNews: HeadNews[] = [];
  #reads: ClientReads | undefined;
  #readers: Readers | undefined;
  #rotFound = 0;
  readonly #faultsUntilMs: number;
  #violation: Violation | undefined;
  #world: World | undefined;
  #replay: Replay | undefined;
  #certified: CertifiedChain | undefined;
  #results: NodeResults | undefined;
  #events = 0;
  #quiet: QuietLinks | undefined;

  private constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#parameters = parametersOf(options.preset);
    this.#faultsUntilMs = options.faultsUntilMs ?? FAULTS_UNTIL_MS;
    this.#random = new SeededRandom(options.seed, 'schedule');
    const random = new SeededRandom(options.seed, 'faults');
    this.#faults = options.faults ?? drawFaults(random, options.nodes, random.integer(FAULTS_MIN, FAULTS_MAX), this.#faultsUntilMs);
    this.#dishonestValidators = options.dishonest ?? drawDishonest(new SeededRandom(options.seed, 'dishonest'), options.nodes);
    this.#dishonest = new Map(this.#dishonestValidators.map(({ validator, strategy }) => [validator, strategy]));
    this.#words = Array.from({ length: options.nodes }, (_unused, index) => new SignedWords(`node-${index}`, this.#report));
    this.#chain = new CommittedChain(this.#report);
  }

  static async prepare(options: ScheduleOptions): Promise<ScheduleRun> {
    const run = new ScheduleRun(options);
    await run.#build();
    return run;
  }

  async run(): Promise<ScheduleReport> {
    const world = this.#theWorld;
    const { seed } = this.#options;
    const workload = new Workload(
      world,
      createClients(CLIENTS, this.#options.crypto.secp256k1),
      new SeededRandom(seed, 'workload'),
      this.#options.crypto.secp256k1,
    );
    workload.start(this.#options.transactionsPerSecond ?? TRANSACTIONS_PER_SECOND);
    this.#readers?.start(READS_PER_SECOND);
    this.#options.onWorld?.(world);
    for (const fault of this.#faults) this.#arm(fault);
    world.clock.onEvent = () => this.#check();
    world.clock.schedule(START_MS + this.#faultsUntilMs - world.clock.exactMs, () => this.#heal());
    let events = await world.clock.run(START_MS + this.#faultsUntilMs, () => this.#violation !== undefined);
    const healedAt = this.#chain.height;
    const boundMs = livenessBoundMs(this.#parameters, this.#quiet?.slowestMs ?? 0, this.#hasDishonest);
    const isBack = (): boolean =>
      world.nodes.every(
        (node, index) =>
          !this.#isHonest(index) || (world.isUp(index) && node.chain.blocks.committed.facts.height >= healedAt + BLOCKS_AFTER),
      );
    events += await world.clock.run(world.clock.nowMs() + boundMs, () => this.#violation !== undefined || isBack());
    if (this.#violation === undefined && !isBack()) this.#report('liveness', undefined, this.#describeStall(healedAt, boundMs));
    workload.stop();
    this.#readers?.stop();
    await this.#check();
    return {
      seed,
      events,
      simulatedMs: world.clock.nowMs() - START_MS,
      blocks: this.#chain.height,
      transactions: workload.sent,
      reads: this.#reads?.checked ?? 0,
      items: this.#replay?.items ?? {},
      faults: this.#faults,
      dishonest: this.#dishonestValidators,
      injected: this.#injected,
      links: this.#quiet?.kind ?? 'uniform',
      rotFound: this.#rotFound,
      misbehaviour: world.network.offences(),
      violation: this.#violation,
      eventLog: world.eventLog,
      eventLogHash: bytesToHex(sha256(new TextEncoder().encode(world.eventLog.join('\n')))),
    };
  }

  async #build(): Promise<void> {
    const { seed, nodes, crypto } = this.#options;
    const latencyMs = this.#random.integer(5, 60);
    this.#quiet = drawQuietLinks(new SeededRandom(seed, 'quiet links'), latencyMs);
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
      accounts: fundedAccounts(clients),
      clockErrors: this.#options.exactClocks === true ? [] : drawClockErrors(this.#random, nodes),
      twins: [...this.#dishonest].filter(([, strategy]) => strategy === 'twin').map(([validator]) => validator),
      interpose: (name, own) => this.#mouthOf(name, own),
      onFault: (index, fault) => this.#onFault(index, fault),
      onStarted: (index, node) => {
        if (!this.#isHonest(index)) return;
        this.#chain.restarted(`node-${index}`, node);
        this.#words[index]?.remember(node.chain.runner.state.record);
      },
    });
    this.#world = world;
    Object.assign(world.links, this.#quiet.conditions);
    world.chronicle.tell(WORLD, { kind: 'world', nodes: world.names, dishonest: this.#dishonestValidators });
    for (const disk of world.disks) disk.conditions.lies = this.#options.disksLie === true;
    for (const [index, disk] of world.disks.entries()) disk.onWrite = () => void this.#atTrigger(index, 'while-writing');
    this.#replay = await Replay.begin({ genesis: world.genesis, crypto, report: this.#report });
    this.#certified = new CertifiedChain(this.#replay.instance, crypto.bls, this.#report);
    this.#results = new NodeResults(world.genesis, this.#report);
    this.#reads = new ClientReads({
      report: this.#report,
      truth: this.#replay,
      nameOf: (index) => `node-${index}`,
      mayFail: (index) => this.#mayFail.has(index) || this.#mayBeCorrupt.has(index),
    });
    this.#readers = new Readers({
      world,
      random: new SeededRandom(seed, 'readers'),
      addresses: clients.map(({ address }) => address),
      blockAt: (number) => this.#replay?.viewAt(number),
      isHonest: (index) => this.#isHonest(index),
      onAnswer: (answer) => this.#answers.push(this.#options.tamper?.answer(answer) ?? answer),
      onHead: (news) => this.#headNews.push(this.#options.tamper?.head(news) ?? news),
    });
  }

  // An honest node's network has an ear at its mouth; a dishonest one's, the strategy.
  #mouthOf(name: PeerName, own: Network): Network {
    const index = Number(/^node-(\d+)/.exec(name)?.[1]);
    const { forger } = this.#options;
    if (index === forger?.validator) return forger.interpose(own, () => this.#world, this.#options.crypto);
    const strategy = this.#dishonest.get(index);
    if (strategy === undefined)
      return overheard(
        own,
        (message) => {
          this.#words[index]?.hear(message, this.#world?.disks[index]?.recordFile);
          this.#judgeVote(name, message);
        },
        () => this.#atTrigger(index, 'while-sending'),
      );
    const { crypto, seed } = this.#options;
    const tools = toolsFor({
      name,
      validator: index,
      seed,
      crypto,
      world: () => this.#world,
      isHonest: (other) => this.#isHonest(other),
      faultsEndMs: START_MS + FAULTS_UNTIL_MS,
      toldWrong: (hashHex) => this.#wrongBlocks.add(hashHex),
    });
    return dishonest(strategy, own, tools);
  }

  // What a liar signed although it is not valid gets no vote.
  #judgeVote(name: string, message: ConsensusMessage): void {
    if (message.kind !== 'vote' || this.#wrongBlocks.size === 0) return;
    const hashHex = bytesToHex(message.vote.point.blockHash);
    if (this.#wrongBlocks.has(hashHex)) this.#report('validity', name, `voted for ${hashHex}, which is not valid`);
  }

  // Twins come after all validators.
  #isHonest(index: number): boolean {
    return index < this.#options.nodes && !this.#dishonest.has(index) && index !== this.#options.forger?.validator;
  }

  get #hasDishonest(): boolean {
    return this.#dishonest.size > 0 || this.#options.forger !== undefined;
  }

  readonly #report = (property: Property, node: string | undefined, detail: string): void => {
    if (this.#violation !== undefined) return;
    this.#violation = { property, node, detail, atMs: (this.#world?.clock.nowMs() ?? START_MS) - START_MS };
    this.#world?.chronicle.tell(WORLD, { kind: 'violation', property, ...(node === undefined ? {} : { node }), detail });
  };

  get #theWorld(): World {
    if (this.#world === undefined) throw new Error('a schedule is prepared before it runs');
    return this.#world;
  }

  // After every event.
  async #check(): Promise<void> {
    const { nodes, names, disks, chronicle } = this.#theWorld;
    if (++this.#events === EVENTS_MAX) this.#report('liveness', undefined, `${EVENTS_MAX} events, and no end of them`);
    for (const [index, node] of nodes.entries()) {
      if (!this.#theWorld.isUp(index)) continue;
      chronicle.look(names[index] as PeerName, node);
      if (!this.#isHonest(index)) continue;
      const [name, disk] = [names[index], disks[index]];
      if (name === undefined || disk === undefined) continue;
      for (const stored of this.#chain.observe(name, node, disk.rows)) {
        await this.#replay?.follow(stored, name);
        this.#results?.touched(this.#replay?.newestChanges?.accounts ?? []);
        this.#results?.observe(name, node, disk.rows);
        if (this.#replay !== undefined) this.#chain.replayed(stored.place.height, this.#replay.stateRoot);
      }
      this.#results?.observe(name, node, disk.rows);
      this.#certified?.observe(name, node, disk.rows);
      const { runner, blocks, commits } = node.chain;
      if (runner.mailboxLength > MAILBOX_MAX) this.#report('bounds', name, `${runner.mailboxLength} events wait`);
      if (blocks.size > BLOCKS_HELD_MAX) this.#report('bounds', name, `${blocks.size} blocks are held`);
      if (commits.waiting > COMMITS_WAITING_MAX) this.#report('bounds', name, `${commits.waiting} commits wait`);
    }
    this.#judgeReads();
  }

  #judgeReads(): void {
    for (const news of this.#headNews.splice(0)) this.#reads?.headSeen(news);
    for (const answer of this.#answers.splice(0)) this.#reads?.answered(answer);
  }

  #arm(fault: Fault): void {
    const world = this.#theWorld;
    const { what } = fault;
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
        this.#chain.forget(`node-${node}`);
        this.#reads?.forget(node);
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

  // A node may stop because its disk is full, or because it reads what has rotted and says so, and must not for any other reason.
  #onFault(index: number, fault: unknown): void {
    const isRotFound = this.#mayBeCorrupt.has(index) && isError(fault, 'storage/corrupt');
    if (isRotFound) this.#rotFound++;
    if (this.#isHonest(index) && !isRotFound && !this.#mayFail.has(index) && this.#options.mayCrash !== true)
      this.#report('no-fault', `node-${index}`, fault instanceof Error ? (fault.stack ?? String(fault)) : String(fault));
    this.#theWorld.clock.schedule(SUPERVISOR_MS, () => this.#startAgain(index));
  }

  // Whatever a fault left: from now on the network is quiet and every node is up.
  #heal(): void {
    const world = this.#theWorld;
    world.chronicle.tell(WORLD, { kind: 'quiet' });
    this.#triggers.clear();
    world.links.silenced.clear();
    world.links.slower.clear();
    Object.assign(world.links, { lossShare: 0, duplicateShare: 0, ...this.#quiet?.conditions });
    for (const disk of world.disks) Object.assign(disk.conditions, { isFull: false, syncMs: SYNC_MS });
    for (const name of world.names) world.network.setUp(name, true);
    for (const index of world.nodes.keys()) this.#startAgain(index);
  }

  #describeStall(healedAt: number, boundMs: number): string {
    const world = this.#theWorld;
    const where = world.nodes.map((node, index) => {
      const { runner, blocks } = node.chain;
      return `${world.names[index]} ${world.isUp(index) ? 'up' : 'down'} at height ${blocks.committed.facts.height}, round ${runner.state.round}`;
    });
    return `${BLOCKS_AFTER} blocks after ${healedAt} were not committed by all within ${boundMs} ms: ${where.join('; ')}`;
  }
}
