// Hands each consensus message, and each piece of evidence, to the instance that it names. A node runs several chains, and at the turn of an epoch two instances of one
// chain, which share its topic: the old one still answers those who are behind while the new one begins (protocol, section 6).
//
// Nobody is blamed for speaking of an instance that is not known here: it may be over, or begin with a beacon block that has not arrived.
// Such messages are counted and go no further; what a peer can send of them is bounded by the limits of gossip.
import { bytesToHex } from '../core/primitives/bytes.ts';
import type { Bytes32, Hex } from '../core/primitives/ids.ts';
import type { Instance } from '../core/protocol/committee.ts';
import { unpackMessages } from '../network/coalesce.ts';
import type { ForwardDecision, GossipMessage, Network, PeerName } from '../network/ports.ts';
import { protocolName, topicName } from '../network/topics.ts';
import { type ConsensusMessage, decodeConsensusMessage, instanceIdOf } from './consensus-codec.ts';
import { FRAME_MESSAGES_MAX } from './gossip-outbox.ts';
import type { Metrics } from './ports.ts';

/** Newest certificates, handed to one peer that is behind. */
export const CERTIFICATES_PROTOCOL: string = protocolName('certificates');

/** Weight of a message that no honest peer hands over. */
const BAD_MESSAGE_WEIGHT = 20;

/** What became of one message; `unverified`: of no use here, so that nobody looked whether it is good. */
export type MessageOutcome = 'useful' | 'useless' | 'unverified' | 'bad';

/** One instance, as messages reach it. Whoever says `bad` has blamed the peer. */
export interface InstanceListener {
  /** A message of this instance, as its sender says. */
  receive(message: ConsensusMessage, from: PeerName): Promise<MessageOutcome>;
  /** Whether a message that was of no use here is good: before it is handed on beside others. */
  vouch(message: ConsensusMessage, from: PeerName): Promise<MessageOutcome>;
}

/** Where evidence of one instance goes; `ignore` says that it is of another, or no news. */
export type EvidenceListener = (message: GossipMessage) => Promise<ForwardDecision>;

/** What the switch needs of its node. */
export interface InstanceSwitchDependencies {
  readonly network: Network;
  readonly metrics: Metrics;
  /** A peer has spoken in an instance that is not run here. */
  readonly onUnknownInstance: (instanceId: Bytes32, from: PeerName) => void;
  readonly onFault: (fault: unknown) => void;
}

interface Attached {
  /** Of consensus. */
  readonly topic: string;
  readonly evidenceTopic: string;
  readonly listener: InstanceListener;
  readonly onEvidence: EvidenceListener;
}

interface Heard {
  readonly message: ConsensusMessage;
  readonly outcome: MessageOutcome;
  readonly listener: InstanceListener | undefined;
}

/** See the file's head. */
export class InstanceSwitch {
  readonly #dependencies: InstanceSwitchDependencies;
  readonly #attached = new Map<Hex, Attached>();

  constructor(dependencies: InstanceSwitchDependencies) {
    this.#dependencies = dependencies;
    dependencies.network.request.handle(CERTIFICATES_PROTOCOL, (peer, body) => {
      this.#receiveAnswer(body, peer).catch(dependencies.onFault);
      return [];
    });
  }

