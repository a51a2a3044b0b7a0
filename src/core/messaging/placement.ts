// Where a message goes (protocol, sections 4 and 5): to the place of its target family, the family's first bits in the state tree. Layouts
// decide which shard that is; a message's placement never changes on its way, but for a forward, which is sent anew.
import { keccak256 } from '../crypto/keccak.ts';
import type { Address } from '../primitives/ids.ts';
import type { Message } from '../protocol/message.ts';
import type { Placement } from '../protocol/shard-id.ts';

/** The first 16 bits of the state keys of a family (state/key.ts). */
export function placementOfFamily(family: Address): Placement {
  const hash = keccak256(family);
  return ((hash[0] as number) << 8) | (hash[1] as number);
}

/** Of the family in which the message executes. */
export function placementOf(message: Message): Placement {
  return placementOfFamily(message.targetFamily);
}
