// The Ethereum state tests on both loops: status, gas, return data, logs, messages and every changed account must be equal. And the
// library itself against the published state roots, on a sample, so that the twin is known to be Ethereum.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createBlock } from '@ethereumjs/block';
import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import { RLP } from '@ethereumjs/rlp';
import { createTx, type TypedTxData } from '@ethereumjs/tx';
import { Account, Address } from '@ethereumjs/util';
import { createVM, runTx } from '@ethereumjs/vm';
import { initialiseKeccak, keccak256 } from '../../src/core/crypto/keccak.ts';
import { bytesToPrefixedHex, hex } from '../../src/core/primitives/bytes.ts';
import { readStateTests, type StateTestLine } from './state-test-cases.ts';

const lines = readStateTests();
const CASES_MIN = 5_000;
const ROOTS_EVERY = 25;
const ROOTS_MIN = 60;

describe('the Ethereum state tests', { skip: lines === undefined ? 'no ../shared/data in this checkout' : false }, () => {
  before(initialiseKeccak);

  it('end equally on the own loop and on the library’s', async (context) => {
    const cases = await compareLoopsApart();
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

// How many cases were compared; rejects with the first that ends otherwise on one loop than on the other. In a thread of its own: the test runner follows
// each promise of its thread, and the library's loop makes some for each operation, so that half of the time would be the runner's.
function compareLoopsApart(): Promise<number> {
  const worker = new Worker(new URL('./compare-loops-worker.ts', import.meta.url));
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the comparison ended with exit code ${code} and without a result`)));
  });
}

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
