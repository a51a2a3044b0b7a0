// What consensus says on the wire (protocol, section 3). Every message names its instance; signatures cover the object's root in
// the domain of its kind, network and instance (crypto/domains.ts), so none can be replayed as another.
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { BlockBody, BlockHeader } from './block.ts';
import { BlockPoint, OptionalCertificate, TimeoutCertificate } from './certificate.ts';
import { Bytes32Type, Bytes96, Uint32, Uint64 } from './ssz.ts';

/** A leader's block. The signature is over the header's root, in the domain of proposals. */
export const Proposal = new ContainerType(
  { header: BlockHeader, body: BlockBody, signature: Bytes96 },
  { typeName: 'Proposal', jsonCase: 'eth2' },
);
export type Proposal = ValueOf<typeof Proposal>;

/** A vote, or in its own domain a commit vote, of one member for one block of one round. */
export const Vote = new ContainerType(
  { instanceId: Bytes32Type, point: BlockPoint, validator: Uint32, signature: Bytes96 },
  { typeName: 'Vote', jsonCase: 'eth2' },
);
export type Vote = ValueOf<typeof Vote>;

/** "I give up on this round": signs (round, highest QC round) and shows that QC; without it the timeout is not counted. */
export const Timeout = new ContainerType(
  { instanceId: Bytes32Type, round: Uint64, highestQuorumCertificate: OptionalCertificate, validator: Uint32, signature: Bytes96 },
  { typeName: 'Timeout', jsonCase: 'eth2' },
);
export type Timeout = ValueOf<typeof Timeout>;

/** The newest certificates a node has: an answer to whoever is behind, and what is re-sent while a round is stuck. */
export const CertificateBundle = new ContainerType(
  {
    instanceId: Bytes32Type,
    highestQuorumCertificate: OptionalCertificate,
    /** The newest CC that the sender has, with its block's QC beside it: a CC is valid only together with that. */
    commitCertificate: OptionalCertificate,
    commitQuorumCertificate: OptionalCertificate,
    timeoutCertificate: new ListCompositeType(TimeoutCertificate, 1),
    /** Distinguishes re-sent messages: gossip drops identical bytes as duplicates. */
    nonce: Uint64,
  },
  { typeName: 'CertificateBundle', jsonCase: 'eth2' },
);
export type CertificateBundle = ValueOf<typeof CertificateBundle>;
