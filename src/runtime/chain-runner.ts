// Runs one instance of one chain: takes events one at a time, asks the pure engine what they mean, and carries its effects out in
// order. Whatever the engine says must be on disk before a signature leaves the node is on disk before it does (protocol, section 3).
import type {
  Effect,
  InstanceClosed,
  RequestBlock,
  SendCertificates,
  SignAndSendTimeout,
  ValidateBlock,
} from '../core/consensus/effects.ts';
import { step } from '../core/consensus/engine.ts';
import type { ConsensusEvent } from '../core/consensus/events.ts';
import { SigningRecord } from '../core/consensus/record.ts';
import { type ConsensusState, initialState, type StartingPoint, type TimerKind } from '../core/consensus/state.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { invariant, isError } from '../core/primitives/errors.ts';
import type { Bytes32, ValidatorIndex } from '../core/primitives/ids.ts';
import type { BlockHeader } from '../core/protocol/block.ts';
import { Block } from '../core/protocol/certified-block.ts';
import type { CertificateBundle } from '../core/protocol/vote.ts';
import type { PeerName } from '../network/ports.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import { AnswerLimit } from './answer-limit.ts';
import type { ChainBlocks } from './chain-blocks.ts';
import type { CommitWriter } from './commit-writer.ts';
import { type ConsensusMessage, encodeConsensusMessage } from './consensus-codec.ts';
import type { PayloadMaker } from './payload-maker.ts';
import type { PendingBlocks } from './pending-blocks.ts';
import type { CancelTimer, Clock, Logger, Metrics } from './ports.ts';
import type { Signer } from './signer.ts';

/** Events that wait; what comes from the network beyond it is dropped, since it will be sent again. */
export const MAILBOX_MAX = 8192;
/** A vote waits at most this long for the clock: by then the round is over. */
const VOTE_DELAY_MS_MAX = 60_000;

/** Where signing records go; each instance has its own. */
export interface SigningRecordWriter {
  write(content: Uint8Array): Promise<void>;
}

/** What running a chain needs of its node. */
export interface ChainRunnerDependencies {
  readonly start: StartingPoint;
  readonly blocks: ChainBlocks;
  readonly commits: Pick<CommitWriter, 'enqueue' | 'settled'>;
  /** Both undefined for an observer. */
  readonly signer: Signer | undefined;
  readonly payloads: PayloadMaker | undefined;
  readonly signingRecord: SigningRecordWriter;
  readonly store: KeyValueStore;
  readonly blockStore: BlockStore;
  readonly pending: PendingBlocks;
  readonly clock: Clock;
  /** How far ahead of the clock a block may be when it is voted for. */
  readonly clockToleranceMs: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Adds up BLS signatures; undefined where one of them is no point. */
  readonly aggregateTimeouts: (effect: Extract<Effect, { kind: 'aggregate-timeouts' }>) => ConsensusEvent;
  /** To everyone. */
  readonly broadcast: (message: Uint8Array) => void;
  /** To one peer. */
  readonly sendTo: (peer: PeerName, message: Uint8Array) => void;
  /** A vote of our own, for our own pool. */
  readonly countOwnVote: (message: Extract<ConsensusMessage, { kind: 'vote' | 'commit-vote' }>) => void;
  /** What a validator signed proves that it is not honest. */
  readonly blame: (validator: ValidatorIndex, reason: string) => void;
  /** A quorum has committed another block than this node. */
  readonly onFork: () => void;
  readonly onRoundEntered: () => void;
  /** A certificate names a block that is missing. */
  readonly requestBlock: (request: RequestBlock) => void;
  /** Something that our own code promised does not hold: the chain must stop. */
  readonly onFault: (fault: unknown) => void;
}

/** See the file's head. */
export class ChainRunner {
  readonly #dependencies: ChainRunnerDependencies;
  readonly #mailbox: ConsensusEvent[] = [];
  readonly #timers = new Map<TimerKind, CancelTimer>();
  readonly #answers: AnswerLimit;
  #state: ConsensusState;
  #isDraining = false;
  #stopped = false;
  #resendNonce: number;
  #hasStarted = false;
  #durable: Promise<void>[] = [];

  constructor(dependencies: ChainRunnerDependencies) {
    this.#dependencies = dependencies;
    this.#answers = new AnswerLimit(dependencies.clock);
    this.#state = initialState(dependencies.start);
    this.#resendNonce = dependencies.clock.nowMs(); // Differs from that of the run before, whose messages may still be remembered.
  }

