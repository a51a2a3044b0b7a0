import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import type { SignedAddress } from '../../src/core/protocol/address-record.ts';
import { AddressBook } from '../../src/network/address-book.ts';

const PEER_KEY = ed25519.getPublicKey(new Uint8Array(32).fill(1));

function signed(validator: number, sequence: number, addresses: readonly string[] = ['/ip4/192.0.2.1/tcp/9545']): SignedAddress {
  return { record: { validator, peerKey: PEER_KEY, sequence, addresses }, signature: new Uint8Array(96) };
}

describe('the book of addresses', () => {
  it('keeps of each validator the newest record, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(20)), { maxLength: 40 }), (records) => {
        const book = new AddressBook();
        const newest = new Map<number, number>();
        for (const [validator, sequence] of records) {
          const before = newest.get(validator);
          const isNews = before === undefined || sequence > before;
          const expected = isNews ? 'news' : sequence === before ? 'known' : 'older';
          assert.equal(book.newnessOf(signed(validator, sequence)), expected);
          assert.equal(book.put(signed(validator, sequence)), isNews);
          if (isNews) newest.set(validator, sequence);
        }
        assert.equal(book.size, newest.size);
        assert.deepEqual(
          book.validators(),
          [...newest.keys()].sort((a, b) => a - b),
        );
        for (const [validator, sequence] of newest) assert.equal(book.get(validator)?.record.sequence, sequence);
      }),
    );
  });

  it('is of validators only', () => {
    assert.throws(() => new AddressBook().put(signed(2 ** 20, 1)));
  });
});
