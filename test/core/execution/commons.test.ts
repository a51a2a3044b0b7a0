// Commons: whatever is deployed through a factory of genesis, by whomever and wherever they are, is of the factory's family, and calls what else
// is there as on Ethereum; to all others, other commons too, it is foreign. In one shard as across shards.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import { foreignCallError } from '../../../src/core/execution/family-rules.ts';
import { bytesToBigint, bytesToHex, concatBytes, hex } from '../../../src/core/primitives/bytes.ts';
import type { Address } from '../../../src/core/primitives/ids.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { predeployedAccounts } from '../../../src/node/genesis-file.ts';
import { assemble, deploying, type Part } from './assembler.ts';
import { ETHER, runBlock, transactionOf } from './block-setup.ts';
import { isInShard, LAYOUTS, settleFreely } from './layouts.ts';
import { MemoryState } from './memory-state.ts';
import { FAMILIES } from './random-blocks.ts';

const FACTORIES = Array.from({ length: 16 }, (_unused, number) =>
  hex(`0000000000000000000000000000000000c001${number.toString(16).padStart(2, '0')}`),
);
const PROXY = hex('4e59b44847b379578588920ca78fbf26c0b4956c');
const SALT = new Uint8Array(32).fill(7);
const GAS = 400_000;
const PAID_WEI = 5;

/** Adds what it is paid to slot 0, and gives the sum. */
const TILL = assemble('CALLVALUE', 0, 'SLOAD', 'ADD', 'DUP1', 0, 'SSTORE', 0, 'MSTORE', 32, 0, 'RETURN');
/** Calls the address in its call data with data and, if that is not static, value; keeps whether it succeeded, and what it was answered. */
const calling = (opcode: string): Part[] => [
  ...[0, 0, 4, 0, ...(opcode === 'CALL' ? [PAID_WEI] : []), 0, 'CALLDATALOAD', 50_000, opcode, 1, 'ADD', 1, 'SSTORE'],
  ...['RETURNDATASIZE', 0, 0, 'RETURNDATACOPY', 0, 'MLOAD', 2, 'SSTORE', 'RETURNDATASIZE', 3, 'SSTORE', 'STOP'],
];
const PATRON = assemble(...calling('CALL'));
const WATCHER = assemble(0, 'CALLDATALOAD', 'EXTCODESIZE', 4, 'SSTORE', ...calling('STATICCALL'));

function genesis(): MemoryState {
  const predeployed = predeployedAccounts().map(({ address, code, nonce }) => ({
    address: hex(address.replace(/^0x/, '')),
    code: hex((code ?? '0x').slice(2)),
    nonce: BigInt(nonce ?? 0),
  }));
  return MemoryState.of([...FAMILIES.map((address) => ({ address, balanceWei: ETHER, nonce: 1n })), ...predeployed]);
}

const throughFactory = (factory: Address, runtime: Uint8Array): Address =>
  createdAddressOf(factory, 0n, { salt: SALT, initcode: deploying(runtime) });

class Chain {
  state = genesis();
  readonly #nonces = new Map<Address, bigint>();

  next(sender: Address, fields: Partial<Transaction>): Transaction {
    const nonce = this.#nonces.get(sender) ?? 1n;
    this.#nonces.set(sender, nonce + 1n);
    return transactionOf({ sender, nonce, gasLimit: GAS, ...fields });
  }

  /** By a transaction to the factory, as tools do it. */
  deploy(sender: Address, factory: Address, runtime: Uint8Array): Transaction {
    return this.next(sender, { to: factory, data: concatBytes(SALT, deploying(runtime)) });
  }

  call(sender: Address, to: Address, about: Address, valueWei = 100n): Transaction {
    return this.next(sender, { to, data: concatBytes(new Uint8Array(12), about), valueWei });
  }

  /** In one shard and under each layout, which all come to the same. */
  async run(...transactions: readonly Transaction[]): Promise<void> {
    const { changeSet, messages } = await runBlock(this.state, transactions);
    const after = this.state.after(changeSet);
    for (const layout of LAYOUTS) {
      const split = await settleFreely(this.state, transactions, layout);
      assert.deepEqual(split.state.contents(), after.contents(), `${layout}`);
    }
    assert.ok(messages.every(({ outcome }) => outcome === 'success' || outcome === 'forwarded'));
    this.state = after;
  }

  slot(family: Address, address: Address, place: number): bigint {
    return bytesToBigint(this.state.getStorage(family, address, new Uint8Array(32).fill(place, 31)) ?? new Uint8Array(0));
  }
}

