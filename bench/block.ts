// Times a block of plain transfers through one node, step by step: `node bench/block.ts [--json] [--accounts N] [--blocks N]`. µs per
// transaction that this thread spends in each step, the median over blocks, and what the whole process spends (garbage collection and
// LevelDB's threads included). The network, consensus and RPC are not in it: `npm run bench:devnet` has them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mnemonicAccounts } from '../src/cli/mnemonic-accounts.ts';
import { initialiseKeccak, keccak256 } from '../src/core/crypto/keccak.ts';
import { commitmentOf, NO_LANES } from '../src/core/execution/commitment.ts';
import { createOwnLoopExecutor } from '../src/core/execution/evm/own-loop-executor.ts';
import { executeBlock } from '../src/core/execution/execute-block.ts';
import type { BlockResult } from '../src/core/execution/executed-block.ts';
import { checkAgainstAccount, checkTransactionShape, type SenderReservation } from '../src/core/execution/transaction-checks.ts';
import { Mempool } from '../src/core/mempool/pool.ts';
import { bytesToPrefixedHex, hex, uint64ToBytes, ZERO_32 } from '../src/core/primitives/bytes.ts';
import { ROOT_SHARD } from '../src/core/primitives/ids.ts';
import { bodyRootOf, EMPTY_BODY } from '../src/core/protocol/block.ts';
import type { Transaction } from '../src/core/protocol/transaction.ts';
import { buildGenesisState } from '../src/core/state/genesis-state.ts';
import { createStateDatabase } from '../src/core/state/state-database.ts';
import type { StateDatabase, StateVersion } from '../src/core/state/state-version.ts';
import { deriveViewBlock } from '../src/core/view/derive-block.ts';
import { encodeExecution } from '../src/core/view/execution-codec.ts';
import { showExecution, withCharges } from '../src/core/view/shown-execution.ts';
import { encodeViewHeader } from '../src/core/view/view-header-codec.ts';
import { selectCrypto } from '../src/runtime/native/select-crypto.ts';
import { installHashtree } from '../src/runtime/native/ssz-hashtree.ts';
import { BatchingSignatureVerifier } from '../src/runtime/signature-verifier.ts';
import { TransactionDirectory } from '../src/runtime/transaction-directory.ts';
import { ThreadWorkerPool } from '../src/runtime/worker-pool.ts';
import type { KeyValueStore } from '../src/storage/key-value-store.ts';
import { openLevelStore } from '../src/storage/level-store.ts';
import { createViewStore } from '../src/storage/view-store.ts';
import { ETHER, PARAMETERS } from '../test/core/execution/block-setup.ts';
import { type Sender, signMany, transferTo } from './devnet/transactions.ts';

const SENDERS = 2_000;
const TRANSFERS = 760;

type Step = 'decode and recover' | 'admit' | 'take' | 'check' | 'execute' | 'extend' | 'view' | 'rows' | 'write' | 'forget';

/** µs per transaction. */
export interface BlockBenchResult {
  readonly accounts: number;
  readonly blocks: number;
  readonly stepsMicroseconds: Readonly<Record<string, number>>;
  readonly threadMicroseconds: number;
  readonly processMicroseconds: number;
  readonly residentMegabytes: number;
}

interface Bench {
  readonly store: KeyValueStore;
  readonly states: StateDatabase;
  readonly pool: Mempool;
  readonly directory: TransactionDirectory;
  readonly times: Map<Step, number[]>;
}

const { secp256k1 } = selectCrypto({ disableNative: false });
const evm = createOwnLoopExecutor(PARAMETERS.evmChainId);

// Of this thread: other processes on the machine do not count.
function threadMicroseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

async function time<T>(bench: Bench, step: Step, run: () => T | Promise<T>): Promise<T> {
  const start = threadMicroseconds();
  const result = await run();
  const times = bench.times.get(step) ?? [];
  times.push((threadMicroseconds() - start) / TRANSFERS);
  bench.times.set(step, times);
  return result;
}

