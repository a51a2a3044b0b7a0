// Answers that nobody takes do not fill the memory.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBudgetPair } from '../../src/rpc/budget.ts';
import { createDispatcher } from '../../src/rpc/dispatch.ts';
import { DEFAULT_RPC_LIMITS } from '../../src/rpc/limits.ts';
import { AnswerBytes } from '../../src/rpc/outbound-bytes.ts';
import { type Answer, ChainFixture } from './chain-fixture.ts';

const BATCH = JSON.stringify(
  Array.from({ length: 500 }, (_unused, id) => ({ jsonrpc: '2.0', id, method: 'eth_getBlockByNumber', params: ['latest', true] })),
);
const SMALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });

describe('answers that are not taken', () => {
  it('use up the budget of large ones, while small ones still go out', () => {
    const outbound = createBudgetPair(100_000);
    const [first, second, third] = [new AnswerBytes(outbound), new AnswerBytes(outbound), new AnswerBytes(outbound)];
    assert.equal(first.add(110_000), true);
    assert.equal(second.add(30_000), false);
    assert.equal(outbound.small.taken, 16_384, 'what is refused takes nothing');
    assert.equal(third.add(10_000), true);
    first.release();
    first.release();
    assert.deepEqual([outbound.small.taken, outbound.large.taken], [10_000, 0]);
  });

  it('are short only while something is held that can be given back', () => {
    const outbound = createBudgetPair(100_000);
    const [first, second] = [new AnswerBytes(outbound), new AnswerBytes(outbound)];
    assert.equal(first.add(200_000), false);
    assert.equal(first.mayHaveRoom, true, 'nobody would ever give anything back');
    assert.equal(first.add(90_000), true);
    assert.equal(second.add(90_000), false);
    assert.equal(second.mayHaveRoom, false);
    first.release();
    assert.equal(second.mayHaveRoom, true);
  });

  it('are not made for a client that has gone', async () => {
    const { ports } = new ChainFixture();
    let executed = 0;
    const dispatcher = createDispatcher({ ports, limits: DEFAULT_RPC_LIMITS, newId: () => '0x1', onRequest: () => void executed++ });
    assert.equal(await dispatcher.handleText(BATCH, undefined, () => true), undefined);
    assert.equal(executed, 0);
    await dispatcher.handleText(BATCH, undefined, () => executed >= 100);
    assert.ok(executed >= 100 && executed < 200, `${executed} of 500`);
    dispatcher.close();
  });

  it('make batches end with errors until their clients have taken them', async () => {
    const { ports: whole } = new ChainFixture();
    let blocksRead = 0;
    const head = () => {
      blocksRead++;
      return whole.view.head();
    };
    const ports = { ...whole, view: { ...whole.view, head } };
    let executed = 0;
    const onRequest = () => void executed++;
    const limits = { ...DEFAULT_RPC_LIMITS, outboundBytesMax: 1_000_000 };
    const dispatcher = createDispatcher({ ports, limits, newId: () => '0x1', onRequest });
    const first = await dispatcher.handleText(BATCH);
    assert.ok(first !== undefined);
    assert.ok(!first.text.includes('the node is busy'));
    const second = await dispatcher.handleText(BATCH);
    assert.match(second?.text ?? '', /"code":-32005,"message":"the node is busy/);
    const answers: Answer[] = JSON.parse(second?.text ?? '');
    assert.deepEqual(
      answers.map(({ id }) => id),
      Array.from({ length: 500 }, (_unused, id) => id),
      'each request has its answer',
    );
    const given = answers.filter((answer) => 'result' in answer).length;
    assert.ok(executed - 500 <= given + 64, `${executed - 500} executed for ${given} results: no more begin when answers do not fit`);
    const readBefore = blocksRead;
    const refused = await dispatcher.handleText(BATCH);
    assert.match(refused?.text ?? '', /the node is busy/);
    assert.equal(blocksRead, readBefore, 'while clients take nothing, large answers are not even made');
    refused?.release();
    const small = await dispatcher.handleText(SMALL);
    assert.match(small?.text ?? '', /"result"/);
    for (const answer of [first, second, small]) answer?.release();
    const third = await dispatcher.handleText(BATCH);
    assert.ok(third !== undefined && !third.text.includes('the node is busy'));
    dispatcher.close();
  });
});
