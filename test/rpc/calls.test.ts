// eth_call and eth_estimateGas: results, reverts, overrides, bad requests.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { encodeErrorResult, type Hex } from 'viem';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { parameters } from '../core/mempool/transaction-fixture.ts';
import { alice, bob, ChainFixture, carol, LOGGER_INIT_CODE } from './chain-fixture.ts';

const FORTY_TWO = `0x${'00'.repeat(31)}2a`;
/** Returns what slot 0 holds. */
const READ_SLOT_CODE = '0x60005460005260206000f3';
/** Returns the balance of the caller. */
const BALANCE_CODE = '0x333160005260206000f3';

/** Init code that reverts with `payload`. */
function reverting(payload: Hex): Hex {
  const length = ((payload.length - 2) / 2).toString(16).padStart(2, '0');
  return `0x60${length}600c60003960${length}6000fd${payload.slice(2)}`;
}

describe('eth_call', () => {
  let chain: ChainFixture;
  before(initialiseKeccak);
  beforeEach(() => {
    chain = new ChainFixture();
  });

  it('returns what the code returns, and changes nothing', async () => {
    const contract = await chain.deploy(LOGGER_INIT_CODE);
    for (const block of ['latest', 'pending', '0x1', { blockHash: `0x${chain.head.hashHex}` }]) {
      assert.equal(await chain.call('eth_call', { to: contract, data: '0x' }, block), FORTY_TWO);
    }
    assert.equal(await chain.call('eth_call', { to: contract }), FORTY_TWO);
    assert.equal(await chain.call('eth_call', { to: contract }, '0x0'), '0x', 'not there yet');
    assert.equal(await chain.call('eth_getStorageAt', contract, '0x0', 'latest'), `0x${'00'.repeat(32)}`);
    assert.equal(await chain.call('eth_call', { from: alice.address, to: bob.address, value: '0x1' }, 'latest'), '0x');
  });

  it('of a creation returns the code that would be there: libraries read state so, with init code that returns an answer', async () => {
    assert.equal(await chain.call('eth_call', { data: '0x602a60005260206000f3' }), FORTY_TWO);
    assert.equal(await chain.call('eth_call', { from: alice.address, data: '0x00' }), '0x');
  });

  it('gives reverts with code 3, their data, and the reason that Solidity wrote', async () => {
    const errorString = [{ type: 'error', name: 'Error', inputs: [{ type: 'string', name: 'reason' }] }] as const;
    const data = encodeErrorResult({ abi: errorString, errorName: 'Error', args: ['not enough'] });
    assert.deepEqual(await chain.error('eth_call', { data: reverting(data) }, 'latest'), {
      code: 3,
      message: 'execution reverted: not enough',
      data,
    });
    const panic = `0x4e487b71${'11'.padStart(64, '0')}` as const;
    assert.deepEqual(await chain.error('eth_call', { data: reverting(panic) }), {
      code: 3,
      message: 'execution reverted: panic code 0x11',
      data: panic,
    });
    assert.deepEqual(await chain.error('eth_call', { data: '0x60006000fd' }), { code: 3, message: 'execution reverted', data: '0x' });
    for (const odd of ['0x08c379a0', `0x08c379a0${'ff'.repeat(64)}`, '0xc6537837'] as const) {
      assert.deepEqual(await chain.error('eth_call', { data: reverting(odd) }), { code: 3, message: 'execution reverted', data: odd });
    }
  });

  it('says what the caller lacks', async () => {
    const error = await chain.error('eth_call', { from: `0x${'77'.repeat(20)}`, to: bob.address, value: '0x5' }, 'latest');
    assert.match(error.message, /^insufficient funds for gas \* price \+ value: address 0x77.* have 0 want 5/);
  });

  it('takes overrides of code, balance, nonce and storage', async () => {
    const somewhere = `0x${'55'.repeat(20)}`;
    assert.equal(await chain.call('eth_call', { to: somewhere }, 'latest', { [somewhere]: { code: '0x602a60005260206000f3' } }), FORTY_TWO);
    const slot = `0x${'00'.repeat(32)}`;
    const nine = `0x${'00'.repeat(31)}09`;
    for (const name of ['state', 'stateDiff']) {
      assert.equal(
        await chain.call('eth_call', { to: somewhere }, 'latest', { [somewhere]: { code: READ_SLOT_CODE, [name]: { [slot]: nine } } }),
        nine,
      );
    }
    const contract = await chain.deploy(LOGGER_INIT_CODE);
    await chain.send(alice, { to: contract, data: slot as Hex });
    await chain.mine();
    const seven = `0x${'00'.repeat(31)}07`;
    const code = READ_SLOT_CODE;
    assert.equal(await chain.call('eth_call', { to: contract }, 'latest', { [contract]: { code } }), seven, 'the storage stays');
    assert.equal(
      await chain.call('eth_call', { to: contract }, 'latest', { [contract]: { code, state: {} } }),
      slot,
      'the storage is gone',
    );
    assert.equal(await chain.call('eth_call', { to: contract }, 'latest', { [contract]: { code, stateDiff: { [nine]: nine } } }), seven);
    assert.equal(await chain.call('eth_call', { to: contract }, 'latest', { [contract]: { code, stateDiff: { [slot]: slot } } }), slot);
    const rich = `0x${'66'.repeat(20)}`;
    const balance = await chain.call('eth_call', { from: rich, to: rich, value: '0x0' }, 'latest', {
      [rich]: { balance: '0x5', code: BALANCE_CODE },
    });
    assert.equal(BigInt(balance), 5n);
    assert.equal(await chain.call('eth_getCode', somewhere, 'latest'), '0x', 'nothing stays');
  });

  it('refuses overrides that are none', async () => {
    for (const overrides of [
      [],
      { '0x1': {} },
      { [bob.address]: 5 },
      { [bob.address]: { balance: 5 } },
      { [bob.address]: { code: '0x1' } },
      { [bob.address]: { state: {}, stateDiff: {} } },
      { [bob.address]: { state: { '0x0': FORTY_TWO } } },
      { [bob.address]: { state: { [FORTY_TWO]: '0x1' } } },
    ]) {
      assert.equal((await chain.error('eth_call', { to: bob.address }, 'latest', overrides)).code, -32602, JSON.stringify(overrides));
    }
  });

  it('refuses requests that do not fit together', async () => {
    for (const request of [
      { to: 'bob' },
      { gas: -1 },
      { value: 'much' },
      { data: '0x123' },
      { data: '0x12', input: '0x13' },
      { gasPrice: '0x1', maxFeePerGas: '0x1' },
      { maxFeePerGas: '0x1', maxPriorityFeePerGas: '0x2' },
      { accessList: [{}] },
      { accessList: [{ address: bob.address, storageKeys: ['0x1'] }] },
      null,
      'call',
      [],
    ]) {
      assert.equal((await chain.error('eth_call', request, 'latest')).code, -32602, JSON.stringify(request));
    }
    assert.equal(
      await chain.call('eth_call', { to: bob.address, data: '0x', input: '0x', accessList: [{ address: bob.address, storageKeys: [] }] }),
      '0x',
    );
  });
});

