// The stored tree against the model: any sequence of changes gives the model's root, in memory and read back from rows.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesToHex, ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import { type Leaf, pointerLeaf, slotLeaf } from '../../../src/core/state/leaf.ts';
import type { NodeSource } from '../../../src/core/state/node-source.ts';
import { type StateProof, verifyProof } from '../../../src/core/state/proof.ts';
import { nodeRowKey } from '../../../src/core/state/row-keys.ts';
import { WHOLE_TREE } from '../../../src/core/state/subtree.ts';
import { EMPTY_TREE, hashAtSlot, type Superseded, sharedNibbles, type TreeKind, type TreeRoot } from '../../../src/core/state/tree-node.ts';
import { proveKey } from '../../../src/core/state/tree-proof.ts';
import { findLeaf, isAloneIn, nodesWrittenBy, type Peeked, peekLeaf, subtreeRootAt, walkNodes } from '../../../src/core/state/tree-read.ts';
import { encodeNode } from '../../../src/core/state/tree-rows.ts';
import { type LeafChange, sortChanges, updateTree } from '../../../src/core/state/tree-update.ts';
import { naiveRoot } from './naive-tree.ts';

/** Keys that share long prefixes with each other, so that skipped levels, forks and collapses all occur. */
const keys = fc
  .tuple(
    fc.array(fc.constantFrom(0x00, 0x01, 0x10, 0x80, 0xff), { minLength: 3, maxLength: 3 }),
    fc.integer({ min: 0, max: 12 }),
    fc.integer({ min: 0, max: 255 }),
  )
  .map(([head, place, byte]) => {
    const key = new Uint8Array(32);
    key.set(head);
    key[3 + place] = byte;
    return key;
  });
const steps = fc.array(fc.array(fc.record({ key: keys, value: fc.integer({ min: 0, max: 3 }) }), { maxLength: 12 }), { maxLength: 8 });
const kinds = fc.constantFrom<TreeKind>('account', 'storage');

interface Harness {
  readonly source: NodeSource;
  readonly rows: Map<string, Uint8Array>;
}

function harness(kind: TreeKind): Harness {
  const rows = new Map<string, Uint8Array>();
  const unsupported = async function* () {};
  return {
    rows,
    source: {
      kind,
      owner: undefined,
      subtree: WHOLE_TREE,
      use: { loaded: 0, generation: 0, turnAt: 0 },
      rows: { get: (key) => rows.get(bytesToHex(key)), iterate: unsupported },
    },
  };
}

function store({ rows }: Harness, root: TreeRoot, version: number): void {
  for (const { node, slotDepth, path } of nodesWrittenBy(version, WHOLE_TREE, root))
    rows.set(bytesToHex(nodeRowKey(version, undefined, slotDepth, path)), encodeNode(node, slotDepth));
}

/** What stands at a key as far as it takes no reading; undefined where it would take some. */
function peek({ source }: Harness, root: TreeRoot, key: Uint8Array, nibbles = 16): Peeked | undefined {
  const peeked: Peeked = { seen: undefined, isLone: false };
  return peekLeaf(source, root, key, nibbles, peeked) ? peeked : undefined;
}

function noneSuperseded(): Superseded {
  return { keys: [], nodes: 0 };
}

function leafOf(key: Uint8Array, value: number): Leaf {
  const bytes = new Uint8Array(32);
  bytes[31] = value;
  return slotLeaf(key, bytes);
}

function changesOf(step: readonly { readonly key: Uint8Array; readonly value: number }[]): LeafChange[] {
  const byKey = new Map(step.map(({ key, value }) => [bytesToHex(key), { key, leaf: value === 0 ? undefined : leafOf(key, value) }]));
  return sortChanges([...byKey.values()]);
}

function applyTo(model: Map<string, Leaf>, changes: readonly LeafChange[]): void {
  for (const { key, leaf } of changes) {
    if (leaf === undefined) model.delete(bytesToHex(key));
    else model.set(bytesToHex(key), leaf);
  }
}

