// Exact fractions of whole numbers, not negative, and their decimal form. For probabilities far below what floating point can hold, or can be
// trusted with: nothing here is rounded but the digits that are shown.
import { invariant } from './errors.ts';

/** numerator / denominator; not negative, not necessarily in lowest terms. */
export interface Fraction {
  readonly numerator: bigint;
  /** Positive. */
  readonly denominator: bigint;
}

/** 1. */
export const ONE: Fraction = { numerator: 1n, denominator: 1n };

/** The longest decimal number that is read, and its farthest exponent: what a person would type. */
const DECIMAL = /^(\d{1,20})(?:\.(\d{1,20}))?(?:[eE]([+-]?\d{1,3}))?$/;
/** Exponents of ten for which a number is written out; others are scientific. */
const PLAIN_EXPONENT_MIN = -3;
const PLAIN_EXPONENT_MAX = 5;

/** A whole number. */
export function whole(value: number | bigint): Fraction {
  return fraction(BigInt(value), 1n);
}

/** numerator / denominator. */
export function fraction(numerator: bigint, denominator: bigint): Fraction {
  invariant(numerator >= 0n && denominator > 0n, 'a fraction is not negative, and divides by something');
  return { numerator, denominator };
}

/** The product. */
export function multiply(a: Fraction, b: Fraction): Fraction {
  return { numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator };
}

/** a / b; b is not 0. */
export function divide(a: Fraction, b: Fraction): Fraction {
  return fraction(a.numerator * b.denominator, a.denominator * b.numerator);
}

/** True for a ≤ b. */
export function isAtMost(a: Fraction, b: Fraction): boolean {
  return a.numerator * b.denominator <= b.numerator * a.denominator;
}

/** The lesser of the two. */
export function lesser(a: Fraction, b: Fraction): Fraction {
  return isAtMost(a, b) ? a : b;
}

/** The exact value of a decimal number such as 0.25, 30 or 1e-6; `undefined` for anything else. */
export function fractionOfDecimal(text: string): Fraction | undefined {
  const [match, integer = '', decimals = '', exponentText = '0'] = DECIMAL.exec(text) ?? [];
  if (match === undefined) return undefined;
  const exponent = Number(exponentText) - decimals.length;
  return scaled(BigInt(integer + decimals), exponent);
}

/** The value with so many significant digits, rounded half up: 0.021, 1200 or 5.5e-21; exactly 0 is `0`. */
export function decimalOf(value: Fraction, significantDigits: number): string {
  if (value.numerator === 0n) return '0';
  const { digits, exponent } = roundedDigits(value, significantDigits);
  if (exponent < PLAIN_EXPONENT_MIN || exponent > PLAIN_EXPONENT_MAX) return `${withPoint(digits, 1)}e${exponent}`;
  if (exponent < 0) return withPoint(`${'0'.repeat(-exponent)}${digits}`, 1);
  return withPoint(digits.padEnd(exponent + 1, '0'), exponent + 1);
}

/** The significant digits, and the power of ten of the first. */
function roundedDigits(value: Fraction, count: number): { readonly digits: string; readonly exponent: number } {
  const exponent = exponentOf(value);
  const { numerator, denominator } = multiply(value, scaled(1n, count - 1 - exponent));
  const digits = ((2n * numerator + denominator) / (2n * denominator)).toString();
  // 9.96 with two digits is 10: one digit more than asked for.
  return digits.length === count ? { digits, exponent } : { digits: digits.slice(0, count), exponent: exponent + 1 };
}

/** The greatest e with 10^e ≤ value. */
function exponentOf({ numerator, denominator }: Fraction): number {
  const guess = numerator.toString().length - denominator.toString().length;
  return isAtMost(scaled(1n, guess), { numerator, denominator }) ? guess : guess - 1;
}

function scaled(value: bigint, exponent: number): Fraction {
  return exponent >= 0 ? fraction(value * 10n ** BigInt(exponent), 1n) : fraction(value, 10n ** BigInt(-exponent));
}

function withPoint(digits: string, before: number): string {
  const decimals = digits.slice(before).replace(/0+$/, '');
  return decimals === '' ? digits.slice(0, before) : `${digits.slice(0, before)}.${decimals}`;
}
