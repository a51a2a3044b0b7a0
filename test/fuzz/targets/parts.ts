// Several byte strings as one input: each but the last after its length in two bytes. What is cut off is shorter, and never an error.
import { concatBytes } from '../../../src/core/primitives/bytes.ts';

const LENGTH_BYTES = 2;

/** One input of several parts, each but the last shorter than 64 KiB. */
export function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...parts.flatMap((part, at) => (at === parts.length - 1 ? [part] : [lengthOf(part), part])));
}

/** The parts of any bytes. */
export function splitParts(bytes: Uint8Array, count: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (let part = 1; part < count; part++) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    parts.push(bytes.slice(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
    at += LENGTH_BYTES + length;
  }
  return [...parts, bytes.slice(at)];
}

function lengthOf({ length }: Uint8Array): Uint8Array {
  return Uint8Array.of(length >>> 8, length & 0xff);
}
