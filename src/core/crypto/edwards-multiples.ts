// Multiples of points of edwards25519, twice as fast as the library's for a point that is new: what the VRF computes of its input, for each block once.
// Coordinates are extended ones (x = X/Z, y = Y/Z, xy = T/Z) and formulas the complete ones for a = −1 (Hisil and others, 2008), so that no point is a
// special case. What is saved: T where nobody reads it, divisions (the prime is 2^255 − 19: what is above folds back), doublings that two multiples share.
//
// Field elements are congruent to what they stand for and bounded, not least residues: |value| < 2^256 after `reduced`, < 2^262 after `folded`.
import { ed25519 } from '@noble/curves/ed25519.js';
import { invariant } from '../primitives/errors.ts';

const { Point } = ed25519;

/** A point as the library has it. */
export type CurvePoint = typeof Point.BASE;

const FIELD_BITS = 255;
const PRIME = (1n << 255n) - 19n;
/** 2d of the curve's equation. */
const D2 = (2n * Point.CURVE().d) % PRIME;
/** Scalars are below 2^253; a recoded one may have a carry above. */
const SCALAR_BITS = 256;
/** Signed odd digits up to 15: a table of eight points, and an addition every six bits. */
const SIGNED_DIGIT_BITS = 5;
const PLAIN_DIGIT_BITS = 4;
const PLAIN_DIGITS = 64;

