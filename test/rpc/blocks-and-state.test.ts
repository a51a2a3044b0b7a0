// Blocks, balances and fees as clients ask for them.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { createBlockHeader } from '@ethereumjs/block';
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { alice, BASE_FEE_WEI, bob, CHAIN_ID, ChainFixture, carol, LOGGER_INIT_CODE } from './chain-fixture.ts';

const ETHER = 10n ** 18n;
const NOBODY = `0x${'12'.repeat(20)}`;
const UNKNOWN_HASH = `0x${'de'.repeat(32)}`;

describe('block methods', () => {
  let chain: ChainFixture;
  before(initialiseKeccak);
  beforeEach(() => {
    chain = new ChainFixture();
  });

  it('give a block by number, by hash and by every tag, and null for what is not there', async () => {
    await chain.send(alice, { value: 1n });
    const { hashHex } = await chain.mine();
    const byNumber = await chain.call('eth_getBlockByNumber', '0x1', false);
    assert.equal(byNumber.hash, `0x${hashHex}`);
    assert.deepEqual(await chain.call('eth_getBlockByHash', byNumber.hash, false), byNumber);
    for (const tag of ['latest', 'safe', 'finalized']) assert.deepEqual(await chain.call('eth_getBlockByNumber', tag, false), byNumber);
    assert.equal((await chain.call('eth_getBlockByNumber', 'earliest', false)).number, '0x0');
    assert.equal(await chain.call('eth_getBlockByNumber', '0x2', false), null);
    assert.equal(await chain.call('eth_getBlockByHash', UNKNOWN_HASH, false), null);
    assert.equal(await chain.call('eth_blockNumber'), '0x1');
  });

  it('show a header whose hash any Ethereum library finds', async () => {
    await chain.send(alice, { value: 1n });
    await chain.mine();
    const block = await chain.call('eth_getBlockByNumber', 'latest', false);
    const { number, timestamp, gasLimit, gasUsed, baseFeePerGas, mixHash, miner, parentHash, stateRoot, logsBloom, parentBeaconBlockRoot } =
      block;
    const header = createBlockHeader(
      {
        number,
        timestamp,
        gasLimit,
        gasUsed,
        baseFeePerGas,
        mixHash,
        coinbase: miner,
        parentHash,
        stateRoot,
        logsBloom,
        parentBeaconBlockRoot,
        transactionsTrie: block.transactionsRoot,
        receiptTrie: block.receiptsRoot,
        blobGasUsed: 0n,
        excessBlobGas: 0n,
      },
      { common: new Common({ chain: Mainnet, hardfork: Hardfork.Cancun }), skipConsensusFormatValidation: true },
    );
    assert.equal(Buffer.from(header.hash()).toString('hex'), block.hash.slice(2));
  });

  it('make a pending block of what waits, after the head', async () => {
    const hash = await chain.send(alice, { value: 1n });
    const pending = await chain.call('eth_getBlockByNumber', 'pending', true);
    assert.equal(pending.number, '0x1');
    assert.equal(pending.parentHash, `0x${chain.head.hashHex}`);
    assert.deepEqual(
      pending.transactions.map((transaction: { hash: string }) => transaction.hash),
      [hash],
    );
    assert.equal(await chain.call('eth_getBlockTransactionCountByNumber', 'pending'), '0x1');
    assert.equal((await chain.call('eth_getTransactionByBlockNumberAndIndex', 'pending', '0x0')).hash, hash);
    assert.equal((await chain.call('eth_getRawTransactionByBlockNumberAndIndex', 'pending', '0x0')).slice(0, 4), '0x02');
    assert.equal(await chain.call('eth_getBlockReceipts', 'pending'), null);
  });

  it('count transactions, and no uncles', async () => {
    await chain.send(alice, { value: 1n });
    await chain.send(bob, { to: carol.address, value: 1n });
    await chain.mine();
    const { hash } = await chain.call('eth_getBlockByNumber', 'latest', false);
    assert.equal(await chain.call('eth_getBlockTransactionCountByNumber', 'latest'), '0x2');
    assert.equal(await chain.call('eth_getBlockTransactionCountByHash', hash), '0x2');
    assert.equal(await chain.call('eth_getBlockTransactionCountByNumber', '0x99'), null);
    assert.equal(await chain.call('eth_getBlockTransactionCountByHash', UNKNOWN_HASH), null);
    assert.equal(await chain.call('eth_getUncleCountByBlockNumber', 'latest'), '0x0');
    assert.equal(await chain.call('eth_getUncleCountByBlockNumber', '0x99'), null);
    assert.equal(await chain.call('eth_getUncleCountByBlockHash', hash), '0x0');
    assert.equal(await chain.call('eth_getUncleCountByBlockHash', UNKNOWN_HASH), null);
    assert.equal(await chain.call('eth_getUncleByBlockNumberAndIndex', 'latest', '0x0'), null);
    assert.equal(await chain.call('eth_getUncleByBlockHashAndIndex', hash, '0x0'), null);
  });

  it('give all receipts of a block, by number, hash and object', async () => {
    await chain.send(alice, { value: 1n });
    await chain.mine();
    const { hash } = await chain.call('eth_getBlockByNumber', 'latest', false);
    const receipts = await chain.call('eth_getBlockReceipts', 'latest');
    assert.equal(receipts.length, 1);
    for (const selector of ['0x1', hash, { blockHash: hash, requireCanonical: true }, { blockNumber: '0x1' }]) {
      assert.deepEqual(await chain.call('eth_getBlockReceipts', selector), receipts);
    }
    assert.equal(await chain.call('eth_getBlockReceipts', UNKNOWN_HASH), null);
  });

  it('say that history is pruned instead of giving something else', async () => {
    await chain.mine();
    await chain.mine();
    chain.oldest = 2;
    assert.equal(await chain.call('eth_getBlockByNumber', '0x0', false), null);
    assert.equal((await chain.call('eth_getBlockByNumber', 'earliest', false)).number, '0x2');
    assert.match((await chain.error('eth_getBalance', alice.address, '0x1')).message, /pruned/);
    assert.deepEqual(await chain.call('eth_getLogs', { fromBlock: '0x0', toBlock: 'latest' }), []);
    assert.equal((await chain.call('eth_feeHistory', '0x5', 'latest', [])).oldestBlock, '0x2');
  });
});

