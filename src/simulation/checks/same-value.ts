// Whether two values say the same: by structure, which is quick, and where that finds a difference by their texts, to which a missing field is
// one that is undefined.
import { isDeepStrictEqual } from 'node:util';
import { bytesToHex } from '../../core/primitives/bytes.ts';

/** See the file's head. */
export function saysTheSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other) || textOf(one) === textOf(other);
}

/** One text for equal values; undefined of nothing. */
export function textOf(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof Uint8Array) return bytesToHex(part);
    if (typeof part === 'bigint') return `${part}n`;
    return part instanceof Map ? [...part] : part;
  });
}
