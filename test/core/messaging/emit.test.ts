// What emitted messages carry, and the bound on hops.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createOwnLoopExecutor } from '../../../src/core/execution/evm/own-loop-executor.ts';
import { type ExecutedMessage, executeMessage } from '../../../src/core/execution/execute-message.ts';
import { StateOverlay } from '../../../src/core/execution/state-overlay.ts';
import { MESSENGER_ADDRESS } from '../../../src/core/execution/system-addresses.ts';
import {
  bounceOf,
  callOf,
  creditOf,
  forwardOf,
  isNaturalPlace,
  mainCallOf,
  pointerOf,
  replyOf,
  sweepOf,
  valueSendOf,
} from '../../../src/core/messaging/emit.ts';
import { messageIdOf } from '../../../src/core/messaging/message-id.ts';
import { encodeSend, TOO_MANY_HOPS_ERROR } from '../../../src/core/messaging/messenger-interface.ts';
import { BOUNCE_GAS, HOPS_MAX, RECEIVE_GAS } from '../../../src/core/protocol/gas.ts';
import { type Message, NO_REPLY } from '../../../src/core/protocol/message.ts';
import { assemble, storing } from '../execution/assembler.ts';
import { addressOf, CONTEXT, ETHER, GWEI, PARAMETERS, transactionOf } from '../execution/block-setup.ts';
import { MemoryState } from '../execution/memory-state.ts';

const ALICE = addressOf('alice');
const BOB = addressOf('bob');
const CAROL = addressOf('carol');
const VAULT = addressOf('vault');

const transaction = transactionOf({ sender: ALICE, to: VAULT, valueWei: 5n, gasLimit: 400_000 });
const cause = mainCallOf({
  transaction,
  isInSenderFamily: false,
  gasLimit: 300_000,
  gasPriceWei: 2n * GWEI,
  baseFeePerGasWei: GWEI,
  travellingTipWei: 9n,
});

describe('an emitted message', () => {
  it('keeps the origin and the price of what caused it, and none of its tip', () => {
    const send = valueSendOf(cause, 3, VAULT, CAROL, BOB, 7n);
    assert.deepEqual(send.id, messageIdOf(cause.id, 3));
    assert.deepEqual([send.originAddress, send.originFamily, send.originTransactionHash], [ALICE, ALICE, transaction.hash]);
    assert.deepEqual([send.gasPriceWei, send.baseFeePerGasWei, send.travellingTipWei], [2n * GWEI, GWEI, 0n]);
    assert.deepEqual([send.gasLimit, send.reservedGas, send.hop], [RECEIVE_GAS, BOUNCE_GAS, 1]);
    assert.ok(isNaturalPlace(send));
  });

  it('carries gas only where code is to run', () => {
    for (const message of [
      creditOf(cause, 0, VAULT, CAROL, BOB, 1n),
      bounceOf(cause, 0),
      pointerOf(cause, 0, VAULT, CAROL),
      sweepOf(cause, 0, VAULT, CAROL, 1n),
    ]) {
      assert.deepEqual([message.gasLimit, message.reservedGas], [0, 0]);
    }
  });

  it('that the messenger sends has gas, data and a reply of its own, and is answered and bounced with what it reserved', () => {
    const terms = {
      from: VAULT,
      to: BOB,
      isInSenderFamily: false,
      valueWei: 7n,
      data: new Uint8Array(9),
      gasLimit: 5,
      reservedGas: 70_000,
    };
    const call = callOf(cause, 1, CAROL, { ...terms, replySelector: new Uint8Array(4).fill(1) });
    assert.deepEqual([call.targetFamily, call.gasLimit, call.reservedGas, call.data.length], [BOB, 5, 70_000, 9]);
    assert.deepEqual(callOf(cause, 1, CAROL, { ...terms, isInSenderFamily: true, replySelector: NO_REPLY }).targetFamily, CAROL);
    const reply = replyOf(call, 0, MESSENGER_ADDRESS, new Uint8Array(3));
    assert.deepEqual([reply.sender, reply.target, reply.targetFamily], [MESSENGER_ADDRESS, VAULT, CAROL]);
    assert.deepEqual([reply.gasLimit, reply.reservedGas, reply.valueWei, reply.hop], [70_000, 0, 0n, 2]);
    const bounce = bounceOf(call, 0);
    assert.deepEqual([bounce.gasLimit, bounce.reservedGas, bounce.valueWei, bounce.targetFamily], [BOUNCE_GAS, 0, 7n, CAROL]);
  });

  it('goes back, as a bounce, directly to the family of the sender', () => {
    const bounce = bounceOf({ ...cause, senderFamily: CAROL, sender: VAULT }, 0);
    assert.deepEqual([bounce.target, bounce.targetFamily, bounce.valueWei], [VAULT, CAROL, 5n]);
  });

  it('keeps its id when it is forwarded, and counts the hop', () => {
    const forwarded = forwardOf(cause, CAROL);
    assert.deepEqual([forwarded.id, forwarded.targetFamily, forwarded.hop], [cause.id, CAROL, 1]);
  });
});

