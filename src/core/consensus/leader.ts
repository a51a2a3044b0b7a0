// Who leads a round (protocol, sections 3 and 10.1). The leader of round r on parent P is drawn, weighted by seats, by
// SHA256(seed(A) ‖ instance ‖ r), A being P's newest ancestor in the instance whose height is a multiple of the leader window and
// at most height(P) − 2, else the start record. Drawn so, two tips that differ by a hidden QC nearly always agree on the leader.
// A carrier (block-role.ts) is no ancestor in this sense: carriers change no height, so the leaders of all rounds after a closing block are
// the same, whichever carriers a tip has.
// Integers are hashed as uint64 in big-endian order.
import { SIGNATURE_KIND } from '../crypto/domains.ts';
import { sha256 } from '../crypto/sha256.ts';
import { bytesToBigint, concatBytes, uint64ToBytes } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Height, Round, ValidatorIndex } from '../primitives/ids.ts';
import type { Instance } from '../protocol/committee.ts';
import { domainOf } from './instance-domains.ts';

/** A block from whose seed leaders are drawn: its height is a multiple of the leader window. */
export interface LeaderAnchor {
  readonly height: Height;
  readonly seed: Bytes32;
}

/** A block (or the start record) as something to build on: what the leader draw and the VRF need of it and its ancestors. */
export interface ChainPoint {
  readonly hash: Bytes32;
  readonly height: Height;
  readonly round: Round;
  readonly seed: Bytes32;
  /** Newest first, down to the one that counts for this block's children. */
  readonly anchors: readonly LeaderAnchor[];
}

/** How far an anchor lies at least below the parent: so deep that its seed is settled when it starts to matter. */
const ANCHOR_DEPTH = 2;

/** seed(B) = SHA256(seed(parent) ‖ vrf_output(B)): neither B's content nor the choice between QC and TC can change it. */
export function seedAfter(parentSeed: Bytes32, vrfOutput: Uint8Array): Bytes32 {
  return sha256(parentSeed, vrfOutput);
}

/** What the leader of the round on this parent proves with its VRF key: domain ‖ the parent's seed ‖ round. */
export function vrfAlphaOf(instance: Instance, parentSeed: Bytes32, round: Round): Uint8Array {
  return concatBytes(domainOf(instance, SIGNATURE_KIND.vrf), parentSeed, uint64ToBytes(round));
}

/** The leader of the round on the parent: see the file's head. */
export function leaderOf(instance: Instance, parent: ChainPoint, round: Round): ValidatorIndex {
  const seed = anchorSeedOf(instance, parent);
  const draw = bytesToBigint(sha256(seed, instance.instanceId, uint64ToBytes(round)));
  const { members, totalSeats } = instance.committee;
  let seat = Number(draw % BigInt(totalSeats));
  const leader = members.find(({ seats }) => {
    seat -= seats;
    return seat < 0;
  });
  invariant(leader !== undefined, 'the seats of the members add up to totalSeats');
  return leader.validator;
}

/** seed(A) of the file's head. */
export function anchorSeedOf(instance: Instance, parent: ChainPoint): Bytes32 {
  const anchor = parent.anchors.find(({ height }) => height <= parent.height - ANCHOR_DEPTH);
  return anchor?.seed ?? instance.startRecord.seed;
}

/** The point of a valid block from its parent's. Anchors older than the one that counts are dropped: no descendant asks for them. */
export function pointAfter(
  parent: ChainPoint,
  block: { readonly hash: Bytes32; readonly height: Height; readonly round: Round },
  vrfOutput: Uint8Array,
  leaderWindow: number,
): ChainPoint {
  const seed = seedAfter(parent.seed, vrfOutput);
  const isAnchor = block.height > parent.height && block.height % leaderWindow === 0; // A carrier is at its parent's height.
  const candidates = isAnchor ? [{ height: block.height, seed }, ...parent.anchors] : parent.anchors;
  const deepEnough = candidates.findIndex(({ height }) => height <= block.height - ANCHOR_DEPTH);
  const anchors = deepEnough < 0 ? candidates : candidates.slice(0, deepEnough + 1);
  return { ...block, seed, anchors };
}
