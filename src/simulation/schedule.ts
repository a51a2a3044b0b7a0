// One schedule: a world, clients, faults drawn from its seed, and the checks of the protocol's properties after every event. Faults are all
// over at a known moment; from then on the chain must commit again within a bound.
//
// The bound. When the last fault is over, each node waits for its round timer, at most the cap and the idle wait. Those who are behind then
// learn of the newest certificates when stuck nodes speak again (the resend interval and a journey), and fetch what they lack (a retry and
// the slowest answer). All are in one round then; its leader may be one who still fetches, which costs one more timer at the cap, and
// so may the next when leaders are drawn from an older anchor, which costs another. With everyone there a block is final after five
// journeys, and the block that makes it visible after five more and the idle wait. A dishonest validator may lead rounds and fail them all:
// with less than a third of the seats it is drawn for ten rounds in a row with a chance below one in fifty thousand.
import { sha256 } from '../core/crypto/sha256.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import type { ValidatorIndex } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { Network, PeerName } from '../network/ports.ts';
import { createSigner } from '../runtime/signer.ts';
import type { MemoryStore } from '../storage/memory-store.ts';
import { dishonest, STRATEGIES, type Strategy } from './byzantine.ts';
import { Accountability } from './checks/accountability.ts';
import { CommittedChain } from './checks/committed-chain.ts';
import { Replay } from './checks/replay.ts';
import { overheard, SignedWords } from './checks/signed-words.ts';
import type { Property, Violation } from './checks/violation.ts';
import type { End } from './disk.ts';
import { drawClockErrors, drawFaults, type EndTrigger, FAULT_KINDS, type Fault, type FaultKind, strike } from './faults.ts';
import { SeededRandom } from './random.ts';
import { createClients, fundedAccounts, Workload } from './workload.ts';
import { createWorld, inlineVerifier, type World, type WorldCrypto } from './world.ts';

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
  /** Disks say that they have synced when they have not: what no node can stand, to see that the checks see it. */
  readonly disksLie?: boolean;
  /** A third of the seats or more is dishonest: agreement and liveness may fail, and then those who broke agreement must be accused. */
  readonly isBeyondThird?: boolean;
}

/** A validator that is not honest. */
export interface DishonestValidator {
  readonly validator: ValidatorIndex;
  readonly strategy: Strategy;
}

