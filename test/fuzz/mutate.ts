// Changes to an encoding: those that find faults of decoders. All from one stream of random choices.
import { concatBytes } from '../../src/core/primitives/bytes.ts';
import type { SeededRandom } from '../../src/simulation/random.ts';

/** Longest input that mutations make; corpora stay small, and lengths beyond are said rather than filled. */
export const INPUT_BYTES_MAX = 16 * 1024;

const CHANGES_MAX = 5;
const INSERTED_BYTES_MAX = 64;
const EXTREME_BYTES: readonly number[] = [0, 1, 0x7f, 0x80, 0x81, 0xb7, 0xb8, 0xbf, 0xc0, 0xf7, 0xf8, 0xfe, 0xff];
/** Lengths and offsets at the edges of what 32 and 64 bits, a double and the formats hold. */
const EXTREME_NUMBERS: readonly bigint[] = [
  0n,
  1n,
  3n,
  4n,
  5n,
  0xffn,
  0x1_0000n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

type Change = (bytes: Uint8Array, random: SeededRandom, others: Others) => Uint8Array;

/** What mutations take parts from. */
export interface Others {
  /** Another input of the same target. */
  readonly other: Uint8Array;
  readonly words: readonly Uint8Array[];
}

/** The bytes with one to five changes. */
export function mutate(bytes: Uint8Array, random: SeededRandom, others: Others): Uint8Array {
  let mutant: Uint8Array = bytes.slice();
  for (let left = random.integer(1, CHANGES_MAX + 1); left > 0; left--) mutant = random.pick(CHANGES)(mutant, random, others);
  return mutant.length > INPUT_BYTES_MAX ? mutant.slice(0, INPUT_BYTES_MAX) : mutant;
}

/** Bytes that follow no format: any, or few different ones. */
export function randomBytes(random: SeededRandom): Uint8Array {
  const length = random.chance(0.2) ? random.integer(0, 2_048) : random.integer(0, 64);
  const few = random.chance(0.3);
  return Uint8Array.from({ length }, () => (few ? random.pick(EXTREME_BYTES) : random.integer(0, 256)));
}

const flipBit: Change = (bytes, random) => {
  if (bytes.length === 0) return bytes;
  const at = random.integer(0, bytes.length);
  bytes[at] = (bytes[at] as number) ^ (1 << random.integer(0, 8));
  return bytes;
};

const setByte: Change = (bytes, random) => {
  if (bytes.length > 0) bytes[random.integer(0, bytes.length)] = random.chance(0.5) ? random.pick(EXTREME_BYTES) : random.integer(0, 256);
  return bytes;
};

const addToByte: Change = (bytes, random) => {
  if (bytes.length === 0) return bytes;
  const at = random.integer(0, bytes.length);
  bytes[at] = (bytes[at] as number) + random.pick([-4, -1, 1, 4]);
  return bytes;
};

const truncate: Change = (bytes, random) => bytes.slice(0, random.integer(0, bytes.length + 1));

const extend: Change = (bytes, random) => concatBytes(bytes, someBytes(random));

const insert: Change = (bytes, random, { words }) => {
  const part = words.length > 0 && random.chance(0.7) ? random.pick(words) : someBytes(random);
  const at = random.integer(0, bytes.length + 1);
  return concatBytes(bytes.subarray(0, at), part, bytes.subarray(at));
};

const removeRange: Change = (bytes, random) => {
  const [from, to] = range(bytes, random);
  return concatBytes(bytes.subarray(0, from), bytes.subarray(to));
};

const repeatRange: Change = (bytes, random) => {
  const [from, to] = range(bytes, random);
  const times = random.chance(0.1) ? random.integer(2, 64) : 1;
  return concatBytes(bytes.subarray(0, to), ...Array.from({ length: times }, () => bytes.slice(from, to)), bytes.subarray(to));
};

const moveRange: Change = (bytes, random) => {
  const [from, to] = range(bytes, random);
  const rest = concatBytes(bytes.subarray(0, from), bytes.subarray(to));
  const at = random.integer(0, rest.length + 1);
  return concatBytes(rest.subarray(0, at), bytes.slice(from, to), rest.subarray(at));
};

const splice: Change = (bytes, random, { other }) => {
  const [from, to] = range(other, random);
  const at = random.integer(0, bytes.length + 1);
  const until = random.chance(0.5) ? bytes.length : Math.min(bytes.length, at + to - from);
  return concatBytes(bytes.subarray(0, at), other.slice(from, to), bytes.subarray(until));
};

const setNumber: Change = (bytes, random) => {
  const length = random.pick([2, 4, 4, 4, 8, 8]);
  if (bytes.length < length) return bytes;
  const number = random.chance(0.8) ? random.pick(EXTREME_NUMBERS) : BigInt(bytes.length + random.integer(-8, 9));
  const at = random.integer(0, bytes.length - length + 1);
  const littleEndian = random.chance(0.6);
  for (let i = 0; i < length; i++) {
    const shift = BigInt(8 * (littleEndian ? i : length - 1 - i));
    bytes[at + i] = Number((number >> shift) & 0xffn);
  }
  return bytes;
};

const fillRange: Change = (bytes, random) => {
  const [from, to] = range(bytes, random);
  return bytes.fill(random.pick([0, 0xff, 0x80]), from, to);
};

const CHANGES: readonly Change[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  addToByte,
  truncate,
  extend,
  insert,
  removeRange,
  repeatRange,
  moveRange,
  splice,
  splice,
  setNumber,
  setNumber,
  setNumber,
  fillRange,
];

function someBytes(random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length: random.integer(1, INSERTED_BYTES_MAX) }, () => random.integer(0, 256));
}

// Short ranges more often than long ones.
function range(bytes: Uint8Array, random: SeededRandom): readonly [from: number, to: number] {
  const from = random.integer(0, bytes.length + 1);
  const longest = random.chance(0.7) ? Math.min(40, bytes.length - from) : bytes.length - from;
  return [from, from + random.integer(0, longest + 1)];
}