describe('the stored tree', () => {
  it('has the root of the model after any sequence of changes, in memory and from rows, and rows never go stale early', () => {
    fc.assert(
      fc.property(kinds, steps, fc.boolean(), (kind, sequence, reload) => {
        const it = harness(kind);
        const model = new Map<string, Leaf>();
        let root = EMPTY_TREE;
        sequence.forEach((step, index) => {
          const changes = changesOf(step);
          const nodesBefore = [...walkNodes(it.source, root)].length;
          const superseded = noneSuperseded();
          root = updateTree(it.source, root, index + 1, changes, superseded);
          const nodesWritten = nodesWrittenBy(index + 1, WHOLE_TREE, root).length;
          assert.equal([...walkNodes(it.source, root)].length, nodesBefore + nodesWritten - superseded.nodes);
          applyTo(model, changes);
          store(it, root, index + 1);
          for (const key of superseded.keys) assert.ok(it.rows.delete(bytesToHex(key)), 'a stale row was there');
          if (reload) root = { ...root, node: undefined };
          assert.equal(bytesToHex(root.hash), bytesToHex(naiveRoot(kind, [...model.values()])));
          assert.equal(root.leafCount, model.size);
          for (const { key } of changes) if (!reload) assert.equal(peek(it, root, key)?.seen, model.get(bytesToHex(key)));
          for (const leaf of model.values()) {
            const found = findLeaf(it.source, root, leaf.key);
            assert.deepEqual(found?.row, leaf.row);
            assert.deepEqual(found?.hash, leaf.hash);
            assert.equal(peek(it, root, leaf.key)?.seen, found);
          }
        });
        const rows = [...walkNodes(it.source, { ...root, node: undefined })].map(({ node }) =>
          node.kind === 'page' ? 1 + node.bases.length : 1,
        );
        assert.equal(
          it.rows.size,
          rows.reduce((sum, count) => sum + count, 0),
          'rows that no version needs are all named stale',
        );
      }),
      { numRuns: 400 },
    );
  });

  it('does not depend on the order or the grouping of changes', () => {
    fc.assert(
      fc.property(kinds, steps, (kind, sequence) => {
        const model = new Map<string, Leaf>();
        const one = harness(kind);
        let root = EMPTY_TREE;
        sequence.forEach((step, index) => {
          const changes = changesOf(step);
          applyTo(model, changes);
          root = updateTree(one.source, root, index + 1, changes, noneSuperseded());
        });
        const atOnce = sortChanges([...model.values()].map((leaf) => ({ key: leaf.key, leaf })));
        const other = updateTree(harness(kind).source, EMPTY_TREE, 1, atOnce, noneSuperseded());
        assert.deepEqual(other.hash, root.hash);
        assert.equal(root.node === undefined ? 0 : hashAtSlot(root.node, 0).length, other.node === undefined ? 0 : 32);
      }),
      { numRuns: 200 },
    );
  });

  it('knows whether a key is alone below a depth, and of what is not in memory only that it does not know it', () => {
    fc.assert(
      fc.property(kinds, fc.array(keys, { maxLength: 30 }), keys, fc.integer({ min: 4, max: 16 }), (kind, some, key, nibbles) => {
        const it = harness(kind);
        const changes = changesOf(some.map((other) => ({ key: other, value: 1 })));
        const root = updateTree(it.source, EMPTY_TREE, 1, changes, noneSuperseded());
        store(it, root, 1);
        const unloaded: TreeRoot = { ...root, node: undefined };
        assert.equal(peek(it, unloaded, key) === undefined, changes.length > 0);
        const others = changes.filter(
          (change) => sharedNibbles(change.key, key, 0) >= nibbles && bytesToHex(change.key) !== bytesToHex(key),
        );
        for (const tree of [root, unloaded]) assert.equal(isAloneIn(it.source, tree, key, nibbles), others.length === 0);
        assert.equal(peek(it, root, key, nibbles)?.isLone, others.length === 0);
        // The way of a key that may have company is loaded only as far as it takes to see that.
        const peeked = peek(it, unloaded, key, nibbles);
        if (others.length === 0) assert.deepEqual(peeked, { seen: findLeaf(it.source, root, key), isLone: true });
      }),
      { numRuns: 300 },
    );
  });

  it('gives each subtree down to depth 16 as the model does: a parent is the hash of its children', () => {
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 40 }), fc.integer({ min: 1, max: 2 ** 17 - 1 }), (some, id) => {
        const it = harness('account');
        const changes = changesOf(some.map((key) => ({ key, value: 1 })));
        const root = updateTree(it.source, EMPTY_TREE, 1, changes, noneSuperseded());
        const depth = 31 - Math.clz32(id);
        const inside = changes.flatMap(({ leaf }) => (leaf !== undefined && prefixOf(leaf.key, depth) === id - 2 ** depth ? [leaf] : []));
        assert.deepEqual(subtreeRootAt(it.source, root, id), naiveRoot('account', inside, depth));
      }),
      { numRuns: 200 },
    );
  });
});

