// One node's network on libp2p: the adapter behind the ports. It puts the parts together and settles what goes across them: who
// is refused, what is counted, what is logged.
import type { PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Multiaddr } from '@multiformats/multiaddr';
import { concatBytes, uint64ToBytes } from '../core/primitives/bytes.ts';
import { CoppiceError, invariant } from '../core/primitives/errors.ts';
import type { Bytes32 } from '../core/primitives/ids.ts';
import { AddressThrottle } from './address-throttle.ts';
import { LabelledCounters } from './counters.ts';
import { Discipline } from './discipline.ts';
import { GossipPort, gossipsubOptions } from './gossip.ts';
import { GossipGuard } from './gossip-guard.ts';
import { addressOf, type CoppiceLibp2p, hostOf, listenPortOf, type NetworkAddress, saidAddressOf, startNode } from './libp2p-node.ts';
import { DEFAULT_LIMITS, type NetworkLimits } from './limits.ts';
import type { NetworkLog } from './log.ts';
import type { GossipHandler, Network, NetworkStats, PeerListener, PeerName, Peers, PubSub, Request } from './ports.ts';
import { Presence } from './presence.ts';
import { Redialler } from './redial.ts';
import { Asking } from './request-asking.ts';
import { Serving } from './request-serving.ts';
import { type RandomFraction, steadyTiming, type Timing } from './timing.ts';

const DIAL_MS_MAX = 5_000;
/** Addresses of one peer that are its own words. */
const SAID_ADDRESSES_MAX = 8;
/** Misbehaviour: two of these and a peer is refused; no honest node sends even one. */
const BROKEN_FORMAT_WEIGHT = 50;

/** A peer to keep connected to. */
export interface StaticPeer extends NetworkAddress {
  readonly peerId: PeerName;
}

/** What a network is made of. */
export interface Libp2pNetworkOptions {
  /** 32 bytes from which the ed25519 peer key grows. */
  readonly peerSeed: Bytes32;
  readonly listenAddress: NetworkAddress;
  /** The static mesh: kept connected, for ever. */
  readonly peers: readonly StaticPeer[];
  /** Only these and the static mesh may connect; everybody, if left out. */
  readonly committeePeers?: readonly PeerName[];
  /** What all topics of this network begin with (`topicPrefix`); peers of another network never become ready. */
  readonly networkPrefix: string;
  /** Topics that may be followed, here and by peers; any, within bounds, if left out. */
  readonly allowedTopics?: readonly string[];
  readonly limits?: Partial<NetworkLimits>;
  readonly timing: Timing;
  readonly random: RandomFraction;
  readonly log: NetworkLog;
}

/** A `Network` that can also say where it listens. */
export interface Libp2pNetwork extends Network {
  /** The port that it listens on, also where 0 was asked for. */
  readonly listenPort: number;
}

/** Starts a node's network; it listens when this resolves, and dials from then on. */
export async function createLibp2pNetwork(given: Libp2pNetworkOptions): Promise<Libp2pNetwork> {
  const options = { ...given, timing: steadyTiming(given.timing) };
  const limits: NetworkLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const tally: Tally = { refused: new LabelledCounters(), closed: new LabelledCounters(), gossipBytesIn: 0 };
  const throttle = new AddressThrottle();
  const discipline = new Discipline(options.timing, options.log);
  const handlers = new Map<string, GossipHandler>();
  const livenessTopic = `${options.networkPrefix}liveness/1`;
  const allowedTopics = options.allowedTopics === undefined ? undefined : [...options.allowedTopics, livenessTopic];
  const isAdmitted = admissionBy(options);
  let host: Libp2pHost | undefined;
  const guard = new GossipGuard(limits, options.timing, {
    onBytes: (_peer, bytes) => {
      tally.gossipBytesIn += bytes;
    },
    onPause: () => tally.refused.add('gossip-rate'),
    onFault: (peer, fault) => {
      tally.refused.add(fault);
      discipline.misbehaved(peer, fault, BROKEN_FORMAT_WEIGHT);
      host?.throwOut(peer, fault); // Its gossip cannot be followed any more.
    },
  });
  const libp2p = await startNode({
    peerSeed: options.peerSeed,
    listenAddress: options.listenAddress,
    limits,
    guard,
    gossipsubOptions: gossipsubOptions(limits, allowedTopics, (topic) => handlers.has(topic), tally.refused),
    mayConnect: (address) => {
      const admits = throttle.admits(address, options.timing.nowMs());
      if (!admits) tally.refused.add('connection-rate');
      return admits;
    },
    onUnwelcome: (address) => {
      tally.refused.add('peer-not-admitted');
      throttle.suspect(address, options.timing.nowMs());
    },
    onInboundFailed: (reason) => tally.refused.add(reason),
    isWelcome: (peer) => !discipline.isRefused(peer) && isAdmitted(peer),
  });
  const pubSub = new GossipPort(libp2p.services.gossipsub, handlers, limits, allowedTopics, {
    refused: tally.refused,
    misbehaved: (peer, reason, weight) => discipline.misbehaved(peer, reason, weight),
  });
  host = new Libp2pHost(options, limits, libp2p, pubSub, discipline, throttle, tally, livenessTopic, isAdmitted);
  return host;
}

