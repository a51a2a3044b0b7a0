// Names of messages (protocol, section 10.3): SHA-256(id of the emitting item ‖ uint32 index of emission, big-endian). No shard, block,
// height or layout is in it, so a message keeps its name whatever the layout does, and a forward keeps the id of what it forwards.
import { sha256 } from '../crypto/sha256.ts';
import type { Bytes32 } from '../primitives/ids.ts';

const preimage = new Uint8Array(36);

/** The id of the message that the item `emitterId` emits as its `index`-th. */
export function messageIdOf(emitterId: Bytes32, index: number): Bytes32 {
  preimage.set(emitterId, 0);
  preimage[32] = index >>> 24;
  preimage[33] = index >>> 16;
  preimage[34] = index >>> 8;
  preimage[35] = index;
  return sha256(preimage);
}
