// The machines and links of the scale study, in virtual time: each validator has one core, which does one thing after the other, and one link,
// which sends one byte after the other; one way to another region takes half of the published round trip and a little more.
import type { SeededRandom } from '../../src/simulation/random.ts';
import { WAN_REGIONS, wanOneWayMs } from '../../src/simulation/wan.ts';
import type { VirtualTime } from '../../test/core/consensus/driver-world.ts';
import type { Validator } from './validator.ts';

const LINK_BITS_PER_MS = 1_000_000; // 1 Gbit/s
const JITTER_SHARE = 0.1;

/** See the file's head. */
export class Machines {
  readonly validators: readonly Validator[];
  readonly time: VirtualTime;
  readonly #random: SeededRandom;

  constructor(validators: readonly Validator[], time: VirtualTime, random: SeededRandom) {
    this.validators = validators;
    this.time = time;
    this.#random = random;
  }

  /** To everybody else, one copy each. */
  broadcast(from: Validator, bytes: number, arrive: (to: Validator) => void): void {
    const size = this.validators.length;
    for (let offset = 1; offset < size; offset++) {
      const to = this.validators[(from.index + offset) % size] as Validator;
      this.send(from, to, bytes, () => arrive(to));
    }
  }

  /** To one; who is silent hears it and does nothing about it. */
  send(from: Validator, to: Validator, bytes: number, arrive: () => void): void {
    from.sentBytes += bytes;
    from.linkFreeAtMs = Math.max(from.linkFreeAtMs, this.time.nowMs) + (bytes * 8) / LINK_BITS_PER_MS;
    const regions = WAN_REGIONS.length;
    const oneWayMs = wanOneWayMs(from.index % regions, to.index % regions) * (1 + this.#random.next() * JITTER_SHARE);
    if (to.isSilent) return;
    this.time.schedule(from.linkFreeAtMs + oneWayMs - this.time.nowMs, () => {
      to.receivedBytes += bytes;
      arrive();
    });
  }

  /** Time of the core for something that nothing waits for. */
  spend(validator: Validator, ms: number): void {
    validator.busyUntilMs = Math.max(validator.busyUntilMs, this.time.nowMs) + ms;
    validator.cpuMs += ms;
  }

  /** Time of the core, and what comes of it when it is done. */
  work(validator: Validator, ms: number, then: () => void): void {
    this.spend(validator, ms);
    this.time.schedule(validator.busyUntilMs - this.time.nowMs, then);
  }
}
