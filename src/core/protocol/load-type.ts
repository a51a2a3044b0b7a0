// The load in a header, hashed as a whole. A library takes each of its fifteen entries and their numbers by themselves, which was more than half of
// the time that a header's hash took; here a level of all of them is one call.
import { ContainerType, type ValueOf, VectorCompositeType } from '@chainsafe/ssz';
import { hash64, hashPairs } from '../crypto/sha256.ts';
import { LOAD_DESCENDANTS } from './limits.ts';
import { Uint64 } from './ssz.ts';

/** Load of one subtree: gas bought and inbox gas, backlog in weight, leaves of state. */
export const LoadEntry = new ContainerType(
  { gas: Uint64, backlog: Uint64, stateLeaves: Uint64 },
  { typeName: 'LoadEntry', jsonCase: 'eth2' },
);

export type LoadEntry = ValueOf<typeof LoadEntry>;

const Descendants = new VectorCompositeType(LoadEntry, LOAD_DESCENDANTS);
const FIELDS = { whole: LoadEntry, descendants: Descendants };

interface LoadValue {
  readonly whole: LoadEntry;
  readonly descendants: readonly LoadEntry[];
}

const CHUNK_BYTES = 32;
/** Three numbers, and a chunk of zeros to make them a full tree. */
const ENTRY_BYTES = 4 * CHUNK_BYTES;
const ENTRIES = LOAD_DESCENDANTS + 1;
/** Places of a full tree over the descendants. */
const WIDTH = 2 ** Math.ceil(Math.log2(LOAD_DESCENDANTS));
const TWO_32 = 2 ** 32;

const leaves = new Uint8Array(ENTRIES * ENTRY_BYTES);
const numbers = new DataView(leaves.buffer);
const halves = new Uint8Array(ENTRIES * 2 * CHUNK_BYTES);
/** Roots of the entries, the whole's first; then what is above those of the descendants, level by level in place. */
const roots = new Uint8Array((1 + WIDTH) * CHUNK_BYTES);
const entryRoots = roots.subarray(0, ENTRIES * CHUNK_BYTES);
const wholeRoot = roots.subarray(0, CHUNK_BYTES);
const levels = levelsIn(roots.subarray(CHUNK_BYTES));

/** See the file's head. */
export class LoadType extends ContainerType<typeof FIELDS> {
  constructor() {
    super(FIELDS, { typeName: 'Load', jsonCase: 'eth2' });
  }

  override hashTreeRootInto({ whole, descendants }: LoadValue, output: Uint8Array, offset: number): void {
    writeEntry(0, whole);
    for (let index = 0; index < LOAD_DESCENDANTS; index++) writeEntry(index + 1, descendants[index] as LoadEntry);
    hashPairs(leaves, halves);
    hashPairs(halves, entryRoots);
    roots.fill(0, ENTRIES * CHUNK_BYTES); // A vector is padded with chunks of zeros.
    for (const { below, above } of levels) hashPairs(below, above);
    hash64(wholeRoot, roots.subarray(CHUNK_BYTES, 2 * CHUNK_BYTES), output.subarray(offset, offset + CHUNK_BYTES));
  }
}

function writeEntry(index: number, { gas, backlog, stateLeaves }: LoadEntry): void {
  const offset = index * ENTRY_BYTES;
  writeNumber(offset, gas);
  writeNumber(offset + CHUNK_BYTES, backlog);
  writeNumber(offset + 2 * CHUNK_BYTES, stateLeaves);
}

function writeNumber(offset: number, value: number): void {
  numbers.setUint32(offset, value % TWO_32, true);
  numbers.setUint32(offset + 4, Math.floor(value / TWO_32), true);
}

function levelsIn(tree: Uint8Array): readonly { readonly below: Uint8Array; readonly above: Uint8Array }[] {
  const found: { below: Uint8Array; above: Uint8Array }[] = [];
  for (let width = WIDTH; width > 1; width /= 2)
    found.push({ below: tree.subarray(0, width * CHUNK_BYTES), above: tree.subarray(0, (width / 2) * CHUNK_BYTES) });
  return found;
}
