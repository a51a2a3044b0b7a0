// Who is really there. A TCP connection says little: a peer that refuses us lets the dial succeed first, and one oversized frame
// ends gossip with a peer for good while the connection stays up. A peer is *ready* when gossip streams run both ways and it
// follows this network's liveness topic; it stays so while it is heard there every few seconds. Whoever is connected without being
// ready, or falls silent, has its connection closed, and the redial loop starts afresh.
//
// Closing is no punishment and counts nothing: a stalled peer is soon back. A stall of our own loop extends every deadline.
import type { GossipSub } from '@libp2p/gossipsub';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import type { NetworkLimits } from './limits.ts';
import type { PeerName } from './ports.ts';
import type { CancelTimer, Timing } from './timing.ts';

const GOSSIP_PROTOCOL_PREFIX = '/meshsub/';
/** How often streams are looked at. */
const WATCH_INTERVAL_MS = 250;
/** How soon after a subscription, when the other direction's stream is usually up. */
const SETTLE_MS = 20;
/** Time without gossip streams for a peer that was ready. */
const BROKEN_MS_MAX = 1_000;

/** What presence tells the network around it. */
export interface PresenceListener {
  onReady(peer: PeerName): void;
  onGone(peer: PeerName): void;
  /** The peer's connections are to be closed. */
  onDead(peer: PeerName, reason: string): void;
  /** After every look at the connections. */
  onWatched(): void;
}

interface Watched {
  ready: boolean;
  wasReady: boolean;
  /** Since when it is not ready. */
  unreadySinceMs: number;
  lastHeardMs: number;
}

/** Watches the connections of one node. */
export class Presence {
  readonly #libp2p: Libp2p;
  readonly #gossipsub: GossipSub;
  readonly #topic: string;
  readonly #limits: NetworkLimits;
  readonly #timing: Timing;
  readonly #listener: PresenceListener;
  readonly #watched = new Map<PeerName, Watched>();
  readonly #publish: (beat: number) => void;
  #cancelWatch: CancelTimer | undefined;
  #lastWatchMs: number;
  #lastBeatMs: number;
  #beats = 0;
  #closed = false;

  /** `publish` sends the beat with this number on the liveness topic `topic`. */
  constructor(
    libp2p: Libp2p,
    gossipsub: GossipSub,
    topic: string,
    publish: (beat: number) => void,
    limits: NetworkLimits,
    timing: Timing,
    listener: PresenceListener,
  ) {
    this.#libp2p = libp2p;
    this.#gossipsub = gossipsub;
    this.#topic = topic;
    this.#publish = publish;
    this.#limits = limits;
    this.#timing = timing;
    this.#listener = listener;
    this.#lastWatchMs = timing.nowMs();
    this.#lastBeatMs = Number.NEGATIVE_INFINITY;
  }

  /** Begins to watch and to beat. */
  start(): void {
    const libp2p = this.#libp2p;
    libp2p.addEventListener('peer:connect', () => this.#look());
    libp2p.addEventListener('peer:disconnect', () => this.#look());
    this.#gossipsub.addEventListener('subscription-change', () => {
      this.#look();
      this.#timing.schedule(SETTLE_MS, () => this.#look());
    });
    this.#watch();
  }

