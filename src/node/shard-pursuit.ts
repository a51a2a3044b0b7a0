// Keeps an instance of a shard from staying behind the beacon. Who is no member of an instance's committee says nothing in it, so nobody tells him what he
// has missed of its end; and what the beacon has anchored for a whole block of its own, others have had for long.
import type { BeaconState } from '../core/beacon/state.ts';
import type { Height, TimestampMs } from '../core/primitives/ids.ts';
import type { Clock } from '../runtime/ports.ts';
import type { Chain } from './create-chain.ts';
import { instancesOf, lastHeaderOf } from './shard-succession.ts';

/** An instance that is over for the beacon, and goes on here: its end is asked for at most so often. */
const GREET_INTERVAL_MS = 1_000;

/** See the file's head. */
export class ShardPursuit {
  readonly #chain: Pick<Chain, 'instance' | 'blocks' | 'runner' | 'catchUp'>;
  readonly #clock: Clock;
  /** How far the instance was anchored at the beacon block before. */
  #anchoredHeight: Height = 0;
  #greetedAtMs: TimestampMs = 0;

  constructor(chain: Pick<Chain, 'instance' | 'blocks' | 'runner' | 'catchUp'>, clock: Clock) {
    this.#chain = chain;
    this.#clock = clock;
  }

  /** The beacon has gone on to this state. */
  onBeacon(state: BeaconState): void {
    const { instance, blocks, catchUp } = this.#chain;
    const { chain: shard, epoch } = instance;
    const { height: ownHeight } = blocks.committed.facts;
    const entry = state.records.find(({ record }) => record.shard === shard && record.epoch === epoch);
    if (entry !== undefined && !entry.closed) {
      const { hash, height, round } = entry.progress;
      if (round > 0 && ownHeight < this.#anchoredHeight) catchUp.requestCommitted({ hash, height });
      this.#anchoredHeight = height;
      return;
    }
    const successor = instancesOf(state, shard).find(({ record }) => record.epoch > epoch);
    if (successor !== undefined) {
      // Where the beacon took over, nobody has an end to tell of.
      if (ownHeight < this.#anchoredHeight) catchUp.requestCommitted(lastHeaderOf(successor.record));
      this.#anchoredHeight = successor.record.height;
    }
    this.#askForEnd();
  }

  #askForEnd(): void {
    const { runner } = this.#chain;
    const nowMs = this.#clock.nowMs();
    if (runner.state.closed !== undefined || nowMs < this.#greetedAtMs + GREET_INTERVAL_MS) return;
    this.#greetedAtMs = nowMs;
    runner.greet();
  }
}
