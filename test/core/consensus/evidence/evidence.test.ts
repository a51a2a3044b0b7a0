import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { signerBitsOf } from '../../../../src/core/consensus/certificates.ts';
import {
  decodeEvidence,
  EVIDENCE_KINDS,
  type Evidence,
  encodeEvidence,
  evidenceIdOf,
  proposalPairOf,
  votePairOf,
} from '../../../../src/core/consensus/evidence/evidence.ts';
import { blockHashFromRound, roundBranchOf } from '../../../../src/core/consensus/evidence/round-branch.ts';
import { bytesToHex } from '../../../../src/core/primitives/bytes.ts';
import { BlockHeader, blockHashOf } from '../../../../src/core/protocol/block.ts';
import { Certificate, type QuorumCertificate, SCHEME_BLS } from '../../../../src/core/protocol/certificate.ts';
import { drawFrom, generateValue } from '../../protocol/generate-value.ts';
import { FOUR } from '../values.ts';

const { instanceId } = FOUR;

function valuesOf(seed: number): readonly Evidence[] {
  const draw = drawFrom(seed);
  const certificate = (): QuorumCertificate => generateValue(Certificate, draw) as QuorumCertificate;
  const header = (): BlockHeader => generateValue(BlockHeader, draw) as BlockHeader;
  const witness = () => ({ branch: roundBranchOf(header()), signature: new Uint8Array(96).fill(draw(256)) });
  return [
    votePairOf('conflicting-votes', instanceId, certificate(), certificate()),
    votePairOf('conflicting-commit-votes', instanceId, certificate(), certificate()),
    proposalPairOf(instanceId, { validator: draw(9), round: draw(1_000) }, witness(), witness()),
    {
      kind: 'broken-timeout',
      instanceId,
      commitVotes: certificate(),
      timeouts: {
        round: draw(1_000),
        scheme: SCHEME_BLS,
        signers: signerBitsOf(FOUR.committee, [draw(4)]),
        highestQuorumCertificateRounds: [draw(1_000)],
        signature: new Uint8Array(96).fill(draw(256)),
      },
    },
    { kind: 'vote-against-rules', instanceId, votes: certificate(), header: header() },
  ];
}

describe('the encoding of evidence', () => {
  const seeds = fc.integer({ min: 1, max: 2 ** 31 });

  it('gives back every piece, under an id of its content', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const values = valuesOf(seed);
        assert.deepEqual(
          values.map(({ kind }) => kind),
          EVIDENCE_KINDS,
        );
        const ids = values.map((evidence) => {
          const encoded = encodeEvidence(evidence);
          const decoded = decodeEvidence(encoded);
          assert.ok(decoded.ok, `${evidence.kind}: ${decoded.ok ? '' : decoded.detail}`);
          assert.deepEqual(decoded.value, evidence);
          return bytesToHex(evidenceIdOf(encoded));
        });
        assert.equal(new Set(ids).size, values.length);
      }),
      { numRuns: 200 },
    );
  });

  it('accepts of damaged bytes only what is the one encoding of something', () => {
    const bytes = fc.tuple(seeds, fc.nat(4), fc.nat(), fc.nat(7), fc.boolean());
    fc.assert(
      fc.property(bytes, ([seed, which, place, bit, isCut]) => {
        const encoded = encodeEvidence(valuesOf(seed)[which] as Evidence);
        const at = place % encoded.length;
        const damaged = isCut ? encoded.slice(0, at) : encoded.with(at, (encoded[at] as number) ^ (1 << bit));
        const decoded = decodeEvidence(damaged);
        if (decoded.ok) assert.deepEqual(encodeEvidence(decoded.value), damaged);
      }),
      { numRuns: 250 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (random) => {
        const decoded = decodeEvidence(random);
        if (decoded.ok) assert.deepEqual(encodeEvidence(decoded.value), random);
      }),
    );
    assert.equal(decodeEvidence(new Uint8Array(0)).ok, false);
  });

  it('has one order of the halves of a pair, and none of two that are the same', () => {
    for (const evidence of valuesOf(7)) {
      if (!('first' in evidence)) continue;
      const { first, second } = evidence;
      for (const halves of [
        { first: second, second: first },
        { first, second: first },
      ]) {
        const decoded = decodeEvidence(encodeEvidence({ ...evidence, ...halves } as Evidence));
        assert.ok(!decoded.ok && decoded.reason === 'not-canonical', evidence.kind);
      }
    }
  });

  it('leads from the round of any header to the hash of its block, and from no other round', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const header = generateValue(BlockHeader, drawFrom(seed)) as BlockHeader;
        assert.deepEqual(blockHashFromRound(header.round, roundBranchOf(header)), blockHashOf(header));
        assert.notDeepEqual(blockHashFromRound(header.round + 1, roundBranchOf(header)), blockHashOf(header));
      }),
      { numRuns: 200 },
    );
  });
});
