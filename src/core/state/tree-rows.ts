// Tree nodes as rows. A node's row lies under (version, tree, place of its slot); a page names the versions of the nodes below it, so a
// version is read from its root downwards and shares every row that it did not change with the versions before it.
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Height } from '../primitives/ids.ts';
import { Leaf } from './leaf.ts';
import { hashWholePage } from './page-hasher.ts';
import { RowReader, RowWriter } from './row-encoding.ts';
import {
  BUCKET_LEAVES_MAX,
  type Bucket,
  bucketOf,
  emptyHashes,
  hashBytes,
  KEY_DEPTH,
  PAGE_BASES_MAX,
  PAGE_SLOTS,
  type Page,
  pageOf,
  type TreeKind,
  type TreeNode,
  type TreeRoot,
} from './tree-node.ts';

const BUCKET_ROW = 0;
const PAGE_ROW = 1;
/** Of a page, what is other than in the row before it at the same place. */
const ADDED_ROW = 2;

const writer = new RowWriter();

/** The row of a node whose slot is at half-byte `slotDepth`. */
export function encodeNode(node: TreeNode, slotDepth: number): Uint8Array {
  if (node.kind === 'bucket') writeBucket(node, slotDepth);
  else if (node.bases.length === 0) writePage(node, slotDepth);
  else writeAdded(node);
  return writer.finishInChunk();
}

/**
 * The node that `version` wrote at a place; `path` is a key whose first `slotDepth` half-bytes lead to its slot, and `rowOf` gives the row
 * of a version at that place.
 */
export function decodeNode(
  rowOf: (version: Height) => Uint8Array,
  version: Height,
  kind: TreeKind,
  slotDepth: number,
  path: Uint8Array,
): TreeNode {
  const reader = new RowReader(rowOf(version));
  const rowKind = reader.byte();
  if (rowKind === BUCKET_ROW) return readBucket(reader, version, slotDepth, path);
  const bases = rowKind === ADDED_ROW ? readBases(reader, version) : [];
  const first = bases.at(-1);
  let whole = reader;
  if (first !== undefined) {
    whole = new RowReader(rowOf(first));
    invariant(whole.byte() === PAGE_ROW, 'the first of the rows that add to one another holds the whole page');
  } else invariant(rowKind === PAGE_ROW, 'a node row is a bucket or a page');
  const page = readPage(whole, first ?? version, slotDepth, path);
  for (const base of bases.slice(0, -1).reverse()) {
    const added = new RowReader(rowOf(base));
    invariant(added.byte() === ADDED_ROW, 'the others add to it');
    readBases(added, base);
    readAdded(added, base, page);
  }
  if (first !== undefined) readAdded(reader, version, page);
  const leafCount = page.counts.reduce((sum, count) => sum + count, 0);
  const children = new Array<TreeNode | undefined>(PAGE_SLOTS).fill(undefined);
  const { depth, path: ownPath, hashes, counts, versions } = page;
  const parts = { depth, path: ownPath, hashes, counts, versions, leafCount, children, bases };
  const node = pageOf({ version, ...parts, changedSlots: 0, touched: 0 });
  hashWholePage(node, kind);
  return node;
}

/** The row that says where a version's tree is. */
export function encodeRoot(root: TreeRoot): Uint8Array {
  writer.bytes(root.hash);
  writer.varint(root.version);
  writer.varint(root.leafCount);
  return writer.finish();
}

/** The tree of such a row, its nodes not yet loaded. */
export function decodeRoot(row: Uint8Array): TreeRoot {
  const reader = new RowReader(row);
  const root = { hash: reader.bytes(32), version: reader.varint(), leafCount: reader.varint(), node: undefined };
  reader.end();
  return root;
}

function writeBucket(bucket: Bucket, slotDepth: number): void {
  writer.byte(BUCKET_ROW);
  for (const leaf of bucket.leaves) {
    writer.bytes(leaf.key, slotDepth >>> 1);
    writer.blob(leaf.row);
  }
}

function readBucket(reader: RowReader, version: Height, slotDepth: number, path: Uint8Array): Bucket {
  const leaves: Leaf[] = [];
  const known = slotDepth >>> 1;
  while (!reader.isAtEnd) {
    const key = new Uint8Array(32);
    for (let i = 0; i < known; i++) key[i] = path[i] as number;
    reader.copy(key, known, 32);
    leaves.push(new Leaf(key, reader.blob()));
  }
  invariant(leaves.length >= 1 && leaves.length <= BUCKET_LEAVES_MAX, 'a bucket has a few leaves');
  return bucketOf(version, leaves, 0);
}

