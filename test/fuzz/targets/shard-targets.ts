// What one node hands another of a shard's state, and what is proved of it; and the rows that keep a shard that was split or merged.
import assert from 'node:assert/strict';
import { keccak256 } from '../../../src/core/crypto/keccak.ts';
import { hash64 } from '../../../src/core/crypto/sha256.ts';
import { bytesEqual, concatBytes, uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import { decodePointerProof, PointerProof, verifyPointerProof } from '../../../src/core/shard/pointer-proof.ts';
import { EMPTY_CODE_HASH } from '../../../src/core/state/account-codec.ts';
import { decodeClosedLife, encodeClosedLife } from '../../../src/core/state/closed-life.ts';
import { accountRow, committedValue, LEAF_TAG, leafHash } from '../../../src/core/state/leaf.ts';
import { verifyShardProof } from '../../../src/core/state/proof.ts';
import { closedRowKey, lastClosedRowKey, nodeRowKey, prunedRowKey } from '../../../src/core/state/row-keys.ts';
import { readLastClosed, readPruned } from '../../../src/core/state/shard-head.ts';
import { verifyShardRoot } from '../../../src/core/state/shard-proof.ts';
import { decodeStateChunk, StateChunk } from '../../../src/core/state/state-chunk.ts';
import { encodeStaleKeys, readStaleKeys } from '../../../src/core/state/state-history.ts';
import type { SeededRandom } from '../../../src/simulation/random.ts';
import { FAR_CONTRACT, FAR_FAMILY, NEAR_CONTRACT, NO_CONTRACT, proofOf, viewWith } from '../../core/shard/shard-setup.ts';
import { type FuzzTarget, judgeCanonical, judgeRow, refusal } from '../target.ts';
import { bytesOf, integerOf } from './values.ts';

type Chunk = ReturnType<typeof StateChunk.deserialize>;

const stateChunk: FuzzTarget = {
  name: 'state-chunk',
  covers: ['core/state/state-chunk#decodeStateChunk', 'core/state/state-chunk#StateChunk'],
  executions: 2_000,
  generate(random) {
    const chunk = chunkOf(random);
    const encoded = StateChunk.serialize(chunk);
    const decoded = decodeStateChunk(encoded);
    assert.ok(decoded.ok && StateChunk.equals(decoded.value, chunk));
    return encoded;
  },
  judge(bytes) {
    const verdict = decodeStateChunk(bytes);
    if (!verdict.ok) return refusal(verdict.reason, verdict.detail);
    assert.ok(verdict.value.leaves.length > 0 && verdict.value.codes.length <= verdict.value.leaves.length);
    return judgeCanonical(bytes, verdict, (value) => StateChunk.serialize(value));
  },
};

/** A chunk of a state, with accounts, pointers, slots and code. */
export function chunkOf(random: SeededRandom): Chunk {
  const leaves: Chunk['leaves'] = [];
  const codes: Uint8Array[] = [];
  const count = random.integer(1, 6);
  const continues = random.chance(0.3);
  for (let index = 0; index < count; index++) {
    const key = new Uint8Array(32);
    key.set([index, random.integer(0, 256)]);
    const isAccount = (continues && index === 0) || random.chance(0.7);
    const code = isAccount && random.chance(0.5) ? bytesOf(random, random.integer(1, 40)) : undefined;
    const isNew = code !== undefined && !codes.some((known) => bytesEqual(known, code));
    if (isNew && !(continues && index === 0)) codes.push(code);
    const codeHash = code === undefined ? EMPTY_CODE_HASH : keccak256(code);
    const slots = Array.from({ length: isAccount ? random.integer(continues && index === 0 ? 1 : 0, 4) : 0 }, (_unused, place) => ({
      key: new Uint8Array(32).fill(place + 1),
      value: new Uint8Array(32).fill(1 + random.integer(0, 255)),
    }));
    leaves.push({ tag: isAccount ? LEAF_TAG.account : LEAF_TAG.pointer, key, value: leafValueOf(random, isAccount, codeHash), slots });
  }
  return { continues, leaves, codes };
}

function leafValueOf(random: SeededRandom, isAccount: boolean, codeHash: Uint8Array): Uint8Array {
  if (!isAccount) return bytesOf(random, 20);
  const account = {
    nonce: integerOf(random, 64),
    balanceWei: integerOf(random, 256),
    codeHash,
    storageRoot: new Uint8Array(32),
    family: bytesOf(random, 20),
  };
  return committedValue(accountRow({ account, storageTree: undefined }));
}

/** Below a shard at depth 2; its leaf is the only one, so of its 14 siblings within the shard all are empty. */
const SHARD = 6;
const KEY = new Uint8Array(32).fill(0x9c);
const FAMILY = new Uint8Array(20).fill(7);
const ROOT = rootAbove(2, 16, leafHash(LEAF_TAG.pointer, KEY, FAMILY));
const WORLD_ROOT = rootAbove(0, 2, ROOT);

function rootAbove(from: number, to: number, leaf: Uint8Array): Uint8Array {
  let hash = leaf;
  for (let depth = to - 1; depth >= from; depth--) {
    const isRight = (((KEY[depth >>> 3] as number) >>> (7 - (depth & 7))) & 1) === 1;
    hash = isRight ? hash64(new Uint8Array(32), hash) : hash64(hash, new Uint8Array(32));
  }
  return hash;
}

/** Siblings above the shard, and within. */
const shardProof: FuzzTarget = {
  name: 'shard-proof',
  covers: ['core/state/proof#verifyShardProof', 'core/state/shard-proof#verifyShardRoot'],
  executions: 2_000,
  generate: () => concatBytes(new Uint8Array(2 * 32), new Uint8Array(14 * 32), Uint8Array.of(LEAF_TAG.pointer), KEY, FAMILY),
  judge(bytes) {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < 16 * 32; at += 32) parts.push(bytes.subarray(at, at + 32));
    const [tag = 9] = bytes.subarray(16 * 32);
    const leaf = { tag, key: bytes.subarray(16 * 32 + 1, 17 * 32 + 1), value: bytes.subarray(17 * 32 + 1) };
    const shard = verifyShardRoot(WORLD_ROOT, SHARD, ROOT, parts.slice(0, 2));
    const own = verifyShardProof(SHARD, ROOT, KEY, { key: KEY, siblings: parts.slice(2), leaf });
    if (shard.ok)
      assert.ok(
        parts.slice(0, 2).every((part) => bytesEqual(part, new Uint8Array(32))),
        'a shard has one proof',
      );
    if (!own.ok) return `${shard.ok}, ${refusal(own.reason, own.detail)}`;
    assert.deepEqual(own.value, { tag: LEAF_TAG.pointer, key: KEY, value: FAMILY });
    return `${shard.ok}, proven`;
  },
};

