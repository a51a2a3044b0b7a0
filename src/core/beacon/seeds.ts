// What epochs draw by (protocol, section 6). The seed of epoch e + 1 is the beacon's own seed after the last but one block of epoch e: nobody can
// choose it, whoever makes that block can only withhold it. With it the committees of e + 2 are drawn, and the instances that start in e + 1
// draw their leaders, so these are not known an epoch ahead. Genesis gives the seed of epoch 0, by which the committees of epochs 0 and 1 are drawn.
//
// Numbers are hashed as uint64 in big-endian order, as the leader draw does.
import { sha256 } from '../crypto/sha256.ts';
import { uint64ToBytes } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, ChainId, Epoch } from '../primitives/ids.ts';
import type { BeaconState } from './state.ts';

/** The seed of an epoch that has begun, or whose predecessor's transition has run. */
export function seedOfEpoch({ seeds }: Pick<BeaconState, 'seeds'>, epoch: Epoch): Bytes32 {
  const found = seeds.find((entry) => entry.epoch === epoch);
  invariant(found !== undefined, `the seed of epoch ${epoch} is known`);
  return found.seed;
}

/** The seed of a shard's start record. */
export function recordSeedOf(epochSeed: Bytes32, shard: ChainId, epoch: Epoch): Bytes32 {
  return sha256(epochSeed, uint64ToBytes(shard), uint64ToBytes(epoch));
}

/** What the committees of `drawnEpoch` are drawn with, from the seed of the epoch before it; of epochs 0 and 1 from that of genesis. */
export function committeeSeedOf(epochSeed: Bytes32, drawnEpoch: Epoch): Bytes32 {
  return sha256(epochSeed, uint64ToBytes(drawnEpoch));
}
