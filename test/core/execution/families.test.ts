// What happens between families: forwards, value sends, bounces, pointers, sweeps, typed errors (protocol, section 5). Each block also
// conserves value to the wei.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import type { BlockResult } from '../../../src/core/execution/executed-block.ts';
import { foreignCallError } from '../../../src/core/execution/family-rules.ts';
import { MESSENGER_ADDRESS } from '../../../src/core/execution/system-addresses.ts';
import { messageIdOf } from '../../../src/core/messaging/message-id.ts';
import { bytesToBigint, bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { BOUNCE_GAS, POINTER_GAS, RECEIVE_GAS, SEND_GAS } from '../../../src/core/protocol/gas.ts';
import type { MessageResult } from '../../../src/core/protocol/message.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { assemble, deploying, type Part } from './assembler.ts';
import { addressOf, BASE_FEE_WEI, CONTEXT, ETHER, GWEI, runBlock, transactionOf } from './block-setup.ts';
import { type AccountSetup, MemoryState } from './memory-state.ts';

const ALICE = addressOf('alice');
const BOB = addressOf('bob');
const CAROL = addressOf('carol');
/** A contract of Carol's. */
const VAULT = addressOf('vault');
const OTHER = addressOf('other');
const ADDRESS_BYTES = 20;

function stateWith(...more: readonly AccountSetup[]): MemoryState {
  return MemoryState.of([{ address: ALICE, balanceWei: 10n * ETHER }, { address: CAROL, balanceWei: ETHER, nonce: 5n }, ...more]);
}

function vault(code: Uint8Array, balanceWei = 0n): AccountSetup {
  return { address: VAULT, family: CAROL, nonce: 1n, code, balanceWei };
}

async function run(state: MemoryState, ...body: readonly Transaction[]): Promise<{ result: BlockResult; after: MemoryState }> {
  const result = await runBlock(state, body);
  const after = state.after(result.changeSet);
  assert.equal(after.totalWei() + result.burnedFeesWei + result.proposerFeesWei, state.totalWei(), 'no wei is lost or made');
  return { result, after };
}

function trail(result: BlockResult): string[] {
  return result.messages.map(({ message, outcome, wave }) => `${wave} ${message.kind} ${outcome}`);
}

function only(result: BlockResult, kind: string): MessageResult {
  const found = result.messages.filter(({ message, outcome }) => message.kind === kind && outcome !== 'forwarded');
  assert.equal(found.length, 1, `one ${kind}`);
  return found[0] as MessageResult;
}

/** CALL and store its success in slot 0, the size of what it returned in slot 1, its first word in slot 2. */
function callAndRecord(
  target: Uint8Array,
  valueWei: bigint | number,
  dataLength: number,
  opcode: 'CALL' | 'STATICCALL' | 'DELEGATECALL' = 'CALL',
): Uint8Array {
  const value: Part[] = opcode === 'CALL' ? [valueWei] : [];
  return assemble(
    0,
    0,
    dataLength,
    0,
    ...value,
    target,
    'GAS',
    opcode,
    0,
    'SSTORE',
    'RETURNDATASIZE',
    1,
    'SSTORE',
    'RETURNDATASIZE',
    0,
    0,
    'RETURNDATACOPY',
    0,
    'MLOAD',
    2,
    'SSTORE',
  );
}

function slotOf(state: MemoryState, slot: number): bigint {
  const value = state.getStorage(CAROL, VAULT, new Uint8Array(32).fill(0, 0, 31).fill(slot, 31));
  return value === undefined ? 0n : bytesToBigint(value);
}

describe('a plain transfer', () => {
  it('debits value and all the gas bought in wave 0 and credits in wave 1', async () => {
    const { result, after } = await run(stateWith(), transactionOf({ sender: ALICE, to: BOB, valueWei: ETHER }));
    assert.deepEqual(trail(result), ['1 main-call success']);
    assert.equal(after.balance(BOB), ETHER);
    assert.equal(after.balance(ALICE), 9n * ETHER - 21_000n * (BASE_FEE_WEI + GWEI));
    assert.equal(result.gasUsed, 21_000);
    assert.equal(result.burnedFeesWei, 21_000n * BASE_FEE_WEI);
    assert.equal(result.proposerFeesWei, 21_000n * GWEI);
  });

  it('pays no more than it offers, and burns the base fee all the same', async () => {
    const fee = BASE_FEE_WEI + 7n;
    const { result } = await run(stateWith(), transactionOf({ sender: ALICE, to: BOB, maxFeePerGasWei: fee }));
    assert.equal(result.senderParts[0]?.effectiveGasPriceWei, fee);
    assert.equal(result.burnedFeesWei, 21_000n * BASE_FEE_WEI);
    assert.equal(result.proposerFeesWei, 21_000n * 7n);
  });

  it('names its main call by the transaction and index 0', async () => {
    const transaction = transactionOf({ sender: ALICE, to: BOB });
    const { result } = await run(stateWith(), transaction);
    assert.deepEqual(result.messages[0]?.message.id, messageIdOf(transaction.hash, 0));
  });

  it('carries no gas: code at the target fails and the value comes back', async () => {
    const state = stateWith(vault(assemble(1, 0, 'SSTORE')));
    const { result, after } = await run(state, transactionOf({ sender: ALICE, to: VAULT, valueWei: ETHER }));
    assert.deepEqual(trail(result), ['1 main-call forwarded', '2 main-call failure', '3 bounce success']);
    assert.equal(after.balance(ALICE), 10n * ETHER - 21_000n * (BASE_FEE_WEI + GWEI));
    assert.equal(after.balance(VAULT, CAROL), 0n);
  });
});

describe('a main call', () => {
  it('finds a contract of another family through its pointer, and keeps its id on the way', async () => {
    const state = stateWith(vault(assemble('CALLER', 0, 'SSTORE')));
    const { result, after } = await run(state, transactionOf({ sender: ALICE, to: VAULT, gasLimit: 100_000 }));
    assert.deepEqual(trail(result), ['1 main-call forwarded', '2 main-call success']);
    assert.deepEqual(result.messages[0]?.message.id, result.messages[1]?.message.id);
    assert.equal(result.messages[1]?.message.hop, 1);
    assert.equal(slotOf(after, 0), bytesToBigint(ALICE));
  });

  it('goes straight to a contract of its own family', async () => {
    const state = stateWith(vault(assemble('STOP')));
    const { result } = await run(state, transactionOf({ sender: CAROL, nonce: 5n, to: VAULT, gasLimit: 50_000 }));
    assert.deepEqual(trail(result), ['1 main-call success']);
  });

  it('with data fails at an address that may become a contract, and with under four bytes does not', async () => {
    const failing = await run(
      stateWith(),
      transactionOf({ sender: ALICE, to: BOB, valueWei: 5n, data: new Uint8Array(4), gasLimit: 30_000 }),
    );
    assert.deepEqual(trail(failing.result), ['1 main-call failure', '2 bounce success']);
    const short = await run(
      stateWith(),
      transactionOf({ sender: ALICE, to: BOB, valueWei: 5n, data: new Uint8Array(3), gasLimit: 30_000 }),
    );
    assert.deepEqual(trail(short.result), ['1 main-call success']);
    const known = await run(stateWith(), transactionOf({ sender: ALICE, to: CAROL, data: new Uint8Array(9), gasLimit: 30_000 }));
    assert.deepEqual(trail(known.result), ['1 main-call success']);
    const own = await run(stateWith(), transactionOf({ sender: ALICE, to: ALICE, data: new Uint8Array(9), gasLimit: 30_000 }));
    assert.deepEqual(trail(own.result), ['1 main-call success']);
  });

  it('to the messenger fails with the typed error', async () => {
    const { result } = await run(stateWith(), transactionOf({ sender: ALICE, to: MESSENGER_ADDRESS, valueWei: 1n, gasLimit: 30_000 }));
    assert.deepEqual(trail(result), ['1 main-call revert', '2 bounce success']);
    assert.deepEqual(result.messages[0]?.returnData, foreignCallError(MESSENGER_ADDRESS));
  });

  it('that reverts gives its value back and keeps its return data', async () => {
    const state = stateWith(vault(assemble(0xab, 0, 'MSTORE', 32, 0, 'REVERT')));
    const { result, after } = await run(state, transactionOf({ sender: ALICE, to: VAULT, valueWei: 3n, gasLimit: 60_000 }));
    assert.deepEqual(trail(result), ['1 main-call forwarded', '2 main-call revert', '3 bounce success']);
    assert.equal(bytesToBigint((result.messages[1] as MessageResult).returnData), 0xabn);
    assert.equal(after.balance(VAULT, CAROL), 0n);
  });

  it('runs with the price and the context that it carries', async () => {
    const code = assemble(
      'GASPRICE',
      0,
      'SSTORE',
      'BASEFEE',
      1,
      'SSTORE',
      'NUMBER',
      2,
      'SSTORE',
      'TIMESTAMP',
      3,
      'SSTORE',
      'COINBASE',
      4,
      'SSTORE',
      'GASLIMIT',
      5,
      'SSTORE',
    );
    const { after } = await run(stateWith(vault(code)), transactionOf({ sender: ALICE, to: VAULT, gasLimit: 300_000 }));
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((slot) => slotOf(after, slot)),
      [BASE_FEE_WEI + GWEI, BASE_FEE_WEI, 1_000n, 1_700_000_000n, 0xc00000n, 8_000_000n],
    );
  });
});

