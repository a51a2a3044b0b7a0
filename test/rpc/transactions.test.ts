// The way of a transaction as its sender sees it: refused with geth's words, or taken, pending, and final with a receipt.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { formatTransaction, formatTransactionReceipt, getContractAddress, parseTransaction } from 'viem';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { createDispatcher } from '../../src/rpc/dispatch.ts';
import { alice, bob, CHAIN_ID, ChainFixture, carol, LOGGER_INIT_CODE, SENDER_INIT_CODE } from './chain-fixture.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe('eth_sendRawTransaction', () => {
  let chain: ChainFixture;
  before(initialiseKeccak);
  beforeEach(() => {
    chain = new ChainFixture();
  });

  async function refusal(raw: string): Promise<{ code: number; message: string }> {
    const error = await chain.error('eth_sendRawTransaction', raw);
    assert.deepEqual(chain.mempool.status(), { pending: 0, queued: 0 }, 'nothing is stored');
    return error;
  }

  it('takes each type, and gives its hash', async () => {
    for (const type of ['legacy', 'eip2930', 'eip1559'] as const) {
      const hash = await chain.send(alice, { type });
      assert.match(hash, /^0x[0-9a-f]{64}$/);
    }
    assert.deepEqual(await chain.call('txpool_status'), { pending: '0x3', queued: '0x0' });
  });

  for (const [name, choice, pattern] of [
    ['another chain', { chainId: 1 }, /^invalid chain id for signer: .*1\b/],
    ['too little gas', { gas: 20_999n }, /^intrinsic gas too low: have 20999, want 21000/],
    ['too much gas', { gas: 8_000_001n }, /^exceeds block gas limit/],
    ['too little money', { value: 10n ** 24n }, /^insufficient funds for gas \* price \+ value: balance/],
    ['too low a fee', { feeWei: 1n, tipWei: 1n }, /^transaction underpriced/],
    ['a tip above the fee', { feeWei: 10n ** 9n, tipWei: 10n ** 9n + 1n }, /./],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const raw = await chain.sign(alice, choice).catch(() => undefined);
      if (raw === undefined) return; // viem itself refuses to sign this one.
      const error = await refusal(raw);
      assert.equal(error.code, -32000);
      assert.match(error.message, pattern);
    });
  }

  it('refuses a nonce that is used up, and a transaction that it knows', async () => {
    const first = await chain.sign(alice, {});
    await chain.call('eth_sendRawTransaction', first);
    assert.deepEqual(await chain.error('eth_sendRawTransaction', first), { code: -32000, message: 'already known' });
    await chain.mine();
    const error = await chain.error('eth_sendRawTransaction', await chain.sign(alice, { nonce: 0, value: 9n }));
    assert.match(error.message, /^nonce too low: next nonce 1, tx nonce 0/);
  });

  it('asks a tenth more for a replacement', async () => {
    await chain.send(alice, { nonce: 0, feeWei: 10n ** 9n, tipWei: 10n ** 8n });
    const error = await chain.error(
      'eth_sendRawTransaction',
      await chain.sign(alice, { nonce: 0, value: 1n, feeWei: 10n ** 9n, tipWei: 10n ** 8n }),
    );
    assert.deepEqual(error, { code: -32000, message: 'replacement transaction underpriced' });
    await chain.send(alice, { nonce: 0, value: 1n, feeWei: 11n * 10n ** 8n, tipWei: 11n * 10n ** 7n });
    assert.deepEqual(await chain.call('txpool_status'), { pending: '0x1', queued: '0x0' });
  });

  it('keeps a transaction behind a gap, and runs it when the gap is filled', async () => {
    await chain.send(alice, { nonce: 1 });
    assert.deepEqual(await chain.call('txpool_status'), { pending: '0x0', queued: '0x1' });
    assert.equal((await chain.mine()).transactions.length, 0);
    await chain.send(alice, { nonce: 0 });
    assert.equal((await chain.mine()).transactions.length, 2);
  });

  it('names the types that it does not support', async () => {
    for (const [type, name] of [
      ['03', 'EIP-4844'],
      ['04', 'EIP-7702'],
      ['7e', 'system transaction'],
    ]) {
      const error = await refusal(`0x${type}c0`);
      assert.match(error.message, new RegExp(`^transaction type not supported.*${name}`));
    }
  });

  it('refuses unsigned, high-s, unprotected, truncated and padded bytes', async () => {
    const raw = await chain.sign(alice, {});
    const parsed = parseTransaction(raw);
    const s = BigInt(parsed.s as string);
    const highS = raw.replace(s.toString(16).padStart(64, '0'), (ORDER - s).toString(16).padStart(64, '0'));
    assert.notEqual(highS, raw);
    assert.match((await refusal(highS)).message, /^invalid sender/);
    for (const bad of ['0x', '0xdeadbeef', `${raw}00`, raw.slice(0, -2), '0x02c0', '0xc0', `0x${'ff'.repeat(64)}`]) {
      const error = await refusal(bad);
      assert.equal(error.code, -32000, bad);
      assert.match(error.message, /^(rlp|transaction type not supported)/, bad);
    }
    const tooLarge = await chain.sign(alice, { data: `0x${'11'.repeat(132_000)}`, gas: 8_000_000n });
    assert.match((await refusal(tooLarge)).message, /^oversized data/);
  });
});

