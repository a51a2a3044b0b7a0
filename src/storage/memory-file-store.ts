// Files in memory, for tests and the simulator: every call is durable when it resolves, as the port promises. A test can tear the next
// write in place after some bytes, as a crash in its midst does.
import { CoppiceError } from '../core/primitives/errors.ts';
import type { FileStore } from './file-store.ts';

/** The memory file store and what only a test asks of it. */
export interface MemoryFileStore extends FileStore {
  /** The next write in place stops after `bytes` and fails; the files then are what a restart finds. */
  tearNextWrite(bytes: number): void;
  /** Flips one bit of a file, as a failing medium does. */
  flipBit(path: string, bit: number): void;
}

/** No files yet. */
export function createMemoryFileStore(): MemoryFileStore {
  const files = new Map<string, Uint8Array>();
  let tornAfterBytes: number | undefined;

  const writeInPlace = async (path: string, offset: number, bytes: Uint8Array): Promise<void> => {
    const content = files.get(path)?.slice() ?? new Uint8Array();
    const written = tornAfterBytes === undefined ? bytes : bytes.subarray(0, tornAfterBytes);
    content.set(written, offset);
    files.set(path, content);
    if (tornAfterBytes === undefined) return;
    tornAfterBytes = undefined;
    throw new CoppiceError('storage/unavailable', { path, detail: 'the write was made to tear' });
  };

  return {
    read: async (path) => files.get(path)?.slice(),
    replaceSynced: async (path, bytes) => {
      files.set(path, bytes.slice());
    },
    openSlots: async (path, fresh) => {
      const content = files.get(path) ?? fresh.slice();
      if (content.length !== fresh.length)
        throw new CoppiceError('storage/corrupt', { path, detail: `${content.length} bytes, expected ${fresh.length}` });
      files.set(path, content);
      return { initialBytes: content.slice(), writeSynced: (offset, bytes) => writeInPlace(path, offset, bytes), close: async () => {} };
    },
    list: async (path) => {
      const folder = path === '.' ? '' : `${path}/`;
      return [...files.keys()]
        .filter((name) => name.startsWith(folder))
        .map((name) => name.slice(folder.length))
        .sort();
    },
    remove: async (path) => {
      files.delete(path);
    },
    tearNextWrite(bytes) {
      tornAfterBytes = bytes;
    },
    flipBit(path, bit) {
      const content = files.get(path);
      if (content !== undefined) content[bit >>> 3] = (content[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
    },
  };
}