describe('block overrides', () => {
  let chain: ChainFixture;
  before(initialiseKeccak);
  beforeEach(() => {
    chain = new ChainFixture();
  });

  /** Runs code that returns the word that one opcode pushes. */
  async function seen(opcode: string, overrides?: object | null): Promise<bigint> {
    const to = `0x${'55'.repeat(20)}`;
    const code = { [to]: { code: `0x${opcode}60005260206000f3` } };
    return BigInt(await chain.call('eth_call', { to }, 'latest', code, ...(overrides === undefined ? [] : [overrides])));
  }

  it('change what the code sees of its block, each for itself', async () => {
    const word = `0x${'ab'.repeat(32)}`;
    for (const [opcode, overrides, expected] of [
      ['43', { number: '0x123456789' }, 0x123456789n],
      ['42', { time: '0xffffffffff' }, 0xffffffffffn],
      ['45', { gasLimit: '0x1' }, 1n],
      ['41', { feeRecipient: bob.address }, BigInt(bob.address)],
      ['44', { prevRandao: word }, BigInt(word)],
      ['48', { baseFeePerGas: `0x${'f'.repeat(64)}` }, 2n ** 256n - 1n],
      ['4a', { blobBaseFee: '0x7' }, 7n],
    ] as const) {
      const unchanged = await seen(opcode);
      assert.notEqual(unchanged, expected, opcode);
      assert.equal(await seen(opcode, overrides), expected, opcode);
      for (const other of [null, {}, { difficulty: '0x1' }, { number: null }, { noSuchMember: '0x1' }])
        assert.equal(await seen(opcode, other), unchanged, `${opcode} ${JSON.stringify(other)}`);
    }
  });

  it('move the blocks whose hashes can be seen', async () => {
    for (let count = 0; count < 3; count++) await chain.mine();
    const parent = BigInt(`0x${'02'.repeat(32)}`);
    assert.equal(await seen('600240'), parent);
    assert.equal(await seen('600340'), 0n, 'not its own');
    assert.equal(await seen('600240', { number: '0x2' }), 0n);
    assert.equal(await seen('600140', { number: '0x2' }), BigInt(`0x${'01'.repeat(32)}`));
    assert.equal(await seen('600240', { number: '0x102' }), parent, '256 back');
    assert.equal(await seen('600240', { number: '0x103' }), 0n, '257 back');
    assert.equal(await seen('600940', { number: '0x103' }), 0n, 'there is none');
  });

  it('count for estimates too', async () => {
    // Stores three words if NUMBER is above 255, else stops.
    const data = '0x60ff4311600857005b600160005560016001556001600255';
    const gasOf = async (overrides: object): Promise<bigint> =>
      BigInt(await chain.call('eth_estimateGas', { from: alice.address, data }, 'latest', {}, overrides));
    assert.ok((await gasOf({ number: '0x100' })) > (await gasOf({ number: '0x1' })) + 60_000n);
  });

  it('that are none are refused', async () => {
    for (const overrides of [
      [],
      'latest',
      { number: 5 },
      { number: '5' },
      { number: `0x${'f'.repeat(64)}` },
      { time: '0xffffffffffffffff' },
      { time: -1 },
      { gasLimit: '0x' },
      { feeRecipient: '0x1' },
      { prevRandao: '0x1' },
      { baseFeePerGas: `0x1${'0'.repeat(64)}` },
      { blobBaseFee: {} },
      { difficulty: 'hard' },
    ]) {
      for (const method of ['eth_call', 'eth_estimateGas']) {
        const error = await chain.error(method, { to: bob.address }, 'latest', {}, overrides);
        assert.equal(error.code, -32602, JSON.stringify(overrides));
        assert.match(error.message, /^invalid argument 3 \(blockOverrides\): /);
      }
    }
    for (const name of ['beaconRoot', 'withdrawals']) {
      assert.deepEqual(await chain.error('eth_call', { to: bob.address }, 'latest', {}, { [name]: [] }), {
        code: -32000,
        message: `block override "${name}" is not supported for this RPC method`,
      });
    }
    assert.equal((await chain.error('eth_call', { to: bob.address }, 'latest', {}, {}, {})).code, -32602, 'five arguments');
  });
});

