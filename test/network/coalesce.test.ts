import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { packedSize, packMessages, unpackMessages } from '../../src/network/coalesce.ts';

describe('messages in one frame', () => {
  it('come out in order and unchanged', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 }), (messages) => {
        const frame = packMessages(messages);
        assert.equal(
          frame.length,
          messages.reduce((sum, message) => sum + packedSize(message), 0),
        );
        assert.deepEqual(unpackMessages(frame, 20), { ok: true, value: messages });
      }),
    );
  });

  it('have one encoding: whatever unpacks, packs to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
        const unpacked = unpackMessages(data, 100);
        if (unpacked.ok) assert.deepEqual(packMessages(unpacked.value), data);
      }),
    );
  });

  it('are refused when cut off anywhere', () => {
    const frame = packMessages([Uint8Array.of(1, 2, 3)]);
    for (let length = 1; length < frame.length; length++) {
      const unpacked = unpackMessages(frame.subarray(0, length), 10);
      assert.equal(unpacked.ok ? 'accepted' : unpacked.reason, 'truncated');
    }
  });

  it('are refused above the count, however small they are', () => {
    const frame = packMessages(Array.from({ length: 11 }, () => new Uint8Array(0)));
    const unpacked = unpackMessages(frame, 10);
    assert.equal(unpacked.ok ? 'accepted' : unpacked.reason, 'too-many-messages');
  });

  it('are read from the middle of a larger buffer', () => {
    const frame = packMessages([Uint8Array.of(5)]);
    const larger = new Uint8Array([9, 9, 9, ...frame, 9]);
    assert.deepEqual(unpackMessages(larger.subarray(3, 3 + frame.length), 1), { ok: true, value: [Uint8Array.of(5)] });
  });
});
