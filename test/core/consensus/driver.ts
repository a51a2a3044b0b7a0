// The in-memory driver: whole committees of real engines in virtual time on a bad network, from one seed. A schedule has a bad part,
// with loss, delay, reordering, duplicates, partitions, crashes between any two effects, a node that loses its disk but for the
// record, and up to f faulty validators; then the network heals, and the chain must commit again within a bounded number of rounds.
//
// A faulty validator is a pair of twins: two correct nodes with one key and two disks. Together they vote and propose twice and forget
// what they said, which covers what a Byzantine validator may do by signing.
import assert from 'node:assert/strict';
import { step } from '../../../src/core/consensus/engine.ts';
import { initialState } from '../../../src/core/consensus/state.ts';
import type { BlockHeader } from '../../../src/core/protocol/block.ts';
import type { Instance } from '../../../src/core/protocol/committee.ts';
import type { NetworkParameters } from '../../../src/core/protocol/parameters.ts';
import type { DriverCrypto } from './driver-crypto.ts';
import { forgedFrom } from './driver-forger.ts';
import { type Hits, Invariants } from './driver-invariants.ts';
import { type DriverEngine, type DriverMessage, DriverNode, type NodeWorld } from './driver-node.ts';
import { BadNetwork, Chance, HEALTHY, type NetworkQuality, VirtualTime } from './driver-world.ts';
import { PARAMETERS } from './values.ts';

/** One run of the driver. */
export interface Schedule {
  readonly seed: number;
  readonly instance: Instance;
  readonly crypto: DriverCrypto;
  readonly hits: Hits;
  /** How many of the first validators are twins. */
  readonly faulty: number;
  readonly badMs: number;
  readonly quality: NetworkQuality;
  readonly parameters?: Partial<Pick<NetworkParameters, 'leaderWindow'>>;
  /** How many messages are followed or preceded by a forgery of them. */
  readonly forgedPercent?: number;
  /** Another instance whose nodes run on the same network: neither may hear the other. */
  readonly intruders?: Instance;
  /** Heights to commit after the network healed. */
  readonly heights: number;
  /** The instance ends, and after the network healed every correct node has to hear of it; undefined to go on for ever. */
  readonly closing?: Closing;
  /** A mutant of the engine, for correct nodes. */
  readonly engine?: DriverEngine;
}

/** How an instance ends. */
export interface Closing {
  /** True if a header, which is of no carrier, is of a closing block. */
  readonly closes: (header: Pick<BlockHeader, 'height' | 'timestampMs'>) => boolean;
  /** While the network is bad, votes and certificates for the closing block and carriers are lost this often: QCs are in the hands of a few. */
  readonly withheldPercent: number;
  /** Faulty validators go on as if the closing block were an ordinary one. */
  readonly isIgnoredByFaulty: boolean;
  /** The last validator is down until all others have closed, and starts from nothing then. */
  readonly hasLateNode: boolean;
}

/** What a schedule came to. */
export interface Outcome {
  readonly committedHeight: number;
  /** From the healing until every correct node had committed the heights asked for. */
  readonly roundsToRecover: number;
}

/** After healing the chain commits again within this many rounds, whoever leads them. */
export const ROUNDS_TO_RECOVER_MAX = 20;

const REDRAW_MS = 700;
const HEALTHY_MS_MAX = 600_000;
const AFTER_THE_END_MS = 5_000;

/** Runs a schedule, asserting every invariant. */
export function runSchedule(schedule: Schedule): Outcome {
  return new World(schedule).run();
}