describe('a call that would take long', () => {
  let chain: ChainFixture;
  before(initialiseKeccak);
  beforeEach(() => {
    chain = new ChainFixture();
  });

  /** The longest time, in milliseconds of the wall clock, for which nothing else ran while `work` did. */
  async function longestStallMs(work: () => Promise<unknown>): Promise<number> {
    let longest = 0;
    let last = performance.now();
    let isDone = false;
    const tick = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      if (!isDone) setImmediate(tick);
    };
    setImmediate(tick);
    await work();
    isDone = true;
    return Math.max(longest, performance.now() - last);
  }

  /** How often others had a turn. */
  async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
    let turns = 0;
    let isDone = false;
    const tick = (): void => {
      turns++;
      if (!isDone) setImmediate(tick);
    };
    setImmediate(tick);
    await work();
    isDone = true;
    return turns;
  }

  const ENDLESS = '0x5b600056';
  const precompile = (number: number) => `0x${number.toString(16).padStart(40, '0')}`;

  it('ends when its gas does, and lets the node live meanwhile', async () => {
    let error: { code: number } | undefined;
    const stallMs = await longestStallMs(async () => {
      error = await chain.error('eth_call', { data: ENDLESS });
    });
    assert.equal(error?.code, -32000);
    assert.ok(stallMs < 300, `nothing else ran for ${stallMs} ms`);
  });

  it('is broken off when its time is up, and the next has its turn', async () => {
    const answers = [ENDLESS, ENDLESS].map((data) => chain.answer('eth_call', { data }));
    await new Promise((resolve) => setImmediate(resolve));
    chain.nowMs += 5_001;
    for (const { error } of await Promise.all(answers))
      assert.deepEqual(error, { code: -32000, message: 'execution aborted (timeout = 5s)' });
    assert.equal(await chain.call('eth_call', { data: '0x602a60005260206000f3' }), FORTY_TWO);
    assert.deepEqual(chain.faults, []);
  });

  it('in one precompile is refused before it starts', async () => {
    const rounds = (count: number): string => `0x${count.toString(16).padStart(8, '0')}${'00'.repeat(208)}01`;
    assert.equal((await chain.call('eth_call', { to: precompile(9), data: rounds(1_000) })).length, 130);
    for (const method of ['eth_call', 'eth_estimateGas']) {
      let error: unknown;
      const stallMs = await longestStallMs(async () => {
        error = await chain.error(method, { to: precompile(9), data: rounds(3_500_000) });
      });
      assert.deepEqual(error, {
        code: -32000,
        message: 'a precompile takes more than the 450000 gas that a simulation gives it at once',
      });
      assert.ok(stallMs < 300, `nothing else ran for ${stallMs} ms`);
    }
    assert.deepEqual(chain.faults, []);
  });

  it('gives way to the node between it and the next', async () => {
    const call = { to: precompile(9), data: `0x${(50_000).toString(16).padStart(8, '0')}${'00'.repeat(208)}01` };
    const calls = 8;
    const turns = await turnsDuring(() => Promise.all(Array.from({ length: calls }, () => chain.call('eth_call', call))));
    assert.ok(turns >= calls, `${turns} turns of the event loop during ${calls} calls`);
  });

  it('through a precompile that fails is not taken for one that is too heavy', async () => {
    const notAPoint = `0x${'01'.repeat(192)}`;
    assert.equal(
      (await chain.error('eth_call', { to: precompile(8), data: notAPoint })).message,
      'a precompiled contract refused its input',
    );
  });
});