describe('a value CALL without data to a foreign account', () => {
  it('is a message of the next wave with prepaid gas, returns 1 and nothing', async () => {
    const state = stateWith(vault(callAndRecord(BOB, 1_000n, 0), ETHER));
    const { result, after } = await run(state, transactionOf({ sender: ALICE, to: VAULT, gasLimit: 300_000 }));
    assert.deepEqual(trail(result), ['1 main-call forwarded', '2 main-call success', '3 value-send success']);
    const { message } = only(result, 'value-send');
    assert.equal(message.gasLimit, RECEIVE_GAS);
    assert.equal(message.reservedGas, BOUNCE_GAS);
    assert.deepEqual(message.sender, VAULT);
    assert.deepEqual(message.originAddress, ALICE);
    assert.deepEqual([slotOf(after, 0), slotOf(after, 1)], [1n, 0n]);
    assert.equal(after.balance(BOB), 1_000n);
  });

  it('costs SEND_GAS, ignores the gas argument and adds no stipend', async () => {
    const state = stateWith(
      vault(assemble('GAS', 0, 0, 0, 0, 1, OTHER, 0, 'CALL', 'POP', 'GAS', { raw: Uint8Array.of(0x90, 0x03) }, 0, 'SSTORE'), ETHER),
    );
    const { after } = await run(state, transactionOf({ sender: ALICE, to: VAULT, gasLimit: 300_000 }));
    const around = 2n + 3n * 7n - 1n * 0n + 2n; // GAS, seven pushes, POP; the second GAS's own 2 replaces the first's.
    assert.equal(slotOf(after, 0), BigInt(SEND_GAS + 9_000 + 2_600) + around);
  });

  it('runs the code of a foreign contract and bounces where that fails', async () => {
    const refusing = { address: OTHER, family: BOB, nonce: 1n, code: assemble(0, 0, 'REVERT') };
    const state = stateWith(vault(callAndRecord(OTHER, 1_000n, 0), ETHER), refusing);
    const { result, after } = await run(state, transactionOf({ sender: ALICE, to: VAULT, gasLimit: 300_000 }));
    assert.deepEqual(trail(result), [
      '1 main-call forwarded',
      '2 main-call success',
      '3 value-send forwarded',
      '4 value-send revert',
      '5 bounce success',
    ]);
    assert.equal(slotOf(after, 0), 1n, 'success of the CALL means sent, not received');
    assert.equal(after.balance(VAULT, CAROL), ETHER);
  });

  it('emits nothing from a frame that reverts', async () => {
    const inner = {
      address: OTHER,
      family: CAROL,
      nonce: 1n,
      balanceWei: ETHER,
      code: assemble(0, 0, 0, 0, 9, BOB, 'GAS', 'CALL', 0, 0, 'REVERT'),
    };
    const sends: Part[] = [0, 0, 0, 0, 7, BOB, 'GAS', 'CALL', 'POP'];
    const code = assemble(...sends, 0, 0, 0, 0, 0, OTHER, 'GAS', 'CALL', 'POP', ...sends);
    const transaction = transactionOf({ sender: ALICE, to: VAULT, gasLimit: 600_000 });
    const { result } = await run(stateWith(vault(code, ETHER), inner), transaction);
    const sent = result.messages.filter(({ message }) => message.kind === 'value-send');
    assert.deepEqual(
      sent.map(({ message }) => message.valueWei),
      [7n, 7n],
    );
    const mainCallId = messageIdOf(transaction.hash, 0);
    assert.deepEqual(
      sent.map(({ message }) => message.id),
      [messageIdOf(mainCallId, 0), messageIdOf(mainCallId, 1)],
      'indices are those of the surviving outbox',
    );
  });

  it('returns 0 where the balance is too small', async () => {
    const { result, after } = await run(
      stateWith(vault(callAndRecord(BOB, 1n, 0))),
      transactionOf({ sender: ALICE, to: VAULT, gasLimit: 300_000 }),
    );
    assert.deepEqual(trail(result), ['1 main-call forwarded', '2 main-call success']);
    assert.equal(slotOf(after, 0), 0n);
  });
});

