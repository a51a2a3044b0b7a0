// A validator that lies: an honest node whose words are changed on the way out, and an ear at everybody else's door.
import { blockHashOf } from '../../src/core/protocol/block.ts';
import type { Proposal } from '../../src/core/protocol/vote.ts';
import { packMessages } from '../../src/network/coalesce.ts';
import type { Network } from '../../src/network/ports.ts';
import { type ConsensusMessage, encodeConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { messagesOf } from '../../src/simulation/messages.ts';
import { speaking } from '../../src/simulation/speaking.ts';

/** What a lie makes of one message: nothing, itself, or several others. */
export type Lie = (message: ConsensusMessage) => readonly ConsensusMessage[];

/** The network of a node whose consensus messages are changed before they leave. */
export function lying(own: Network, lie: Lie): Network {
  return speaking(own, (topic, data) => {
    if (!topic.includes('consensus')) return own.pubSub.publish(topic, data);
    const messages = messagesOf(data);
    if (messages === undefined) throw new Error('a frame of our own cannot be read');
    return own.pubSub.publish(topic, packMessages(messages.flatMap(lie).map(encodeConsensusMessage)));
  });
}

/** A proposal with its header changed and signed again. */
export function signedAgain(proposal: Proposal, sign: (hash: Uint8Array) => Uint8Array): Proposal {
  return { ...proposal, signature: sign(blockHashOf(proposal.header)) };
}
