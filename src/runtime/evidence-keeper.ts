// Keeps the evidence of one instance: verifies what the watch of this node or a peer has found, stores it, counts and logs it, and hands it
// on. Of each validator and kind one piece is enough, and more is not taken: so what is kept, stored and gossiped is bounded however much
// dishonest validators sign.
import { accusationOf } from '../core/consensus/evidence/accusation.ts';
import {
  decodeEvidence,
  type Evidence,
  type EvidenceKind,
  encodeEvidence,
  evidenceIdOf,
  roundOfEvidence,
} from '../core/consensus/evidence/evidence.ts';
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, Round, ValidatorIndex } from '../core/primitives/ids.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { ForwardDecision, GossipMessage, Network, PeerName } from '../network/ports.ts';
import type { EvidenceStore } from '../storage/evidence-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import type { CancelTimer, Clock, Logger, Metrics } from './ports.ts';
import type { ClaimsJudgement, VerifiedClaims } from './verified-claims.ts';

/** Pieces that are verified at once; beyond, what a peer sends is not looked at. */
const CHECKS_AT_ONCE_MAX = 16;
/** Weight of evidence that is none: nobody hands on what he has not verified. */
const BAD_EVIDENCE_WEIGHT = 20;
/** A new neighbour is told what there is, all neighbours at most this often. */
const TELL_INTERVAL_MS = 30_000;
/** Pieces told at once, the newest. */
const TOLD_MAX = 64;

/** A piece of evidence that holds. */
export interface KeptEvidence {
  readonly id: Bytes32;
  readonly kind: EvidenceKind;
  readonly round: Round;
  /** Whom it proves guilty, in ascending order. */
  readonly guilty: readonly ValidatorIndex[];
  /** The whole of it, as `decodeEvidence` reads it. */
  readonly encoded: Uint8Array;
}

/** What the keeper needs of its chain. */
export interface EvidenceKeeperDependencies {
  readonly instance: Instance;
  readonly topic: string;
  readonly network: Network;
  readonly claims: VerifiedClaims;
  readonly store: KeyValueStore;
  readonly evidenceStore: EvidenceStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A piece that holds, and is new. */
  readonly onEvidence: (instance: Instance, kept: KeptEvidence) => void;
  readonly onFault: (fault: unknown) => void;
}

/** What became of a piece of evidence. */
type EvidenceOutcome = 'kept' | 'known' | 'not-looked-at' | 'invalid';

/** See the file's head. */
export class EvidenceKeeper {
  readonly #dependencies: EvidenceKeeperDependencies;
  readonly #kept: KeptEvidence[] = [];
  readonly #accused = new Set<string>();
  #checks = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #telling: CancelTimer | undefined;
  #unheard: (() => void) | undefined;
  #stopped = false;

  private constructor(dependencies: EvidenceKeeperDependencies) {
    this.#dependencies = dependencies;
  }

  /** A keeper of what the database holds already. */
  static async open(dependencies: EvidenceKeeperDependencies): Promise<EvidenceKeeper> {
    const keeper = new EvidenceKeeper(dependencies);
    const { instance, evidenceStore } = dependencies;
    for (const encoded of await evidenceStore.readAll(instance.chain, instance.instanceId)) {
      keeper.#add(keptEvidenceOf(instance, encoded));
    }
    return keeper;
  }

  /** Begins to tell new neighbours what there is. */
  start(): void {
    this.#unheard = this.#dependencies.network.peers.onChange((_peer, connected) => {
      if (connected) this.#tellSoon();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#telling?.();
    this.#unheard?.();
  }

  /** Everything that is kept, the oldest first; what was stored before the start comes before all else. */
  list(): readonly KeptEvidence[] {
    return this.#kept;
  }

