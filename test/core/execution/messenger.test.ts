// Explicit messages, replies and bounce hooks (protocol, section 5). Each block also conserves value to the wei.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import type { BlockResult } from '../../../src/core/execution/executed-block.ts';
import { foreignCallError } from '../../../src/core/execution/family-rules.ts';
import { MESSENGER_ADDRESS } from '../../../src/core/execution/system-addresses.ts';
import { messageIdOf } from '../../../src/core/messaging/message-id.ts';
import {
  encodeBounceHook,
  encodeReply,
  encodeSend,
  MALFORMED_SEND_ERROR,
  messengerCharge,
  type SendRequest,
  unreachableTargetError,
} from '../../../src/core/messaging/messenger-interface.ts';
import { bytesToBigint, bytesToHex, hex } from '../../../src/core/primitives/bytes.ts';
import { BOUNCE_GAS, RECEIVE_GAS } from '../../../src/core/protocol/gas.ts';
import type { Message, MessageResult } from '../../../src/core/protocol/message.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { assemble, type Part, storing } from './assembler.ts';
import { addressOf, ETHER, runBlock, transactionOf } from './block-setup.ts';
import { type AccountSetup, MemoryState } from './memory-state.ts';

const [ALICE, BOB, CAROL] = [addressOf('alice'), addressOf('bob'), addressOf('carol')];
/** A contract of Carol's, and one of Bob's. */
const [VAULT, SHOP] = [addressOf('vault'), addressOf('shop')];
const NOBODY = addressOf('nobody');
const ZERO = new Uint8Array(20);
const IDENTITY = new Uint8Array(20).fill(4, 19);
const REPLY = hex('cafebabe');
const VALUE = 1_000n;

function request(fields: Partial<SendRequest> = {}): SendRequest {
  return { to: SHOP, gas: 60_000n, replySelector: new Uint8Array(4), replyGas: 0n, data: hex('0102030405'), ...fields };
}

/** CALL of the messenger; the success is left on the stack, the answer's first word in memory at 0. */
function send(one: SendRequest, valueWei: bigint | number = 0, opcode = 'CALL'): Part[] {
  const callData = encodeSend(one);
  const value: Part[] = opcode === 'CALL' ? [valueWei] : [];
  return [...storing(callData), 36, 0, callData.length, 0, ...value, MESSENGER_ADDRESS, 'GAS', opcode];
}

function stateWith(...more: readonly AccountSetup[]): MemoryState {
  return MemoryState.of([{ address: ALICE, balanceWei: 10n * ETHER }, { address: CAROL, balanceWei: ETHER, nonce: 5n }, ...more]);
}

function vault(...parts: readonly Part[]): AccountSetup {
  return { address: VAULT, family: CAROL, nonce: 1n, code: assemble(...parts), balanceWei: ETHER };
}

function shop(...parts: readonly Part[]): AccountSetup {
  return { address: SHOP, family: BOB, nonce: 1n, code: assemble(...parts) };
}

/** Carol's contract: without call data it runs the first parts, with some, as a reply or a hook has, the others. */
function sender(sending: readonly Part[], ...called: readonly Part[]): AccountSetup {
  const body = assemble(...sending, 'STOP');
  const jump = 5 + body.length;
  return vault('CALLDATASIZE', { raw: Uint8Array.of(0x61, jump >> 8, jump & 0xff, 0x57) }, { raw: body }, 'JUMPDEST', ...called);
}

interface Ran {
  readonly result: BlockResult;
  readonly after: MemoryState;
  readonly trail: readonly string[];
  slot(slot: number, address?: Uint8Array, family?: Uint8Array): bigint;
  one(kind: Message['kind']): MessageResult;
}

async function run(state: MemoryState, ...body: readonly Transaction[]): Promise<Ran> {
  const transactions = body.length > 0 ? body : [transactionOf({ sender: ALICE, to: VAULT, gasLimit: 1_000_000 })];
  const result = await runBlock(state, transactions);
  const after = state.after(result.changeSet);
  assert.equal(after.totalWei() + result.burnedFeesWei + result.proposerFeesWei, state.totalWei(), 'no wei is lost or made');
  return {
    result,
    after,
    trail: result.messages.slice(2).map(({ message, outcome }) => `${message.kind} ${outcome}`),
    slot(slot, address = VAULT, family = CAROL) {
      return bytesToBigint(after.getStorage(family, address, new Uint8Array(32).fill(slot, 31)) ?? new Uint8Array(0));
    },
    one(kind) {
      const found = result.messages.filter(({ message, outcome }) => message.kind === kind && outcome !== 'forwarded');
      assert.equal(found.length, 1, `one ${kind}`);
      return found[0] as MessageResult;
    },
  };
}

