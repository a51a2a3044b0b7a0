// Rows of a state's tree: leaves, changes, roots, nodes, heads. A row is this node's own and carries a checksum, so one that does not decode is a
// broken promise and says so; it never is an error of the language, an endless loop or a wrong value.

import assert from 'node:assert/strict';
import { bytesEqual, bytesToHex, concatBytes, uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import { invariant } from '../../../src/core/primitives/errors.ts';
import { ROOT_SHARD } from '../../../src/core/primitives/ids.ts';
import { ACCOUNT_LEAF_BYTES, decodeAccountLeaf } from '../../../src/core/state/account-codec.ts';
import { changeRows, readChangeRow } from '../../../src/core/state/change-rows.ts';
import {
  accountOfRow,
  accountRow,
  committedValue,
  LEAF_TAG,
  Leaf,
  pointerLeaf,
  pointerOfRow,
  slotOfRow,
  slotRow,
} from '../../../src/core/state/leaf.ts';
import { committedRowKey, oldestRowKey, STATE_ROW } from '../../../src/core/state/row-keys.ts';
import { readHead } from '../../../src/core/state/shard-head.ts';
import type { Row } from '../../../src/core/state/state-rows.ts';
import { KEY_DEPTH, type TreeKind } from '../../../src/core/state/tree-node.ts';
import { decodeNode, decodeRoot, encodeNode, encodeRoot } from '../../../src/core/state/tree-rows.ts';
import type { SeededRandom } from '../../../src/simulation/random.ts';
import { assertSameBytes, type FuzzTarget, judgeRow, ownFault } from '../target.ts';
import { joinParts, splitParts } from './parts.ts';
import { stateRowsOf } from './state-rows.ts';
import { bytesOf, integerOf } from './values.ts';

const { max } = Math;

const leafRow: FuzzTarget = {
  name: 'leaf-row',
  covers: [
    'core/state/account-codec#readAccountRow',
    'core/state/leaf#Leaf',
    'core/state/leaf#accountOfRow',
    'core/state/leaf#pointerOfRow',
    'core/state/leaf#slotOfRow',
    'core/state/leaf#committedValue',
    'core/state/leaf#tagOf',
  ],
  executions: 15_000,
  generate(random) {
    const kind = random.integer(0, 3);
    if (kind === 0) return pointerLeaf(new Uint8Array(32), bytesOf(random, 20)).row;
    if (kind === 1) return slotRow(bytesOf(random, 32).fill(0, 0, random.integer(0, 32)));
    return accountRow({
      account: {
        nonce: integerOf(random, 64),
        balanceWei: integerOf(random, 256),
        codeHash: bytesOf(random, 32),
        storageRoot: bytesOf(random, 32),
        family: bytesOf(random, 20),
      },
      storageTree: { version: random.integer(0, 2 ** 45), leafCount: random.integer(1, 2 ** 30) },
    });
  },
  judge(bytes) {
    const label = judgeRow(bytes, rewriteLeaf, (again) => again);
    if (label !== 'read') return label;
    // What is hashed is read by another way than what is executed: both must see the same account.
    const value = committedValue(bytes);
    if (bytes[0] !== LEAF_TAG.account) return `read, tag ${bytes[0]}`;
    assert.deepEqual(decodeAccountLeaf(value), accountOfRow(bytes).account);
    assert.equal(new Leaf(new Uint8Array(32), bytes).hash.length, 32);
    return 'read, an account';
  },
};

const accountLeafBytes: FuzzTarget = {
  name: 'account-leaf',
  covers: ['core/state/account-codec#decodeAccountLeaf'],
  executions: 5_000,
  generate: (random) => bytesOf(random, ACCOUNT_LEAF_BYTES),
  judge(bytes) {
    const account = decodeAccountLeaf(bytes);
    if (account === undefined) return 'refused';
    const { nonce, balanceWei, codeHash, storageRoot, family } = account;
    const integers = concatBytes(littleEndian(nonce, 8), littleEndian(balanceWei, 32));
    assertSameBytes(concatBytes(integers, codeHash, storageRoot, family), bytes, 'an account leaf is what it says');
    return 'read';
  },
};

const changeRow: FuzzTarget = {
  name: 'change-row',
  covers: ['core/state/change-rows#readChangeRow'],
  executions: 4_000,
  generate: (random) => stateRow(random, [STATE_ROW.change]).value,
  judge: (bytes) =>
    judgeRow(bytes, readChangeRow, (leaves) => {
      const operations = changeRows(0, leaves);
      return concatBytes(...operations.map((operation) => (operation.type === 'put' ? operation.value : new Uint8Array(0))));
    }),
};

const rootRow: FuzzTarget = {
  name: 'root-row',
  covers: ['core/state/tree-rows#decodeRoot'],
  executions: 8_000,
  generate: (random) =>
    encodeRoot({ hash: bytesOf(random, 32), version: random.integer(0, 2 ** 50), leafCount: random.integer(0, 2 ** 50), node: undefined }),
  judge: (bytes) => judgeRow(bytes, decodeRoot, encodeRoot),
};

/** Before the row of a node: the half-bytes of its place, and the row that it adds to, if to any. */
const nodeRow: FuzzTarget = {
  name: 'node-row',
  covers: ['core/state/tree-rows#decodeNode'],
  executions: 6_000,
  generate(random) {
    const { key, value } = stateRow(random, [STATE_ROW.node]);
    const isStorage = key[9] === 1;
    const depth = key[isStorage ? 42 : 10] as number;
    return joinParts([Uint8Array.of(depth), value, stateRow(random, [STATE_ROW.node]).value]);
  },
  judge(bytes) {
    const [place = new Uint8Array(0), row = new Uint8Array(0), base = new Uint8Array(0)] = splitParts(bytes, 3);
    const slotDepth = (place[0] ?? 0) % KEY_DEPTH;
    const version = 100;
    const path = new Uint8Array(32);
    for (const kind of ['account', 'storage'] satisfies TreeKind[]) {
      const decode = (): ReturnType<typeof decodeNode> => decodeNode((at) => (at === version ? row : base), version, kind, slotDepth, path);
      try {
        const node = decode();
        if (node.kind === 'page' && node.bases.length > 0) assert.ok(node.counts.every((count) => Number.isSafeInteger(count)));
        else assertSameBytes(encodeNode(node, slotDepth), row, 'a node re-encodes to its row');
        if (kind === 'storage') return node.kind === 'bucket' ? 'a bucket' : `a page on ${max(0, node.bases.length)} others`;
      } catch (error) {
        return ownFault(error);
      }
    }
    return 'read';
  },
};

const headRows: FuzzTarget = {
  name: 'state-head',
  covers: ['core/state/shard-head#readHead'],
  executions: 4_000,
  generate: (random) => uint64ToBytes(random.integer(0, 2 ** 50)),
  judge(bytes) {
    const whole = uint64ToBytes(7);
    const rows = (committed: Uint8Array, oldest: Uint8Array) => ({
      get: (key: Uint8Array) =>
        bytesEqual(key, committedRowKey(ROOT_SHARD)) ? committed : bytesEqual(key, oldestRowKey(ROOT_SHARD)) ? oldest : undefined,
      iterate: () => assert.fail('nothing is searched for'),
    });
    const label = judgeRow(
      bytes,
      (value) => readHead(rows(value, whole), ROOT_SHARD),
      (head) => uint64ToBytes(head?.committed ?? -1),
    );
    assert.equal(
      judgeRow(
        bytes,
        (value) => readHead(rows(whole, value), ROOT_SHARD),
        (head) => uint64ToBytes(head?.oldest ?? -1),
      ),
      label,
    );
    return label;
  },
};

/** See the file's head. */
export const STATE_ROW_TARGETS: readonly FuzzTarget[] = [leafRow, accountLeafBytes, changeRow, rootRow, nodeRow, headRows];

function rewriteLeaf(row: Uint8Array): Uint8Array {
  const key = new Uint8Array(32);
  switch (row[0]) {
    case LEAF_TAG.account:
      return accountRow(accountOfRow(row));
    case LEAF_TAG.pointer:
      return pointerLeaf(key, pointerOfRow(row)).row;
    case LEAF_TAG.slot:
      return slotRow(slotOfRow(row));
    default:
      committedValue(row);
      throw new Error(`a leaf with the tag ${row[0]} has a value`);
  }
}

function stateRow(random: SeededRandom, families: readonly number[]): Row {
  const rows = stateRowsOf().filter(({ key }) => families.includes(key[0] as number));
  invariant(rows.length > 0, `there are rows of the families ${bytesToHex(Uint8Array.from(families))}`);
  return random.pick(rows);
}

function littleEndian(value: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_unused, at) => Number((value >> BigInt(8 * at)) & 0xffn));
}
