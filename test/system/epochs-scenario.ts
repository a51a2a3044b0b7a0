// Epochs that turn under load while validators die, as one scenario that the test and the soak share: in each epoch one validator of many shards is
// killed with -9 and started again; every transaction that was sent is final in the end, on every validator that follows all shards alike, and all money
// is there. Where committees are smaller than all, the others hold their own shards and no others.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RpcClient } from '../../bench/devnet/json-rpc-client.ts';
import { tailOfLogs } from './devnet-fixture.ts';
import { callsShareOf, EpochsLoad, type LoadFigures } from './epochs-load.ts';
import { heldShardsOf } from './held-shards.ts';
import { storedBalances } from './stored-balances.ts';
import { type ClusterOptions, startCluster, type ValidatorCluster } from './validator-cluster.ts';

/** What was done and checked. */
export interface EpochsReport extends LoadFigures {
  readonly epochs: number;
  readonly killed: number;
  /** View blocks that all validators have alike who follow all shards, compared at the end. */
  readonly blocks: number;
  /** Accounts whose balances were read from a stopped validator's database, to find all money in them. */
  readonly accounts: number;
  /** States of shards on the disks of the others, and how many all of all would be. */
  readonly statesHeld: number;
  readonly statesInAll: number;
  /** Sent, and neither final nor refused. */
  readonly unaccounted: number;
  readonly seconds: number;
  /** Why it ended before its last epoch; absent when all held. */
  readonly brokenPromise?: string;
}

/** What to run. */
export interface EpochsChoice {
  readonly epochs: number;
  readonly cluster: ClusterOptions;
}

const TICK_MS = 100;
const EPOCH_MS_MAX = 180_000;
const SETTLE_MS_MAX = 120_000;
const COMPARED_MAX = 200;
/** Of every load. */
const CALLS_MIN = 0.3;

/** See the file's head. */
export async function runEpochs({ epochs, cluster: options }: EpochsChoice, say: (line: string) => void): Promise<EpochsReport> {
  const startedMs = performance.now();
  const tally = { epochs: 0, killed: 0, blocks: 0, accounts: 0, statesHeld: 0, statesInAll: 0 };
  const cluster = await startCluster(options);
  const load = new EpochsLoad(cluster.senders, cluster.chainId);
  const reportOf = (): EpochsReport => ({
    ...load.figures,
    ...tally,
    unaccounted: load.underWay,
    seconds: Math.round((performance.now() - startedMs) / 1_000),
  });
  try {
    await turnEpochs(cluster, load, epochs, tally, say);
    await settle(cluster, load);
    assert.ok(callsShareOf(load.figures) >= CALLS_MIN, `too few calls and creations: ${JSON.stringify(load.figures)}`);
    tally.blocks = await compareAll(cluster);
    const height = Number(await cluster.rpc(0).call('eth_blockNumber', []));
    tally.accounts = await countMoney(cluster);
    await countStates(cluster, height, tally);
    return reportOf();
  } catch (error) {
    say(tailOfLogs(cluster.folder));
    const kept = mkdtempSync(join(tmpdir(), 'coppice-epochs-failed-'));
    cpSync(cluster.folder, kept, { recursive: true });
    say(`logs and databases are kept in ${kept}`);
    return { ...reportOf(), brokenPromise: error instanceof Error ? error.message : String(error) };
  } finally {
    await cluster.remove();
  }
}

async function turnEpochs(
  cluster: ValidatorCluster,
  load: EpochsLoad,
  epochs: number,
  tally: { epochs: number; killed: number },
  say: (line: string) => void,
): Promise<void> {
  let epoch = await epochOf(cluster);
  const first = epoch;
  let restart: Promise<void> = Promise.resolve();
  let enteredMs = performance.now();
  for (let tick = 0; tally.epochs < epochs; tick++) {
    const entry = upFrom(cluster, tick);
    // A node may die under its client: that is the test.
    await load.send(cluster.rpc(entry)).catch(() => undefined);
    const reader = cluster.whole.find((each) => cluster.isRunning(each));
    if (tick % 5 === 0 && reader !== undefined) await load.follow(cluster.rpc(reader)).catch(() => undefined);
    const now = await epochOf(cluster).catch(() => epoch);
    if (now > epoch) {
      await restart;
      tally.epochs = now - first;
      say(
        `epoch ${now} after ${Math.round((performance.now() - enteredMs) / 100) / 10} s, ${load.figures.sent} sent, ${load.underWay} under way`,
      );
      epoch = now;
      enteredMs = performance.now();
      const victim = now % cluster.size;
      await cluster.kill(victim);
      tally.killed++;
      restart = sleep(1_000).then(() => cluster.start(victim));
    }
    if (performance.now() - enteredMs > EPOCH_MS_MAX) throw new Error(`epoch ${epoch} has not ended after ${EPOCH_MS_MAX / 1_000} s`);
    await sleep(TICK_MS);
  }
  await restart;
}

