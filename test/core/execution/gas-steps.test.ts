// Out of gas at every step: a transaction's gas, a message's gas and a reply's gas go from nothing to enough, over each place where one of them
// can end: inclusion, funds, code, the messenger's charge, the pointer's, the constructor, the callee behind a forward, the reply, the bounce
// hook. At each step what happens is what section 8 of docs/protocol.md says, in one shard as across shards, and all wei are there: those
// that accounts hold, and the gas that was bought, which is paid.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import { checkAgainstAccount, checkTransactionShape } from '../../../src/core/execution/transaction-checks.ts';
import { encodeSend } from '../../../src/core/messaging/messenger-interface.ts';
import { bytesToBigint, concatBytes, hex } from '../../../src/core/primitives/bytes.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { assemble, type Part, storing } from './assembler.ts';
import { addressOf, BASE_FEE_WEI, ETHER, GWEI, PARAMETERS, runBlock, transactionOf } from './block-setup.ts';
import { settleFreely } from './layouts.ts';
import { MemoryState } from './memory-state.ts';
import { FAMILIES } from './random-blocks.ts';

const [ALICE, CAROL, BOB] = FAMILIES;
/** A contract of Carol's, and one of Bob's. */
const [VAULT, SHOP] = [addressOf('vault'), addressOf('shop')];
const MESSENGER = hex('0000000000000000000000000000000000c00001');
const [PRICE_WEI, GIVEN_WEI, SENT_WEI] = [BASE_FEE_WEI + GWEI, 5_000n, 1_000n];
const LAYOUTS = [
  [2, 3],
  [4, 5, 6, 7],
] as const;
const ENOUGH = 700_000;
// Gas as section 8 of the protocol has it, and as Ethereum has it.
const [TRANSACTION_GAS, HOOK_GAS, SEND_GAS, POINTER_GAS, INCLUSIONS_GAS] = [21_000, 30_000, 66_000, 24_000, 3 * 2_000];
const [COLD_GAS, VALUE_GAS, CREATE_GAS, WORD_GAS, BYTE_GAS] = [2_600, 9_000, 32_000, 2, 200];
const [PUSH_GAS, SHORT_GAS, JUMPS_GAS, SLOT_GAS] = [3, 2, 2 + 3 + 10 + 1, 22_100];

/** A slot is written: its gas, and two pushes. */
const writing = (slot: number): Part[] => [1, slot, 'SSTORE'];
const WRITING_GAS = SLOT_GAS + 2 * PUSH_GAS;
/** A constructor that writes a slot, and deploys one byte. */
const CHILD = concatBytes(assemble(...writing(0)), Uint8Array.of(0x60, 1, 0x5f, 0xf3));
const CHILD_GAS = WRITING_GAS + PUSH_GAS + SHORT_GAS + PUSH_GAS + BYTE_GAS;
const CREATING: Part[] = [...storing(CHILD), CHILD.length, 0, 0, 'CREATE', 'POP'];
/** The callee writes a slot and gives a word. */
const SHOP_CODE = assemble(...writing(0), 32, 0, 'RETURN');
const SHOP_GAS = WRITING_GAS + 3 * PUSH_GAS;

interface Scene {
  /** What the message carries. */
  readonly gas: number;
  readonly replyGas: number;
  /** What it costs to call the sender, by a reply or by a hook. */
  readonly calledGas: number;
}

/** Without call data it sends and creates; with some it does nothing for a while, and writes a slot. */
function vaultCode({ gas, replyGas, calledGas }: Scene, isCreating: boolean): Uint8Array {
  const callData = encodeSend({
    to: SHOP,
    gas: BigInt(gas),
    replySelector: hex('cafebabe'),
    replyGas: BigInt(replyGas),
    data: new Uint8Array(8),
  });
  const sending = [...storing(callData), 0, 0, callData.length, 0, SENT_WEI, MESSENGER, 0, 'CALL', 'POP'];
  const main = assemble(...sending, ...(isCreating ? CREATING : []), 'STOP');
  const at = 5 + main.length;
  const pause = new Uint8Array(calledGas - WRITING_GAS - JUMPS_GAS).fill(0x5b);
  return concatBytes(
    Uint8Array.of(0x36, 0x61, at >> 8, at & 0xff, 0x57),
    main,
    Uint8Array.of(0x5b),
    pause,
    assemble(...writing(4), 'STOP'),
  );
}

