// Addresses of created contracts, as in Ethereum: keccak256 of RLP(creator, nonce), or of creator, salt and initcode (EIP-1014).
import { keccak256 } from '../crypto/keccak.ts';
import { hex } from '../primitives/bytes.ts';
import type { Address } from '../primitives/ids.ts';

const SALTED_PREFIX = hex('ff');
const RLP_LIST = 0xc0;
const RLP_STRING = 0x80;
const ADDRESS_BYTES = 20;

/** What CREATE2 derives the address from. */
export interface SaltedCreation {
  readonly salt: Uint8Array;
  readonly initcode: Uint8Array;
}

/** The address that `creator` creates at `nonce`, or at a salt. */
export function createdAddressOf(creator: Address, nonce: bigint, salted?: SaltedCreation): Address {
  const hash =
    salted === undefined
      ? keccak256(rlpOfCreation(creator, nonce))
      : keccak256(SALTED_PREFIX, creator, salted.salt, keccak256(salted.initcode));
  return hash.slice(12);
}

function rlpOfCreation(creator: Address, nonce: bigint): Uint8Array {
  const nonceBytes = nonceRlp(nonce);
  const payload = 1 + ADDRESS_BYTES + nonceBytes.length;
  return Uint8Array.from([RLP_LIST + payload, RLP_STRING + ADDRESS_BYTES, ...creator, ...nonceBytes]);
}

function nonceRlp(nonce: bigint): number[] {
  if (nonce === 0n) return [RLP_STRING];
  const digits = nonce.toString(16);
  const bytes = hex(digits.length % 2 === 0 ? digits : `0${digits}`);
  return bytes.length === 1 && (bytes[0] as number) < RLP_STRING ? [...bytes] : [RLP_STRING + bytes.length, ...bytes];
}
