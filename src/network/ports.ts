// The ports of the network: what every room above it may rely on, whether libp2p (host.ts) or the simulator's memory network
// (simulation/memory-network.ts) stands behind them. Nothing here names a library, so that validation before forwarding, limits
// and catch-up run unchanged in virtual time.
//
// Bytes that come from a peer are foreign: whoever receives them checks them. Bytes that are handed over belong to the receiver
// as readonly views; neither side may write to them afterwards.

/** A peer's name: the libp2p peer id as a string, any unique string in the simulator. */
export type PeerName = string;

/** A gossiped message as it arrives: `from` is the neighbour that handed it over, which need not be its author. */
export interface GossipMessage {
  readonly from: PeerName;
  readonly topic: string;
  readonly data: Uint8Array;
}

/**
 * What becomes of a gossiped message: `accept` passes it on to others, `ignore` keeps it here without blame, `reject` keeps it
 * here and counts against the peer that handed it over.
 */
export type ForwardDecision = 'accept' | 'ignore' | 'reject';

/** Judges one message; a handler that throws counts as `ignore`. */
export type GossipHandler = (message: GossipMessage) => Promise<ForwardDecision> | ForwardDecision;

/** Publish and subscribe by topic. Delivery is best effort and unordered; identical bytes on one topic count as duplicates for about twenty seconds. */
export interface PubSub {
  /**
   * Hands `data` to the peers that follow the topic; resolves to how many there were (0 is silence: nobody heard it), never
   * waits for delivery, and does not deliver to the own node. Throws `network/message-too-large` above the cap.
   */
  publish(topic: string, data: Uint8Array): Promise<{ readonly recipients: number }>;
  /** Follows a topic with one handler; a second call for the topic replaces the handler. Throws `network/too-many-topics` above the cap. */
  subscribe(topic: string, handler: GossipHandler): void;
  /** Stops following; unknown topics are fine. */
  unsubscribe(topic: string): void;
}

/** Bounds of one request; all of them are upheld by the asking side, whatever the other sends. */
export interface RequestOptions {
  /** From the call to the last response byte. */
  readonly timeoutMs: number;
  /** Sum of the decompressed response frames. */
  readonly responseBytesMax: number;
  readonly signal?: AbortSignal;
}

/** Answers one request with zero or more frames; throwing aborts the stream, so the asker sees `network/request-failed`. */
export type RequestHandler = (peer: PeerName, body: Uint8Array) => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Ask one peer, get frames back. */
export interface Request {
  /** The response frames in order; throws `network/request-failed` on refusal (`reset`), disconnect, timeout, abort or a broken bound. */
  request(peer: PeerName, protocol: string, body: Uint8Array, options: RequestOptions): Promise<Uint8Array[]>;
  /** Serves a protocol; a second call for the protocol replaces the handler. */
  handle(protocol: string, handler: RequestHandler): void;
}

/** Hears of a peer that comes, or goes. */
export type PeerListener = (peer: PeerName, connected: boolean) => void;

/** Who is connected, and our own count of misbehaviour. */
export interface Peers {
  /** Peers with which messages can be exchanged now, in a stable order (by name). */
  connected(): readonly PeerName[];
  /** Told once for each peer that comes or goes, until it is cancelled; `connected()` already says the same. */
  onChange(listener: PeerListener): () => void;
  /**
   * Keeps a peer connected from now on, at these multiaddresses (without the peer's id) beside those that are configured; instead of what was said of it
   * before. They are its own words: what cannot be dialled is passed over, and so is a peer that may not connect.
   */
  reachableAt(peer: PeerName, addresses: readonly string[]): void;
  /**
   * Counts an offence that no honest peer commits. Weights add up and decay (peer-score.ts); at the threshold the peer's
   * connections are closed and it is refused for a while. `reason` is a stable kebab-case label.
   */
  misbehaved(peer: PeerName, reason: string, weight: number): void;
}

/** Counters since the start and sizes now, for metrics. Keys of the records are stable labels from bounded sets. */
export interface NetworkStats {
  readonly peersConnected: number;
  /** Who hears of peers that come and go: bounded by what runs now. */
  readonly peerListeners: number;
  /** Peers that are refused for now because of their misbehaviour. */
  readonly peersRefused: number;
  /** Application bytes before framing and encryption: gossip data and request and response frames. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly gossipMessagesIn: number;
  readonly gossipMessagesOut: number;
  readonly requestsIn: number;
  readonly requestsOut: number;
  /** Gossip messages that wait for a handler's answer, all peers together. */
  readonly gossipAwaiting: number;
  /** Bytes that wait to be sent, all peers together. */
  readonly sendQueueBytes: number;
  /** Streams open now, by protocol. */
  readonly streamsOpen: Readonly<Record<string, number>>;
  /** Inbound frames and messages not taken, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Offences counted by `misbehaved`, by reason. */
  readonly misbehaviour: Readonly<Record<string, number>>;
  /** Connections that we closed because a peer's gossip was dead or the peer was banned, by reason. */
  readonly closed: Readonly<Record<string, number>>;
  readonly dials: number;
  readonly dialsFailed: number;
}

/** One node's network. */
export interface Network {
  readonly self: PeerName;
  readonly pubSub: PubSub;
  readonly request: Request;
  readonly peers: Peers;
  stats(): NetworkStats;
  /** Closes every stream, connection and socket; what is called afterwards throws `network/closed` or does nothing. */
  close(): Promise<void>;
}
