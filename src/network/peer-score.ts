// Our own count of misbehaviour. gossipsub's scores lower nothing without topic parameters and can ban a whole devnet on one
// address, so they are switched off and this count stands instead.
//
// Only offences that no honest peer commits are ever counted, so an honest peer stays at zero whatever its load, its address or
// its connection does. Points add up and halve every `HALF_LIFE_MS`; at `REFUSE_AT_POINTS` the peer is refused for `REFUSED_MS`
// and starts again from zero. The clock is an argument.
import type { PeerName } from './ports.ts';

/** Points at which a peer is refused. */
export const REFUSE_AT_POINTS = 100;
/** How long a peer is refused. */
export const REFUSED_MS = 60_000;
/** Time in which points halve. */
export const HALF_LIFE_MS = 60_000;
/** Peers remembered; identities are free to make, so the memory is not. */
export const SCORED_PEERS_MAX = 1_024;

interface Score {
  readonly points: number;
  readonly atMs: number;
  readonly refusedUntilMs: number;
}

/** Remembers who misbehaved; owned by one network. */
export class PeerScores {
  readonly #scores = new Map<PeerName, Score>();

  /** Counts an offence; true when this one makes the peer refused from now on. */
  count(peer: PeerName, weight: number, nowMs: number): boolean {
    const before = this.#scores.get(peer);
    const points = pointsAt(before, nowMs) + Math.max(0, weight);
    const wasRefused = before !== undefined && nowMs < before.refusedUntilMs;
    const refuses = points >= REFUSE_AT_POINTS && !wasRefused;
    this.#scores.delete(peer); // To the end of the insertion order: the first one is the longest without an offence.
    this.#scores.set(peer, {
      points: refuses ? 0 : points,
      atMs: nowMs,
      refusedUntilMs: refuses ? nowMs + REFUSED_MS : (before?.refusedUntilMs ?? 0),
    });
    if (this.#scores.size > SCORED_PEERS_MAX) this.#forgetOldest();
    return refuses;
  }

  /** Points of a peer now. */
  points(peer: PeerName, nowMs: number): number {
    return pointsAt(this.#scores.get(peer), nowMs);
  }

  /** True while the peer is refused. */
  isRefused(peer: PeerName, nowMs: number): boolean {
    const score = this.#scores.get(peer);
    return score !== undefined && nowMs < score.refusedUntilMs;
  }

  /** How many peers are refused now. */
  refusedCount(nowMs: number): number {
    let count = 0;
    for (const score of this.#scores.values()) if (nowMs < score.refusedUntilMs) count++;
    return count;
  }

  #forgetOldest(): void {
    const oldest = this.#scores.keys().next();
    if (oldest.done !== true) this.#scores.delete(oldest.value);
  }
}

function pointsAt(score: Score | undefined, nowMs: number): number {
  if (score === undefined) return 0;
  return score.points * 2 ** (-Math.max(0, nowMs - score.atMs) / HALF_LIFE_MS);
}
