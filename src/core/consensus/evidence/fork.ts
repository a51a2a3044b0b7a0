// Evidence out of two chains that were both committed in one instance. Where two blocks of one height are final, a third of the seats is
// guilty, and their certificates prove it (protocol, section 3, "Why it is safe", read backwards). Let B of round r be committed on one
// chain, and C the first block above round r with a QC on the other. Either both chains have a QC of one round, or a CC each: then the
// signers of both are guilty; or C carries a TC of a round ≥ r whose signers report QCs below r: those who commit-voted for B are guilty.

import type { CertifiedBlock } from '../../protocol/certified-block.ts';
import type { Instance } from '../../protocol/committee.ts';
import { EvidenceDetector, type Suspicion } from './detector.ts';
import type { Evidence } from './evidence.ts';

/** There are two chains of a bounded length, and all of their rounds count. */
const EVERY_ROUND = { behind: Number.POSITIVE_INFINITY, ahead: Number.POSITIVE_INFINITY, votesAhead: Number.POSITIVE_INFINITY };

/**
 * All that the blocks of two chains above their fork say against validators, if their certificates are what they seem: nothing is verified
 * here. What both chains share counts too, and contradicts nothing.
 */
export function evidenceOfFork(
  instance: Instance,
  ours: readonly CertifiedBlock[],
  theirs: readonly CertifiedBlock[],
): readonly Evidence[] {
  const detector = new EvidenceDetector(instance, EVERY_ROUND);
  const suspicions = [...ours, ...theirs].flatMap((block) => hear(detector, block));
  return suspicions.flatMap(({ evidence }) => (evidence === undefined ? [] : [evidence]));
}

function hear(detector: EvidenceDetector, { block: { header }, certificates }: CertifiedBlock): readonly Suspicion[] {
  const { quorumCertificate, commitCertificate } = certificates;
  const { justify, timeoutCertificate } = header;
  const quorumCertificates = [
    ...justify,
    ...timeoutCertificate.flatMap((certificate) => certificate.highestQuorumCertificate),
    quorumCertificate,
  ];
  return [
    ...quorumCertificates.flatMap((votes) => detector.hearVotes({ kind: 'vote', votes, isVerified: true })),
    ...commitCertificate.flatMap((votes) => detector.hearVotes({ kind: 'commit-vote', votes, isVerified: true })),
    ...timeoutCertificate.flatMap(({ highestQuorumCertificate: _shown, ...timeouts }) => detector.hearTimeouts(timeouts)),
  ];
}
