// A state on its way to another node: leaves in order of their keys, in chunks of bounded size, each account with its storage slots and its
// code. Storage may be larger than a chunk: then the next one continues it. Code goes with the accounts that begin in the chunk, once each.
//
// A chunk shows by itself whether it is well formed, in order, and has the right code; that nothing is missing, wrong or foreign shows in the
// roots that the receiver computes (import-leaves.ts).
import { BooleanType, ByteListType, ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { keccak256 } from '../crypto/keccak.ts';
import { bytesEqual, bytesToHex, compareBytes, ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32 } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { CODE_BYTES_MAX } from '../protocol/gas.ts';
import { Bytes32Type, decodeCanonical, Uint8 } from '../protocol/ssz.ts';
import { ACCOUNT_LEAF_BYTES, EMPTY_CODE_HASH } from './account-codec.ts';
import { LEAF_TAG } from './leaf.ts';

/** Bytes of a chunk: what a node makes or takes in one go, some 800 accounts in about 10 ms. */
export const CHUNK_BYTES_MAX = 128 * 1024;
/** The least that these take of a chunk's bytes: a pointer 65, a slot 64, a code 5. */
const LEAVES_PER_CHUNK_MAX = 2_048;
const SLOTS_PER_CHUNK_MAX = 2_048;
const CODES_PER_CHUNK_MAX = 2_048;
const POINTER_LEAF_BYTES = 20;

/** A storage slot: its key in the storage tree, and its value, which is not zero. */
const ChunkSlot = new ContainerType({ key: Bytes32Type, value: Bytes32Type }, { typeName: 'ChunkSlot', jsonCase: 'eth2' });
export type ChunkSlot = ValueOf<typeof ChunkSlot>;

/** An account or a pointer: tag, key and value as its hash commits them. */
const ChunkLeaf = new ContainerType(
  {
    tag: Uint8,
    key: Bytes32Type,
    value: new ByteListType(ACCOUNT_LEAF_BYTES),
    slots: new ListCompositeType(ChunkSlot, SLOTS_PER_CHUNK_MAX),
  },
  { typeName: 'ChunkLeaf', jsonCase: 'eth2' },
);
export type ChunkLeaf = ValueOf<typeof ChunkLeaf>;

/** See the file's head. */
export const StateChunk = new ContainerType(
  {
    /** The first leaf is the last one of the chunk before, with more of its slots. */
    continues: new BooleanType(),
    leaves: new ListCompositeType(ChunkLeaf, LEAVES_PER_CHUNK_MAX),
    /** Of the accounts that begin here, in order of their first use. */
    codes: new ListCompositeType(new ByteListType(CODE_BYTES_MAX), CODES_PER_CHUNK_MAX),
  },
  { typeName: 'StateChunk', jsonCase: 'eth2' },
);
export type StateChunk = ValueOf<typeof StateChunk>;

/** What an encoding takes: the whole without its lists, and each item of them. */
export const CHUNK_BYTES = { chunk: 9, leaf: 45, slot: 64, code: 4 } as const;

/** Why bytes are no chunk. */
export type ChunkFault = 'too-large' | 'malformed' | 'not-canonical' | 'wrong-leaf' | 'wrong-order' | 'wrong-code';

/** The chunk that foreign bytes are. */
export function decodeStateChunk(bytes: Uint8Array): Verdict<StateChunk, ChunkFault> {
  if (bytes.length > CHUNK_BYTES_MAX) return refuse('too-large', `${bytes.length} bytes`);
  const decoded = decodeCanonical(StateChunk, bytes);
  if (!decoded.ok) return decoded;
  const chunk = decoded.value;
  const [first] = chunk.leaves;
  if (first === undefined || !chunk.leaves.every(isWellFormed)) return refuse('wrong-leaf', 'a leaf is an account or a pointer');
  if (chunk.continues && first.slots.length === 0) return refuse('wrong-leaf', 'what continues has more slots');
  if (!ascend(chunk.leaves) || !chunk.leaves.every(({ slots }) => ascend(slots))) return refuse('wrong-order', 'keys ascend');
  return hasItsCodes(chunk) ? accept(chunk) : refuse('wrong-code', 'each code once, in the order of the accounts that have it');
}

/** Where a chunk ends: behind this an export goes on (export-leaves.ts). */
export function endOfChunk({ leaves }: StateChunk): { readonly key: Bytes32; readonly slot: Bytes32 | undefined } {
  const last = leaves.at(-1);
  invariant(last !== undefined, 'a chunk has a leaf');
  return { key: last.key, slot: last.slots.at(-1)?.key };
}

/** The code hash of an account's leaf. */
export function codeHashOf(value: Uint8Array): Uint8Array {
  return value.subarray(CODE_HASH_AT, CODE_HASH_AT + 32);
}

/** True for a leaf that has code. */
export function hasCode({ tag, value }: Pick<ChunkLeaf, 'tag' | 'value'>): boolean {
  return tag === LEAF_TAG.account && !bytesEqual(codeHashOf(value), EMPTY_CODE_HASH);
}

const CODE_HASH_AT = 40;

function isWellFormed({ tag, value, slots }: ChunkLeaf): boolean {
  if (tag === LEAF_TAG.pointer) return value.length === POINTER_LEAF_BYTES && slots.length === 0;
  return tag === LEAF_TAG.account && value.length === ACCOUNT_LEAF_BYTES && slots.every((slot) => !bytesEqual(slot.value, ZERO_32));
}

function ascend(items: readonly { readonly key: Uint8Array }[]): boolean {
  return items.every((item, index) => index === 0 || compareBytes((items[index - 1] as { key: Uint8Array }).key, item.key) < 0);
}

function hasItsCodes({ continues, leaves, codes }: StateChunk): boolean {
  const known = new Set<string>();
  let next = 0;
  for (const leaf of continues ? leaves.slice(1) : leaves) {
    if (!hasCode(leaf)) continue;
    const name = bytesToHex(codeHashOf(leaf.value));
    if (known.has(name)) continue;
    const code = codes[next++];
    if (code === undefined || bytesToHex(keccak256(code)) !== name) return false;
    known.add(name);
  }
  return next === codes.length;
}