describe('state methods', () => {
  let chain: ChainFixture;
  before(initialiseKeccak);
  beforeEach(() => {
    chain = new ChainFixture();
  });

  it('give balances at every block', async () => {
    await chain.send(alice, { to: bob.address, value: 5n });
    const { hashHex } = await chain.mine();
    const before = `0x${(10_000n * ETHER).toString(16)}`;
    const after = `0x${(10_000n * ETHER + 5n).toString(16)}`;
    assert.equal(await chain.call('eth_getBalance', bob.address, '0x0'), before);
    for (const block of [
      'latest',
      'pending',
      'safe',
      'finalized',
      '0x1',
      undefined,
      { blockHash: `0x${hashHex}` },
      { blockNumber: '0x1' },
    ]) {
      assert.equal(await chain.call('eth_getBalance', bob.address, ...(block === undefined ? [] : [block])), after);
    }
    assert.equal(await chain.call('eth_getBalance', bob.address.toLowerCase(), 'latest'), after, 'checksums do not matter');
    assert.equal(await chain.call('eth_getBalance', NOBODY, 'latest'), '0x0');
    assert.deepEqual(await chain.error('eth_getBalance', bob.address, '0x2'), { code: -32000, message: 'header not found' });
    assert.deepEqual(await chain.error('eth_getBalance', bob.address, { blockHash: UNKNOWN_HASH }), {
      code: -32000,
      message: 'header not found',
    });
  });

  it('give code and storage of a contract, which lies in the family of its deployer', async () => {
    const contract = await chain.deploy(LOGGER_INIT_CODE);
    await chain.send(alice, { to: contract, data: `0x${'01'.repeat(32)}` });
    await chain.mine();
    assert.equal(await chain.call('eth_getCode', contract, 'latest'), `0x${LOGGER_INIT_CODE.slice(26)}`);
    assert.equal(await chain.call('eth_getCode', contract, '0x0'), '0x');
    assert.equal(await chain.call('eth_getCode', NOBODY, 'latest'), '0x');
    const seven = `0x${'00'.repeat(31)}07`;
    assert.equal(await chain.call('eth_getStorageAt', contract, '0x0', 'latest'), seven);
    assert.equal(await chain.call('eth_getStorageAt', contract, `0x${'00'.repeat(32)}`, 'latest'), seven);
    assert.equal(await chain.call('eth_getStorageAt', contract, '0x1', 'latest'), `0x${'00'.repeat(32)}`);
    assert.equal(await chain.call('eth_getStorageAt', contract, '0x0', '0x1'), `0x${'00'.repeat(32)}`);
    assert.equal(await chain.call('eth_getTransactionCount', contract, 'pending'), '0x1');
  });

  it('count mined transactions at latest, and everything that waits at pending', async () => {
    await chain.send(alice, { value: 1n });
    await chain.send(alice, { value: 1n });
    assert.equal(await chain.call('eth_getTransactionCount', alice.address, 'latest'), '0x0');
    assert.equal(await chain.call('eth_getTransactionCount', alice.address, 'pending'), '0x2');
    await chain.mine();
    assert.equal(await chain.call('eth_getTransactionCount', alice.address, 'latest'), '0x2');
    assert.equal(await chain.call('eth_getTransactionCount', alice.address, '0x0'), '0x0');
  });

  it('count at each block what was mined then, and not what was charged', async () => {
    await chain.send(alice, { value: 1n });
    await chain.send(alice, { value: 1n });
    const { hashHex } = await chain.mine();
    await chain.mine();
    chain.unmined.set(1, 1n).set(2, 2n);
    for (const block of ['0x1', `0x${hashHex}`, { blockNumber: '0x1' }])
      assert.equal(await chain.call('eth_getTransactionCount', alice.address, block), '0x1');
    assert.equal(await chain.call('eth_getTransactionCount', alice.address, 'latest'), '0x2');
    assert.equal(await chain.call('eth_getTransactionCount', alice.address, 'pending'), '0x2');
    // Charged after the block: its nonce is not below the account's there.
    chain.unmined.set(0, 5n);
    assert.equal(await chain.call('eth_getTransactionCount', alice.address, '0x0'), '0x0');
  });
});

