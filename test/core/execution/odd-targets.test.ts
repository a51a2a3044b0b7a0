// Contracts that send in a loop, to themselves, to each other, to the zero address, to precompiles, to the messenger and to accounts that are not
// there yet, and whose fallback reverts when something comes back: under every layout each ends, comes to the same as in one shard, item by
// item as the second interpreter has it, and the value is where section 8 of docs/protocol.md says.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import { MESSENGER_ADDRESS } from '../../../src/core/execution/system-addresses.ts';
import { encodeSend } from '../../../src/core/messaging/messenger-interface.ts';
import { bytesEqual, concatBytes } from '../../../src/core/primitives/bytes.ts';
import type { Address } from '../../../src/core/primitives/ids.ts';
import { HOPS_MAX } from '../../../src/core/protocol/gas.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { assemble, type Part, storing } from './assembler.ts';
import { addressOf, ETHER, runBlock, transactionOf } from './block-setup.ts';
import { LAYOUTS, type Settled, settleFreely } from './layouts.ts';
import { MemoryState } from './memory-state.ts';
import { PlainChain } from './plain-chain.ts';
import { FAMILIES } from './random-blocks.ts';

const [ALICE, CAROL, BOB] = FAMILIES;
/** Contracts of Carol's, and one of Bob's. */
const [VAULT, TWIN, SHOP] = [addressOf('vault'), addressOf('twin'), addressOf('shop')];
const NEWCOMER = addressOf('stranger');
const SENDS = 5;
/** More than there is gas for; a loop ends by its gas, and by its hops if it had more. */
const RELAY_GAS = 7_900_000;
const RELAYED_MIN = 20;

interface Target {
  readonly address: Address;
  /** Where a balance at the address is kept. */
  readonly family: Address;
  /** What becomes of value that comes there: with call data, without, and by SELFDESTRUCT it always stays. */
  readonly keepsCall: boolean;
  readonly keepsValue: boolean;
}

function target(address: Address, keepsValue: boolean, keepsCall: boolean, family = address): Target {
  return { address, family, keepsCall, keepsValue };
}

const TARGETS: Readonly<Record<string, Target>> = {
  'an account': target(BOB, true, true),
  'an account that has sent nothing yet': target(NEWCOMER, true, false),
  'the origin': target(ALICE, true, true),
  'a contract that refuses': target(SHOP, false, false, BOB),
  'the zero address': target(new Uint8Array(20), true, false),
  'an account that is not there yet': target(addressOf('passer-by'), true, false),
  'where a contract of somebody’s will be': target(createdAddressOf(BOB, 1n), true, false),
  'a precompile': target(new Uint8Array(20).fill(4, 19), false, false),
  'another precompile': target(new Uint8Array(20).fill(1, 19), false, false),
  'the messenger': target(MESSENGER_ADDRESS, false, false),
};

/** Runs the parts; but whatever the messenger calls, a hook or a reply, reverts. */
function revertingBack(...parts: readonly Part[]): Uint8Array {
  const main = assemble(...parts, 'STOP');
  const at = assemble('CALLER', MESSENGER_ADDRESS, 'EQ').length + 4 + main.length;
  const jump = Uint8Array.of(0x61, at >> 8, at & 0xff, 0x57);
  return concatBytes(assemble('CALLER', MESSENGER_ADDRESS, 'EQ'), jump, main, assemble('JUMPDEST', 0, 0, 'REVERT'));
}

/** A send of one wei by the messenger, so many times. */
function calls(to: Address, data: Uint8Array): Part[] {
  const callData = encodeSend({ to, gas: 30_000n, replySelector: new Uint8Array(4).fill(0xcd), replyGas: 0n, data });
  const once: Part[] = [0, 0, callData.length, 0, 1, MESSENGER_ADDRESS, 'GAS', 'CALL', 'POP'];
  return [...storing(callData), ...Array.from({ length: SENDS }, () => once).flat()];
}

function sends(to: Address): Part[] {
  return Array.from({ length: SENDS }, (): Part[] => [0, 0, 0, 0, 1, to, 'GAS', 'CALL', 'POP']).flat();
}

/** Passes on what came, with all gas but what that costs. With too little left, what it asks for is no number that a send can have. */
function relaying(to: Part): Uint8Array {
  const callData = encodeSend({ to: ALICE, gas: 0n, replySelector: new Uint8Array(4), replyGas: 0n, data: new Uint8Array(4) });
  const gas: Part[] = [55_000, 'GAS', 'SUB', 36, 'MSTORE'];
  return revertingBack(
    ...storing(callData),
    to,
    4,
    'MSTORE',
    ...gas,
    0,
    0,
    callData.length,
    0,
    'CALLVALUE',
    MESSENGER_ADDRESS,
    'GAS',
    'CALL',
  );
}

function stateWith(vault: Uint8Array, twin: Uint8Array = assemble('STOP'), shop: Uint8Array = assemble(0, 0, 'REVERT')): MemoryState {
  return MemoryState.of([
    ...FAMILIES.map((address) => ({ address, balanceWei: ETHER, nonce: 1n })),
    { address: NEWCOMER, balanceWei: ETHER },
    { address: VAULT, family: CAROL, nonce: 1n, balanceWei: ETHER, code: vault },
    { address: TWIN, family: CAROL, nonce: 1n, balanceWei: ETHER, code: twin },
    { address: SHOP, family: BOB, nonce: 1n, balanceWei: ETHER, code: shop },
  ]);
}

const begin = (change: Partial<Transaction> = {}): Transaction =>
  transactionOf({ sender: ALICE, nonce: 1n, to: VAULT, gasLimit: 1_500_000, ...change });

