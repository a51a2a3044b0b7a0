// What is fuzzed: a decoder with what must hold of it for any bytes, and how its valid inputs are made.
import assert from 'node:assert/strict';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import type { Verdict } from '../../src/core/primitives/verdict.ts';
import type { SeededRandom } from '../../src/simulation/random.ts';

/** One decoder, or a few that read the same bytes. */
export interface FuzzTarget {
  /** kebab-case; also the name of the folder of its corpus. */
  readonly name: string;
  /** The decoders of `src` that it runs, as `file#export`, the file without `src/` and `.ts`. */
  readonly covers: readonly string[];
  /** Inputs that `npm test` gives it. */
  readonly executions: number;
  /** One input may take so long, unless this says otherwise: `SLOWEST_MS`. */
  readonly slowestMs?: number;
  /** The share of inputs that are generated and not changed: great for text, most changes of which are no text of its kind any more. */
  readonly generatedShare?: number;
  /** Parts that mutations put in: words of a text format. */
  readonly words?: readonly Uint8Array[];
  /** A generated value's encoding. Throws when that does not decode to the value. */
  generate(random: SeededRandom): Uint8Array | Promise<Uint8Array>;
  /** What the decoder makes of any bytes, in a few words: how inputs are told apart. Throws when a property does not hold. */
  judge(bytes: Uint8Array): string | Promise<string>;
}

/** Time for one input on a busy machine: far above what any honest encoding takes. */
export const SLOWEST_MS = 500;

const LABEL_CHARACTERS_MAX = 96;

/** The label of a refusal: its numbers, places and quotations left out, or every input would be news. */
export function refusal(reason: string, detail: string): string {
  const kind = detail
    .replace(/"(?:[^"\\]|\\.)*"?|'[^']*'|`[^`]*`/g, '…')
    .replace(/[^ -~…]+/g, '¿')
    .replace(/0x[0-9a-f]*|\d+(?:\.\d+)*/gi, '#')
    .slice(0, LABEL_CHARACTERS_MAX);
  return `refused ${reason}: ${kind}`;
}

/** Judges a decoder that gives a verdict: what it accepts has exactly the one encoding that it came in. */
export function judgeCanonical<T>(bytes: Uint8Array, verdict: Verdict<T>, encode: (value: T) => Uint8Array): string {
  if (!verdict.ok) return refusal(verdict.reason, verdict.detail);
  assertSameBytes(encode(verdict.value), bytes, 'what is accepted re-encodes to the same bytes');
  return 'accepted';
}

/** The same for a decoder of our own rows, which may only throw what names a broken promise or a damaged disk. */
export function judgeRow<T>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T, encode: (value: T) => Uint8Array): string {
  let value: T;
  try {
    value = decode(bytes);
  } catch (error) {
    return ownFault(error);
  }
  assertSameBytes(encode(value), bytes, 'what is read back re-encodes to the same bytes');
  return 'read';
}

/** The label of an error that a reader of our own rows may throw; throws every other one on. */
export function ownFault(error: unknown): string {
  if (error instanceof CoppiceError) return `refused ${String(error.code)}`;
  if (error instanceof Error && error.message.startsWith('invariant broken: ')) return refusal('invariant', error.message);
  throw error;
}

/** Asserts that two encodings are the same; says where they part. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, promise: string): void {
  const length = Math.max(actual.length, expected.length);
  for (let at = 0; at < length; at++) {
    if (actual[at] === expected[at]) continue;
    assert.fail(`${promise}: byte ${at} is ${actual[at] ?? 'missing'} instead of ${expected[at] ?? 'nothing'}`);
  }
}
