// Accounts of a mnemonic (BIP-39, BIP-32, BIP-44), for the devnet only: its ten well-known accounts, and the many that load
// generators use. A hundred thousand take some seconds with the native library, because children share their parent's key and
// cost one HMAC and one public key each.
import { createHmac, pbkdf2Sync } from 'node:crypto';
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { bigintToBytes, bytesToBigint, bytesToPrefixedHex, concatBytes } from '../core/primitives/bytes.ts';
import { addressOfPublicKey } from '../core/protocol/decode-transaction.ts';

/** The mnemonic of Ethereum's development networks: everybody knows its keys. */
export const DEVNET_MNEMONIC = 'test test test test test test test test test test test junk';

/** An account with its secret. */
export interface DevnetAccount {
  readonly address: `0x${string}`;
  readonly privateKey: `0x${string}`;
}

/** m/44'/60'/a'/0/i: `a` is 0 for the accounts that people use, 1 for load generators. */
export type AccountBranch = 0 | 1;

interface ExtendedKey {
  readonly scalar: bigint;
  readonly chainCode: Uint8Array;
}

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const HARDENED = 0x80000000;

/** The accounts `first` to `first + count - 1` of the branch. */
export function mnemonicAccounts(branch: AccountBranch, first: number, count: number, secp256k1: Secp256k1): DevnetAccount[] {
  const seed = pbkdf2Sync(DEVNET_MNEMONIC, 'mnemonic', 2048, 64, 'sha512');
  let parent = extendedKeyOf(hmac(Buffer.from('Bitcoin seed'), seed), 0n);
  for (const index of [44 + HARDENED, 60 + HARDENED, branch + HARDENED, 0]) parent = childOf(parent, index, secp256k1);
  const parentPoint = compressedPoint(parent.scalar, secp256k1);
  return Array.from({ length: count }, (_unused, i) => {
    const { scalar } = extendedKeyOf(hmac(parent.chainCode, concatBytes(parentPoint, uint32(first + i))), parent.scalar);
    const privateKey = bigintToBytes(scalar, 32);
    const address = bytesToPrefixedHex(addressOfPublicKey(secp256k1.publicKeyOf(privateKey)));
    return { address, privateKey: bytesToPrefixedHex(privateKey) };
  });
}

function childOf(parent: ExtendedKey, index: number, secp256k1: Secp256k1): ExtendedKey {
  const key =
    index >= HARDENED ? concatBytes(Uint8Array.of(0), bigintToBytes(parent.scalar, 32)) : compressedPoint(parent.scalar, secp256k1);
  return extendedKeyOf(hmac(parent.chainCode, concatBytes(key, uint32(index))), parent.scalar);
}

function extendedKeyOf(material: Uint8Array, parentScalar: bigint): ExtendedKey {
  return { scalar: (bytesToBigint(material.subarray(0, 32)) + parentScalar) % ORDER, chainCode: material.subarray(32) };
}

function compressedPoint(scalar: bigint, secp256k1: Secp256k1): Uint8Array {
  const point = secp256k1.publicKeyOf(bigintToBytes(scalar, 32));
  return concatBytes(Uint8Array.of(2 + ((point[63] as number) & 1)), point.subarray(0, 32));
}

function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return createHmac('sha512', key).update(data).digest();
}

function uint32(value: number): Uint8Array {
  return bigintToBytes(BigInt(value), 4);
}
