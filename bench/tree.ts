// Times the state: `node bench/tree.ts [--json] [--accounts N] [--active N] [--blocks N]`. Blocks of 760 transfers between 10,000 of 100,000 accounts, each
// extended, committed to a database on disk, and read back; a tree of which each account is read and written at random.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { initialiseKeccak } from '../src/core/crypto/keccak.ts';
import { bytesToHex, ZERO_32 } from '../src/core/primitives/bytes.ts';
import { ROOT_SHARD } from '../src/core/primitives/ids.ts';
import type { Account } from '../src/core/state/account.ts';
import type { AccountChange, ChangeSet } from '../src/core/state/change-set.ts';
import { buildGenesisState } from '../src/core/state/genesis-state.ts';
import { createStateDatabase } from '../src/core/state/state-database.ts';
import type { StateDatabase, StateVersion } from '../src/core/state/state-version.ts';
import { installHashtree } from '../src/runtime/native/ssz-hashtree.ts';
import type { KeyValueStore } from '../src/storage/key-value-store.ts';
import { openLevelStore } from '../src/storage/level-store.ts';
import { createNodeFileStore } from '../src/storage/node-file-store.ts';
import { openSigningRecord } from '../src/storage/signing-record.ts';

/** What a run measured; times are of the main thread's CPU, medians over blocks, where nothing else is said. */
export interface TreeBenchResult {
  readonly accounts: number;
  readonly active: number;
  readonly blocks: number;
  readonly touchedPerBlock: number;
  readonly genesisMs: number;
  readonly extendMicrosecondsPerAccount: number;
  readonly commitMicrosecondsPerAccount: number;
  readonly writeMicrosecondsPerAccount: number;
  readonly totalMicrosecondsPerAccount: number;
  /** Of the whole process over the timed blocks, LevelDB's threads included. */
  readonly cpuMicrosecondsPerAccount: number;
  readonly rowsPerAccount: number;
  readonly bytesPerAccount: number;
  readonly databaseMegabytes: number;
  readonly residentMegabytes: number;
  readonly readCommittedMicroseconds: number;
  readonly proofMicroseconds: number;
  readonly extendTokenMicrosecondsPerSlot: number;
  readonly signingRecordMicroseconds: number;
}

interface BenchOptions {
  readonly accounts: number;
  readonly blocks: number;
  /** Accounts that transfers go between. */
  readonly active: number;
}

const TRANSFERS = 760;
const TOKEN_SLOTS = 1_500;