describe('fee methods', () => {
  let chain: ChainFixture;
  before(initialiseKeccak);
  beforeEach(() => {
    chain = new ChainFixture();
  });

  it('suggest what recent transactions paid, and never nothing', async () => {
    const least = BASE_FEE_WEI / 10n;
    assert.equal(BigInt(await chain.call('eth_maxPriorityFeePerGas')), least);
    assert.equal(BigInt(await chain.call('eth_gasPrice')), BASE_FEE_WEI + least);
    await chain.send(alice, { tipWei: 3n * least, feeWei: 10n * BASE_FEE_WEI });
    await chain.mine();
    assert.equal(BigInt(await chain.call('eth_maxPriorityFeePerGas')), 3n * least);
  });

  it('give a history with one base fee more than blocks, fill of at most 1, and tips by percentile', async () => {
    await chain.send(alice, { tipWei: 5n });
    await chain.send(bob, { to: carol.address, tipWei: 9n });
    await chain.mine();
    await chain.mine();
    const history = await chain.call('eth_feeHistory', '0x2', 'latest', [0, 50, 100]);
    assert.equal(history.oldestBlock, '0x1');
    assert.deepEqual(history.baseFeePerGas, Array(3).fill(`0x${BASE_FEE_WEI.toString(16)}`));
    assert.deepEqual(history.gasUsedRatio, [42_000 / 8_000_000, 0]);
    assert.deepEqual(history.reward, [
      ['0x5', '0x5', '0x9'],
      ['0x0', '0x0', '0x0'],
    ]);
    assert.equal((await chain.call('eth_feeHistory', 2, 'latest')).reward, undefined, 'a plain number will do');
    assert.equal((await chain.call('eth_feeHistory', '0x400', 'pending', [])).gasUsedRatio.length, 3);
    assert.deepEqual((await chain.call('eth_feeHistory', '0x0', 'latest', [])).gasUsedRatio, []);
  });

  it('refuse percentiles that descend or are none, and blocks that are not there', async () => {
    assert.equal((await chain.error('eth_feeHistory', '0x1', 'latest', [50, 10])).code, -32602);
    assert.equal((await chain.error('eth_feeHistory', '0x1', 'latest', [101])).code, -32602);
    assert.equal((await chain.error('eth_feeHistory', '0x1', 'latest', ['10'])).code, -32602);
    assert.equal((await chain.error('eth_feeHistory', '0x1', 'latest', Array(101).fill(1))).code, -32602);
    const beyond = await chain.error('eth_feeHistory', '0x1', '0x9', []);
    assert.equal(beyond.code, -32000);
    assert.match(beyond.message, /^request beyond head block: requested 9, head \d+$/);
  });
});

describe('methods about the node', () => {
  it('answer', async () => {
    const chain = new ChainFixture();
    assert.equal(await chain.call('eth_chainId'), `0x${CHAIN_ID.toString(16)}`);
    assert.equal(await chain.call('net_version'), String(CHAIN_ID));
    assert.equal(await chain.call('net_listening'), true);
    assert.equal(await chain.call('net_peerCount'), '0x3');
    assert.deepEqual(await chain.call('eth_accounts'), []);
    assert.equal(await chain.call('eth_coinbase'), '0x0000000000000000000000000000000000c00000');
    assert.equal(await chain.call('web3_clientVersion'), 'coppice/0.0.0/test');
    assert.equal(await chain.call('web3_sha3', '0x'), '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470');
    assert.equal(await chain.call('eth_syncing'), false);
    chain.syncing = { startingBlock: 1, currentBlock: 16, highestBlock: 255 };
    assert.deepEqual(await chain.call('eth_syncing'), { startingBlock: '0x1', currentBlock: '0x10', highestBlock: '0xff' });
  });

  it('refuse what a node without keys and with another tree cannot do, and say what to use', async () => {
    const chain = new ChainFixture();
    const proof = await chain.error('eth_getProof', alice.address, [], 'latest');
    assert.equal(proof.code, -32601);
    assert.match(proof.message, /coppice_getProof/);
    assert.match((await chain.error('eth_sendTransaction', {})).message, /eth_sendRawTransaction/);
    for (const method of ['eth_sign', 'eth_createAccessList', 'eth_simulateV1', 'eth_config', 'debug_traceTransaction', 'nonsense']) {
      assert.equal((await chain.error(method)).code, -32601, method);
    }
  });
});
