// A world of twins and others that goes by rounds of the scenario. In each, first whoever leads proposes and all that follows is said and
// heard within the groups of the partition; then what earlier rounds held back arrives where the groups permit it; then the timers of those
// run out who are still in this round or below, and what follows of that is heard as far as the round's span permits. What does not
// get through is held back, not lost: it comes as soon as a later round joins the two.
//
// Inside a round messages arrive in the order in which they were said: orders are not enumerated.
import type { Effect } from '../../core/consensus/effects.ts';
import type { VoteKind } from '../../core/consensus/signature-sets.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { Height } from '../../core/primitives/ids.ts';
import type { QuorumCertificate } from '../../core/protocol/certificate.ts';
import { type Cast, nodeCountOf, type Partition, type RoundPlan, validatorOf } from './scenario.ts';
import { nameOfPoint, type Speech, type TwinMessage } from './speech.ts';
import { TwinNode } from './twin-node.ts';

/** Messages of one round of a scenario: more would mean that nodes answer each other for ever. */
const MESSAGES_MAX = 20_000;

/** What does not hold. */
export interface TwinsViolation {
  readonly property: 'agreement' | 'certificates' | 'validity' | 'liveness';
  readonly detail: string;
}

interface Envelope {
  readonly from: number;
  readonly to: number;
  readonly message: TwinMessage;
}

interface MissingBlock {
  readonly node: number;
  readonly hash: Uint8Array;
}

/** See the file's head. */
export class RoundWorld {
  readonly cast: Cast;
  readonly nodes: readonly TwinNode[];
  /** What was found first. */
  violation: TwinsViolation | undefined;
  round = 0;
  readonly #speech: Speech;
  #partition: Partition;
  #areVotesLate = false;
  readonly #queue: Envelope[] = [];
  #held: Envelope[] = [];
  #missing: MissingBlock[] = [];
  /** The block of each height that a node which is no twin committed. */
  readonly #committed: Map<Height, string>;
  /** The block of each round that has a certificate. */
  readonly #certified: Map<string, string>;

  private constructor(cast: Cast, speech: Speech, from: RoundWorld | undefined) {
    this.cast = cast;
    this.#speech = speech;
    this.#committed = new Map(from?.committed);
    this.#certified = new Map(from === undefined ? [] : from.#certified);
    const surroundings = {
      send: (node: TwinNode, to: number | undefined, message: TwinMessage) => this.#send(node.index, to, message),
      fetch: (node: TwinNode, hash: Uint8Array) => this.#fetch({ node: node.index, hash }),
      onCertificate: (kind: VoteKind, certificate: QuorumCertificate) => this.#onCertificate(kind, certificate),
      onEffect: (node: TwinNode, effect: Effect) => this.#onEffect(node, effect),
    };
    const indexes = Array.from({ length: nodeCountOf(cast) }, (_unused, index) => index);
    this.#partition = indexes.map(() => 0);
    this.nodes =
      from === undefined
        ? indexes.map((index) => TwinNode.begin(index, validatorOf(cast, index), speech, surroundings))
        : from.nodes.map((node) => node.copy(surroundings));
    if (from === undefined) return;
    this.round = from.round;
    this.violation = from.violation;
    this.#held = [...from.#held];
    this.#missing = [...from.#missing];
  }

  /** All nodes at the start of an instance. */
  static begin(cast: Cast, speech: Speech): RoundWorld {
    const world = new RoundWorld(cast, speech, undefined);
    for (const node of world.nodes) node.start();
    return world;
  }

