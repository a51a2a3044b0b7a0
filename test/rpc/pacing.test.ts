// Long work for clients lets the node live.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkTurns } from '../../src/rpc/pacing.ts';

/** A host whose turns end when the test says so. */
class Host {
  nowMs = 0;
  #timers: (() => void)[] = [];
  readonly turns = new WorkTurns({
    nowMs: () => this.nowMs,
    schedule: (_delayMs, callback) => {
      this.#timers.push(callback);
      return () => {
        this.#timers = this.#timers.filter((timer) => timer !== callback);
      };
    },
  });

  get isIdle(): boolean {
    return this.#timers.length === 0;
  }

  /** Work of so many steps of one millisecond. */
  async work(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      await this.turns.rest();
      this.nowMs += 1;
    }
  }

  /** Ends a turn; gives how long the next one kept the host. */
  async turn(): Promise<number> {
    const startMs = this.nowMs;
    for (const timer of this.#timers.splice(0)) timer();
    await new Promise((resolve) => setImmediate(resolve));
    return this.nowMs - startMs;
  }
}

describe('long work', () => {
  it('goes on while its turn lasts, rests when it is over, and then has another turn', async () => {
    const host = new Host();
    const done = host.work(20);
    assert.equal(host.nowMs, 0, 'nothing before the first turn');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(host.nowMs, 8);
    assert.deepEqual([await host.turn(), await host.turn(), await host.turn()], [8, 4, 0]);
    await done;
    assert.ok(host.isIdle, 'and no timer is left');
  });

  it('of many clients has one turn together, one after the other', async () => {
    const host = new Host();
    const done = Promise.all(Array.from({ length: 50 }, () => host.work(16)));
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(host.nowMs <= 50 + 8, 'at most a first step of each');
    let longestMs = 0;
    while (!host.isIdle) longestMs = Math.max(longestMs, await host.turn());
    await done;
    assert.equal(host.nowMs, 800, 'all is done');
    assert.ok(longestMs <= 9, `one turn of ${longestMs} ms`);
  });

  it('of many short steps fills the turns that follow, however many wait', async () => {
    const host = new Host();
    const done = Promise.all(Array.from({ length: 100 }, () => host.work(3)));
    await new Promise((resolve) => setImmediate(resolve));
    let turns = 0;
    for (; !host.isIdle; turns++) await host.turn();
    await done;
    assert.equal(host.nowMs, 300);
    assert.ok(turns <= 60, `${turns} turns for 300 steps of a millisecond, of which a turn has room for 8`);
  });

  it('that is short does not wait while the turn lasts', async () => {
    const host = new Host();
    await Promise.all([host.work(1), host.work(1), host.work(1)]);
    assert.equal(host.nowMs, 3);
    await host.turn();
    assert.ok(host.isIdle);
  });

  it('is let go when the node stops', async () => {
    const host = new Host();
    const done = host.work(9);
    await new Promise((resolve) => setImmediate(resolve));
    host.turns.close();
    await done;
    assert.ok(host.isIdle);
  });
});
