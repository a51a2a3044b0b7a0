// Keeps the static mesh connected, for ever. libp2p's own keep-alive gives up after half a minute and nothing redials after a
// `kill -9`; a validator whose peers gave up on it is a validator lost. Retries back off from 250 ms to 2 s with jitter, so that a
// peer that comes back is connected about a second later and a dead one costs next to nothing.
//
// A peer that only said itself where it is (protocol, section 9) may have named anybody's address: tries there become rarer, up to one in half a minute.
//
// Back-off shrinks only when a peer proves useful (`onReady`): one that refuses us lets the dial succeed first and closes then.
import type { PeerName } from './ports.ts';
import type { CancelTimer, RandomFraction, Timing } from './timing.ts';

/** First retry. */
export const REDIAL_MS_MIN = 250;
/** Longest wait between two tries. */
export const REDIAL_MS_MAX = 2_000;
/** The same for a peer whose addresses are its own words. */
export const REDIAL_TOLD_MS_MAX = 30_000;
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
  readonly delayMsMax: number;
  delayMs: number;
  dialling: boolean;
  cancel: CancelTimer | undefined;
}

/** The redial loops of one node, one for each peer of the static mesh and each that said where it is. */
export class Redialler {
  readonly #targets = new Map<PeerName, Target>();
  readonly #dialler: Dialler;
  readonly #timing: Timing;
  readonly #random: RandomFraction;
  readonly #self: PeerName;
  #closed = false;

  constructor(self: PeerName, peers: readonly PeerName[], dialler: Dialler, timing: Timing, random: RandomFraction) {
    this.#dialler = dialler;
    this.#timing = timing;
    this.#random = random;
    this.#self = self;
    for (const peer of peers) this.#add(peer, REDIAL_MS_MAX);
  }

  /** A peer said where it can be reached: tried soon, whatever was tried before. */
  told(peer: PeerName): void {
    const target = this.#targets.get(peer);
    if (target === undefined) return this.#add(peer, REDIAL_TOLD_MS_MAX);
    target.delayMs = REDIAL_MS_MIN;
    if (target.cancel === undefined) return;
    target.cancel();
    this.#retryLater(peer, target);
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

  #add(peer: PeerName, delayMsMax: number): void {
    if (peer === this.#self || this.#closed) return;
    const target: Target = { delayMsMax, delayMs: REDIAL_MS_MIN, dialling: false, cancel: undefined };
    this.#targets.set(peer, target);
    this.#wait(peer, target, this.#self < peer ? 0 : SECOND_DIALLER_MS);
  }

  #retryLater(peer: PeerName, target: Target): void {
    const jitter = 0.75 + this.#random() / 2;
    this.#wait(peer, target, Math.round(target.delayMs * jitter));
    target.delayMs = Math.min(target.delayMsMax, target.delayMs * 2);
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
