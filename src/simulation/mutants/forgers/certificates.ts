// Forgers of certificates: with too few signers, without valid signatures, paired with what they do not belong to, and a block that
// passes over what a timeout certificate obliges its leader to build on.
import { BitArray } from '@chainsafe/ssz';
import { pointOf } from '../../../core/consensus/block-tree.ts';
import { certificateOf, memberIndexOf } from '../../../core/consensus/certificates.ts';
import { leaderOf, vrfAlphaOf } from '../../../core/consensus/leader.ts';
import { bytesToHex } from '../../../core/primitives/bytes.ts';
import { forgetOldest } from '../../../core/primitives/forget-oldest.ts';
import { blockHashOf } from '../../../core/protocol/block.ts';
import { type BlockPoint, type QuorumCertificate, SCHEME_BLS } from '../../../core/protocol/certificate.ts';
import type { CertificateBundle, Vote } from '../../../core/protocol/vote.ts';
import type { ConsensusMessage } from '../../../runtime/consensus-codec.ts';
import type { Forgery, Hand } from './hand.ts';

const SIGNATURE_BYTES = 96;
/** Rounds of which it remembers anything. */
const REMEMBERED_MAX = 64;

/** Makes certificates of two votes, its own and the first that it hears. */
export function shortCertificates(): Forgery {
  const own = new Map<string, Vote>();
  const other = new Map<string, Vote>();
  const shortQcs = new Map<string, QuorumCertificate>();
  const told = new Set<string>();
  const tell = (kind: 'vote' | 'commit-vote', point: BlockPoint, hand: Hand): void => {
    const key = keyOf(kind, point);
    const certificate = shortOf(own.get(key), other.get(key), hand);
    if (certificate === undefined || told.has(key)) return;
    told.add(key);
    if (kind === 'vote') shortQcs.set(bytesToHex(point.blockHash), certificate);
    const pair = kind === 'vote' ? undefined : shortQcs.get(bytesToHex(point.blockHash));
    if (kind === 'vote') hand.say(bundleOf(hand, { highestQuorumCertificate: [certificate] }));
    else if (pair !== undefined) hand.say(bundleOf(hand, { commitCertificate: [certificate], commitQuorumCertificate: [pair] }));
  };
  const note = (votes: Map<string, Vote>, message: ConsensusMessage, hand: Hand): void => {
    if (message.kind !== 'vote' && message.kind !== 'commit-vote') return;
    const key = keyOf(message.kind, message.vote.point);
    if (!votes.has(key)) votes.set(key, message.vote);
    for (const map of [own, other, shortQcs]) forgetOldest(map, REMEMBERED_MAX);
    tell(message.kind, message.vote.point, hand);
  };
  return {
    instead: (message, hand) => {
      note(own, message, hand);
      return [message];
    },
    heard: (message, hand) => note(other, message, hand),
  };
}

/** Says for each block that it votes for that all have, long before they do: nobody has signed the certificate. */
export function unsignedCertificates(): Forgery {
  return {
    instead: (message, hand) => {
      if (message.kind === 'vote') hand.say(bundleOf(hand, { highestQuorumCertificate: [unsignedOf(message.vote.point, hand)] }));
      return [message];
    },
  };
}

/** Gives up rounds and shows a QC of a block that is not there. */
export function unsignedTimeouts(): Forgery {
  return {
    instead: (message, hand) => {
      if (message.kind !== 'vote') return [message];
      const { point, instanceId } = message.vote;
      const round = point.round + 1;
      const nobodys = { ...point, blockHash: point.blockHash.with(0, (point.blockHash[0] as number) ^ 1) };
      const signature = hand.signer.signTimeout(round, point.round);
      const highestQuorumCertificate = [unsignedOf(nobodys, hand)];
      const timeout = { instanceId, round, highestQuorumCertificate, validator: hand.signer.validator, signature };
      return [message, { kind: 'timeout', timeout }];
    },
  };
}

/** Hands out each CC beside the QC of another block. */
export function mismatchedPair(): Forgery {
  return {
    instead: (message) => {
      if (message.kind !== 'certificates') return [message];
      const { commitCertificate, highestQuorumCertificate } = message.certificates;
      if (commitCertificate.length === 0 || highestQuorumCertificate.length === 0) return [message];
      return [{ kind: 'certificates', certificates: { ...message.certificates, commitQuorumCertificate: highestQuorumCertificate } }];
    },
    heard: (message, hand) => {
      if (message.kind !== 'commit-vote') return;
      const { commitProof, record } = hand.chain.runner.state;
      if (commitProof === undefined) return;
      const commitCertificate = [commitProof.commitCertificate];
      hand.say(bundleOf(hand, { commitCertificate, commitQuorumCertificate: record.highestQuorumCertificate }));
    },
  };
}

/** Leads a round after a timeout with a block beside the certified one, not on it: what the TC reports is passed over. */
export function oldJustify(): Forgery {
  return {
    instead: (message, hand) => {
      const { state } = hand.chain.runner;
      const [timeoutCertificate] = state.record.timeoutCertificate;
      if (message.kind !== 'proposal' || timeoutCertificate === undefined) return [message];
      const { header } = message.proposal;
      const passedOver = state.blocks.get(bytesToHex(header.parentHash))?.header;
      const parent = passedOver === undefined ? undefined : pointOf(state, bytesToHex(passedOver.parentHash));
      const body = hand.chain.blocks.get(header.parentHash)?.body;
      if (passedOver === undefined || parent === undefined || body === undefined || header.timeoutCertificate.length === 0)
        return [message];
      if (leaderOf(state.instance, parent, header.round) !== hand.signer.validator) return [message];
      const { proof } = hand.signer.proveLeader(vrfAlphaOf(state.instance, parent.seed, header.round));
      // What the block that is passed over says of its parent holds for its sibling too.
      const { round, proposer } = header;
      const sibling = { ...passedOver, round, proposer, vrfProof: proof, timeoutCertificate: [timeoutCertificate] };
      return [{ kind: 'proposal', proposal: { header: sibling, body, signature: hand.signer.signProposal(blockHashOf(sibling)) } }];
    },
  };
}

/** A certificate that all members seem to have signed. */
export function unsignedOf(point: BlockPoint, { chain }: Hand): QuorumCertificate {
  const { members } = chain.instance.committee;
  const signers = BitArray.fromBoolArray(members.map(() => true));
  return { point, scheme: SCHEME_BLS, signers, signature: new Uint8Array(SIGNATURE_BYTES) };
}

function shortOf(own: Vote | undefined, other: Vote | undefined, { chain, crypto }: Hand): QuorumCertificate | undefined {
  if (own === undefined || other === undefined) return undefined;
  const { committee } = chain.instance;
  const indexes = [own, other].map(({ validator }) => memberIndexOf(committee, validator));
  const signature = crypto.bls.aggregate([own.signature, other.signature]);
  return signature === undefined ? undefined : certificateOf(committee, own.point, indexes as number[], signature);
}

function bundleOf({ chain, world }: Hand, part: Partial<CertificateBundle>): ConsensusMessage {
  const { instanceId } = chain.instance;
  const empty = { highestQuorumCertificate: [], commitCertificate: [], commitQuorumCertificate: [], timeoutCertificate: [] };
  return { kind: 'certificates', certificates: { instanceId, nonce: world.clock.nowMs(), ...empty, ...part } };
}

function keyOf(kind: string, { round, blockHash }: BlockPoint): string {
  return `${kind} ${round} ${bytesToHex(blockHash)}`;
}
