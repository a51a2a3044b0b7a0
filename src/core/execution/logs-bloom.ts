// The header's bloom over all logs of a block (yellow paper, 4.3.1): each address and topic sets three of 2,048 bits.
import { keccak256 } from '../crypto/keccak.ts';
import type { MessageResult } from '../protocol/message.ts';

const BLOOM_BYTES = 256;

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
  const hash = keccak256(value);
  for (let pair = 0; pair < 6; pair += 2) {
    const bit = (((hash[pair] as number) << 8) | (hash[pair + 1] as number)) & 0x7ff;
    const index = BLOOM_BYTES - 1 - (bit >> 3);
    bloom[index] = (bloom[index] as number) | (1 << (bit & 7));
  }
}
