// What ended an instance, as it is stored with its closing block: the carriers above it and the certificates that cover them. A node that starts
// again without it would go on beyond the end.
import { ContainerType, ListCompositeType } from '@chainsafe/ssz';
import type { ClosedInstance } from '../core/consensus/closed-instance.ts';
import { invariant } from '../core/primitives/errors.ts';
import { BlockHeader } from '../core/protocol/block.ts';
import { Certificate } from '../core/protocol/certificate.ts';
import { decodeCanonical } from '../core/protocol/ssz.ts';

/** Carriers are not bounded by the protocol; so many leaders in a row without a certificate are weeks of failed rounds. */
const CARRIERS_STORED_MAX = 2 ** 16;

const InstanceEnd = new ContainerType(
  {
    carriers: new ListCompositeType(BlockHeader, CARRIERS_STORED_MAX),
    quorumCertificate: Certificate,
    commitCertificate: Certificate,
  },
  { typeName: 'InstanceEnd', jsonCase: 'eth2' },
);

/** The row's value. */
export function encodeInstanceEnd({ carriers, proof }: ClosedInstance): Uint8Array {
  return InstanceEnd.serialize({ carriers: [...carriers], ...proof });
}

/** Reads a row of our own. */
export function decodeInstanceEnd(bytes: Uint8Array): ClosedInstance {
  const decoded = decodeCanonical(InstanceEnd, bytes);
  invariant(decoded.ok, 'a stored end decodes');
  const { carriers, ...proof } = decoded.value;
  return { carriers, proof };
}