function stateOf(scene: Scene, isCreating = true): MemoryState {
  return MemoryState.of([
    ...[ALICE, CAROL, BOB].map((address) => ({ address, balanceWei: ETHER, nonce: 1n })),
    { address: VAULT, family: CAROL, nonce: 1n, code: vaultCode(scene, isCreating) },
    { address: SHOP, family: BOB, nonce: 1n, code: SHOP_CODE },
  ]);
}

const calling = (gasLimit: number, change: Partial<Transaction> = {}): Transaction =>
  transactionOf({ sender: ALICE, nonce: 1n, to: VAULT, valueWei: GIVEN_WEI, gasLimit, ...change });

interface Ran {
  readonly state: MemoryState;
  /** Kinds and outcomes, in no order. */
  readonly items: readonly string[];
}

/** Runs it in one shard and across; it must come to the same, and all wei but the gas that was bought be in accounts. */
async function run(state: MemoryState, transaction: Transaction): Promise<Ran> {
  const { messages, changeSet } = await runBlock(state, [transaction]);
  const whole = state.after(changeSet);
  const paidWei = BigInt(transaction.gasLimit) * PRICE_WEI;
  assert.equal(whole.totalWei(), state.totalWei() - paidWei, `of ${transaction.gasLimit} gas every wei is paid, and no other lost`);
  const itemsOf = (results: typeof messages): string[] => results.map(({ message, outcome }) => `${message.kind} ${outcome}`).sort();
  for (const layout of LAYOUTS) {
    const split = await settleFreely(state, [transaction], layout);
    assert.deepEqual(split.state.contents(), whole.contents(), `${layout}`);
    assert.deepEqual(itemsOf(split.results), itemsOf(messages), `${layout}`);
  }
  return { state: whole, items: itemsOf(messages) };
}

/** The least gas limit with which it holds: below it never does. */
async function leastGas(state: MemoryState, holds: (after: MemoryState) => boolean): Promise<number> {
  let [below, enough] = [TRANSACTION_GAS, ENOUGH];
  while (enough - below > 1) {
    const middle = (below + enough) >> 1;
    const { changeSet } = await runBlock(state, [calling(middle)]);
    if (holds(state.after(changeSet))) enough = middle;
    else below = middle;
  }
  return enough;
}

const isCalled = (state: MemoryState): boolean => state.balance(VAULT, CAROL) > 0n;
const CHILD_ADDRESS = createdAddressOf(VAULT, 1n);
const isCreated = (state: MemoryState): boolean => state.getAccount(CAROL, CHILD_ADDRESS) !== undefined;
const slot = (state: MemoryState, family: Uint8Array, address: Uint8Array, place: number): bigint =>
  bytesToBigint(state.getStorage(family, address, new Uint8Array(32).fill(place, 31)) ?? new Uint8Array(0));
const chargeOf = ({ gas, replyGas }: Scene): number => INCLUSIONS_GAS + 16 * 8 + gas + Math.max(HOOK_GAS, replyGas);

const FREE: Scene = { gas: 0, replyGas: 0, calledGas: HOOK_GAS };
/** Gas of the message below what the callee needs, exactly that, and above it; the same for the reply; a hook that just fits, and does not. */
const SCENES: readonly Scene[] = [0, SHOP_GAS - 1, SHOP_GAS, SHOP_GAS + 5_000].flatMap((gas) =>
  [HOOK_GAS, HOOK_GAS + 1, HOOK_GAS + 7_000].flatMap((calledGas) =>
    [0, calledGas - 1, calledGas, calledGas + 1].map((replyGas) => ({ gas, replyGas, calledGas })),
  ),
);

