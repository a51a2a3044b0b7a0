// What a consensus frame says. Several look at the same frame on its way out, and it is read once.
import { unpackMessages } from '../network/coalesce.ts';
import { type ConsensusMessage, decodeConsensusMessage } from '../runtime/consensus-codec.ts';
import { FRAME_MESSAGES_MAX } from '../runtime/gossip-outbox.ts';

const read = new WeakMap<Uint8Array, readonly ConsensusMessage[]>();

/** The messages of a frame; undefined when it, or any of them, cannot be read. Frames are not changed once they are made. */
export function messagesOf(data: Uint8Array): readonly ConsensusMessage[] | undefined {
  const known = read.get(data);
  if (known !== undefined) return known;
  const packed = unpackMessages(data, FRAME_MESSAGES_MAX);
  if (!packed.ok) return undefined;
  const messages: ConsensusMessage[] = [];
  for (const message of packed.value) {
    const decoded = decodeConsensusMessage(message);
    if (!decoded.ok) return undefined;
    messages.push(decoded.value);
  }
  read.set(data, messages);
  return messages;
}
