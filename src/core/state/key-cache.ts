// A bounded cache by state key: one place for each hash of a key, and the newest wins. State keys are hashes, so a few of their bytes
// are the place; whoever makes keys meet in one only makes a node read a row again.
import { bytesEqual } from '../primitives/bytes.ts';
import type { Bytes32 } from '../primitives/ids.ts';

/** What was kept last under at most `placesMax` (a power of two, up to 2^24) keys. */
export class KeyCache<T> {
  readonly #mask: number;
  readonly #keys: (Bytes32 | undefined)[];
  readonly #values: (T | undefined)[];

  constructor(placesMax: number) {
    this.#mask = placesMax - 1;
    this.#keys = new Array<Bytes32 | undefined>(placesMax).fill(undefined);
    this.#values = new Array<T | undefined>(placesMax).fill(undefined);
  }

  get(key: Bytes32): T | undefined {
    const place = this.#placeOf(key);
    const kept = this.#keys[place];
    return kept !== undefined && bytesEqual(kept, key) ? this.#values[place] : undefined;
  }

  set(key: Bytes32, value: T): void {
    const place = this.#placeOf(key);
    this.#keys[place] = key;
    this.#values[place] = value;
  }

  delete(key: Bytes32): void {
    const place = this.#placeOf(key);
    const kept = this.#keys[place];
    if (kept === undefined || !bytesEqual(kept, key)) return;
    this.#keys[place] = undefined;
    this.#values[place] = undefined;
  }

  clear(): void {
    this.#keys.fill(undefined);
    this.#values.fill(undefined);
  }

  // Of the bytes that differ within a family too.
  #placeOf(key: Bytes32): number {
    return ((key[8] as number) | ((key[9] as number) << 8) | ((key[10] as number) << 16)) & this.#mask;
  }
}
