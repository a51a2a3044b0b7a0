import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { COMPRESS_FROM_BYTES, END_FRAME, encodeFrame, encodeLength, FrameSplitter, pack, unpack } from '../../src/network/frame-codec.ts';

const FRAME_BYTES_MAX = 20_000;

describe('frames', () => {
  it('come out as they went in, however the bytes are cut', () => {
    const payloads = fc.array(
      fc.uint8Array({ maxLength: 200 }).chain((bytes) => fc.constantFrom(bytes, repeat(bytes, 60))),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }), (sent, cuts) => {
        const wire = Buffer.concat([...sent.map((payload) => encodeFrame(payload)), END_FRAME]);
        const splitter = new FrameSplitter(FRAME_BYTES_MAX);
        const received: Uint8Array[] = [];
        let ended = false;
        for (let offset = 0, cut = 0; offset < wire.length; cut++) {
          const length = cuts[cut % cuts.length] as number;
          splitter.push(wire.subarray(offset, offset + length));
          offset += length;
          for (let frame = take(splitter); frame !== undefined; frame = take(splitter)) {
            if (frame.length === 0) ended = true;
            else received.push(payloadOf(unpack(frame, FRAME_BYTES_MAX)));
          }
        }
        assert.ok(ended);
        assert.equal(splitter.byteLength, 0);
        assert.deepEqual(received.map(toHex), sent.map(toHex));
      }),
    );
  });

  it('never make a reader throw or keep more than it was given, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 16 }), (chunks) => {
        const splitter = new FrameSplitter(1_000);
        let pushed = 0;
        for (const chunk of chunks) {
          splitter.push(chunk);
          pushed += chunk.length;
          for (let taken = splitter.take(); taken.ok && taken.value !== undefined; taken = splitter.take()) unpack(taken.value, 1_000);
          assert.ok(splitter.byteLength <= pushed);
        }
      }),
    );
  });

  it('hold one compressed payload, nothing after it, and ask for no more memory than a payload may have', () => {
    const packed = pack(new Uint8Array(COMPRESS_FROM_BYTES));
    assert.ok(unpack(packed, FRAME_BYTES_MAX).ok);
    for (const rest of [Buffer.of(0), packed.subarray(1), zstdCompressSync(Buffer.alloc(0))])
      assert.equal(reasonOf(unpack(Buffer.concat([packed, rest]), FRAME_BYTES_MAX)), 'bad-compression');
    // An empty frame (RFC 8878, section 3.1.1) whose window is 8 MiB and a half, or 128 MiB.
    for (const window of [0x6c, 0x88])
      assert.equal(reasonOf(unpack(Buffer.of(1, 0x28, 0xb5, 0x2f, 0xfd, 0x00, window, 1, 0, 0), FRAME_BYTES_MAX)), 'bad-compression');
    assert.ok(unpack(Buffer.of(1, 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68, 1, 0, 0), FRAME_BYTES_MAX).ok);
  });

  it('are refused by their length alone, before their bytes arrive', () => {
    const splitter = new FrameSplitter(1_000);
    splitter.push(encodeLength(1_001));
    assert.deepEqual(reasonOf(splitter.take()), 'frame-too-large');
  });

  it('have one encoding of their length', () => {
    for (const bytes of [
      [0x80, 0x00],
      [0xff, 0xff, 0xff, 0xff, 0x01],
    ]) {
      const splitter = new FrameSplitter(FRAME_BYTES_MAX);
      splitter.push(Uint8Array.from(bytes));
      assert.deepEqual(reasonOf(splitter.take()), 'bad-length');
    }
  });
});

describe('compression', () => {
  it('is used where it saves, and not where it does not', () => {
    assert.equal(pack(new Uint8Array(COMPRESS_FROM_BYTES - 1))[0], 0);
    assert.equal(pack(new Uint8Array(COMPRESS_FROM_BYTES))[0], 1);
    assert.equal(pack(randomBytes(COMPRESS_FROM_BYTES))[0], 0);
  });

  it('cannot be used as a bomb', () => {
    const bomb = Buffer.concat([Uint8Array.of(1), zstdCompressSync(new Uint8Array(64 << 20))]);
    assert.ok(bomb.length < 10_000);
    assert.equal(reasonOf(unpack(bomb, 1 << 20)), 'bad-compression');
  });

  it('is refused when unknown, broken or missing', () => {
    assert.equal(reasonOf(unpack(Uint8Array.of(2, 1), 10)), 'unknown-compression');
    assert.equal(reasonOf(unpack(Uint8Array.of(), 10)), 'unknown-compression');
    assert.equal(reasonOf(unpack(Uint8Array.of(1, 2, 3), 10)), 'bad-compression');
    assert.equal(reasonOf(unpack(new Uint8Array(12), 10)), 'frame-too-large');
  });
});

function take(splitter: FrameSplitter): Uint8Array | undefined {
  const taken = splitter.take();
  assert.ok(taken.ok);
  return taken.value;
}

function payloadOf(verdict: ReturnType<typeof unpack>): Uint8Array {
  assert.ok(verdict.ok);
  return verdict.value;
}

function reasonOf(verdict: ReturnType<typeof unpack> | ReturnType<FrameSplitter['take']>): string | undefined {
  return verdict.ok ? undefined : verdict.reason;
}

function repeat(bytes: Uint8Array, times: number): Uint8Array {
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