interface Extended {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

/** A point as an addition takes it. */
interface Addend {
  readonly yPlusX: bigint;
  readonly yMinusX: bigint;
  readonly t2d: bigint;
  readonly z2: bigint;
}

const ZERO: Extended = { x: 0n, y: 1n, z: 1n, t: 0n };

/** Σ scalar · point, scalars from 0 up to the group's order. How long it takes tells the scalars: for what is public only. */
export function publicSumOfMultiples(points: readonly CurvePoint[], scalars: readonly bigint[]): CurvePoint {
  invariant(points.length === scalars.length, 'each point has its scalar');
  const tables = points.map((point) => oddMultiples(extended(point)));
  const digits = scalars.map(signedDigits);
  let sum = ZERO;
  for (let place = SCALAR_BITS; place >= 0; place--) {
    const isAdded = digits.some((each) => each[place] !== 0);
    sum = doubled(sum, isAdded || place === 0);
    if (!isAdded) continue;
    for (const [index, each] of digits.entries()) {
      const digit = each[place] as number;
      if (digit === 0) continue;
      const addend = tables[index]?.[Math.abs(digit) >> 1] as Addend;
      sum = added(sum, digit > 0 ? addend : negated(addend));
    }
  }
  return pointOf(sum);
}

/**
 * Both multiples of one point, for scalars that are secret: which operations are carried out, and how many, does not depend on them (as far as
 * integers of any length can promise that). The doublings are shared: each digit adds the power of two at its place to what is summed for the digit's value.
 */
export function secretMultiples(point: CurvePoint, scalars: readonly [bigint, bigint]): readonly [CurvePoint, CurvePoint] {
  const digits = [plainDigits(scalars[0]), plainDigits(scalars[1])] as const;
  const sums = digits.map(() => new Array<Extended>(1 << PLAIN_DIGIT_BITS).fill(ZERO));
  let power = extended(point);
  for (let place = 0; place < PLAIN_DIGITS; place++) {
    const addend = addendOf(power);
    for (const [index, ofValue] of sums.entries()) {
      const value = digits[index as 0 | 1][place] as number;
      ofValue[value] = added(ofValue[value] as Extended, addend); // Zeros too.
    }
    for (let bit = 1; bit <= PLAIN_DIGIT_BITS; bit++) power = doubled(power, bit === PLAIN_DIGIT_BITS);
  }
  const [first, second] = sums.map(weighted);
  return [pointOf(first as Extended), pointOf(second as Extended)];
}

// Σ value · sum: from the top, what is summed so far is added once for each value.
function weighted(sums: readonly Extended[]): Extended {
  let above = ZERO;
  let total = ZERO;
  for (let value = sums.length - 1; value > 0; value--) {
    above = added(above, addendOf(sums[value] as Extended));
    total = added(total, addendOf(above));
  }
  return total;
}

function oddMultiples(point: Extended): readonly Addend[] {
  const twice = addendOf(doubled(point, true));
  const multiples = [addendOf(point)];
  for (let last = point; multiples.length < 1 << (SIGNED_DIGIT_BITS - 2); ) {
    last = added(last, twice);
    multiples.push(addendOf(last));
  }
  return multiples;
}

// By places from the lowest: zero or odd, between −15 and 15, and at least four zeros after each that is not.
function signedDigits(scalar: bigint): Int8Array {
  const words = wordsOf(scalar);
  const digits = new Int8Array(SCALAR_BITS + 1);
  let carry = 0;
  for (let place = 0; place < SCALAR_BITS; ) {
    if (bitsAt(words, place, 1) === carry) {
      place++;
      continue;
    }
    const digit = bitsAt(words, place, SIGNED_DIGIT_BITS) + carry;
    carry = digit >> (SIGNED_DIGIT_BITS - 1);
    digits[place] = digit - (carry << SIGNED_DIGIT_BITS);
    place += SIGNED_DIGIT_BITS;
  }
  invariant(carry === 0, 'a scalar is far below the bits that are looked at');
  return digits;
}

function plainDigits(scalar: bigint): readonly number[] {
  const words = wordsOf(scalar);
  return Array.from({ length: PLAIN_DIGITS }, (_unused, place) => bitsAt(words, place * PLAIN_DIGIT_BITS, PLAIN_DIGIT_BITS));
}

function wordsOf(scalar: bigint): Uint32Array {
  invariant(scalar >= 0n && scalar < Point.Fn.ORDER, 'a scalar is below the order of the group');
  return Uint32Array.from({ length: SCALAR_BITS / 32 + 1 }, (_unused, index) => Number(BigInt.asUintN(32, scalar >> BigInt(32 * index))));
}

function bitsAt(words: Uint32Array, place: number, count: number): number {
  const [index, shift] = [place >>> 5, place & 31];
  const low = (words[index] as number) >>> shift;
  const high = shift + count > 32 ? (words[index + 1] as number) << (32 - shift) : 0;
  return (low | high) & ((1 << count) - 1);
}

function doubled({ x, y, z }: Extended, withT: boolean): Extended {
  const xx = folded(x * x);
  const yy = folded(y * y);
  const h = xx + yy;
  const xPlusY = x + y;
  const e = h - folded(xPlusY * xPlusY);
  const g = xx - yy;
  const f = 2n * folded(z * z) + g;
  return { x: reduced(e * f), y: reduced(g * h), z: reduced(f * g), t: withT ? reduced(e * h) : 0n };
}

function added({ x, y, z, t }: Extended, addend: Addend): Extended {
  const a = folded((y - x) * addend.yMinusX);
  const b = folded((y + x) * addend.yPlusX);
  const c = folded(t * addend.t2d);
  const d = folded(z * addend.z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { x: reduced(e * f), y: reduced(g * h), z: reduced(f * g), t: reduced(e * h) };
}

function addendOf({ x, y, z, t }: Extended): Addend {
  return { yPlusX: y + x, yMinusX: y - x, t2d: reduced(t * D2), z2: 2n * z };
}

function negated({ yPlusX, yMinusX, t2d, z2 }: Addend): Addend {
  return { yPlusX: yMinusX, yMinusX: yPlusX, t2d: -t2d, z2 };
}

function extended({ X, Y, Z, T }: CurvePoint): Extended {
  return { x: X, y: Y, z: Z, t: T };
}

function pointOf({ x, y, z, t }: Extended): CurvePoint {
  return new Point(residueOf(x), residueOf(y), residueOf(z), residueOf(t));
}

function residueOf(value: bigint): bigint {
  const rest = value % PRIME;
  return rest < 0n ? rest + PRIME : rest;
}

// 2^255 is 19.
function folded(value: bigint): bigint {
  return BigInt.asUintN(FIELD_BITS, value) + 19n * (value >> 255n);
}

function reduced(value: bigint): bigint {
  return folded(folded(value));
}