describe('at the last hop', () => {
  const last: Message = { ...cause, hop: HOPS_MAX, targetFamily: CAROL };
  const execute = async (code: Uint8Array, message: Message): Promise<{ executed: ExecutedMessage; overlay: StateOverlay }> => {
    const overlay = new StateOverlay(MemoryState.of([{ address: VAULT, family: CAROL, nonce: 1n, balanceWei: ETHER, code }]));
    const executor = createOwnLoopExecutor(PARAMETERS.evmChainId);
    return { executed: await executeMessage({ overlay, context: CONTEXT, executor, gasLimitSeenByCode: 8_000_000 }, message, 1), overlay };
  };
  const sending = assemble(0, 0, 0, 0, 1, BOB, 'GAS', 'CALL', 0, 'MSTORE', 32, 0, 'RETURN');

  it('a forward comes back instead', async () => {
    const { executed } = await execute(sending, { ...last, targetFamily: VAULT });
    assert.equal(executed.result.outcome, 'failure');
    assert.deepEqual(
      executed.emitted.map(({ kind, hop }) => [kind, hop]),
      [['bounce', HOPS_MAX]],
    );
    const before = await execute(sending, { ...last, targetFamily: VAULT, hop: HOPS_MAX - 1 });
    assert.equal(before.executed.result.outcome, 'forwarded');
  });

  it('code that sends gets 0, and one hop earlier 1', async () => {
    const { executed } = await execute(sending, last);
    assert.deepEqual([executed.result.outcome, executed.result.returnData.at(-1), executed.emitted.length], ['success', 0, 0]);
    const before = await execute(sending, { ...last, hop: HOPS_MAX - 1 });
    assert.deepEqual([before.executed.result.returnData.at(-1), before.executed.emitted.length], [1, 1]);
  });

  it('the messenger refuses by name, and one hop earlier it does not', async () => {
    const callData = encodeSend({ to: BOB, gas: 0n, replySelector: new Uint8Array(4), replyGas: 0n, data: new Uint8Array(0) });
    const code = assemble(
      ...storing(callData),
      32,
      0,
      callData.length,
      0,
      1,
      MESSENGER_ADDRESS,
      'GAS',
      'CALL',
      32,
      'MSTORE',
      64,
      0,
      'RETURN',
    );
    const { executed, overlay } = await execute(code, last);
    assert.deepEqual([executed.result.returnData.at(-1), executed.emitted.length], [0, 0]);
    assert.deepEqual(executed.result.returnData.subarray(0, 4), TOO_MANY_HOPS_ERROR);
    assert.equal(overlay.account(overlay.family(CAROL), VAULT).value?.balanceWei, ETHER + last.valueWei);
    const before = await execute(code, { ...last, hop: HOPS_MAX - 1 });
    assert.deepEqual([before.executed.result.returnData.at(-1), before.executed.emitted[0]?.hop], [1, HOPS_MAX]);
  });

  it('a SELFDESTRUCT to a foreign account reverts', async () => {
    const { executed, overlay } = await execute(assemble(BOB, 'SELFDESTRUCT'), last);
    assert.equal(executed.result.outcome, 'revert');
    assert.equal(overlay.account(overlay.family(CAROL), VAULT).value?.balanceWei, ETHER);
  });
});
