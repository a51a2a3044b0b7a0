// What serving large answers may cost: so many bytes a second for one peer, and so many for all. A request is a few bytes and what it asks for
// are megabytes that have to be read and encoded, so counting requests (network/limits.ts) does not bound the work.
import type { PeerName } from '../network/ports.ts';
import { type Bucket, fullBucket, type RateLimit, tryTake } from '../network/rate-limit.ts';
import type { Clock } from '../runtime/ports.ts';

/** Peers whose buckets are remembered: a new connection must not bring a fresh burst. */
const PEERS_MAX = 1_024;

/** How much is served. */
export interface ByteRates {
  readonly ofPeer: RateLimit;
  readonly inAll: RateLimit;
}

/** See the file's head. */
export class ByteRation {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #rates: ByteRates;
  readonly #ofPeers = new Map<PeerName, Bucket>();
  #inAll: Bucket;

  constructor(clock: Pick<Clock, 'nowMs'>, rates: ByteRates) {
    this.#clock = clock;
    this.#rates = rates;
    this.#inAll = fullBucket(rates.inAll, clock.nowMs());
  }

  /** True if so many bytes may be served to the peer now; they count as served then. */
  admits(peer: PeerName, bytes: number): boolean {
    const nowMs = this.#clock.nowMs();
    const { ofPeer, inAll } = this.#rates;
    const own = tryTake(this.#ofPeers.get(peer) ?? fullBucket(ofPeer, nowMs), ofPeer, bytes, nowMs);
    const all = tryTake(this.#inAll, inAll, bytes, nowMs);
    if (own === undefined || all === undefined) return false;
    this.#inAll = all;
    this.#remember(peer, own);
    return true;
  }

  #remember(peer: PeerName, bucket: Bucket): void {
    this.#ofPeers.delete(peer); // To the end: the first one is the longest without a request.
    this.#ofPeers.set(peer, bucket);
    for (const oldest of this.#ofPeers.keys()) {
      if (this.#ofPeers.size <= PEERS_MAX) return;
      this.#ofPeers.delete(oldest);
    }
  }
}
