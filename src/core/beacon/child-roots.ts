// The state roots of the shards into which a closed one is split (protocol, section 6: "the child named by the two halves of the closing root").
// They prove themselves: joined at their places in the tree they are the closing root, so whoever has the state may name them.
//
// The crosslink of a closing header brings them. A record that the beacon took over has no such crosslink; for it a crosslink without headers
// does, else a shard that dies at the moment of its split would stand for ever. Which shards there are is asked of the layout of the block that
// holds the crosslink, as its start records are.
import { BitArray } from '@chainsafe/ssz';
import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32, ChainId } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { Certificate, type QuorumCertificate } from '../protocol/certificate.ts';
import type { Crosslink } from '../protocol/crosslink.ts';
import { isWithin } from '../protocol/subtrees.ts';
import type { RecordEntry, ShardRoot } from './state.ts';
import { joinedRoot } from './world-root.ts';

/** Why child roots are wrong. */
export type ChildRootsRefusal = 'child-roots-not-wanted' | 'wrong-child-roots' | 'record-not-closed' | 'certificate-not-wanted';

const SIGNATURE_BYTES = 96;

/** What stands for a certificate in a crosslink without headers. */
export const NO_CERTIFICATE: QuorumCertificate = {
  point: { height: 0, round: 0, blockHash: ZERO_32 },
  scheme: 0,
  signers: BitArray.fromBitLen(0),
  signature: new Uint8Array(SIGNATURE_BYTES),
};

/** The shards of a layout that follow `shard` when it closes because it is split, left to right; none where it is not. */
export function childrenOf(shard: ChainId, layout: readonly ChainId[]): readonly ChainId[] {
  return layout.filter((other) => other !== shard && isWithin(other, shard));
}

/** The roots of the children by their shards, if they are exactly those and come to the closing root. */
export function checkChildRoots(
  shard: ChainId,
  layout: readonly ChainId[],
  closingRoot: Bytes32,
  roots: readonly Bytes32[],
): Verdict<ShardRoot[], ChildRootsRefusal> {
  const children = childrenOf(shard, layout);
  if (children.length === 0) return roots.length === 0 ? accept([]) : refuse('child-roots-not-wanted', `shard ${shard} is not split`);
  if (roots.length !== children.length) return refuse('wrong-child-roots', `${roots.length} roots of ${children.length} children`);
  const named = children.map((child, index) => ({ shard: child, stateRoot: roots[index] as Bytes32 }));
  if (!bytesEqual(joinedRoot(shard, named), closingRoot)) return refuse('wrong-child-roots', 'they do not come to the closing root');
  return accept(named);
}

/** A crosslink without headers: nothing but the child roots of a closed record that waits for them. */
export function checkLateChildRoots(
  { record, progress, closed }: RecordEntry,
  layout: readonly ChainId[],
  crosslink: Crosslink,
): Verdict<ShardRoot[], ChildRootsRefusal> {
  if (!closed) return refuse('record-not-closed', `shard ${record.shard} of epoch ${record.epoch}`);
  const certificates = [crosslink.quorumCertificate, crosslink.commitCertificate];
  if (!certificates.every((certificate) => Certificate.equals(certificate, NO_CERTIFICATE))) return refuse('certificate-not-wanted');
  if (childrenOf(record.shard, layout).length === 0) return refuse('child-roots-not-wanted', `shard ${record.shard} is not split`);
  return checkChildRoots(record.shard, layout, progress.stateRoot, crosslink.childStateRoots);
}
