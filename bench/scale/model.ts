import { timeoutCertificateOf } from '../../src/core/consensus/certificates.ts';
import type { Effect, RequestPayload, SendCertificates, SignAndSendTimeout } from '../../src/core/consensus/effects.ts';
import { step } from '../../src/core/consensus/engine.ts';
import { type ConsensusEvent, eventsOfBundle } from '../../src/core/consensus/events.ts';
import { highestRoundOf } from '../../src/core/consensus/record.ts';
import type { VoteKind } from '../../src/core/consensus/signature-sets.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { bytesToHex, ZERO_32 } from '../../src/core/primitives/bytes.ts';
import type { BlockHeader } from '../../src/core/protocol/block.ts';
import type { QuorumCertificate, TimeoutCertificate } from '../../src/core/protocol/certificate.ts';
import type { Instance } from '../../src/core/protocol/committee.ts';
import type { CertificateBundle, Timeout } from '../../src/core/protocol/vote.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { VirtualTime } from '../../test/core/consensus/driver-world.ts';
import { EMPTY_EXECUTION } from '../../test/core/consensus/values.ts';
import { MAINNET } from './committee.ts';
import type { Costs } from './costs.ts';
import { type ChainTimes, type Finality, finalityOf } from './finality.ts';
import { Machines } from './machines.ts';
import { BODY, SIGNATURE, sizeOf, voteExample } from './messages.ts';
import { bundleOf, claimOf, isNew, newValidator, roundOfKey, timeoutClaim, type Validator } from './validator.ts';
import { type VotePath, Votes } from './votes.ts';

/** One run of the model. */
export interface ScaleOptions {
  readonly instance: Instance;
  /** Validators that hear everything and say nothing. */
  readonly silent: number;
  readonly path: VotePath;
  readonly costs: Costs;
  /** Blocks that count, after the first few. */
  readonly blocks: number;
  readonly seed: number;
}

/** What a run comes to; of a validator that is not silent, on average, for each block. */
export interface ScaleFigures extends Finality {
  readonly committee: number;
  readonly silent: number;
  readonly path: VotePath;
  readonly blocks: number;
  readonly blocksPerSecond: number;
  readonly sentKb: number;
  readonly receivedKb: number;
  readonly cpuMs: number;
  /** Busiest core, as a share of the time. */
  readonly busiestPercent: number;
  readonly roundsFailed: number;
}

const WARM_UP_HEIGHTS = 3;
const VERIFIER_BATCH_MAX = 64;
/** As in chain-runner.ts. */
const ANSWER_INTERVAL_MS = 200;
const VIRTUAL_MS_MAX = 3_600_000;

/** Runs the model until every validator that speaks has committed the blocks. Throws if they disagree, or do not get there. */
export function runScale(options: ScaleOptions): ScaleFigures {
  return new ScaleWorld(options).run();
}

class ScaleWorld {
  readonly #options: ScaleOptions;
  readonly #time = new VirtualTime();
  readonly #random: SeededRandom;
  readonly #validators: Validator[];
  readonly #speaking: readonly Validator[];
  readonly #machines: Machines;
  readonly #votes: Votes;
  readonly #requestBytes: number;
  readonly #proposals = new Map<string, { readonly header: BlockHeader; readonly atMs: number }>();
  readonly #chain = new Map<number, string>();
  readonly #failedRounds = new Set<number>();

