// The rows that a version adds to or changes in the database, but for those that say that it is there.
import { hexToBytes } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Height } from '../primitives/ids.ts';
import { rowOperation } from './change-rows.ts';
import { keyOfNode, type TreePlace } from './node-source.ts';
import { codeRowKey, leafRowKey, slotRowKey, staleRowKey } from './row-keys.ts';
import { encodeStaleKeys } from './state-history.ts';
import type { RowOperation } from './state-rows.ts';
import { WHOLE_TREE } from './subtree.ts';
import type { TreeRoot } from './tree-node.ts';
import { nodesWrittenBy } from './tree-read.ts';
import { encodeNode } from './tree-rows.ts';
import type { LayerChanges, VersionLayer } from './version-layer.ts';

/** Tree nodes, current rows, code, and the list of superfluous nodes; `nodesAdded` is by how many nodes the trees grew. */
export function versionRows(layer: VersionLayer): { readonly operations: RowOperation[]; readonly nodesAdded: number } {
  const { changes, height } = layer;
  invariant(changes !== undefined, 'a version is written before it is adopted');
  const operations: RowOperation[] = [];
  pushNodes(operations, layer, changes);
  const nodesAdded = operations.length - changes.superseded.nodes;
  pushCurrentRows(operations, changes);
  const { keys } = changes.superseded;
  if (keys.length > 0) operations.push({ type: 'put', key: staleRowKey(height, layer.subtree.shard), value: encodeStaleKeys(keys) });
  return { operations, nodesAdded };
}

function pushNodes(operations: RowOperation[], layer: VersionLayer, changes: LayerChanges): void {
  pushWritten(operations, { owner: undefined, subtree: layer.subtree }, layer.height, layer.tree);
  for (const { owner, tree } of changes.storageTrees.values()) pushWritten(operations, { owner, subtree: WHOLE_TREE }, layer.height, tree);
}

/** Adds the rows of the nodes that `height` added to a tree. */
export function pushWritten(operations: RowOperation[], place: TreePlace, height: Height, tree: TreeRoot): void {
  for (const { node, slotDepth, path } of nodesWrittenBy(height, place.subtree, tree)) {
    operations.push({ type: 'put', key: keyOfNode(place, height, slotDepth, path), value: encodeNode(node, slotDepth) });
  }
}

function pushCurrentRows(operations: RowOperation[], changes: LayerChanges): void {
  for (const leaf of changes.leaves) {
    operations.push(rowOperation(leafRowKey(leaf.key), leaf.after));
    for (const slot of leaf.slots) operations.push(rowOperation(slotRowKey(leaf.key, slot.key), slot.after));
  }
  for (const [name, code] of changes.codes) {
    const codeHash = hexToBytes(name);
    invariant(codeHash !== undefined, 'new code is named by its hash');
    operations.push({ type: 'put', key: codeRowKey(codeHash), value: code });
  }
}
