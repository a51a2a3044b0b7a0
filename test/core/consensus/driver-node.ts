// One node of the in-memory driver: the engine and the vote pool as a runner would drive them, with a disk that survives crashes and
// crashes that come between any two effects.

import { type BlockRole, isCarrier, parentHeightOf } from '../../../src/core/consensus/block-role.ts';
import { certificateOf, timeoutCertificateOf } from '../../../src/core/consensus/certificates.ts';
import type { ClosedInstance } from '../../../src/core/consensus/closed-instance.ts';
import type { Effect } from '../../../src/core/consensus/effects.ts';
import type { step } from '../../../src/core/consensus/engine.ts';
import { type ConsensusEvent, eventsOfBundle } from '../../../src/core/consensus/events.ts';
import { type ChainPoint, leaderOf } from '../../../src/core/consensus/leader.ts';
import type { SigningRecord } from '../../../src/core/consensus/record.ts';
import {
  areValid,
  bundleClaims,
  proposalClaims,
  proposalMessage,
  type SignatureClaims,
  timeoutClaims,
  timeoutMessage,
  voteMessage,
} from '../../../src/core/consensus/signature-sets.ts';
import type { ConsensusState, initialState, StoredBlock } from '../../../src/core/consensus/state.ts';
import {
  addVote,
  advanceVotePool,
  emptyVotePool,
  settleOne,
  settleTogether,
  type VotePool,
  type VoteWork,
  voteBoundsOf,
} from '../../../src/core/consensus/vote-pool.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes, ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import type { BlockHeader } from '../../../src/core/protocol/block.ts';
import type { BlockPoint } from '../../../src/core/protocol/certificate.ts';
import type { Instance } from '../../../src/core/protocol/committee.ts';
import type { CertificateBundle, Timeout, Vote } from '../../../src/core/protocol/vote.ts';
import type { DriverCrypto } from './driver-crypto.ts';
import type { Chance, VirtualTime } from './driver-world.ts';
import { EMPTY_EXECUTION } from './values.ts';

/** What nodes say to each other. Objects instead of bytes; whoever gets one verifies it. */
export type DriverMessage =
  | { readonly kind: 'proposal'; readonly header: BlockHeader; readonly hash: Uint8Array; readonly signature: Uint8Array }
  | { readonly kind: 'vote' | 'commit-vote'; readonly vote: Vote }
  | { readonly kind: 'timeout'; readonly timeout: Timeout }
  | { readonly kind: 'certificates'; readonly bundle: CertificateBundle }
  | { readonly kind: 'blocks'; readonly blocks: readonly { readonly hash: Uint8Array; readonly header: BlockHeader }[] };

/** What a node runs. */
export interface DriverEngine {
  readonly step: typeof step;
  readonly initialState: typeof initialState;
}

/** What a node needs of its world. */
export interface NodeWorld {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly crypto: DriverCrypto;
  readonly parameters: Parameters<typeof initialState>[0]['parameters'];
  /** Broadcasts to all others, or sends to one. */
  readonly send: (from: DriverNode, to: string | undefined, message: DriverMessage) => void;
  /** Asks another node for a block and its ancestors above a height. */
  readonly fetch: (from: DriverNode, hash: Uint8Array, aboveHeight: number) => void;
  /** Sees each step, for the invariants and the count of hits. */
  readonly observe: (
    node: DriverNode,
    event: ConsensusEvent,
    before: ConsensusState,
    after: ConsensusState,
    effects: readonly Effect[],
  ) => void;
  /** Sees each effect that is carried out. */
  readonly observeEffect: (node: DriverNode, effect: Effect) => void;
  /** Verification is a pure function of the message, so it is done once for all nodes; undefined to have each do it. */
  readonly verified: WeakMap<object, boolean> | undefined;
  /** The engine as it is, or a mutant of it. */
  readonly engine: DriverEngine;
  /** True if the node takes the header, which is of no carrier, for that of a closing block: validity, so it knows nothing but the header. */
  readonly closes: (node: DriverNode, header: Pick<BlockHeader, 'height' | 'timestampMs'>) => boolean;
  /** Runs one step of an engine: a benchmark takes its time. */
  readonly timeStep: <T>(run: () => T) => T;
  readonly payloadDelayMs: number;
}

interface Disk {
  record: SigningRecord | undefined;
  stored: Map<string, StoredBlock>;
  committed: { readonly point: ChainPoint; readonly proof: ConsensusState['commitProof'] } | undefined;
  closed: ClosedInstance | undefined;
}

/** When virtual time begins. */
export const FAR_PAST_MS = 1_700_000_000_000;