describe('a transaction that calls a contract of another family, which sends and creates', () => {
  it('has to buy inclusion, and to have the funds for it', () => {
    const reasonOf = (verdict: { readonly ok: boolean; readonly reason?: string }): string | undefined => verdict.reason;
    assert.equal(reasonOf(checkTransactionShape(calling(TRANSACTION_GAS - 1), PARAMETERS)), 'intrinsic-gas-too-low');
    assert.equal(reasonOf(checkTransactionShape(calling(TRANSACTION_GAS), PARAMETERS)), undefined);
    const transaction = calling(TRANSACTION_GAS, { maxFeePerGasWei: PRICE_WEI });
    const costWei = GIVEN_WEI + BigInt(TRANSACTION_GAS) * PRICE_WEI;
    const holding = (balanceWei: bigint) =>
      checkAgainstAccount(transaction, MemoryState.of([{ address: ALICE, nonce: 1n, balanceWei }]).getAccount(ALICE, ALICE), BASE_FEE_WEI);
    assert.equal(reasonOf(holding(costWei - 1n)), 'insufficient-funds');
    assert.equal(reasonOf(holding(costWei)), undefined);
  });

  it('pays exactly the charges on the way', async () => {
    const sends = await leastGas(stateOf(FREE, false), isCalled);
    const creates = await leastGas(stateOf(FREE), isCalled);
    // The initcode is stored, and pushed with the value. With too little for the constructor its creator still has a 64th, for what follows.
    const ofCreation = 2 * PUSH_GAS + 3 + 3 * PUSH_GAS + CREATE_GAS + POINTER_GAS + WORD_GAS * Math.ceil(CHILD.length / 32);
    assert.equal(creates - sends, ofCreation + 64 * SHORT_GAS, 'a creation costs what Ethereum has, and its pointer');
    const dearer = { gas: 12_345, replyGas: HOOK_GAS + 678, calledGas: HOOK_GAS };
    assert.equal((await leastGas(stateOf(dearer), isCalled)) - creates, chargeOf(dearer) - chargeOf(FREE));
    const words = encodeSend({ to: SHOP, gas: 0n, replySelector: hex('cafebabe'), replyGas: 0n, data: new Uint8Array(8) }).length / 32;
    // Each word is stored by two pushes and a write, and memory grows by a word; then seven pushes, the call, and what it leaves is dropped.
    const ofCode = Math.ceil(words) * (2 * PUSH_GAS + 2 * 3) + 2 + 3 + 10 + 7 * PUSH_GAS + SHORT_GAS;
    assert.equal(sends, TRANSACTION_GAS + ofCode + COLD_GAS + VALUE_GAS + chargeOf(FREE));
  });

  it('comes to what is documented at each step of its gas, the message’s and the reply’s', async (context) => {
    const [sends, codeEnds, creates] = [
      await leastGas(stateOf(FREE, false), isCalled),
      await leastGas(stateOf(FREE), isCalled),
      await leastGas(stateOf(FREE), isCreated),
    ];
    assert.ok(sends < codeEnds && codeEnds < creates, 'each step costs something');
    assert.ok(creates - codeEnds <= Math.ceil((CHILD_GAS * 64) / 63), 'the constructor gets all but a 64th');
    const seen = new Map<string, number>();
    for (const scene of SCENES) {
      const state = stateOf(scene);
      const more = chargeOf(scene) - chargeOf(FREE);
      // At inclusion, in code, at the messenger's charge, at the pointer's, in the constructor, and with enough of all.
      const limits = [
        TRANSACTION_GAS,
        TRANSACTION_GAS + 1,
        sends + more - 1,
        sends + more,
        codeEnds + more - 1,
        codeEnds + more,
        creates + more - 1,
      ];
      for (const gasLimit of [...limits, creates + more, ENOUGH]) {
        const { state: after, items } = await run(state, calling(gasLimit));
        const expected = expectedOf(scene, gasLimit >= codeEnds + more, gasLimit >= creates + more);
        const name = `${gasLimit} gas, ${JSON.stringify(scene)}`;
        assert.deepEqual(items, expected.items, name);
        const paidWei = BigInt(gasLimit) * PRICE_WEI;
        assert.equal(after.balance(ALICE), ETHER - paidWei - expected.vaultWei - expected.shopWei, name);
        assert.deepEqual([after.balance(VAULT, CAROL), after.balance(SHOP, BOB)], [expected.vaultWei, expected.shopWei], name);
        assert.deepEqual([slot(after, CAROL, VAULT, 4), slot(after, BOB, SHOP, 0)], [expected.calledBack, expected.shopRan], name);
        assert.equal(isCreated(after), items.includes('pointer success'), name);
        seen.set(items.join(', '), (seen.get(items.join(', ')) ?? 0) + 1);
      }
    }
    context.diagnostic([...seen].map(([items, count]) => `${count} × ${items}`).join('\n'));
    assert.equal(seen.size, 7, 'all that can happen did');
  });
});