describe('proofs', () => {
  it('prove what is there and what is not, and are refused with any bit flipped', () => {
    fc.assert(
      fc.property(kinds, fc.array(keys, { maxLength: 30 }), keys, fc.nat(), (kind, some, other, noise) => {
        const { source } = harness(kind);
        const changes = sortChanges(uniqueKeys(some).map((key) => ({ key, leaf: leafOfKind(kind, key) })));
        const root = updateTree(source, EMPTY_TREE, 1, changes, noneSuperseded());
        for (const asked of [other, ...some.slice(0, 3)]) {
          const proof = proveKey(source, root, asked);
          const verdict = verifyProof(kind, root.hash, asked, proof);
          assert.ok(verdict.ok, JSON.stringify(verdict));
          const expected = changes.find(({ key }) => bytesToHex(key) === bytesToHex(asked));
          assert.equal(verdict.value === undefined, expected === undefined);
          for (const wrong of flipped(proof, noise)) assert.equal(verifyProof(kind, root.hash, asked, wrong).ok, false);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are refused about another key, of another kind of tree, longer or shorter than the tree, and without their leaf', () => {
    const { source } = harness('account');
    const changes = sortChanges(
      [1, 2, 3, 200].map((byte) => new Uint8Array(32).fill(byte)).map((key) => ({ key, leaf: leafOfKind('account', key) })),
    );
    const root = updateTree(source, EMPTY_TREE, 1, changes, noneSuperseded());
    const [{ key }] = changes as [LeafChange];
    const proof = proveKey(source, root, key);
    const reasonOf = (kind: TreeKind, about: Uint8Array, given: StateProof): string => {
      const verdict = verifyProof(kind, root.hash, about, given);
      return verdict.ok ? 'accepted' : verdict.reason;
    };
    assert.equal(reasonOf('account', key, proof), 'accepted');
    assert.equal(reasonOf('account', new Uint8Array(32), proof), 'wrong-place');
    assert.equal(reasonOf('storage', key, proof), 'malformed-proof');
    assert.equal(reasonOf('account', key, { ...proof, siblings: [...proof.siblings, ZERO_32] }), 'not-canonical');
    assert.equal(reasonOf('account', key, { ...proof, siblings: proof.siblings.slice(1) }), 'not-canonical');
    assert.equal(reasonOf('account', key, { ...proof, leaf: undefined }), 'not-canonical');
    assert.equal(reasonOf('account', key, { ...proof, siblings: new Array(257).fill(ZERO_32) }), 'malformed-proof');
    assert.equal(reasonOf('account', key, { ...proof, siblings: [new Uint8Array(31), ...proof.siblings.slice(1)] }), 'malformed-proof');
  });

  it('of the empty tree are empty', () => {
    const { source } = harness('account');
    const proof = proveKey(source, EMPTY_TREE, new Uint8Array(32).fill(7));
    assert.deepEqual(proof.siblings, []);
    assert.equal(verifyProof('account', ZERO_32, proof.key, proof).ok, true);
    assert.equal(verifyProof('account', new Uint8Array(32).fill(1), proof.key, proof).ok, false);
  });
});

function uniqueKeys(some: readonly Uint8Array[]): readonly Uint8Array[] {
  return [...new Map(some.map((key) => [bytesToHex(key), key])).values()];
}

function leafOfKind(kind: TreeKind, key: Uint8Array): Leaf {
  return kind === 'storage' ? leafOf(key, 1) : pointerLeaf(key, key.slice(0, 20));
}

// The proof with one bit changed, in each of its fields in turn.
function flipped(proof: StateProof, noise: number): readonly StateProof[] {
  const flip = (bytes: Uint8Array): Uint8Array => {
    const wrong = bytes.slice();
    const bit = noise % (8 * bytes.length);
    wrong[bit >>> 3] = (wrong[bit >>> 3] as number) ^ (1 << (bit & 7));
    return wrong;
  };
  const { siblings, leaf } = proof;
  const wrongSiblings = siblings.map((sibling, at) => ({ ...proof, siblings: siblings.with(at, flip(sibling)) }));
  const wrongLeaves =
    leaf === undefined
      ? []
      : [
          { ...leaf, tag: leaf.tag ^ 1 },
          { ...leaf, key: flip(leaf.key) },
          { ...leaf, value: flip(leaf.value) },
        ];
  return [...wrongSiblings, ...wrongLeaves.map((wrong) => ({ ...proof, leaf: wrong })), { ...proof, key: flip(proof.key) }];
}

function prefixOf(key: Uint8Array, bits: number): number {
  let prefix = 0;
  for (let i = 0; i < bits; i++) prefix = 2 * prefix + (((key[i >>> 3] as number) >>> (7 - (i & 7))) & 1);
  return prefix;
}