/** See the file's head. */
export class DriverNode {
  readonly name: string;
  readonly validator: number;
  readonly instance: Instance;
  readonly disk: Disk = { record: undefined, stored: new Map(), committed: undefined, closed: undefined };
  state: ConsensusState;
  isUp = false;
  /** The node crashes after this many further effects; undefined for not. */
  crashAfterEffects: number | undefined;
  headers = new Map<string, BlockHeader>();
  readonly #world: NodeWorld;
  #pool: VotePool;
  #life = 0;
  readonly #outputs = new Map<string, Uint8Array>();
  #queue: ConsensusEvent[] = [];
  #isStepping = false;
  readonly #timers = new Map<string, number>();

  constructor(name: string, validator: number, instance: Instance, world: NodeWorld) {
    this.name = name;
    this.validator = validator;
    this.instance = instance;
    this.#world = world;
    this.state = this.#initialState();
    this.#pool = emptyVotePool(instance, voteBoundsOf(this.state));
  }

  /** Starts, or starts again from what is on disk. */
  start(): void {
    this.state = this.#initialState();
    this.#pool = emptyVotePool(this.instance, voteBoundsOf(this.state));
    this.isUp = true;
    this.#post({ kind: 'started' });
  }

  /** Everything in memory is lost. */
  crash(): void {
    this.isUp = false;
    this.crashAfterEffects = undefined;
    this.#life++;
    this.#queue = [];
    this.#timers.clear();
    for (const hashHex of [...this.headers.keys()]) if (!this.#isOnDisk(hashHex)) this.headers.delete(hashHex);
  }

  /** The disk is lost but for the signing record. */
  loseAllButTheRecord(): void {
    this.disk.stored.clear();
    this.disk.committed = undefined;
    this.disk.closed = undefined;
    this.headers.clear();
    this.#outputs.clear();
  }

  /** A message from the network. */
  deliver(message: DriverMessage, from: string): void {
    if (!this.isUp) return;
    switch (message.kind) {
      case 'proposal': {
        const { header, hash, signature } = message;
        if (!this.#isGood(message, () => proposalClaims(this.instance, header, hash, signature))) return;
        if (this.state.closed !== undefined) return this.#post({ kind: 'old-message-seen', from });
        this.headers.set(bytesToHex(hash), header);
        return this.#post({ kind: 'proposal-received', hash, header });
      }
      case 'vote':
      case 'commit-vote':
        return this.#takeVote(message.kind, message.vote, from, false);
      case 'timeout': {
        const { timeout } = message;
        if (!this.#isGood(message, () => timeoutClaims(this.instance, timeout))) return;
        return this.#post({ kind: 'timeout-received', timeout, from });
      }
      case 'certificates':
        if (!this.#isGood(message, () => bundleClaims(this.instance, message.bundle))) return;
        for (const event of eventsOfBundle(message.bundle)) this.#post(event);
        return;
      case 'blocks':
        for (const { hash, header } of message.blocks) {
          if (!this.isUp) return; // A step may have been its last.
          this.headers.set(bytesToHex(hash), header);
          this.#post({ kind: 'block-fetched', hash, header });
        }
    }
  }

  /** The block with its ancestors above a height, if all are here. */
  chainTo(hash: Uint8Array, aboveHeight: number): { hash: Uint8Array; header: BlockHeader }[] | undefined {
    const chain: { hash: Uint8Array; header: BlockHeader }[] = [];
    for (let wanted = hash; ; ) {
      const header = this.headers.get(bytesToHex(wanted));
      if (header === undefined) return undefined;
      chain.unshift({ hash: wanted, header });
      if (parentHeightOf(header) <= aboveHeight) return chain;
      wanted = header.parentHash;
    }
  }

  #initialState(): ConsensusState {
    const { record, stored, committed, closed } = this.disk;
    const storedBlocks = [...stored.values()].sort((a, b) => a.header.round - b.header.round);
    return this.#world.engine.initialState({
      instance: this.instance,
      parameters: this.#world.parameters,
      self: this.validator,
      record,
      committed,
      closed,
      storedBlocks,
    });
  }

  #isOnDisk(hashHex: string): boolean {
    const header = this.headers.get(hashHex) as BlockHeader;
    return this.disk.stored.has(hashHex) || header.height <= (this.disk.committed?.point.height ?? 0);
  }

  #isGood(message: object, claims: () => SignatureClaims): boolean {
    const known = this.#world.verified?.get(message);
    if (known !== undefined) return known;
    const found = claims();
    const isGood = found.ok && areValid(this.#world.crypto.bls, found.value);
    this.#world.verified?.set(message, isGood);
    return isGood;
  }

