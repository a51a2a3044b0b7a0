import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Libp2p } from '@libp2p/interface';
import { isError } from '../../src/core/primitives/errors.ts';
import { DEFAULT_LIMITS } from '../../src/network/limits.ts';
import { peerNameOfSeed } from '../../src/network/peer-name.ts';
import { Asking } from '../../src/network/request-asking.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('asking a peer', () => {
  it('ends in time also where libp2p never answers, and aborts the stream that comes after all', async () => {
    const clock = new VirtualClock();
    const peer = await peerNameOfSeed(new Uint8Array(32).fill(1));
    const opening = Promise.withResolvers<unknown>();
    const connection = { status: 'open', newStream: () => opening.promise };
    const libp2p = { getConnections: () => [connection] } as unknown as Libp2p;
    const asking = new Asking(libp2p, DEFAULT_LIMITS, clock, { onOffence: () => assert.fail('nobody offended') });
    const asked = asking.request(peer, '/coppice/1/status', Uint8Array.of(1), { timeoutMs: 1_500, responseBytesMax: 100 }).then(
      () => assert.fail('nobody answered'),
      (error: unknown) => error,
    );
    await clock.advance(1_600);
    const error = await asked;
    assert.ok(isError(error, 'network/request-failed'));
    assert.equal(error.facts.failure, 'timeout');
    let aborted = false;
    const stream = Object.assign(new EventTarget(), { status: 'open', abort: () => (aborted = true) });
    opening.resolve(stream);
    await clock.advance(1);
    assert.ok(aborted);
  });
});