// The steps of a committed block, in the order in which a node that did not propose it takes them.
async function processBlock(bench: Bench, raws: readonly Uint8Array[], height: number, parentHash: Uint8Array): Promise<Uint8Array> {
  const { states, pool, directory } = bench;
  const parent = states.committed();
  const baseFeePerGasWei = PARAMETERS.baseFeePerGasWeiMin;
  const transactions = await time(bench, 'decode and recover', async () => {
    const decoded = await directory.decode(raws);
    return decoded.map((verdict) => (verdict.ok ? verdict.value : fail(verdict.reason)));
  });
  await time(bench, 'admit', () => {
    for (const transaction of transactions) {
      const admitted = pool.admit(transaction, parent.getAccount(transaction.sender, transaction.sender));
      if (!admitted.ok) fail(admitted.reason);
    }
  });
  await time(bench, 'take', () => {
    const room = { gasLimit: PARAMETERS.blockGasLimit, bytesMax: PARAMETERS.bodyBytesMax, countMax: TRANSFERS };
    const taken = pool.take({
      room,
      accountOf: (sender) => parent.getAccount(sender, sender),
      baseFeePerGasWei,
      inFlight: new Set(),
    });
    if (taken.length !== TRANSFERS) fail(`${taken.length} taken`);
  });
  await time(bench, 'check', () => checkStatically(parent, transactions));
  const result = await time(bench, 'execute', () =>
    executeBlock({
      transactions,
      parentState: parent,
      parentBaseFeePerGasWei: baseFeePerGasWei,
      context: { referenceHeight: height - 1, referenceTimestampMs: height, prevRandao: ZERO_32, blockHash: () => undefined },
      parameters: PARAMETERS,
      evm,
    }),
  );
  const version = await time(bench, 'extend', () => states.extend(parent, height, result.changeSet));
  return finish(bench, { transactions, result, version, parentHash });
}

interface Executed {
  readonly transactions: readonly Transaction[];
  readonly result: BlockResult;
  readonly version: StateVersion;
  readonly parentHash: Uint8Array;
}

async function finish(bench: Bench, { transactions, result, version, parentHash }: Executed): Promise<Uint8Array> {
  const { store, states, pool } = bench;
  const commitment = commitmentOf(result, version.root, NO_LANES);
  const { height } = version;
  const { view, shown } = await time(bench, 'view', () => {
    const shown = showExecution(result);
    const view = deriveViewBlock(
      {
        number: height,
        hash: parentHash,
        timestampMs: height * 1_000,
        prevRandao: ZERO_32,
        worldRoot: commitment.stateRoot,
        baseFeePerGasWei: PARAMETERS.baseFeePerGasWeiMin,
      },
      { hash: parentHash, header: { timestamp: 0 } },
      [withCharges(shown, () => fail('all is charged here'))],
      PARAMETERS,
    );
    return { view, shown };
  });
  const views = createViewStore(store);
  const rows = await time(bench, 'rows', () => [
    ...states.commit(version),
    ...views.putExecution(ROOT_SHARD, height, encodeExecution(shown)),
    ...views.putBlock({
      number: height,
      hash: view.hash,
      header: encodeViewHeader(view, { executions: [{ shard: ROOT_SHARD, height }], late: [], heights: [{ shard: ROOT_SHARD, height }] }),
      totals: parentHash,
      transactionHashes: view.transactions.map(({ transaction }) => transaction.hash),
      originsElsewhere: [],
    }),
  ]);
  await time(bench, 'write', () => store.write(rows, { sync: true }));
  states.adopted(version);
  await time(bench, 'forget', () => pool.onBlock(transactions, PARAMETERS.baseFeePerGasWeiMin));
  return view.hash;
}

function checkStatically(parent: StateVersion, transactions: readonly Transaction[]): void {
  bodyRootOf(
    EMPTY_BODY,
    transactions.map(({ hash }) => hash),
  );
  const reservations = new Map<string, SenderReservation>();
  for (const transaction of transactions) {
    const shape = checkTransactionShape(transaction, PARAMETERS);
    if (!shape.ok) fail(shape.reason);
    const account = parent.getAccount(transaction.sender, transaction.sender);
    const reservation = checkAgainstAccount(transaction, account, PARAMETERS.baseFeePerGasWeiMin, reservations.get(transaction.senderHex));
    if (!reservation.ok) fail(reservation.reason);
    reservations.set(transaction.senderHex, reservation.value);
  }
}

