// The logs bloom of one receipt, and of a block the blooms of its receipts together (yellow paper, 4.3.1).
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