class World {
  readonly #schedule: Schedule;
  readonly #time = new VirtualTime();
  readonly #chance: Chance;
  readonly #network: BadNetwork;
  readonly #invariants: Invariants;
  readonly #nodes: DriverNode[] = [];
  readonly #correct: DriverNode[] = [];

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    this.#chance = new Chance(schedule.seed);
    this.#network = new BadNetwork(this.#time, this.#chance, schedule.quality);
    this.#invariants = new Invariants(schedule.hits);
    const world = this.#nodeWorld();
    for (const [index, { validator }] of schedule.instance.committee.members.entries()) {
      const isFaulty = index < schedule.faulty;
      const names = isFaulty ? [`v${validator}`, `v${validator}-twin`] : [`v${validator}`];
      for (const name of names) {
        const node = new DriverNode(name, validator, schedule.instance, world);
        this.#nodes.push(node);
        if (!isFaulty) this.#correct.push(node);
      }
    }
  }

  run(): Outcome {
    const { badMs, heights, seed, quality, intruders, closing } = this.#schedule;
    if (intruders !== undefined) this.#addIntruders(intruders);
    for (const node of this.#nodes) if (node !== this.#lateNode()) node.start();
    if (badMs > 0) {
      this.#planRedraws();
      this.#planCrashes();
      this.#time.runUntil(badMs, () => false);
    }
    this.#heal(quality);
    const roundBefore = this.#highestRound();
    const target = this.#highestCommitted() + heights;
    const isDone = (): boolean =>
      this.#punctual().every(({ state }) => (closing === undefined ? state.committed.height >= target : state.closed !== undefined));
    this.#time.runUntil(
      this.#time.nowMs + HEALTHY_MS_MAX,
      () => isDone() || this.#highestRound() > roundBefore + ROUNDS_TO_RECOVER_MAX + heights,
    );
    const roundsToRecover = this.#highestRound() - roundBefore;
    const where = this.#correct.map(({ name, state }) => `${name}@${state.committed.height}/${state.round}`).join(' ');
    assert.ok(isDone(), `seed ${seed}: no progress to ${target} after ${roundsToRecover} rounds from ${roundBefore}: ${where}`);
    if (closing !== undefined) this.#afterTheEnd();
    return { committedHeight: target, roundsToRecover };
  }

  // Who was not there hears of the end, and nobody says or does anything more.
  #afterTheEnd(): void {
    const late = this.#lateNode();
    late?.start();
    this.#time.runUntil(this.#time.nowMs + AFTER_THE_END_MS, () => false);
    assert.ok(late === undefined || late.state.closed !== undefined, `seed ${this.#schedule.seed}: the late node has not closed`);
    for (const node of this.#correct) this.#invariants.hasClosed(node);
  }

  #lateNode(): DriverNode | undefined {
    return this.#schedule.closing?.hasLateNode === true ? this.#correct.at(-1) : undefined;
  }

  #punctual(): readonly DriverNode[] {
    return this.#correct.filter((node) => node !== this.#lateNode());
  }

  #closes(node: DriverNode, header: Pick<BlockHeader, 'height' | 'timestampMs'>): boolean {
    const { closing } = this.#schedule;
    if (closing === undefined || (closing.isIgnoredByFaulty && !this.#correct.includes(node))) return false;
    return closing.closes(header);
  }

  #isWithheld(message: DriverMessage): boolean {
    const { closing, badMs } = this.#schedule;
    if (closing === undefined || this.#time.nowMs >= badMs || !this.#chance.percent(closing.withheldPercent)) return false;
    if (message.kind === 'vote' || message.kind === 'commit-vote') return this.#invariants.isClosingHeight(message.vote.point.height);
    return (
      message.kind === 'certificates' &&
      message.bundle.highestQuorumCertificate.some(({ point }) => this.#invariants.isClosingHeight(point.height))
    );
  }

  #addIntruders(instance: Instance): void {
    const world = this.#nodeWorld();
    for (const { validator } of instance.committee.members) {
      this.#nodes.push(new DriverNode(`old-v${validator}`, validator, instance, world));
    }
  }

  // Everyone is up and everything arrives; delays stay below a tenth of the round timer.
  #heal(quality: NetworkQuality): void {
    this.#network.quality = { ...HEALTHY, duplicatePercent: quality.duplicatePercent };
    this.#network.redraw(this.#nodes.map(({ name }) => name));
    for (const node of this.#nodes) {
      node.crashAfterEffects = undefined;
      if (!node.isUp && node !== this.#lateNode()) this.#restart(node, false);
    }
  }

  #planRedraws(): void {
    const redraw = (): void => {
      if (this.#time.nowMs >= this.#schedule.badMs) return;
      this.#network.redraw(this.#nodes.map(({ name }) => name));
      this.#time.schedule(REDRAW_MS, redraw);
    };
    redraw();
  }

  // One correct node may lose its disk, not more: what a quorum stored has to stay somewhere.
  #planCrashes(): void {
    const { badMs } = this.#schedule;
    const forgetful = this.#chance.pick(this.#punctual());
    const crashes = this.#chance.integer(4);
    for (let i = 0; i < crashes; i++) {
      this.#time.schedule(this.#chance.integer(badMs), () =>
        this.#crash(this.#chance.percent(40) ? forgetful : this.#chance.pick(this.#punctual()), forgetful),
      );
    }
    if (this.#chance.percent(10)) {
      this.#time.schedule(this.#chance.integer(badMs), () => {
        for (const node of this.#punctual()) this.#crash(node, undefined);
      });
    }
  }

  #crash(node: DriverNode, forgetful: DriverNode | undefined): void {
    if (!node.isUp) return;
    node.crashAfterEffects = this.#chance.integer(4);
    this.#time.schedule(200 + this.#chance.integer(1500), () => {
      if (node.isUp) node.crash();
      this.#restart(node, node === forgetful && this.#chance.percent(60));
    });
  }

  #restart(node: DriverNode, losesDisk: boolean): void {
    const { hits } = this.#schedule;
    const hasRecord = node.disk.record !== undefined;
    if (hasRecord) hits.restartsFromRecord++;
    if (losesDisk) {
      node.loseAllButTheRecord();
      if (hasRecord) hits.restartsFromRecordAlone++;
    }
    this.#invariants.restarted(node);
    node.start();
  }

  #nodeWorld(): NodeWorld {
    const { crypto, parameters } = this.#schedule;
    const isCorrect = (node: DriverNode): boolean => this.#correct.includes(node);
    return {
      time: this.#time,
      chance: this.#chance,
      crypto,
      parameters: { ...PARAMETERS, ...parameters },
      verified: new WeakMap(),
      timeStep: (run) => run(),
      payloadDelayMs: 10,
      engine: this.#schedule.engine ?? { step, initialState },
      closes: (node, header) => this.#closes(node, header),
      send: (from, to, message) => this.#send(from, to, message),
      fetch: (from, hash, aboveHeight) => this.#fetch(from, hash, aboveHeight),
      observe: (node, event, before, after, effects) => {
        if (isCorrect(node)) this.#invariants.observe(node, event, before, after, effects);
      },
      observeEffect: (node, effect) => {
        if (isCorrect(node)) this.#invariants.observeEffect(node, effect);
      },
    };
  }

  #send(from: DriverNode, to: string | undefined, message: DriverMessage): void {
    for (const node of this.#nodes) {
      if (node === from || (to !== undefined && node.name !== to) || this.#isWithheld(message)) continue;
      this.#network.carry(from.name, node.name, () => node.deliver(message, from.name));
      if (this.#chance.percent(this.#schedule.forgedPercent ?? 0)) this.#forge(message, node);
    }
  }

  // Forgeries come before and after the truth.
  #forge(message: DriverMessage, to: DriverNode): void {
    const forged = forgedFrom(message, this.#chance);
    if (forged !== undefined) this.#time.schedule(this.#chance.integer(100), () => to.deliver(forged, 'forger'));
  }

  #fetch(from: DriverNode, hash: Uint8Array, aboveHeight: number): void {
    const node = this.#chance.pick(this.#nodes);
    if (node === from) return;
    this.#network.carry(from.name, node.name, () => {
      const blocks = node.isUp ? node.chainTo(hash, aboveHeight) : undefined;
      if (blocks === undefined) return;
      this.#network.carry(node.name, from.name, () => from.deliver({ kind: 'blocks', blocks }, node.name));
    });
  }

  #highestRound(): number {
    return Math.max(...this.#correct.map(({ state }) => state.round));
  }

  #highestCommitted(): number {
    return Math.max(...this.#correct.map(({ state }) => state.committed.height));
  }
}
