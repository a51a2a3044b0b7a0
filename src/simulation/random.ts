// Random choices of a simulation, all from one seed. Each part of a simulation draws from a stream of its own, named by what it is
// for, so that one more choice in one part leaves all others as they were: a failure stays the same failure while it is being shrunk.
import { sha256 } from '../core/crypto/sha256.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Random } from '../runtime/ports.ts';

const TEXT = new TextEncoder();

/** A stream of random choices; equal seeds and names give equal streams. */
export class SeededRandom implements Random {
  readonly #name: string;
  #state: number;

  /** `seed` is any integer. */
  constructor(seed: number, name = '') {
    this.#name = `${seed} ${name}`;
    const mixed = sha256(TEXT.encode(this.#name));
    this.#state = new DataView(mixed.buffer, mixed.byteOffset).getUint32(0);
  }

  /** In [0, 1). mulberry32: a small, well-mixed 32-bit generator (public domain, by Tommy Ettinger). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer in [from, to). */
  integer(from: number, to: number): number {
    invariant(to > from, 'a range of integers is not empty');
    return from + Math.floor(this.next() * (to - from));
  }

  /** A number in [from, to). */
  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  /** True in this share of the cases. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of these. */
  pick<T>(items: readonly T[]): T {
    invariant(items.length > 0, 'there is something to pick');
    return items[this.integer(0, items.length)] as T;
  }

  /** So many different ones of these, in their order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const places = items.map((_item, place) => place);
    while (places.length > count) places.splice(this.integer(0, places.length), 1);
    return places.map((place) => items[place] as T);
  }

  /** With this mean, and no upper bound to speak of: 20 times the mean. */
  exponential(mean: number): number {
    return Math.min(20 * mean, -mean * Math.log(1 - this.next()));
  }
}
