// Calls and estimates without effect.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createOwnLoopExecutor } from '../../../src/core/execution/evm/own-loop-executor.ts';
import { foreignCallError } from '../../../src/core/execution/family-rules.ts';
import { createQueuedExecutor, estimateGas, type SimulatedCall, simulateCall } from '../../../src/core/execution/simulate.ts';
import { MESSENGER_ADDRESS } from '../../../src/core/execution/system-addresses.ts';
import { encodeSend } from '../../../src/core/messaging/messenger-interface.ts';
import { bytesToBigint, hex } from '../../../src/core/primitives/bytes.ts';
import { isError } from '../../../src/core/primitives/errors.ts';
import { assemble, deploying, type Part, storing } from './assembler.ts';
import { addressOf, BASE_FEE_WEI, CONTEXT, ETHER, GWEI, PARAMETERS, runBlock, transactionOf } from './block-setup.ts';
import { type AccountSetup, MemoryState } from './memory-state.ts';

const ALICE = addressOf('alice');
const BOB = addressOf('bob');
const CAROL = addressOf('carol');
const LENS = addressOf('lens');
const ORACLE = addressOf('oracle');

const evm = createQueuedExecutor(createOwnLoopExecutor(PARAMETERS.evmChainId), 8);

function stateWith(...more: readonly AccountSetup[]): MemoryState {
  return MemoryState.of([{ address: ALICE, balanceWei: 10n * ETHER, nonce: 3n }, ...more]);
}

function inputOf(state: MemoryState, call: Partial<SimulatedCall>) {
  const whole: SimulatedCall = { from: ALICE, to: BOB, valueWei: 0n, data: new Uint8Array(0), ...call };
  return { call: whole, state, context: CONTEXT, baseFeePerGasWei: BASE_FEE_WEI, parameters: PARAMETERS, evm };
}

function lens(code: Uint8Array): AccountSetup {
  return { address: LENS, family: BOB, nonce: 1n, code };
}

const answering: AccountSetup = {
  address: ORACLE,
  family: CAROL,
  nonce: 1n,
  code: assemble(0, 'SLOAD', 0, 'MSTORE', 32, 0, 'RETURN'),
  storage: { ['00'.repeat(32)]: new Uint8Array(32).fill(42, 31) },
};
const forwarding = (opcode: 'CALL' | 'STATICCALL', to = ORACLE): Uint8Array => {
  const value: Part[] = opcode === 'CALL' ? [0] : [];
  return assemble(32, 0, 4, 0, ...value, to, 'GAS', opcode, 32, 'MSTORE', 64, 0, 'RETURN');
};

describe('a simulated call', () => {
  it('reads other families by STATICCALL and by CALL without value', async () => {
    for (const opcode of ['CALL', 'STATICCALL'] as const) {
      const outcome = await simulateCall(inputOf(stateWith(lens(forwarding(opcode)), answering), { to: LENS, data: hex('01020304') }));
      assert.ok(outcome.outcome === 'success');
      assert.equal(bytesToBigint(outcome.returnData.slice(0, 32)), 42n);
      assert.equal(bytesToBigint(outcome.returnData.slice(32)), 1n);
    }
  });

  it('sees balances and code of other families', async () => {
    const code = assemble(ALICE, 'BALANCE', 0, 'MSTORE', ORACLE, 'EXTCODESIZE', 32, 'MSTORE', 64, 0, 'RETURN');
    const outcome = await simulateCall(inputOf(stateWith(lens(code), answering), { to: LENS }));
    assert.ok(outcome.outcome === 'success');
    assert.equal(bytesToBigint(outcome.returnData.slice(0, 32)), 10n * ETHER);
    assert.equal(bytesToBigint(outcome.returnData.slice(32)), BigInt(answering.code?.length ?? 0));
  });

  it('changes nothing in another family: there every frame is static', async () => {
    const writing: AccountSetup = { ...answering, code: assemble(1, 0, 'SSTORE') };
    const outcome = await simulateCall(inputOf(stateWith(lens(forwarding('CALL')), writing), { to: LENS }));
    assert.ok(outcome.outcome === 'success');
    assert.equal(bytesToBigint(outcome.returnData.slice(32)), 0n);
  });

  it('succeeds with nothing where there is no code, as Ethereum’s does', async () => {
    const outcome = await simulateCall(inputOf(stateWith(), { data: hex('0102030405') }));
    assert.deepEqual(outcome, {
      outcome: 'success',
      returnData: new Uint8Array(0),
      createdAddress: undefined,
      halt: undefined,
      gasUsed: 21_080,
      logs: [],
    });
  });

  it('says what the sender lacks', async () => {
    assert.deepEqual(await simulateCall(inputOf(stateWith(), { valueWei: 11n * ETHER })), {
      outcome: 'insufficient-funds',
      haveWei: 10n * ETHER,
      wantWei: 11n * ETHER,
    });
  });

  it('gives revert data', async () => {
    const outcome = await simulateCall(inputOf(stateWith(lens(assemble(0xee, 0, 'MSTORE', 32, 0, 'REVERT'))), { to: LENS }));
    assert.ok(outcome.outcome === 'revert');
    assert.equal(bytesToBigint(outcome.returnData), 0xeen);
  });
});

