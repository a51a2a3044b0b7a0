// The Ethereum state tests on both loops: status, gas, return data, logs, messages and every changed account must be equal. And the
// library itself against the published state roots, on a sample, so that the twin is known to be Ethereum.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createBlock } from '@ethereumjs/block';
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { RLP } from '@ethereumjs/rlp';
import { createTx, type TypedTxData } from '@ethereumjs/tx';
import { Account, Address } from '@ethereumjs/util';
import { createVM, runTx } from '@ethereumjs/vm';
import { initialiseKeccak, keccak256 } from '../../src/core/crypto/keccak.ts';
import { createOwnLoopExecutor } from '../../src/core/execution/evm/own-loop-executor.ts';
import type { ItemExecutor } from '../../src/core/execution/item-executor.ts';
import { ItemState } from '../../src/core/execution/item-state.ts';
import { StateOverlay } from '../../src/core/execution/state-overlay.ts';
import { bytesToPrefixedHex, hex } from '../../src/core/primitives/bytes.ts';
import { createStockLoopExecutor } from '../core/execution/stock-loop-executor.ts';
import { caseOf, readStateTests, type StateTestCase, type StateTestLine } from './state-test-cases.ts';

const lines = readStateTests();
/** Some tests buy a hundred million to burn it in a loop; equal behaviour shows earlier. */
const GAS_LIMIT_MAX = 1_000_000;
/** Every other test, to keep within the minute; all 12,557 cases pass (1 here runs them). */
const LINES_EVERY = 2;
const CASES_MIN = 5_000;
const ROOTS_EVERY = 25;
const ROOTS_MIN = 60;

async function resultOf(executor: ItemExecutor, { state: version, message, context }: StateTestCase): Promise<unknown> {
  const overlay = new StateOverlay(version);
  const state = new ItemState(overlay, message.targetFamily);
  // Why code halted is for simulations alone: the library's loop words it otherwise, and consensus sees none of it.
  const { halt: _halt, ...outcome } = await executor.execute({ state, message, context, gasLimitSeenByCode: 8_000_000 });
  const burnedWei = outcome.outcome === 'success' ? state.finish() : 0n;
  const { logs, outbox } = state;
  return { outcome, burnedWei, logs, outbox, created: [...state.created.keys()], changes: overlay.changeSet() };
}

describe('the Ethereum state tests', { skip: lines === undefined ? 'no ../shared/data in this checkout' : false }, () => {
  before(initialiseKeccak);

  it('end equally on the own loop and on the library’s', async (context) => {
    const own = createOwnLoopExecutor(1);
    const stock = createStockLoopExecutor(1);
    let cases = 0;
    for (const [position, line] of (lines ?? []).entries()) {
      if (position % LINES_EVERY !== 0) continue;
      for (let index = 0; index < line.post.length; index++) {
        const test = caseOf(line, index, GAS_LIMIT_MAX);
        if (test === undefined) continue;
        assert.deepEqual(await resultOf(own, test), await resultOf(stock, test), test.name);
        cases++;
      }
    }
    context.diagnostic(`${cases} cases`);
    assert.ok(cases >= CASES_MIN, `${cases} cases`);
  });

  it('lead the library’s own transactions to the published state roots and logs', async (context) => {
    let roots = 0;
    for (const [position, line] of (lines ?? []).entries()) {
      if (position % ROOTS_EVERY !== 0) continue;
      const post = line.post.find(
        ({ expectException, indexes }) =>
          expectException === undefined && BigInt(line.transaction.gasLimit[indexes.gas] ?? 0) < 16_000_000n,
      );
      if (post === undefined) continue;
      const { root, logs } = await runOnLibrary(line, post.indexes);
      assert.equal(root, post.hash, `${line.folder}/${line.name}`);
      assert.equal(logs, post.logs, `${line.folder}/${line.name}`);
      roots++;
    }
    context.diagnostic(`${roots} roots`);
    assert.ok(roots >= ROOTS_MIN, `${roots} roots`);
  });
});

type Indexes = StateTestLine['post'][number]['indexes'];

async function runOnLibrary(line: StateTestLine, indexes: Indexes): Promise<{ root: string; logs: string }> {
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Cancun });
  const vm = await createVM({ common });
  await vm.stateManager.checkpoint();
  for (const [address, { balance, nonce, code, storage }] of Object.entries(line.pre)) {
    const key = new Address(hex(address));
    await vm.stateManager.putAccount(key, new Account(BigInt(nonce), BigInt(balance)));
    await vm.stateManager.putCode(key, hex(code));
    for (const [slot, value] of Object.entries(storage)) await vm.stateManager.putStorage(key, word(slot), trimmed(value));
  }
  await vm.stateManager.commit();
  const { env } = line;
  const block = createBlock(
    {
      header: {
        number: BigInt(env['currentNumber'] ?? 1),
        timestamp: BigInt(env['currentTimestamp'] ?? 0),
        gasLimit: BigInt(env['currentGasLimit'] ?? 0),
        coinbase: env['currentCoinbase'] as `0x${string}`,
        baseFeePerGas: BigInt(env['currentBaseFee'] ?? 0),
        mixHash: word(env['currentRandom'] ?? '0x0'),
        excessBlobGas: BigInt(env['currentExcessBlobGas'] ?? 0),
      },
    },
    { common, skipConsensusFormatValidation: true },
  );
  const tx = createTx(transactionData(line, indexes), { common }).sign(hex(line.transaction.secretKey));
  const { receipt } = await runTx(vm, { tx, block, skipHardForkValidation: true, skipBlockGasLimitValidation: true });
  const root = bytesToPrefixedHex(await vm.stateManager.getStateRoot());
  return { root, logs: bytesToPrefixedHex(keccak256(RLP.encode(receipt.logs))) };
}

function transactionData({ transaction }: StateTestLine, indexes: Indexes): TypedTxData {
  const { data, gasLimit, value, nonce, to, gasPrice, maxFeePerGas, maxPriorityFeePerGas, accessLists } = transaction;
  const accessList = accessLists?.[indexes.data];
  const shared = {
    nonce: BigInt(nonce),
    gasLimit: BigInt(gasLimit[indexes.gas] ?? 0),
    value: BigInt(value[indexes.value] ?? 0),
    data: hex(data[indexes.data] ?? ''),
    ...(to === '' ? {} : { to: to as `0x${string}` }),
  };
  if (maxFeePerGas !== undefined) {
    const prices = { maxFeePerGas: BigInt(maxFeePerGas), maxPriorityFeePerGas: BigInt(maxPriorityFeePerGas ?? 0) };
    return { ...shared, ...prices, type: 2, accessList: listOf(accessList) };
  }
  const price = { gasPrice: BigInt(gasPrice ?? 0) };
  return accessList === undefined || accessList === null
    ? { ...shared, ...price, type: 0 }
    : { ...shared, ...price, type: 1, accessList: listOf(accessList) };
}

function listOf(list: readonly { address: string; storageKeys: readonly string[] }[] | null | undefined) {
  return (list ?? []).map(({ address, storageKeys }) => ({
    address: address as `0x${string}`,
    storageKeys: storageKeys.map((key) => bytesToPrefixedHex(word(key))),
  }));
}

function word(value: string): Uint8Array {
  return hex(BigInt(value).toString(16).padStart(64, '0'));
}

function trimmed(value: string): Uint8Array {
  const digits = BigInt(value).toString(16);
  return BigInt(value) === 0n ? new Uint8Array(0) : hex(digits.length % 2 === 0 ? digits : `0${digits}`);
}
