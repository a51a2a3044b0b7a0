// Validators that are not honest: the real code, with a strategy between it and its network, or a second node with the same keys. What such a
// validator does is never checked; what honest ones do although it is there is.
//
// A twin needs no lies at all (Bano et al., "Twins: BFT Systems Made Robust", 2020): two honest nodes with one key, each with a signing
// record of its own, contradict each other by themselves as soon as they hear different things.
import { blockHashOf } from '../core/protocol/block.ts';
import type { Proposal } from '../core/protocol/vote.ts';
import { packMessages, unpackMessages } from '../network/coalesce.ts';
import type { Network, PeerName } from '../network/ports.ts';
import { type ConsensusMessage, decodeConsensusMessage, encodeConsensusMessage } from '../runtime/consensus-codec.ts';
import { FRAME_MESSAGES_MAX } from '../runtime/gossip-outbox.ts';
import type { Signer } from '../runtime/signer.ts';
import type { SeededRandom } from './random.ts';
import { speaking } from './speaking.ts';

/** What a dishonest validator does. */
export const STRATEGIES = [
  /** Runs two nodes with one key. */
  'twin',
  /** Proposes two blocks, and votes for both: one half hears of one, the other of the other. */
  'two-faced',
  /** Hears everything and says nothing. */
  'silent',
  /** Tells each thing to some only. */
  'selective',
  /** Says old things again, to anyone. */
  'replaying',
  /** Sends bytes that mean nothing beside what it has to say, and damaged copies of it. */
  'babbling',
] as const;

export type Strategy = (typeof STRATEGIES)[number];

/** What a strategy works with. */
export interface StrategyTools {
  readonly random: SeededRandom;
  /** Tells one peer only. */
  readonly whisper: (to: PeerName, topic: string, data: Uint8Array) => void;
  /** The validator's own signatures; undefined before its node is made. */
  readonly signer: () => Signer | undefined;
}

const OLD_FRAMES_MAX = 200;
const BABBLE_BYTES_MAX = 400;

/** The network of a node whose validator follows a strategy. Twins have an honest network each. */
export function dishonest(strategy: Strategy, own: Network, tools: StrategyTools): Network {
  const told = speak(strategy, own, tools);
  return speaking(own, (topic, data) => (topic.includes('/consensus/') ? told(topic, data) : own.pubSub.publish(topic, data)));
}

type Publish = Network['pubSub']['publish'];

const NOBODY = { recipients: 0 };

function speak(strategy: Strategy, own: Network, { random, whisper, signer }: StrategyTools): Publish {
  const publish: Publish = (topic, data) => own.pubSub.publish(topic, data);
  const old: Uint8Array[] = [];
  switch (strategy) {
    case 'twin':
      return publish;
    case 'silent':
      return async () => NOBODY;
    case 'selective':
      return async (topic, data) => {
        for (const peer of own.peers.connected()) if (random.chance(0.5)) whisper(peer, topic, data);
        return NOBODY;
      };
    case 'replaying':
      return (topic, data) => {
        if (old.length > 0) for (const peer of own.peers.connected()) if (random.chance(0.3)) whisper(peer, topic, random.pick(old));
        old.push(data);
        if (old.length > OLD_FRAMES_MAX) old.shift();
        return publish(topic, data);
      };
    case 'babbling':
      return (topic, data) => {
        for (const peer of own.peers.connected()) {
          if (random.chance(0.1)) whisper(peer, topic, noise(random));
          if (random.chance(0.1)) whisper(peer, topic, damaged(random, data));
        }
        return publish(topic, data);
      };
    case 'two-faced':
      return async (topic, data) => {
        const other = otherFace(data, signer());
        for (const [place, peer] of own.peers.connected().entries()) whisper(peer, topic, place % 2 === 0 ? data : other);
        return NOBODY;
      };
  }
}

// The same frame with another block in each proposal, and with votes for both of what it voted for.
function otherFace(data: Uint8Array, signer: Signer | undefined): Uint8Array {
  if (signer === undefined) return data;
  return packMessages(messagesOf(data).map((message) => encodeConsensusMessage(otherOf(message, signer))));
}

function otherOf(message: ConsensusMessage, signer: Signer): ConsensusMessage {
  switch (message.kind) {
    case 'proposal':
      return { kind: 'proposal', proposal: otherBlock(message.proposal, signer) };
    case 'vote':
    case 'commit-vote': {
      // For a block that nobody knows, in the round of its own: a quorum must not come of it.
      const { point } = message.vote;
      const other = { ...point, blockHash: point.blockHash.with(0, (point.blockHash[0] as number) ^ 1) };
      const signature = message.kind === 'vote' ? signer.signVote(other) : signer.signCommitVote(other);
      return { kind: message.kind, vote: { ...message.vote, point: other, signature } };
    }
    case 'timeout':
    case 'certificates':
      return message;
  }
}

function otherBlock(proposal: Proposal, signer: Signer): Proposal {
  const header = { ...proposal.header, timestampMs: proposal.header.timestampMs + 1 };
  return { header, body: proposal.body, signature: signer.signProposal(blockHashOf(header)) };
}

function messagesOf(data: Uint8Array): readonly ConsensusMessage[] {
  const packed = unpackMessages(data, FRAME_MESSAGES_MAX);
  if (!packed.ok) return [];
  return packed.value.flatMap((message) => {
    const decoded = decodeConsensusMessage(message);
    return decoded.ok ? [decoded.value] : [];
  });
}

function noise(random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length: random.integer(1, BABBLE_BYTES_MAX) }, () => random.integer(0, 256));
}

function damaged(random: SeededRandom, data: Uint8Array): Uint8Array {
  const place = random.integer(0, data.length);
  return random.chance(0.5) ? data.with(place, (data[place] as number) ^ (1 << random.integer(0, 8))) : data.slice(0, place);
}