describe('any other call of a foreign account', () => {
  const typed = bytesToBigint(foreignCallError(BOB).slice(0, 32));

  it('with data, delegated or static returns 0 and ForeignCall(callee)', async () => {
    for (const code of [callAndRecord(BOB, 0, 4), callAndRecord(BOB, 0, 0, 'DELEGATECALL'), callAndRecord(BOB, 0, 0, 'STATICCALL')]) {
      const { after } = await run(stateWith(vault(code)), transactionOf({ sender: ALICE, to: VAULT, gasLimit: 300_000 }));
      assert.deepEqual([slotOf(after, 0), slotOf(after, 1), slotOf(after, 2)], [0n, 36n, typed]);
    }
  });

  it('with neither value nor data succeeds and does nothing', async () => {
    const { result, after } = await run(
      stateWith(vault(callAndRecord(BOB, 0, 0))),
      transactionOf({ sender: ALICE, to: VAULT, gasLimit: 300_000 }),
    );
    assert.deepEqual([slotOf(after, 0), slotOf(after, 1)], [1n, 0n]);
    assert.equal(result.messages.length, 2);
  });

  it('with value to a precompile is the typed error too, without value it runs', async () => {
    const identity = new Uint8Array(ADDRESS_BYTES).fill(4, 19);
    const withValue = await run(
      stateWith(vault(callAndRecord(identity, 1, 0), ETHER)),
      transactionOf({ sender: ALICE, to: VAULT, gasLimit: 300_000 }),
    );
    assert.deepEqual([slotOf(withValue.after, 0), slotOf(withValue.after, 1)], [0n, 36n]);
    const without = await run(
      stateWith(vault(callAndRecord(identity, 0, 32))),
      transactionOf({ sender: ALICE, to: VAULT, gasLimit: 300_000 }),
    );
    assert.deepEqual([slotOf(without.after, 0), slotOf(without.after, 1)], [1n, 32n]);
  });

  it('sees no balance, code or hash, though the account is in the same shard', async () => {
    const code = assemble(
      ALICE,
      'BALANCE',
      0,
      'SSTORE',
      OTHER,
      'EXTCODESIZE',
      1,
      'SSTORE',
      OTHER,
      'EXTCODEHASH',
      2,
      'SSTORE',
      CAROL,
      'BALANCE',
      3,
      'SSTORE',
    );
    const foreign = { address: OTHER, family: BOB, nonce: 1n, code: assemble('STOP') };
    const { after } = await run(stateWith(vault(code), foreign), transactionOf({ sender: ALICE, to: VAULT, gasLimit: 300_000 }));
    assert.deepEqual(
      [0, 1, 2, 3].map((slot) => slotOf(after, slot)),
      [0n, 0n, 0n, ETHER],
    );
  });
});

