// What is evidence and what is not, kind by kind, with signatures that are real but cheap.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BitArray } from '@chainsafe/ssz';
import { certificateOf, signerBitsOf } from '../../../../src/core/consensus/certificates.ts';
import { type EvidenceRefusal, verifyEvidence } from '../../../../src/core/consensus/evidence/accusation.ts';
import {
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  proposalPairOf,
  type TimeoutVotes,
  votePairOf,
} from '../../../../src/core/consensus/evidence/evidence.ts';
import { roundBranchOf } from '../../../../src/core/consensus/evidence/round-branch.ts';
import { proposalMessage, timeoutMessage, type VoteKind, voteMessage } from '../../../../src/core/consensus/signature-sets.ts';
import { startPoint } from '../../../../src/core/consensus/state.ts';
import { type BlockHeader, blockHashOf } from '../../../../src/core/protocol/block.ts';
import { type BlockPoint, type QuorumCertificate, SCHEME_BLS } from '../../../../src/core/protocol/certificate.ts';
import type { Instance } from '../../../../src/core/protocol/committee.ts';
import { standInBls } from '../../../../src/simulation/stand-in-crypto.ts';
import { blockOn, instanceOf, startedEngine } from '../values.ts';

const bls = standInBls();
const secrets = [1, 2, 3, 4].map((fill) => new Uint8Array(32).fill(fill));
const members = secrets.map((secret, index) => ({
  validator: index * 2,
  seats: 1,
  blsPublicKey: bls.publicKeyOf(secret),
  vrfPublicKey: new Uint8Array(32),
}));
const INSTANCE: Instance = instanceOf({ members, totalSeats: 4 }, 1, 0);
const { instanceId, committee } = INSTANCE;

const sumOf = (signatures: readonly Uint8Array[]): Uint8Array => bls.aggregate(signatures) as Uint8Array;
const sign = (index: number, message: Uint8Array): Uint8Array => bls.sign(secrets[index] as Uint8Array, message);

function votes(by: readonly number[], point: BlockPoint, kind: VoteKind = 'vote'): QuorumCertificate {
  return certificateOf(committee, point, by, sumOf(by.map((index) => sign(index, voteMessage(INSTANCE, kind, point)))));
}

function timeouts(round: number, reports: readonly (readonly [number, number])[]): TimeoutVotes {
  return {
    round,
    scheme: SCHEME_BLS,
    signers: signerBitsOf(
      committee,
      reports.map(([index]) => index),
    ),
    highestQuorumCertificateRounds: reports.map(([, reported]) => reported),
    signature: sumOf(reports.map(([index, reported]) => sign(index, timeoutMessage(INSTANCE, round, reported)))),
  };
}

const pointOf = (round: number, fill: number, height = 1): BlockPoint => ({ height, round, blockHash: new Uint8Array(32).fill(fill) });
const pointOfHeader = (header: BlockHeader, changes: Partial<BlockPoint> = {}): BlockPoint => ({
  height: header.height,
  round: header.round,
  blockHash: blockHashOf(header),
  ...changes,
});

function guilty(evidence: Evidence, validators: readonly number[]): void {
  const decoded = decodeEvidence(encodeEvidence(evidence));
  assert.ok(decoded.ok, decoded.ok ? '' : decoded.detail);
  const verdict = verifyEvidence(INSTANCE, decoded.value, bls);
  assert.deepEqual(verdict, { ok: true, value: validators });
}

function nothing(evidence: Evidence, reason: EvidenceRefusal): void {
  const verdict = verifyEvidence(INSTANCE, evidence, bls);
  assert.equal(verdict.ok ? `guilty: ${verdict.value}` : verdict.reason, reason);
}

