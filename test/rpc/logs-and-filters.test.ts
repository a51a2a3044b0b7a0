// Searching logs, and filters that are polled.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { Connection } from '../../src/rpc/connection.ts';
import { matchesLog } from '../../src/rpc/log-filter.ts';
import { type Answer, alice, bob, ChainFixture, LOGGER_INIT_CODE } from './chain-fixture.ts';

const word = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;
const UNKNOWN_HASH = word(0xde);

/** A chain with a contract that logs, and one log with topic n in each block n + 1. */
async function chainWithLogs(count: number, limits = {}): Promise<{ chain: ChainFixture; contract: string }> {
  const chain = new ChainFixture(limits);
  const contract = await chain.deploy(LOGGER_INIT_CODE);
  for (let n = 1; n <= count; n++) {
    await chain.send(alice, { to: contract, data: word(n) as `0x${string}` });
    await chain.mine();
  }
  return { chain, contract };
}

const topicsOf = (logs: readonly { topics: string[] }[]) => logs.map((log) => log.topics[0]);

describe('eth_getLogs', () => {
  let chain: ChainFixture;
  let contract: string;
  before(async () => {
    await initialiseKeccak();
    ({ chain, contract } = await chainWithLogs(4));
  });

  it('finds by range, by block hash, by address and by topic', async () => {
    const all = await chain.call('eth_getLogs', { fromBlock: 'earliest', toBlock: 'latest' });
    assert.deepEqual(topicsOf(all), [1, 2, 3, 4].map(word));
    assert.deepEqual(topicsOf(await chain.call('eth_getLogs', {})), [word(4)], 'latest alone, when nothing is said');
    assert.deepEqual(topicsOf(await chain.call('eth_getLogs', { fromBlock: '0x3', toBlock: '0x4' })), [word(2), word(3)]);
    const { blockHash } = all[2];
    assert.deepEqual(await chain.call('eth_getLogs', { blockHash }), [all[2]]);
    const range = { fromBlock: '0x0', toBlock: 'pending' };
    assert.equal((await chain.call('eth_getLogs', { ...range, address: contract })).length, 4);
    assert.equal((await chain.call('eth_getLogs', { ...range, address: [contract, `0x${'77'.repeat(20)}`] })).length, 4);
    assert.equal((await chain.call('eth_getLogs', { ...range, address: `0x${'77'.repeat(20)}` })).length, 0);
    assert.deepEqual(topicsOf(await chain.call('eth_getLogs', { ...range, topics: [word(2)] })), [word(2)]);
    assert.deepEqual(topicsOf(await chain.call('eth_getLogs', { ...range, topics: [[word(2), word(4)]] })), [word(2), word(4)]);
    assert.equal((await chain.call('eth_getLogs', { ...range, topics: [null] })).length, 4);
    assert.equal((await chain.call('eth_getLogs', { ...range, topics: [null, word(1)] })).length, 0, 'no second topic');
    assert.equal((await chain.call('eth_getLogs', { ...range, topics: [[word(2), null]] })).length, 4);
  });

  it('gives each log its place', async () => {
    const [log] = await chain.call('eth_getLogs', { fromBlock: 'latest' });
    assert.deepEqual(
      [log.address, log.blockNumber, log.blockHash, log.transactionIndex, log.logIndex, log.removed],
      [contract, '0x5', `0x${chain.head.hashHex}`, '0x0', '0x0', false],
    );
  });

  it('refuses what makes no sense', async () => {
    for (const filter of [
      { fromBlock: '0x3', toBlock: '0x2' },
      { blockHash: UNKNOWN_HASH, fromBlock: '0x1' },
      { fromBlock: 'yesterday' },
      { fromBlock: 5 },
      { address: '0x1' },
      { address: [contract, 7] },
      { topics: 'all' },
      { topics: ['0x12'] },
      { topics: [[[word(1)]]] },
      { topics: Array(5).fill(null) },
      { topics: [Array(1001).fill(word(1))] },
      { address: Array(1001).fill(contract) },
      [],
      'all',
    ]) {
      assert.equal((await chain.error('eth_getLogs', filter)).code, -32602, JSON.stringify(filter).slice(0, 80));
    }
    assert.deepEqual(await chain.error('eth_getLogs', { blockHash: UNKNOWN_HASH }), { code: -32000, message: 'unknown block' });
  });

  it('stops at its limits, and says what to ask for instead', async () => {
    const { chain: small } = await chainWithLogs(3, { logBlocksMax: 4, logsMax: 2 });
    assert.equal((await small.error('eth_getLogs', { fromBlock: '0x0', toBlock: 'latest' })).code, -32005);
    const error = await small.error('eth_getLogs', { fromBlock: '0x1', toBlock: 'latest' });
    assert.match(error.message, /more than 2 results\. Try with this block range \[0x1, 0x3\]/);
    assert.equal((await small.call('eth_getLogs', { fromBlock: '0x1', toBlock: '0x3' })).length, 2);
    assert.deepEqual(await small.call('eth_getLogs', { fromBlock: '0x4', toBlock: '0xffffffff' }), await small.call('eth_getLogs', {}));
  });

  it('finds through the bloom what looking at every log finds', async () => {
    const range = { fromBlock: '0x0', toBlock: 'latest' };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 })), { maxLength: 2 }),
        async (positions) => {
          const topics = positions.map((position) => (position === null ? null : position.map(word)));
          const found = await chain.call('eth_getLogs', { ...range, topics });
          const wanted = chain.blocks
            .flatMap((block) => block.receipts.flatMap((receipt) => receipt.logs))
            .filter((log) =>
              matchesLog({ addresses: [], topics: topics.map((list) => (list ?? []).map((one) => Buffer.from(one.slice(2), 'hex'))) }, log),
            );
          assert.equal(found.length, wanted.length);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('filters', () => {
  let chain: ChainFixture;
  before(initialiseKeccak);
  beforeEach(() => {
    chain = new ChainFixture();
  });

  it('of logs give each log once, from their creation on, and the whole range when asked', async () => {
    const { chain: logs, contract } = await chainWithLogs(1);
    const id = await logs.call('eth_newFilter', { fromBlock: '0x0', address: contract });
    assert.deepEqual(await logs.call('eth_getFilterChanges', id), []);
    for (const n of [2, 3]) {
      await logs.send(alice, { to: contract as `0x${string}`, data: word(n) as `0x${string}` });
      await logs.mine();
    }
    assert.deepEqual(topicsOf(await logs.call('eth_getFilterChanges', id)), [word(2), word(3)]);
    assert.deepEqual(await logs.call('eth_getFilterChanges', id), []);
    assert.deepEqual(topicsOf(await logs.call('eth_getFilterLogs', id)), [word(1), word(2), word(3)]);
  });

  it('of blocks and of pending transactions give hashes', async () => {
    const blocks = await chain.call('eth_newBlockFilter');
    const pending = await chain.call('eth_newPendingTransactionFilter');
    const hash = await chain.send(alice, {});
    const { hashHex } = await chain.mine();
    assert.deepEqual(await chain.call('eth_getFilterChanges', blocks), [`0x${hashHex}`]);
    assert.deepEqual(await chain.call('eth_getFilterChanges', blocks), []);
    assert.deepEqual(await chain.call('eth_getFilterChanges', pending), [hash]);
    assert.deepEqual(await chain.call('eth_getFilterChanges', pending), []);
    assert.equal((await chain.error('eth_getFilterLogs', blocks)).message, 'filter not found');
  });

  it('are gone when uninstalled, and hold on to nothing', async () => {
    const listeners = chain.listenerCount;
    const id = await chain.call('eth_newPendingTransactionFilter');
    assert.equal(chain.listenerCount, listeners + 1);
    assert.equal(await chain.call('eth_uninstallFilter', id), true);
    assert.equal(await chain.call('eth_uninstallFilter', id), false);
    assert.equal(chain.listenerCount, listeners);
    assert.deepEqual(await chain.error('eth_getFilterChanges', id), { code: -32000, message: 'filter not found' });
    assert.equal((await chain.error('eth_getFilterChanges', 'zero')).code, -32602);
  });

  it('expire when nobody polls them, and live while somebody does', async () => {
    const polled = await chain.call('eth_newBlockFilter');
    const forgotten = await chain.call('eth_newBlockFilter');
    for (let n = 0; n < 3; n++) {
      chain.advance(chain.limits.filterLifetimeMs - 1);
      assert.deepEqual(await chain.call('eth_getFilterChanges', polled), []);
    }
    assert.equal((await chain.error('eth_getFilterChanges', forgotten)).message, 'filter not found');
  });

  it('are bounded, and the bound makes room by what expired', async () => {
    const bounded = new ChainFixture({ filtersMax: 3 });
    for (let n = 0; n < 3; n++) await bounded.call('eth_newBlockFilter');
    assert.equal((await bounded.error('eth_newPendingTransactionFilter')).code, -32005);
    assert.equal(bounded.listenerCount, 0, 'the refused filter listens to nothing');
    bounded.advance(bounded.limits.filterLifetimeMs + 1);
    await bounded.call('eth_newBlockFilter');
  });

  it('of pending transactions share one bounded list, and each reads it from where it stands', async () => {
    const first = await chain.call('eth_newPendingTransactionFilter');
    const early = await chain.send(alice, {});
    const second = await chain.call('eth_newPendingTransactionFilter');
    const late = await chain.send(alice, {});
    assert.deepEqual(await chain.call('eth_getFilterChanges', first), [early, late]);
    assert.deepEqual(await chain.call('eth_getFilterChanges', second), [late]);
    const [transaction] = chain.ports.mempool.pendingTransactions(1);
    assert.ok(transaction !== undefined);
    for (let n = 0; n < 40_000; n++) for (const listener of chain.pendingListeners()) listener(transaction);
    assert.equal((await chain.call('eth_getFilterChanges', first)).length, 8192, 'the newest');
  });

  it('and subscriptions keep a bounded number of addresses and topics, all together', async () => {
    const bounded = new ChainFixture({ criteriaMax: 10 });
    const five = { address: [alice.address, bob.address], topics: [[word(1), word(2)], null, word(3)] };
    const ids = [await bounded.call('eth_newFilter', five), await bounded.call('eth_newFilter', five)];
    assert.equal((await bounded.error('eth_newFilter', { address: alice.address })).code, -32005);
    assert.equal((await bounded.answer('eth_getLogs', five)).error, undefined, 'what is not kept does not count');
    let lastId = 0;
    const connection = new Connection(
      () => undefined,
      () => `${++lastId}`,
      9,
      () => undefined,
    );
    const subscribe = async (criteria: object): Promise<Answer> =>
      bounded.dispatcher.handle({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['logs', criteria] }, connection);
    assert.equal((await subscribe(five)).error.code, -32005);
    assert.equal((await subscribe({})).error, undefined);
    await bounded.call('eth_uninstallFilter', ids[0]);
    assert.equal((await subscribe(five)).error, undefined);
    assert.equal((await subscribe(five)).error.code, -32005);
    connection.close();
    assert.match(await bounded.call('eth_newFilter', five), /^0x/);
    bounded.advance(5 * 60_000 + 1);
    assert.match(await bounded.call('eth_newFilter', five), /^0x/, 'an expired one gives back what it held');
  });
});