describe('a send by the messenger', () => {
  it('is a call message with gas, value and data of its own, and gives the id that the message has', async () => {
    const state = stateWith(vault(...send(request(), VALUE), 1, 'SSTORE', 0, 'MLOAD', 0, 'SSTORE'), shop('CALLER', 0, 'SSTORE'));
    const { trail, one, slot, after } = await run(state);
    assert.deepEqual(trail, ['call forwarded', 'call success']);
    const { message } = one('call');
    assert.deepEqual([message.valueWei, message.gasLimit, message.reservedGas], [VALUE, 60_000, BOUNCE_GAS]);
    assert.deepEqual([bytesToHex(message.data), message.sender, message.hop], ['0102030405', VAULT, 3]);
    assert.deepEqual([slot(0), slot(1)], [bytesToBigint(message.id), 1n]);
    assert.equal(slot(0, SHOP, BOB), bytesToBigint(VAULT));
    assert.equal(after.balance(SHOP, BOB), VALUE);
  });

  it('costs the charge on top of an ordinary CALL, and no stipend or gas argument counts', async () => {
    const one = request({ gas: 12_345n, replyGas: 40_000n });
    const around = (valueWei: bigint): Part[] => {
      const [callData, called] = [encodeSend(one), assemble(36, 0, encodeSend(one).length, 0, valueWei, MESSENGER_ADDRESS, 0, 'CALL')];
      return [...storing(callData), 'GAS', { raw: called }, 'POP', 'GAS', 'SWAP1', 'SUB', 0, 'SSTORE'];
    };
    // GAS, seven pushes, POP, and the second GAS, which the first one's own does not count.
    const steps = 2n + 7n * 3n + 2n;
    const free = await run(stateWith(vault(...around(0n))));
    assert.equal(free.slot(0), BigInt(messengerCharge(one)) + 2_600n + steps);
    const paying = await run(stateWith(vault(...around(5n))));
    assert.equal(paying.slot(0), BigInt(messengerCharge(one)) + 2_600n + 9_000n + steps, 'and not SEND_GAS as well');
  });

  it('ends the caller’s frame where the charge is more than it has', async () => {
    const { result, trail } = await run(stateWith(vault(...send(request({ gas: 2n ** 64n - 1n })), 0, 'SSTORE')));
    assert.deepEqual([result.messages[1]?.outcome, trail], ['failure', []]);
  });

  it('within the own family is a message too, and goes there directly', async () => {
    const sister = addressOf('sister');
    const state = stateWith(vault(...send(request({ to: sister }), VALUE)), {
      address: sister,
      family: CAROL,
      nonce: 1n,
      code: assemble('STOP'),
    });
    const { trail, one, after } = await run(state);
    assert.deepEqual(trail, ['call success']);
    assert.deepEqual([one('call').wave, one('call').message.targetFamily], [3, CAROL]);
    assert.equal(after.balance(sister, CAROL), VALUE);
  });

  it('keeps its id when a frame between is taken back', async () => {
    const inner = { address: addressOf('inner'), family: CAROL, nonce: 1n, code: assemble(...send(request()), 0, 0, 'REVERT') };
    const code: Part[] = [0, 0, 0, 0, 0, inner.address, 'GAS', 'CALL', 'POP', ...send(request()), 'POP', 0, 'MLOAD', 0, 'SSTORE'];
    const { one, slot, result } = await run(stateWith(vault(...code), inner, shop('STOP')));
    const { id } = one('call').message;
    assert.equal(slot(0), bytesToBigint(id));
    assert.deepEqual(id, messageIdOf(result.messages[1]?.message.id as Uint8Array, 0));
  });

  it('is a CALL from a frame that may change state, and nothing else', async () => {
    const typed = bytesToBigint(foreignCallError(MESSENGER_ADDRESS).slice(0, 32));
    for (const opcode of ['STATICCALL', 'DELEGATECALL']) {
      const { trail, slot } = await run(stateWith(vault(...send(request(), 0, opcode), 0, 'SSTORE', 0, 'MLOAD', 1, 'SSTORE')));
      assert.deepEqual([trail, slot(0), slot(1)], [[], 0n, typed], opcode);
    }
    const inner = {
      address: addressOf('inner'),
      family: CAROL,
      nonce: 1n,
      code: assemble(...send(request()), 0, 'MSTORE', 32, 0, 'RETURN'),
    };
    const { trail, slot } = await run(
      stateWith(vault(32, 0, 0, 0, inner.address, 'GAS', 'STATICCALL', 0, 'MLOAD', 0, 'SSTORE', 1, 'SSTORE'), inner),
    );
    assert.deepEqual([trail, slot(0), slot(1)], [[], 0n, 1n], 'a static frame');
  });

  it('that is malformed, goes to a precompile, or has too little balance gives 0 and leaves the value', async () => {
    const cases: readonly [Part[], Uint8Array | undefined][] = [
      [[36, 0, 3, 0, 5, MESSENGER_ADDRESS, 'GAS', 'CALL'], MALFORMED_SEND_ERROR],
      [[36, 0, 0, 0, 5, MESSENGER_ADDRESS, 'GAS', 'CALL'], MALFORMED_SEND_ERROR],
      [send(request({ to: IDENTITY }), 5), unreachableTargetError(IDENTITY)],
      [send(request({ to: MESSENGER_ADDRESS }), 5), unreachableTargetError(MESSENGER_ADDRESS)],
      [send(request(), 2n * ETHER), new Uint8Array(0)],
    ];
    for (const [code, error] of cases) {
      const { trail, slot, after } = await run(
        stateWith(vault(...code, 0, 'SSTORE', 'RETURNDATASIZE', 1, 'SSTORE', 0, 'MLOAD', 224, 'SHR', 2, 'SSTORE')),
      );
      assert.deepEqual([trail, slot(0), slot(1)], [[], 0n, BigInt(error?.length ?? 0)]);
      if (error !== undefined && error.length > 0) assert.equal(slot(2), bytesToBigint(error.slice(0, 4)));
      assert.equal(after.balance(VAULT, CAROL), ETHER);
    }
  });
});

