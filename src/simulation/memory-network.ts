// A network in memory behind the same ports as libp2p's: whole nodes in one process, in virtual or real time. Deterministic: equal
// links, clock and calls give equal deliveries. How long a message takes, and whether it comes at all, links.ts says; links can be cut
// and mended between any two nodes, which both of them see.
//
// It does not imitate what libp2p adds above delivery (rates, buffers, streams): those have tests with real sockets.

import { sha256 } from '../core/crypto/sha256.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { CoppiceError, invariant } from '../core/primitives/errors.ts';
import { LabelledCounters } from '../network/counters.ts';
import type { RequestFailure } from '../network/errors.ts';
import { PeerScores, REFUSED_MS } from '../network/peer-score.ts';
import type {
  GossipHandler,
  Network,
  NetworkStats,
  PeerListener,
  PeerName,
  Peers,
  PubSub,
  Request,
  RequestHandler,
  RequestOptions,
} from '../network/ports.ts';
import type { Timing } from '../network/timing.ts';
import type { Links } from './links.ts';
import type { Mute } from './silent-shard.ts';

/** Messages remembered as seen; the oldest are forgotten first. */
const SEEN_MAX = 65_536;
/** Frames of one answer that are taken, however small they are: about as many as in production (request-asking.ts). */
const FRAMES_MAX = 4_096;

/** What a memory network is made of. */
export interface MemoryNetworkOptions {
  readonly names: readonly PeerName[];
  readonly links: Links;
  readonly clock: Timing;
  readonly messageBytesMax?: number;
  /** What is said and not heard. */
  readonly mutes?: ReadonlySet<Mute>;
  /** Told of what a node publishes, or whispers to one other; forwarding is not saying. */
  readonly onSay?: (from: PeerName, to: PeerName | undefined, topic: string, data: Uint8Array) => void;
}

/** The nodes' networks and the hand that cuts their links. */
export interface MemoryNetwork {
  readonly networks: ReadonlyMap<PeerName, Network>;
  /** Cuts or mends the link between two nodes, both ways. */
  setLink(one: PeerName, other: PeerName, up: boolean): void;
  /** Cuts or mends all links of a node: what happens to the others when it is killed or comes back. */
  setUp(name: PeerName, up: boolean): void;
  /** The end of a node's process: its network is closed, and what was under way to it is lost. */
  shut(name: PeerName): void;
  /** Something that a node tells one neighbour only, as gossip of this topic: what nobody honest does. */
  whisper(from: PeerName, to: PeerName, topic: string, data: Uint8Array): void;
  /** Offences that all nodes counted, over all their lives, by reason. */
  offences(): Readonly<Record<string, number>>;
  /** A new network for a node whose process was shut. */
  reopen(name: PeerName): Network;
}

/** Nodes under these names, all linked. */
export function createMemoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  const medium = new Medium(options);
  return {
    networks: new Map(options.names.map((name) => [name, medium.node(name)])),
    setLink: (one, other, up) => medium.setLink(one, other, up),
    setUp: (name, up) => {
      for (const other of options.names) if (other !== name) medium.setLink(name, other, up);
    },
    shut: (name) => medium.node(name).shut(),
    whisper: (from, to, topic, data) => medium.node(from).whisper(to, topic, data),
    offences: () => medium.offences.snapshot(),
    reopen: (name) => medium.reopen(name),
  };
}

class Medium {
  readonly offences = new LabelledCounters();
  readonly #nodes = new Map<PeerName, MemoryNode>();
  /** In their order. */
  readonly #names: readonly PeerName[];
  readonly #cut = new Set<string>();
  readonly #options: MemoryNetworkOptions;