/** What came of it. */
export interface ScheduleReport {
  readonly seed: number;
  readonly events: number;
  readonly simulatedMs: number;
  readonly blocks: number;
  readonly transactions: number;
  readonly faults: readonly Fault[];
  readonly dishonest: readonly DishonestValidator[];
  /** Faults that began, by kind. */
  readonly injected: Readonly<Record<FaultKind['kind'], number>>;
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

const START_MS = 1_700_000_000_000;
const CLIENTS = 12;
const TRANSACTIONS_PER_SECOND = 20;
const FAULTS_MIN = 3;
const FAULTS_MAX = 7;
/** Faults begin and end in this window. */
const FAULTS_UNTIL_MS = 7_000;
/** Blocks that follow the last fault before the schedule ends well. */
const BLOCKS_AFTER = 6;
/** Rounds that dishonest leaders may fail after the last fault. */
const DISHONEST_ROUNDS = 10;
/** Share of schedules in which somebody is dishonest. */
const DISHONEST_SHARE = 0.6;
/** A node that ended by itself is started again after this long, as a supervisor does. */
const SUPERVISOR_MS = 500;
const SYNC_MS = 1;
/** Time for evidence to come out after the last fault. */
const AFTERMATH_MS = 8_000;
/** As in chain-runner.ts, chain-blocks.ts and commit-writer.ts: what their own assertions hold, seen from outside. */
const MAILBOX_MAX = 8_192;
const BLOCKS_HELD_MAX = 1_024;
const COMMITS_WAITING_MAX = 4_096;

/** Timing of schedules: short timers, so that many rounds fail and many follow. */
function parametersOf(preset: NetworkParameters): NetworkParameters {
  return { ...preset, roundTimeoutMs: 600, roundTimeoutMsMax: 3_000, resendIntervalMs: 250, idleIntervalMs: 250 };
}

/** See the file's head. */
export function livenessBoundMs(parameters: NetworkParameters, latencyMs: number, hasDishonest: boolean): number {
  const { roundTimeoutMsMax, idleIntervalMs, resendIntervalMs } = parameters;
  const fetchMs = 1_000 + 4 * latencyMs;
  const roundsLost = hasDishonest ? 3 + DISHONEST_ROUNDS : 3;
  return (
    roundsLost * (roundTimeoutMsMax + idleIntervalMs) + resendIntervalMs + fetchMs + 10 * 2 * latencyMs + BLOCKS_AFTER * idleIntervalMs
  );
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
  readonly #dishonest: ReadonlyMap<ValidatorIndex, Strategy>;
  readonly #words: readonly SignedWords[];
  readonly #chain: CommittedChain;
  readonly #injected = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind['kind'], number>;
  /** What ends a node when it next writes or sends. */
  readonly #triggers = new Map<string, { readonly trigger: EndTrigger; readonly end: End }>();
  readonly #backups = new Map<number, MemoryStore>();
  readonly #mayFail = new Set<number>();
  readonly #random: SeededRandom;
  readonly #accountability: Accountability;
  #violation: Violation | undefined;
  #disagreement: Violation | undefined;
  #world: World | undefined;
  #replay: Replay | undefined;
  #latencyMs = 0;

  private constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#parameters = parametersOf(options.preset);
    this.#random = new SeededRandom(options.seed, 'schedule');
    const random = new SeededRandom(options.seed, 'faults');
    this.#faults = options.faults ?? drawFaults(random, options.nodes, random.integer(FAULTS_MIN, FAULTS_MAX), FAULTS_UNTIL_MS);
    const dishonestValidators = options.dishonest ?? drawDishonest(new SeededRandom(options.seed, 'dishonest'), options.nodes);
    this.#dishonest = new Map(dishonestValidators.map(({ validator, strategy }) => [validator, strategy]));
    this.#words = Array.from({ length: options.nodes }, (_unused, index) => new SignedWords(`node-${index}`, this.#report));
    this.#chain = new CommittedChain(this.#report);
    this.#accountability = new Accountability({
      crypto: options.crypto,
      isHonest: (validator) => this.#isHonest(validator),
      nowMs: () => this.#theWorld.clock.nowMs(),
      nodeOf: (name) => this.#world?.nodes[this.#world.names.indexOf(name)],
      report: this.#report,
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
    const workload = new Workload(
      world,
      createClients(CLIENTS, this.#options.crypto.secp256k1),
      new SeededRandom(seed, 'workload'),
      this.#options.crypto.secp256k1,
    );
    workload.start(TRANSACTIONS_PER_SECOND);
    for (const fault of this.#faults) this.#arm(fault);
    world.clock.onEvent = () => this.#check();
    world.clock.schedule(START_MS + FAULTS_UNTIL_MS - world.clock.exactMs, () => this.#heal());
    let events = await world.clock.run(START_MS + FAULTS_UNTIL_MS, () => this.#violation !== undefined);
    events += this.#options.isBeyondThird === true ? await this.#runAftermath(world) : await this.#runUntilBack(world);
    workload.stop();
    await this.#check();
    this.#accountability.conclude();
    return {
      seed,
      events,
      simulatedMs: world.clock.nowMs() - START_MS,
      blocks: this.#chain.height,
      transactions: workload.sent,
      faults: this.#faults,
      dishonest: [...this.#dishonest].map(([validator, strategy]) => ({ validator, strategy })),
      injected: this.#injected,
      violation: this.#violation,
      disagreement: this.#disagreement,
      accused: this.#accountability.accused,
      contradictions: this.#accountability.contradictions,
      eventLog: world.eventLog,
      eventLogHash: bytesToHex(sha256(new TextEncoder().encode(world.eventLog.join('\n')))),
    };
  }

  async #runUntilBack(world: World): Promise<number> {
    const healedAt = this.#chain.height;
    const boundMs = livenessBoundMs(this.#parameters, this.#latencyMs, this.#dishonest.size > 0);
    const isBack = (): boolean =>
      world.nodes.every(
        (node, index) =>
          !this.#isHonest(index) || (world.isUp(index) && node.chain.blocks.committed.facts.height >= healedAt + BLOCKS_AFTER),
      );
    const events = await world.clock.run(world.clock.nowMs() + boundMs, () => this.#violation !== undefined || isBack());
    if (this.#violation === undefined && !isBack()) this.#report('liveness', undefined, this.#describeStall(healedAt, boundMs));
    return events;
  }

  // What agreement rests on is gone: only accountability is still asked for, and that no node stops.
  async #runAftermath(world: World): Promise<number> {
    const endMs = Math.max(world.clock.nowMs(), START_MS + FAULTS_UNTIL_MS) + AFTERMATH_MS;
    const events = await world.clock.run(endMs, () => this.#violation !== undefined);
    if (this.#disagreement !== undefined) this.#accountability.requireThird(this.#disagreement.detail);
    return events;
  }

  async #build(): Promise<void> {
    const { seed, nodes, crypto } = this.#options;
    this.#latencyMs = this.#random.integer(5, 60);
    const clients = createClients(CLIENTS, crypto.secp256k1);
    const world = await createWorld({
      crypto,
      seed,
      nodes,
      startMs: START_MS,
      latencyMs: this.#latencyMs,
      lossShare: 0,
      syncMs: SYNC_MS,
      parameters: this.#parameters,
      accounts: fundedAccounts(clients),
      clockErrors: drawClockErrors(this.#random, nodes),
      twins: [...this.#dishonest].filter(([, strategy]) => strategy === 'twin').map(([validator]) => validator),
      interpose: (name, own) => this.#mouthOf(name, own),
      onFault: (index, fault) => this.#onFault(index, fault),
      onStarted: (index, node) => {
        if (!this.#isHonest(index)) return;
        this.#chain.restarted(`node-${index}`, node);
        this.#accountability.restarted(`node-${index}`);
        this.#words[index]?.remember(node.chain.runner.state.record);
      },
    });
    this.#world = world;
    for (const disk of world.disks) disk.conditions.lies = this.#options.disksLie === true;
    for (const [index, disk] of world.disks.entries()) disk.onWrite = () => void this.#atTrigger(index, 'while-writing');
    this.#replay = await Replay.begin({ genesis: world.genesis, crypto, verifier: inlineVerifier(crypto), report: this.#report });
  }

  // An honest node's network has an ear at its mouth; a dishonest one's, the strategy.
  #mouthOf(name: PeerName, own: Network): Network {
    const index = Number(/^node-(\d+)/.exec(name)?.[1]);
    const strategy = this.#dishonest.get(index);
    if (strategy === undefined)
      return overheard(
        this.#accountability.earOf(name, own),
        (message) => this.#words[index]?.hear(message),
        () => this.#atTrigger(index, 'while-sending'),
      );
    const { crypto, seed } = this.#options;
    return dishonest(strategy, own, {
      random: new SeededRandom(seed, `strategy of ${name}`),
      whisper: (to, topic, data) => this.#world?.network.whisper(name, to, topic, data),
      signer: () => {
        const [keys, node] = [this.#world?.keys[index], this.#world?.nodes[index]];
        return keys === undefined || node === undefined
          ? undefined
          : createSigner(crypto, { validator: index, ...keys }, node.chain.instance);
      },
    });
  }

  // Twins come after all validators, and none of them is.
  #isHonest(index: number): boolean {
    return index < this.#options.nodes && !this.#dishonest.has(index);
  }

  readonly #report = (property: Property, node: string | undefined, detail: string): void => {
    const violation = { property, node, detail, atMs: (this.#world?.clock.nowMs() ?? START_MS) - START_MS };
    const isFork = property === 'agreement' || (property === 'determinism' && this.#disagreement !== undefined);
    if (isFork && this.#options.isBeyondThird === true) this.#disagreement ??= violation;
    else this.#violation ??= violation;
  };

  get #theWorld(): World {
    if (this.#world === undefined) throw new Error('a schedule is prepared before it runs');
    return this.#world;
  }

  // After every event.
  async #check(): Promise<void> {
    const { nodes, names, disks } = this.#theWorld;
    for (const [index, node] of nodes.entries()) {
      if (!this.#isHonest(index) || !this.#theWorld.isUp(index)) continue;
      const [name, disk] = [names[index], disks[index]];
      if (name === undefined || disk === undefined) continue;
      this.#accountability.look(name, node);
      if (this.#disagreement !== undefined) continue; // There is no one chain any more to hold against anything.
      for (const stored of this.#chain.observe(name, node, disk.rows)) {
        await this.#replay?.follow(stored, name);
        if (this.#replay !== undefined) this.#chain.replayed(stored.place.height, this.#replay.stateRoot);
      }
      const { runner, blocks, commits } = node.chain;
      if (runner.mailboxLength > MAILBOX_MAX) this.#report('bounds', name, `${runner.mailboxLength} events wait`);
      if (blocks.size > BLOCKS_HELD_MAX) this.#report('bounds', name, `${blocks.size} blocks are held`);
      if (commits.waiting > COMMITS_WAITING_MAX) this.#report('bounds', name, `${commits.waiting} commits wait`);
    }
  }

  #arm(fault: Fault): void {
    const world = this.#theWorld;
    const { what } = fault;
    if (what.kind === 'old-backup') {
      const takenAtMs = Math.max(0, fault.fromMs - what.ageMs);
      world.clock.schedule(takenAtMs, () => {
        const disk = world.disks[what.node];
        if (disk !== undefined) this.#backups.set(what.node, disk.backup());
      });
    }
    strike(fault, {
      world,
      endWhen: (node, trigger, end) => this.#endWhen(node, trigger, end),
      backupOf: (node) => this.#backups.get(node),
      onOldCopy: (node) => this.#chain.forget(`node-${node}`),
      startAgain: (node) => this.#startAgain(node),
      onBegin: ({ what: { kind } }) => {
        this.#injected[kind]++;
        if (what.kind === 'full-disk') this.#mayFail.add(what.node);
      },
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

  // A node may stop because its disk is full, and must not for any other reason.
  #onFault(index: number, fault: unknown): void {
    if (this.#isHonest(index) && !this.#mayFail.has(index))
      this.#report('no-fault', `node-${index}`, fault instanceof Error ? (fault.stack ?? String(fault)) : String(fault));
    this.#theWorld.clock.schedule(SUPERVISOR_MS, () => this.#startAgain(index));
  }

  // Whatever a fault left: from now on the network is quiet and every node is up.
  #heal(): void {
    const world = this.#theWorld;
    this.#triggers.clear();
    world.links.silenced.clear();
    Object.assign(world.links, { lossShare: 0, duplicateShare: 0, latencyMs: this.#latencyMs, jitterMs: this.#latencyMs / 4 });
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

// In most schedules fewer than a third of the validators are dishonest, in the others none.
function drawDishonest(random: SeededRandom, nodes: number): readonly DishonestValidator[] {
  if (!random.chance(DISHONEST_SHARE)) return [];
  const most = Math.floor((nodes - 1) / 3);
  const all = Array.from({ length: nodes }, (_unused, validator) => validator);
  return random.sample(all, random.integer(1, most + 1)).map((validator) => ({ validator, strategy: random.pick(STRATEGIES) }));
}
