// A bounded cache: two generations, of which the older is forgotten when the newer is full. About as good as forgetting the least
// recently used, at the price of one Map access for what is in use.

/** A map that keeps at least the `entriesMax / 2` entries used last, and never more than `entriesMax`. */
export class RecentMap<K, V> {
  readonly #generationMax: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  constructor(entriesMax: number) {
    this.#generationMax = Math.max(1, Math.floor(entriesMax / 2));
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#generationMax && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  /** What is kept; an entry may come twice. */
  *values(): Generator<V> {
    yield* this.#young.values();
    yield* this.#old.values();
  }
}
