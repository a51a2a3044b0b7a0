// What a node that has a shard's state answers: parts of bounded size, so many at once and in a second, and nothing but what it has.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { CHUNK_BYTES_MAX } from '../../src/core/state/state-chunk.ts';
import { createStateDatabase } from '../../src/core/state/state-database.ts';
import type { PeerName, RequestHandler } from '../../src/network/ports.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import type { ByteRates } from '../../src/sync/byte-ration.ts';
import {
  ANSWER_CHUNKS_MAX,
  decodeStateFrame,
  decodeStateRequest,
  encodeStateFrame,
  encodeStateRequest,
  STATE_ANSWER_BYTES_MAX,
  type StateAnswer,
} from '../../src/sync/state-protocol.ts';
import { STATE_ANSWERS_AT_ONCE_MAX, serveStates } from '../../src/sync/state-transfer-server.ts';
import { HEIGHT, makeServedState, type ServedState, serving } from './served-state.ts';

let served: ServedState;
before(async () => {
  served = await makeServedState();
});

const servingIt = (clock: VirtualClock, rates?: ByteRates): RequestHandler => serving(clock, createStateDatabase(served.full, 2), rates);

describe('a server of states', () => {
  const frames = async (handler: RequestHandler, body: Uint8Array): Promise<readonly StateAnswer[]> => {
    const answers: StateAnswer[] = [];
    for await (const frame of handler('peer', body)) {
      const decoded = decodeStateFrame(frame);
      assert.ok(decoded.ok);
      answers.push(decoded.value);
    }
    return answers;
  };
  const kinds = (answers: readonly StateAnswer[]): readonly string[] => answers.map(({ kind }) => kind);

  it('gives a part of bounded size, from behind the position that was asked for', async () => {
    const answers = await frames(servingIt(new VirtualClock(0)), encodeStateRequest(served.wanted, undefined));
    assert.deepEqual(
      answers,
      served.chunks.slice(0, ANSWER_CHUNKS_MAX).map((chunk) => ({ kind: 'chunk', chunk })),
    );
    assert.ok(answers.reduce((sum, answer) => sum + encodeStateFrame(answer).length, 0) <= STATE_ANSWER_BYTES_MAX);
  });

  it('has the state of a height also for the next one, whose block changed nothing', async () => {
    const answers = await frames(servingIt(new VirtualClock(0)), encodeStateRequest({ ...served.wanted, height: HEIGHT + 1 }, undefined));
    assert.deepEqual(answers[0], { kind: 'chunk', chunk: served.chunks[0] });
  });

  it('has no other root, height or shard', async () => {
    const serve = servingIt(new VirtualClock(0));
    for (const name of [
      { ...served.wanted, root: new Uint8Array(32) },
      { ...served.wanted, height: HEIGHT + 2 },
      { ...served.wanted, height: HEIGHT - 1 },
      { ...served.wanted, shard: 3 },
    ])
      assert.deepEqual(kinds(await frames(serve, encodeStateRequest(name, undefined))), ['not-held']);
  });

  it('serves so many bytes at once, and more after a while', async () => {
    const clock = new VirtualClock(0);
    const rate = { perSecond: CHUNK_BYTES_MAX, burst: 2 * CHUNK_BYTES_MAX };
    const serve = servingIt(clock, { ofPeer: rate, inAll: rate });
    const ask = async () => kinds(await frames(serve, encodeStateRequest(served.wanted, undefined)));
    assert.deepEqual(await ask(), ['chunk', 'chunk']);
    assert.deepEqual(await ask(), ['busy']);
    await clock.run(1_000);
    assert.deepEqual(await ask(), ['chunk']);
  });

  it('makes so many answers at once', async () => {
    const serve = servingIt(new VirtualClock(0));
    const open = Array.from({ length: STATE_ANSWERS_AT_ONCE_MAX }, () =>
      (serve('peer', encodeStateRequest(served.wanted, undefined)) as AsyncIterable<Uint8Array>)[Symbol.asyncIterator](),
    );
    for (const answer of open) await answer.next();
    assert.deepEqual(kinds(await frames(serve, encodeStateRequest(served.wanted, undefined))), ['busy']);
    await open[0]?.return?.();
    assert.equal((await frames(serve, encodeStateRequest(served.wanted, undefined))).length, ANSWER_CHUNKS_MAX);
  });

  it('blames whoever asks for what is no shard, or in no language', async () => {
    const reasons: string[] = [];
    let handler: RequestHandler = () => [];
    const handle = (_protocol: string, given: RequestHandler): void => {
      handler = given;
    };
    const onBadRequest = (_peer: PeerName, reason: string): void => void reasons.push(reason);
    serveStates(
      { handle, request: async () => [] },
      { statesOf: () => undefined, clock: new VirtualClock(0), pause: undefined, onBadRequest },
    );
    for (const body of [encodeStateRequest({ ...served.wanted, shard: 0 }, undefined), Uint8Array.of(1)])
      assert.deepEqual(await frames(handler, body), []);
    assert.deepEqual(reasons, ['bad-state-request', 'bad-state-request']);
  });

  it('reads the question that was asked', () => {
    for (const after of [undefined, { key: served.wanted.root, slot: undefined }, { key: served.wanted.root, slot: sha256() }])
      assert.deepEqual(decodeStateRequest(encodeStateRequest(served.wanted, after)), { ok: true, value: { name: served.wanted, after } });
  });
});
