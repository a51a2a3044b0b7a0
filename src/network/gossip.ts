// Publish and subscribe over gossipsub. Above this file messages are bytes with a handler's judgement; below it they carry one
// compression byte (frame-codec.ts) and are identified by the hash of topic and data as they travel.
//
// gossipsub fails silently in many ways; the settings here are those that were measured to deliver, and why is said beside each.
import { createHash } from 'node:crypto';
import { type GossipSub, type GossipsubOpts, StrictNoSign, TopicValidatorResult } from '@libp2p/gossipsub';
import { CoppiceError, invariant } from '../core/primitives/errors.ts';
import type { LabelledCounters } from './counters.ts';
import { pack, unpack } from './frame-codec.ts';
import { frameBytesMax } from './gossip-guard.ts';
import type { NetworkLimits } from './limits.ts';
import type { ForwardDecision, GossipHandler, PeerName, PubSub } from './ports.ts';

const MESSAGE_ID_BYTES = 20;
/** Identical bytes count as a duplicate for this long: well above any detour, short enough to bound what a flood makes us remember. */
const SEEN_MS = 20_000;
/** Votes are small and arrive once; telling others "I have it" pays for blocks only. */
const ANNOUNCE_FROM_BYTES = 16_384;
/** What one peer's subscriptions may occupy: about 500 topics. */
const TOPIC_BYTES_MAX_PER_PEER = 512 * 1024;
/** Misbehaviour: a handler rejected the message, or it is none that an honest node's publish lets through. */
const REJECTED_WEIGHT = 10;

const VALIDATOR_RESULT: Readonly<Record<ForwardDecision, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
};

/** What the gossip port tells the network around it. */
export interface GossipListener {
  readonly refused: LabelledCounters;
  misbehaved(peer: PeerName, reason: string, weight: number): void;
}

interface Awaiting {
  messages: number;
  bytes: number;
}

/** The settings of gossipsub. `isFollowed` says whether this node follows a topic: messages on others go no further. */
export function gossipsubOptions(
  limits: NetworkLimits,
  allowedTopics: readonly string[] | undefined,
  isFollowed: (topic: string) => boolean,
  refused: LabelledCounters,
): Partial<GossipsubOpts> {
  return {
    globalSignaturePolicy: StrictNoSign, // Authors sign their messages themselves.
    msgIdFn: (message) => messageId(message.topic, message.data),
    msgIdToStrFn: (id) => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1'),
    emitSelf: false,
    doPX: false,
    fallbackToFloodsub: false,
    floodPublish: true, // A full mesh within a committee: one hop to everybody.
    batchPublish: true, // Encoded once for all recipients.
    allowPublishToZeroTopicPeers: true, // The caller looks at `recipients` instead.
    ignoreDuplicatePublishError: true,
    ...(allowedTopics === undefined ? {} : { allowedTopics: [...allowedTopics] }),
    D: 3,
    Dlo: 2,
    Dhi: 4,
    Dscore: 1,
    Dout: 1,
    heartbeatInterval: 700,
    pruneBackoff: 5_000,
    unsubcribeBackoff: 5_000,
    seenTTL: SEEN_MS,
    idontwantMinDataSize: ANNOUNCE_FROM_BYTES,
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    maxInboundDataLength: frameBytesMax(limits),
    maxOutboundBufferSize: limits.gossipSendBufferBytesMax,
    maxTopicBytesPerPeer: TOPIC_BYTES_MAX_PER_PEER,
    // gossipsub's own scores are off: seventeen nodes on one address ban each other, and a stalled loop counts as bad behaviour.
    scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0 },
    dataTransform: {
      outboundTransform: (_topic, data) => data,
      inboundTransform: (topic, data) => {
        if (isFollowed(topic)) return data;
        refused.add('topic-not-followed');
        throw new Error('topic not followed'); // gossipsub's way to say: neither keep nor forward.
      },
    },
  };
}

/** The `PubSub` port on gossipsub. */
export class GossipPort implements PubSub {
  readonly #handlers: Map<string, GossipHandler>;
  readonly #awaiting = new Map<PeerName, Awaiting>();
  readonly #gossipsub: GossipSub;
  readonly #limits: NetworkLimits;
  readonly #allowedTopics: ReadonlySet<string> | undefined;
  readonly #listener: GossipListener;
  readonly #deliveryRecords: { clear(): void };
  #awaitingBytes = 0;
  #closed = false;
  messagesIn = 0;
  messagesOut = 0;
  bytesOut = 0;

  /** `handlers` is the map that `isFollowed` of `gossipsubOptions` reads. */
  constructor(
    gossipsub: GossipSub,
    handlers: Map<string, GossipHandler>,
    limits: NetworkLimits,
    allowedTopics: readonly string[] | undefined,
    listener: GossipListener,
  ) {
    this.#gossipsub = gossipsub;
    this.#deliveryRecords = deliveryRecordsOf(gossipsub);
    this.#handlers = handlers;
    this.#limits = limits;
    this.#allowedTopics = allowedTopics === undefined ? undefined : new Set(allowedTopics);
    this.#listener = listener;
  }

