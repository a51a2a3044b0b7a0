// What is stored beside a committed block so that a restarted node goes on from it without executing it again: the commitment that
// its child's header must carry, and the point on which the engine builds.
import { ContainerType, ListCompositeType } from '@chainsafe/ssz';
import type { ChainPoint } from '../core/consensus/leader.ts';
import { invariant } from '../core/primitives/errors.ts';
import { ExecutionCommitment } from '../core/protocol/block.ts';
import { Bytes32Type, decodeCanonical, Uint64 } from '../core/protocol/ssz.ts';

/** Anchors that a point may carry: those of the leader draw, pruned by the engine to the ones that still count. */
const ANCHORS_MAX = 64;

const Anchor = new ContainerType({ height: Uint64, seed: Bytes32Type }, { typeName: 'LeaderAnchor', jsonCase: 'eth2' });

const Record = new ContainerType(
  {
    commitment: ExecutionCommitment,
    hash: Bytes32Type,
    height: Uint64,
    round: Uint64,
    seed: Bytes32Type,
    anchors: new ListCompositeType(Anchor, ANCHORS_MAX),
  },
  { typeName: 'CommittedRecord', jsonCase: 'eth2' },
);

/** See the file's head. */
export interface CommittedRecord {
  readonly commitment: ExecutionCommitment;
  readonly point: ChainPoint;
}

/** The row's value. */
export function encodeCommittedRecord({ commitment, point }: CommittedRecord): Uint8Array {
  return Record.serialize({ commitment, ...point, anchors: [...point.anchors] });
}

/** Reads a row of our own: what does not decode is a fault of the disk that its checksum did not catch, or of ours. */
export function decodeCommittedRecord(bytes: Uint8Array): CommittedRecord {
  const decoded = decodeCanonical(Record, bytes);
  invariant(decoded.ok, 'a stored record decodes');
  const { commitment, ...point } = decoded.value;
  return { commitment, point };
}