  /** What the engine remembers now. */
  get state(): ConsensusState {
    return this.#state;
  }

  /** Events that wait: a metric. */
  get mailboxLength(): number {
    return this.#mailbox.length;
  }

  /** Begins; timers run from now on. What came before waits behind the engine's first event. */
  start(): void {
    this.#hasStarted = true;
    this.#mailbox.unshift({ kind: 'started' });
    this.#scheduleDrain();
  }

  /** Says something in the instance that tells nobody anything: whoever has left it behind answers with its end. */
  greet(): void {
    const nothing = { highestQuorumCertificate: undefined, commitProof: undefined, timeoutCertificate: undefined };
    this.#sendCertificates({ kind: 'send-certificates', to: undefined, certificates: nothing });
  }

  /** Queues an event that comes from outside; false when the mailbox is full. */
  post(event: ConsensusEvent): boolean {
    if (this.#mailbox.length >= MAILBOX_MAX) return false;
    return this.#queue(event);
  }

  // What the engine itself waits for is never dropped, however full peers make the mailbox: without its timer or a verdict that it
  // asked for, the chain would stand still. It is bounded by what the engine asks.
  #queue(event: ConsensusEvent): boolean {
    if (this.#stopped) return false;
    this.#mailbox.push(event);
    this.#scheduleDrain();
    return true;
  }

  #scheduleDrain(): void {
    if (this.#isDraining || !this.#hasStarted || this.#stopped) return;
    this.#isDraining = true;
    queueMicrotask(() => {
      this.#drain().catch((fault: unknown) => {
        this.#stopped = true;
        this.#dependencies.onFault(fault);
      });
    });
  }

  /** Stops timers and payloads, and lets commits under way reach the disk. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#mailbox.length = 0;
    for (const cancel of this.#timers.values()) cancel();
    this.#dependencies.payloads?.stop();
    await Promise.allSettled(this.#durable);
    await this.#dependencies.commits.settled();
  }

  async #drain(): Promise<void> {
    for (let event = this.#mailbox.shift(); event !== undefined && !this.#stopped; event = this.#mailbox.shift()) {
      const { state, effects } = step(this.#state, event);
      this.#state = state;
      for (const effect of effects) {
        if (this.#stopped) break;
        if (effect.kind !== 'persist' && effect.kind !== 'store-block' && this.#durable.length > 0) await this.#untilDurable();
        this.#carryOut(effect);
      }
    }
    this.#isDraining = false;
  }

  // The record and the block are written side by side; nothing that follows them is carried out before both are on disk.
  async #untilDurable(): Promise<void> {
    const writes = this.#durable;
    this.#durable = [];
    await Promise.all(writes);
  }

  #carryOut(effect: Effect): void {
    const { blocks, commits, onRoundEntered, requestBlock, aggregateTimeouts } = this.#dependencies;
    switch (effect.kind) {
      case 'persist':
        this.#durable.push(this.#dependencies.signingRecord.write(SigningRecord.serialize(effect.record)));
        return;
      case 'store-block':
        this.#durable.push(this.#storeBlock(effect.hash, effect.header));
        return;
      case 'sign-and-send-proposal':
        return this.#sendProposal(effect.hash, effect.header);
      case 'sign-and-send-vote':
        return this.#sendVote('vote', effect.point);
      case 'sign-and-send-commit-vote':
        return this.#sendVote('commit-vote', effect.point);
      case 'sign-and-send-timeout':
        return this.#sendTimeout(effect);
      case 'aggregate-timeouts':
        this.#queue(aggregateTimeouts(effect));
        return;
      case 'send-certificates':
        return this.#sendCertificates(effect);
      case 'set-timer':
        return this.#setTimer(effect.timer, effect.round, effect.delayMs);
      case 'request-payload':
        return this.#makePayload(effect);
      case 'validate-block':
        return this.#validateBlock(effect);
      case 'request-block':
        return requestBlock(effect);
      case 'commit':
        return commits.enqueue(effect);
      case 'instance-closed':
        return this.#endInstance(effect);
      case 'discard-blocks':
        return blocks.discard(effect.hashes);
      case 'round-entered':
        return onRoundEntered();
      case 'report':
        return this.#report(effect);
    }
  }

  async #storeBlock(hash: Bytes32, header: BlockHeader): Promise<void> {
    const { start, blocks, store, blockStore, pending } = this.#dependencies;
    this.#adoptOwnBlock(hash, header);
    const block = blocks.get(hash);
    if (block === undefined) return; // Committed meanwhile: it is on disk already.
    const { chain, instanceId } = start.instance;
    const place = { chain, instanceId, height: header.height };
    await store.write(blockStore.putPending(place, hash, Block.serialize({ header, body: block.body })), { sync: true });
    pending.stored({ height: header.height, hash });
  }

  #sendProposal(hash: Bytes32, header: BlockHeader): void {
    this.#adoptOwnBlock(hash, header);
    const block = this.#dependencies.blocks.get(hash);
    invariant(block !== undefined, 'a block of our own is held');
    const signature = this.#signer().signProposal(hash);
    this.#broadcast({ kind: 'proposal', proposal: { header, body: block.body, signature } });
  }

  // A header that the engine made of a payload of ours: valid by construction, so it is held and executed without being checked.
  #adoptOwnBlock(hash: Bytes32, header: BlockHeader): void {
    const { blocks, payloads } = this.#dependencies;
    const kept = payloads?.payloadOf(header.bodyRoot);
    if (blocks.get(hash) !== undefined || kept === undefined || header.proposer !== this.#state.self) return;
    const { body, transactions } = kept;
    const held = blocks.hold({ hash, hashHex: bytesToHex(hash), header, body, transactions });
    invariant(held.ok, 'a block of our own is held');
    blocks.trust(hash, kept.parentSeed, kept.vrfOutput);
  }

  #sendVote(kind: 'vote' | 'commit-vote', point: Parameters<Signer['signVote']>[0]): void {
    const signer = this.#signer();
    const signature = kind === 'vote' ? signer.signVote(point) : signer.signCommitVote(point);
    const message = { kind, vote: { instanceId: this.#instanceId(), point, validator: signer.validator, signature } } as const;
    this.#broadcast(message);
    this.#dependencies.countOwnVote(message);
  }

  #sendTimeout({ round, highestQuorumCertificate }: SignAndSendTimeout): void {
    const signer = this.#signer();
    const timeout = {
      instanceId: this.#instanceId(),
      round,
      highestQuorumCertificate: highestQuorumCertificate === undefined ? [] : [highestQuorumCertificate],
      validator: signer.validator,
      signature: signer.signTimeout(round, highestQuorumCertificate?.point.round ?? 0),
    };
    this.#dependencies.metrics.count('coppice_consensus_timeouts_total', this.#labels());
    this.#broadcast({ kind: 'timeout', timeout });
    this.#queue({ kind: 'timeout-received', timeout, from: '' });
  }

  #sendCertificates({ to, certificates }: SendCertificates): void {
    const { commitProof, highestQuorumCertificate, timeoutCertificate } = certificates;
    const bundle: CertificateBundle = {
      instanceId: this.#instanceId(),
      highestQuorumCertificate: highestQuorumCertificate === undefined ? [] : [highestQuorumCertificate],
      commitCertificate: commitProof === undefined ? [] : [commitProof.commitCertificate],
      commitQuorumCertificate: commitProof === undefined ? [] : [commitProof.quorumCertificate],
      timeoutCertificate: timeoutCertificate === undefined ? [] : [timeoutCertificate],
      nonce: this.#resendNonce++,
    };
    const message = { kind: 'certificates', certificates: bundle } as const;
    if (to === undefined) return this.#broadcast(message);
    if (this.#answers.admits(to)) this.#dependencies.sendTo(to, encodeConsensusMessage(message));
  }

  // The engine only answers from now on.
  #endInstance({ closing, carriers }: InstanceClosed): void {
    const { logger, payloads } = this.#dependencies;
    for (const cancel of this.#timers.values()) cancel();
    payloads?.stop();
    logger.info({ ...this.#facts(), hash: bytesToHex(closing.hash), carriers: carriers.length }, 'instance closed');
  }

  #setTimer(timer: TimerKind, round: number, delayMs: number): void {
    this.#timers.get(timer)?.();
    this.#timers.set(
      timer,
      this.#dependencies.clock.schedule(delayMs, () => this.#queue({ kind: 'timer-fired', timer, round })),
    );
  }

  #makePayload(request: Extract<Effect, { kind: 'request-payload' }>): void {
    const { payloads, blocks } = this.#dependencies;
    invariant(payloads !== undefined, 'only a validator leads');
    payloads.make(request).then(
      (payload) => {
        if (payload === undefined) return;
        const { height, round, parentHash, isCarrier } = request;
        const role = isCarrier ? 'carrier' : blocks.roleOnChain({ height, beaconReference: payload.beaconReference });
        this.#queue({ kind: 'payload-ready', parentHash, round, role, payload });
      },
      (fault: unknown) => this.#onTaskFault(fault),
    );
  }

  #validateBlock(effect: ValidateBlock): void {
    this.#validated(effect).catch((fault: unknown) => {
      if (!isError(fault, 'chain-blocks/not-held')) return this.#onTaskFault(fault);
      this.#dependencies.logger.debug({ ...this.#facts(), hash: bytesToHex(effect.hash) }, 'a block to be validated is not held');
      this.#queue({ kind: 'block-not-held', hash: effect.hash });
    });
  }

  async #validated({ hash, header, vrfAlpha, proposer, isCertified }: ValidateBlock): Promise<void> {
    const { blocks, start, logger, metrics } = this.#dependencies;
    const member = start.instance.committee.members.find(({ validator }) => validator === proposer);
    invariant(member !== undefined, 'the leader is a member');
    const verdict = await blocks.validate(hash, member.vrfPublicKey, vrfAlpha);
    const isHeldBack = verdict.ok && !isCertified && !blocks.mayVoteFor(hash); // Now, not when the clock has come near it.
    if (!verdict.ok) {
      const facts = { ...this.#facts(), blockHeight: header.height, hash: bytesToHex(hash), proposer, reason: verdict.reason };
      logger.warn({ ...facts, detail: verdict.detail }, 'invalid block');
      metrics.count('coppice_blocks_refused_total', { ...this.#labels(), reason: verdict.reason });
      if (!isCertified) this.#dependencies.blame(proposer, verdict.reason); // A quorum's signature would put the fault with us.
    } else if (!isCertified) {
      await this.#untilNotInFuture(header);
    }
    this.#queue({
      kind: 'block-validated',
      hash,
      vrfOutput: verdict.ok ? verdict.value : undefined,
      role: blocks.roleOf(header),
      isHeldBack,
    });
  }

  /** A voting rule, never validity: a block from the future is voted on when the clock has come near it. */
  #untilNotInFuture(header: BlockHeader): Promise<void> {
    const { clock, clockToleranceMs } = this.#dependencies;
    const waitMs = header.timestampMs - clock.nowMs() - clockToleranceMs;
    if (waitMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      clock.schedule(Math.min(waitMs, VOTE_DELAY_MS_MAX), resolve);
    });
  }

  #report(effect: Extract<Effect, { kind: 'report' }>): void {
    const { logger, metrics } = this.#dependencies;
    metrics.count('coppice_consensus_reports_total', { ...this.#labels(), report: effect.report });
    logger.warn(
      { ...this.#facts(), report: effect.report, validator: effect.validator, hash: bytesToHex(effect.hash) },
      'misbehaviour seen',
    );
    if (effect.report === 'conflicting-commit') this.#dependencies.onFork();
    const isProven = effect.report === 'conflicting-proposals' || effect.report === 'not-the-leader' || effect.report === 'wrong-role';
    if (isProven && effect.validator !== undefined) this.#dependencies.blame(effect.validator, effect.report);
  }

  // A task whose block was discarded while it ran ends harmlessly; whatever else fails is a fault of ours.
  #onTaskFault(fault: unknown): void {
    if (!this.#stopped && !isError(fault, 'chain-blocks/not-held')) this.#dependencies.onFault(fault);
  }

  #broadcast(message: ConsensusMessage): void {
    this.#dependencies.broadcast(encodeConsensusMessage(message));
  }

  #signer(): Signer {
    invariant(this.#dependencies.signer !== undefined, 'only a validator signs');
    return this.#dependencies.signer;
  }

  #instanceId(): Bytes32 {
    return this.#state.instance.instanceId;
  }

  #labels(): Readonly<Record<string, string>> {
    return { chain: String(this.#state.instance.chain) };
  }

  #facts(): Readonly<Record<string, unknown>> {
    const { instance, round, committed } = this.#state;
    return { chain: instance.chain, epoch: instance.epoch, height: committed.height, round };
  }
}
