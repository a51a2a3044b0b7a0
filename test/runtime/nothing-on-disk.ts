// What a shelf is given where nothing is to be read from a disk.
import type { OutboxReader } from '../../src/runtime/spilled-bundles.ts';

export const nothingOnDisk: OutboxReader = () => {
  throw new Error('nothing is on disk');
};