  constructor(options: MemoryNetworkOptions) {
    this.#options = options;
    this.#names = [...options.names].sort();
    for (const name of options.names) this.#nodes.set(name, new MemoryNode(name, this, options));
    invariant(this.#nodes.size === options.names.length, 'names are unique');
  }

  node(name: PeerName): MemoryNode {
    const node = this.#nodes.get(name);
    invariant(node !== undefined, `${name} is a node of this network`);
    return node;
  }

  reopen(name: PeerName): MemoryNode {
    invariant(this.node(name).isClosed, `${name} was shut`);
    const node = new MemoryNode(name, this, this.#options);
    this.#nodes.set(name, node);
    for (const neighbour of this.neighbours(name)) neighbour.changed(name, true);
    return node;
  }

  /** The nodes that this one is linked with, by name. */
  neighbours(name: PeerName): MemoryNode[] {
    const found: MemoryNode[] = [];
    for (const other of this.#names) if (other !== name && this.isLinked(name, other)) found.push(this.node(other));
    return found;
  }

  isLinked(one: PeerName, other: PeerName): boolean {
    if (this.#cut.size > 0 && this.#cut.has(linkKey(one, other))) return false;
    const [first, second] = [this.#nodes.get(one), this.#nodes.get(other)];
    if (first === undefined || second === undefined || first === second) return false;
    return !first.isClosed && !second.isClosed && !first.isRefusing(other) && !second.isRefusing(one);
  }

  setLink(one: PeerName, other: PeerName, up: boolean): void {
    this.whileWatched(one, other, () => {
      if (up) this.#cut.delete(linkKey(one, other));
      else this.#cut.add(linkKey(one, other));
    });
  }

  /** Does something that may change whether two nodes are linked, and tells both if it did. */
  whileWatched(one: PeerName, other: PeerName, change: () => void): void {
    const before = this.isLinked(one, other);
    change();
    const after = this.isLinked(one, other);
    if (before === after) return;
    this.node(one).changed(other, after);
    this.node(other).changed(one, after);
  }

  /** Carries copies of something from one node to another, each if they are still linked when it arrives. */
  carry(from: PeerName, to: PeerName, deliver: () => void): void {
    for (const delayMs of this.#options.links.arrivalsMs(from, to)) {
      this.#options.clock.schedule(delayMs, () => {
        if (this.isLinked(from, to)) deliver();
      });
    }
  }
}

class MemoryNode implements Network {
  readonly self: PeerName;
  readonly pubSub: PubSub;
  readonly request: Request;
  readonly peers: Peers;
  readonly #medium: Medium;
  readonly #options: MemoryNetworkOptions;
  readonly #topics = new Map<string, GossipHandler>();
  readonly #protocols = new Map<string, RequestHandler>();
  readonly #listeners = new Set<PeerListener>();
  readonly #seen = new Set<string>();
  readonly #scores = new PeerScores();
  readonly #refused = new LabelledCounters();
  readonly #misbehaviour = new LabelledCounters();
  readonly #closedConnections = new LabelledCounters();
  readonly #counts = { bytesIn: 0, bytesOut: 0, gossipMessagesIn: 0, gossipMessagesOut: 0, requestsIn: 0, requestsOut: 0, awaiting: 0 };
  isClosed = false;

  constructor(name: PeerName, medium: Medium, options: MemoryNetworkOptions) {
    this.self = name;
    this.#medium = medium;
    this.#options = options;
    this.pubSub = {
      publish: async (topic, data) => this.#publish(topic, data),
      subscribe: (topic, handler) => {
        this.#topics.set(topic, handler);
      },
      unsubscribe: (topic) => {
        this.#topics.delete(topic);
      },
    };
    this.request = {
      request: (peer, protocol, body, limits) => this.#ask(peer, protocol, body, limits),
      handle: (protocol, handler) => {
        this.#protocols.set(protocol, handler);
      },
    };
    this.peers = {
      connected: () => this.#medium.neighbours(this.self).map((node) => node.self),
      onChange: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      misbehaved: (peer, reason, weight) => this.#misbehaved(peer, reason, weight),
      reachableAt: () => undefined, // Whoever is linked is connected.
    };
  }

  stats(): NetworkStats {
    const { awaiting, ...counts } = this.#counts;
    return {
      ...counts,
      peerListeners: this.#listeners.size,
      peersConnected: this.peers.connected().length,
      peersRefused: this.#scores.refusedCount(this.#options.clock.nowMs()),
      gossipAwaiting: awaiting,
      sendQueueBytes: 0,
      streamsOpen: {},
      refused: this.#refused.snapshot(),
      misbehaviour: this.#misbehaviour.snapshot(),
      closed: this.#closedConnections.snapshot(),
      dials: 0,
      dialsFailed: 0,
    };
  }

  async close(): Promise<void> {
    this.shut();
  }

  /** As `close`. */
  shut(): void {
    if (this.isClosed) return;
    const neighbours = this.#medium.neighbours(this.self);
    this.isClosed = true;
    for (const node of neighbours) {
      node.changed(this.self, false);
      this.changed(node.self, false);
    }
  }

  /** See `MemoryNetwork`. */
  whisper(to: PeerName, topic: string, data: Uint8Array): void {
    if (this.isClosed || !this.#medium.isLinked(this.self, to) || this.#isMute(to, topic)) return;
    this.#options.onSay?.(this.self, to, topic, data);
    const node = this.#medium.node(to);
    this.#medium.carry(this.self, to, () => void node.receive(this.self, topic, data, idOf(topic, data)));
  }

  follows(topic: string): boolean {
    return this.#topics.has(topic);
  }

  isRefusing(peer: PeerName): boolean {
    return this.#scores.isRefused(peer, this.#options.clock.nowMs());
  }

  changed(peer: PeerName, connected: boolean): void {
    for (const listener of this.#listeners) listener(peer, connected);
  }

  /** A gossiped message arrives from a neighbour. */
  async receive(from: PeerName, topic: string, data: Uint8Array, id: string): Promise<void> {
    const handler = this.#topics.get(topic);
    if (handler === undefined || this.isClosed || !this.#isNew(id)) return;
    this.#counts.gossipMessagesIn++;
    this.#counts.bytesIn += data.length;
    this.#counts.awaiting++;
    try {
      const decision = await handler({ from, topic, data });
      if (decision === 'accept' && !this.isClosed) this.#spread(topic, data, id, from);
      if (decision === 'reject') this.#reject(from);
    } catch {
      this.#refused.add('handler-failed');
    } finally {
      this.#counts.awaiting--;
    }
  }

  /** A request arrives: the frames, or `undefined` where the asker sees a reset. No more than one above what the asker takes. */
  async serve(from: PeerName, protocol: string, body: Uint8Array, responseBytesMax: number): Promise<Uint8Array[] | undefined> {
    const handler = this.#protocols.get(protocol);
    if (handler === undefined || this.isClosed) return undefined;
    this.#counts.requestsIn++;
    const frames: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const frame of handler(from, body)) {
        frames.push(frame);
        bytes += frame.length;
        if (bytes > responseBytesMax || frames.length > FRAMES_MAX) break;
      }
    } catch {
      this.#refused.add('request-failed');
      return undefined;
    }
    return frames;
  }

  serves(protocol: string): boolean {
    return this.#protocols.has(protocol);
  }

  #publish(topic: string, data: Uint8Array): { recipients: number } {
    if (this.isClosed) throw new CoppiceError('network/closed', { operation: 'publish' });
    const bytesMax = this.#options.messageBytesMax ?? 2 * 1024 * 1024;
    if (data.length > bytesMax) throw new CoppiceError('network/message-too-large', { topic, bytes: data.length, bytesMax });
    const id = idOf(topic, data);
    this.#options.onSay?.(this.self, undefined, topic, data);
    return { recipients: this.#isNew(id) ? this.#spread(topic, data, id, undefined) : 0 };
  }

  #spread(topic: string, data: Uint8Array, id: string, from: PeerName | undefined): number {
    let recipients = 0;
    for (const node of this.#medium.neighbours(this.self)) {
      if (node.self === from || !node.follows(topic) || this.#isMute(node.self, topic)) continue;
      recipients++;
      this.#counts.gossipMessagesOut++;
      this.#counts.bytesOut += data.length;
      this.#medium.carry(this.self, node.self, () => void node.receive(this.self, topic, data, id));
    }
    return recipients;
  }

  #isMute(to: PeerName, topic: string): boolean {
    for (const mute of this.#options.mutes ?? []) if (mute(this.self, to, topic)) return true;
    return false;
  }

  #reject(from: PeerName): void {
    this.#refused.add('rejected');
    this.#misbehaved(from, 'message-rejected', 10);
  }

  #isNew(id: string): boolean {
    if (this.#seen.has(id)) return false;
    this.#seen.add(id);
    if (this.#seen.size > SEEN_MAX) for (const oldest of this.#seen) return this.#seen.delete(oldest);
    return true;
  }

  #misbehaved(peer: PeerName, reason: string, weight: number): void {
    this.#misbehaviour.add(reason);
    this.#medium.offences.add(reason);
    this.#medium.whileWatched(this.self, peer, () => {
      if (!this.#scores.count(peer, weight, this.#options.clock.nowMs())) return;
      this.#closedConnections.add('misbehaviour');
      this.#options.clock.schedule(REFUSED_MS + 1, () => {
        if (!this.#medium.isLinked(this.self, peer)) return;
        this.changed(peer, true);
        this.#medium.node(peer).changed(this.self, true);
      });
    });
  }

  async #ask(peer: PeerName, protocol: string, body: Uint8Array, options: RequestOptions): Promise<Uint8Array[]> {
    if (this.isClosed) throw new CoppiceError('network/closed', { operation: 'request' });
    if (!this.#medium.isLinked(this.self, peer)) throw failed(peer, protocol, 'not-connected');
    const target = this.#medium.node(peer);
    if (!target.serves(protocol)) throw failed(peer, protocol, 'unsupported-protocol');
    this.#counts.requestsOut++;
    this.#counts.bytesOut += body.length;
    const frames = await this.#answerOf(target, protocol, body, options);
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    if (bytes > options.responseBytesMax || frames.length > FRAMES_MAX) throw failed(peer, protocol, 'response-too-large');
    this.#counts.bytesIn += bytes;
    return frames;
  }

  #answerOf(target: MemoryNode, protocol: string, body: Uint8Array, options: RequestOptions): Promise<Uint8Array[]> {
    return new Promise((resolve, reject) => {
      const fail = (failure: RequestFailure) => {
        settle();
        reject(failed(target.self, protocol, failure));
      };
      const onAbort = () => fail('aborted');
      const cancelTimeout = this.#options.clock.schedule(options.timeoutMs, () => fail('timeout'));
      const settle = () => {
        cancelTimeout();
        options.signal?.removeEventListener('abort', onAbort);
      };
      options.signal?.addEventListener('abort', onAbort, { once: true });
      if (options.signal?.aborted === true) return fail('aborted');
      this.#medium.carry(this.self, target.self, async () => {
        const frames = await target.serve(this.self, protocol, body, options.responseBytesMax);
        this.#medium.carry(target.self, this.self, () => {
          if (frames === undefined) return fail('reset');
          settle();
          resolve(frames);
        });
      });
    });
  }
}

function idOf(topic: string, data: Uint8Array): string {
  return `${topic} ${bytesToHex(sha256(data))}`;
}

function linkKey(one: PeerName, other: PeerName): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}

function failed(peer: PeerName, protocol: string, failure: RequestFailure): CoppiceError {
  return new CoppiceError('network/request-failed', { peer, protocol, failure, detail: '' });
}
