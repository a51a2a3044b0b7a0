// Keeps the static mesh connected, for ever. libp2p's own keep-alive gives up after half a minute and nothing redials after a
// `kill -9`; a validator whose peers gave up on it is a validator lost. Retries back off from 250 ms to 2 s with jitter, so that a
// peer that comes back is connected about a second later and a dead one costs next to nothing.
//
// Back-off shrinks only when a peer proves useful (`onReady`): one that refuses us lets the dial succeed first and closes then.
import type { PeerName } from './ports.ts';
import type { CancelTimer, RandomFraction, Timing } from './timing.ts';

/** First retry. */
export const REDIAL_MS_MIN = 250;
/** Longest wait between two tries. */
export const REDIAL_MS_MAX = 2_000;
/** Of two peers that start together the one with the greater name waits, so that they rarely dial each other at once. */
export const SECOND_DIALLER_MS = 400;

/** What redialling needs from the network. */
export interface Dialler {
  isConnected(peer: PeerName): boolean;
  /** False while we refuse the peer ourselves. */
  mayDial(peer: PeerName): boolean;
  dial(peer: PeerName): Promise<void>;
}

interface Target {
  delayMs: number;
  dialling: boolean;
  cancel: CancelTimer | undefined;
}

/** The redial loops of one node, one for each peer of the static mesh. */
export class Redialler {
  readonly #targets = new Map<PeerName, Target>();
  readonly #dialler: Dialler;
  readonly #timing: Timing;
  readonly #random: RandomFraction;
  #closed = false;

  constructor(self: PeerName, peers: readonly PeerName[], dialler: Dialler, timing: Timing, random: RandomFraction) {
    this.#dialler = dialler;
    this.#timing = timing;
    this.#random = random;
    for (const peer of peers) {
      if (peer === self) continue;
      const target: Target = { delayMs: REDIAL_MS_MIN, dialling: false, cancel: undefined };
      this.#targets.set(peer, target);
      this.#wait(peer, target, self < peer ? 0 : SECOND_DIALLER_MS);
    }
  }

  /** The peer answered: the next loss is retried quickly again. */
  onReady(peer: PeerName): void {
    const target = this.#targets.get(peer);
    if (target !== undefined) target.delayMs = REDIAL_MS_MIN;
  }

  /** Sees to it that every peer without a connection has a dial or a timer under way; cheap, call it whenever something closed. */
  ensure(): void {
    for (const [peer, target] of this.#targets) {
      if (target.dialling || target.cancel !== undefined || this.#dialler.isConnected(peer)) continue;
      this.#retryLater(peer, target);
    }
  }

  /** Stops all loops. */
  close(): void {
    this.#closed = true;
    for (const target of this.#targets.values()) target.cancel?.();
    this.#targets.clear();
  }

  #retryLater(peer: PeerName, target: Target): void {
    const jitter = 0.75 + this.#random() / 2;
    this.#wait(peer, target, Math.round(target.delayMs * jitter));
    target.delayMs = Math.min(REDIAL_MS_MAX, target.delayMs * 2);
  }

  #wait(peer: PeerName, target: Target, delayMs: number): void {
    if (this.#closed) return;
    target.cancel = this.#timing.schedule(delayMs, () => {
      target.cancel = undefined;
      void this.#try(peer, target);
    });
  }

  async #try(peer: PeerName, target: Target): Promise<void> {
    if (this.#closed || this.#dialler.isConnected(peer)) return;
    if (this.#dialler.mayDial(peer)) {
      target.dialling = true;
      try {
        await this.#dialler.dial(peer);
      } catch {
        // Unreachable, refused, too slow: all the same, try again.
      }
      target.dialling = false;
    }
    if (!this.#dialler.isConnected(peer)) this.#retryLater(peer, target);
  }
}