  /** What is said of the instance goes to these from now on. */
  attach({ instanceId, genesisRoot, chain }: Instance, listener: InstanceListener, onEvidence: EvidenceListener): void {
    const topic = topicName(genesisRoot, chain, 'consensus');
    const evidenceTopic = topicName(genesisRoot, chain, 'evidence');
    const isFollowed = this.#isFollowed(topic);
    this.#attached.set(bytesToHex(instanceId), { topic, evidenceTopic, listener, onEvidence });
    if (isFollowed) return;
    const { pubSub } = this.#dependencies.network;
    pubSub.subscribe(topic, ({ data, from }) => this.#receiveFrame(topic, data, from));
    pubSub.subscribe(evidenceTopic, (message) => this.#receiveEvidence(evidenceTopic, message));
  }

  /** The instance hears nothing any more. */
  detach(instanceId: Bytes32): void {
    const name = bytesToHex(instanceId);
    const attached = this.#attached.get(name);
    if (attached === undefined) return;
    this.#attached.delete(name);
    if (this.#isFollowed(attached.topic)) return;
    const { pubSub } = this.#dependencies.network;
    pubSub.unsubscribe(attached.topic);
    pubSub.unsubscribe(attached.evidenceTopic);
  }

  #isFollowed(topic: string): boolean {
    return [...this.#attached.values()].some((attached) => attached.topic === topic);
  }

  // Whoever it is of takes it; what nobody can read is refused by the first.
  async #receiveEvidence(topic: string, message: GossipMessage): Promise<ForwardDecision> {
    for (const { evidenceTopic, onEvidence } of [...this.#attached.values()]) {
      if (evidenceTopic !== topic) continue;
      const decision = await onEvidence(message);
      if (decision !== 'ignore') return decision;
    }
    return 'ignore';
  }

  async #receiveFrame(topic: string, data: Uint8Array, from: PeerName): Promise<ForwardDecision> {
    const messages = unpackMessages(data, FRAME_MESSAGES_MAX);
    if (!messages.ok) return this.#refuse(from, 'frame', messages.reason);
    const decoded: ConsensusMessage[] = [];
    for (const bytes of messages.value) {
      const message = decodeConsensusMessage(bytes);
      if (!message.ok) return this.#refuse(from, 'message', message.reason);
      decoded.push(message.value);
    }
    const heard = await Promise.all(decoded.map((message) => this.#hand(message, from, topic)));
    if (heard.some(({ outcome }) => outcome === 'bad')) return 'reject';
    if (!heard.some(({ outcome }) => outcome === 'useful')) return 'ignore';
    return this.#answerFor(heard, from);
  }

  // A frame goes on whole, and whoever gets it blames us for any forgery in it: what is useless here may be of use there.
  async #answerFor(heard: readonly Heard[], from: PeerName): Promise<ForwardDecision> {
    for (const { message, outcome, listener } of heard) {
      if (outcome !== 'unverified') continue;
      if (listener === undefined) return 'ignore';
      const judged = await listener.vouch(message, from);
      if (judged !== 'useful') return judged === 'bad' ? 'reject' : 'ignore';
    }
    return 'accept';
  }

  async #receiveAnswer(data: Uint8Array, from: PeerName): Promise<void> {
    const decoded = decodeConsensusMessage(data);
    if (!decoded.ok) this.#refuse(from, 'answer', decoded.reason);
    else if (decoded.value.kind !== 'certificates') this.#refuse(from, 'answer', 'not-certificates');
    else await this.#hand(decoded.value, from, undefined);
  }

  // On the topic of its own chain only: elsewhere no honest peer says it.
  async #hand(message: ConsensusMessage, from: PeerName, topic: string | undefined): Promise<Heard> {
    const { metrics, onUnknownInstance } = this.#dependencies;
    const instanceId = instanceIdOf(message);
    const attached = this.#attached.get(bytesToHex(instanceId));
    if (attached === undefined) {
      onUnknownInstance(instanceId, from);
      metrics.count('coppice_gossip_refused_total', { kind: message.kind, reason: 'unknown-instance' });
      return { message, outcome: 'unverified', listener: undefined };
    }
    const { listener } = attached;
    if (topic !== undefined && attached.topic !== topic) {
      this.#refuse(from, message.kind, 'wrong-topic');
      return { message, outcome: 'bad', listener };
    }
    return { message, outcome: await listener.receive(message, from), listener };
  }

  #refuse(from: PeerName, kind: string, reason: string): 'reject' {
    const { network, metrics } = this.#dependencies;
    metrics.count('coppice_gossip_refused_total', { kind, reason });
    network.peers.misbehaved(from, reason, BAD_MESSAGE_WEIGHT);
    return 'reject';
  }
}
