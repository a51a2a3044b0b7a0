// Merkleization under the SSZ library, without making anything: the library's own makes three or four views of its buffers for every level of every
// container and list, which costs more than hashing them, and lists have twenty levels. Here what is hashed is copied to one place, where a view
// of each length is ready. What is too long for that place is the library's as before.
import { type Hasher, zeroHash } from '@chainsafe/persistent-merkle-tree';

const CHUNK_BYTES = 32;
const BLOCK_BYTES = 2 * CHUNK_BYTES;
/** 16 KiB; even. */
const CHUNKS_MAX = 512;
/** Up to here shifts count levels exactly. */
const SHIFTED_MAX = 2 ** 30;

/** The same hasher with another way through the levels of small trees. */
export function merkleizingInPlace(hasher: Hasher): Hasher {
  const place = new Uint8Array(CHUNKS_MAX * CHUNK_BYTES);
  const views = Array.from({ length: CHUNKS_MAX + 1 }, (_unused, chunks) => place.subarray(0, chunks * CHUNK_BYTES));

  // Of the chunks that are in the place.
  const writeRoot = (chunks: number, levels: number, output: Uint8Array, offset: number): void => {
    let count = chunks;
    for (let level = 0; level < levels; level++) {
      if (count % 2 === 1) place.set(zeroHash(level), count++ * CHUNK_BYTES);
      hasher.hashInto(views[count] as Uint8Array, views[count / 2] as Uint8Array);
      count /= 2;
    }
    output.set(views[1] as Uint8Array, offset);
  };

  return {
    ...hasher,
    merkleizeBlocksBytes(blocksBytes, padFor, output, offset) {
      const { length } = blocksBytes;
      const isOurs = length > 0 && length <= place.length && length % (padFor > 1 ? BLOCK_BYTES : CHUNK_BYTES) === 0 && padFor >= 1;
      if (!isOurs) return hasher.merkleizeBlocksBytes(blocksBytes, padFor, output, offset);
      place.set(blocksBytes);
      writeRoot(length / CHUNK_BYTES, levelsFor(padFor), output, offset);
    },
    merkleizeBlockArray(blocks, blockLimit, padFor, output, offset) {
      const isOurs = blockLimit > 0 && blockLimit <= CHUNKS_MAX / 2 && blockLimit <= blocks.length && padFor >= 2;
      if (!isOurs) return hasher.merkleizeBlockArray(blocks, blockLimit, padFor, output, offset);
      for (let index = 0; index < blockLimit; index++) {
        const block = blocks[index] as Uint8Array;
        if (block.length !== BLOCK_BYTES) throw new RangeError(`a block of ${block.length} bytes`);
        place.set(block, index * BLOCK_BYTES);
      }
      writeRoot(2 * blockLimit, levelsFor(padFor), output, offset);
    },
  };
}

function levelsFor(chunks: number): number {
  return chunks <= SHIFTED_MAX ? 32 - Math.clz32(chunks - 1) : Math.ceil(Math.log2(chunks));
}