describe('a reply', () => {
  const asking = (fields: Partial<SendRequest> = {}): Part[] => send(request({ replySelector: REPLY, replyGas: 90_000n, ...fields }));
  /** Asks when it is called without data; records what it is told. */
  const vaultAsking = (fields: Partial<SendRequest> = {}, ...told: readonly Part[]): AccountSetup => sender(asking(fields), ...told);

  it('tells the sender what the callee returned', async () => {
    const told: Part[] = [
      'CALLER',
      0,
      'SSTORE',
      4,
      'CALLDATALOAD',
      1,
      'SSTORE',
      36,
      'CALLDATALOAD',
      2,
      'SSTORE',
      132,
      'CALLDATALOAD',
      3,
      'SSTORE',
    ];
    const { trail, one, slot } = await run(stateWith(vaultAsking({}, ...told), shop(42, 0, 'MSTORE', 32, 0, 'RETURN')));
    assert.deepEqual(trail, ['call forwarded', 'call success', 'reply success']);
    const [call, reply] = [one('call').message, one('reply').message];
    assert.deepEqual(
      [slot(0), slot(1), slot(2), slot(3)],
      [bytesToBigint(MESSENGER_ADDRESS), bytesToBigint(call.id), bytesToBigint(SHOP), 42n],
    );
    assert.deepEqual([reply.gasLimit, reply.reservedGas, reply.valueWei], [90_000, 0, 0n]);
    assert.deepEqual(reply.data, encodeReply(REPLY, call.id, SHOP, new Uint8Array(32).fill(42, 31)));
  });

  it('comes after everything else that the call emitted', async () => {
    const creating: Part[] = [0, 0, 0, 'CREATE', 'POP', 0, 0, 0, 0, 1, NOBODY, 'GAS', 'CALL'];
    const { result, one } = await run(stateWith(vaultAsking({ gas: 300_000n }), { ...shop(...creating), balanceWei: ETHER }));
    const kinds = one('call').emitted.map(
      (id) => result.messages.find(({ message }) => bytesToHex(message.id) === bytesToHex(id))?.message.kind,
    );
    assert.deepEqual(kinds, ['value-send', 'pointer', 'reply']);
  });

  it('is there for an account without code, too', async () => {
    const { trail } = await run(stateWith(vaultAsking({ to: CAROL, data: new Uint8Array(0) })));
    assert.deepEqual(trail, ['call success', 'reply success']);
  });

  it('is there only for a call that succeeded, which else bounces to the hook', async () => {
    const { trail, one } = await run(stateWith(vaultAsking(), shop(0, 0, 'REVERT')));
    assert.deepEqual(trail, ['call forwarded', 'call revert', 'bounce success']);
    assert.deepEqual(one('bounce').message.gasLimit, BOUNCE_GAS, 'the hook has its own gas, however much a reply would have had');
  });

  it('that fails is dropped, and none is sent where none is wanted', async () => {
    const dropped = await run(stateWith(vaultAsking({}, 'INVALID'), shop('STOP')));
    assert.deepEqual(dropped.trail, ['call forwarded', 'call success', 'reply failure']);
    const unwanted = await run(stateWith(vaultAsking({ replySelector: new Uint8Array(4) }), shop('STOP')));
    assert.deepEqual(unwanted.trail, ['call forwarded', 'call success']);
  });

  it('to a sender that is no more does nothing', async () => {
    const initcode = assemble(...asking(), 'CALLER', 'SELFDESTRUCT');
    const state = stateWith(shop('STOP'));
    const { trail } = await run(state, transactionOf({ sender: ALICE, data: initcode, gasLimit: 1_000_000 }));
    assert.deepEqual(trail, ['call success', 'reply success']);
  });
});

