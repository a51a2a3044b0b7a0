// In which order rows lie on disk. LevelDB merges a new table with every older one whose keys lie between its first and its last, so rows of
// history, which only ever come at the end, are kept together, the height first whatever kind they are, and before all rows whose keys
// are hashes: of the older tables a new one then meets only those of the latter. (With the kinds apart, each table of 14 MB was merged
// with the whole second level: four times to seven times the bytes, on all nodes at the same moment.)
import { compareBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import { STATE_ROW } from '../core/state/row-keys.ts';
import { ROW_FAMILY } from './schema.ts';

const HEIGHT_BYTES = 8;
const CHAIN_BYTES = 8;
const CHAIN_AND_INSTANCE_BYTES = 40;
/** Before the first bytes of all rooms but that of the identity row, of which there is one. */
const HISTORY = 0x01;
const NOT_HISTORY = 255;
/** So many bytes of 0xff are above what any key has after its height: a tree and a place, or a state key. */
const ABOVE_REST_BYTES = 80;

/** Bytes between the family and the height of the keys of each family of history. */
const BYTES_BEFORE_HEIGHT = new Uint8Array(256).fill(NOT_HISTORY);
for (const family of [STATE_ROW.node, STATE_ROW.root, STATE_ROW.stale, STATE_ROW.change]) BYTES_BEFORE_HEIGHT[family] = 0;
for (const family of [
  ROW_FAMILY.viewHeader,
  ROW_FAMILY.viewAnchor,
  ROW_FAMILY.supplyTotals,
  ROW_FAMILY.beaconState,
  ROW_FAMILY.beaconPoint,
])
  BYTES_BEFORE_HEIGHT[family] = 0;
for (const family of [ROW_FAMILY.shownTransactions, ROW_FAMILY.shownReceipts]) BYTES_BEFORE_HEIGHT[family] = CHAIN_BYTES;
for (const family of [ROW_FAMILY.committedBlock, ROW_FAMILY.blockResult]) BYTES_BEFORE_HEIGHT[family] = CHAIN_AND_INSTANCE_BYTES;

/** By how many bytes a key on disk may be longer. */
export const STORED_KEY_EXTRA_BYTES = 1;

/** Writes the key under which the row of `key` lies on disk to the front of `target`, and gives its length. */
export function writeStoredKey(key: Uint8Array, target: Uint8Array): number {
  const section = sectionBytesOf(key);
  if (section === undefined) {
    target.set(key);
    return key.length;
  }
  const rest = section + HEIGHT_BYTES;
  target[0] = HISTORY;
  for (let i = 0; i < HEIGHT_BYTES; i++) target[1 + i] = key[section + i] as number;
  for (let i = 0; i < section; i++) target[1 + HEIGHT_BYTES + i] = key[i] as number;
  for (let i = rest; i < key.length; i++) target[1 + i] = key[i] as number;
  return key.length + STORED_KEY_EXTRA_BYTES;
}

/** The key of the row that lies under `stored`. */
export function keyOfStored(stored: Uint8Array): Uint8Array {
  if (stored[0] !== HISTORY) return stored;
  const section = 1 + (BYTES_BEFORE_HEIGHT[stored[1 + HEIGHT_BYTES] as number] as number);
  const key = new Uint8Array(stored.length - STORED_KEY_EXTRA_BYTES);
  key.set(stored.subarray(1 + HEIGHT_BYTES, 1 + HEIGHT_BYTES + section));
  key.set(stored.subarray(1, 1 + HEIGHT_BYTES), section);
  key.set(stored.subarray(1 + HEIGHT_BYTES + section), section + HEIGHT_BYTES);
  return key;
}

/** Where in the order of disk the rows of one section of history lie: those that share everything before the height. */
export interface HistorySection {
  /** Bounds on disk of the range [gte, lt) of keys; rows of other sections lie in between. */
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  /** -1, 0 or 1: whether a row on disk lies before, in or after the section's rows of its height. */
  compare(stored: Uint8Array): number;
  /** Below all rows of the section at the height of `stored`, or (`after`) above them. */
  edge(stored: Uint8Array, after: boolean): Uint8Array;
  /** The same at the next height up or down; undefined where there is none. */
  nextEdge(stored: Uint8Array, down: boolean): Uint8Array | undefined;
}

/** The section of history that the range [gte, lt) of keys lies in; undefined when it is no range of history. */
export function historySectionOf(gte: Uint8Array, lt: Uint8Array): HistorySection | undefined {
  const [family] = gte;
  invariant(family !== undefined && (lt[0] === family || (lt.length === 1 && lt[0] === family + 1)), 'a range lies in one family');
  const before = BYTES_BEFORE_HEIGHT[family] as number;
  if (before === NOT_HISTORY) return undefined;
  const length = 1 + before;
  const section = gte.slice(0, length);
  const isWithin = lt.length >= length && compareBytes(lt.subarray(0, length), section) === 0;
  invariant(gte.length >= length && (isWithin || length === 1), 'a range of history lies in one section');
  return {
    gte: boundOf(gte, length),
    lt: isWithin ? boundOf(lt, length) : Uint8Array.of(HISTORY + 1),
    compare(stored) {
      for (let i = 0; i < length; i++) {
        const difference = (stored[1 + HEIGHT_BYTES + i] ?? 0) - (section[i] as number);
        if (difference !== 0) return difference < 0 ? -1 : 1;
      }
      return 0;
    },
    edge: (stored, after) => edgeOf(stored.subarray(1, 1 + HEIGHT_BYTES), section, after),
    nextEdge(stored, down) {
      const height = neighbourOf(stored.subarray(1, 1 + HEIGHT_BYTES), down);
      return height === undefined ? undefined : edgeOf(height, section, down);
    },
  };
}

// Family and what stands before the height; undefined for rows that are no history.
function sectionBytesOf(key: Uint8Array): number | undefined {
  const before = BYTES_BEFORE_HEIGHT[key[0] as number] as number;
  if (before === NOT_HISTORY || key.length < 1 + before + HEIGHT_BYTES) return undefined;
  return 1 + before;
}

// A bound may end within the height, as if zeros followed.
function boundOf(key: Uint8Array, section: number): Uint8Array {
  const whole = new Uint8Array(Math.max(key.length, section + HEIGHT_BYTES));
  whole.set(key);
  const stored = new Uint8Array(whole.length + STORED_KEY_EXTRA_BYTES);
  writeStoredKey(whole, stored);
  return stored;
}

function edgeOf(height: Uint8Array, section: Uint8Array, after: boolean): Uint8Array {
  const edge = new Uint8Array(1 + HEIGHT_BYTES + section.length + (after ? ABOVE_REST_BYTES : 0));
  edge[0] = HISTORY;
  edge.set(height, 1);
  edge.set(section, 1 + HEIGHT_BYTES);
  if (after) edge.fill(0xff, edge.length - ABOVE_REST_BYTES);
  return edge;
}

function neighbourOf(height: Uint8Array, down: boolean): Uint8Array | undefined {
  const next = height.slice();
  for (let i = HEIGHT_BYTES - 1; i >= 0; i--) {
    const byte = next[i] as number;
    next[i] = down ? byte - 1 : byte + 1;
    if (byte !== (down ? 0 : 0xff)) return next;
  }
  return undefined;
}
