// Frames over one libp2p stream, with back-pressure both ways. libp2p's own iteration reads without any, and its `onDrain()`
// resolves wrongly after its first use, so: reading pauses the stream while frames wait, and writing waits for the `drain`
// *event* while more than a MiB is unsent. Every wait ends with the stream or with the signal.
import type { Stream } from '@libp2p/interface';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import { END_FRAME, encodeFrame, type FrameFault, FrameSplitter, unpack } from './frame-codec.ts';

const MIB = 1024 * 1024;
/** Above this much unread the stream is paused, below the other resumed; a window of 2 MiB may still arrive on top. */
const READ_PAUSE_BYTES = MIB;
const READ_RESUME_BYTES = MIB / 4;
/** Above this much unsent writing waits. */
const WRITE_WAIT_BYTES = MIB;
/** A frame's compression byte and the growth of incompressible zstd never exceed this; frames are kept plain then anyway. */
const PACKING_BYTES_MAX = 64;

/** Why reading stopped. */
export type ReadFault = FrameFault | 'reset' | 'truncated';

/** A payload, or the end of the response. */
export type Received = { readonly kind: 'frame'; readonly payload: Uint8Array; readonly wireBytes: number } | { readonly kind: 'end' };

/** Owns a stream's frames in both directions; whoever made it aborts or closes the stream. */
export class FrameStream {
  readonly #stream: Stream;
  readonly #splitter: FrameSplitter;
  readonly #frameBytesMax: number;
  #wake: () => void = () => undefined;
  #paused = false;

  constructor(stream: Stream, frameBytesMax: number) {
    this.#stream = stream;
    this.#frameBytesMax = frameBytesMax;
    this.#splitter = new FrameSplitter(frameBytesMax + PACKING_BYTES_MAX);
    stream.addEventListener('message', ({ data }) => {
      this.#splitter.push(data);
      // Not at once: resuming hands over what has waited and then opens the window again, whatever was said in between.
      if (this.#splitter.byteLength > READ_PAUSE_BYTES) queueMicrotask(() => this.#pause());
      this.#wake();
    });
    for (const event of ['remoteCloseWrite', 'end', 'close'] as const) stream.addEventListener(event, () => this.#wake());
  }

  /** The next frame or the end; refused when the peer breaks the format or the stream. Rejects with the signal's reason. */
  async read(signal: AbortSignal): Promise<Verdict<Received, ReadFault>> {
    for (;;) {
      signal.throwIfAborted();
      const taken = this.#splitter.take();
      if (!taken.ok) return taken;
      if (taken.value !== undefined) return this.#received(taken.value);
      const unreadBytes = this.#splitter.byteLength;
      this.#resume();
      if (this.#splitter.byteLength !== unreadBytes) continue; // Resuming hands over what had waited, at once.
      if (unreadBytes === 0 && this.#stream.status !== 'open') return refuse('reset', `stream ${this.#stream.status}`);
      if (this.#ended()) return refuse('truncated', 'the stream ended before its end mark');
      await this.#woken(signal);
    }
  }

  /** Sends one payload; resolves when more may be sent. Rejects when the stream is gone or with the signal's reason. */
  async write(payload: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#send(encodeFrame(payload), signal);
  }

  /** Sends the end mark. */
  async writeEnd(signal: AbortSignal): Promise<void> {
    await this.#send(END_FRAME, signal);
  }

  async #send(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#stream.send(bytes);
    while (this.#stream.writeBufferLength > WRITE_WAIT_BYTES) {
      if (this.#stream.writeStatus === 'closed') throw new Error('the stream closed while it was written');
      await eventOf(this.#stream, ['drain', 'close'], signal);
    }
  }

  #received(packed: Uint8Array): Verdict<Received, ReadFault> {
    if (this.#splitter.byteLength < READ_RESUME_BYTES) this.#resume();
    if (packed.length === 0) return accept({ kind: 'end' });
    const payload = unpack(packed, this.#frameBytesMax);
    return payload.ok ? accept({ kind: 'frame', payload: payload.value, wireBytes: packed.length }) : payload;
  }

  #ended(): boolean {
    return this.#stream.readableEnded || (this.#stream.remoteWriteStatus === 'closed' && this.#stream.readBufferLength === 0);
  }

  #pause(): void {
    if (
      this.#paused ||
      this.#splitter.byteLength <= READ_PAUSE_BYTES ||
      this.#stream.status !== 'open' ||
      this.#stream.readStatus !== 'readable'
    )
      return;
    this.#paused = true;
    this.#stream.pause();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#stream.readStatus !== 'paused') return;
    try {
      this.#stream.resume();
    } catch {
      // The connection went away in between: reading finds the stream closed.
    }
  }

  async #woken(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
    this.#wake = () => undefined;
    signal.throwIfAborted();
  }
}

/** Resolves at the first of the events, rejects with the signal's reason; leaves no listener behind. */
export async function eventOf(stream: Stream, events: readonly ('drain' | 'close')[], signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      for (const event of events) stream.removeEventListener(event, done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    for (const event of events) stream.addEventListener(event, done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
  signal.throwIfAborted();
}