for (const [kind, voteKind] of [
  ['conflicting-votes', 'vote'],
  ['conflicting-commit-votes', 'commit-vote'],
] as const) {
  describe(`evidence of ${kind}`, () => {
    const pair = (a: QuorumCertificate, b: QuorumCertificate): Evidence => votePairOf(kind, instanceId, a, b);
    const by = (indexes: readonly number[], point: BlockPoint) => votes(indexes, point, voteKind);

    it('proves one who signed two blocks of a round, or a block at two heights', () => {
      guilty(pair(by([2], pointOf(5, 1)), by([2], pointOf(5, 2))), [4]);
      guilty(pair(by([2], pointOf(5, 1)), by([2], pointOf(5, 1, 2))), [4]);
    });

    it('proves the overlap of two certificates, or of a certificate and one vote', () => {
      guilty(pair(by([0, 1, 2], pointOf(5, 1)), by([1, 2, 3], pointOf(5, 2))), [2, 4]);
      guilty(pair(by([0, 1, 2], pointOf(5, 1)), by([0], pointOf(5, 2))), [0]);
    });

    it('is none of two rounds, of two validators, of one block', () => {
      nothing(pair(by([2], pointOf(5, 1)), by([2], pointOf(6, 2))), 'no-contradiction');
      nothing(pair(by([2], pointOf(5, 1)), by([3], pointOf(5, 2))), 'nobody-in-both');
      nothing(pair(by([2, 1], pointOf(5, 1)), by([2], pointOf(5, 1))), 'no-contradiction');
    });

    it('is none with a signature of another kind, of another signer, or from another instance', () => {
      const other = voteKind === 'vote' ? 'commit-vote' : 'vote';
      nothing(pair(by([2], pointOf(5, 1)), votes([2], pointOf(5, 2), other)), 'bad-signature');
      nothing(pair(by([2], pointOf(5, 1)), { ...by([1], pointOf(5, 2)), signers: signerBitsOf(committee, [2]) }), 'bad-signature');
      nothing({ ...pair(by([2], pointOf(5, 1)), by([2], pointOf(5, 2))), instanceId: new Uint8Array(32) }, 'wrong-instance');
    });

    it('is none with a bitmap of nobody or of another committee, or another scheme', () => {
      const good = by([2], pointOf(5, 1));
      const bad = by([2], pointOf(5, 2));
      nothing(pair(good, { ...bad, signers: BitArray.fromBitLen(4) }), 'wrong-bitmap');
      nothing(pair(good, { ...bad, signers: BitArray.fromSingleBit(9, 2) }), 'wrong-bitmap');
      nothing(pair(good, { ...bad, scheme: 2 }), 'unknown-scheme');
    });
  });
}

describe('a vote beside a commit vote for another block of its round', () => {
  it('cannot even be said as evidence: each kind is signed in its own domain', () => {
    for (const kind of ['conflicting-votes', 'conflicting-commit-votes'] as const)
      nothing(votePairOf(kind, instanceId, votes([2], pointOf(5, 1)), votes([2], pointOf(5, 2), 'commit-vote')), 'bad-signature');
  });
});

describe('evidence of conflicting proposals', () => {
  const state = startedEngine(0, { instance: INSTANCE });
  const header = (round: number, timestampMs: number): BlockHeader => blockOn(state, round, undefined, undefined, { timestampMs }).header;
  const witness = (of: BlockHeader, index: number) => ({
    branch: roundBranchOf(of),
    signature: sign(index, proposalMessage(INSTANCE, blockHashOf(of))),
  });
  const by = { validator: 2, round: 3 };

  it('proves one who proposed two blocks in a round, without the blocks', () => {
    const evidence = proposalPairOf(instanceId, by, witness(header(3, 1), 1), witness(header(3, 2), 1));
    guilty(evidence, [2]);
    assert.ok(encodeEvidence(evidence).length < 512);
  });

  it('is none of two rounds, of one block, of a stranger, or with a signature of another', () => {
    nothing(proposalPairOf(instanceId, by, witness(header(3, 1), 1), witness(header(4, 2), 1)), 'bad-signature');
    nothing(proposalPairOf(instanceId, by, witness(header(3, 1), 1), witness(header(3, 1), 1)), 'no-contradiction');
    nothing(proposalPairOf(instanceId, { validator: 3, round: 3 }, witness(header(3, 1), 1), witness(header(3, 2), 1)), 'not-a-member');
    nothing(proposalPairOf(instanceId, by, witness(header(3, 1), 1), witness(header(3, 2), 0)), 'bad-signature');
  });
});

