// The way from a header's round up to the block's hash, as a Merkle branch. What a proposer signs is the block's hash; two of these prove
// that two proposals were of one round, without the headers.
import { hash64 } from '../../crypto/sha256.ts';
import type { Bytes32, Round } from '../../primitives/ids.ts';
import { BlockHeader, headerBranchOf } from '../../protocol/block.ts';
import { Uint64 } from '../../protocol/ssz.ts';

/** Depth of the tree over a header's fields: fourteen, padded to sixteen. */
export const ROUND_BRANCH_LENGTH = 4;

const FIELDS = BlockHeader.fieldsEntries;
const ROUND_INDEX = FIELDS.findIndex(({ fieldName }) => fieldName === 'round');

/** The siblings of the round on its way to the root, from the lowest up. */
export function roundBranchOf(header: BlockHeader): Bytes32[] {
  return headerBranchOf(header, ROUND_INDEX);
}

/** The hash of the block in whose header the round stands. */
export function blockHashFromRound(round: Round, branch: readonly Bytes32[]): Bytes32 {
  let node: Bytes32 = Uint64.hashTreeRoot(round);
  for (const [depth, sibling] of branch.entries()) {
    node = ((ROUND_INDEX >> depth) & 1) === 0 ? hash64(node, sibling) : hash64(sibling, node);
  }
  return node;
}