describe('a creation', () => {
  const runtime = assemble('CALLER', 0, 'SSTORE');

  it('by a transaction is of the sender’s family and gets its pointer in the next wave', async () => {
    const { result, after } = await run(
      stateWith(),
      transactionOf({ sender: ALICE, data: deploying(runtime), gasLimit: 300_000, valueWei: 7n }),
    );
    const address = createdAddressOf(ALICE, 0n);
    assert.deepEqual(trail(result), ['1 main-call success', '2 pointer success']);
    assert.deepEqual(result.messages[0]?.createdAddress, address);
    assert.deepEqual(after.getPointer(address), ALICE);
    assert.equal(after.balance(address, ALICE), 7n);
    assert.deepEqual(after.getCode(after.getAccount(ALICE, address)?.codeHash as Uint8Array), runtime);
  });

  it('pays POINTER_GAS during execution', async () => {
    const data = deploying(assemble('STOP'));
    const intrinsic = 53_000 + 2 + data.reduce((sum, byte) => sum + (byte === 0 ? 4 : 16), 0);
    const short = await run(stateWith(), transactionOf({ sender: ALICE, data, gasLimit: intrinsic + POINTER_GAS - 1 }));
    assert.deepEqual(trail(short.result), ['1 main-call failure']);
    const enough = await run(stateWith(), transactionOf({ sender: ALICE, data, gasLimit: intrinsic + POINTER_GAS + 300 }));
    assert.deepEqual(trail(enough.result), ['1 main-call success', '2 pointer success']);
    assert.ok((enough.result.messages[0]?.executionGasUsed ?? 0) >= POINTER_GAS + 200);
  });

  it('by a contract is of the contract’s family, whoever sent the message', async () => {
    const code = assemble({ raw: deploying(runtime).slice(0, 0) }, 0, 0, 0, 'CREATE', 0, 'SSTORE');
    const { after } = await run(stateWith(vault(code)), transactionOf({ sender: ALICE, to: VAULT, gasLimit: 300_000 }));
    const child = createdAddressOf(VAULT, 1n);
    assert.equal(slotOf(after, 0), bytesToBigint(child));
    assert.deepEqual(after.getPointer(child), CAROL);
    assert.equal(after.getAccount(CAROL, child)?.nonce, 1n);
  });

  it('sweeps value that was at the address before, without running code', async () => {
    const address = createdAddressOf(ALICE, 0n);
    const state = stateWith({ address, balanceWei: 99n });
    const { result, after } = await run(state, transactionOf({ sender: ALICE, data: deploying(runtime), gasLimit: 300_000 }));
    assert.deepEqual(trail(result), ['1 main-call success', '2 pointer success', '3 sweep success']);
    assert.equal(after.balance(address, ALICE), 99n);
    assert.equal(after.getAccount(address, address), undefined);
  });

  it('that destroys itself in one message leaves no pointer, and what it holds is burned', async () => {
    const initcode = assemble('ADDRESS', 'SELFDESTRUCT');
    const { result, after } = await run(stateWith(), transactionOf({ sender: ALICE, data: initcode, gasLimit: 300_000, valueWei: 50n }));
    assert.deepEqual(trail(result), ['1 main-call success']);
    assert.equal(result.burnedFeesWei, 300_000n * BASE_FEE_WEI + 50n);
    assert.equal(after.getAccount(ALICE, createdAddressOf(ALICE, 0n)), undefined);
  });

  it('is followed in the same block by a call that finds it', async () => {
    const address = createdAddressOf(ALICE, 0n);
    const { result } = await run(
      stateWith({ address: BOB, balanceWei: ETHER }),
      transactionOf({ sender: ALICE, data: deploying(assemble('STOP')), gasLimit: 300_000 }),
      transactionOf({ sender: BOB, to: address, data: new Uint8Array(4), gasLimit: 50_000 }),
    );
    assert.deepEqual(trail(result), ['1 main-call success', '1 main-call failure', '2 pointer success'], 'its pointer is still under way');
  });
});