const [ALICE, BOB, CAROL] = FAMILIES;
/** What `calling` keeps: 1 more than what the call gave. */
const [FAILED, SUCCEEDED] = [1n, 2n];
const firstWordOf = (bytes: Uint8Array): bigint => bytesToBigint(bytes.subarray(0, 32));

describe('a commons factory', () => {
  it('is there sixteen times, in shards of its own', () => {
    const state = genesis();
    for (const factory of [...FACTORIES, PROXY]) assert.equal(state.getAccount(factory, factory)?.nonce, 1n, bytesToHex(factory));
    const layout = [8, 9, 10, 11, 12, 13, 14, 15];
    const places = new Set(FACTORIES.map((factory) => layout.find((shard) => isInShard(factory, shard))));
    assert.ok(places.size > 4, `they are spread over ${places.size} shards of 8`);
  });

  it('makes whatever anybody deploys through it one family, whose contracts call each other', async () => {
    const chain = new Chain();
    for (const factory of FACTORIES) {
      const [till, patron, watcher] = [TILL, PATRON, WATCHER].map((runtime) => throughFactory(factory, runtime)) as [
        Address,
        Address,
        Address,
      ];
      await chain.run(chain.deploy(ALICE, factory, TILL), chain.deploy(BOB, factory, PATRON), chain.deploy(CAROL, factory, WATCHER));
      for (const contract of [till, patron, watcher]) {
        assert.deepEqual(chain.state.getAccount(factory, contract)?.family, factory);
        assert.deepEqual(chain.state.getPointer(contract), factory, 'and it is found from where its address lies');
      }
      await chain.run(chain.call(CAROL, patron, till));
      assert.deepEqual([chain.slot(factory, patron, 1), chain.slot(factory, patron, 2)], [SUCCEEDED, BigInt(PAID_WEI)]);
      assert.equal(chain.state.balance(till, factory), BigInt(PAID_WEI));
      await chain.run(chain.call(ALICE, watcher, till, 0n));
      assert.equal(chain.slot(factory, watcher, 4), BigInt(TILL.length), 'its code is seen');
      assert.equal(chain.slot(factory, watcher, 1), FAILED, 'it writes, which a static call must not');
      assert.equal(chain.slot(factory, watcher, 3), 0n);
    }
  });

  it('gives what it deploys the nonce and the address that CREATE2 has on Ethereum, once', async () => {
    const chain = new Chain();
    const [factory] = FACTORIES as [Address];
    const till = throughFactory(factory, TILL);
    await chain.run(chain.deploy(ALICE, factory, TILL));
    assert.equal(chain.state.getAccount(factory, till)?.nonce, 1n);
    const again = chain.deploy(BOB, factory, TILL);
    const { messages } = await runBlock(chain.state, [again]);
    assert.deepEqual(
      messages.map(({ message, outcome }) => `${message.kind} ${outcome}`),
      ['main-call revert'],
      'the address is taken',
    );
  });

  it('is foreign to all others: to an account’s contracts, and to another commons', async () => {
    const chain = new Chain();
    const [first, second] = FACTORIES as [Address, Address];
    const till = throughFactory(first, TILL);
    const [other, own] = [throughFactory(second, PATRON), createdAddressOf(BOB, 1n)];
    await chain.run(chain.deploy(ALICE, first, TILL), chain.deploy(CAROL, second, PATRON), chain.next(BOB, { data: deploying(PATRON) }));
    await chain.run(chain.call(ALICE, other, till), chain.call(CAROL, own, till));
    for (const [family, contract] of [
      [second, other],
      [BOB, own],
    ] as const) {
      assert.deepEqual(chain.state.getAccount(family, contract)?.family, family);
      assert.deepEqual([chain.slot(family, contract, 1), chain.slot(family, contract, 3)], [FAILED, 36n]);
      assert.equal(chain.slot(family, contract, 2), firstWordOf(foreignCallError(till)));
      assert.equal(chain.state.balance(contract, family), 100n, 'it keeps its value');
    }
    assert.equal(chain.state.balance(till, first), 0n);
  });

  it('takes messages from outside as any contract does', async () => {
    const chain = new Chain();
    const [factory] = FACTORIES as [Address];
    const till = throughFactory(factory, TILL);
    await chain.run(chain.deploy(ALICE, factory, TILL));
    await chain.run(chain.next(BOB, { to: till, valueWei: 9n }), chain.next(CAROL, { to: till, valueWei: 4n, data: new Uint8Array(8) }));
    assert.deepEqual([chain.slot(factory, till, 0), chain.state.balance(till, factory)], [13n, 13n]);
  });
});
