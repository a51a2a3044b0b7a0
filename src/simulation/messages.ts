// What a consensus frame says. Several look at the same frame, on its way out and where it arrives, and it is read once.
import { unpackMessages } from '../network/coalesce.ts';
import { type ConsensusMessage, decodeConsensusMessage } from '../runtime/consensus-codec.ts';
import { FRAME_MESSAGES_MAX } from '../runtime/gossip-outbox.ts';

interface Frame {
  readonly readable: readonly ConsensusMessage[];
  /** Everything in it can be read. */
  readonly isWhole: boolean;
}

const frames = new WeakMap<Uint8Array, Frame>();

/** The messages of a frame; undefined when it, or any of them, cannot be read. Frames are not changed once they are made. */
export function messagesOf(data: Uint8Array): readonly ConsensusMessage[] | undefined {
  const { readable, isWhole } = frameOf(data);
  return isWhole ? readable : undefined;
}

/** The messages of a frame that can be read. */
export function readableOf(data: Uint8Array): readonly ConsensusMessage[] {
  return frameOf(data).readable;
}

function frameOf(data: Uint8Array): Frame {
  const known = frames.get(data);
  if (known !== undefined) return known;
  const packed = unpackMessages(data, FRAME_MESSAGES_MAX);
  const decoded = packed.ok ? packed.value.map(decodeConsensusMessage) : [];
  const readable = decoded.flatMap((message) => (message.ok ? [message.value] : []));
  const frame = { readable, isWhole: packed.ok && readable.length === decoded.length };
  frames.set(data, frame);
  return frame;
}