describe('a transaction', () => {
  let chain: ChainFixture;
  before(initialiseKeccak);
  beforeEach(() => {
    chain = new ChainFixture();
  });

  it('has no place and no receipt while it waits, and both when it is final', async () => {
    const hash = await chain.send(alice, { value: 7n, tipWei: 5n, feeWei: 10n ** 9n });
    const waiting = await chain.call('eth_getTransactionByHash', hash);
    assert.deepEqual(
      [waiting.blockHash, waiting.blockNumber, waiting.transactionIndex, waiting.gasPrice],
      [null, null, null, '0x3b9aca00'],
    );
    assert.equal(await chain.call('eth_getTransactionReceipt', hash), null);
    const block = await chain.mine();
    const final = await chain.call('eth_getTransactionByHash', hash);
    assert.deepEqual([final.blockHash, final.blockNumber, final.transactionIndex], [`0x${block.hashHex}`, '0x1', '0x0']);
    assert.equal(BigInt(final.gasPrice), 100_000_005n, 'what it paid, not what it offered');
    for (const [method, ...place] of [
      ['eth_getTransactionByBlockHashAndIndex', final.blockHash, '0x0'],
      ['eth_getTransactionByBlockNumberAndIndex', 'latest', '0x0'],
    ]) {
      assert.deepEqual(await chain.call(method as string, ...place), final);
      assert.equal(await chain.call(method as string, place[0], '0x1'), null);
    }
    const receipt = await chain.call('eth_getTransactionReceipt', hash);
    assert.deepEqual([receipt.status, receipt.gasUsed, receipt.type, receipt.contractAddress], ['0x1', '0x5208', '0x2', null]);
    assert.equal(receipt.effectiveGasPrice, final.gasPrice);
  });

  it('is there at every moment, also when it becomes final while a client asks', async () => {
    const hash = await chain.send(alice, { value: 1n });
    const { view } = chain.ports;
    let isMined = false;
    const dispatcher = createDispatcher({
      ports: {
        ...chain.ports,
        view: {
          ...view,
          transactionLocation: async (hashHex) => {
            const place = await view.transactionLocation(hashHex);
            if (!isMined) await chain.mine();
            isMined = true;
            return place;
          },
        },
      },
      limits: chain.limits,
      newId: () => '0x1',
    });
    const found = await dispatcher.handle({ jsonrpc: '2.0', id: 1, method: 'eth_getTransactionByHash', params: [hash] });
    assert.ok(isMined && found !== undefined && 'result' in found);
    assert.equal((found.result as { readonly hash: string } | null)?.hash, hash);
  });

  it('comes back as the bytes that were sent', async () => {
    for (const type of ['legacy', 'eip2930', 'eip1559'] as const) {
      const raw = await chain.sign(alice, { type });
      const hash = await chain.call('eth_sendRawTransaction', raw);
      assert.equal(await chain.call('eth_getRawTransactionByHash', hash), raw);
      const { hashHex } = await chain.mine();
      assert.equal(await chain.call('eth_getRawTransactionByHash', hash), raw);
      assert.equal(await chain.call('eth_getRawTransactionByBlockHashAndIndex', `0x${hashHex}`, '0x0'), raw);
      assert.equal(await chain.call('eth_getRawTransactionByBlockNumberAndIndex', 'latest', '0x0'), raw);
    }
    assert.equal(await chain.call('eth_getRawTransactionByHash', `0x${'de'.repeat(32)}`), null);
  });

  it('has the fields of its type', async () => {
    const legacy = await chain.call('eth_getTransactionByHash', await chain.send(alice, { type: 'legacy' }));
    assert.ok([35n, 36n].includes(BigInt(legacy.v) - 2n * BigInt(CHAIN_ID)), 'EIP-155');
    assert.equal(legacy.maxFeePerGas, undefined);
    const listed = await chain.call('eth_getTransactionByHash', await chain.send(alice, { type: 'eip2930' }));
    assert.equal(listed.accessList.length, 1);
    assert.equal(listed.v, listed.yParity);
    const dynamic = formatTransaction(await chain.call('eth_getTransactionByHash', await chain.send(alice, {})));
    assert.equal(dynamic.type, 'eip1559');
    assert.equal(dynamic.from, alice.address.toLowerCase());
  });

  it('that fails is final too, and says so', async () => {
    const hash = await chain.send(alice, { to: null, data: '0x60006000fd', gas: 100_000n });
    await chain.mine();
    const receipt = await chain.call('eth_getTransactionReceipt', hash);
    assert.equal(receipt.status, '0x0');
    assert.equal(receipt.to, null);
    assert.equal(receipt.gasUsed, '0x186a0', 'gas bought is gas paid');
  });

  it('names the address that it creates, also when the creation fails, wherever its receipt is given', async () => {
    for (const [nonce, [status, type, data]] of (
      [
        ['0x1', 'eip1559', LOGGER_INIT_CODE],
        ['0x0', 'eip1559', '0x60006000fd'], // reverts
        ['0x0', 'legacy', '0xfe'], // takes all gas
        ['0x0', 'eip2930', '0x61ffff6000f3'], // code that is too long
      ] as const
    ).entries()) {
      const raw = await chain.sign(alice, { type, to: null, data, gas: 200_000n });
      const sent = chain.call('eth_sendRawTransactionSync', raw);
      await new Promise((resolve) => setImmediate(resolve));
      await chain.mine();
      const receipt = await sent;
      assert.equal(receipt.status, status, data);
      assert.equal(receipt.contractAddress, getContractAddress({ from: alice.address, nonce: BigInt(nonce) }).toLowerCase());
      assert.deepEqual(await chain.call('eth_getTransactionReceipt', receipt.transactionHash), receipt);
      assert.deepEqual(await chain.call('eth_getBlockReceipts', receipt.blockHash), [receipt]);
    }
    const hash = await chain.send(alice, { data: '0x00', gas: 100_000n });
    await chain.mine();
    assert.equal((await chain.call('eth_getTransactionReceipt', hash)).contractAddress, null, 'a failed call creates nothing');
  });

  it('causes system transactions, which Ethereum libraries can read', async () => {
    const contract = await chain.deploy(SENDER_INIT_CODE);
    const hash = await chain.send(alice, { to: contract, value: 5n, data: `0x${'00'.repeat(12)}${carol.address.slice(2)}` });
    await chain.mine();
    const [origin, effect] = (await chain.call('eth_getBlockByNumber', 'latest', true)).transactions;
    assert.equal(origin.hash, hash);
    assert.deepEqual(
      [effect.type, effect.from, effect.to, effect.value, effect.mint, effect.isSystemTx],
      ['0x7e', contract, carol.address.toLowerCase(), '0x5', '0x5', false],
    );
    assert.deepEqual(await chain.call('eth_getTransactionByHash', effect.hash), effect);
    const receipt = await chain.call('eth_getTransactionReceipt', effect.hash);
    assert.deepEqual([receipt.status, receipt.gasUsed, receipt.effectiveGasPrice, receipt.type], ['0x1', '0x0', '0x0', '0x7e']);
    assert.equal(formatTransaction(effect).value, 5n);
    assert.equal(formatTransactionReceipt(receipt).status, 'success');
    assert.equal((await chain.call('eth_getRawTransactionByHash', effect.hash)).slice(0, 4), '0x7e');
  });
});

