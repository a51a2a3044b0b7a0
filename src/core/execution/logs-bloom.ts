// The header's bloom over all logs of a block (yellow paper, 4.3.1): each address and topic sets three of 2,048 bits.
//
// The same contracts, events and accounts come again and again, so the bits of recent values are remembered: a hash costs 0.6 µs, and a
// block of ERC-20 transfers asks three times for four values of each log (here, in its receipt, and in the view's header).
import { keccak256 } from '../crypto/keccak.ts';
import { bytesEqual } from '../primitives/bytes.ts';
import type { MessageResult } from '../protocol/message.ts';

const BLOOM_BYTES = 256;
const BITS_PER_VALUE = 3;
/** Values whose bits are remembered, each at the place that its last bytes name; another with that place takes it. */
const REMEMBERED_MAX = 4096;

const rememberedValues: (Uint8Array | undefined)[] = new Array(REMEMBERED_MAX).fill(undefined);
const rememberedBits = new Uint16Array(BITS_PER_VALUE * REMEMBERED_MAX);

/** The bloom of the logs of these items; 256 zero bytes where nothing was logged. */
export function logsBloomOf(results: readonly MessageResult[]): Uint8Array {
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const { logs } of results) {
    for (const log of logs) {
      addToBloom(bloom, log.address);
      for (const topic of log.topics) addToBloom(bloom, topic);
    }
  }
  return bloom;
}

/** Sets the three bits of an address or topic. */
export function addToBloom(bloom: Uint8Array, value: Uint8Array): void {
  const place = remember(value);
  for (let i = place; i < place + BITS_PER_VALUE; i++) {
    const bit = rememberedBits[i] as number;
    const index = BLOOM_BYTES - 1 - (bit >> 3);
    bloom[index] = (bloom[index] as number) | (1 << (bit & 7));
  }
}

/** True when all three bits of an address or topic are set: the bloom says that some log may have it. */
export function isInBloom(bloom: Uint8Array, value: Uint8Array): boolean {
  const place = remember(value);
  for (let i = place; i < place + BITS_PER_VALUE; i++) {
    const bit = rememberedBits[i] as number;
    if (((bloom[BLOOM_BYTES - 1 - (bit >> 3)] as number) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

// Where in `rememberedBits` the value's bits are: the low eleven bits of the first three big-endian pairs of bytes of its hash.
function remember(value: Uint8Array): number {
  const slot = ((value[value.length - 1] as number) | ((value[value.length - 2] as number) << 8)) & (REMEMBERED_MAX - 1);
  const place = BITS_PER_VALUE * slot;
  const known = rememberedValues[slot];
  if (known !== undefined && bytesEqual(known, value)) return place;
  const hash = keccak256(value);
  for (let i = 0; i < BITS_PER_VALUE; i++)
    rememberedBits[place + i] = (((hash[2 * i] as number) << 8) | (hash[2 * i + 1] as number)) & 0x7ff;
  rememberedValues[slot] = value.slice();
  return place;
}
