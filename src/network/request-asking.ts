// The asking side of request and response: one stream, one request frame out, response frames in until the end mark. Whatever the
// other side sends, it ends within the caller's time and bytes, and on any failure the stream is aborted, so that none leaks.
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { CoppiceError } from '../core/primitives/errors.ts';
import { Deadline, GivenUpError } from './deadline.ts';
import type { RequestFailure } from './errors.ts';
import { FrameStream } from './frame-stream.ts';
import type { NetworkLimits } from './limits.ts';
import type { PeerName, RequestOptions } from './ports.ts';
import type { Timing } from './timing.ts';

/** After the end mark the other side has this long to close its half. */
const FAREWELL_MS = 1_000;
/** Frames carry a length; this much a frame is charged beside its payload, so that empty ones are bounded too. */
const FRAME_OVERHEAD_BYTES = 8;

/** What the asking side tells the network around it. */
export interface AskingListener {
  onOffence(peer: PeerName, reason: string): void;
}

/** Asks peers. */
export class Asking {
  readonly #libp2p: Libp2p;
  readonly #limits: NetworkLimits;
  readonly #timing: Timing;
  readonly #listener: AskingListener;
  readonly #underWay = new Map<PeerName, number>();
  requestsOut = 0;
  bytesIn = 0;
  bytesOut = 0;

  constructor(libp2p: Libp2p, limits: NetworkLimits, timing: Timing, listener: AskingListener) {
    this.#libp2p = libp2p;
    this.#limits = limits;
    this.#timing = timing;
    this.#listener = listener;
  }

  /** See `Request.request`. */
  async request(peer: PeerName, protocol: string, body: Uint8Array, options: RequestOptions): Promise<Uint8Array[]> {
    const underWay = this.#underWay.get(peer) ?? 0;
    if (underWay >= this.#limits.askedAtOncePerPeer) throw failed(peer, protocol, 'too-many-requests', `${underWay} under way`);
    if (body.length > this.#limits.requestBytesMax) throw failed(peer, protocol, 'request-too-large', `${body.length} bytes`);
    const connection = this.#connectionTo(peer);
    if (connection === undefined) throw failed(peer, protocol, 'not-connected', '');
    this.#underWay.set(peer, underWay + 1);
    const deadline = new Deadline(this.#timing, options.timeoutMs, Math.min(options.timeoutMs, this.#limits.idleMsMax), options.signal);
    const exchange = this.#exchange(connection, peer, protocol, body, options.responseBytesMax, deadline);
    try {
      // Not every wait within libp2p ends with the signal (its peer store's lock does not), and who asks must get an answer all the same.
      return await Promise.race([exchange, givenUp(deadline.signal)]);
    } catch (error) {
      throw error instanceof CoppiceError ? error : failed(peer, protocol, failureOf(error), describe(error), error);
    } finally {
      deadline.end();
      const left = (this.#underWay.get(peer) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(peer);
      else this.#underWay.set(peer, left);
    }
  }

  #connectionTo(peer: PeerName): Connection | undefined {
    let peerId: ReturnType<typeof peerIdFromString>;
    try {
      peerId = peerIdFromString(peer);
    } catch {
      return undefined; // Not a peer id: nobody of that name is connected.
    }
    return this.#libp2p.getConnections(peerId).find((connection) => connection.status === 'open');
  }

  async #exchange(
    connection: Connection,
    peer: PeerName,
    protocol: string,
    body: Uint8Array,
    responseBytesMax: number,
    deadline: Deadline,
  ): Promise<Uint8Array[]> {
    let stream: Stream | undefined;
    try {
      stream = await connection.newStream(protocol, { signal: deadline.signal });
      const frames = new FrameStream(stream, Math.min(this.#limits.responseFrameBytesMax, responseBytesMax));
      this.requestsOut++;
      this.bytesOut += body.length;
      await frames.write(body, deadline.signal);
      await stream.close({ signal: deadline.signal });
      const response = await this.#receive(frames, peer, protocol, responseBytesMax, deadline);
      this.#seeOff(stream);
      return response;
    } catch (error) {
      stream?.abort(error instanceof Error ? error : new Error('request failed'));
      throw error;
    }
  }

  async #receive(
    frames: FrameStream,
    peer: PeerName,
    protocol: string,
    responseBytesMax: number,
    deadline: Deadline,
  ): Promise<Uint8Array[]> {
    const response: Uint8Array[] = [];
    let payloadBytes = 0;
    let chargedBytes = 0;
    for (;;) {
      const received = await frames.read(deadline.signal);
      if (!received.ok) {
        const isBroken = received.reason !== 'reset' && received.reason !== 'truncated';
        if (isBroken) this.#listener.onOffence(peer, `response-${received.reason}`);
        const failure = received.reason === 'frame-too-large' ? 'response-too-large' : isBroken ? 'bad-frame' : 'reset';
        throw failed(peer, protocol, failure, received.detail);
      }
      deadline.progress();
      if (received.value.kind === 'end') return response;
      payloadBytes += received.value.payload.length;
      chargedBytes += FRAME_OVERHEAD_BYTES;
      this.bytesIn += received.value.payload.length;
      if (payloadBytes > responseBytesMax || chargedBytes > Math.max(responseBytesMax, MANY_FRAMES_BYTES)) {
        throw failed(peer, protocol, 'response-too-large', `more than ${responseBytesMax} bytes`);
      }
      response.push(received.value.payload);
    }
  }

  /** The answer is complete; a peer that keeps its half open all the same does not keep our stream. */
  #seeOff(stream: Stream): void {
    if (stream.status !== 'open') return;
    const cancel = this.#timing.schedule(FAREWELL_MS, () => {
      if (stream.status === 'open') stream.abort(new Error('not closed after its end mark'));
    });
    stream.addEventListener('close', cancel, { once: true });
  }
}

/** Even a request that allows few bytes takes a few thousand small frames. */
const MANY_FRAMES_BYTES = 4_096 * FRAME_OVERHEAD_BYTES;

/** Rejects with the signal's reason. */
function givenUp(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = () => reject(signal.reason);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

function failureOf(error: unknown): RequestFailure {
  if (error instanceof GivenUpError) return error.cause === 'aborted' ? 'aborted' : 'timeout';
  if (error instanceof Error && error.name === 'UnsupportedProtocolError') return 'unsupported-protocol';
  return 'reset';
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function failed(peer: PeerName, protocol: string, failure: RequestFailure, detail: string, cause?: unknown): CoppiceError {
  return new CoppiceError('network/request-failed', { peer, protocol, failure, detail }, cause === undefined ? undefined : { cause });
}