function fail(why: string): never {
  throw new Error(`the benchmark's blocks are valid: ${why}`);
}

async function openBench(store: KeyValueStore): Promise<Bench> {
  const pool = new ThreadWorkerPool({
    size: 0,
    tasksMax: 1,
    entry: new URL('../src/runtime/signature-verifier-worker.ts', import.meta.url),
    workerData: undefined,
    runInline: () => fail('a pool of no workers gets no task'),
  });
  const verifier = new BatchingSignatureVerifier({ crypto: selectCrypto({ disableNative: false }), pool, schedule: queueMicrotask });
  return {
    store,
    states: await createStateDatabase(store, ROOT_SHARD),
    pool: new Mempool(PARAMETERS),
    directory: new TransactionDirectory(verifier, PARAMETERS.evmChainId),
    times: new Map(),
  };
}

async function writeGenesis({ store, states }: Bench, addresses: readonly Uint8Array[]): Promise<void> {
  const accounts = addresses.map((address) => {
    return { address, family: address, balanceWei: 1_000n * ETHER, nonce: 0n, code: new Uint8Array(0), storage: [] };
  });
  const version = states.extend(states.committed(), 0, buildGenesisState(accounts));
  await store.write(states.commit(version), { sync: true });
  states.adopted(version);
}

/** Runs everything in a folder of its own, which is removed. */
export async function runBlockBench(options: { readonly accounts: number; readonly blocks: number }): Promise<BlockBenchResult> {
  await initialiseKeccak();
  await installHashtree({ disableNative: false });
  const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-block-'));
  const store = await openLevelStore(join(folder, 'db'), ZERO_32);
  try {
    return await measure(await openBench(store), options);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(bench: Bench, { accounts, blocks }: { accounts: number; blocks: number }): Promise<BlockBenchResult> {
  const senders = mnemonicAccounts(0, 0, SENDERS, secp256k1).map(
    ({ address, privateKey }): Sender => ({ address, secretKey: hex(privateKey), nonce: 0 }),
  );
  const recipients = Array.from({ length: accounts - SENDERS }, (_unused, index) =>
    bytesToPrefixedHex(keccak256(uint64ToBytes(index)).slice(12)),
  );
  const all = [...senders.map(({ address }) => address), ...recipients];
  await writeGenesis(bench, all.map(hex));
  const warmUp = Math.ceil(blocks / 4);
  const signed = signMany((warmUp + blocks) * TRANSFERS, senders, all, transferTo, PARAMETERS.evmChainId, secp256k1).map(({ raw }) =>
    hex(raw),
  );
  let used = process.cpuUsage();
  let thread = threadMicroseconds();
  let hash: Uint8Array = ZERO_32;
  for (let height = 1; height <= warmUp + blocks; height++) {
    if (height === warmUp + 1) {
      bench.times.clear();
      used = process.cpuUsage();
      thread = threadMicroseconds();
    }
    hash = await processBlock(bench, signed.slice((height - 1) * TRANSFERS, height * TRANSFERS), height, hash);
  }
  const whole = process.cpuUsage(used);
  const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
  return {
    accounts,
    blocks,
    stepsMicroseconds: Object.fromEntries([...bench.times].map(([step, values]) => [step, median(values)])),
    threadMicroseconds: (threadMicroseconds() - thread) / (blocks * TRANSFERS),
    processMicroseconds: (whole.user + whole.system) / (blocks * TRANSFERS),
    residentMegabytes: process.memoryUsage().rss / 2 ** 20,
  };
}

const { values: options } = parseArgs({
  options: { json: { type: 'boolean' }, accounts: { type: 'string', default: '100000' }, blocks: { type: 'string', default: '40' } },
});
const result = await runBlockBench({ accounts: Number(options.accounts), blocks: Number(options.blocks) });
for (const [step, microseconds] of Object.entries(result.stepsMicroseconds)) console.log(step.padEnd(24), microseconds.toFixed(1));
console.log(`thread ${result.threadMicroseconds.toFixed(1)}, process ${result.processMicroseconds.toFixed(1)} µs a transaction`);
if (options.json) console.log(JSON.stringify(result));
