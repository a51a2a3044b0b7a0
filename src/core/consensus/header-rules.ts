// What makes a header valid on its own, before any signature or parent is looked at: which round it may be of, and what it builds on.
// The leader, the VRF proof, and everything about content need the parent (blocks.ts, and the shard's validation).
import { bytesEqual } from '../primitives/bytes.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import type { BlockHeader } from '../protocol/block.ts';
import type { QuorumCertificate } from '../protocol/certificate.ts';
import type { Instance } from '../protocol/committee.ts';
import { isCarrier } from './block-role.ts';
import { memberIndexOf } from './certificates.ts';

/** Why a header is wrong on its face. */
export type HeaderRefusal = 'wrong-instance' | 'not-a-member' | 'wrong-start' | 'wrong-parent' | 'not-admitted';

/**
 * The justify is of the round before; or a TC of the round before is carried, and the justify is at least as high as the highest QC
 * that it reports. A TC beside a QC of the round before is not permitted: a header has one form.
 */
export function isAdmittedToRound(header: BlockHeader): boolean {
  const justifyRound = header.justify[0]?.point.round ?? 0;
  const [timeoutCertificate] = header.timeoutCertificate;
  if (justifyRound === header.round - 1) return timeoutCertificate === undefined;
  if (timeoutCertificate === undefined || timeoutCertificate.round !== header.round - 1) return false;
  return justifyRound < header.round && justifyRound >= Math.max(...timeoutCertificate.highestQuorumCertificateRounds);
}

/** A block is one above the block of its justify; a carrier, which only a closing block or a carrier bears, is beside it. */
export function isAtHeightOf(justify: QuorumCertificate, header: BlockHeader): boolean {
  return isCarrier(header) || header.height === justify.point.height + 1;
}

/** Checks a header on its face. */
export function checkHeader(instance: Instance, header: BlockHeader): Verdict<undefined, HeaderRefusal> {
  if (!bytesEqual(header.instanceId, instance.instanceId)) return refuse('wrong-instance');
  if (memberIndexOf(instance.committee, header.proposer) === undefined) return refuse('not-a-member', `proposer ${header.proposer}`);
  const [justify] = header.justify;
  if (justify === undefined) {
    const { height } = instance.startRecord;
    const isFirst = bytesEqual(header.parentHash, instance.startRecordRoot) && header.height === height + 1;
    if (!isFirst) return refuse('wrong-start', `height ${header.height} without justify`);
  } else if (!bytesEqual(header.parentHash, justify.point.blockHash) || !isAtHeightOf(justify, header)) {
    return refuse('wrong-parent', `height ${header.height} on ${justify.point.height}`);
  }
  return isAdmittedToRound(header) ? accept(undefined) : refuse('not-admitted', `round ${header.round}`);
}
