// Accountability: nobody who is honest is ever accused, every piece of evidence that a node keeps is one to anybody who has the instance, and
// whoever contradicts himself in the ears of one honest node is accused by somebody before the schedule ends.
//
// The ears are a second opinion: they note every signed word that reaches an honest node in one life, by themselves and without the code
// that is checked, and compare.
import { reportedRoundOf, seatsOf } from '../../core/consensus/certificates.ts';
import { verifyEvidence } from '../../core/consensus/evidence/accusation.ts';
import { decodeEvidence } from '../../core/consensus/evidence/evidence.ts';
import { proposalClaims, proposalMessage, timeoutClaims, voteMessage } from '../../core/consensus/signature-sets.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import type { ChainId, Hex, Round, TimestampMs, ValidatorIndex } from '../../core/primitives/ids.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import { type Committee, type Instance, includesHonest } from '../../core/protocol/committee.ts';
import type { Timeout } from '../../core/protocol/vote.ts';
import type { Network } from '../../network/ports.ts';
import type { Chain } from '../../node/create-chain.ts';
import type { Node } from '../../node/create-node.ts';
import type { KnownEvidence } from '../../rpc/ports.ts';
import { type ConsensusMessage, instanceIdOf } from '../../runtime/consensus-codec.ts';
import { verifyJobs } from '../../runtime/signature-verifier-tasks.ts';
import { chainsOf } from '../chains-of.ts';
import { readableOf } from '../messages.ts';
import { hearing } from '../speaking.ts';
import type { WorldCrypto } from '../world.ts';
import type { Report } from './violation.ts';

/** A node may take so long to verify a suspicion and to store what comes of it, or end before. */
const LOOKED_INTO_MS = 1_000;
/** Below what a detector remembers, and above what it hears of: in between everything must be found. */
const ROUNDS_BEHIND = 60;
const ROUNDS_AHEAD = 4;

interface Word {
  readonly kind: 'proposal' | 'vote' | 'commit-vote';
  readonly round: Round;
  readonly validator: ValidatorIndex;
  readonly hashHex: string;
  readonly isSigned: (instance: Instance) => boolean;
  /** Nobody need remember it when false: a block that is wrong on its face, which nobody may vote for. */
  readonly isInOrder: (instance: Instance) => boolean;
}

interface TimeoutWord {
  readonly round: Round;
  /** Of the highest QC that it reports. */
  readonly reportedRound: Round;
}

interface Contradiction {
  readonly what: string;
  readonly validator: ValidatorIndex;
  readonly dueMs: TimestampMs;
}

/** What one node heard in one life of one instance, as long as it ran the instance. */
interface Life {
  /** By kind, round and validator: the first word of that name that was signed. */
  readonly words: Map<string, Word>;
  /** By validator, as they came. */
  readonly timeouts: Map<ValidatorIndex, TimeoutWord[]>;
  readonly contradictions: Contradiction[];
  /** Pieces of evidence that were judged. */
  looked: number;
}

/** What the check needs of its world. */
export interface AccountabilityOptions {
  readonly crypto: WorldCrypto;
  readonly isHonest: (validator: ValidatorIndex) => boolean;
  readonly nowMs: () => TimestampMs;
  /** The newest composition of a node; undefined before there is one. */
  readonly nodeOf: (name: string) => Node | undefined;
  readonly report: Report;
}

/** See the file's head. */
export class Accountability {
  readonly #options: AccountabilityOptions;
  /** By node, then by instance. */
  readonly #lives = new Map<string, Map<Hex, Life>>();
  readonly #due: Contradiction[] = [];
  readonly #accused = new Set<ValidatorIndex>();
  /** By chain: the committee of the newest instance. */
  readonly #committees = new Map<ChainId, Committee>();

  constructor(options: AccountabilityOptions) {
    this.#options = options;
  }

