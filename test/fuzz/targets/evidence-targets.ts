// Evidence: what peers send of it, and the files that people bring.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explainError } from '../../../src/cli/explain-error.ts';
import { verifyEvidence } from '../../../src/core/consensus/evidence/accusation.ts';
import {
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  proposalPairOf,
  votePairOf,
} from '../../../src/core/consensus/evidence/evidence.ts';
import { ROUND_BRANCH_LENGTH } from '../../../src/core/consensus/evidence/round-branch.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { CoppiceError } from '../../../src/core/primitives/errors.ts';
import { BlockHeader } from '../../../src/core/protocol/block.ts';
import { Certificate } from '../../../src/core/protocol/certificate.ts';
import { readEvidenceFile } from '../../../src/node/evidence-file.ts';
import type { SeededRandom } from '../../../src/simulation/random.ts';
import { standInBls } from '../../../src/simulation/stand-in-crypto.ts';
import { FOUR } from '../../core/consensus/values.ts';
import { type FuzzTarget, judgeCanonical, refusal } from '../target.ts';
import { TEXT_WORDS, textToBytes } from './json-values.ts';
import { bytesOf, sszValue } from './values.ts';

const folder = mkdtempSync(join(tmpdir(), 'coppice-fuzz-evidence-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const FILE = join(folder, 'evidence');
const bls = standInBls();

function evidenceOf(random: SeededRandom): Evidence {
  const instanceId = random.chance(0.5) ? FOUR.instanceId : bytesOf(random, 32);
  const [first, second] = [sszValue(Certificate, random), sszValue(Certificate, random)];
  const kind = random.pick([
    'conflicting-votes',
    'conflicting-commit-votes',
    'conflicting-proposals',
    'broken-timeout',
    'against',
  ] as const);
  switch (kind) {
    case 'conflicting-votes':
    case 'conflicting-commit-votes':
      return votePairOf(kind, instanceId, first, second);
    case 'conflicting-proposals': {
      const witness = () => ({
        branch: Array.from({ length: ROUND_BRANCH_LENGTH }, () => bytesOf(random, 32)),
        signature: bytesOf(random, 96),
      });
      return proposalPairOf(instanceId, { validator: random.integer(0, 8), round: random.integer(0, 2 ** 31) }, witness(), witness());
    }
    case 'broken-timeout': {
      const rounds = Array.from({ length: random.integer(0, 5) }, () => random.integer(0, 100));
      const { signers, signature } = second;
      const timeouts = { round: random.integer(0, 100), scheme: 0, signers, highestQuorumCertificateRounds: rounds, signature };
      return { kind, instanceId, commitVotes: first, timeouts };
    }
    case 'against':
      return { kind: 'vote-against-rules', instanceId, votes: first, header: sszValue(BlockHeader, random) };
  }
}

const evidence: FuzzTarget = {
  name: 'evidence',
  covers: ['core/consensus/evidence/evidence#decodeEvidence', 'core/consensus/evidence/accusation#verifyEvidence'],
  executions: 4_000,
  generate: (random) => encodeEvidence(evidenceOf(random)),
  judge(bytes) {
    const decoded = decodeEvidence(bytes);
    const label = judgeCanonical(bytes, decoded, encodeEvidence);
    if (!decoded.ok) return label;
    const verdict = verifyEvidence(FOUR, decoded.value, bls);
    assert.ok(!verdict.ok, 'nobody signed what is generated');
    return `${decoded.value.kind}: ${verdict.reason}`;
  },
};

const evidenceFile: FuzzTarget = {
  name: 'evidence-file',
  covers: ['node/evidence-file#readEvidenceFile'],
  executions: 400,
  words: TEXT_WORDS,
  generate(random) {
    const encoded = encodeEvidence(evidenceOf(random));
    const piece = { encoded: `0x${bytesToHex(encoded)}`, kind: 'x' };
    const content = random.pick([
      encoded,
      textToBytes(piece.encoded),
      textToBytes(JSON.stringify(piece)),
      textToBytes(JSON.stringify([piece, piece])),
      textToBytes(JSON.stringify({ jsonrpc: '2.0', id: 1, result: [piece] })),
    ]);
    writeFileSync(FILE, content);
    for (const read of readEvidenceFile(FILE)) assert.deepEqual([...read], [...encoded]);
    return content;
  },
  judge(bytes) {
    writeFileSync(FILE, bytes);
    try {
      return readEvidenceFile(FILE).length === 1 ? 'one piece' : 'several pieces';
    } catch (error) {
      if (!(error instanceof CoppiceError)) throw error;
      const line = explainError(error);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through.
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/, 'an error is one line, and controls no terminal');
      return refusal(String(error.code), line.replaceAll(folder, ''));
    }
  },
};

/** See the file's head. */
export const EVIDENCE_TARGETS: readonly FuzzTarget[] = [evidence, evidenceFile];
