// What all clients together may have under way.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBudgetPair } from '../../src/rpc/budget.ts';
import { createDispatcher } from '../../src/rpc/dispatch.ts';
import { budgetOf, PartialFrame, SMALL_REQUEST_BYTES_MAX } from '../../src/rpc/inbound-bytes.ts';
import { DEFAULT_RPC_LIMITS } from '../../src/rpc/limits.ts';
import { ChainFixture } from './chain-fixture.ts';

describe('the bytes of requests', () => {
  it('come out of two budgets, each of which ends', () => {
    const inbound = createBudgetPair(1_000_000);
    assert.equal(budgetOf(inbound, SMALL_REQUEST_BYTES_MAX), inbound.small);
    const large = budgetOf(inbound, SMALL_REQUEST_BYTES_MAX + 1);
    assert.equal(large, inbound.large);
    assert.deepEqual([large.take(900_000), large.take(100_001), large.take(100_000), large.take(1)], [true, false, true, false]);
    assert.equal(inbound.small.take(1_000), true, 'small ones still come in');
    large.give(900_000);
    assert.deepEqual([large.taken, large.take(900_000)], [100_000, true]);
  });

  it('are bounded in batches by what is under way in all of them', async () => {
    const { ports } = new ChainFixture();
    const limits = { ...DEFAULT_RPC_LIMITS, batchItemsUnderWayMax: 150 };
    const dispatcher = createDispatcher({ ports, limits, newId: () => '0x1' });
    const batch = JSON.stringify(
      Array.from({ length: 100 }, (_unused, id) => ({ jsonrpc: '2.0', id, method: 'eth_getBlockByNumber', params: ['latest', true] })),
    );
    const [first, second] = await Promise.all([dispatcher.handleText(batch), dispatcher.handleText(batch)]);
    assert.equal(JSON.parse(first?.text ?? '').length, 100);
    assert.match(second?.text ?? '', /"code":-32005,"message":"the node is busy/);
    const third = await dispatcher.handleText(batch);
    assert.equal(JSON.parse(third?.text ?? '').length, 100, 'what is answered is under way no more');
    dispatcher.close();
  });

  it('of a frame that is not whole are counted as soon as it is large, and given back when it ends', () => {
    const inbound = createBudgetPair(200_000);
    const [first, second] = [new PartialFrame(inbound), new PartialFrame(inbound)];
    for (let sent = 0; sent < 4; sent++) assert.ok(first.add(SMALL_REQUEST_BYTES_MAX / 4));
    assert.equal(inbound.large.taken, 0);
    assert.ok(first.add(84_464));
    assert.equal(inbound.large.taken, 150_000);
    assert.equal(second.add(60_000), true);
    assert.equal(second.add(10_000), false, 'the budget is used up');
    first.end();
    assert.equal(inbound.large.taken, 0);
    assert.ok(second.add(1));
    second.end();
    second.end();
    assert.equal(inbound.large.taken, 0);
  });
});
