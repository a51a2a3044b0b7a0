// Whether two values say the same, and what they say. Compared field by field, which is quick; texts are made of what differs only.
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';

/** Equal in all fields; one that is undefined is none. */
export function saysTheSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) return a instanceof Uint8Array && b instanceof Uint8Array && bytesEqual(a, b);
  if (a instanceof Map || b instanceof Map) return a instanceof Map && b instanceof Map && saysTheSame([...a], [...b]);
  if (Array.isArray(a) && a.length !== (b as ArrayLike<unknown>).length) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const name of Object.keys(left)) if (!saysTheSame(left[name], right[name])) return false;
  for (const name of Object.keys(right)) if (right[name] !== undefined && left[name] === undefined) return false;
  return true;
}

/** One text for equal values. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof Uint8Array) return bytesToHex(part);
    if (typeof part === 'bigint') return `${part}n`;
    return part instanceof Map ? [...part] : part;
  });
}
