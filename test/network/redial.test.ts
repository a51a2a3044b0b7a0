import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Dialler, REDIAL_MS_MAX, REDIAL_MS_MIN, REDIAL_TOLD_MS_MAX, Redialler, SECOND_DIALLER_MS } from '../../src/network/redial.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('the redial loop', () => {
  it('tries for ever, ever more slowly up to two seconds', async () => {
    const { clock, dials } = world();
    await clock.advance(600_000);
    assert.ok(dials.length > 600_000 / (1.25 * REDIAL_MS_MAX));
    const gaps = dials.slice(1).map((atMs, index) => atMs - (dials[index] as number));
    assert.ok((gaps[0] as number) <= 1.25 * REDIAL_MS_MIN);
    for (const gap of gaps) assert.ok(gap >= 0.75 * REDIAL_MS_MIN && gap <= 1.25 * REDIAL_MS_MAX);
  });

  it('connects a peer that comes back within two and a half seconds', async () => {
    const { clock, dials, peer } = world();
    await clock.advance(60_000);
    peer.isThere = true;
    await clock.advance(1.25 * REDIAL_MS_MAX);
    assert.ok(peer.connected);
    const before = dials.length;
    await clock.advance(60_000);
    assert.equal(dials.length, before);
  });

  it('starts again quickly after a peer was of use, slowly after one that only let itself be dialled', async () => {
    for (const useful of [true, false]) {
      const { clock, dials, peer, redialler } = world();
      await clock.advance(60_000);
      peer.isThere = true;
      await clock.advance(1.25 * REDIAL_MS_MAX);
      if (useful) redialler.onReady('b');
      peer.connected = false;
      peer.isThere = false;
      redialler.ensure();
      const lostMs = clock.nowMs();
      await clock.advance(3_000);
      const gapMs = (dials.find((atMs) => atMs > lostMs) as number) - lostMs;
      assert.equal(gapMs <= 1.25 * REDIAL_MS_MIN, useful, `${gapMs} ms`);
    }
  });

  it('tries what a peer said of itself soon, and ever more rarely, up to half a minute', async () => {
    const { clock, dials, peer, redialler } = world('a', 'b', []);
    await clock.advance(10_000);
    assert.equal(dials.length, 0, 'nobody is known');
    redialler.told('b');
    await clock.advance(600_000);
    const gaps = dials.slice(1).map((atMs, index) => atMs - (dials[index] as number));
    assert.ok((gaps[0] as number) <= 1.25 * REDIAL_MS_MIN);
    assert.ok(
      gaps.slice(-5).every((gap) => gap >= 0.75 * REDIAL_TOLD_MS_MAX && gap <= 1.25 * REDIAL_TOLD_MS_MAX),
      String(gaps),
    );
    peer.isThere = true;
    redialler.told('b');
    await clock.advance(1_000);
    assert.ok(peer.connected, 'what is said again is tried at once');
  });

  it('leaves the first try to the peer with the smaller name', async () => {
    const first = world('a', 'b');
    const second = world('b', 'a');
    await first.clock.advance(1);
    await second.clock.advance(SECOND_DIALLER_MS - 1);
    assert.deepEqual([first.dials.length, second.dials.length], [1, 0]);
    await second.clock.advance(1);
    assert.equal(second.dials.length, 1);
  });

  it('dials nobody that is refused, and again when that is over', async () => {
    const { clock, dials, peer } = world();
    peer.isWelcome = false;
    await clock.advance(60_000);
    assert.equal(dials.length, 0);
    peer.isWelcome = true;
    await clock.advance(3_000);
    assert.ok(dials.length > 0);
  });

  it('stops when it is closed', async () => {
    const { clock, dials, redialler } = world();
    await clock.advance(1_000);
    redialler.close();
    const before = dials.length;
    redialler.ensure();
    await clock.advance(60_000);
    assert.equal(dials.length, before);
  });
});

interface World {
  readonly clock: VirtualClock;
  readonly dials: number[];
  readonly peer: { isThere: boolean; connected: boolean; isWelcome: boolean };
  readonly redialler: Redialler;
}

function world(self = 'a', other = 'b', peers = [other, self]): World {
  const clock = new VirtualClock();
  const dials: number[] = [];
  const peer = { isThere: false, connected: false, isWelcome: true };
  const dialler: Dialler = {
    isConnected: () => peer.connected,
    mayDial: () => peer.isWelcome,
    dial: async () => {
      dials.push(clock.nowMs());
      if (!peer.isThere) throw new Error('unreachable');
      peer.connected = true;
    },
  };
  let fraction = 0;
  const random = () => {
    fraction = (fraction + 0.37) % 1;
    return fraction;
  };
  return { clock, dials, peer, redialler: new Redialler(self, peers, dialler, clock, random) };
}
