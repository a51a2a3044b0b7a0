// Where a message goes (protocol, sections 4 and 5): to the place of its target family, the family's first bits in the state tree. Layouts
// decide which shard that is; a message's placement never changes on its way, but for a forward, which is sent anew.
import { type Address, type ChainId, ROOT_SHARD } from '../primitives/ids.ts';
import type { Message } from '../protocol/message.ts';
import { isUnder, type Placement } from '../protocol/shard-id.ts';
import { accountKey } from '../state/key.ts';

/** The first 16 bits of the state keys of a family. Every transaction is placed many times on its way: its account's key is remembered. */
export function placementOfFamily(family: Address): Placement {
  const { bytes } = accountKey(family, family);
  return ((bytes[0] as number) << 8) | (bytes[1] as number);
}

/** True where the family's place is in the shard. The whole state has every family, wherever its place is: blocks ask this some ten times a transaction. */
export function isFamilyUnder(family: Address, shard: ChainId): boolean {
  return shard === ROOT_SHARD || isUnder(placementOfFamily(family), shard);
}

/** Of the family in which the message executes. */
export function placementOf(message: Message): Placement {
  return placementOfFamily(message.targetFamily);
}
