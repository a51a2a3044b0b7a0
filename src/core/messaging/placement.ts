// Where a message goes (protocol, sections 4 and 5): to the place of its target family, the family's first bits in the state tree. Layouts
// decide which shard that is; a message's placement never changes on its way, but for a forward, which is sent anew.
import { keccak256 } from '../crypto/keccak.ts';
import type { Address } from '../primitives/ids.ts';
import type { Message } from '../protocol/message.ts';
import type { Placement } from '../protocol/shard-id.ts';

const ADDRESS_BYTES = 20;
/** Families whose placement is remembered, by their last bits: a power of two. Every layer asks for those of the same few, and asking hashes. */
const REMEMBERED = 4_096;
const families = new Uint8Array(REMEMBERED * ADDRESS_BYTES);
const placements = new Int32Array(REMEMBERED).fill(-1);

/** The first 16 bits of the state keys of a family (state/key.ts). */
export function placementOfFamily(family: Address): Placement {
  if (family.length !== ADDRESS_BYTES) return computePlacement(family);
  const slot = ((family[ADDRESS_BYTES - 1] as number) | ((family[ADDRESS_BYTES - 2] as number) << 8)) & (REMEMBERED - 1);
  const known = placements[slot] as number;
  if (known >= 0 && isIn(slot, family)) return known;
  const placement = computePlacement(family);
  families.set(family, slot * ADDRESS_BYTES);
  placements[slot] = placement;
  return placement;
}

function isIn(slot: number, family: Address): boolean {
  const start = slot * ADDRESS_BYTES;
  for (let index = 0; index < ADDRESS_BYTES; index++) if (families[start + index] !== family[index]) return false;
  return true;
}

function computePlacement(family: Address): Placement {
  const hash = keccak256(family);
  return ((hash[0] as number) << 8) | (hash[1] as number);
}

/** Of the family in which the message executes. */
export function placementOf(message: Message): Placement {
  return placementOfFamily(message.targetFamily);
}