describe('evidence of a broken timeout', () => {
  const broken = (commitVotes: QuorumCertificate, given: TimeoutVotes): Evidence => ({
    kind: 'broken-timeout',
    instanceId,
    commitVotes,
    timeouts: given,
  });
  const commit = (by: readonly number[], round: number) => votes(by, pointOf(round, 1), 'commit-vote');

  it('proves one who commit-voted in a round that he gave up, or below, as if he had no QC of it', () => {
    guilty(broken(commit([1], 5), timeouts(5, [[1, 4]])), [2]);
    guilty(broken(commit([1], 5), timeouts(9, [[1, 3]])), [2]);
  });

  it('proves of a CC and a TC those in both who reported too low', () => {
    const given = timeouts(6, [
      [1, 4],
      [2, 5],
      [3, 0],
    ]);
    guilty(broken(commit([0, 1, 2, 3], 5), given), [2, 6]);
  });

  it('is none where the QC was reported, the timeout is of a lower round, or somebody else signed', () => {
    nothing(broken(commit([1], 5), timeouts(5, [[1, 5]])), 'nobody-in-both');
    nothing(broken(commit([1], 5), timeouts(9, [[1, 7]])), 'nobody-in-both');
    nothing(broken(commit([1], 5), timeouts(4, [[1, 3]])), 'no-contradiction');
    nothing(broken(commit([1], 5), timeouts(5, [[2, 4]])), 'nobody-in-both');
    nothing(broken(commit([1], 5), { ...timeouts(5, [[1, 5]]), highestQuorumCertificateRounds: [4] }), 'bad-signature');
    nothing(broken(commit([1], 5), { ...timeouts(5, [[1, 4]]), highestQuorumCertificateRounds: [4, 4] }), 'wrong-rounds-list');
    nothing(broken(votes([1], pointOf(5, 1)), timeouts(5, [[1, 4]])), 'bad-signature');
  });
});

describe('evidence of a vote against the rules', () => {
  const state = startedEngine(0, { instance: INSTANCE });
  const against = (by: QuorumCertificate, header: BlockHeader): Evidence => ({ kind: 'vote-against-rules', instanceId, votes: by, header });
  const first = blockOn(state, 1).header;
  const certificate = votes([0, 1, 2], pointOfHeader(first));
  const second = blockOn(state, 2, certificate).header;

  it('proves a vote for a header that skips a round, or is on another parent than its QC', () => {
    assert.deepEqual(startPoint(INSTANCE).hash, first.parentHash);
    for (const header of [
      { ...second, round: 3 },
      { ...second, parentHash: new Uint8Array(32) },
      { ...second, height: 9 },
      { ...second, height: 0 },
      { ...second, height: 3 },
      { ...first, round: 2 },
      { ...second, proposer: 1 },
      { ...second, instanceId: new Uint8Array(32) },
      { ...second, justify: [votes([0, 1], pointOfHeader(first))] },
    ])
      guilty(against(votes([2], pointOfHeader(header)), header), [4]);
  });

  it('proves a vote for a header with a certificate that does not verify, and of a certificate all its signers', () => {
    const header = { ...second, justify: [{ ...certificate, signature: new Uint8Array(96).fill(3) }] };
    guilty(against(votes([2], pointOfHeader(header)), header), [4]);
    guilty(against(votes([0, 2, 3], pointOfHeader(header)), header), [0, 4, 6]);
  });

  it('proves a vote that misstates the height or the round of its block', () => {
    guilty(against(votes([2], pointOfHeader(second, { round: 7 })), second), [4]);
    guilty(against(votes([2], pointOfHeader(second, { height: 7 })), second), [4]);
  });

  it('is none of a vote for a header within the rules, another header, or a commit vote', () => {
    nothing(against(votes([2], pointOfHeader(first)), first), 'no-contradiction');
    nothing(against(votes([2], pointOfHeader(second)), second), 'no-contradiction');
    const carrier = { ...second, height: first.height };
    nothing(against(votes([2], pointOfHeader(carrier)), carrier), 'no-contradiction');
    nothing(against(votes([2], pointOfHeader(second)), { ...second, round: 3 }), 'another-block');
    const header = { ...second, round: 3 };
    nothing(against(votes([2], pointOfHeader(header), 'commit-vote'), header), 'bad-signature');
  });
});
