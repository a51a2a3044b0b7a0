// The coppice_ methods: where effects come from, proofs, shards.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { hex } from '../../src/core/primitives/bytes.ts';
import { messageTo } from '../core/messaging/messages.ts';
import { type Answer, alice, bob, ChainFixture, carol, GENESIS_SUPPLY_WEI, SENDER_INIT_CODE } from './chain-fixture.ts';

describe('the messages of a transaction', () => {
  before(initialiseKeccak);

  it('are all there in order, and each effect is traced to its cause', async () => {
    const chain = new ChainFixture();
    const contract = await chain.deploy(SENDER_INIT_CODE);
    const hash = await chain.send(alice, { to: contract, value: 5n, data: `0x${'00'.repeat(12)}${carol.address.slice(2)}` });
    assert.equal(await chain.call('coppice_getMessages', hash), null, 'not before it is final');
    await chain.mine();
    const messages = await chain.call('coppice_getMessages', hash);
    assert.deepEqual(
      messages.map((message: { kind: string; outcome: string }) => [message.kind, message.outcome]),
      [
        ['main-call', 'success'],
        ['value-send', 'success'],
      ],
    );
    const [main, send] = messages;
    assert.equal(send.emitterId, main.id);
    const traced = await chain.call('coppice_getTrace', send.transactionHash);
    assert.deepEqual(traced, { originTransactionHash: hash, item: send, causes: [main], effects: [] });
    assert.deepEqual((await chain.call('coppice_getTrace', hash)).effects, [send]);
    assert.equal(await chain.call('coppice_getTrace', `0x${'de'.repeat(32)}`), null);
  });

  it('of another family name it, and show its forward and its pointer', async () => {
    const chain = new ChainFixture();
    const contract = await chain.deploy(SENDER_INIT_CODE);
    const hash = await chain.send(carol, { to: contract, value: 1n, data: `0x${'00'.repeat(12)}${carol.address.slice(2)}` });
    await chain.mine();
    const messages = await chain.call('coppice_getMessages', hash);
    assert.deepEqual(
      messages.map((message: { kind: string; outcome: string; hop: string }) => [message.kind, message.outcome, message.hop]),
      [
        ['main-call', 'forwarded', '0x0'],
        ['main-call', 'success', '0x1'],
        ['value-send', 'success', '0x2'],
      ],
    );
    assert.equal(messages[1].toFamily, alice.address.toLowerCase());
    assert.equal((await chain.call('eth_getTransactionReceipt', hash)).status, '0x1');
  });
});

describe('messages on their way between shards', () => {
  before(initialiseKeccak);

  const MESSAGE = messageTo(hex(bob.address), 5, {
    kind: 'main-call',
    id: new Uint8Array(32).fill(0xaa),
    originTransactionHash: new Uint8Array(32).fill(0xee),
    emitterId: new Uint8Array(32).fill(0xee),
    sender: hex(alice.address),
    senderFamily: hex(alice.address),
    hop: 0,
  });
  const HASH = `0x${'ee'.repeat(32)}`;

  it('are shown with where they go, and nothing that only running them can tell', async () => {
    const chain = new ChainFixture();
    chain.underWay = [{ message: MESSAGE, toShard: 3, sentInBlock: 0 }];
    const [message, ...others] = await chain.call('coppice_getMessages', HASH);
    assert.deepEqual(others, []);
    assert.deepEqual(message, {
      id: `0x${'aa'.repeat(32)}`,
      kind: 'main-call',
      status: 'under-way',
      outcome: null,
      originTransactionHash: HASH,
      emitterId: HASH,
      from: alice.address.toLowerCase(),
      fromFamily: alice.address.toLowerCase(),
      to: bob.address.toLowerCase(),
      toFamily: bob.address.toLowerCase(),
      toShard: '0x3',
      value: '0x5',
      gas: '0x3e8',
      gasUsedByExecution: null,
      hop: '0x0',
      wave: null,
      sentBlockNumber: '0x0',
      blockNumber: null,
      transactionHash: HASH,
    });
    assert.deepEqual(await chain.call('coppice_getTrace', HASH), { originTransactionHash: HASH, item: message, causes: [], effects: [] });
  });

  it('are effects of what sent them, and shown once: a forward goes on under the id of what is final', async () => {
    const chain = new ChainFixture();
    const contract = await chain.deploy(SENDER_INIT_CODE);
    const hash = await chain.send(alice, { to: contract, value: 5n, data: `0x${'00'.repeat(12)}${carol.address.slice(2)}` });
    await chain.mine();
    const final = await chain.call('coppice_getMessages', hash);
    const [main, send] = final;
    assert.deepEqual([main.status, main.toShard, main.sentBlockNumber], ['final', '0x1', null]);
    const sent = {
      ...MESSAGE,
      kind: 'value-send' as const,
      id: hex(send.id),
      originTransactionHash: hex(hash),
      emitterId: hex(main.id),
      hop: Number(send.hop),
    };
    chain.underWay = [{ message: sent, toShard: 1, sentInBlock: 2 }];
    assert.deepEqual(await chain.call('coppice_getMessages', hash), final, 'what is final is not under way any more');
    chain.underWay = [{ message: { ...sent, hop: sent.hop + 1 }, toShard: 1, sentInBlock: 2 }];
    const { item, effects } = await chain.call('coppice_getTrace', hash);
    assert.equal(item.status, 'final');
    assert.deepEqual(
      effects.map(({ id, hop, status }: Record<string, string>) => [id, hop, status]),
      [
        [send.id, send.hop, 'final'],
        [send.id, `0x${(sent.hop + 1).toString(16)}`, 'under-way'],
      ],
    );
  });
});

