// Blocks as they are stored and handed on: header and body, and the certificates that make a block final.
import { ContainerType, type ValueOf } from '@chainsafe/ssz';
import { BlockBody, BlockHeader } from './block.ts';
import { Certificate, OptionalCertificate } from './certificate.ts';

/** A whole block. */
export const Block = new ContainerType({ header: BlockHeader, body: BlockBody }, { typeName: 'Block', jsonCase: 'eth2' });
export type Block = ValueOf<typeof Block>;

/** The certificates of a committed block: its QC, and its own CC unless that of a descendant covers it. */
export const BlockCertificates = new ContainerType(
  { quorumCertificate: Certificate, commitCertificate: OptionalCertificate },
  { typeName: 'BlockCertificates', jsonCase: 'eth2' },
);
export type BlockCertificates = ValueOf<typeof BlockCertificates>;

/** A committed block with what proves it. */
export const CertifiedBlock = new ContainerType(
  { block: Block, certificates: BlockCertificates },
  { typeName: 'CertifiedBlock', jsonCase: 'eth2' },
);
export type CertifiedBlock = ValueOf<typeof CertifiedBlock>;
