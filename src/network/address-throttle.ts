// Slows down whoever is thrown out and comes back under a new name: names are free to make, and a handshake costs us milliseconds.
// An address from which a format was broken lately may open only a few connections a second. It is no ban: a devnet has one
// address for all its nodes, honest ones keep the connections that they have, are dialled by us, and get their turn.
import { type Bucket, fullBucket, type RateLimit, tryTake } from './rate-limit.ts';

/** Connections of a suspect address. */
export const SUSPECT_RATE: RateLimit = { perSecond: 3, burst: 6 };
/** How long an address stays suspect after its last offence. */
export const SUSPECT_MS = 60_000;
/** Addresses remembered. */
const ADDRESSES_MAX = 1_024;

interface Suspect {
  readonly untilMs: number;
  readonly bucket: Bucket;
}

/** The suspect addresses of one node. */
export class AddressThrottle {
  readonly #suspects = new Map<string, Suspect>();

  /** A format was broken from this address. */
  suspect(address: string, nowMs: number): void {
    const bucket = this.#suspects.get(address)?.bucket ?? fullBucket(SUSPECT_RATE, nowMs);
    this.#suspects.delete(address); // To the end: the first one is the longest without an offence.
    this.#suspects.set(address, { untilMs: nowMs + SUSPECT_MS, bucket });
    if (this.#suspects.size <= ADDRESSES_MAX) return;
    const oldest = this.#suspects.keys().next();
    if (oldest.done !== true) this.#suspects.delete(oldest.value);
  }

  /** Whether the address may open one more connection now; counts it if so. */
  admits(address: string, nowMs: number): boolean {
    const suspect = this.#suspects.get(address);
    if (suspect === undefined) return true;
    if (nowMs >= suspect.untilMs) return this.#suspects.delete(address);
    const bucket = tryTake(suspect.bucket, SUSPECT_RATE, 1, nowMs);
    if (bucket === undefined) return false;
    this.#suspects.set(address, { untilMs: suspect.untilMs, bucket });
    return true;
  }
}