describe('a message of the messenger', () => {
  const callData = encodeSend({ to: ORACLE, gas: 40_000n, replySelector: hex('cafebabe'), replyGas: 0n, data: hex('01020304') });
  const asking = assemble(
    ...storing(callData),
    32,
    0,
    callData.length,
    0,
    0,
    MESSENGER_ADDRESS,
    'GAS',
    'CALL',
    32,
    'MSTORE',
    64,
    0,
    'RETURN',
  );

  it('is sent by a simulated call, which gives its id', async () => {
    const outcome = await simulateCall(inputOf(stateWith(lens(asking), answering), { to: LENS }));
    assert.ok(outcome.outcome === 'success');
    assert.deepEqual(
      [bytesToBigint(outcome.returnData.slice(32)), outcome.returnData.subarray(0, 32).some((byte) => byte > 0)],
      [1n, true],
    );
  });

  it('is in an estimate with all that follows from it, and its gas is enough', async () => {
    const estimate = await estimateGas(inputOf(stateWith(lens(asking), answering), { to: LENS }));
    assert.ok(estimate.outcome === 'success');
    assert.ok(estimate.gasLimit > 21_000 + 6_000 + 40_000 + 30_000);
    const send = async (gasLimit: number) => {
      const { messages } = await runBlock(stateWith(lens(asking), answering), [
        transactionOf({ sender: ALICE, nonce: 3n, to: LENS, gasLimit }),
      ]);
      return messages.filter(({ outcome }) => outcome !== 'forwarded').map(({ message, outcome }) => `${message.kind} ${outcome}`);
    };
    assert.deepEqual(
      await send(estimate.gasLimit),
      ['main-call success', 'call success', 'reply failure'],
      'the reply calls it again, with too little',
    );
    assert.deepEqual(await send(Math.floor(estimate.gasLimit * 0.99)), ['main-call failure']);
  });

  it('to the messenger itself is refused, as of a transaction', async () => {
    const outcome = await simulateCall(inputOf(stateWith(), { to: MESSENGER_ADDRESS, data: callData }));
    assert.ok(outcome.outcome === 'revert');
    assert.deepEqual(outcome.returnData, foreignCallError(MESSENGER_ADDRESS));
  });
});

describe('an estimate', () => {
  const enough = async (state: MemoryState, call: Partial<SimulatedCall>): Promise<number> => {
    const estimate = await estimateGas(inputOf(state, call));
    assert.ok(estimate.outcome === 'success', estimate.outcome);
    return estimate.gasLimit;
  };

  it('of a plain transfer is 21,000', async () => {
    assert.equal(await enough(stateWith(), { valueWei: 1n }), 21_000);
  });

  it('is enough when it is bought, and little less is not', async () => {
    const deep = assemble(
      0,
      0,
      0,
      0,
      0,
      ORACLE,
      'GAS',
      'CALL',
      'ISZERO',
      40,
      'JUMPI',
      'STOP',
      { raw: new Uint8Array(8) },
      'JUMPDEST',
      0,
      0,
      'REVERT',
    );
    const jumpTo = deep.indexOf(0x5b);
    const code = deep.map((byte, index) => (deep[index - 1] === 0x60 && byte === 40 ? jumpTo : byte));
    const worker: AccountSetup = {
      address: ORACLE,
      family: BOB,
      nonce: 1n,
      code: assemble(...Array.from({ length: 30 }, (_, slot): Part[] => [1, slot, 'SSTORE']).flat()),
    };
    const state = stateWith(lens(code), worker);
    const gasLimit = await enough(state, { to: LENS });
    const send = async (limit: number) =>
      (await runBlock(state, [transactionOf({ sender: ALICE, nonce: 3n, to: LENS, gasLimit: limit })])).messages.at(-1)?.outcome;
    assert.equal(await send(gasLimit), 'success');
    assert.equal(await send(Math.floor(gasLimit * 0.99)), 'revert');
  });

  it('of a creation counts the pointer', async () => {
    const data = deploying(assemble('STOP'));
    const gasLimit = await enough(stateWith(), { to: undefined, data });
    const { messages } = await runBlock(stateWith(), [transactionOf({ sender: ALICE, nonce: 3n, to: undefined, data, gasLimit })]);
    assert.deepEqual(
      messages.map(({ outcome }) => outcome),
      ['success', 'success'],
    );
  });

  it('follows the rules of execution: a foreign call fails here, with the typed error', async () => {
    const code = assemble(
      0,
      0,
      4,
      0,
      0,
      ORACLE,
      'GAS',
      'CALL',
      'POP',
      'RETURNDATASIZE',
      0,
      0,
      'RETURNDATACOPY',
      'RETURNDATASIZE',
      0,
      'REVERT',
    );
    const estimate = await estimateGas(inputOf(stateWith(lens(code), answering), { to: LENS }));
    assert.deepEqual(estimate, { outcome: 'revert', returnData: foreignCallError(ORACLE), halt: undefined });
  });

  it('buys no more than the sender can pay', async () => {
    const estimate = await estimateGas(inputOf(stateWith(), { valueWei: 10n * ETHER, gasPriceWei: GWEI }));
    assert.equal(estimate.outcome, 'insufficient-funds');
  });
});

describe('the queue of simulations', () => {
  it('runs them one after the other and refuses beyond its bound', async () => {
    const state = stateWith(lens(assemble('JUMPDEST', 0, 'JUMP')));
    const calls = Array.from({ length: 9 }, () => simulateCall(inputOf(state, { to: LENS, gasLimit: 100_000 })));
    const settled = await Promise.allSettled(calls);
    assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 8);
    const refused = settled.find((one) => one.status === 'rejected');
    assert.ok(refused?.status === 'rejected' && isError(refused.reason, 'execution/too-many-simulations'));
  });
});
