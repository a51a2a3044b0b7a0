// Words of a dishonest validator: what its node wants to say on the consensus topic, message by message, and frames of other messages.

import { packMessages } from '../../network/coalesce.ts';
import type { Network } from '../../network/ports.ts';
import { type ConsensusMessage, encodeConsensusMessage } from '../../runtime/consensus-codec.ts';
import { speaking } from '../speaking.ts';

/** What `publish` gives for something that nobody was told, or only some in secret. */
export const NOBODY = { recipients: 0 };

/** How a validator says a frame on the consensus topic. */
export type Say = Network['pubSub']['publish'];

/** The same network, but for what is said on the consensus topic. */
export function sayingOnConsensus(own: Network, say: Say): Network {
  return speaking(own, (topic, data) => (topic.includes('/consensus/') ? say(topic, data) : own.pubSub.publish(topic, data)));
}

/** A frame of messages. */
export function frameOf(messages: readonly ConsensusMessage[]): Uint8Array {
  return packMessages(messages.map(encodeConsensusMessage));
}
