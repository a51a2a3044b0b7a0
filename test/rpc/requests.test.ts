// JSON-RPC 2.0 itself: what is no request, batches, ids, parameters, faults of the node. Everything here is bad input of some kind.
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { METHODS } from '../../src/rpc/methods.ts';
import { type Answer, alice, ChainFixture } from './chain-fixture.ts';

describe('a body', () => {
  let chain: ChainFixture;
  beforeEach(() => {
    chain = new ChainFixture();
  });

  async function body(text: string): Promise<Answer> {
    const answer = await chain.dispatcher.handleText(text);
    return answer === undefined ? undefined : JSON.parse(answer.text);
  }

  for (const text of ['', '{', '{"jsonrpc":', 'null,', '[1', '\u0000', '{"a":1}}', "{'jsonrpc':'2.0'}"]) {
    it(`that is no JSON is a parse error: ${JSON.stringify(text)}`, async () => {
      const { error, id } = await body(text);
      assert.deepEqual([error.code, id], [-32700, null]);
    });
  }

  for (const text of [
    'null',
    '1',
    '"eth_chainId"',
    '{}',
    '[]',
    '{"jsonrpc":"2.0","id":1}',
    '{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}',
    '{"jsonrpc":2,"id":1,"method":"eth_chainId"}',
    '{"id":1,"method":"eth_chainId"}',
    '{"method":"eth_chainId"}',
    '{"jsonrpc":"2.0"}',
    '{"jsonrpc":"2.0","id":1,"method":""}',
    '{"jsonrpc":"2.0","method":""}',
    '{"jsonrpc":"2.0","id":1,"method":7}',
    '{"jsonrpc":"2.0","id":1,"method":["eth_chainId"]}',
  ]) {
    it(`that is no request is an invalid request: ${text}`, async () => {
      const { error, id } = await body(text);
      assert.equal(error.code, -32600);
      assert.equal(id, text.includes('"id":1') ? 1 : null);
    });
  }

  it('gets its id back; with one that JSON-RPC does not allow it is no request', async () => {
    for (const id of [0, -1, 2 ** 40, 1.5, '', 'text', null]) {
      const answer = await body(JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_chainId' }));
      assert.deepEqual([answer.id, answer.jsonrpc, typeof answer.result], [id, '2.0', 'string']);
    }
    chain.requests = [];
    for (const id of [{}, [1], true, 'x'.repeat(129)]) {
      const answer = await body(JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_chainId' }));
      assert.deepEqual([answer.id, answer.error.code], [null, -32600]);
    }
    assert.ok(
      chain.requests.every(({ method, code }) => method === 'unknown' && code === -32600),
      'and nothing runs',
    );
  });

  it('without an id is a notification and gets no answer', async () => {
    assert.equal(await body('{"jsonrpc":"2.0","method":"eth_chainId"}'), undefined);
    assert.equal(await body('[{"jsonrpc":"2.0","method":"eth_chainId"}]'), undefined);
    assert.equal(await body('{"jsonrpc":"2.0","method":"eth_noSuchMethod"}'), undefined, 'also when it fails');
    assert.equal(chain.requests.length, 3, 'but runs');
  });

  it('that nests deeper than any request is refused, not followed', async () => {
    const deep = '['.repeat(9_000) + ']'.repeat(9_000);
    assert.equal((await body(deep))[0].error.code, -32600);
    assert.equal((await body('['.repeat(10_000) + ']'.repeat(10_000)))[0].error.code, -32600, 'the deepest that is read');
    const inside = await body(`{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{"topics":${deep}}]}`);
    assert.equal(inside.error.code, -32602);
    assert.ok(JSON.stringify(inside).length < 300, 'and is not sent back');
    for (const deeper of [
      '['.repeat(10_001) + ']'.repeat(10_001),
      '['.repeat(2 ** 20),
      '{"a":'.repeat(2 ** 17),
      `["\\\\","[\\"",${'['.repeat(100_000)}`,
    ])
      assert.equal((await body(deeper)).error.code, -32700, 'beyond what geth parses');
    const flat = `"${'['.repeat(50_000)}\\"${'{'.repeat(50_000)}"`;
    assert.equal((await body(`{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":[${flat}]}`)).error.code, -32602, 'in a string');
  });

  it('is answered item by item when it is a batch', async () => {
    const batch = [
      { jsonrpc: '2.0', id: 7, method: 'eth_chainId' },
      { jsonrpc: '2.0', id: 8, method: 'eth_noSuchMethod' },
      5,
      { jsonrpc: '2.0', method: 'eth_chainId' },
      { jsonrpc: '2.0', id: 9, method: 'eth_getBalance', params: [] },
    ];
    const answers: Answer[] = await body(JSON.stringify(batch));
    assert.deepEqual(
      answers.map((answer) => [answer.id, answer.error?.code ?? 0]),
      [
        [7, 0],
        [8, -32601],
        [null, -32600],
        [9, -32602],
      ],
    );
  });

  it('is refused when the batch is too long, and cut when the answer is', async () => {
    chain = new ChainFixture({ batchItemsMax: 100, batchResponseBytesMax: 10_000 });
    const one = { jsonrpc: '2.0', id: 1, method: 'web3_clientVersion' };
    assert.equal((await body(JSON.stringify(Array(101).fill(one)))).error.code, -32600);
    assert.equal((await body(JSON.stringify(Array(100).fill(one)))).length, 100);
    const large: Answer[] = await body(
      JSON.stringify(Array(100).fill({ ...one, method: 'eth_getBlockByNumber', params: ['latest', false] })),
    );
    const refused = large.filter((answer) => answer.error?.code === -32005).length;
    assert.equal(large.length, 100);
    assert.ok(refused >= 70 && refused < 100, `${refused} of 100 refused`);
    const block = { ...one, method: 'eth_getBlockByNumber', params: ['latest', false] };
    const notified: Answer[] = await body(JSON.stringify([...Array(80).fill(block), ...Array(20).fill({ ...one, id: undefined })]));
    assert.equal(notified.length, 80, 'a notification has no answer then either');
  });
});

describe('parameters', () => {
  const chain = new ChainFixture();

  it('are named when they are missing, too many or wrong', async () => {
    for (const [params, message] of [
      [[], 'missing value for required argument 0 (address)'],
      [[null, 'latest'], 'missing value for required argument 0 (address)'],
      [[alice.address, 'latest', 1], 'too many arguments, want at most 2'],
      [
        ['not an address', 'latest'],
        'invalid argument 0 (address): expected an address of 20 bytes in 0x-prefixed hexadecimal, got "not an address"',
      ],
      [
        [alice.address, 'newest'],
        'invalid argument 1 (block): expected a block number in 0x-prefixed hexadecimal, or latest, safe, finalized, pending or earliest, got "newest"',
      ],
      [[alice.address, {}], 'invalid argument 1 (block): expected either blockHash or blockNumber'],
      [
        [alice.address, { blockHash: 5 }],
        'invalid argument 1 (block): blockHash: expected a hash of 32 bytes in 0x-prefixed hexadecimal, got 5',
      ],
    ] as const) {
      assert.deepEqual(await chain.error('eth_getBalance', ...params), { code: -32602, message });
    }
    const byName = await chain.dispatcher.handle({ jsonrpc: '2.0', id: 1, method: 'eth_getBalance', params: { address: alice.address } });
    assert.match(JSON.stringify(byName), /-32602.*must be an array/);
  });

  it('that are missing at the end may be absent, null or not even a list', async () => {
    for (const params of [undefined, null, []]) {
      assert.match(JSON.stringify(await chain.dispatcher.handle({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params })), /result/);
    }
    assert.equal((await chain.answer('eth_getBalance', alice.address, null)).error, undefined);
  });

  it('of any kind make no method throw', async () => {
    const junk = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(
        '0x',
        '0x0',
        `0x${'ff'.repeat(32)}`,
        `0x${'ab'.repeat(20)}`,
        'latest',
        'pending',
        '0xffffffffffffffffffff',
        '__proto__',
        {
          blockHash: `0x${'ff'.repeat(32)}`,
        },
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...METHODS.keys()), fc.array(junk, { maxLength: 4 }), async (method, params) => {
        const response = await chain.dispatcher.handle({ jsonrpc: '2.0', id: 1, method, params });
        assert.ok(response !== undefined);
        if ('error' in response)
          assert.notEqual(response.error.code, -32603, `${method} ${JSON.stringify(params)}: ${chain.faults.at(-1)}`);
      }),
      { numRuns: 1500 },
    );
    assert.deepEqual(chain.faults, []);
  });
});

describe('requests', () => {
  it('are counted by method and code, unknown names as one', async () => {
    const chain = new ChainFixture();
    await chain.answer('eth_chainId');
    await chain.answer('eth_nonsense1');
    await chain.answer('eth_getBalance');
    assert.deepEqual(chain.requests, [
      { method: 'eth_chainId', code: 0 },
      { method: 'unknown', code: -32601 },
      { method: 'eth_getBalance', code: -32602 },
    ]);
  });

  it('that meet a fault of the node learn nothing but that; the log has the rest', async () => {
    const chain = new ChainFixture();
    chain.states.length = 0; // No state at all: a promise of our own, broken.
    assert.deepEqual(await chain.error('eth_estimateGas', { to: alice.address }), { code: -32603, message: 'internal error' });
    assert.equal(chain.faults.length, 1);
  });
});