  constructor(options: ScaleOptions) {
    const { instance, silent, seed } = options;
    this.#options = options;
    this.#random = new SeededRandom(seed, 'scale');
    this.#requestBytes = sizeOf({ kind: 'vote', vote: voteExample(instance, 0) }); // About as long.
    const indexes = instance.committee.members.map(({ validator }) => validator);
    const silentOnes = new Set(this.#random.sample(indexes, silent));
    this.#validators = indexes.map((index) => newValidator(instance, index, silentOnes.has(index)));
    this.#speaking = this.#validators.filter(({ isSilent }) => !isSilent);
    this.#machines = new Machines(this.#validators, this.#time, this.#random);
    this.#votes = new Votes(options, this.#machines, {
      post: (validator, event) => this.#post(validator, event),
      takeBundle: (validator, bundle) => this.#takeBundle(validator, bundle),
    });
  }

  run(): ScaleFigures {
    const { blocks, path, silent } = this.#options;
    const isDone = (height: number) => () => this.#speaking.every(({ state }) => state.committed.height >= height);
    for (const validator of this.#speaking) this.#post(validator, { kind: 'started' });
    this.#runUntil(isDone(WARM_UP_HEIGHTS));
    const fromMs = this.#time.nowMs;
    for (const validator of this.#validators) Object.assign(validator, { cpuMs: 0, sentBytes: 0, receivedBytes: 0 });
    this.#failedRounds.clear();
    this.#runUntil(isDone(WARM_UP_HEIGHTS + blocks));
    const tookMs = this.#time.nowMs - fromMs;
    const mean = (of: (validator: Validator) => number): number =>
      this.#speaking.reduce((sum, validator) => sum + of(validator), 0) / this.#speaking.length / blocks;
    return {
      committee: this.#validators.length,
      silent,
      path,
      blocks,
      blocksPerSecond: (blocks * 1_000) / tookMs,
      ...finalityOf(this.#times(), WARM_UP_HEIGHTS + 1, WARM_UP_HEIGHTS + blocks),
      sentKb: mean(({ sentBytes }) => sentBytes) / 1_000,
      receivedKb: mean(({ receivedBytes }) => receivedBytes) / 1_000,
      cpuMs: mean(({ cpuMs }) => cpuMs),
      busiestPercent: (Math.max(...this.#speaking.map(({ cpuMs }) => cpuMs)) / tookMs) * 100,
      roundsFailed: this.#failedRounds.size,
    };
  }

  #runUntil(isDone: () => boolean): void {
    const hasMore = this.#time.runUntil(VIRTUAL_MS_MAX, isDone);
    if (!hasMore || !isDone()) throw new Error(`a committee of ${this.#validators.length} (${this.#options.path}) came to a standstill`);
  }

  #times(): ChainTimes {
    const proposedAtMs = new Map([...this.#chain].map(([height, hashHex]) => [height, this.#proposals.get(hashHex)?.atMs as number]));
    return { proposedAtMs, committedAtMs: this.#speaking.map(({ commits }) => commits) };
  }

  #post(validator: Validator, event: ConsensusEvent): void {
    const { state, effects } = step(validator.state, event);
    validator.state = state;
    for (const effect of effects) this.#carryOut(validator, effect);
  }

  #carryOut(validator: Validator, effect: Effect): void {
    const { costs, instance } = this.#options;
    switch (effect.kind) {
      case 'sign-and-send-proposal': {
        const { header, hash } = effect;
        this.#proposals.set(bytesToHex(hash), { header, atMs: this.#time.nowMs });
        const bytes = sizeOf({ kind: 'proposal', proposal: { header, body: BODY, signature: SIGNATURE } });
        return this.#machines.work(validator, costs.sign, () =>
          this.#machines.broadcast(validator, bytes, (to) => this.#takeProposal(to, hash, header)),
        );
      }
      case 'sign-and-send-vote':
        return this.#machines.work(validator, costs.sign, () => this.#votes.send(validator, 'vote', effect.point));
      case 'sign-and-send-commit-vote':
        return this.#machines.work(validator, costs.sign, () => this.#votes.send(validator, 'commit-vote', effect.point));
      case 'sign-and-send-timeout':
        return this.#machines.work(validator, costs.sign, () => this.#sendTimeout(validator, effect));
      case 'aggregate-timeouts':
        return this.#machines.work(validator, costs.aggregate, () => {
          const certificate = timeoutCertificateOf(instance.committee, effect.timeouts, SIGNATURE);
          validator.known.add(timeoutClaim(certificate));
          this.#post(validator, { kind: 'timeout-certificate-received', certificate });
        });
      case 'send-certificates':
        return this.#sendCertificates(validator, effect);
      case 'set-timer': {
        const number = (validator.timers.get(effect.timer) ?? 0) + 1;
        validator.timers.set(effect.timer, number);
        const { timer, round } = effect;
        return this.#time.schedule(effect.delayMs, () => {
          if (validator.timers.get(timer) === number) this.#post(validator, { kind: 'timer-fired', timer, round });
        });
      }
      case 'request-payload':
        return this.#makePayload(validator, effect);
      case 'validate-block':
        return this.#machines.work(validator, costs.vrfVerify, () =>
          this.#post(validator, {
            kind: 'block-validated',
            isHeldBack: false,
            hash: effect.hash,
            vrfOutput: sha256(effect.header.vrfProof),
            role: 'ordinary',
          }),
        );
      case 'request-block':
        return this.#fetch(validator, effect.hash);
      case 'commit':
        return this.#commit(validator, effect.header.height, bytesToHex(effect.hash));
      case 'report':
        throw new Error(`nobody lies here, and yet: ${effect.report}`);
      case 'round-entered':
        if (effect.by === 'timeout-certificate') this.#failedRounds.add(effect.round - 1);
        for (const key of validator.tallies.keys()) if (roundOfKey(key) < effect.round - 4) validator.tallies.delete(key);
        return;
      default:
    }
  }

  #commit(validator: Validator, height: number, hashHex: string): void {
    const known = this.#chain.get(height);
    if (known !== undefined && known !== hashHex) throw new Error(`two blocks were committed at height ${height}`);
    this.#chain.set(height, hashHex);
    validator.commits.set(height, this.#time.nowMs);
  }

  #makePayload(validator: Validator, { parentHash, round, vrfAlpha }: RequestPayload): void {
    const { costs } = this.#options;
    const parent = this.#proposals.get(bytesToHex(parentHash));
    this.#machines.work(validator, costs.vrfProve, () => {
      const dueMs = (parent?.atMs ?? Number.NEGATIVE_INFINITY) + MAINNET.blockIntervalMsMin;
      this.#time.schedule(Math.max(0, dueMs - this.#time.nowMs), () => {
        const vrfProof = new Uint8Array(80);
        vrfProof.set(sha256(vrfAlpha, Uint8Array.of(validator.index & 255, validator.index >> 8)));
        const payload = {
          vrfProof,
          vrfOutput: sha256(vrfProof),
          timestampMs: Math.floor(this.#time.nowMs),
          beaconReference: { height: 0, hash: ZERO_32 },
          bodyRoot: ZERO_32,
          gasBought: 0,
          baseFeePerGasWei: 1n,
          parentExecution: EMPTY_EXECUTION,
          postStateRoot: ZERO_32,
        };
        this.#post(validator, { kind: 'payload-ready', parentHash, round, role: 'ordinary', payload });
      });
    });
  }

  #takeProposal(validator: Validator, hash: Uint8Array, header: BlockHeader): void {
    const { costs } = this.#options;
    const certificatesMs = this.#certificatesMs(validator, header.justify, header.timeoutCertificate);
    this.#machines.work(validator, costs.takeProposal + costs.verifyBatch(1) + certificatesMs, () =>
      this.#post(validator, { kind: 'proposal-received', hash, header }),
    );
  }

  // Each claim is verified once: the same QC comes in proposals, timeouts and bundles, but with other signers it is another claim.
  #certificatesMs(
    validator: Validator,
    quorumCertificates: readonly QuorumCertificate[],
    timeoutCertificates: readonly TimeoutCertificate[],
    kind: VoteKind = 'vote',
  ): number {
    const { costs } = this.#options;
    let ms = 0;
    for (const certificate of quorumCertificates) if (isNew(validator.known, claimOf(kind, certificate))) ms += costs.verifyCertificate;
    for (const certificate of timeoutCertificates) {
      if (isNew(validator.known, timeoutClaim(certificate))) ms += costs.verifyTimeoutCertificate;
      ms += this.#certificatesMs(validator, certificate.highestQuorumCertificate, []);
    }
    return ms;
  }

  #takeBundle(validator: Validator, bundle: CertificateBundle): void {
    const { costs } = this.#options;
    const { state } = validator;
    const isNews =
      bundle.highestQuorumCertificate.some(({ point }) => point.round > highestRoundOf(state.record)) ||
      bundle.commitCertificate.some(({ point }) => point.round > state.committed.round) ||
      bundle.timeoutCertificate.some(({ round }) => round >= state.round);
    if (!isNews) return this.#machines.spend(validator, costs.takeVote);
    const verifyMs =
      this.#certificatesMs(validator, [...bundle.highestQuorumCertificate, ...bundle.commitQuorumCertificate], bundle.timeoutCertificate) +
      this.#certificatesMs(validator, bundle.commitCertificate, [], 'commit-vote');
    this.#machines.work(validator, costs.takeVote + verifyMs, () => {
      for (const event of eventsOfBundle(bundle)) this.#post(validator, event);
    });
  }

  #sendTimeout(validator: Validator, { round, highestQuorumCertificate: highest }: SignAndSendTimeout): void {
    const { instance, costs } = this.#options;
    const timeout: Timeout = {
      instanceId: instance.instanceId,
      round,
      highestQuorumCertificate: highest === undefined ? [] : [highest],
      validator: validator.index,
      signature: SIGNATURE,
    };
    this.#machines.broadcast(validator, sizeOf({ kind: 'timeout', timeout }), (to) => {
      this.#machines.spend(to, costs.takeTimeout);
      to.waitingTimeouts.push(timeout);
      if (!to.isVerifyingTimeouts) this.#verifyTimeouts(to);
    });
    this.#post(validator, { kind: 'timeout-received', timeout, from: '' });
  }

  // As the verifier of a node does: what waits is taken together, up to a bound.
  #verifyTimeouts(validator: Validator): void {
    const { costs } = this.#options;
    const batch = validator.waitingTimeouts.slice(0, VERIFIER_BATCH_MAX);
    validator.waitingTimeouts = validator.waitingTimeouts.slice(VERIFIER_BATCH_MAX);
    validator.isVerifyingTimeouts = true;
    const certificatesMs = batch.reduce(
      (ms, { highestQuorumCertificate }) => ms + this.#certificatesMs(validator, highestQuorumCertificate, []),
      0,
    );
    this.#machines.work(validator, costs.verifyBatch(batch.length) + certificatesMs, () => {
      validator.isVerifyingTimeouts = false;
      for (const timeout of batch) this.#post(validator, { kind: 'timeout-received', timeout, from: String(timeout.validator) });
      if (validator.waitingTimeouts.length > 0 && !validator.isVerifyingTimeouts) this.#verifyTimeouts(validator);
    });
  }

  #sendCertificates(validator: Validator, { to, certificates }: SendCertificates): void {
    const { highestQuorumCertificate: qc, commitProof, timeoutCertificate: tc } = certificates;
    const bundle = bundleOf(this.#options.instance, {
      qc,
      cc: commitProof?.commitCertificate,
      ofCommitted: commitProof?.quorumCertificate,
      tc,
    });
    const bytes = sizeOf({ kind: 'certificates', certificates: bundle });
    if (to === undefined) return this.#machines.broadcast(validator, bytes, (other) => this.#takeBundle(other, bundle));
    const peer = this.#validators[Number(to)];
    const lastMs = validator.answeredAtMs.get(to);
    if (peer === undefined || to === '' || (lastMs !== undefined && this.#time.nowMs - lastMs < ANSWER_INTERVAL_MS)) return;
    validator.answeredAtMs.set(to, this.#time.nowMs);
    this.#machines.send(validator, peer, bytes, () => this.#takeBundle(peer, bundle));
  }

  // From its proposer, who has it: there and back.
  #fetch(validator: Validator, hash: Uint8Array): void {
    const known = this.#proposals.get(bytesToHex(hash));
    const owner = known === undefined ? undefined : this.#validators[known.header.proposer];
    if (known === undefined || owner === undefined || owner === validator) return;
    const bytes = sizeOf({ kind: 'proposal', proposal: { header: known.header, body: BODY, signature: SIGNATURE } });
    this.#machines.send(validator, owner, this.#requestBytes, () =>
      this.#machines.send(owner, validator, bytes, () =>
        this.#machines.work(validator, this.#options.costs.takeProposal, () =>
          this.#post(validator, { kind: 'block-fetched', hash, header: known.header }),
        ),
      ),
    );
  }
}
