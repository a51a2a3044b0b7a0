// The serving side of request and response. A peer costs at most so many requests a second, so many at a time, so many bytes and
// seconds each; what is over is refused by resetting its stream, which the asker sees as `reset` and takes elsewhere. Being refused
// is no offence (an honest node may hurry), breaking the format is.
import { setImmediate } from 'node:timers/promises';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import type { LabelledCounters } from './counters.ts';
import { Deadline } from './deadline.ts';
import { eventOf, FrameStream } from './frame-stream.ts';
import type { NetworkLimits } from './limits.ts';
import type { PeerName, RequestHandler } from './ports.ts';
import { type Bucket, fullBucket, tryTake } from './rate-limit.ts';
import type { Timing } from './timing.ts';

/** Peers whose buckets are remembered; a new connection must not bring a fresh burst. */
const LIMITED_PEERS_MAX = 1_024;

/** After so many frames without a wait the event loop gets its turn: a long answer of small frames must not block votes. */
const FRAMES_PER_TURN = 16;

/** What the serving side tells the network around it. */
export interface ServingListener {
  readonly refused: LabelledCounters;
  onOffence(peer: PeerName, reason: string): void;
  onHandlerFailed(peer: PeerName, protocol: string, error: unknown): void;
}

/** Serves peers. */
export class Serving {
  readonly #libp2p: Libp2p;
  readonly #limits: NetworkLimits;
  readonly #timing: Timing;
  readonly #listener: ServingListener;
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #buckets = new Map<PeerName, Bucket>();
  /** Requests being served, by peer and protocol. */
  readonly #underWay = new Map<string, number>();
  #underWayInAll = 0;
  requestsIn = 0;
  bytesIn = 0;
  bytesOut = 0;

  constructor(libp2p: Libp2p, limits: NetworkLimits, timing: Timing, listener: ServingListener) {
    this.#libp2p = libp2p;
    this.#limits = limits;
    this.#timing = timing;
    this.#listener = listener;
  }

  /** See `Request.handle`. */
  handle(protocol: string, handler: RequestHandler): void {
    const isNew = !this.#handlers.has(protocol);
    this.#handlers.set(protocol, handler);
    if (!isNew) return;
    const onStream = (stream: Stream, connection: Connection) => {
      void this.#onStream(protocol, stream, connection.remotePeer.toString());
    };
    // A few streams may be closing beside those being served. The handler stands before this returns; what may fail later is
    // telling peers of the protocol, and nobody here depends on that.
    const maxInboundStreams = 2 * this.#limits.servedAtOncePerPeerAndProtocol;
    this.#libp2p.handle(protocol, onStream, { maxInboundStreams, force: true }).catch(() => undefined);
  }

  async #onStream(protocol: string, stream: Stream, peer: PeerName): Promise<void> {
    const key = `${peer} ${protocol}`;
    const refusal = this.#refusal(peer, key);
    if (refusal !== undefined) {
      this.#listener.refused.add(refusal);
      stream.abort(new Error(refusal));
      return;
    }
    this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + 1);
    this.#underWayInAll++;
    const gone = new AbortController();
    stream.addEventListener('close', () => gone.abort(), { once: true });
    const deadline = new Deadline(this.#timing, this.#limits.servedMsMax, this.#limits.idleMsMax, gone.signal);
    try {
      await this.#serve(protocol, stream, peer, deadline);
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error('serving failed'));
      this.#listener.refused.add('request-failed');
    } finally {
      deadline.end();
      const left = (this.#underWay.get(key) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(key);
      else this.#underWay.set(key, left);
      this.#underWayInAll--;
    }
  }

  #refusal(peer: PeerName, key: string): string | undefined {
    const { requestRate, servedAtOnce, servedAtOncePerPeerAndProtocol } = this.#limits;
    if (this.#underWayInAll >= servedAtOnce) return 'too-many-requests-in-all';
    if ((this.#underWay.get(key) ?? 0) >= servedAtOncePerPeerAndProtocol) return 'too-many-requests-at-once';
    const nowMs = this.#timing.nowMs();
    const bucket = this.#buckets.get(peer) ?? fullBucket(requestRate, nowMs);
    const taken = tryTake(bucket, requestRate, 1, nowMs);
    if (taken === undefined) return 'request-rate';
    if (!this.#buckets.has(peer) && this.#buckets.size >= LIMITED_PEERS_MAX) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    this.#buckets.set(peer, taken);
    return undefined;
  }

  async #serve(protocol: string, stream: Stream, peer: PeerName, deadline: Deadline): Promise<void> {
    const frames = new FrameStream(stream, this.#limits.requestBytesMax);
    const received = await frames.read(deadline.signal);
    if (!received.ok || received.value.kind === 'end') {
      const reason = received.ok ? 'empty' : received.reason;
      if (reason !== 'reset' && reason !== 'truncated') this.#listener.onOffence(peer, `request-${reason}`);
      throw new Error(`request ${reason}`);
    }
    deadline.progress();
    this.requestsIn++;
    this.bytesIn += received.value.payload.length;
    await this.#answer(protocol, frames, peer, received.value.payload, deadline);
    await stream.close({ signal: deadline.signal });
    if (stream.status === 'open') await eventOf(stream, ['close'], deadline.signal).catch(throwUnlessClosed(stream));
  }

  async #answer(protocol: string, frames: FrameStream, peer: PeerName, body: Uint8Array, deadline: Deadline): Promise<void> {
    const handler = this.#handlers.get(protocol);
    if (handler === undefined) throw new Error('closed');
    let answer: AsyncIterator<Uint8Array> | Iterator<Uint8Array> | undefined;
    let isOurs = true; // Whose fault it is if something throws now.
    try {
      answer = iteratorOf(handler(peer, body));
      let servedBytes = 0;
      for (let served = 1; ; served++) {
        const next = await orGivenUp(Promise.resolve(answer.next()), deadline.signal);
        if (next.done === true) break;
        servedBytes += next.value.length;
        if (next.value.length > this.#limits.responseFrameBytesMax || servedBytes > this.#limits.servedBytesMax) {
          throw new RangeError(`an answer of ${servedBytes} bytes, the last frame ${next.value.length}`);
        }
        this.bytesOut += next.value.length;
        isOurs = false;
        await frames.write(next.value, deadline.signal);
        if (served % FRAMES_PER_TURN === 0) await setImmediate();
        isOurs = true;
        deadline.progress();
      }
      isOurs = false;
      await frames.writeEnd(deadline.signal);
    } catch (error) {
      if (isOurs && !deadline.signal.aborted) this.#listener.onHandlerFailed(peer, protocol, error);
      // The handler may hold something open; it is told to stop, and not waited for.
      Promise.resolve(answer?.return?.()).catch(() => undefined);
      throw error;
    }
  }

  /** From now on every stream is reset. */
  close(): void {
    this.#handlers.clear();
  }
}

/** An asker that closes its half ends the wait in two ways at once; only its not closing is a failure. */
function throwUnlessClosed(stream: Stream): (error: unknown) => void {
  return (error) => {
    if (stream.status === 'open') throw error;
  };
}

function iteratorOf(frames: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
  return Symbol.asyncIterator in frames ? frames[Symbol.asyncIterator]() : frames[Symbol.iterator]();
}

/** The promise's value, unless the signal comes first. */
async function orGivenUp<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