describe('coppice_getSupply', () => {
  before(initialiseKeccak);

  const TERMS = ['balances', 'stake', 'accruedRewards', 'undeliveredValue', 'undeliveredPriorityFees', 'burned'];
  /** Creates a contract with the value that came, which destroys itself in its init code in favour of itself. */
  const BURNING_INIT_CODE = '0x30ff';

  function heldWei(chain: ChainFixture): bigint {
    return [...chain.state.accounts.values()].reduce((sum, account) => sum + account.balanceWei, 0n);
  }

  async function check(chain: ChainFixture): Promise<Answer> {
    const supply = await chain.call('coppice_getSupply');
    const sum = TERMS.reduce((total, term) => total + BigInt(supply[term]), 0n);
    assert.equal(sum, BigInt(supply.genesisSupply) + BigInt(supply.issuedRewards));
    assert.equal(BigInt(supply.genesisSupply), GENESIS_SUPPLY_WEI);
    assert.equal(BigInt(supply.balances), heldWei(chain), 'what accounts hold, counted one by one');
    assert.equal(supply.blockHash, `0x${chain.head.hashHex}`);
    return supply;
  }

  it('has every term, and they sum to what there was at genesis, whatever happens', async () => {
    const chain = new ChainFixture();
    const before = await check(chain);
    assert.deepEqual([before.burned, before.accruedRewards, before.blockNumber], ['0x0', '0x0', '0x0']);
    const contract = await chain.deploy(SENDER_INIT_CODE);
    await check(chain);
    // An odd number of wei as tip, a value send, a failed call that bounces, a failed creation, and one that burns what it was given.
    await chain.send(alice, { value: 7n, tipWei: 10n ** 7n + 1n, gas: 21_001n });
    await chain.send(alice, { to: contract, value: 5n, data: `0x${'00'.repeat(12)}${carol.address.slice(2)}` });
    await chain.send(bob, { to: `0x${'99'.repeat(20)}`, value: 11n, data: '0x01020304' });
    await chain.send(carol, { to: null, value: 13n, data: '0x60006000fd' });
    await chain.mine();
    const quiet = await check(chain);
    assert.ok(BigInt(quiet.burned) > 0n && BigInt(quiet.accruedRewards) > 0n);
    await chain.send(carol, { to: null, value: 10n ** 18n, data: BURNING_INIT_CODE });
    await chain.mine();
    const after = await check(chain);
    assert.ok(BigInt(after.burned) > BigInt(quiet.burned) + 10n ** 18n, 'a contract that is created and destroyed burns what it holds');
    assert.deepEqual(await chain.call('coppice_getSupply', '0x2'), quiet, 'old blocks too');
    assert.deepEqual(await chain.call('coppice_getSupply', 'earliest'), before);
  });

  it('says when there is no such block, and when nothing is recorded', async () => {
    const chain = new ChainFixture();
    assert.deepEqual(await chain.error('coppice_getSupply', '0x1'), { code: -32000, message: 'header not found' });
    assert.deepEqual(await chain.error('coppice_getSupply', 'pending'), { code: -32000, message: 'header not found' });
    chain.totals.length = 0;
    assert.match((await chain.error('coppice_getSupply')).message, /not recorded/);
  });
});

describe('coppice_getProof', () => {
  it('gives pointer, account and slots against the state root of the block', async () => {
    const chain = new ChainFixture();
    const slot = `0x${'00'.repeat(31)}01`;
    const proof = await chain.call('coppice_getProof', alice.address, ['0x1'], 'latest');
    assert.equal(proof.address, alice.address.toLowerCase());
    assert.equal(proof.family, proof.address);
    assert.equal(proof.blockHash, `0x${chain.head.hashHex}`);
    assert.equal(proof.stateRoot, (await chain.call('eth_getBlockByNumber', 'latest', false)).stateRoot);
    assert.equal(proof.pointerProof.leaf, null);
    assert.equal(proof.accountProof.leaf.tag, '0x0');
    assert.equal(proof.storageProofs[0].slot, slot);
    assert.equal((await chain.call('coppice_getProof', alice.address)).storageProofs.length, 0);
    assert.equal((await chain.error('coppice_getProof', alice.address, [], '0x9')).message, 'header not found');
    assert.equal((await chain.error('coppice_getProof', alice.address, ['one'])).code, -32602);
  });
});

describe('shards', () => {
  it('show in the coppice_ methods', async () => {
    const chain = new ChainFixture();
    assert.deepEqual(await chain.call('coppice_getEvidence', '0x1'), [
      { id: `0x${'01'.repeat(32)}`, kind: 'conflicting-votes', round: '0x7', validators: ['0x2'], encoded: '0x0102' },
    ]);
    assert.equal(await chain.call('coppice_getEvidence', '0x2'), null);
    assert.deepEqual(await chain.call('coppice_getLayout'), { epoch: '0x0', shards: ['0x1'], next: ['0x2', '0x3'] });
    assert.equal((await chain.call('coppice_getShardHead', 1)).finalizedHeight, '0x0');
    assert.equal((await chain.call('coppice_getShardHead', '0x1')).shard, '0x1');
    assert.equal(await chain.call('coppice_getShardHead', 2), null);
    assert.equal((await chain.call('coppice_getCommittee', 1, 0)).length, 1);
    assert.equal(await chain.call('coppice_getCommittee', 1, 9), null);
  });
});