describe('SELFDESTRUCT', () => {
  it('to a foreign account is a message that only credits', async () => {
    const receiver = { address: OTHER, family: BOB, nonce: 1n, code: assemble('INVALID') };
    const state = stateWith(vault(assemble(OTHER, 'SELFDESTRUCT'), 77n), receiver);
    const { result, after } = await run(state, transactionOf({ sender: ALICE, to: VAULT, gasLimit: 100_000 }));
    assert.deepEqual(trail(result), ['1 main-call forwarded', '2 main-call success', '3 credit forwarded', '4 credit success']);
    assert.equal(after.balance(OTHER, BOB), 77n);
    assert.equal(bytesToHex(after.getAccount(CAROL, VAULT)?.codeHash as Uint8Array).length, 64, 'EIP-6780: the contract stays');
  });

  it('to its own family credits at once', async () => {
    const state = stateWith(vault(assemble(CAROL, 'SELFDESTRUCT'), 77n));
    const { result, after } = await run(state, transactionOf({ sender: ALICE, to: VAULT, gasLimit: 100_000 }));
    assert.equal(result.messages.length, 2);
    assert.equal(after.balance(CAROL), ETHER + 77n);
  });
});

describe('BLOCKHASH', () => {
  it('looks each of the last 256 heights up once a block, and no other', async () => {
    const asked: number[] = [];
    const blockHash = (height: number) => {
      asked.push(height);
      return CONTEXT.blockHash(height);
    };
    const heights = [999, 744, 743, 1_000, 1_001, 999];
    const code = assemble(...heights.flatMap((height, slot): Part[] => [height, 'BLOCKHASH', slot, 'SSTORE']));
    const state = stateWith(vault(code));
    const body = [0n, 1n].map((nonce) => transactionOf({ sender: ALICE, nonce, to: VAULT, gasLimit: 300_000 }));
    const result = await runBlock(state, body, { context: { ...CONTEXT, blockHash } });
    assert.deepEqual(asked, [999, 744]);
    assert.equal(slotOf(state.after(result.changeSet), 2), 0n);
  });
});

