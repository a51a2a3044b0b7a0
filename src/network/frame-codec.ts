// Frames of the request protocols: a canonical varint of what follows, one compression byte (0 none, 1 zstd), the payload. A
// frame of length zero ends a response, so that a connection that dies between two frames is not mistaken for the end.
//
// Every length is checked before anything is kept, and decompression has an output limit: a frame of a few bytes cannot grow
// into a gigabyte. zstd level 1 takes 0.6 ms for 256 KiB and halves blocks; small frames (votes, status) are not worth it.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { Uint8ArrayList } from 'uint8arraylist';
import { plainBytes } from '../core/primitives/bytes.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';

/** Payloads below this stay uncompressed. */
export const COMPRESS_FROM_BYTES = 4_096;
/** Longest length prefix: four groups of seven bits reach 256 MiB. */
const LENGTH_BYTES_MAX = 4;

/** Binary logarithm of the memory that a frame may ask the decompressor for: 8 MiB, the longest payload; the library's own bound is 128 MiB. */
const WINDOW_LOG_MAX = 23;

const COMPRESSION_NONE = 0;
const COMPRESSION_ZSTD = 1;

/** Why a frame is not one. */
export type FrameFault = 'bad-length' | 'frame-too-large' | 'unknown-compression' | 'bad-compression';

/** The frame that ends a response. */
export const END_FRAME: Uint8Array = Uint8Array.of(0);

/** A whole frame. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const packed = pack(payload);
  const prefix = encodeLength(packed.length);
  const frame = new Uint8Array(prefix.length + packed.length);
  frame.set(prefix, 0);
  frame.set(packed, prefix.length);
  return frame;
}

/** A compression byte and the payload, compressed where that saves at least an eighth. */
export function pack(payload: Uint8Array): Uint8Array {
  const compressed = payload.length < COMPRESS_FROM_BYTES ? undefined : compress(payload);
  const body = compressed ?? payload;
  const packed = new Uint8Array(1 + body.length);
  packed[0] = compressed === undefined ? COMPRESSION_NONE : COMPRESSION_ZSTD;
  packed.set(body, 1);
  return packed;
}

/** The payload of `pack`, at most `payloadBytesMax` long: a plain array, from which thousands of others are cut. */
export function unpack(packed: Uint8Array, payloadBytesMax: number): Verdict<Uint8Array, FrameFault> {
  const body = plainBytes(packed).subarray(1);
  if (packed[0] === COMPRESSION_NONE) {
    if (body.length > payloadBytesMax) return refuse('frame-too-large', `${body.length} bytes of at most ${payloadBytesMax}`);
    return accept(body);
  }
  if (packed[0] !== COMPRESSION_ZSTD) return refuse('unknown-compression', `byte ${packed[0] ?? 'missing'}`);
  return decompress(body, payloadBytesMax);
}

/** A canonical varint. */
export function encodeLength(length: number): Uint8Array {
  const bytes: number[] = [];
  let rest = length;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** Cuts a stream of bytes into packed frames; an empty one is the end mark. Keeps at most what was pushed and not yet taken. */
export class FrameSplitter {
  readonly #buffer = new Uint8ArrayList();
  readonly #frameBytesMax: number;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Bytes that wait to be taken. */
  get byteLength(): number {
    return this.#buffer.byteLength;
  }

  /** Adds what has arrived. */
  push(chunk: Uint8Array | Uint8ArrayList): void {
    this.#buffer.append(chunk);
  }

  /** The next whole frame without its length, `undefined` while there is none. */
  take(): Verdict<Uint8Array | undefined, FrameFault> {
    const prefix = this.#length();
    if (!prefix.ok) return prefix;
    if (prefix.value === undefined) return accept(undefined);
    const { length, prefixBytes } = prefix.value;
    if (length > this.#frameBytesMax) return refuse('frame-too-large', `${length} bytes of at most ${this.#frameBytesMax}`);
    if (this.#buffer.byteLength < prefixBytes + length) return accept(undefined);
    const frame = this.#buffer.subarray(prefixBytes, prefixBytes + length);
    this.#buffer.consume(prefixBytes + length);
    return accept(frame);
  }

  #length(): Verdict<{ length: number; prefixBytes: number } | undefined, FrameFault> {
    let length = 0;
    for (let index = 0; index < LENGTH_BYTES_MAX; index++) {
      if (index >= this.#buffer.byteLength) return accept(undefined);
      const byte = this.#buffer.get(index);
      length += (byte & 0x7f) * 2 ** (7 * index);
      if (byte > 0x7f) continue;
      if (byte === 0 && index > 0) return refuse('bad-length', 'a varint with leading zeros');
      return accept({ length, prefixBytes: index + 1 });
    }
    return refuse('bad-length', `a varint of more than ${LENGTH_BYTES_MAX} bytes`);
  }
}

// One zstd frame and nothing after it: the library would pass over what follows, and everybody could give one message as many names as he
// likes by bytes that say nothing.
function decompress(body: Uint8Array, payloadBytesMax: number): Verdict<Uint8Array, FrameFault> {
  try {
    const { buffer, engine } = zstdDecompressSync(body, {
      info: true,
      maxOutputLength: Math.max(1, payloadBytesMax),
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
    }) as unknown as Decompressed;
    const restBytes = body.length - engine.bytesWritten;
    return restBytes === 0 ? accept(plainBytes(buffer)) : refuse('bad-compression', `${restBytes} bytes after the end`);
  } catch {
    return refuse('bad-compression', `not zstd of at most ${payloadBytesMax} bytes`);
  }
}

/** What the library gives with `info`, in its own words: it "writes" its input to the engine. */
interface Decompressed {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

function compress(payload: Uint8Array): Uint8Array | undefined {
  const compressed = zstdCompressSync(payload, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  return compressed.length > payload.length - payload.length / 8 ? undefined : compressed;
}
