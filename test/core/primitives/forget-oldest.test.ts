import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { forgetOldest } from '../../../src/core/primitives/forget-oldest.ts';

describe('a memory that may forget', () => {
  it('keeps what came last, in its order, in a map and in a set', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(), { maxLength: 20 }), fc.nat(25), (keys, entriesMax) => {
        const [map, set] = [new Map(keys.map((key) => [key, `${key}`])), new Set(keys)];
        forgetOldest(map, entriesMax);
        forgetOldest(set, entriesMax);
        const left = keys.slice(Math.max(0, keys.length - entriesMax));
        assert.deepEqual(
          [...map],
          left.map((key) => [key, `${key}`]),
        );
        assert.deepEqual([...set], left);
      }),
    );
  });
});