describe('eth_estimateGas', () => {
  let chain: ChainFixture;
  before(initialiseKeccak);
  beforeEach(() => {
    chain = new ChainFixture();
  });

  it('is the least that works and 5 % more', async () => {
    assert.equal(BigInt(await chain.call('eth_estimateGas', { from: alice.address, to: bob.address, value: '0x1' })), 22_050n);
    const contract = await chain.deploy(LOGGER_INIT_CODE);
    const gas = BigInt(await chain.call('eth_estimateGas', { from: alice.address, to: contract, data: '0x' }));
    const hash = await chain.send(alice, { to: contract, data: '0x', gas });
    await chain.mine();
    assert.equal((await chain.call('eth_getTransactionReceipt', hash)).status, '0x1');
    const [message] = await chain.call('coppice_getMessages', hash);
    const used = 21_000n + BigInt(message.gasUsedByExecution);
    assert.ok(gas >= used && gas < (used * 107n) / 100n, `${gas} bought, ${used} used`);
  });

  it('looks at what is pending, also when asked for latest', async () => {
    await chain.deploy(LOGGER_INIT_CODE);
    const transfer = { from: alice.address, to: bob.address };
    assert.equal(await chain.call('eth_estimateGas', transfer, 'latest'), await chain.call('eth_estimateGas', transfer, 'pending'));
    assert.equal(await chain.call('eth_estimateGas', transfer, '0x0'), await chain.call('eth_estimateGas', transfer));
  });

  it('says why a call cannot succeed', async () => {
    assert.deepEqual(await chain.error('eth_estimateGas', { from: alice.address, data: '0x60006000fd' }), {
      code: 3,
      message: 'execution reverted',
      data: '0x',
    });
    assert.match(
      (await chain.error('eth_estimateGas', { from: `0x${'77'.repeat(20)}`, to: bob.address, value: '0x1' })).message,
      /^insufficient funds/,
    );
    const contract = await chain.deploy(LOGGER_INIT_CODE);
    assert.deepEqual(await chain.error('eth_estimateGas', { from: carol.address, to: contract, gas: '0x5209' }), {
      code: -32000,
      message: 'gas required exceeds allowance (21001)',
    });
    assert.match(
      (await chain.error('eth_estimateGas', { to: `0x${'78'.repeat(20)}`, data: '0x01020304' })).message,
      /^no code at the called/,
    );
  });

  it('says how much gas is allowed when that is too little: by the call, the sender’s balance or the network', async () => {
    const contract = await chain.deploy(LOGGER_INIT_CODE);
    const allowance = async (call: object, overrides: object = {}): Promise<string> =>
      (await chain.error('eth_estimateGas', { from: carol.address, to: contract, ...call }, 'latest', overrides)).message;
    const holding = (wei: bigint) => ({ [carol.address]: { balance: `0x${wei.toString(16)}` } });
    assert.equal(await allowance({ gas: '0x5dc0' }), 'gas required exceeds allowance (24000)');
    assert.equal(await allowance({ gas: '0x5dc0', data: `0x${'ff'.repeat(1000)}` }), 'gas required exceeds allowance (24000)', 'intrinsic');
    assert.equal(await allowance({ gasPrice: '0xa' }, holding(239_999n)), 'gas required exceeds allowance (23999)');
    assert.equal(await allowance({ gasPrice: '0xa', value: '0x3e8' }, holding(201_000n)), 'gas required exceeds allowance (20000)');
    assert.match(await allowance({ gasPrice: '0xa', value: '0x3e8' }, holding(1_000n)), /^insufficient funds .* have 1000 want 211000$/);
    const endless = { [contract]: { code: '0x5b5f56' } };
    assert.equal(await allowance({ gas: '0xffffffff' }, endless), `gas required exceeds allowance (${parameters.transactionGasLimitMax})`);
    const asked = { from: carol.address, to: contract };
    assert.equal(await chain.call('eth_estimateGas', { ...asked, gas: '0x1' }), await chain.call('eth_estimateGas', asked), 'no wish');
  });

  it('counts the balance of a contract that is named as the sender', async () => {
    const contract = await chain.deploy(LOGGER_INIT_CODE);
    const funded = { [contract]: { balance: '0xde0b6b3a7640000' } };
    const call = { from: contract, to: bob.address, value: '0x1', gasPrice: '0x3b9aca00' };
    assert.equal(BigInt(await chain.call('eth_estimateGas', call, 'latest', funded)) > 21_000n, true);
  });
});