  #post(event: ConsensusEvent): void {
    if (!this.isUp) return;
    this.#queue.push(event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next);
    this.#isStepping = false;
  }

  #later(delayMs: number, run: () => void): void {
    const life = this.#life;
    this.#world.time.schedule(delayMs, () => {
      if (this.isUp && this.#life === life) run();
    });
  }

  #step(event: ConsensusEvent): void {
    const before = this.state;
    const { state, effects } = this.#world.timeStep(() => this.#world.engine.step(before, event));
    this.state = state;
    this.#world.observe(this, event, before, state, effects);
    for (const effect of effects) {
      if (!this.isUp) return;
      this.#carryOut(effect);
      if (this.crashAfterEffects !== undefined && this.crashAfterEffects-- <= 0) return this.crash();
    }
    if (before.round !== state.round || before.committed !== state.committed || before.record !== state.record) {
      this.#pool = advanceVotePool(this.#pool, voteBoundsOf(state));
    }
  }

  #carryOut(effect: Effect): void {
    const { send, fetch, observeEffect } = this.#world;
    observeEffect(this, effect);
    switch (effect.kind) {
      case 'persist':
        this.disk.record = effect.record;
        return;
      case 'store-block': {
        const hashHex = bytesToHex(effect.hash);
        const vrfOutput = this.#outputs.get(bytesToHex(effect.header.vrfProof)) as Uint8Array;
        this.disk.stored.set(hashHex, { hash: effect.hash, header: effect.header, vrfOutput, role: this.#roleOf(effect.header) });
        return;
      }
      case 'sign-and-send-proposal': {
        const { hash, header } = effect;
        this.headers.set(bytesToHex(hash), header);
        return send(this, undefined, { kind: 'proposal', header, hash, signature: this.#sign(proposalMessage(this.instance, hash)) });
      }
      case 'sign-and-send-vote':
        return this.#sendVote('vote', effect.point);
      case 'sign-and-send-commit-vote':
        return this.#sendVote('commit-vote', effect.point);
      case 'sign-and-send-timeout':
        return this.#sendTimeout(effect);
      case 'aggregate-timeouts': {
        const signature = this.#world.crypto.bls.aggregate(effect.timeouts.map((timeout) => timeout.signature)) as Uint8Array;
        const certificate = timeoutCertificateOf(this.instance.committee, effect.timeouts, signature);
        return this.#post({ kind: 'timeout-certificate-received', certificate });
      }
      case 'send-certificates':
        return this.#sendCertificates(effect);
      case 'set-timer': {
        const number = (this.#timers.get(effect.timer) ?? 0) + 1;
        this.#timers.set(effect.timer, number);
        const { timer, round } = effect;
        return this.#later(effect.delayMs, () => {
          if (this.#timers.get(timer) === number) this.#post({ kind: 'timer-fired', timer, round });
        });
      }
      case 'request-payload':
        return this.#makePayload(effect);
      case 'validate-block':
        return this.#validate(effect);
      case 'request-block':
        if (this.headers.has(bytesToHex(effect.hash))) return; // As a runner does: what it holds it does not fetch.
        return fetch(this, effect.hash, this.state.committed.height);
      case 'commit':
        this.disk.committed = { point: effect.point, proof: this.state.commitProof };
        this.disk.closed = effect.closed;
        this.disk.stored.delete(bytesToHex(effect.hash));
        return;
      case 'discard-blocks':
        for (const hash of effect.hashes) {
          this.disk.stored.delete(bytesToHex(hash));
          this.headers.delete(bytesToHex(hash));
        }
        return;
      case 'round-entered':
      case 'instance-closed':
      case 'report':
        return;
    }
  }

  #sign(message: Uint8Array): Uint8Array {
    const { bls, blsSecretKeyOf } = this.#world.crypto;
    return bls.sign(blsSecretKeyOf(this.validator), message);
  }

  #sendVote(kind: 'vote' | 'commit-vote', point: BlockPoint): void {
    const signature = this.#sign(voteMessage(this.instance, kind, point));
    const vote: Vote = { instanceId: this.instance.instanceId, point, validator: this.validator, signature };
    this.#world.send(this, undefined, { kind, vote });
    this.#takeVote(kind, vote, this.name, true);
  }

  #sendTimeout({ round, highestQuorumCertificate }: Extract<Effect, { kind: 'sign-and-send-timeout' }>): void {
    const signature = this.#sign(timeoutMessage(this.instance, round, highestQuorumCertificate?.point.round ?? 0));
    const timeout: Timeout = {
      instanceId: this.instance.instanceId,
      round,
      highestQuorumCertificate: highestQuorumCertificate === undefined ? [] : [highestQuorumCertificate],
      validator: this.validator,
      signature,
    };
    this.#world.send(this, undefined, { kind: 'timeout', timeout });
    this.#post({ kind: 'timeout-received', timeout, from: this.name });
  }

  #sendCertificates({ to, certificates }: Extract<Effect, { kind: 'send-certificates' }>): void {
    const { highestQuorumCertificate, commitProof, timeoutCertificate } = certificates;
    const bundle: CertificateBundle = {
      instanceId: this.instance.instanceId,
      highestQuorumCertificate: highestQuorumCertificate === undefined ? [] : [highestQuorumCertificate],
      commitCertificate: commitProof === undefined ? [] : [commitProof.commitCertificate],
      commitQuorumCertificate: commitProof === undefined ? [] : [commitProof.quorumCertificate],
      timeoutCertificate: timeoutCertificate === undefined ? [] : [timeoutCertificate],
      nonce: 0,
    };
    this.#world.send(this, to, { kind: 'certificates', bundle });
  }

  #takeVote(kind: 'vote' | 'commit-vote', vote: Vote, from: string, isVerified: boolean): void {
    const { pool, work, outcome } = addVote(this.#pool, kind, vote, { from, isVerified });
    this.#pool = pool;
    if (outcome === 'old-round') this.#post({ kind: 'old-message-seen', from });
    for (const task of work) this.#doVoteWork(task);
  }

  #doVoteWork(work: VoteWork): void {
    const { bls } = this.#world.crypto;
    const { committee } = this.instance;
    if (work.kind === 'verify-one') {
      const { vote, memberIndex } = work.vote;
      const publicKey = committee.members[memberIndex]?.blsPublicKey as Uint8Array;
      const settled = settleOne(
        this.#pool,
        work,
        bls.verify(publicKey, voteMessage(this.instance, work.voteKind, vote.point), vote.signature),
      );
      this.#pool = settled.pool;
      for (const task of settled.work) this.#doVoteWork(task);
      return;
    }
    const publicKeys = work.votes.map(({ memberIndex }) => committee.members[memberIndex]?.blsPublicKey as Uint8Array);
    const signature = bls.aggregate(work.votes.map(({ vote }) => vote.signature));
    const message = voteMessage(this.instance, work.voteKind, work.point);
    const isValid = signature !== undefined && bls.fastAggregateVerify(publicKeys, message, signature);
    const settled = settleTogether(this.#pool, work, isValid);
    this.#pool = settled.pool;
    for (const task of settled.work) this.#doVoteWork(task);
    if (!isValid) return;
    const certificate = certificateOf(
      committee,
      work.point,
      work.votes.map(({ memberIndex }) => memberIndex),
      signature,
    );
    if (work.voteKind === 'vote') this.#post({ kind: 'quorum-certificate-received', certificate });
    else this.#post({ kind: 'commit-certificate-received', certificate, quorumCertificate: undefined });
  }

  #roleOf(header: BlockHeader): BlockRole {
    if (isCarrier(header)) return 'carrier';
    return this.#world.closes(this, header) ? 'closing' : 'ordinary';
  }

  #makePayload({ parentHash, height, round, isCarrier: isWantedCarrier, vrfAlpha }: Extract<Effect, { kind: 'request-payload' }>): void {
    const { chance, crypto, payloadDelayMs, time } = this.#world;
    this.#later(1 + chance.integer(payloadDelayMs), () => {
      const { proof, output } = crypto.proveVrf(this.validator, vrfAlpha);
      this.#outputs.set(bytesToHex(proof), output);
      const payload = {
        vrfProof: proof,
        vrfOutput: output,
        timestampMs: FAR_PAST_MS + time.nowMs,
        beaconReference: { height: 0, hash: ZERO_32 },
        bodyRoot: sha256(new TextEncoder().encode(this.name), uint64ToBytes(time.nowMs)),
        gasBought: 0,
        baseFeePerGasWei: 1n,
        parentExecution: EMPTY_EXECUTION,
        postStateRoot: ZERO_32,
      };
      const role = isWantedCarrier
        ? 'carrier'
        : this.#world.closes(this, { height, timestampMs: payload.timestampMs })
          ? 'closing'
          : 'ordinary';
      this.#post({ kind: 'payload-ready', parentHash, round, role, payload });
    });
  }

  #validate({ hash, header, vrfAlpha, proposer }: Extract<Effect, { kind: 'validate-block' }>): void {
    const vrfOutput = this.#world.crypto.verifyVrf(proposer, vrfAlpha, header.vrfProof);
    if (vrfOutput !== undefined) this.#outputs.set(bytesToHex(header.vrfProof), vrfOutput);
    const role = this.#roleOf(header);
    this.#later(1 + this.#world.chance.integer(this.#world.payloadDelayMs), () =>
      this.#post({ kind: 'block-validated', hash, vrfOutput, role, isHeldBack: false }),
    );
  }
}

/** True if the leader of the next round on a block would be another if its window had not begun. */
export function isLeaderChangedByWindow(instance: Instance, parent: ChainPoint, child: ChainPoint): boolean {
  const round = child.round + 1;
  const asBefore: ChainPoint = { ...child, anchors: parent.anchors.filter(({ height }) => height <= parent.height - 2) };
  return leaderOf(instance, child, round) !== leaderOf(instance, asBefore, round);
}
