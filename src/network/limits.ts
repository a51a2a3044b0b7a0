// Every bound of the network in one place. They are generous against honest load on the machines we know (two cores carry a
// few thousand deliveries a second) and small against memory: a peer can make a node do a bounded amount of work, keep a bounded
// number of bytes, and no more.
import type { RateLimit } from './rate-limit.ts';

const MIB = 1024 * 1024;

/** Bounds of one node's network. */
export interface NetworkLimits {
  /** Longest message that is published or taken, uncompressed. */
  readonly messageBytesMax: number;
  /** Topics that one node follows. */
  readonly topicsMax: number;
  /** Gossip messages of one peer that wait for a handler's answer, and their bytes; more are dropped. */
  readonly awaitingMaxPerPeer: number;
  readonly awaitingBytesMaxPerPeer: number;
  /** The same for all peers together: names are free to make. */
  readonly awaitingBytesMax: number;
  /** Gossip that is read from one peer; above, reading pauses and the peer's sending stalls. */
  readonly gossipBytesRate: RateLimit;
  readonly gossipItemsRate: RateLimit;
  /** Unsent gossip kept for one peer; above, its stream is given up and the peer redialled. */
  readonly gossipSendBufferBytesMax: number;
  /** Longest request and response frame, uncompressed. */
  readonly requestBytesMax: number;
  readonly responseFrameBytesMax: number;
  /** Longest response that is served, and the time for it; and without progress. */
  readonly servedBytesMax: number;
  readonly servedMsMax: number;
  readonly idleMsMax: number;
  /** Requests of one peer that are served: by rate, at a time for one protocol, at a time for all peers. */
  readonly requestRate: RateLimit;
  readonly servedAtOncePerPeerAndProtocol: number;
  readonly servedAtOnce: number;
  /** Own requests under way to one peer. */
  readonly askedAtOncePerPeer: number;
  /** Connections in all. */
  readonly connectionsMax: number;
  /** How often a node says that it is alive; silence after which a ready peer is given up (honest work may block a loop for 7 s). */
  readonly livenessIntervalMs: number;
  readonly silenceMsMax: number;
  /** Time that a connected peer has to become ready. */
  readonly readyMsMax: number;
}

/** The bounds unless a node is configured otherwise. */
export const DEFAULT_LIMITS: NetworkLimits = {
  messageBytesMax: 2 * MIB,
  topicsMax: 256,
  awaitingMaxPerPeer: 2_048,
  awaitingBytesMaxPerPeer: 32 * MIB,
  awaitingBytesMax: 256 * MIB,
  gossipBytesRate: { perSecond: 32 * MIB, burst: 64 * MIB },
  gossipItemsRate: { perSecond: 20_000, burst: 40_000 },
  gossipSendBufferBytesMax: 32 * MIB,
  requestBytesMax: 256 * 1024,
  responseFrameBytesMax: 8 * MIB,
  servedBytesMax: 128 * MIB,
  servedMsMax: 60_000,
  idleMsMax: 10_000,
  requestRate: { perSecond: 200, burst: 400 },
  servedAtOncePerPeerAndProtocol: 8,
  servedAtOnce: 128,
  askedAtOncePerPeer: 32,
  connectionsMax: 256,
  livenessIntervalMs: 2_000,
  silenceMsMax: 15_000,
  readyMsMax: 15_000,
};