interface Tally {
  readonly refused: LabelledCounters;
  readonly closed: LabelledCounters;
  gossipBytesIn: number;
}

class Libp2pHost implements Libp2pNetwork {
  readonly self: PeerName;
  readonly listenPort: number;
  readonly pubSub: PubSub;
  readonly request: Request;
  readonly peers: Peers;
  readonly #libp2p: CoppiceLibp2p;
  readonly #gossip: GossipPort;
  readonly #asking: Asking;
  readonly #serving: Serving;
  readonly #presence: Presence;
  readonly #redialler: Redialler;
  readonly #discipline: Discipline;
  readonly #throttle: AddressThrottle;
  readonly #timing: Timing;
  readonly #tally: Tally;
  readonly #log: NetworkLog;
  readonly #configured: ReadonlyMap<PeerName, Multiaddr>;
  /** Where peers are dialled, in turn: what they said of themselves first, then what is configured. */
  readonly #addresses: Map<PeerName, readonly Multiaddr[]>;
  readonly #isAdmitted: (peer: PeerName) => boolean;
  readonly #changeListeners = new Set<PeerListener>();
  #dials = 0;
  #dialsFailed = 0;
  #closing: Promise<void> | undefined;

  constructor(
    options: Libp2pNetworkOptions,
    limits: NetworkLimits,
    libp2p: CoppiceLibp2p,
    gossip: GossipPort,
    discipline: Discipline,
    throttle: AddressThrottle,
    tally: Tally,
    livenessTopic: string,
    isAdmitted: (peer: PeerName) => boolean,
  ) {
    this.self = libp2p.peerId.toString();
    this.listenPort = listenPortOf(libp2p);
    this.#libp2p = libp2p;
    this.#gossip = gossip;
    this.#discipline = discipline;
    this.#throttle = throttle;
    this.#timing = options.timing;
    this.#tally = tally;
    this.#log = options.log;
    this.#configured = new Map(options.peers.map((peer) => [peer.peerId, addressOf(peer, peer.peerId)]));
    this.#addresses = new Map([...this.#configured].map(([peer, address]) => [peer, [address]]));
    this.#isAdmitted = isAdmitted;
    this.#asking = new Asking(libp2p, limits, options.timing, { onOffence: (peer, reason) => this.#offence(peer, reason) });
    this.#serving = new Serving(libp2p, limits, options.timing, {
      refused: tally.refused,
      onOffence: (peer, reason) => this.#offence(peer, reason),
      onHandlerFailed: (peer, protocol, error) => this.#log('warn', 'request-handler-failed', { peer, protocol, error: String(error) }),
    });
    this.pubSub = gossip;
    this.peers = this.#peersPort();
    this.request = this.#requestPort();
    this.#presence = this.#watchPresence(livenessTopic, limits, options.timing);
    this.#redialler = this.#keepDialling(options);
    discipline.onRefused((peer) => this.throwOut(peer, 'misbehaviour'));
    libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#onDisconnected(detail));
    this.#presence.start();
  }

  stats(): NetworkStats {
    let sendQueueBytes = 0;
    const streamsOpen = new LabelledCounters();
    for (const connection of this.#libp2p.getConnections()) {
      for (const stream of connection.streams) {
        sendQueueBytes += stream.writeBufferLength;
        streamsOpen.add(stream.protocol === '' ? 'negotiating' : stream.protocol);
      }
    }
    return {
      peerListeners: this.#changeListeners.size,
      peersConnected: this.#presence.ready().length,
      peersRefused: this.#discipline.refusedCount,
      bytesIn: this.#tally.gossipBytesIn + this.#asking.bytesIn + this.#serving.bytesIn,
      bytesOut: this.#gossip.bytesOut + this.#asking.bytesOut + this.#serving.bytesOut,
      gossipMessagesIn: this.#gossip.messagesIn,
      gossipMessagesOut: this.#gossip.messagesOut,
      requestsIn: this.#serving.requestsIn,
      requestsOut: this.#asking.requestsOut,
      gossipAwaiting: this.#gossip.awaiting,
      sendQueueBytes,
      streamsOpen: streamsOpen.snapshot(),
      refused: this.#tally.refused.snapshot(),
      misbehaviour: this.#discipline.offences.snapshot(),
      closed: this.#tally.closed.snapshot(),
      dials: this.#dials,
      dialsFailed: this.#dialsFailed,
    };
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  /** Closes every connection with a peer at once. */
  disconnect(peer: PeerName, reason: string): void {
    this.#tally.closed.add(reason);
    this.#log('info', 'peer-closed', { peer, reason });
    for (const connection of this.#libp2p.getConnections(peerIdFromString(peer))) connection.abort(new Error(reason));
  }

  /** Closes every connection with a peer for an offence, and watches its address. */
  throwOut(peer: PeerName, reason: string): void {
    for (const connection of this.#libp2p.getConnections(peerIdFromString(peer))) {
      if (connection.direction === 'inbound') this.#throttle.suspect(hostOf(connection.remoteAddr), this.#timing.nowMs());
    }
    this.disconnect(peer, reason);
  }

  async #close(): Promise<void> {
    this.#redialler.close();
    this.#presence.close();
    this.#gossip.close();
    this.#serving.close();
    for (const connection of this.#libp2p.getConnections()) connection.abort(new Error('closing'));
    await this.#libp2p.stop();
  }

  #peersPort(): Peers {
    return {
      connected: () => this.#presence.ready(),
      onChange: (listener) => {
        this.#changeListeners.add(listener);
        return () => this.#changeListeners.delete(listener);
      },
      misbehaved: (peer, reason, weight) => this.#discipline.misbehaved(peer, reason, weight),
      reachableAt: (peer, addresses) => this.#reachableAt(peer, addresses),
    };
  }

  #reachableAt(peer: PeerName, addresses: readonly string[]): void {
    if (this.#closing !== undefined || peer === this.self || !this.#isAdmitted(peer)) return;
    const said = addresses.slice(0, SAID_ADDRESSES_MAX).flatMap((address) => saidAddressOf(address, peer) ?? []);
    const configured = this.#configured.get(peer);
    const all = [...said, ...(configured === undefined ? [] : [configured])];
    if (all.length === 0) return;
    this.#addresses.set(peer, all);
    this.#redialler.told(peer);
  }

  #requestPort(): Request {
    return {
      request: async (peer, protocol, body, options) => {
        if (this.#closing !== undefined) throw new CoppiceError('network/closed', { operation: 'request' });
        return this.#asking.request(peer, protocol, body, options);
      },
      handle: (protocol, handler) => this.#serving.handle(protocol, handler),
    };
  }

  #watchPresence(livenessTopic: string, limits: NetworkLimits, timing: Timing): Presence {
    const name = new TextEncoder().encode(this.self);
    const beat = (number: number) => {
      // Own name and number: no two beats are the same bytes, and so none is taken for a duplicate.
      const data = concatBytes(uint64ToBytes(Math.floor(timing.nowMs())), uint64ToBytes(number), name);
      this.#gossip.publish(livenessTopic, data).catch((error) => this.#log('debug', 'beat-failed', { error: String(error) }));
    };
    this.#gossip.subscribe(livenessTopic, ({ from }) => {
      this.#presence.heard(from);
      return 'ignore'; // Each peer speaks for itself.
    });
    return new Presence(this.#libp2p, this.#libp2p.services.gossipsub, livenessTopic, beat, limits, timing, {
      onReady: (peer) => this.#changed(peer, true),
      onGone: (peer) => this.#changed(peer, false),
      onDead: (peer, reason) => this.disconnect(peer, reason),
      onWatched: () => {
        this.#redialler.ensure();
        this.#gossip.tidy();
      },
    });
  }

  #keepDialling(options: Libp2pNetworkOptions): Redialler {
    // Decoding a name takes longer than all else that is asked of it four times a second.
    const peerIds = new Map(options.peers.map(({ peerId }) => [peerId, peerIdFromString(peerId)]));
    const dialler = {
      isConnected: (peer: PeerName) => this.#libp2p.getConnections(peerIds.get(peer) ?? peerIdFromString(peer)).length > 0,
      mayDial: (peer: PeerName) => !this.#discipline.isRefused(peer),
      dial: async (peer: PeerName) => {
        this.#dials++;
        try {
          await this.#libp2p.dial(this.#nextAddressOf(peer), { signal: AbortSignal.timeout(DIAL_MS_MAX) });
        } catch (error) {
          this.#dialsFailed++;
          throw error;
        }
      },
    };
    return new Redialler(this.self, [...this.#configured.keys()], dialler, options.timing, options.random);
  }

  // One at a time: an address that swallows what is sent to it would use up the time of all others.
  #nextAddressOf(peer: PeerName): Multiaddr {
    const [next, ...others] = this.#addresses.get(peer) ?? [];
    invariant(next !== undefined, 'only who has an address is dialled');
    this.#addresses.set(peer, [...others, next]);
    return next;
  }

  #changed(peer: PeerName, connected: boolean): void {
    if (connected) this.#redialler.onReady(peer);
    this.#log('info', connected ? 'peer-connected' : 'peer-disconnected', { peer });
    for (const listener of this.#changeListeners) listener(peer, connected);
  }

  #onDisconnected(peerId: PeerId): void {
    this.#redialler.ensure();
    if (this.#addresses.has(peerId.toString())) return;
    // Identities are free to make: what libp2p would remember of strangers for hours is forgotten at once.
    this.#libp2p.peerStore.delete(peerId).catch(() => undefined);
  }

  #offence(peer: PeerName, reason: string): void {
    this.#tally.refused.add(reason);
    this.#discipline.misbehaved(peer, reason, BROKEN_FORMAT_WEIGHT);
  }
}

// Who may connect, whatever he did.
function admissionBy({ committeePeers, peers }: Libp2pNetworkOptions): (peer: PeerName) => boolean {
  if (committeePeers === undefined) return () => true;
  const admitted = new Set([...committeePeers, ...peers.map(({ peerId }) => peerId)]);
  return (peer) => admitted.has(peer);
}
