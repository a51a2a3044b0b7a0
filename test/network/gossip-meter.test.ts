import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { GossipMeter } from '../../src/network/gossip-meter.ts';

const FRAME_BYTES_MAX = 10_000;

const anyField = fc.tuple(fc.constantFrom(0x0a, 0x12, 0x1a), fc.uint8Array({ maxLength: 300 }));
const anyFrame = fc.array(anyField, { maxLength: 5 });

describe('the gossip meter', () => {
  it('follows well-formed frames however they are cut, and counts frames and messages', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 6 }), fc.integer({ min: 1, max: 400 }), (frames, cut) => {
        const wire = Buffer.concat(frames.map(encode));
        const expected = frames.length + frames.flat().filter(([tag]) => tag === 0x12).length;
        const meter = new GossipMeter(FRAME_BYTES_MAX);
        let items = 0;
        for (let offset = 0; offset < wire.length; offset += cut) {
          const fed = meter.feed(wire.subarray(offset, offset + cut));
          assert.ok(fed.ok);
          items += fed.value;
        }
        assert.equal(items, expected);
      }),
    );
  });

  it('finds a frame over the limit by its length', () => {
    const fed = new GossipMeter(FRAME_BYTES_MAX).feed(varint(FRAME_BYTES_MAX + 1));
    assert.equal(fed.ok ? 'accepted' : fed.reason, 'gossip-frame-too-large');
  });

  it('finds what is no gossip: other fields, fields beyond their frame, endless and cut lengths', () => {
    const garbage = [
      [3, 0x22, 1, 0],
      [3, 0x10, 1, 0],
      [1, 0x12],
      [3, 0x12, 5, 0],
      [2, 0x12, 0x80],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
    ];
    for (const bytes of garbage) {
      const fed = new GossipMeter(FRAME_BYTES_MAX).feed(Uint8Array.from(bytes));
      assert.equal(fed.ok ? 'accepted' : fed.reason, 'gossip-frame-malformed', bytes.toString());
    }
  });

  it('finds nearly all random bytes', () => {
    let found = 0;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 200, maxLength: 200 }), (bytes) => {
        if (!new GossipMeter(FRAME_BYTES_MAX).feed(bytes).ok) found++;
      }),
      { numRuns: 200, seed: 1 },
    );
    assert.ok(found > 180, `found ${found} of 200`);
  });
});

function encode(fields: readonly (readonly [number, Uint8Array])[]): Uint8Array {
  const body = Buffer.concat(fields.map(([tag, bytes]) => Buffer.concat([Uint8Array.of(tag), varint(bytes.length), bytes])));
  return Buffer.concat([varint(body.length), body]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest > 127 ? (rest % 128) | 128 : rest);
    if (rest <= 127) return Uint8Array.from(bytes);
  }
}
