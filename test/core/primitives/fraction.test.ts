import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decimalOf,
  divide,
  type Fraction,
  fraction,
  fractionOfDecimal,
  isAtMost,
  lesser,
  multiply,
  whole,
} from '../../../src/core/primitives/fraction.ts';

const sameFraction = (a: Fraction, b: Fraction): boolean => a.numerator * b.denominator === b.numerator * a.denominator;
const anyFraction = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.bigInt({ min: 1n, max: 10n ** 30n }))
  .map(([numerator, denominator]) => fraction(numerator, denominator));

describe('a fraction', () => {
  it('is multiplied, divided and compared exactly', () => {
    assert.ok(sameFraction(multiply(fraction(2n, 3n), fraction(3n, 4n)), fraction(1n, 2n)));
    assert.ok(sameFraction(divide(fraction(1n, 2n), fraction(3n, 4n)), fraction(2n, 3n)));
    assert.ok(isAtMost(fraction(1n, 3n), fraction(2n, 6n)) && !isAtMost(fraction(334n, 1_000n), fraction(1n, 3n)));
    assert.deepEqual(lesser(fraction(1n, 2n), fraction(1n, 3n)), fraction(1n, 3n));
    assert.throws(() => divide(whole(1), whole(0)), /invariant/);
    assert.throws(() => fraction(-1n, 2n), /invariant/);
  });
});

describe('the decimal form', () => {
  it('is plain for ordinary numbers and scientific for others, rounded half up', () => {
    const cases: readonly (readonly [Fraction, number, string])[] = [
      [whole(0), 3, '0'],
      [whole(1), 3, '1'],
      [fraction(1n, 3n), 3, '0.333'],
      [fraction(2n, 3n), 1, '0.7'],
      [fraction(1n, 4n), 1, '0.3'],
      [fraction(214n, 10_000n), 2, '0.021'],
      [fraction(1n, 1_000n), 2, '0.001'],
      [fraction(1n, 10_000n), 2, '1e-4'],
      [fraction(9_996n, 1_000n), 3, '10'],
      [fraction(9_994n, 1_000n), 3, '9.99'],
      [whole(8_766), 2, '8800'],
      [whole(123_456), 4, '123500'],
      [whole(999_999), 2, '1e6'],
      [whole(1_234_567), 3, '1.23e6'],
      [fraction(555n, 10n ** 500n), 2, '5.6e-498'],
    ];
    for (const [value, digits, text] of cases) assert.equal(decimalOf(value, digits), text);
  });

  it('is within half of its last digit, and is read back', () => {
    fc.assert(
      fc.property(anyFraction, fc.integer({ min: 1, max: 12 }), (value, digits) => {
        const shown = fractionOfDecimal(decimalOf(value, digits)) as Fraction;
        const difference =
          value.numerator * shown.denominator > shown.numerator * value.denominator
            ? value.numerator * shown.denominator - shown.numerator * value.denominator
            : shown.numerator * value.denominator - value.numerator * shown.denominator;
        // |value − shown| ≤ value · 10^(1 − digits) / 2
        assert.ok(2n * difference * 10n ** BigInt(digits - 1) <= value.numerator * shown.denominator);
      }),
    );
  });
});

describe('a decimal number', () => {
  it('is read exactly', () => {
    for (const [text, value] of [
      ['0.25', fraction(1n, 4n)],
      ['33.333', fraction(33_333n, 1_000n)],
      ['1e-6', fraction(1n, 1_000_000n)],
      ['2.5E3', whole(2_500)],
      ['1e+2', whole(100)],
      ['007', whole(7)],
      ['0', whole(0)],
    ] as const)
      assert.ok(sameFraction(fractionOfDecimal(text) as Fraction, value), text);
  });

  it('is nothing else', () => {
    for (const text of ['', '-1', '.5', '5.', '1e', 'e5', '0x10', 'NaN', '1_000', '1,5', ' 1', '1e1000', '1'.repeat(21), '٣']) {
      assert.equal(fractionOfDecimal(text), undefined, text);
    }
  });
});