describe('waves', () => {
  it('order what a wave emits by the place of the emitter, then by index', async () => {
    const sends = (value: number): Part[] => [0, 0, 0, 0, value, BOB, 'GAS', 'CALL', 'POP'];
    const second = { address: OTHER, family: CAROL, nonce: 1n, balanceWei: ETHER, code: assemble(...sends(3), ...sends(4)) };
    const state = stateWith(vault(assemble(...sends(1), ...sends(2)), ETHER), second, { address: BOB, balanceWei: ETHER });
    const body = [OTHER, VAULT].map((to, nonce) => transactionOf({ sender: ALICE, nonce: BigInt(nonce), to, gasLimit: 300_000 }));
    const { result } = await run(state, ...body);
    const values = result.messages.filter(({ message }) => message.kind === 'value-send').map(({ message }) => message.valueWei);
    assert.deepEqual(values, [3n, 4n, 1n, 2n]);
  });

  it('give the host its turn without changing the result', async () => {
    const state = stateWith(vault(assemble('JUMPDEST', 0, 'JUMP')));
    const transaction = transactionOf({ sender: ALICE, to: VAULT, gasLimit: 5_000_000 });
    let pauses = 0;
    const paused = await runBlock(state, [transaction], { pause: async () => void pauses++ });
    assert.deepEqual(paused, await runBlock(state, [transaction]));
    assert.ok(pauses >= 3, `${pauses} pauses`);
  });
});
