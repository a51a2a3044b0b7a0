// eth_subscribe without a socket: what is sent, in which order, and that nothing is left behind.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { Connection } from '../../src/rpc/connection.ts';
import { type Answer, alice, bob, ChainFixture, carol, LOGGER_INIT_CODE } from './chain-fixture.ts';

describe('a subscription', () => {
  let chain: ChainFixture;
  let connection: Connection;
  let sent: Answer[];
  let lastId: number;
  let isAbandoned: boolean;
  before(initialiseKeccak);
  beforeEach(() => {
    chain = new ChainFixture();
    sent = [];
    lastId = 0;
    isAbandoned = false;
    connection = new Connection(
      (text) => sent.push(JSON.parse(text).params),
      () => `0x${(++lastId).toString(16)}`,
      3,
      () => {
        isAbandoned = true;
      },
    );
  });

  async function request(method: string, ...params: unknown[]): Promise<Answer> {
    const response: Answer = await chain.dispatcher.handle({ jsonrpc: '2.0', id: 1, method, params }, connection);
    return response.error ?? response.result;
  }

  async function subscribe(...params: unknown[]): Promise<string> {
    const id = await request('eth_subscribe', ...params);
    connection.release(id);
    return id;
  }

  /** News are made and sent after the node has gone on. */
  const delivered = () => new Promise((resolve) => setImmediate(resolve));

  it('to newHeads sends each header once, in order', async () => {
    const id = await subscribe('newHeads');
    const hashes = [await chain.mine(), await chain.mine()].map((block) => `0x${block.hashHex}`);
    await delivered();
    assert.deepEqual(
      sent.map((news) => [news.subscription, news.result.hash]),
      hashes.map((hash) => [id, hash]),
    );
    assert.equal(sent[0].result.transactions, undefined);
  });

  it('to logs sends those that match', async () => {
    const contract = await chain.deploy(LOGGER_INIT_CODE);
    await subscribe('logs', { address: contract, topics: [`0x${'02'.repeat(32)}`] });
    for (const byte of ['01', '02']) await chain.send(alice, { to: contract as `0x${string}`, data: `0x${byte.repeat(32)}` });
    await chain.mine();
    await delivered();
    assert.deepEqual(
      sent.map((news) => news.result.topics),
      [[`0x${'02'.repeat(32)}`]],
    );
    sent.length = 0;
    await subscribe('logs');
    await chain.send(alice, { to: contract as `0x${string}`, data: `0x${'03'.repeat(32)}` });
    await chain.mine();
    await delivered();
    assert.equal(sent.length, 1);
  });

  it('to pending transactions sends hashes or whole ones, also of those that a filled gap sets free', async () => {
    await subscribe('newPendingTransactions');
    await subscribe('newPendingTransactions', true);
    const second = await chain.send(alice, { nonce: 1 });
    assert.equal(sent.length, 0);
    const first = await chain.send(alice, { nonce: 0 });
    await delivered();
    assert.deepEqual(
      sent.filter((news) => typeof news.result === 'string').map((news) => news.result),
      [first, second],
    );
    assert.deepEqual(
      sent.filter((news) => typeof news.result === 'object').map((news) => [news.result.hash, news.result.blockHash]),
      [
        [first, null],
        [second, null],
      ],
    );
  });

  it('to syncing tells when it begins and ends', async () => {
    await subscribe('syncing');
    await chain.mine();
    chain.syncing = { startingBlock: 0, currentBlock: 1, highestBlock: 9 };
    await chain.mine();
    await chain.mine();
    chain.syncing = undefined;
    await chain.mine();
    await delivered();
    assert.deepEqual(
      sent.map((news) => news.result),
      [{ syncing: true, status: { startingBlock: '0x0', currentBlock: '0x1', highestBlock: '0x9' } }, false],
    );
  });

  it('sends nothing before the answer that names it', async () => {
    const id = await request('eth_subscribe', 'newHeads');
    await chain.mine();
    assert.equal(sent.length, 0);
    connection.release('0x99');
    assert.equal(sent.length, 0);
    connection.release(id);
    await chain.mine();
    await delivered();
    assert.deepEqual(
      sent.map((news) => news.result.number),
      ['0x1', '0x2'],
    );
  });

  it('ends when it is cancelled, and all end with their connection', async () => {
    const listeners = chain.listenerCount;
    const id = await subscribe('newHeads');
    await subscribe('newPendingTransactions');
    assert.equal(chain.listenerCount, listeners + 2);
    assert.equal(await request('eth_unsubscribe', id), true);
    assert.equal((await request('eth_unsubscribe', id)).message, 'subscription not found');
    await chain.mine();
    assert.equal(sent.length, 0);
    connection.close();
    assert.equal(chain.listenerCount, listeners);
    await chain.send(bob, { to: carol.address });
    assert.equal(sent.length, 0);
  });

  it('costs the commit of a block nothing: news are made afterwards', async () => {
    for (let n = 0; n < 3; n++) await subscribe('newHeads');
    for (const listener of chain.headListeners()) listener(chain.head);
    const sentAtOnce = sent.length;
    await delivered();
    assert.deepEqual([sentAtOnce, sent.length], [0, 3]);
  });

  it('that cannot be served in time ends with its connection, and others begin anew', async () => {
    const listeners = chain.listenerCount;
    await subscribe('newHeads');
    for (let n = 0; n < 64; n++) for (const listener of chain.headListeners()) listener(chain.head);
    assert.equal(isAbandoned, false);
    for (const listener of chain.headListeners()) listener(chain.head);
    assert.equal(isAbandoned, true);
    assert.equal(chain.listenerCount, listeners);
    await delivered();
    assert.equal(sent.length, 0);
    await subscribe('newHeads');
    await chain.mine();
    await delivered();
    assert.equal(sent.length, 1);
  });

  it('is one of a bounded number, of all connections together', async () => {
    chain = new ChainFixture({ subscriptionsMax: 2 });
    await subscribe('newHeads');
    const id = await subscribe('newPendingTransactions');
    assert.equal((await request('eth_subscribe', 'syncing')).code, -32005);
    await request('eth_unsubscribe', id);
    assert.match(await request('eth_subscribe', 'syncing'), /^0x/);
  });

  it('is refused over HTTP, of unknown kind, with wrong options, and beyond the bound', async () => {
    assert.match((await chain.error('eth_subscribe', 'newHeads')).message, /^notifications not supported/);
    assert.match((await chain.error('eth_unsubscribe', '0x1')).message, /^notifications not supported/);
    assert.equal((await request('eth_subscribe', 'gossip')).code, -32602);
    assert.equal((await request('eth_subscribe')).code, -32602);
    assert.equal((await request('eth_subscribe', 'logs', { topics: 5 })).code, -32602);
    assert.equal((await request('eth_subscribe', 'newPendingTransactions', 'yes')).code, -32602);
    for (let n = 0; n < 3; n++) await subscribe('newHeads');
    assert.equal((await request('eth_subscribe', 'newHeads')).code, -32005);
  });
});