/** Runs everything in a folder of its own, which is removed. */
export async function runTreeBench(options: BenchOptions = { accounts: 100_000, blocks: 40, active: 10_000 }): Promise<TreeBenchResult> {
  await initialiseKeccak();
  await installHashtree({ disableNative: false });
  const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-tree-'));
  const store = await openLevelStore(join(folder, 'db'), ZERO_32);
  try {
    return await measure(store, folder, options);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(store: KeyValueStore, folder: string, { accounts, blocks, active }: BenchOptions): Promise<TreeBenchResult> {
  const database = createStateDatabase(store, ROOT_SHARD);
  const random = createRandom(7);
  const addresses = Array.from({ length: accounts }, () => random.bytes(20));
  const token = random.bytes(20);
  const genesis = addresses.map((address) => ({
    address,
    family: address,
    balanceWei: 10n ** 22n,
    nonce: 0n,
    code: new Uint8Array(),
    storage: [],
  }));
  const contract = {
    address: token,
    family: token,
    balanceWei: 0n,
    nonce: 1n,
    code: Uint8Array.of(0xfe),
    storage: slotsOf(random, accounts / 10),
  };
  const startedMs = cpuMs();
  await commit(database, store, buildGenesisState([...genesis, contract]), 0);
  const genesisMs = cpuMs() - startedMs;
  const blockTimes: BlockTimes[] = [];
  const warmUp = Math.ceil(blocks / 4);
  let cpu = process.cpuUsage();
  for (let height = 1; height <= warmUp + blocks; height++) {
    if (height === warmUp + 1) {
      blockTimes.length = 0;
      cpu = process.cpuUsage();
    }
    const parent = database.committed();
    blockTimes.push(await commit(database, store, transfers(parent, addresses.slice(0, active), random), height));
  }
  const used = process.cpuUsage(cpu);
  const touched = blockTimes.reduce((sum, times) => sum + times.accounts, 0);
  const per = (pick: (times: BlockTimes) => number): number => median(blockTimes.map((times) => (pick(times) * 1_000) / times.accounts));
  return {
    accounts,
    active,
    blocks,
    touchedPerBlock: touched / blockTimes.length,
    genesisMs,
    extendMicrosecondsPerAccount: per(({ extendMs }) => extendMs),
    commitMicrosecondsPerAccount: per(({ commitMs }) => commitMs),
    writeMicrosecondsPerAccount: per(({ writeMs }) => writeMs),
    totalMicrosecondsPerAccount: per(({ extendMs, commitMs, writeMs }) => extendMs + commitMs + writeMs),
    cpuMicrosecondsPerAccount: (used.user + used.system) / touched,
    rowsPerAccount: blockTimes.reduce((sum, { rows }) => sum + rows, 0) / touched,
    bytesPerAccount: blockTimes.reduce((sum, { bytes }) => sum + bytes, 0) / touched,
    databaseMegabytes: folderBytes(join(folder, 'db')) / 2 ** 20,
    residentMegabytes: process.memoryUsage().rss / 2 ** 20,
    readCommittedMicroseconds: timeEach(10_000, () => {
      const address = addresses[random.below(accounts)] as Uint8Array;
      database.committed().getAccount(address, address);
    }),
    proofMicroseconds: timeEach(1_000, () => {
      const address = addresses[random.below(accounts)] as Uint8Array;
      database.proveAccount(database.committed(), address, address, []);
    }),
    extendTokenMicrosecondsPerSlot: median(Array.from({ length: 5 }, () => timeToken(database, token, random))),
    signingRecordMicroseconds: await timeSigningRecord(folder),
  };
}

interface BlockTimes {
  readonly accounts: number;
  readonly extendMs: number;
  readonly commitMs: number;
  readonly writeMs: number;
  readonly rows: number;
  readonly bytes: number;
}

async function commit(database: StateDatabase, store: KeyValueStore, changes: ChangeSet, height: number): Promise<BlockTimes> {
  const start = cpuMs();
  const version = database.extend(database.committed(), height, changes);
  const extended = cpuMs();
  const operations = database.commit(version);
  const made = cpuMs();
  await store.write(operations, { sync: true });
  database.adopted(version);
  const written = cpuMs();
  let bytes = 0;
  for (const operation of operations) bytes += operation.key.length + (operation.type === 'put' ? operation.value.length : 0);
  return {
    accounts: changes.accounts.length,
    extendMs: extended - start,
    commitMs: made - extended,
    writeMs: written - made,
    rows: operations.length,
    bytes,
  };
}

function transfers(parent: StateVersion, addresses: readonly Uint8Array[], random: Random): ChangeSet {
  const changed = new Map<number, { readonly before: Account; after: Account }>();
  const touch = (index: number, change: (account: Account) => Account): void => {
    const address = addresses[index] as Uint8Array;
    const entry = changed.get(index) ?? startFrom(parent.getAccount(address, address));
    entry.after = change(entry.after);
    changed.set(index, entry);
  };
  for (let i = 0; i < TRANSFERS; i++) {
    touch(random.below(addresses.length), (account) => ({
      ...account,
      nonce: account.nonce + 1n,
      balanceWei: account.balanceWei - 1_000_000_021n,
    }));
    touch(random.below(addresses.length), (account) => ({ ...account, balanceWei: account.balanceWei + 21n }));
  }
  const accounts = [...changed].map(([index, { before, after }]): AccountChange => {
    const address = addresses[index] as Uint8Array;
    return { family: address, address, before, after, storageCleared: false, storage: new Map() };
  });
  return { accounts, pointers: [], codes: new Map() };
}

function startFrom(account: Account | undefined): { readonly before: Account; after: Account } {
  if (account === undefined) throw new Error('every account of the benchmark exists');
  return { before: account, after: account };
}

// Extends by a block of token transfers: one account, many slots.
function timeToken(database: StateDatabase, token: Uint8Array, random: Random): number {
  const parent = database.committed();
  const before = parent.getAccount(token, token);
  if (before === undefined) throw new Error('the token exists');
  const storage = new Map(
    slotsOf(random, TOKEN_SLOTS).map(({ slot, value }) => [bytesToHex(slot), { slot, before: undefined, after: value }]),
  );
  const change: AccountChange = { family: token, address: token, before, after: before, storageCleared: false, storage };
  const startedMs = cpuMs();
  database.extend(parent, parent.height + 1, { accounts: [change], pointers: [], codes: new Map() });
  return ((cpuMs() - startedMs) * 1_000) / TOKEN_SLOTS;
}

async function timeSigningRecord(folder: string): Promise<number> {
  const record = await openSigningRecord(createNodeFileStore(folder), 'signing/bench');
  const content = new Uint8Array(1_024).fill(5);
  const times: number[] = [];
  for (let i = 0; i < 200; i++) {
    const startedMs = performance.now();
    await record.write(content);
    times.push((performance.now() - startedMs) * 1_000);
  }
  await record.close();
  return median(times);
}

interface Random {
  below(limit: number): number;
  bytes(length: number): Uint8Array;
}

// A small deterministic generator (mulberry32): each run times the same blocks.
function createRandom(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return { below: (limit) => next() % limit, bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff) };
}

function slotsOf(random: Random, count: number): readonly { readonly slot: Uint8Array; readonly value: Uint8Array }[] {
  return Array.from({ length: count }, () => ({
    slot: random.bytes(32),
    value: Uint8Array.from([...new Uint8Array(24), ...random.bytes(8)]),
  }));
}

function timeEach(count: number, run: () => void): number {
  const startedMs = cpuMs();
  for (let i = 0; i < count; i++) run();
  return ((cpuMs() - startedMs) * 1_000) / count;
}

// Of this thread: other processes on the machine do not count.
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function folderBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { json: { type: 'boolean' }, accounts: { type: 'string' }, blocks: { type: 'string' }, active: { type: 'string' } },
  });
  const result = await runTreeBench({
    accounts: Number(values.accounts ?? 100_000),
    blocks: Number(values.blocks ?? 40),
    active: Number(values.active ?? 10_000),
  });
  if (values.json) console.log(JSON.stringify(result));
  else for (const [name, value] of Object.entries(result)) console.log(name.padEnd(34), Number(value).toFixed(2));
}