  /** Whom evidence was kept against by some honest node. */
  get accused(): readonly ValidatorIndex[] {
    return [...this.#accused].sort((a, b) => a - b);
  }

  /** Contradictions that one honest node heard and had the time to look into. */
  get contradictions(): number {
    return this.#due.length;
  }

  /** Looks at what a node keeps, after an event. */
  look(name: string, node: Node): void {
    const lives = this.#livesOf(name);
    const running = chainsOf(node);
    for (const { instance, evidence } of running) {
      const life = lifeIn(lives, instance);
      const kept = evidence.list();
      if (kept.length === life.looked) continue;
      this.#committees.set(instance.chain, instance.committee);
      for (const piece of kept.slice(life.looked)) this.#judge(name, instance, piece);
      life.looked = kept.length;
    }
    // Of an instance that is over here nobody looks into anything any more.
    if (lives.size === running.length) return;
    for (const [instanceId, life] of lives) {
      if (running.some(({ instance }) => nameOf(instance) === instanceId)) continue;
      this.#concludeLife(life);
      lives.delete(instanceId);
    }
  }

  #judge(name: string, instance: Instance, { encoded, kind, guilty }: KnownEvidence): void {
    const decoded = decodeEvidence(encoded);
    const verdict = decoded.ok ? verifyEvidence(instance, decoded.value, this.#options.crypto.bls) : decoded;
    if (!verdict.ok) this.#options.report('accountability', name, `keeps ${kind} that is no evidence: ${verdict.reason}`);
    for (const validator of guilty) {
      this.#accused.add(validator);
      if (this.#options.isHonest(validator))
        this.#options.report('accountability', name, `accuses ${validator}, who is honest, of ${kind} in chain ${instance.chain}`);
    }
  }

  /** A node begins another life: what it heard in the last is gone, unless it had the time to look into it. */
  restarted(name: string): void {
    this.#conclude(name);
    this.#lives.delete(name);
  }

  /** At the end: whoever contradicted himself must be accused. */
  conclude(): void {
    for (const name of [...this.#lives.keys()]) this.#conclude(name);
    for (const { what, validator } of this.#due)
      if (!this.#accused.has(validator)) this.#options.report('accountability', undefined, `${what}, and nobody accuses ${validator}`);
  }

  /** Agreement broke: a third of the seats must be accused. */
  requireThird(disagreement: string): void {
    const isThird = (committee: Committee): boolean =>
      includesHonest(seatsOf(committee.members.filter(({ validator }) => this.#accused.has(validator))), committee);
    if (![...this.#committees.values()].some(isThird))
      this.#options.report('accountability', undefined, `${disagreement}; accused are only: ${this.accused.join(', ')}`);
  }

  /** The network of an honest node with an ear at everything that reaches it. */
  earOf(name: string, own: Network): Network {
    return hearing(own, (topic, data) => {
      if (topic.includes('/consensus/')) this.#hear(name, data);
    });
  }

  #hear(name: string, data: Uint8Array): void {
    const node = this.#options.nodeOf(name);
    if (node === undefined) return;
    const running = chainsOf(node);
    for (const message of readableOf(data)) {
      if (this.#options.isHonest(speakerOf(message) ?? -1)) continue;
      const instanceId = instanceIdOf(message);
      const chain = running.find(({ instance }) => bytesEqual(instance.instanceId, instanceId));
      if (chain !== undefined) this.#hearIn(name, chain, message);
    }
  }

  #hearIn(name: string, { instance, runner }: Chain, message: ConsensusMessage): void {
    const ownRound = runner.state.round;
    const oldest = Math.max(1, ownRound - ROUNDS_BEHIND);
    const isNear = (round: Round): boolean => round >= oldest && round <= ownRound + ROUNDS_AHEAD;
    if (message.kind === 'timeout') {
      if (isNear(message.timeout.round)) this.#compareTimeout(name, instance, message.timeout, oldest);
      return;
    }
    const word = this.#wordOf(message);
    if (word !== undefined && isNear(word.round)) this.#compare(name, instance, word);
  }

  #compare(name: string, instance: Instance, word: Word): void {
    const life = lifeIn(this.#livesOf(name), instance);
    const { kind, round, validator } = word;
    const key = keyOf(kind, round, validator);
    const before = life.words.get(key);
    if (before?.hashHex === word.hashHex || !word.isSigned(instance)) return;
    if (before !== undefined) return this.#contradicts(life, validator, `${name} heard two of ${kind} of round ${round} by ${validator}`);
    if (!word.isInOrder(instance)) return;
    life.words.set(key, word);
    if (kind !== 'commit-vote') return;
    for (const timeout of life.timeouts.get(validator) ?? [])
      if (isBrokenBy(timeout, round)) this.#contradicts(life, validator, brokenTimeout(name, validator, timeout, round));
  }

  // Who times out reports the highest QC that he holds, so none of his commit votes up to that round is of a higher one.
  #compareTimeout(name: string, instance: Instance, timeout: Timeout, oldest: Round): void {
    const life = lifeIn(this.#livesOf(name), instance);
    const { validator, round } = timeout;
    const word = { round, reportedRound: reportedRoundOf(timeout) };
    const before = life.timeouts.get(validator) ?? [];
    if (before.some((each) => each.round === round && each.reportedRound === word.reportedRound)) return;
    const claims = timeoutClaims(instance, timeout);
    if (!claims.ok || verifyJobs(this.#options.crypto.bls, [claims.value])[0] !== true) return;
    life.timeouts.set(validator, [...before, word]);
    for (let voted = Math.max(oldest, word.reportedRound + 1); voted <= round; voted++)
      if (life.words.has(keyOf('commit-vote', voted, validator)))
        this.#contradicts(life, validator, brokenTimeout(name, validator, word, voted));
  }

  #contradicts(life: Life, validator: ValidatorIndex, what: string): void {
    life.contradictions.push({ what, validator, dueMs: this.#options.nowMs() + LOOKED_INTO_MS });
  }

  #livesOf(name: string): Map<Hex, Life> {
    const lives = this.#lives.get(name) ?? new Map<Hex, Life>();
    this.#lives.set(name, lives);
    return lives;
  }

  #conclude(name: string): void {
    for (const life of this.#livesOf(name).values()) this.#concludeLife(life);
  }

  #concludeLife({ contradictions }: Life): void {
    this.#due.push(...contradictions.filter(({ dueMs }) => dueMs <= this.#options.nowMs()));
  }

  #wordOf(message: ConsensusMessage): Word | undefined {
    const { bls } = this.#options.crypto;
    switch (message.kind) {
      case 'proposal': {
        const { header, signature } = message.proposal;
        const hash = blockHashOf(header);
        const isSigned = (instance: Instance): boolean =>
          verifies(instance, header.proposer, (key) => bls.verify(key, proposalMessage(instance, hash), signature));
        const isInOrder = (instance: Instance): boolean => {
          const claims = proposalClaims(instance, header, hash, signature);
          return claims.ok && verifyJobs(bls, [claims.value])[0] === true;
        };
        return { kind: 'proposal', round: header.round, validator: header.proposer, hashHex: bytesToHex(hash), isSigned, isInOrder };
      }
      case 'vote':
      case 'commit-vote': {
        const { kind, vote } = message;
        const { point, validator, signature } = vote;
        const isSigned = (instance: Instance): boolean =>
          verifies(instance, validator, (key) => bls.verify(key, voteMessage(instance, kind, point), signature));
        return { kind, round: point.round, validator, hashHex: bytesToHex(point.blockHash), isSigned, isInOrder: () => true };
      }
      case 'timeout':
      case 'certificates':
        return undefined;
    }
  }
}

const instanceNames = new WeakMap<Instance, Hex>();

// Asked for after every event.
function nameOf(instance: Instance): Hex {
  const known = instanceNames.get(instance);
  if (known !== undefined) return known;
  const name = bytesToHex(instance.instanceId);
  instanceNames.set(instance, name);
  return name;
}

function lifeIn(lives: Map<Hex, Life>, instance: Instance): Life {
  const name = nameOf(instance);
  const life: Life = lives.get(name) ?? { words: new Map(), timeouts: new Map(), contradictions: [], looked: 0 };
  lives.set(name, life);
  return life;
}

/** Who signed it; undefined of what nobody signs, and of what is compared with nothing. */
function speakerOf(message: ConsensusMessage): ValidatorIndex | undefined {
  if (message.kind === 'proposal') return message.proposal.header.proposer;
  if (message.kind === 'timeout') return message.timeout.validator;
  return message.kind === 'vote' || message.kind === 'commit-vote' ? message.vote.validator : undefined;
}

function keyOf(kind: Word['kind'], round: Round, validator: ValidatorIndex): string {
  return `${kind} ${round} ${validator}`;
}

function isBrokenBy({ round, reportedRound }: TimeoutWord, votedRound: Round): boolean {
  return votedRound <= round && votedRound > reportedRound;
}

function brokenTimeout(name: string, validator: ValidatorIndex, { round, reportedRound }: TimeoutWord, votedRound: Round): string {
  return `${name} heard the timeout of round ${round} by ${validator} with a QC of ${reportedRound}, and the commit vote of ${votedRound}`;
}

function verifies({ committee }: Instance, validator: ValidatorIndex, check: (publicKey: Uint8Array) => boolean): boolean {
  const member = committee.members.find((each) => each.validator === validator);
  return member !== undefined && check(member.blsPublicKey);
}