  /** Messages that wait for a handler's answer. */
  get awaiting(): number {
    let messages = 0;
    for (const peer of this.#awaiting.values()) messages += peer.messages;
    return messages;
  }

  async publish(topic: string, data: Uint8Array): Promise<{ readonly recipients: number }> {
    if (this.#closed) throw new CoppiceError('network/closed', { operation: 'publish' });
    const bytesMax = this.#limits.messageBytesMax;
    if (data.length > bytesMax) throw new CoppiceError('network/message-too-large', { topic, bytes: data.length, bytesMax });
    const packed = pack(data);
    const { recipients } = await this.#gossipsub.publish(topic, packed);
    this.messagesOut += recipients.length;
    this.bytesOut += recipients.length * packed.length;
    return { recipients: recipients.length };
  }

  subscribe(topic: string, handler: GossipHandler): void {
    if (this.#closed) throw new CoppiceError('network/closed', { operation: 'subscribe' });
    if (this.#allowedTopics?.has(topic) === false) throw new CoppiceError('network/topic-not-allowed', { topic });
    const isNew = !this.#handlers.has(topic);
    if (isNew && this.#handlers.size >= this.#limits.topicsMax) {
      throw new CoppiceError('network/too-many-topics', { topic, topicsMax: this.#limits.topicsMax });
    }
    this.#handlers.set(topic, handler);
    if (!isNew) return;
    this.#gossipsub.topicValidators.set(topic, (peer, message) => this.#judge(peer.toString(), topic, message.data));
    this.#gossipsub.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    if (!this.#handlers.delete(topic) || this.#closed) return;
    this.#gossipsub.unsubscribe(topic);
    this.#gossipsub.topicValidators.delete(topic);
  }

  /** Drops what gossipsub keeps for nothing; to be called every second or so. */
  tidy(): void {
    this.#deliveryRecords.clear();
  }

  /** From now on nothing is handed over. */
  close(): void {
    this.#closed = true;
    this.#handlers.clear();
  }

  async #judge(from: PeerName, topic: string, packed: Uint8Array): Promise<TopicValidatorResult> {
    const handler = this.#handlers.get(topic);
    if (handler === undefined || this.#closed) return TopicValidatorResult.Ignore;
    this.messagesIn++;
    const unpacked = unpack(packed, this.#limits.messageBytesMax);
    if (!unpacked.ok) {
      this.#listener.refused.add(`message-${unpacked.reason}`);
      this.#listener.misbehaved(from, `message-${unpacked.reason}`, REJECTED_WEIGHT);
      return TopicValidatorResult.Reject;
    }
    const data = unpacked.value;
    if (!this.#admit(from, data.length)) {
      this.#listener.refused.add('too-many-awaiting');
      return TopicValidatorResult.Ignore;
    }
    try {
      const decision = await handler({ from, topic, data });
      if (decision === 'reject') {
        this.#listener.refused.add('rejected');
        this.#listener.misbehaved(from, 'message-rejected', REJECTED_WEIGHT);
      }
      return VALIDATOR_RESULT[decision];
    } catch {
      this.#listener.refused.add('handler-failed');
      return TopicValidatorResult.Ignore;
    } finally {
      this.#release(from, data.length);
    }
  }

  #admit(from: PeerName, bytes: number): boolean {
    const awaiting = this.#awaiting.get(from) ?? { messages: 0, bytes: 0 };
    const { awaitingMaxPerPeer, awaitingBytesMaxPerPeer, awaitingBytesMax } = this.#limits;
    const fits = awaiting.bytes + bytes <= awaitingBytesMaxPerPeer && this.#awaitingBytes + bytes <= awaitingBytesMax;
    if (awaiting.messages >= awaitingMaxPerPeer || !fits) return false;
    awaiting.messages++;
    awaiting.bytes += bytes;
    this.#awaitingBytes += bytes;
    this.#awaiting.set(from, awaiting);
    return true;
  }

  #release(from: PeerName, bytes: number): void {
    const awaiting = this.#awaiting.get(from);
    if (awaiting === undefined) return;
    awaiting.messages--;
    awaiting.bytes -= bytes;
    this.#awaitingBytes -= bytes;
    if (awaiting.messages === 0) this.#awaiting.delete(from);
  }
}

/**
 * gossipsub keeps a record of every message for two minutes, to score peers by it. Scores are off, and a flood would make the
 * records hundreds of MiB. There is no setting for it: this reaches inside, and finds out here if another version looks different.
 */
function deliveryRecordsOf(gossipsub: GossipSub): { clear(): void } {
  const { score } = gossipsub as unknown as { score?: { deliveryRecords?: { clear?: () => void } } };
  const records = score?.deliveryRecords;
  invariant(typeof records?.clear === 'function', 'gossipsub keeps its delivery records where it did when this was written');
  return records as { clear(): void };
}

/** The first 20 bytes of SHA-256(topic ‖ data), data as it travels. */
function messageId(topic: string, data: Uint8Array): Uint8Array {
  return createHash('sha256').update(topic).update(data).digest().subarray(0, MESSAGE_ID_BYTES);
}
