// The way from a header's round up to the block's hash, as a Merkle branch. What a proposer signs is the block's hash; two of these prove
// that two proposals were of one round, without the headers.
import { hash64 } from '../../crypto/sha256.ts';
import { invariant } from '../../primitives/errors.ts';
import type { Bytes32, Round } from '../../primitives/ids.ts';
import { BlockHeader } from '../../protocol/block.ts';
import { Uint64 } from '../../protocol/ssz.ts';

/** Depth of the tree over a header's fields: fourteen, padded to sixteen. */
export const ROUND_BRANCH_LENGTH = 4;

const FIELDS = BlockHeader.fieldsEntries;
const ROUND_INDEX = FIELDS.findIndex(({ fieldName }) => fieldName === 'round');

/** The siblings of the round on its way to the root, from the lowest up. */
export function roundBranchOf(header: BlockHeader): Bytes32[] {
  let level = FIELDS.map(({ fieldName, fieldType }) =>
    (fieldType as { hashTreeRoot(value: unknown): Bytes32 }).hashTreeRoot(header[fieldName]),
  );
  while (level.length < 1 << ROUND_BRANCH_LENGTH) level.push(new Uint8Array(32));
  const branch: Bytes32[] = [];
  for (let index = ROUND_INDEX; level.length > 1; index >>= 1) {
    const sibling = level[index ^ 1];
    invariant(sibling !== undefined, 'a full tree has siblings');
    branch.push(sibling);
    level = level.filter((_node, place) => place % 2 === 0).map((left, place) => hash64(left, level[2 * place + 1] as Bytes32));
  }
  return branch;
}

/** The hash of the block in whose header the round stands. */
export function blockHashFromRound(round: Round, branch: readonly Bytes32[]): Bytes32 {
  let node: Bytes32 = Uint64.hashTreeRoot(round);
  for (const [depth, sibling] of branch.entries()) {
    node = ((ROUND_INDEX >> depth) & 1) === 0 ? hash64(node, sibling) : hash64(sibling, node);
  }
  return node;
}