  /** Ready peers by name. */
  ready(): readonly PeerName[] {
    const names: PeerName[] = [];
    for (const [name, watched] of this.#watched) if (watched.ready) names.push(name);
    return names.sort();
  }

  /** A beat of this peer arrived. */
  heard(peer: PeerName): void {
    const watched = this.#watched.get(peer);
    if (watched !== undefined) watched.lastHeardMs = this.#timing.nowMs();
  }

  close(): void {
    this.#closed = true;
    this.#cancelWatch?.();
    const gone = this.ready();
    this.#watched.clear();
    for (const peer of gone) this.#listener.onGone(peer);
  }

  #watch(): void {
    if (this.#closed) return;
    const nowMs = this.#timing.nowMs();
    const stallMs = nowMs - this.#lastWatchMs - WATCH_INTERVAL_MS;
    this.#lastWatchMs = nowMs;
    if (stallMs > WATCH_INTERVAL_MS) this.#forgive(stallMs);
    if (nowMs - this.#lastBeatMs >= this.#limits.livenessIntervalMs) {
      this.#lastBeatMs = nowMs;
      this.#publish(++this.#beats);
    }
    this.#look();
    this.#closeTheDead(nowMs);
    this.#listener.onWatched();
    this.#cancelWatch = this.#timing.schedule(WATCH_INTERVAL_MS, () => this.#watch());
  }

  /** What we did not hear while our own loop stood still is not their silence. */
  #forgive(stallMs: number): void {
    for (const watched of this.#watched.values()) {
      watched.lastHeardMs += stallMs;
      watched.unreadySinceMs += stallMs;
    }
  }

  #look(): void {
    if (this.#closed) return;
    const nowMs = this.#timing.nowMs();
    const connected = new Map<PeerName, Connection[]>();
    for (const connection of this.#libp2p.getConnections()) {
      if (connection.status !== 'open') continue;
      const name = connection.remotePeer.toString();
      connected.set(name, [...(connected.get(name) ?? []), connection]);
    }
    const followers = new Set(this.#gossipsub.getSubscribers(this.#topic).map((peerId) => peerId.toString()));
    for (const [name, watched] of this.#watched) {
      if (connected.has(name)) continue;
      this.#watched.delete(name);
      if (watched.ready) this.#listener.onGone(name);
    }
    for (const [name, connections] of connected) this.#judge(name, connections, followers.has(name), nowMs);
  }

  #judge(name: PeerName, connections: readonly Connection[], follows: boolean, nowMs: number): void {
    const watched = this.#watched.get(name) ?? newcomer(nowMs);
    this.#watched.set(name, watched);
    const ready = follows && hasGossipBothWays(connections);
    if (ready === watched.ready) return;
    watched.ready = ready;
    if (ready) {
      watched.wasReady = true;
      watched.lastHeardMs = nowMs;
      this.#listener.onReady(name);
    } else {
      watched.unreadySinceMs = nowMs;
      this.#listener.onGone(name);
    }
  }

  #closeTheDead(nowMs: number): void {
    for (const [name, watched] of this.#watched) {
      const reason = causeOfDeath(watched, this.#limits, nowMs);
      if (reason === undefined) continue;
      watched.unreadySinceMs = nowMs; // Not again before the close has had its time.
      watched.lastHeardMs = nowMs;
      this.#listener.onDead(name, reason);
    }
  }
}

function newcomer(nowMs: number): Watched {
  return { ready: false, wasReady: false, unreadySinceMs: nowMs, lastHeardMs: nowMs };
}

function causeOfDeath(watched: Watched, limits: NetworkLimits, nowMs: number): string | undefined {
  if (watched.ready) return nowMs - watched.lastHeardMs > limits.silenceMsMax ? 'gossip-silent' : undefined;
  const unreadyMs = nowMs - watched.unreadySinceMs;
  if (watched.wasReady) return unreadyMs > BROKEN_MS_MAX ? 'gossip-broken' : undefined;
  return unreadyMs > limits.readyMsMax ? 'never-ready' : undefined;
}

function hasGossipBothWays(connections: readonly Connection[]): boolean {
  let inbound = false;
  let outbound = false;
  for (const connection of connections) {
    for (const stream of connection.streams) {
      if (!isHealthyGossip(stream)) continue;
      if (stream.direction === 'inbound') inbound = true;
      else outbound = true;
    }
  }
  return inbound && outbound;
}

/** gossipsub closes neither half of a stream that it still uses. */
function isHealthyGossip(stream: Stream): boolean {
  return (
    stream.protocol.startsWith(GOSSIP_PROTOCOL_PREFIX) &&
    stream.status === 'open' &&
    stream.writeStatus === 'writable' &&
    stream.remoteWriteStatus === 'writable'
  );
}
