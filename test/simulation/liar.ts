// A validator that lies: an honest node whose words are changed on the way out, and an ear at everybody else's door.
import { blockHashOf } from '../../src/core/protocol/block.ts';
import type { Proposal } from '../../src/core/protocol/vote.ts';
import { packMessages, unpackMessages } from '../../src/network/coalesce.ts';
import type { Network } from '../../src/network/ports.ts';
import { type ConsensusMessage, decodeConsensusMessage, encodeConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { FRAME_MESSAGES_MAX } from '../../src/runtime/gossip-outbox.ts';

/** What a lie makes of one message: nothing, itself, or several others. */
export type Lie = (message: ConsensusMessage) => readonly ConsensusMessage[];

/** The network of a node whose consensus messages are changed before they leave. */
export function lying(own: Network, lie: Lie): Network {
  return {
    self: own.self,
    request: own.request,
    peers: own.peers,
    stats: () => own.stats(),
    close: () => own.close(),
    pubSub: {
      subscribe: (topic, handler) => own.pubSub.subscribe(topic, handler),
      unsubscribe: (topic) => own.pubSub.unsubscribe(topic),
      publish: (topic, data) => {
        const lies = topic.includes('consensus') ? messagesOf(data).flatMap(lie) : undefined;
        return own.pubSub.publish(topic, lies === undefined ? data : packMessages(lies.map(encodeConsensusMessage)));
      },
    },
  };
}

/** The messages of a frame of ours. */
export function messagesOf(data: Uint8Array): readonly ConsensusMessage[] {
  const packed = unpackMessages(data, FRAME_MESSAGES_MAX);
  if (!packed.ok) throw new Error(packed.reason);
  return packed.value.map((message) => {
    const decoded = decodeConsensusMessage(message);
    if (!decoded.ok) throw new Error(decoded.reason);
    return decoded.value;
  });
}

/** A proposal with its header changed and signed again. */
export function signedAgain(proposal: Proposal, sign: (hash: Uint8Array) => Uint8Array): Proposal {
  return { ...proposal, signature: sign(blockHashOf(proposal.header)) };
}
