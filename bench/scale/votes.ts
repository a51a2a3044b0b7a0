// How votes come together in the scale study: counted, and each counted vote paid for. To everybody, as built; to the leader of the next round,
// who tells everybody the certificate; or along a tree of two levels below that leader. A vote that came to nothing on its path is told to
// everybody after a while: else one silent validator on the path would cost the round.
import { pointOf } from '../../src/core/consensus/block-tree.ts';
import { certificateOf } from '../../src/core/consensus/certificates.ts';
import type { ConsensusEvent } from '../../src/core/consensus/events.ts';
import { leaderOf } from '../../src/core/consensus/leader.ts';
import type { VoteKind } from '../../src/core/consensus/signature-sets.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import type { BlockPoint, QuorumCertificate } from '../../src/core/protocol/certificate.ts';
import type { Instance } from '../../src/core/protocol/committee.ts';
import type { CertificateBundle } from '../../src/core/protocol/vote.ts';
import { WAN_REGIONS } from '../../src/simulation/wan.ts';
import { type Costs, quorumOf } from './costs.ts';
import type { Machines } from './machines.ts';
import { SIGNATURE, sizeOf, voteExample } from './messages.ts';
import { bundleOf, claimOf, isSettled, type Partial, type Validator } from './validator.ts';

/** The paths by their names: each to everybody, as built; to the next leader; or summed up along a tree of two levels below it. */
export const VOTE_PATHS = ['broadcast', 'leader', 'tree'] as const;
export type VotePath = (typeof VOTE_PATHS)[number];

/** What votes lead to. */
export interface VoteListener {
  post(validator: Validator, event: ConsensusEvent): void;
  takeBundle(validator: Validator, bundle: CertificateBundle): void;
}

/** A vote that came to nothing on its path is told to everybody after so long: half of a round's timer. */
const FALLBACK_MS = 1_000;
/** The head of a group waits so long for its members after the first of them. */
const PARTIAL_WAIT_MS = 250;

/** See the file's head. */
export class Votes {
  readonly #options: { readonly instance: Instance; readonly path: VotePath; readonly costs: Costs };
  readonly #machines: Machines;
  readonly #listener: VoteListener;
  readonly #quorum: number;
  readonly #voteBytes: number;

  constructor(
    options: { readonly instance: Instance; readonly path: VotePath; readonly costs: Costs },
    machines: Machines,
    listener: VoteListener,
  ) {
    this.#options = options;
    this.#machines = machines;
    this.#listener = listener;
    this.#quorum = quorumOf(options.instance);
    this.#voteBytes = sizeOf({ kind: 'vote', vote: voteExample(options.instance, 0) });
  }