  /** The same world, to be continued in another way. */
  copy(): RoundWorld {
    return new RoundWorld(this.cast, this.#speech, this);
  }

  /** Blocks by height, as those who are no twins committed them. */
  get committed(): ReadonlyMap<Height, string> {
    return this.#committed;
  }

  /** The nodes of validators without a twin. */
  get honest(): readonly TwinNode[] {
    return this.nodes.filter(({ validator }) => validator >= this.cast.twins);
  }

  /** One round of the scenario. */
  runRound({ partition, span }: RoundPlan): void {
    this.round++;
    this.#partition = partition;
    this.#areVotesLate = span === 'votes-late';
    const late = this.#held;
    this.#held = [];
    for (const node of this.nodes) node.beginRound();
    this.#settle();
    this.#queue.push(...late);
    this.#fetchMissing();
    this.#settle();
    if (span !== 'whole-round') this.#join();
    this.#fire('round');
    this.#fire('resend');
  }

  /** All that the world's future depends on, as text. */
  describe(): string {
    const held = this.#held.map(({ from, to, message }) => `${from}>${to} ${message.name}`);
    const missing = this.#missing.map(({ node, hash }) => `${node}?${bytesToHex(hash)}`);
    const certified = [...this.#certified].map(([round, block]) => `${round}=${block}`).sort();
    const committed = [...this.#committed].map(([height, block]) => `${height}:${block}`);
    const nodes = this.nodes.map((node) => node.describe());
    return [this.round, ...nodes, ...held, ...missing, ...certified, ...committed].join('\n');
  }

  // Timers run out before anything that was held back is heard: that is what makes it late.
  #join(): void {
    this.#partition = this.#partition.map(() => 0);
  }

  #fire(timer: 'round' | 'resend'): void {
    const held = this.#areVotesLate ? [] : this.#held;
    if (!this.#areVotesLate) this.#held = [];
    for (const node of this.nodes) {
      const hasGivenUp = node.state.record.lastTimeoutRound >= node.state.round;
      if (node.state.round <= this.round && hasGivenUp === (timer === 'resend')) node.fire(timer);
    }
    this.#settle();
    this.#queue.push(...held);
    this.#fetchMissing();
    this.#settle();
  }

  // Until nobody has anything left to hear, and nobody leads this round or an earlier one without having proposed.
  #settle(): void {
    for (let heard = 0; ; ) {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        invariant(heard++ < MESSAGES_MAX, 'a round of a scenario comes to an end');
        this.#carry(next);
      }
      const leaders = this.nodes.filter(({ wantedPayload }) => wantedPayload !== undefined && wantedPayload.round <= this.round);
      if (leaders.length === 0) return;
      for (const leader of leaders) leader.givePayload(); // Twins at the same time.
    }
  }

  #carry(envelope: Envelope): void {
    const { from, to, message } = envelope;
    if (this.#partition[from] !== this.#partition[to]) this.#held.push(envelope);
    else this.nodes[to]?.hear(message, from);
  }

  #send(from: number, to: number | undefined, message: TwinMessage): void {
    const isLate = this.#areVotesLate && (message.kind === 'vote' || message.kind === 'commit-vote');
    const recipients = to === undefined ? this.nodes.map(({ index }) => index) : [to];
    for (const recipient of recipients) {
      if (recipient !== from) (isLate ? this.#held : this.#queue).push({ from, to: recipient, message });
    }
  }

  // Whoever is reachable and has it answers; where nobody is, the question stays.
  #fetch(missing: MissingBlock): void {
    const asking = this.nodes[missing.node];
    invariant(asking !== undefined, 'who misses a block is a node');
    for (const { index } of this.nodes) {
      const blocks =
        index !== missing.node && this.#partition[index] === this.#partition[missing.node]
          ? this.nodes[index]?.chainTo(missing.hash, asking.state.committed.height)
          : undefined;
      if (blocks === undefined) continue;
      this.#queue.push({ from: index, to: missing.node, message: this.#speech.blocks(blocks) });
      return;
    }
    const isKnown = this.#missing.some(({ node, hash }) => node === missing.node && bytesToHex(hash) === bytesToHex(missing.hash));
    if (!isKnown) this.#missing.push(missing);
  }

  #fetchMissing(): void {
    const missing = this.#missing;
    this.#missing = [];
    for (const each of missing) this.#fetch(each);
  }

  // Of each kind: a round has at most one block with a certificate.
  #onCertificate(kind: VoteKind, { point }: QuorumCertificate): void {
    const key = `${kind} ${point.round}`;
    const block = nameOfPoint(point);
    const known = this.#certified.get(key);
    if (known === undefined) this.#certified.set(key, block);
    else if (known !== block) this.violate('certificates', `round ${point.round} has certificates of ${kind}s for two blocks`);
  }

  #onEffect(node: TwinNode, effect: Effect): void {
    if (node.validator < this.cast.twins) return;
    if (effect.kind === 'report') {
      if (effect.report === 'conflicting-commit') this.violate('agreement', `node ${node.index} holds a CC beside what it committed`);
      if (effect.report === 'certified-block-invalid') this.violate('validity', `node ${node.index} holds a QC of an invalid block`);
    }
    if (effect.kind !== 'commit') return;
    const { height } = effect.header;
    const hashHex = bytesToHex(effect.hash);
    const known = this.#committed.get(height);
    if (known === undefined) this.#committed.set(height, hashHex);
    else if (known !== hashHex) this.violate('agreement', `node ${node.index} committed another block at height ${height}`);
  }

  /** Something does not hold: what is found first counts. */
  violate(property: TwinsViolation['property'], detail: string): void {
    this.violation ??= { property, detail: `in round ${this.round}: ${detail}` };
  }
}