// Every transaction that was sent becomes final.
async function settle(cluster: ValidatorCluster, load: EpochsLoad): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_MS_MAX;
  while (load.underWay > 0) {
    if (performance.now() > deadlineMs) throw new Error(`${load.underWay} transactions are not final after ${SETTLE_MS_MAX / 1_000} s`);
    await load.follow(cluster.rpc(0));
    await sleep(TICK_MS);
  }
}

// The newest blocks that all have.
async function compareAll(cluster: ValidatorCluster): Promise<number> {
  const all = cluster.whole.map((validator) => cluster.rpc(validator));
  const target = Number(await all[0]?.call('eth_blockNumber', []));
  const deadlineMs = performance.now() + SETTLE_MS_MAX;
  for (const rpc of all)
    while (Number(await rpc.call('eth_blockNumber', [])) < target) {
      if (performance.now() > deadlineMs) throw new Error(`${rpc.url} stays behind block ${target}`);
      await sleep(TICK_MS);
    }
  const from = Math.max(0, target - COMPARED_MAX + 1);
  for (let number = from; number <= target; number++) {
    const blocks = await Promise.all(all.map((rpc) => rpc.call('eth_getBlockByNumber', [`0x${number.toString(16)}`, false])));
    for (const block of blocks) assert.deepEqual(block, blocks[0], `block ${number}`);
  }
  return target - from + 1;
}

// To the wei, once everything has arrived: what accounts hold is read leaf by leaf from a database, since of its sums a node gives balances as what the
// others leave; what was burned, is owed and is staked is the beacon's.
async function countMoney(cluster: ValidatorCluster): Promise<number> {
  const rpc = cluster.rpc(0);
  const deadlineMs = performance.now() + SETTLE_MS_MAX;
  let supply = await supplyAt(rpc);
  while (supply.undeliveredValue + supply.undeliveredPriorityFees > 0n) {
    if (performance.now() > deadlineMs) throw new Error(`${supply.undeliveredValue} wei have not arrived after ${SETTLE_MS_MAX / 1_000} s`);
    await sleep(TICK_MS);
    supply = await supplyAt(rpc);
  }
  const { shards } = (await rpc.call('coppice_getLayout', [])) as { readonly shards: readonly string[] };
  for (let validator = 0; validator < cluster.size; validator++) await cluster.kill(validator);
  const { sumWei, accounts } = await storedBalances(cluster.dataDirOf(0), shards.map(Number));
  assert.equal(sumWei + supply.stake + supply.accruedRewards + supply.burned, supply.genesisSupply + supply.issuedRewards);
  return accounts;
}

type SupplyTerm =
  | 'genesisSupply'
  | 'issuedRewards'
  | 'stake'
  | 'accruedRewards'
  | 'burned'
  | 'undeliveredValue'
  | 'undeliveredPriorityFees';

async function supplyAt(rpc: RpcClient): Promise<Readonly<Record<SupplyTerm, bigint>>> {
  const {
    blockNumber: _number,
    blockHash: _hash,
    ...terms
  } = (await rpc.call('coppice_getSupply', [])) as Readonly<Record<string, string>>;
  return Object.fromEntries(Object.entries(terms).map(([term, wei]) => [term, BigInt(wei)])) as Readonly<Record<SupplyTerm, bigint>>;
}

// Of validators that follow their own shards, and have stopped: they hold what they may.
async function countStates(cluster: ValidatorCluster, height: number, tally: { statesHeld: number; statesInAll: number }): Promise<void> {
  const others = Array.from({ length: cluster.size }, (_unused, validator) => validator).filter((each) => !cluster.whole.includes(each));
  for (const validator of others) {
    const { shards, held, allowed } = await heldShardsOf(cluster.dataDirOf(validator), validator, height);
    for (const shard of held)
      assert.ok(allowed.has(shard), `validator ${validator} holds shard ${shard}, and may hold ${[...allowed].join(', ')}`);
    tally.statesHeld += held.length;
    tally.statesInAll += shards.length;
  }
}

async function epochOf(cluster: ValidatorCluster): Promise<number> {
  const layout = (await cluster.rpc(upFrom(cluster, 0)).call('coppice_getLayout', [])) as { readonly epoch: string };
  return Number(layout.epoch);
}

function upFrom(cluster: ValidatorCluster, tick: number): number {
  const found = Array.from({ length: cluster.size }, (_unused, offset) => (tick + offset) % cluster.size).find((each) =>
    cluster.isRunning(each),
  );
  assert.ok(found !== undefined, 'a validator runs');
  return found;
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
