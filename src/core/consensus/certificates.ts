// Bitmaps and seats of certificates: who signed, with how much power, and how verified signatures become a QC, CC or TC.
import { BitArray } from '@chainsafe/ssz';
import { invariant } from '../primitives/errors.ts';
import type { Seats, ValidatorIndex } from '../primitives/ids.ts';
import { type BlockPoint, type QuorumCertificate, SCHEME_BLS, type TimeoutCertificate } from '../protocol/certificate.ts';
import type { Committee, CommitteeMember } from '../protocol/committee.ts';
import type { Timeout } from '../protocol/vote.ts';

/** The place of a validator among the members, by binary search; undefined for a stranger. */
export function memberIndexOf(committee: Committee, validator: ValidatorIndex): number | undefined {
  const { members } = committee;
  let low = 0;
  let high = members.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = (members[middle] as CommitteeMember).validator;
    if (found === validator) return middle;
    if (found < validator) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

/** The members whose bits are set. The bitmap's length must be the committee's. */
export function signersOf(committee: Committee, signers: BitArray): readonly CommitteeMember[] {
  return signers.getTrueBitIndexes().map((index) => committee.members[index] as CommitteeMember);
}

/** Power of members: bitmaps are by member, power by seats. */
export function seatsOf(members: readonly CommitteeMember[]): Seats {
  let seats = 0;
  for (const member of members) seats += member.seats;
  return seats;
}

/** The bitmap of the members at these places. */
export function signerBitsOf(committee: Committee, memberIndexes: readonly number[]): BitArray {
  const bits = BitArray.fromBitLen(committee.members.length);
  for (const index of memberIndexes) bits.set(index, true);
  return bits;
}

/** A QC or CC from the sum of the signatures of the members at these places. */
export function certificateOf(
  committee: Committee,
  point: BlockPoint,
  memberIndexes: readonly number[],
  signature: Uint8Array,
): QuorumCertificate {
  return { point, scheme: SCHEME_BLS, signers: signerBitsOf(committee, memberIndexes), signature };
}

/** Round of the QC that a timeout reports; 0 for none. */
export function reportedRoundOf(timeout: Timeout): number {
  return timeout.highestQuorumCertificate[0]?.point.round ?? 0;
}

/** A TC from verified timeouts of one round, in the order of members, and the sum of their signatures. */
export function timeoutCertificateOf(committee: Committee, timeouts: readonly Timeout[], signature: Uint8Array): TimeoutCertificate {
  const [first] = timeouts;
  invariant(first !== undefined, 'a timeout certificate is made of timeouts');
  const memberIndexes = timeouts.map(({ validator }) => {
    const index = memberIndexOf(committee, validator);
    invariant(index !== undefined, 'timeouts are held of members only');
    return index;
  });
  invariant(
    memberIndexes.every((index, place) => place === 0 || index > (memberIndexes[place - 1] as number)),
    'timeouts are aggregated in the order of members',
  );
  const highest = timeouts.reduce((best, timeout) => (reportedRoundOf(timeout) > reportedRoundOf(best) ? timeout : best), first);
  return {
    round: first.round,
    scheme: SCHEME_BLS,
    signers: signerBitsOf(committee, memberIndexes),
    highestQuorumCertificateRounds: timeouts.map(reportedRoundOf),
    highestQuorumCertificate: highest.highestQuorumCertificate,
    signature,
  };
}