interface Expected {
  readonly items: readonly string[];
  readonly vaultWei: bigint;
  readonly shopWei: bigint;
  readonly calledBack: bigint;
  readonly shopRan: bigint;
}

/** As section 8 has it. */
function expectedOf({ gas, replyGas, calledGas }: Scene, codeEnds: boolean, creates: boolean): Expected {
  const begun = ['main-call forwarded'];
  const nothing = { vaultWei: 0n, shopWei: 0n, calledBack: 0n, shopRan: 0n };
  if (!codeEnds) return { ...nothing, items: ['bounce success', 'main-call failure', ...begun].sort() };
  const main = [...begun, 'main-call success', 'call forwarded', ...(creates ? ['pointer success'] : [])];
  if (gas < SHOP_GAS) {
    const calledBack = calledGas <= HOOK_GAS ? 1n : 0n;
    return { ...nothing, vaultWei: GIVEN_WEI, calledBack, items: [...main, 'call failure', 'bounce success'].sort() };
  }
  const isAnswered = Math.max(HOOK_GAS, replyGas) >= calledGas;
  const items = [...main, 'call success', isAnswered ? 'reply success' : 'reply failure'].sort();
  return { items, vaultWei: GIVEN_WEI - SENT_WEI, shopWei: SENT_WEI, calledBack: isAnswered ? 1n : 0n, shopRan: 1n };
}

describe('a transaction that creates', () => {
  it('keeps its value at each step of its gas, and has a contract from the last on', async () => {
    const state = stateOf(FREE);
    const data = CHILD;
    const ofData = data.reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 0);
    const included = TRANSACTION_GAS + CREATE_GAS + WORD_GAS * Math.ceil(data.length / 32) + ofData;
    const made = included + POINTER_GAS + CHILD_GAS;
    const address = createdAddressOf(ALICE, 1n);
    for (const gasLimit of [included, included + POINTER_GAS - 1, included + POINTER_GAS, made - BYTE_GAS, made - 1, made, made + 10_000]) {
      const { state: after, items } = await run(state, calling(gasLimit, { to: undefined, data }));
      const isMade = gasLimit >= made;
      assert.deepEqual(
        items,
        isMade ? ['main-call success', 'pointer success'] : ['bounce success', 'main-call failure'],
        `${gasLimit} gas`,
      );
      assert.equal(after.balance(address, ALICE), isMade ? GIVEN_WEI : 0n);
      assert.equal(after.balance(ALICE), ETHER - BigInt(gasLimit) * PRICE_WEI - (isMade ? GIVEN_WEI : 0n));
    }
  });
});

describe('a plain value send between families', () => {
  it('takes SEND_GAS for all that follows, at each step of the gas behind it', async () => {
    const code = assemble(0, 0, 0, 0, SENT_WEI, SHOP, 0, 'CALL', 'POP', 'STOP');
    const sent = TRANSACTION_GAS + 7 * PUSH_GAS + COLD_GAS + VALUE_GAS + SEND_GAS + SHORT_GAS;
    for (const [shop, isTaken] of [
      [SHOP_CODE, true],
      [concatBytes(new Uint8Array(HOOK_GAS).fill(0x5b), Uint8Array.of(0)), true],
      [concatBytes(new Uint8Array(HOOK_GAS + 1).fill(0x5b), Uint8Array.of(0)), false],
    ] as const) {
      const state = MemoryState.of([
        ...[ALICE, CAROL, BOB].map((address) => ({ address, balanceWei: ETHER, nonce: 1n })),
        { address: VAULT, family: CAROL, nonce: 1n, code },
        { address: SHOP, family: BOB, nonce: 1n, code: shop },
      ]);
      for (const gasLimit of [TRANSACTION_GAS, sent - SHORT_GAS - SEND_GAS, sent - 1, sent, sent + 50_000]) {
        const { state: after, items } = await run(state, calling(gasLimit));
        const isSent = gasLimit >= sent;
        const then = isTaken ? ['value-send success'] : ['bounce success', 'value-send failure'];
        const expected = isSent ? ['main-call success', 'value-send forwarded', ...then] : ['bounce success', 'main-call failure'];
        assert.deepEqual(items, [...expected, 'main-call forwarded'].sort(), `${gasLimit} gas`);
        assert.equal(after.balance(SHOP, BOB), isSent && isTaken ? SENT_WEI : 0n);
      }
    }
  });
});