function writePage(page: Page, slotDepth: number): void {
  writer.byte(PAGE_ROW);
  writer.byte(page.depth);
  writer.bytes(page.path, slotDepth >>> 1, page.depth >>> 1);
  // What the key that stands for the path has after it must not show: equal trees have equal rows.
  if (page.depth % 2 === 1) writer.byte((page.path[page.depth >>> 1] as number) & 0xf0);
  const bytes = hashBytes(page.hashes);
  let occupied = 0;
  for (let slot = 0; slot < PAGE_SLOTS; slot++) if (page.counts[slot] !== 0) occupied |= 1 << slot;
  writer.byte(occupied >>> 8);
  writer.byte(occupied & 0xff);
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    if (page.counts[slot] === 0) continue;
    writer.varint(page.version - (page.versions[slot] as number));
    writer.varint(page.counts[slot] as number);
    writer.bytes(bytes, (PAGE_SLOTS + slot) * 32, (PAGE_SLOTS + slot + 1) * 32);
  }
}

function writeAdded(page: Page): void {
  writer.byte(ADDED_ROW);
  writer.byte(page.bases.length);
  for (const base of page.bases) writer.varint(page.version - base);
  writer.byte(page.changedSlots >>> 8);
  writer.byte(page.changedSlots & 0xff);
  const bytes = hashBytes(page.hashes);
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    if ((page.changedSlots & (1 << slot)) === 0) continue;
    const count = page.counts[slot] as number;
    writer.varint(count);
    if (count === 0) continue;
    writer.varint(page.version - (page.versions[slot] as number));
    writer.bytes(bytes, (PAGE_SLOTS + slot) * 32, (PAGE_SLOTS + slot + 1) * 32);
  }
}

function readBases(reader: RowReader, version: Height): readonly Height[] {
  const count = reader.byte();
  invariant(count <= PAGE_BASES_MAX, 'a page adds to a few rows');
  return Array.from({ length: count }, () => version - reader.varint());
}

/** What rows say of a page; of its hashes only those of its slots. */
interface PageContent extends Pick<Page, 'depth' | 'path' | 'hashes'> {
  readonly counts: number[];
  readonly versions: Height[];
}

function readAdded(reader: RowReader, version: Height, { hashes, counts, versions }: PageContent): void {
  const changed = (reader.byte() << 8) | reader.byte();
  const bytes = hashBytes(hashes);
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    if ((changed & (1 << slot)) === 0) continue;
    const count = reader.varint();
    counts[slot] = count;
    versions[slot] = count === 0 ? 0 : version - reader.varint();
    if (count === 0) bytes.fill(0, (PAGE_SLOTS + slot) * 32, (PAGE_SLOTS + slot + 1) * 32);
    else reader.copy(bytes, (PAGE_SLOTS + slot) * 32, (PAGE_SLOTS + slot + 1) * 32);
  }
  reader.end();
}

function readPage(reader: RowReader, version: Height, slotDepth: number, path: Uint8Array): PageContent {
  const depth = reader.byte();
  invariant(depth >= slotDepth && depth < KEY_DEPTH, 'a page stands at its slot or below it');
  const known = slotDepth >>> 1;
  const ownPath: Bytes32 = new Uint8Array(32);
  for (let i = 0; i < known; i++) ownPath[i] = path[i] as number;
  const shown = Math.max(0, ((depth + 1) >>> 1) - known);
  reader.copy(ownPath, known, known + shown);
  invariant(depth % 2 === 0 || ((ownPath[depth >>> 1] as number) & 0x0f) === 0, 'a path ends where its page stands');
  const occupied = (reader.byte() << 8) | reader.byte();
  const counts = new Array<number>(PAGE_SLOTS).fill(0);
  const versions = new Array<number>(PAGE_SLOTS).fill(0);
  const hashes = emptyHashes();
  const bytes = hashBytes(hashes);
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    if ((occupied & (1 << slot)) === 0) continue;
    versions[slot] = version - reader.varint();
    counts[slot] = reader.varint();
    invariant(counts[slot] !== 0, 'a slot that is named has leaves');
    reader.copy(bytes, (PAGE_SLOTS + slot) * 32, (PAGE_SLOTS + slot + 1) * 32);
  }
  reader.end();
  return { depth, path: ownPath, hashes, counts, versions };
}
