// Where a validator can be reached, as it says itself (protocol, section 9): signed with its consensus key in the domain of kind 7, of this network
// and of no instance, because it holds whatever committee the validator is in. Of several records the one with the greatest sequence number counts.
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import type { BlsSignatureSet } from '../crypto/bls.ts';
import { domainRoot, SIGNATURE_KIND, signingRoot } from '../crypto/domains.ts';
import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, ValidatorIndex } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import type { ValidatorIdentity } from './genesis.ts';
import { Bytes32Type, Bytes96, byteList, decodeCanonical, Uint32, Uint64 } from './ssz.ts';

/** Addresses of one validator: a few interfaces, names and both versions of IP. */
export const ADDRESSES_MAX = 8;
/** Bytes of one address: a name of 253 characters is none of a server. */
export const ADDRESS_BYTES_MAX = 128;

const SLASH = 0x2f;
const FIRST_PRINTABLE = 0x21;
const LAST_PRINTABLE = 0x7e;

/** What is signed. */
const AddressRecordContent = new ContainerType(
  {
    validator: Uint32,
    /** ed25519: the name under which the addresses are answered. */
    peerKey: Bytes32Type,
    sequence: Uint64,
    addresses: new ListCompositeType(byteList(ADDRESS_BYTES_MAX), ADDRESSES_MAX),
  },
  { typeName: 'AddressRecord', jsonCase: 'eth2' },
);

/** A record with its signature: what is gossiped and stored. */
export const SignedAddressRecord = new ContainerType(
  { record: AddressRecordContent, signature: Bytes96 },
  { typeName: 'SignedAddressRecord', jsonCase: 'eth2' },
);
type SignedAddressRecord = ValueOf<typeof SignedAddressRecord>;

/** See the file's head. */
export interface AddressRecord {
  readonly validator: ValidatorIndex;
  readonly peerKey: Bytes32;
  /** Greater than in any record before. */
  readonly sequence: number;
  /** Multiaddresses without the peer's id, which follows from its key; at least one, none twice. */
  readonly addresses: readonly string[];
}

/** A record with its signature. */
export interface SignedAddress {
  readonly record: AddressRecord;
  readonly signature: Uint8Array;
}

/** Why bytes are no record, whoever signed them. */
export type AddressRecordFault = 'malformed' | 'not-canonical' | 'no-address' | 'bad-address' | 'address-twice';

/** The encoding. */
export function encodeAddressRecord({ record, signature }: SignedAddress): Uint8Array {
  return SignedAddressRecord.serialize({ record: contentOf(record), signature });
}

/** Reads what a peer sent. Whether the validator signed it is another question: see `addressClaim`. */
export function decodeAddressRecord(bytes: Uint8Array): Verdict<SignedAddress, AddressRecordFault> {
  const decoded = decodeCanonical(SignedAddressRecord, bytes);
  if (!decoded.ok) return decoded;
  const { record, signature } = decoded.value;
  if (record.addresses.length === 0) return refuse('no-address', `validator ${record.validator}`);
  const bad = record.addresses.findIndex((address) => !isAddress(address));
  if (bad >= 0) return refuse('bad-address', `address ${bad} of validator ${record.validator}`);
  const addresses = record.addresses.map((address) => String.fromCharCode(...address));
  if (new Set(addresses).size !== addresses.length) return refuse('address-twice', `validator ${record.validator}`);
  return accept({ record: { ...record, addresses }, signature });
}

/** True for what may stand in a record: printable characters that begin as a multiaddress does. Whether it can be dialled, who dials finds out. */
export function isAddressText(address: string): boolean {
  const bytes = Uint8Array.from(address, (character) => Math.min(character.charCodeAt(0), 0xff));
  return bytes.length <= ADDRESS_BYTES_MAX && isAddress(bytes);
}

/** What a validator signs. */
export function addressSigningRoot(genesisRoot: Bytes32, record: AddressRecord): Bytes32 {
  const domain = domainRoot(SIGNATURE_KIND.address, genesisRoot, ZERO_32);
  return signingRoot(AddressRecordContent.hashTreeRoot(contentOf(record)), domain);
}

/** The one claim that has to verify, if the record is of the peer that the registry has for the validator. */
export function addressClaim(
  genesisRoot: Bytes32,
  { record, signature }: SignedAddress,
  { blsPublicKey, peerKey }: Pick<ValidatorIdentity, 'blsPublicKey' | 'peerKey'>,
): Verdict<BlsSignatureSet, 'wrong-peer-key'> {
  if (!bytesEqual(record.peerKey, peerKey)) return refuse('wrong-peer-key', `validator ${record.validator}`);
  return accept({ publicKey: blsPublicKey, message: addressSigningRoot(genesisRoot, record), signature });
}

function contentOf({ addresses, ...same }: AddressRecord): SignedAddressRecord['record'] {
  invariant(addresses.every(isAddressText), 'a record holds addresses');
  return { ...same, addresses: addresses.map((address) => Uint8Array.from(address, (character) => character.charCodeAt(0))) };
}

function isAddress(bytes: Uint8Array): boolean {
  return bytes[0] === SLASH && bytes.every((byte) => byte >= FIRST_PRINTABLE && byte <= LAST_PRINTABLE);
}