/** In one shard and in each layout of several: equal states, and item by item what the second interpreter comes to. */
async function settleEverywhere(state: MemoryState, transaction: Transaction): Promise<Settled> {
  const result = await runBlock(state, [transaction]);
  const feesWei = result.burnedFeesWei + result.proposerFeesWei;
  const blocks = [{ transactions: [transaction], result }];
  const whole: Settled = { state: state.after(result.changeSet), results: result.messages, feesWei, blocks };
  const split: Settled[] = [];
  for (const layout of LAYOUTS) split.push(await settleFreely(state, [transaction], layout));
  for (const settled of [whole, ...split]) {
    const chain = new PlainChain(state);
    for (const block of settled.blocks) await chain.follow(block);
    assert.equal(chain.waiting.size, 0);
    assert.deepEqual(chain.state().contents(), settled.state.contents());
    assert.equal(chain.totalWei(), state.totalWei());
    assert.deepEqual(settled.state.contents(), whole.state.contents());
    assert.equal(settled.results.length, whole.results.length);
  }
  return whole;
}

/** What the address gained, but for the fees of the origin. */
function gained(before: MemoryState, after: MemoryState, { address, family }: Target, transaction: Transaction): bigint {
  const isOrigin = bytesEqual(address, transaction.sender);
  const paidWei = isOrigin ? before.totalWei() - after.totalWei() : 0n;
  return after.balance(address, family) - before.balance(address, family) + paidWei;
}

describe('a contract that sends in a loop', () => {
  for (const [name, to] of Object.entries(TARGETS)) {
    it(`to ${name} has its value there, or has it back`, async () => {
      for (const [code, isKept] of [
        [calls(to.address, new Uint8Array(8)), to.keepsCall],
        [calls(to.address, new Uint8Array(0)), to.keepsValue],
        [sends(to.address), to.keepsValue],
      ] as const) {
        const [state, transaction] = [stateWith(revertingBack(...code)), begin()];
        const { state: after } = await settleEverywhere(state, transaction);
        const keptWei = isKept ? BigInt(SENDS) : 0n;
        assert.equal(gained(state, after, to, transaction), keptWei);
        assert.equal(after.balance(VAULT, CAROL), ETHER - keptWei, 'a hook that reverts takes nothing away');
      }
    });

    it(`to nobody, but destroys itself in favour of ${name}, has given all`, async () => {
      const [state, transaction] = [stateWith(assemble(to.address, 'SELFDESTRUCT')), begin()];
      const { state: after } = await settleEverywhere(state, transaction);
      assert.equal(gained(state, after, to, transaction), ETHER, 'a credit runs nothing, and so nothing refuses it');
      assert.equal(after.balance(VAULT, CAROL), 0n);
    });
  }

  for (const [name, to] of [
    ['itself', VAULT],
    ['another of its family', TWIN],
    ['its account', CAROL],
  ] as const) {
    it(`to ${name} keeps it in the family, and sends no message by a plain call`, async () => {
      for (const code of [calls(to, new Uint8Array(8)), calls(to, new Uint8Array(0)), sends(to)]) {
        const state = stateWith(revertingBack(...code));
        const { state: after, results } = await settleEverywhere(state, begin());
        const held = [VAULT, TWIN, CAROL].reduce((sum, address) => sum + after.balance(address, CAROL), 0n);
        assert.equal(held, 3n * ETHER, 'all of it stays in the family');
        assert.ok(results.every(({ message }) => message.kind !== 'value-send'));
      }
    });
  }

  it('to itself, or to another that sends it back, ends when the gas is gone, and the value is with one of them', async () => {
    for (const [toFirst, toSecond, second, family] of [
      [VAULT, VAULT, VAULT, CAROL],
      [TWIN, VAULT, TWIN, CAROL],
      [SHOP, VAULT, SHOP, BOB],
    ] as const) {
      const state = stateWith(relaying(toFirst), relaying(toSecond), relaying(toSecond));
      const { state: after, results } = await settleEverywhere(state, begin({ gasLimit: RELAY_GAS, valueWei: 7n }));
      const sent = results.filter(({ message, outcome }) => message.kind === 'call' && outcome !== 'forwarded');
      assert.ok(sent.length >= RELAYED_MIN, `${sent.length} calls`);
      assert.ok(sent.every(({ message }) => message.hop <= HOPS_MAX));
      const gases = sent.map(({ message }) => message.gasLimit);
      assert.deepEqual(
        gases,
        gases.toSorted((a, b) => b - a),
        'gas never grows along a chain',
      );
      const [mine, theirs] = [after.balance(VAULT, CAROL) - ETHER, after.balance(second, family) - ETHER];
      assert.equal(second === VAULT ? mine : mine + theirs, 7n);
    }
  });
});

describe('a transaction', () => {
  for (const [name, to] of Object.entries(TARGETS)) {
    it(`to ${name}, with data or value or both, leaves its value there or takes it back`, async () => {
      const state = stateWith(assemble('STOP'));
      for (const [data, valueWei] of [
        [new Uint8Array(8), 0n],
        [new Uint8Array(8), 9n],
        [new Uint8Array(0), 9n],
      ] as const) {
        const transaction = begin({ to: to.address, data, valueWei, gasLimit: 120_000 });
        const { state: after } = await settleEverywhere(state, transaction);
        const isKept = data.length > 0 ? to.keepsCall : to.keepsValue;
        const isToItself = to.address === ALICE;
        assert.equal(gained(state, after, to, transaction), isKept && !isToItself ? valueWei : 0n);
      }
    });
  }
});