describe('a bounce', () => {
  const failing = (valueWei: bigint): Part[] => send(request(), valueWei);

  it('credits first, then calls the hook from the messenger, without value', async () => {
    const one = await run(stateWith(sender(failing(VALUE), 4, 'CALLDATALOAD', 0, 'SSTORE'), shop('INVALID')));
    assert.deepEqual(one.trail, ['call forwarded', 'call failure', 'bounce success']);
    const call = one.one('call').message;
    assert.equal(one.slot(0), bytesToBigint(call.id));
    assert.deepEqual(one.one('bounce').message.data, encodeBounceHook(call.id, SHOP, VALUE));
    assert.equal(one.after.balance(VAULT, CAROL), ETHER);
    const seen = await run(stateWith(sender(failing(VALUE), 'CALLER', 0, 'SSTORE'), shop('INVALID')));
    assert.equal(seen.slot(0), bytesToBigint(MESSENGER_ADDRESS));
    const balance = await run(stateWith(sender(failing(VALUE), 'CALLVALUE', 'SELFBALANCE', 'ADD', 0, 'SSTORE'), shop('INVALID')));
    assert.equal(balance.slot(0), ETHER);
  });

  it('calls the hook of a call without value, and of a value send', async () => {
    const hook: Part[] = [68, 'CALLDATALOAD', 1, 'ADD', 0, 'SSTORE'];
    const call = await run(stateWith(sender(failing(0n), ...hook), shop('INVALID')));
    assert.deepEqual([call.trail.at(-1), call.slot(0)], ['bounce success', 1n]);
    const plain: Part[] = [0, 0, 0, 0, 7, SHOP, 'GAS', 'CALL'];
    const sent = await run(stateWith(sender(plain, ...hook), shop('INVALID')));
    assert.deepEqual([sent.trail, sent.slot(0)], [['value-send forwarded', 'value-send failure', 'bounce success'], 8n]);
  });

  it('stands where the hook is absent, reverts, or runs out of gas', async () => {
    for (const hook of [
      ['STOP'],
      [0, 0, 'REVERT'],
      ['INVALID'],
      ['JUMPDEST', 0, 'SLOAD', 'POP', 'PC', 'POP', 1, 9, 'SSTORE', 1, 8, 'SSTORE'],
    ] as const) {
      const { trail, after, slot } = await run(stateWith(sender(failing(VALUE), ...hook), shop(0, 0, 'REVERT')));
      assert.deepEqual(trail, ['call forwarded', 'call revert', 'bounce success']);
      assert.equal(after.balance(VAULT, CAROL), ETHER);
      assert.equal(slot(9), 0n, 'a hook that fails leaves nothing');
    }
  });

  it('lets the hook give what came back to its own family, and has not the gas to send it on', async () => {
    const giving = await run(stateWith(sender(failing(VALUE), CAROL, 'SELFDESTRUCT'), shop('INVALID')));
    assert.deepEqual([giving.after.balance(VAULT, CAROL), giving.after.balance(CAROL)], [0n, 2n * ETHER]);
    const sending = await run(stateWith(sender(failing(VALUE), ...failing(VALUE)), shop('INVALID')));
    assert.deepEqual(sending.trail, ['call forwarded', 'call failure', 'bounce success'], 'and so a bounce causes no message');
    assert.equal(sending.after.balance(VAULT, CAROL), ETHER);
  });

  it('of a transaction only credits', async () => {
    const { result } = await run(stateWith(shop('INVALID')), transactionOf({ sender: ALICE, to: SHOP, valueWei: 3n, gasLimit: 50_000 }));
    const bounce = result.messages.at(-1)?.message;
    assert.deepEqual([bounce?.kind, bounce?.gasLimit, bounce?.data.length], ['bounce', 0, 0]);
    const nothing = await run(stateWith(shop('INVALID')), transactionOf({ sender: ALICE, to: SHOP, gasLimit: 50_000 }));
    assert.equal(nothing.trail.length, 0, 'without value there is nothing to bring back');
  });
});