/** Against a world in which one address has a pointer and another that shares its way has none. */
const pointerProof: FuzzTarget = {
  name: 'pointer-proof',
  covers: [
    'core/shard/pointer-proof#PointerProof',
    'core/shard/pointer-proof#decodePointerProof',
    'core/shard/pointer-proof#verifyPointerProof',
  ],
  executions: 1_000,
  generate: (random) => proofOf(random.chance(0.5) ? FAR_CONTRACT : NO_CONTRACT, random.chance(0.5) ? 2 : undefined),
  judge(bytes) {
    const decoded = decodePointerProof(bytes);
    if (!decoded.ok) return refusal(decoded.reason, decoded.detail);
    assert.deepEqual(PointerProof.serialize(decoded.value), bytes);
    const { target, epoch } = decoded.value;
    const family = verifyPointerProof(decoded.value, viewWith());
    if (!family.ok) return refusal(family.reason, family.detail);
    if (bytesEqual(target, FAR_CONTRACT)) assert.deepEqual(family.value, FAR_FAMILY, 'a pointer has one family');
    else if (!bytesEqual(target, NEAR_CONTRACT)) assert.equal(family.value, undefined, 'nobody else has one');
    if (bytesEqual(target, FAR_CONTRACT) || bytesEqual(target, NO_CONTRACT))
      assert.deepEqual(proofOf(target, epoch[0]), bytes, 'a fact has one proof against one root');
    return 'proven';
  },
};

const LIFE_KEY = closedRowKey(5, 77);

const closedLife: FuzzTarget = {
  name: 'closed-life',
  covers: ['core/state/closed-life#decodeClosedLife'],
  executions: 4_000,
  generate: (random) =>
    encodeClosedLife({
      shard: 5,
      end: 77,
      oldest: random.integer(0, 78),
      pruned: random.integer(0, 78),
      endBefore: random.chance(0.5) ? undefined : random.integer(0, 70),
      isForgotten: random.chance(0.5),
      nodeKeys: keysOf(random),
    }),
  judge: (bytes) => judgeRow(bytes, (row) => decodeClosedLife(LIFE_KEY, row), encodeClosedLife),
};

const staleKeys: FuzzTarget = {
  name: 'stale-keys',
  covers: ['core/state/state-history#readStaleKeys'],
  executions: 2_000,
  generate: (random) => encodeStaleKeys(keysOf(random)),
  judge: (bytes) => judgeRow(bytes, readStaleKeys, encodeStaleKeys),
};

function keysOf(random: SeededRandom): Uint8Array[] {
  return Array.from({ length: random.integer(0, 5) }, () =>
    nodeRowKey(random.integer(0, 2 ** 40), undefined, random.integer(0, 64), bytesOf(random, 32)),
  );
}

const shardHead: FuzzTarget = {
  name: 'shard-head',
  covers: ['core/state/shard-head#readPruned', 'core/state/shard-head#readLastClosed'],
  executions: 1_000,
  generate: (random) => uint64ToBytes(random.integer(0, 2 ** 50)),
  judge(bytes) {
    const rowsOf = (key: Uint8Array) => ({
      get: (asked: Uint8Array) => (bytesEqual(asked, key) ? bytes : undefined),
      iterate: () => assert.fail('nothing is searched for'),
    });
    const label = judgeRow(bytes, () => readPruned(rowsOf(prunedRowKey(5)), 5), uint64ToBytes);
    assert.equal(
      judgeRow(
        bytes,
        () => readLastClosed(rowsOf(lastClosedRowKey(5)), 5),
        (height) => uint64ToBytes(height ?? -1),
      ),
      label,
    );
    return label;
  },
};

/** See the file's head. */
export const SHARD_TARGETS: readonly FuzzTarget[] = [stateChunk, shardProof, pointerProof, closedLife, staleKeys, shardHead];
