// Where a message goes (protocol, sections 4 and 5): to the place of its target family, the family's first bits in the state tree. Layouts
// decide which shard that is; a message's placement never changes on its way, but for a forward, which is sent anew.
import type { Address } from '../primitives/ids.ts';
import type { Message } from '../protocol/message.ts';
import type { Placement } from '../protocol/shard-id.ts';
import { accountKey } from '../state/key.ts';

/** The first 16 bits of the state keys of a family. Every transaction is placed many times on its way: its account's key is remembered. */
export function placementOfFamily(family: Address): Placement {
  const { bytes } = accountKey(family, family);
  return ((bytes[0] as number) << 8) | (bytes[1] as number);
}

/** Of the family in which the message executes. */
export function placementOf(message: Message): Placement {
  return placementOfFamily(message.targetFamily);
}
