// How a memory is bounded that may forget: what came first goes first.

/** A map or a set, which keep the order in which entries came. */
interface Memory<Key> {
  readonly size: number;
  keys(): Iterable<Key>;
  delete(key: Key): boolean;
}

/** Takes out what came first until there are at most `entriesMax` entries. */
export function forgetOldest<Key>(memory: Memory<Key>, entriesMax: number): void {
  for (const oldest of memory.keys()) {
    if (memory.size <= entriesMax) return;
    memory.delete(oldest);
  }
}