  /** A vote that was signed: on its way. */
  send(validator: Validator, kind: VoteKind, point: BlockPoint): void {
    const { path, instance } = this.#options;
    const parent = path === 'broadcast' ? undefined : pointOf(validator.state, bytesToHex(point.blockHash));
    const collector = parent === undefined ? undefined : this.#machines.validators[leaderOf(instance, parent, point.round + 1)];
    if (collector === undefined) return this.#broadcastVote(validator, kind, point);
    const towards = path === 'leader' ? collector : this.#headOf(validator.index, collector.index);
    if (path === 'tree' && towards !== collector) this.#addToPartial(towards, validator, kind, point, collector);
    else this.#count(collector, kind, point, [validator.index], validator);
    this.#machines.time.schedule(FALLBACK_MS, () => {
      if (!isSettled(validator.state, kind, point.round)) this.#broadcastVote(validator, kind, point);
    });
  }

  #broadcastVote(validator: Validator, kind: VoteKind, point: BlockPoint): void {
    const { costs } = this.#options;
    this.#machines.broadcast(validator, this.#voteBytes, (to) => {
      this.#machines.spend(to, costs.takeVote);
      this.#add(to, kind, point, [validator.index], false);
    });
    this.#add(validator, kind, point, [validator.index], false);
  }

  // Votes on their way to whoever makes the certificate for all.
  #count(collector: Validator, kind: VoteKind, point: BlockPoint, voters: readonly number[], from: Validator): void {
    const { costs } = this.#options;
    if (collector === from) return this.#add(collector, kind, point, voters, true);
    const bytes = this.#voteBytes + (voters.length > 1 ? Math.ceil(this.#machines.validators.length / 8) : 0);
    this.#machines.send(from, collector, bytes, () => {
      this.#machines.spend(collector, costs.takeVote + (voters.length > 1 ? costs.verifyPartial(voters.length) : 0));
      this.#add(collector, kind, point, voters, true);
    });
  }

  // Heads are the first after the root; their groups are of one region each where the committee is large enough.
  #headOf(index: number, root: number): Validator {
    const distance = this.#distance(index, root);
    return this.#machines.validators[
      distance === 0 ? root : (root + 1 + ((distance - 1) % this.#groups)) % this.#machines.validators.length
    ] as Validator;
  }

  #groupSize(head: number, root: number): number {
    return Math.ceil((this.#machines.validators.length - this.#distance(head, root)) / this.#groups);
  }

  #distance(index: number, root: number): number {
    return (index - root + this.#machines.validators.length) % this.#machines.validators.length;
  }

  get #groups(): number {
    const regions = WAN_REGIONS.length;
    return Math.min(this.#machines.validators.length - 1, regions * Math.ceil(Math.sqrt(this.#machines.validators.length) / regions));
  }

  #addToPartial(head: Validator, from: Validator, kind: VoteKind, point: BlockPoint, root: Validator): void {
    const arrive = (): void => {
      if (head.isSilent) return;
      const key = `${kind} ${point.round}`;
      const partial = head.partials.get(key) ?? { voters: [], isSent: false };
      if (partial.isSent) return this.#count(root, kind, point, [from.index], head); // Who comes late is handed on alone.
      if (partial.voters.length === 0)
        this.#machines.time.schedule(PARTIAL_WAIT_MS, () => this.#sendPartial(head, partial, kind, point, root));
      head.partials.set(key, partial);
      partial.voters.push(from.index);
      if (partial.voters.length === this.#groupSize(head.index, root.index)) this.#sendPartial(head, partial, kind, point, root);
    };
    if (head === from) return arrive();
    this.#machines.send(from, head, this.#voteBytes, () => {
      this.#machines.spend(head, this.#options.costs.takeVote);
      arrive();
    });
  }

  #sendPartial(head: Validator, partial: Partial, kind: VoteKind, point: BlockPoint, root: Validator): void {
    const { costs } = this.#options;
    if (partial.isSent) return;
    partial.isSent = true;
    const { voters } = partial;
    this.#machines.work(head, costs.verifyPartial(voters.length) + (costs.aggregate * voters.length) / this.#quorum, () =>
      this.#count(root, kind, point, voters, head),
    );
  }

  #add(validator: Validator, kind: VoteKind, point: BlockPoint, voters: readonly number[], tellsAll: boolean): void {
    const { costs, path } = this.#options;
    if (validator.isSilent || isSettled(validator.state, kind, point.round)) return;
    const key = `${kind} ${point.round}`;
    const tally = validator.tallies.get(key) ?? { has: new Uint8Array(this.#machines.validators.length), count: 0, isSettled: false };
    validator.tallies.set(key, tally);
    for (const voter of voters) {
      if (tally.has[voter] === 1) continue;
      tally.has[voter] = 1;
      tally.count++;
    }
    if (tally.isSettled || tally.count < this.#quorum) return;
    tally.isSettled = true;
    const arePartsVerified = path === 'tree' && tellsAll;
    this.#machines.work(validator, costs.aggregate + (arePartsVerified ? 0 : costs.verifyCertificate), () => {
      if (isSettled(validator.state, kind, point.round)) return;
      const indexes = [...tally.has.keys()].filter((index) => tally.has[index] === 1);
      const certificate = certificateOf(this.#options.instance.committee, point, indexes, SIGNATURE);
      validator.known.add(claimOf(kind, certificate));
      if (tellsAll) this.#tellCertificate(validator, kind, certificate);
      if (kind === 'vote') this.#listener.post(validator, { kind: 'quorum-certificate-received', certificate });
      else this.#listener.post(validator, { kind: 'commit-certificate-received', certificate, quorumCertificate: undefined });
    });
  }

  #tellCertificate(validator: Validator, kind: VoteKind, certificate: QuorumCertificate): void {
    const [highest] = validator.state.record.highestQuorumCertificate;
    if (kind === 'commit-vote' && highest?.point.round !== certificate.point.round) return; // The vote's fallback covers it.
    const bundle = bundleOf(this.#options.instance, kind === 'vote' ? { qc: certificate } : { qc: highest, cc: certificate });
    this.#machines.broadcast(validator, sizeOf({ kind: 'certificates', certificates: bundle }), (to) =>
      this.#listener.takeBundle(to, bundle),
    );
  }
}