  /** True if nothing new can be said against any of these: there is evidence of this kind against each. */
  isKnown(kind: EvidenceKind, validators: readonly ValidatorIndex[]): boolean {
    return validators.every((validator) => this.#accused.has(accusedKey(kind, validator)));
  }

  /** Takes what this node has found, and tells everybody. */
  async report(evidence: Evidence): Promise<void> {
    const encoded = encodeEvidence(evidence);
    if ((await this.#take(evidence, encoded)) === 'kept' && !this.#stopped) this.#publish(encoded);
  }

  // Evidence counts if it holds and accuses somebody whom none of its kind accuses yet.
  async #take(evidence: Evidence, encoded: Uint8Array): Promise<EvidenceOutcome> {
    const { instance } = this.#dependencies;
    const accused = accusationOf(instance, evidence);
    if (!accused.ok) return 'invalid';
    const { guilty, claims, doubted } = accused.value;
    if (this.isKnown(evidence.kind, guilty)) return 'known';
    if (this.#checks >= CHECKS_AT_ONCE_MAX) return 'not-looked-at';
    this.#checks++;
    let judgement: ClaimsJudgement;
    try {
      judgement = await this.#judge(claims, doubted);
    } finally {
      this.#checks--;
    }
    if (judgement !== 'valid') return judgement;
    if (this.isKnown(evidence.kind, guilty)) return 'known'; // Meanwhile.
    const kept: KeptEvidence = { id: evidenceIdOf(encoded), kind: evidence.kind, round: roundOfEvidence(evidence), guilty, encoded };
    this.#report(kept);
    this.#add(kept);
    await this.#store(kept);
    this.#dependencies.onEvidence(instance, kept);
    return 'kept';
  }

  async #judge(claims: Parameters<VerifiedClaims['judge']>[0], doubted: Parameters<VerifiedClaims['judge']>[0]): Promise<ClaimsJudgement> {
    const { claims: verified, instance } = this.#dependencies;
    const judgement = await verified.judge(claims, instance.chain);
    if (judgement !== 'valid' || doubted.length === 0) return judgement;
    const doubt = await verified.judge(doubted, instance.chain);
    if (doubt === 'not-looked-at') return doubt;
    return doubt === 'invalid' ? 'valid' : 'invalid';
  }

  #add(kept: KeptEvidence): void {
    this.#kept.push(kept);
    for (const validator of kept.guilty) this.#accused.add(accusedKey(kept.kind, validator));
  }

  async #store({ id, encoded }: KeptEvidence): Promise<void> {
    const { store, evidenceStore, instance, onFault } = this.#dependencies;
    if (this.#stopped) return;
    try {
      await store.write(evidenceStore.put(instance.chain, instance.instanceId, id, encoded), { sync: true });
    } catch (fault) {
      onFault(fault);
    }
  }

  #report({ id, kind, round, guilty }: KeptEvidence): void {
    const { logger, metrics, instance } = this.#dependencies;
    const newly = guilty.filter((validator) => !this.isKnown(kind, [validator]));
    metrics.count('coppice_evidence_total', { chain: String(instance.chain), kind }, newly.length);
    logger.warn(
      { chain: instance.chain, epoch: instance.epoch, round, kind, validators: guilty, id: bytesToHex(id) },
      'evidence against validators',
    );
  }

  /** What others have found; that of another instance is for another keeper. */
  async receive({ data, from }: GossipMessage): Promise<ForwardDecision> {
    const decoded = decodeEvidence(data);
    if (!decoded.ok) return this.#refuse(from, decoded.reason);
    if (!bytesEqual(decoded.value.instanceId, this.#dependencies.instance.instanceId)) return 'ignore';
    const outcome = await this.#take(decoded.value, data);
    if (outcome === 'invalid') return this.#refuse(from, 'no-evidence');
    return outcome === 'kept' ? 'accept' : 'ignore';
  }

  #refuse(from: PeerName, reason: string): ForwardDecision {
    this.#dependencies.metrics.count('coppice_gossip_refused_total', { kind: 'evidence', reason });
    this.#dependencies.network.peers.misbehaved(from, reason, BAD_EVIDENCE_WEIGHT);
    return 'reject';
  }

  #tellSoon(): void {
    if (this.#kept.length === 0 || this.#telling !== undefined || this.#stopped) return;
    const { clock } = this.#dependencies;
    const delayMs = Math.max(1_000, this.#toldAtMs + TELL_INTERVAL_MS - clock.nowMs());
    this.#telling = clock.schedule(delayMs, () => {
      this.#telling = undefined;
      this.#toldAtMs = clock.nowMs();
      for (const { encoded } of this.#kept.slice(-TOLD_MAX)) this.#publish(encoded);
    });
  }

  #publish(encoded: Uint8Array): void {
    const { network, topic, logger } = this.#dependencies;
    network.pubSub.publish(topic, encoded).catch((error: unknown) => logger.warn({ error: String(error) }, 'evidence not published'));
  }
}

/** A row of our own: what it proves. */
export function keptEvidenceOf(instance: Instance, encoded: Uint8Array): KeptEvidence {
  const evidence = decodeEvidence(encoded);
  const accused = evidence.ok ? accusationOf(instance, evidence.value) : evidence;
  invariant(evidence.ok && accused.ok, 'stored evidence was verified');
  const { kind } = evidence.value;
  return { id: evidenceIdOf(encoded), kind, round: roundOfEvidence(evidence.value), guilty: accused.value.guilty, encoded };
}

function accusedKey(kind: EvidenceKind, validator: ValidatorIndex): string {
  return `${kind} ${validator}`;
}
