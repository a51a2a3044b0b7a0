import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { type CurvePoint, publicSumOfMultiples, secretMultiples } from '../../../src/core/crypto/edwards-multiples.ts';
import { hex } from '../../../src/core/primitives/bytes.ts';

const { Point } = ed25519;
const ORDER = Point.Fn.ORDER;
/** Zeros, ones, all bits, the ends of the range, and what makes digits carry. */
const EDGES = [
  0n,
  1n,
  2n,
  15n,
  16n,
  17n,
  31n,
  32n,
  (1n << 128n) - 1n,
  (1n << 252n) - 1n,
  1n << 252n,
  ORDER - 1n,
  ORDER - 2n,
  BigInt(`0x${'0f'.repeat(31)}`),
];
const anyScalar = fc.oneof(fc.bigInt({ min: 0n, max: ORDER - 1n }), fc.constantFrom(...EDGES));
const TORSION = ED25519_TORSION_SUBGROUP.map((encoded) => Point.fromBytes(hex(encoded), false));
/** Points of the group, of small order, and sums of both, with a Z that is not one. */
const anyPoint = fc
  .tuple(fc.bigInt({ min: 0n, max: ORDER - 1n }), fc.constantFrom(...TORSION))
  .map(([scalar, torsion]) => Point.BASE.multiplyUnsafe(scalar).add(torsion));

describe('multiples on edwards25519', () => {
  it('are those of the library, for any points and public scalars', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyPoint, anyScalar), { minLength: 1, maxLength: 3 }), (terms) => {
        const [points, scalars] = [terms.map(([point]) => point), terms.map(([, scalar]) => scalar)];
        const expected = terms.reduce((sum: CurvePoint, [point, scalar]) => sum.add(multiple(point, scalar)), Point.ZERO);
        assert.ok(publicSumOfMultiples(points, scalars).equals(expected));
      }),
      { numRuns: 60 },
    );
  });

  it('are those of the library, for any point and two secret scalars', () => {
    fc.assert(
      fc.property(anyPoint, anyScalar, anyScalar, (point, first, second) => {
        const [a, b] = secretMultiples(point, [first, second]);
        assert.ok(a.equals(multiple(point, first)) && b.equals(multiple(point, second)));
      }),
      { numRuns: 60 },
    );
  });

  it('hold at all edges', () => {
    const point = Point.BASE.multiplyUnsafe(12_345n).add(TORSION[3] as CurvePoint);
    for (const scalar of EDGES) {
      assert.ok(publicSumOfMultiples([point], [scalar]).equals(multiple(point, scalar)), `public ${scalar}`);
      const [a, b] = secretMultiples(point, [scalar, ORDER - 1n]);
      assert.ok(a.equals(multiple(point, scalar)) && b.equals(multiple(point, ORDER - 1n)), `secret ${scalar}`);
    }
  });

  it('are points like any other: on the curve, with coordinates in range, and encoded as the library does', () => {
    fc.assert(
      fc.property(anyPoint, anyScalar, (point, scalar) => {
        const sum = publicSumOfMultiples([point], [scalar]);
        fc.pre(!sum.is0()); // The library calls that one point no valid result.
        sum.assertValidity();
        assert.deepEqual(sum.toBytes(), multiple(point, scalar).toBytes());
      }),
      { numRuns: 20 },
    );
  });

  it('are of scalars in the range of the group only', () => {
    for (const scalar of [-1n, ORDER, 1n << 256n]) {
      assert.throws(() => publicSumOfMultiples([Point.BASE], [scalar]));
      assert.throws(() => secretMultiples(Point.BASE, [1n, scalar]));
    }
    assert.throws(() => publicSumOfMultiples([Point.BASE], []));
  });
});

function multiple(point: CurvePoint, scalar: bigint): CurvePoint {
  return point.multiplyUnsafe(scalar);
}
