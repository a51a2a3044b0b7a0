// No evidence can ever be made against a correct validator: whatever the others do, all of them dishonest and certificates at their pleasure,
// nothing that the engine signs over all its lives, crashes between any two effects included, accuses it.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { type BlockRole, isCarrier } from '../../../../src/core/consensus/block-role.ts';
import { signerBitsOf } from '../../../../src/core/consensus/certificates.ts';
import type { Effect } from '../../../../src/core/consensus/effects.ts';
import { step } from '../../../../src/core/consensus/engine.ts';
import type { ConsensusEvent } from '../../../../src/core/consensus/events.ts';
import { accusationOf } from '../../../../src/core/consensus/evidence/accusation.ts';
import { type Evidence, proposalPairOf, type TimeoutVotes, votePairOf } from '../../../../src/core/consensus/evidence/evidence.ts';
import { roundBranchOf } from '../../../../src/core/consensus/evidence/round-branch.ts';
import type { SigningRecord } from '../../../../src/core/consensus/record.ts';
import { headerClaims } from '../../../../src/core/consensus/signature-sets.ts';
import type { StoredBlock } from '../../../../src/core/consensus/state.ts';
import { bytesToHex } from '../../../../src/core/primitives/bytes.ts';
import type { BlockHeader } from '../../../../src/core/protocol/block.ts';
import { type BlockPoint, type QuorumCertificate, SCHEME_BLS } from '../../../../src/core/protocol/certificate.ts';
import { installHashtree } from '../../../../src/runtime/native/ssz-hashtree.ts';
import {
  blockOn,
  certificateFor,
  FOUR,
  payloadFor,
  pointOfBlock,
  timeoutBy,
  timeoutCertificateFor,
  unstartedEngine,
  validated,
} from '../values.ts';

before(() => installHashtree());

/** Leads rounds 1, 3 and 5 on the start record; the certificates of these tests are of the three others. */
const SELF = 6;
const SELF_INDEX = 3;
const SIGNATURE = new Uint8Array(96).fill(1);

/** A block of this time, if it is no carrier, closes the instance. */
const CLOSING_MS = 1_003;

const roleOf = (header: BlockHeader): BlockRole =>
  isCarrier(header) ? 'carrier' : header.timestampMs === CLOSING_MS ? 'closing' : 'ordinary';

interface Block {
  readonly hash: Uint8Array;
  readonly header: BlockHeader;
}

const voteBy = (point: BlockPoint): QuorumCertificate => ({
  point,
  scheme: SCHEME_BLS,
  signers: signerBitsOf(FOUR.committee, [SELF_INDEX]),
  signature: SIGNATURE,
});

/** One validator's engine over several lives, at the mercy of three others. */
class Lives {
  readonly votes: BlockPoint[] = [];
  readonly commitVotes: BlockPoint[] = [];
  readonly timeouts: TimeoutVotes[] = [];
  readonly proposals: BlockHeader[] = [];
  readonly headers = new Map<string, BlockHeader>();
  readonly blocks: Block[] = [];
  #record: SigningRecord | undefined;
  #stored: StoredBlock[] = [];
  #requested: Extract<Effect, { kind: 'request-payload' }> | undefined;
  #state = step(unstartedEngine(SELF), { kind: 'started' }).state;

