// Faster forms of the curve operations of precompiles, where the library's cost more time than their gas pays for. Measured, for a
// block full of them on one busy core: bls12-381 additions 96 s and 119 s (the library proves each point to be in the subgroup, which
// EIP-2537 does not ask of additions), bn254 multiplications 9 s (in constant time, for scalars that are public).
import { NobleBLS, NobleBN254 } from '@ethereumjs/evm';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { bn254 } from '@noble/curves/bn254.js';
import type { Secp256k1 } from '../../crypto/secp256k1.ts';
import { bigintToBytes, bytesToBigint, compareBytes, concatBytes } from '../../primitives/bytes.ts';

const { Fp, Fp2 } = bls12_381.fields;
type G1Point = ReturnType<typeof bls12_381.G1.Point.fromAffine>;
type G2Point = ReturnType<typeof bls12_381.G2.Point.fromAffine>;
type Fp2Value = ReturnType<typeof Fp2.fromBigTuple>;

const FIELD_BYTES = 64;
const G1_BYTES = 128;
const G2_BYTES = 256;
const G1_B = 4n;
const G2_B = Fp2.fromBigTuple([4n, 4n]);

// Coordinates are 64 bytes, the first 16 zero, as the library has checked. Throws on what is no point: the precompile then fails.
function coordinate(input: Uint8Array, offset: number): bigint {
  const value = bytesToBigint(input.subarray(offset, offset + FIELD_BYTES));
  if (value >= Fp.ORDER) throw new Error('not a field element');
  return value;
}

function g1PointOf(input: Uint8Array): G1Point {
  const x = coordinate(input, 0);
  const y = coordinate(input, FIELD_BYTES);
  if (x === 0n && y === 0n) return bls12_381.G1.Point.ZERO;
  if (!Fp.eql(Fp.sqr(y), Fp.add(Fp.mul(Fp.sqr(x), x), G1_B))) throw new Error('not on the curve');
  return bls12_381.G1.Point.fromAffine({ x, y });
}

function g2PointOf(input: Uint8Array): G2Point {
  const x = fp2Of(input, 0);
  const y = fp2Of(input, 2 * FIELD_BYTES);
  if (Fp2.is0(x) && Fp2.is0(y)) return bls12_381.G2.Point.ZERO;
  if (!Fp2.eql(Fp2.sqr(y), Fp2.add(Fp2.mul(Fp2.sqr(x), x), G2_B))) throw new Error('not on the curve');
  return bls12_381.G2.Point.fromAffine({ x, y });
}

function fp2Of(input: Uint8Array, offset: number): Fp2Value {
  return Fp2.fromBigTuple([coordinate(input, offset), coordinate(input, offset + FIELD_BYTES)]);
}

/** EIP-2537 with additions that check the curve only. */
export class FastBls extends NobleBLS {
  override addG1(input: Uint8Array): Uint8Array {
    const sum = g1PointOf(input.subarray(0, G1_BYTES)).add(g1PointOf(input.subarray(G1_BYTES)));
    if (sum.is0()) return new Uint8Array(G1_BYTES);
    const { x, y } = sum.toAffine();
    return concatBytes(bigintToBytes(x, FIELD_BYTES), bigintToBytes(y, FIELD_BYTES));
  }

  override addG2(input: Uint8Array): Uint8Array {
    const sum = g2PointOf(input.subarray(0, G2_BYTES)).add(g2PointOf(input.subarray(G2_BYTES)));
    if (sum.is0()) return new Uint8Array(G2_BYTES);
    const { x, y } = sum.toAffine();
    return concatBytes(...[x.c0, x.c1, y.c0, y.c1].map((part) => bigintToBytes(part, FIELD_BYTES)));
  }
}

const BN254_FIELD_BYTES = 32;

/** EIP-196 with a multiplication whose time may depend on the scalar: it is public. */
export class FastBn254 extends NobleBN254 {
  override mul(input: Uint8Array): Uint8Array {
    const x = bytesToBigint(input.subarray(0, BN254_FIELD_BYTES));
    const y = bytesToBigint(input.subarray(BN254_FIELD_BYTES, 2 * BN254_FIELD_BYTES));
    const scalar = bytesToBigint(input.subarray(2 * BN254_FIELD_BYTES, 3 * BN254_FIELD_BYTES)) % bn254.fields.Fr.ORDER;
    const isInfinity = x === 0n && y === 0n;
    const point = isInfinity ? bn254.G1.Point.ZERO : bn254.G1.Point.fromAffine({ x, y });
    if (!isInfinity) point.assertValidity();
    const product = isInfinity || scalar === 0n ? bn254.G1.Point.ZERO : point.multiplyUnsafe(scalar);
    if (product.is0()) return new Uint8Array(2 * BN254_FIELD_BYTES);
    const affine = product.toAffine();
    return concatBytes(bigintToBytes(affine.x, BN254_FIELD_BYTES), bigintToBytes(affine.y, BN254_FIELD_BYTES));
  }
}

const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const HALF_ORDER = bigintToBytes(SECP256K1_ORDER / 2n, 32);
const FIRST_V = 27n;

/**
 * Precompile 0x01 on the node's own recovery (42 µs native against 1 to 2 ms). The precompile knows no EIP-2: a signature with a high s
 * is that with the low s and the other parity, of the same key.
 */
export function recoverOn(secp256k1: Secp256k1): (hash: Uint8Array, v: bigint, r: Uint8Array, s: Uint8Array) => Uint8Array {
  return (hash, v, r, s) => {
    const isHigh = compareBytes(s, HALF_ORDER) > 0;
    const value = bytesToBigint(s);
    if (value >= SECP256K1_ORDER) throw new Error('s is not below the order');
    const parity = v === FIRST_V ? 0 : 1;
    const lowS = isHigh ? bigintToBytes(SECP256K1_ORDER - value, 32) : s;
    const key = secp256k1.recoverPublicKey(hash, r, lowS, (isHigh ? 1 - parity : parity) as 0 | 1);
    if (key === undefined) throw new Error('no signer');
    return key;
  };
}
