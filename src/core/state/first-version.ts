// Writing the first version in parts. A genesis of 100,000 accounts at once would take half a gigabyte of memory that a node never
// needs again; in parts, in order of keys, each part's nodes are let go when they are written.
//
// The parts are no atomic batch, and need not be: the first version only adds leaves, so a part overwrites what the parts before put at
// the same place, and until the rows of `commit` are there the database counts as empty. Broken off and begun again, it ends in the
// same rows.
import type { Height } from '../primitives/ids.ts';
import type { ChangeSet } from './change-set.ts';
import type { CurrentState } from './current-state.ts';
import { extendVersion } from './extend-version.ts';
import { accountKey } from './key.ts';
import type { RowOperation } from './state-rows.ts';
import type { TreeRoot } from './tree-node.ts';
import { VersionLayer } from './version-layer.ts';
import { versionRows } from './version-rows.ts';

/** Accounts of one part. */
const ACCOUNTS_PER_PART = 4_096;

/** Writes everything of the first version but the rows of `commit`, and gives the version. `empty` is the version without accounts. */
export async function writeFirstVersion(
  current: CurrentState,
  empty: VersionLayer,
  height: Height,
  changes: ChangeSet,
  write: (operations: readonly RowOperation[]) => Promise<void>,
): Promise<VersionLayer> {
  let tree = empty.tree;
  for (const part of partsOf(changes)) {
    const below = new VersionLayer(current, empty.height, tree);
    const layer = extendVersion(current, below, height, part);
    await write(versionRows(layer).operations);
    tree = { ...layer.tree, node: undefined };
  }
  return firstVersionOf(current, empty, height, tree);
}

/** The first version, whose rows are written but for those of `commit`. */
export function firstVersionOf(current: CurrentState, empty: VersionLayer, height: Height, tree: TreeRoot): VersionLayer {
  const none = { storage: new Map(), storageTrees: new Map(), codes: new Map(), leaves: [], superseded: { keys: [], nodes: 0 } };
  return new VersionLayer(current, height, tree, empty, none);
}

// Neighbouring keys share pages, so that each page is written by one part.
function* partsOf({ accounts, pointers, codes }: ChangeSet): Generator<ChangeSet> {
  const named = accounts.map((change) => ({ change, name: accountKey(change.family, change.address).name }));
  named.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (let from = 0; from < named.length; from += ACCOUNTS_PER_PART) {
    const part = named.slice(from, from + ACCOUNTS_PER_PART).map(({ change }) => change);
    yield { accounts: part, pointers: [], codes: new Map() };
  }
  yield { accounts: [], pointers, codes };
}