  /** Carries out the effects of an event, all or, in a life that ends here, the first few. */
  happen(event: ConsensusEvent, effectsDone = Number.POSITIVE_INFINITY): void {
    const { state, effects } = step(this.#state, event);
    this.#state = state;
    for (const [place, effect] of effects.entries()) {
      if (place >= effectsDone) return this.restart();
      this.#carryOut(effect);
    }
  }

  restart(): void {
    const changes = { record: this.#record, storedBlocks: this.#stored };
    this.#requested = undefined;
    this.#state = step(unstartedEngine(SELF, changes), { kind: 'started' }).state;
  }

  act(kind: number, a: number, b: number, effectsDone: number | undefined): void {
    const some = this.blocks[a % Math.max(1, this.blocks.length)];
    const certificate = some === undefined ? undefined : certificateFor(pointOfBlock(some));
    const { round } = this.#state;
    switch (kind) {
      case 0: {
        const ahead = b % 3;
        const justifyRound = certificate?.point.round ?? 0;
        const forRound = justifyRound + 1 + ahead;
        const timeoutCertificate = ahead === 0 ? undefined : timeoutCertificateFor(forRound - 1, certificate);
        // Mostly carriers above the end, and seldom elsewhere.
        const isCarried = some !== undefined && b % 12 < (roleOf(some.header) === 'ordinary' ? 1 : 10);
        const carried = isCarried ? { height: some.header.height } : {};
        const block = blockOn(this.#state, forRound, certificate, timeoutCertificate, { timestampMs: 1_000 + (a % 4), ...carried });
        if (!headerClaims(FOUR, block.header).ok) return;
        this.#know(block);
        this.happen({ kind: 'proposal-received', ...block });
        return this.happen(validated(block, roleOf(block.header)), effectsDone);
      }
      case 1:
        if (certificate !== undefined) this.happen({ kind: 'quorum-certificate-received', certificate }, effectsDone);
        return;
      case 2: {
        // What only a dishonest quorum can make: the block is of another round or height.
        if (certificate === undefined) return;
        const misdated = { ...certificate.point, round: certificate.point.round + 1 + (b % 4), height: certificate.point.height + (b % 2) };
        return this.happen({ kind: 'quorum-certificate-received', certificate: certificateFor(misdated) }, effectsDone);
      }
      case 3:
        return this.happen({ kind: 'timer-fired', timer: 'round', round }, effectsDone);
      case 4:
        return this.happen({ kind: 'timer-fired', timer: 'resend', round }, effectsDone);
      case 5: {
        const forRound = Math.max(round, (certificate?.point.round ?? 0) + 1) + (b % 2);
        const timeoutCertificate = timeoutCertificateFor(forRound, certificate);
        return this.happen({ kind: 'timeout-certificate-received', certificate: timeoutCertificate }, effectsDone);
      }
      case 6:
        for (const validator of [2, 4]) {
          const forRound = Math.max(round, (certificate?.point.round ?? 0) + 1) + (b % 3);
          this.happen({ kind: 'timeout-received', timeout: timeoutBy(validator, forRound, certificate), from: 'v' }, effectsDone);
        }
        return;
      case 7:
        return this.restart();
      case 9:
        if (certificate !== undefined)
          this.happen({ kind: 'commit-certificate-received', certificate, quorumCertificate: certificate }, effectsDone);
        return;
      default: {
        const requested = this.#requested;
        if (requested === undefined) return;
        this.#requested = undefined;
        const payload = payloadFor(1 + (b % 250));
        const role = requested.isCarrier ? 'carrier' : payload.timestampMs === CLOSING_MS ? 'closing' : 'ordinary';
        return this.happen({ kind: 'payload-ready', parentHash: requested.parentHash, round: requested.round, role, payload }, effectsDone);
      }
    }
  }

  #know(block: Block): void {
    this.blocks.push(block);
    this.headers.set(bytesToHex(block.hash), block.header);
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        this.#record = effect.record;
        return;
      case 'store-block':
        this.#stored = [
          ...this.#stored,
          { hash: effect.hash, header: effect.header, vrfOutput: new Uint8Array(64), role: roleOf(effect.header) },
        ];
        return;
      case 'sign-and-send-vote':
        return void this.votes.push(effect.point);
      case 'sign-and-send-commit-vote':
        return void this.commitVotes.push(effect.point);
      case 'sign-and-send-proposal':
        this.proposals.push(effect.header);
        return this.#know({ hash: effect.hash, header: effect.header });
      case 'sign-and-send-timeout':
        return void this.timeouts.push({
          round: effect.round,
          scheme: SCHEME_BLS,
          signers: signerBitsOf(FOUR.committee, [SELF_INDEX]),
          highestQuorumCertificateRounds: [effect.highestQuorumCertificate?.point.round ?? 0],
          signature: SIGNATURE,
        });
      case 'request-payload':
        this.#requested = effect;
        return;
      default:
    }
  }
}

function evidenceOf({ votes, commitVotes, timeouts, proposals, headers }: Lives): Evidence[] {
  const { instanceId } = FOUR;
  const found: Evidence[] = [];
  for (const first of votes)
    for (const second of votes) found.push(votePairOf('conflicting-votes', instanceId, voteBy(first), voteBy(second)));
  for (const first of commitVotes) {
    for (const second of commitVotes) found.push(votePairOf('conflicting-commit-votes', instanceId, voteBy(first), voteBy(second)));
    for (const each of timeouts) found.push({ kind: 'broken-timeout', instanceId, commitVotes: voteBy(first), timeouts: each });
  }
  const witness = (header: BlockHeader) => ({ branch: roundBranchOf(header), signature: SIGNATURE });
  for (const first of proposals)
    for (const second of proposals)
      if (first.round === second.round)
        found.push(proposalPairOf(instanceId, { validator: SELF, round: first.round }, witness(first), witness(second)));
  for (const point of votes) {
    const header = headers.get(bytesToHex(point.blockHash));
    assert.ok(header !== undefined, 'it votes for what it has seen');
    found.push({ kind: 'vote-against-rules', instanceId, votes: voteBy(point), header });
  }
  return found;
}

/** Acts by their numbers in `act`, the more often the more they lead to. */
const OFTEN = [0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7, 8, 8, 8, 9];

const acts = fc.array(fc.tuple(fc.constantFrom(...OFTEN), fc.nat(5), fc.nat(11), fc.option(fc.nat(5), { nil: undefined, freq: 6 })), {
  minLength: 5,
  maxLength: 60,
});

describe('what an honest validator signs', () => {
  it('accuses it of nothing, whatever all others do', () => {
    const signed = { votes: 0, commitVotes: 0, timeouts: 0, proposals: 0 };
    fc.assert(
      fc.property(acts, (script) => {
        const lives = new Lives();
        for (const [kind, a, b, effectsDone] of script) lives.act(kind, a, b, effectsDone);
        for (const evidence of evidenceOf(lives)) {
          const accused = accusationOf(FOUR, evidence);
          // Certificates of a header stand for verified ones here: what is in doubt are they, and so nothing is proved.
          if (accused.ok && accused.value.doubted.length === 0) assert.fail(`${evidence.kind} accuses it`);
        }
        for (const kind of ['votes', 'commitVotes', 'timeouts', 'proposals'] as const) signed[kind] += lives[kind].length;
      }),
      { numRuns: 1_500 },
    );
    for (const [kind, count] of Object.entries(signed)) assert.ok(count > 30, `only ${count} ${kind} were signed`);
  });
});
