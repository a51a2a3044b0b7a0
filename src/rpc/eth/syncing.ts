// eth_syncing: false, or how far a node that catches up has come.
import { type JsonValue, quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import type { SyncProgress } from '../ports.ts';

/** See the file's head. */
export const syncing = defineMethod('eth_syncing', [], ({ ports }) => formatProgress(ports.view.syncing()));

/** The answer, also for subscriptions. */
export function formatProgress(progress: SyncProgress | undefined): JsonValue {
  if (progress === undefined) return false;
  return {
    startingBlock: quantity(progress.startingBlock),
    currentBlock: quantity(progress.currentBlock),
    highestBlock: quantity(progress.highestBlock),
  };
}
