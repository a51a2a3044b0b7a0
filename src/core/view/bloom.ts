// The logs bloom of Ethereum (yellow paper, 4.3.1): 2,048 bits, of which each address and topic sets three, so that a reader can
// tell without looking that a block has no log of an address or topic.
import { keccak256 } from '../crypto/keccak.ts';
import { addToBloom } from '../execution/logs-bloom.ts';
import type { Log } from '../protocol/message.ts';

/** Bytes of a bloom. */
export const BLOOM_BYTES = 256;

/** The bloom of no logs. Never write to it. */
export const EMPTY_BLOOM: Uint8Array = new Uint8Array(BLOOM_BYTES);

/** The bloom of the logs of one receipt. */
export function bloomOfLogs(logs: readonly Log[]): Uint8Array {
  if (logs.length === 0) return EMPTY_BLOOM;
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const log of logs) {
    addToBloom(bloom, log.address);
    for (const topic of log.topics) addToBloom(bloom, topic);
  }
  return bloom;
}

/** Adds the bits of `part` to `whole`. */
export function joinBloom(whole: Uint8Array, part: Uint8Array): void {
  if (part === EMPTY_BLOOM) return;
  for (let i = 0; i < BLOOM_BYTES; i++) whole[i] = (whole[i] as number) | (part[i] as number);
}

/** False only if no log under `bloom` has `value` as its address or as a topic. */
export function mayContain(bloom: Uint8Array, value: Uint8Array): boolean {
  const hash = keccak256(value);
  for (let pair = 0; pair < 6; pair += 2) {
    const bit = bitAt(hash, pair);
    if (((bloom[BLOOM_BYTES - 1 - (bit >> 3)] as number) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

// The low eleven bits of a big-endian pair of bytes.
function bitAt(hash: Uint8Array, pair: number): number {
  return (((hash[pair] as number) << 8) | (hash[pair + 1] as number)) & 0x7ff;
}
