// JSON for the targets that read text: any values, and a right value with one part of it made wrong.
import type { SeededRandom } from '../../../src/simulation/random.ts';

const STRINGS = [
  '',
  '0x',
  '0x0',
  '-1',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\n',
  '\u001b[2J',
  '\ud800',
  '٣',
  'x'.repeat(300),
];
const NUMBERS = [0, -0, 1, -1, 0.5, 1e21, 1e308, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 53 - 1, -(2 ** 53)];
const DEPTH_MAX = 4;

/** Parts that mutations put in. */
export const TEXT_WORDS: readonly Uint8Array[] = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u0000',
  'null',
  'true',
  '1e999',
  '-0',
  '"__proto__":',
  '0x',
  '\ufeff',
  '\n',
]
  .concat('[['.repeat(200))
  .map(textToBytes);

/** Any JSON value. */
export function jsonValue(random: SeededRandom, depth = DEPTH_MAX): unknown {
  switch (random.integer(0, depth === 0 ? 4 : 6)) {
    case 0:
      return random.pick([null, true, false]);
    case 1:
      return random.pick(NUMBERS);
    case 2:
      return random.pick(STRINGS);
    case 3:
      return `0x${'ab'.repeat(random.pick([1, 19, 20, 21, 31, 32, 33]))}`;
    case 4:
      return Array.from({ length: random.integer(0, 4) }, () => jsonValue(random, depth - 1));
    default:
      return Object.fromEntries(Array.from({ length: random.integer(0, 4) }, () => [random.pick(STRINGS), jsonValue(random, depth - 1)]));
  }
}

/** The value with something in it left out, doubled, renamed or replaced. */
export function spoiledJson(value: unknown, random: SeededRandom): unknown {
  if (random.chance(0.15)) return jsonValue(random);
  if (Array.isArray(value)) return spoiledArray(value, random);
  if (typeof value === 'object' && value !== null) return spoiledObject(value as Record<string, unknown>, random);
  if (typeof value === 'string') return spoiledString(value, random);
  return jsonValue(random, 1);
}

function spoiledArray(values: readonly unknown[], random: SeededRandom): unknown[] {
  if (values.length === 0 || random.chance(0.1)) return [...values, jsonValue(random)];
  const at = random.integer(0, values.length);
  if (random.chance(0.2)) return [...values, values[at]];
  return values.map((one, index) => (index === at ? spoiledJson(one, random) : one));
}

function spoiledObject(object: Record<string, unknown>, random: SeededRandom): Record<string, unknown> {
  const names = Object.keys(object);
  if (names.length === 0 || random.chance(0.1)) return { ...object, [random.pick(STRINGS)]: jsonValue(random) };
  const name = random.pick(names);
  const { [name]: part, ...rest } = object;
  if (random.chance(0.1)) return rest;
  if (random.chance(0.05)) return { ...rest, [`${name}s`]: part };
  return { ...object, [name]: spoiledJson(part, random) };
}

function spoiledString(text: string, random: SeededRandom): string {
  const at = random.integer(0, text.length + 1);
  return random.pick([
    random.pick(STRINGS),
    text.slice(0, at),
    `${text.slice(0, at)}${random.pick(STRINGS)}${text.slice(at)}`,
    text.toUpperCase(),
    `${text}00`,
  ]);
}

/** The text that bytes are, as a reader of files takes it. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** The bytes of a text. */
export function textToBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