describe('eth_sendRawTransactionSync', () => {
  before(initialiseKeccak);

  it('answers with the receipt when the transaction is final', async () => {
    const chain = new ChainFixture();
    const answer = chain.call('eth_sendRawTransactionSync', await chain.sign(alice, {}));
    await new Promise((resolve) => setImmediate(resolve));
    await chain.mine();
    const receipt = await answer;
    assert.equal(receipt.status, '0x1');
    assert.equal(receipt.blockNumber, '0x1');
    assert.equal(chain.timerCount, 0, 'no timer is left');
  });

  it('gives up after the time asked for, and names the transaction', async () => {
    const chain = new ChainFixture();
    const answer = chain.error('eth_sendRawTransactionSync', await chain.sign(alice, {}), '0x64');
    await new Promise((resolve) => setImmediate(resolve));
    chain.advance(100);
    const error = await answer;
    assert.equal(error.code, 4);
    assert.match(error.data as string, /^0x[0-9a-f]{64}$/);
    assert.equal((await chain.call('eth_getTransactionByHash', error.data)).blockNumber, null, 'it goes on');
  });

  it('refuses as eth_sendRawTransaction does, and waits for nobody else then', async () => {
    const chain = new ChainFixture({ syncWaitsMax: 1 });
    assert.equal((await chain.error('eth_sendRawTransactionSync', '0xdeadbeef')).code, -32000);
    assert.equal(chain.timerCount, 0);
    const waiting = chain.error('eth_sendRawTransactionSync', await chain.sign(alice, {}), 50);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await chain.error('eth_sendRawTransactionSync', await chain.sign(bob, {}))).code, -32005);
    chain.advance(50);
    assert.equal((await waiting).code, 4);
  });
});

describe('txpool methods', () => {
  before(initialiseKeccak);

  it('show what waits, by sender and nonce', async () => {
    const chain = new ChainFixture();
    const first = await chain.send(alice, { value: 1n });
    const gapped = await chain.send(bob, { to: carol.address, nonce: 3 });
    const content = await chain.call('txpool_content');
    assert.equal(content.pending[alice.address.toLowerCase()]['0'].hash, first);
    assert.equal(content.queued[bob.address.toLowerCase()]['3'].hash, gapped);
    assert.deepEqual(await chain.call('txpool_contentFrom', bob.address), {
      pending: {},
      queued: content.queued[bob.address.toLowerCase()],
    });
    const inspect = await chain.call('txpool_inspect');
    assert.match(inspect.pending[alice.address.toLowerCase()]['0'], /^0x[0-9a-f]{40}: 1 wei \+ 21000 gas × 1000000000 wei$/);
  });
});
