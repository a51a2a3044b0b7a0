// A bounded cache by state key: one place for each hash of a key, and the newest wins. State keys are hashes, so a few of their bytes
// are the place; whoever makes keys meet in one only makes a node read a row again.
import { bytesEqual } from '../primitives/bytes.ts';
import type { Bytes32 } from '../primitives/ids.ts';

const PLACES_PER_PAGE = 256;

interface Kept<T> {
  readonly key: Bytes32;
  readonly value: T;
}

/** What was kept last under at most `placesMax` (a power of two, up to 2^24) keys. Places are made, a page at a time, when they are needed. */
export class KeyCache<T> {
  readonly #mask: number;
  readonly #pages: (Kept<T> | undefined)[][] = [];

  constructor(placesMax: number) {
    this.#mask = placesMax - 1;
  }

  get(key: Bytes32): T | undefined {
    const place = this.#placeOf(key);
    const kept = this.#pages[place >>> 8]?.[place & (PLACES_PER_PAGE - 1)];
    return kept !== undefined && bytesEqual(kept.key, key) ? kept.value : undefined;
  }

  set(key: Bytes32, value: T): void {
    const place = this.#placeOf(key);
    let page = this.#pages[place >>> 8];
    if (page === undefined) {
      page = new Array<Kept<T> | undefined>(PLACES_PER_PAGE).fill(undefined);
      this.#pages[place >>> 8] = page;
    }
    page[place & (PLACES_PER_PAGE - 1)] = { key, value };
  }

  delete(key: Bytes32): void {
    const place = this.#placeOf(key);
    const page = this.#pages[place >>> 8];
    const kept = page?.[place & (PLACES_PER_PAGE - 1)];
    if (page === undefined || kept === undefined || !bytesEqual(kept.key, key)) return;
    page[place & (PLACES_PER_PAGE - 1)] = undefined;
  }

  clear(): void {
    this.#pages.length = 0;
  }

  // Of the bytes that differ within a family too.
  #placeOf(key: Bytes32): number {
    return ((key[8] as number) | ((key[9] as number) << 8) | ((key[10] as number) << 16)) & this.#mask;
  }
}
