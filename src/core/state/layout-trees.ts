// The root of a shard's tree out of the trees of the shards before it: one of their nodes where the shard's root is a node's, and otherwise a
// page of their slots. Equal content gives an equal root, so the world root is the same before and after (protocol, section 4).
import { bytesToHex } from '../primitives/bytes.ts';
import type { ChainId, Height } from '../primitives/ids.ts';
import { contains } from '../protocol/shard-id.ts';
import { childNode, keyOfNode, type NodeSource, rootNode } from './node-source.ts';
import { hashWholePage } from './page-hasher.ts';
import type { RowOperation } from './state-rows.ts';
import { type Subtree, subtreeOf, WHOLE_TREE } from './subtree.ts';
import { EMPTY_TREE, emptyHashes, hashBytes, nibbleAt, PAGE_SLOTS, type Page, pageHash, pageOf, type TreeRoot } from './tree-node.ts';
import { hashWithin } from './tree-read.ts';
import { encodeNode } from './tree-rows.ts';

const HASH_BYTES = 32;

/** A shard that is closed: its last tree, and the pages that are not the roots of others. */
export interface OldTree {
  readonly source: NodeSource;
  readonly root: TreeRoot;
  readonly committed: Height;
  /** By name of the first, the keys of the rows of pages that lie above the new roots. */
  readonly pagesLeft: Map<string, readonly Uint8Array[]>;
}

/** What is at a place at the edge of two pages. */
type Content = Pick<TreeRoot, 'hash' | 'version' | 'leafCount'>;

/** A new shard's tree, and the rows of the pages that it needs. Together, `trees` hold all of the shard. */
export function buildShardRoot(
  trees: readonly OldTree[],
  subtree: Subtree,
  height: Height,
): { readonly root: TreeRoot; readonly pages: readonly RowOperation[] } {
  const pages: RowOperation[] = [];
  if (subtree.rootLevel === 0) return { root: { ...contentAt(trees, subtree.shard, height, pages), node: undefined }, pages };
  const place = { owner: undefined, subtree };
  const page = joinPage(trees, subtree.shard >>> subtree.rootLevel, subtree, height, pages);
  if (page === undefined) return { root: { ...EMPTY_TREE }, pages };
  pages.push({ type: 'put', key: keyOfNode(place, height, page.depth, page.path), value: encodeNode(page, page.depth) });
  const hash = hashWithin(page, page.depth, subtree);
  return { root: { hash, version: height, leafCount: page.leafCount, node: undefined }, pages };
}

// The subtree of a shard id whose root is a node's.
function contentAt(trees: readonly OldTree[], shard: ChainId, height: Height, pages: RowOperation[]): Content {
  const whole = trees.find(({ source }) => contains(source.subtree.shard, shard));
  if (whole !== undefined) return contentIn(whole, shard);
  const page = joinPage(trees, shard, subtreeOf(shard), height, pages);
  if (page === undefined) return EMPTY_TREE;
  const place = { owner: undefined, subtree: WHOLE_TREE };
  pages.push({ type: 'put', key: keyOfNode(place, height, page.depth, page.path), value: encodeNode(page, page.depth) });
  return { hash: pageHash(page, 1), version: height, leafCount: page.leafCount };
}

// The same in one tree that holds it. The pages passed through lie above the shard's root.
function contentIn({ source, root, pagesLeft }: OldTree, shard: ChainId): Content {
  if (source.subtree.shard === shard) return root;
  const { path, rootDepth } = subtreeOf(shard);
  let node = rootNode(source, root);
  for (let depth = source.subtree.rootDepth; node?.kind === 'page'; depth++) {
    const page = node;
    const keys = [page.version, ...page.bases].map((version) => keyOfNode(source, version, depth, page.path));
    pagesLeft.set(bytesToHex(keys[0] as Uint8Array), keys);
    const slot = nibbleAt(path, depth);
    if (depth + 1 === rootDepth) return slotOf(page, slot);
    node = childNode(source, page, slot, path);
  }
  return EMPTY_TREE;
}

function slotOf(page: Page, slot: number): Content {
  const leafCount = page.counts[slot] as number;
  if (leafCount === 0) return EMPTY_TREE;
  return { hash: pageHash(page, PAGE_SLOTS + slot), version: page.versions[slot] as Height, leafCount };
}

// The page below the root of `place`, with those of its slots that `within` has.
function joinPage(trees: readonly OldTree[], place: ChainId, within: Subtree, height: Height, pages: RowOperation[]): Page | undefined {
  const { rootDepth: depth, path } = subtreeOf(place);
  const counts = new Array<number>(PAGE_SLOTS).fill(0);
  const versions = new Array<number>(PAGE_SLOTS).fill(0);
  const hashes = emptyHashes();
  const bytes = hashBytes(hashes);
  let leafCount = 0;
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    const shard = place * PAGE_SLOTS + slot;
    if (!contains(within.shard, shard)) continue;
    const content = contentAt(trees, shard, height, pages);
    if (content.leafCount === 0) continue;
    counts[slot] = content.leafCount;
    versions[slot] = content.version;
    bytes.set(content.hash, (PAGE_SLOTS + slot) * HASH_BYTES);
    leafCount += content.leafCount;
  }
  if (leafCount === 0) return undefined;
  const children = new Array<undefined>(PAGE_SLOTS).fill(undefined);
  const parts = { version: height, depth, path, leafCount, hashes, counts, versions, children };
  const page = pageOf({ ...parts, bases: [], changedSlots: 0, touched: 0 });
  hashWholePage(page, 'account');
  return page;
}
