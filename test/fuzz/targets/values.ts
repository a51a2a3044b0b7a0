// Values that several targets generate.
import type { Type } from '@chainsafe/ssz';
import type { SeededRandom } from '../../../src/simulation/random.ts';
import { generateValue } from '../../core/protocol/generate-value.ts';

/** So many bytes, some of them long runs of one value. */
export function bytesOf(random: SeededRandom, length: number): Uint8Array {
  if (random.chance(0.2)) return new Uint8Array(length).fill(random.integer(0, 256));
  return Uint8Array.from({ length }, () => random.integer(0, 256));
}

/** Up to `countMax` arrays of up to 120 bytes. */
export function messages(random: SeededRandom, countMax: number): Uint8Array[] {
  return Array.from({ length: random.integer(0, countMax + 1) }, () => bytesOf(random, random.integer(0, 120)));
}

/** A value of an SSZ type. */
export function sszValue<T>(type: Type<T>, random: SeededRandom): T {
  return generateValue(type as Type<unknown>, (below) => random.integer(0, below)) as T;
}

/** An integer of up to so many bits: small ones and the greatest are as likely as those in between. */
export function integerOf(random: SeededRandom, bits: number): bigint {
  if (random.chance(0.2)) return BigInt(random.integer(0, 4));
  if (random.chance(0.1)) return 2n ** BigInt(bits) - 1n;
  let value = 0n;
  const used = random.integer(1, bits + 1);
  for (let left = used; left > 0; left -= 24) value = (value << 24n) | BigInt(random.integer(0, 2 ** 24));
  return BigInt.asUintN(used, value);
}
