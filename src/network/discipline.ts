// What follows from misbehaviour: it is counted (peer-score.ts), logged, and at the threshold the peer is refused for a while. The
// network asks here before it lets anybody in and before it dials.
import { LabelledCounters } from './counters.ts';
import type { NetworkLog } from './log.ts';
import { PeerScores, REFUSED_MS } from './peer-score.ts';
import type { PeerName } from './ports.ts';
import type { Timing } from './timing.ts';

/** The misbehaviour of all peers of one node. */
export class Discipline {
  readonly offences = new LabelledCounters();
  readonly #scores = new PeerScores();
  readonly #timing: Timing;
  readonly #log: NetworkLog;
  #onRefused: (peer: PeerName) => void = () => undefined;

  constructor(timing: Timing, log: NetworkLog) {
    this.#timing = timing;
    this.#log = log;
  }

  /** Peers that are refused now. */
  get refusedCount(): number {
    return this.#scores.refusedCount(this.#timing.nowMs());
  }

  /** Called when a peer becomes refused. */
  onRefused(listener: (peer: PeerName) => void): void {
    this.#onRefused = listener;
  }

  /** See `Peers.misbehaved`. */
  misbehaved(peer: PeerName, reason: string, weight: number): void {
    this.offences.add(reason);
    this.#log('debug', 'peer-misbehaved', { peer, reason, weight });
    if (!this.#scores.count(peer, weight, this.#timing.nowMs())) return;
    this.#log('warn', 'peer-refused', { peer, reason, forMs: REFUSED_MS });
    this.#onRefused(peer);
  }

  /** True while the peer is refused. */
  isRefused(peer: PeerName): boolean {
    return this.#scores.isRefused(peer, this.#timing.nowMs());
  }
}
