// Stands between a peer's gossip stream and gossipsub. gossipsub reads without back-pressure and without a limit; the guard sees
// every byte first, pauses the stream of a peer that sends faster than its rate (its sending stalls when the stream's window is
// full, nothing is lost), and reports a stream that is no gossip (gossip-meter.ts).
//
// It hooks in where gossipsub registers its stream handlers. libp2p's own middleware (`use`) is not an option in this version: it
// appends the handler to the registered list at every stream, so the second stream is handled twice.

import type { GossipSubComponents } from '@libp2p/gossipsub';
import type { Connection, Stream } from '@libp2p/interface';
import { type GossipFault, GossipMeter } from './gossip-meter.ts';
import type { NetworkLimits } from './limits.ts';
import type { PeerName } from './ports.ts';
import { type Bucket, debit, debtMs, fullBucket } from './rate-limit.ts';
import type { Timing } from './timing.ts';

type Registrar = GossipSubComponents['registrar'];

/** Peers whose buckets are remembered; a new connection must not bring a fresh burst. */
const GUARDED_PEERS_MAX = 1_024;

/** Gossip streams that one connection may open in its life; gossipsub opens one, and makes a new connection rather than a second. */
const STREAMS_MAX_PER_CONNECTION = 8;

/** What the guard finds fault with. */
export type GuardFault = GossipFault | 'gossip-streams';

/** What the guard reports. */
export interface GuardListener {
  onBytes(peer: PeerName, bytes: number): void;
  onPause(peer: PeerName): void;
  onFault(peer: PeerName, fault: GuardFault): void;
}

interface Buckets {
  bytes: Bucket;
  items: Bucket;
}

/** Watches the inbound gossip streams of one node. */
export class GossipGuard {
  readonly #buckets = new Map<PeerName, Buckets>();
  readonly #streamsOpened = new WeakMap<Connection, number>();
  readonly #limits: NetworkLimits;
  readonly #timing: Timing;
  readonly #listener: GuardListener;

  constructor(limits: NetworkLimits, timing: Timing, listener: GuardListener) {
    this.#limits = limits;
    this.#timing = timing;
    this.#listener = listener;
  }

  /** The registrar to hand to gossipsub: the same, but every stream handler sees guarded streams. */
  guard(registrar: Registrar): Registrar {
    return {
      handle: (protocol, handler, options) =>
        registrar.handle(
          protocol,
          (stream, connection) => {
            this.#countStream(connection);
            this.#watch(stream, connection.remotePeer.toString());
            return handler(stream, connection);
          },
          options,
        ),
      unhandle: (protocol, options) => registrar.unhandle(protocol, options),
      register: (protocol, topology, options) => registrar.register(protocol, topology, options),
      unregister: (id) => registrar.unregister(id),
      getProtocols: () => registrar.getProtocols(),
      getHandler: (protocol) => registrar.getHandler(protocol),
      getTopologies: (protocol) => registrar.getTopologies(protocol),
      use: (protocol, middleware) => registrar.use(protocol, middleware),
      unuse: (protocol) => registrar.unuse(protocol),
      getMiddleware: (protocol) => registrar.getMiddleware(protocol),
    };
  }

  #countStream(connection: Connection): void {
    const opened = (this.#streamsOpened.get(connection) ?? 0) + 1;
    this.#streamsOpened.set(connection, opened);
    if (opened > STREAMS_MAX_PER_CONNECTION) this.#listener.onFault(connection.remotePeer.toString(), 'gossip-streams');
  }

  #watch(stream: Stream, peer: PeerName): void {
    const meter = new GossipMeter(frameBytesMax(this.#limits));
    let faulty = false;
    stream.addEventListener('message', ({ data }) => {
      if (faulty) return;
      let items = 0;
      for (const chunk of data instanceof Uint8Array ? [data] : data) {
        const metered = meter.feed(chunk);
        if (!metered.ok) {
          faulty = true;
          this.#listener.onFault(peer, metered.reason);
          return;
        }
        items += metered.value;
      }
      this.#listener.onBytes(peer, data.byteLength);
      const pauseMs = this.#charge(peer, data.byteLength, items);
      // Not at once: resuming hands over what has waited and then opens the window again, whatever was said in between.
      if (pauseMs > 0) queueMicrotask(() => this.#pause(stream, peer, pauseMs));
    });
  }

  #charge(peer: PeerName, bytes: number, items: number): number {
    const nowMs = this.#timing.nowMs();
    const { gossipBytesRate, gossipItemsRate } = this.#limits;
    const buckets = this.#buckets.get(peer) ?? { bytes: fullBucket(gossipBytesRate, nowMs), items: fullBucket(gossipItemsRate, nowMs) };
    buckets.bytes = debit(buckets.bytes, gossipBytesRate, bytes, nowMs);
    buckets.items = debit(buckets.items, gossipItemsRate, items, nowMs);
    this.#remember(peer, buckets);
    return Math.max(debtMs(buckets.bytes, gossipBytesRate), debtMs(buckets.items, gossipItemsRate));
  }

  #remember(peer: PeerName, buckets: Buckets): void {
    if (!this.#buckets.has(peer) && this.#buckets.size >= GUARDED_PEERS_MAX) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    this.#buckets.set(peer, buckets);
  }

  #pause(stream: Stream, peer: PeerName, pauseMs: number): void {
    if (stream.status !== 'open' || stream.readStatus !== 'readable') return;
    this.#listener.onPause(peer);
    stream.pause();
    this.#timing.schedule(pauseMs, () => {
      if (stream.status === 'open' && stream.readStatus === 'paused') stream.resume();
    });
  }
}

/** Longest gossipsub frame that is taken: twice the publish cap, for several messages and control in one frame. */
export function frameBytesMax(limits: NetworkLimits): number {
  return 2 * limits.messageBytesMax;
}
