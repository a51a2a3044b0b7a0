import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_LIMITS } from '../../src/network/limits.ts';
import { ATTACKED_TOPIC, attackOn, HONEST_MARK, honestPair, under } from './network-attack-fixture.ts';
import { pause, until } from './network-fixture.ts';

describe('a node under attack by a raw libp2p peer', { concurrency: 3 }, () => {
  const gossipModes = [
    ['gossip-random', 'gossip-frame'],
    ['gossip-garbage-frames', 'gossip-frame-malformed'],
    ['gossip-garbage-messages', 'message-unknown-compression'],
    ['gossip-unknown-topics', 'topic-not-followed'],
    ['gossip-bombs', 'message-bad-compression'],
    ['gossip-oversized', 'gossip-frame-too-large'],
  ] as const;
  for (const [mode, counted] of gossipModes) {
    it(`in mode ${mode} counts it, forwards none of it, and keeps serving the honest`, async (test) => {
      const { first, second, received } = await honestPair(test);
      const { bytes } = await under(attackOn(test, first, mode, [ATTACKED_TOPIC], 1_100), async () => {
        for (let round = 0; round < 3; round++) {
          await first.pubSub.publish(ATTACKED_TOPIC, Uint8Array.of(HONEST_MARK, round));
          await pause(200);
        }
      });
      if (mode === 'gossip-oversized') assert.ok(bytes >= 10 * DEFAULT_LIMITS.messageBytesMax, `${bytes} bytes sent`);
      const refused = Object.entries(first.stats().refused).filter(([reason]) => reason.startsWith(counted));
      assert.ok(refused.length > 0, JSON.stringify(first.stats().refused));
      await until(() => received.length >= 3, 'the honest messages have arrived');
      assert.ok(
        received.every((data) => data[0] === HONEST_MARK),
        'nothing of the attack was forwarded',
      );
      assert.deepEqual(first.peers.connected(), [second.self]);
      assert.equal(Object.keys(second.stats().misbehaviour).length, 0);
    });
  }
});