describe('value that a message carries', () => {
  const cases: readonly (readonly [string, Uint8Array, Partial<SendRequest>])[] = [
    ['the sender itself', VAULT, {}],
    ['its family', CAROL, { data: new Uint8Array(0) }],
    ['the zero address', ZERO, { data: new Uint8Array(0) }],
    ['the zero address with data', ZERO, {}],
    ['an account that is not there yet', NOBODY, { data: new Uint8Array(3) }],
    ['an account that may become a contract', NOBODY, {}],
    ['a contract with too little gas', SHOP, { gas: 100n }],
    ['a contract without gas', SHOP, { gas: 0n }],
    ['a precompile', IDENTITY, {}],
  ];

  it('is somewhere, whoever the target is', async () => {
    for (const [what, to, fields] of cases) {
      const state = stateWith(sender(send(request({ to, ...fields, replySelector: REPLY }), VALUE), 'STOP'), shop(1, 0, 'SSTORE'));
      const { after } = await run(state);
      const [family, before] = to === CAROL ? [CAROL, ETHER] : [to, 0n];
      const gained = to === VAULT ? 0n : after.balance(to, family) + (to === SHOP ? after.balance(SHOP, BOB) : 0n) - before;
      assert.equal(after.balance(VAULT, CAROL) + gained, ETHER, what);
    }
  });

  it('is nowhere lost where contracts send to each other and back until the gas is gone', async () => {
    const echo = (to: Uint8Array): Part[] => [
      ...storing(encodeSend(request({ to, gas: 0n }))),
      { raw: assemble(68_000, 'GAS', 'SUB', 36, 'MSTORE') },
      ...[36, 0, encodeSend(request()).length, 0, 'CALLVALUE', MESSENGER_ADDRESS, 'GAS', 'CALL'],
    ];
    const { result } = await run(
      stateWith(vault(...echo(SHOP)), shop(...echo(VAULT))),
      transactionOf({ sender: ALICE, to: VAULT, valueWei: VALUE, gasLimit: 1_000_000 }),
    );
    const calls = result.messages.filter(({ message }) => message.kind === 'call' && message.hop > 1);
    assert.ok(calls.length >= 8, `${calls.length} calls`);
    for (const [place, { message }] of calls.entries())
      assert.ok(message.gasLimit <= (calls[place - 1]?.message.gasLimit ?? Number.POSITIVE_INFINITY), 'gas never grows along a chain');
  });

  it('comes back to where a contract was that is no more', async () => {
    const initcode = assemble(...send(request(), VALUE), 'POP', 'CALLER', 'SELFDESTRUCT');
    const address = createdAddressOf(ALICE, 0n);
    const { after, trail } = await run(
      stateWith(shop('INVALID')),
      transactionOf({ sender: ALICE, data: initcode, gasLimit: 1_000_000, valueWei: VALUE }),
    );
    assert.deepEqual(trail, ['call failure', 'bounce success']);
    assert.equal(after.balance(address, ALICE), VALUE);
  });

  it('waits for the constructor that sent it, whose hook is there when it comes back', async () => {
    const hook = assemble(68, 'CALLDATALOAD', 0, 'SSTORE');
    const sending = assemble(...send(request(), VALUE), 'POP');
    const at = sending.length + 10;
    const returning = Uint8Array.of(0x60, hook.length, 0x80, 0x61, at >> 8, at & 0xff, 0x5f, 0x39, 0x5f, 0xf3);
    const initcode = assemble({ raw: sending }, { raw: returning }, { raw: hook });
    const address = createdAddressOf(ALICE, 0n);
    const { slot } = await run(
      stateWith(shop('INVALID')),
      transactionOf({ sender: ALICE, data: initcode, gasLimit: 1_000_000, valueWei: VALUE }),
    );
    assert.equal(slot(0, address, ALICE), VALUE);
  });
});

describe('a recipient of a plain value send', () => {
  it('still has RECEIVE_GAS, and its sender a hook', async () => {
    const { one } = await run(stateWith(vault(0, 0, 0, 0, 7, SHOP, 'GAS', 'CALL'), shop('STOP')));
    assert.deepEqual([one('value-send').message.gasLimit, one('value-send').message.reservedGas], [RECEIVE_GAS, BOUNCE_GAS]);
  });
});
