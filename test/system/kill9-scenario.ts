// What `kill -9` must not break, as one scenario that the test and the soak share. Under load, a round
//   1. kills one validator: the others go on; it is started again, catches up, and votes: with another one killed, the chain goes on
//      only by its votes;
//   2. kills all four at once and starts them: every block that was final is there with the same hash and the same transactions, on
//      every node, and the chain goes on.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RpcClient } from '../../bench/devnet/json-rpc-client.ts';
import { tailOfLogs } from './devnet-fixture.ts';
import { callsShareOf, EpochsLoad } from './epochs-load.ts';
import { compareFinal, type FinalBlock, type FinalReader } from './final-blocks.ts';
import { type ClusterOptions, startCluster, type ValidatorCluster } from './validator-cluster.ts';

/** What was done and checked, as far as it came. */
export interface KillReport {
  /** Whole rounds, to their end. */
  readonly rounds: number;
  readonly killedAlone: number;
  readonly killedTogether: number;
  /** Compared on every validator after the last time that all were killed. */
  readonly blocksCompared: number;
  readonly transactionsCompared: number;
  readonly receiptsCompared: number;
  /** Final blocks and receipts that a validator no longer had, or had otherwise: all of them, counted at each validator. */
  readonly lost: number;
  /** Transactions that nodes took, and of these the calls of contracts that send on, to accounts and to one that takes nothing, and creations. */
  readonly sent: number;
  readonly callsAndCreations: number;
  /** Why it ended before its last round; absent when all rounds held. */
  readonly failed?: string;
}

type Tally = { -readonly [F in Exclude<keyof KillReport, 'failed'>]: number };

const GO_ON_BLOCKS = 3;
const GO_ON_MS_MAX = 60_000;
/** A transaction of each of ten senders each time: load enough that blocks are never empty for long, and not what most of the processor goes into. */
const LOAD_TICK_MS = 150;
/** Receipts are asked for every so many ticks. */
const FOLLOW_TICKS = 4;
const POLL_MS = 50;
/** Of every load. */
const CALLS_MIN = 0.3;
const ROUND_LOAD_MS = 1_500;
const RECEIPTS_CHECKED = 50;

/** Runs the rounds, saying each step to `say`, until the first broken promise; the report says which it was. */
export async function runKillRounds(rounds: number, options: ClusterOptions, say: (line: string) => void): Promise<KillReport> {
  const tally: Tally = {
    rounds: 0,
    killedAlone: 0,
    killedTogether: 0,
    blocksCompared: 0,
    transactionsCompared: 0,
    receiptsCompared: 0,
    lost: 0,
    sent: 0,
    callsAndCreations: 0,
  };
  try {
    const cluster = await startCluster(options);
    const load = startLoad(cluster);
    try {
      await killAgainAndAgain(cluster, rounds, tally, say);
      assert.ok(callsShareOf(load.figures) >= CALLS_MIN, `too few calls and creations: ${JSON.stringify(load.figures)}`);
    } catch (error) {
      await keepTraces(cluster, say);
      throw error;
    } finally {
      await load.stop();
      const { sent, calls, creations } = load.figures;
      [tally.sent, tally.callsAndCreations] = [sent, calls + creations];
      await cluster.remove();
    }
    return tally;
  } catch (error) {
    return { ...tally, failed: error instanceof Error ? error.message : String(error) };
  }
}

async function killAgainAndAgain(cluster: ValidatorCluster, rounds: number, tally: Tally, say: (line: string) => void): Promise<void> {
  const seen = new Map<number, FinalBlock>();
  const statuses = new Map<string, string>();
  await goesOn(cluster, [0, 1, 2, 3], 'after the start');
  for (let round = 0; round < rounds; round++) {
    await sleep(ROUND_LOAD_MS);
    const victim = round % cluster.size;
    const other = (victim + 1) % cluster.size;
    const kill = async (validator: number): Promise<void> => {
      await cluster.kill(validator);
      tally.killedAlone++;
    };
    await kill(victim);
    await goesOn(cluster, othersOf(cluster, victim), `without validator ${victim}`);
    await cluster.start(victim);
    await catchesUp(cluster, victim);
    await kill(other);
    await goesOn(cluster, othersOf(cluster, other), `with the votes of validator ${victim}, restarted`);
    await Promise.all([cluster.start(other), recordFinalBlocks(cluster.rpc(victim), seen)]);
    await recordFinalBlocks(cluster.rpc(victim), seen); // Those that became final meanwhile.
    say(`round ${round + 1}: validators ${victim} and ${other} killed and back`);

    await Promise.all([0, 1, 2, 3].map((validator) => cluster.kill(validator)));
    tally.killedTogether += cluster.size;
    await Promise.all([0, 1, 2, 3].map((validator) => cluster.start(validator)));
    await everythingIsThere(cluster, { seen, statuses }, tally);
    await goesOn(cluster, [0, 1, 2, 3], 'after all were killed');
    tally.rounds++;
    const { blocksCompared, transactionsCompared } = tally;
    say(`round ${round + 1}: all killed and back, ${blocksCompared} final blocks with ${transactionsCompared} transactions are there`);
  }
}

async function keepTraces(cluster: ValidatorCluster, say: (line: string) => void): Promise<void> {
  say(tailOfLogs(cluster.folder));
  say(await whereTheyAre(cluster));
  const kept = mkdtempSync(join(tmpdir(), 'coppice-kill9-failed-'));
  cpSync(cluster.folder, kept, { recursive: true });
  say(`logs and databases are kept in ${kept}`);
}

// What each validator that runs knows: a stalled chain looks otherwise than one validator that is behind.
async function whereTheyAre(cluster: ValidatorCluster): Promise<string> {
  const heads = [0, 1, 2, 3].map(async (validator) => {
    if (!cluster.isRunning(validator)) return `validator ${validator} does not run`;
    const head = await cluster.rpc(validator).call('coppice_getShardHead', ['0x1']).catch(String);
    return `validator ${validator}: ${JSON.stringify(head)}`;
  });
  return (await Promise.all(heads)).join('\n');
}

// The chain makes blocks, and everyone in `validators` sees them.
async function goesOn(cluster: ValidatorCluster, validators: readonly number[], when: string): Promise<void> {
  const first = validators[0] as number;
  const target = (await heightOf(cluster.rpc(first))) + GO_ON_BLOCKS;
  for (const validator of validators) {
    await until(async () => (await heightOf(cluster.rpc(validator))) >= target, `validator ${validator} to see block ${target} ${when}`);
  }
}

async function catchesUp(cluster: ValidatorCluster, validator: number): Promise<void> {
  const target = Math.max(...(await Promise.all(othersOf(cluster, validator).map((each) => heightOf(cluster.rpc(each))))));
  await until(async () => (await heightOf(cluster.rpc(validator))) >= target, `validator ${validator} to catch up to block ${target}`);
}

async function recordFinalBlocks(rpc: RpcClient, seen: Map<number, FinalBlock>): Promise<void> {
  const head = await heightOf(rpc);
  for (let number = seen.size; number <= head; number++) seen.set(number, await blockAt(rpc, number));
}

// Every block on every node; receipts of the newest transactions on all of them too. All nodes are looked at before it fails: the
// number of losses is of all.
async function everythingIsThere(
  cluster: ValidatorCluster,
  { seen, statuses }: { readonly seen: ReadonlyMap<number, FinalBlock>; readonly statuses: Map<string, string> },
  tally: Tally,
): Promise<void> {
  const newest = Math.max(...seen.keys());
  const losses: string[] = [];
  const counts: Record<'blocks' | 'transactions' | 'receipts', number[]> = { blocks: [], transactions: [], receipts: [] };
  const compareAt = async (validator: number): Promise<void> => {
    const rpc = cluster.rpc(validator);
    // A node that stays behind has lost what is missing: the comparison says how much.
    await until(async () => (await heightOf(rpc)) >= newest, `validator ${validator} to have block ${newest} again`).catch(() => undefined);
    const compared = await compareFinal(seen, readerOf(rpc), RECEIPTS_CHECKED, statuses);
    for (const count of ['blocks', 'transactions', 'receipts'] as const) counts[count].push(compared[count]);
    tally.lost += compared.lost;
    losses.push(...compared.losses.map((loss) => `validator ${validator}: ${loss}`));
  };
  await Promise.all(Array.from({ length: cluster.size }, (_unused, validator) => compareAt(validator)));
  tally.blocksCompared = Math.min(...counts.blocks);
  tally.transactionsCompared = Math.min(...counts.transactions);
  tally.receiptsCompared = Math.min(...counts.receipts);
  if (losses.length > 0) throw new Error(`${tally.lost} final blocks and receipts were lost, first ${losses.join('; ')}`);
}

function readerOf(rpc: RpcClient): FinalReader {
  return {
    block: (number) => findBlock(rpc, number),
    receipt: async (hash) =>
      ((await rpc.call('eth_getTransactionReceipt', [hash])) as { blockHash: string; status: string } | null) ?? undefined,
  };
}

// From ten accounts through any node that is up. A mempool does not survive kill -9: what is not final after a while is sent again.
function startLoad({ senders, chainId, size, isRunning, rpc }: ValidatorCluster): EpochsLoad & { stop(): Promise<void> } {
  const load = new EpochsLoad(senders, chainId);
  let stopped = false;
  const run = async (): Promise<void> => {
    for (let tick = 0; !stopped; tick++) {
      const entry = [0, 1, 2, 3].map((offset) => (tick + offset) % size).find(isRunning);
      if (entry !== undefined) {
        // The entry may die under it: that is the test.
        await load.send(rpc(entry)).catch(() => undefined);
        if (tick % FOLLOW_TICKS === 0) await load.follow(rpc(entry)).catch(() => undefined);
      }
      await sleep(LOAD_TICK_MS);
    }
  };
  const running = run();
  return Object.assign(load, {
    async stop() {
      stopped = true;
      await running;
    },
  });
}

async function blockAt(rpc: RpcClient, number: number): Promise<FinalBlock> {
  const block = await findBlock(rpc, number);
  assert.ok(block !== undefined, `${rpc.url} has no block ${number}`);
  return block;
}

async function findBlock(rpc: RpcClient, number: number): Promise<FinalBlock | undefined> {
  const block = (await rpc.call('eth_getBlockByNumber', [`0x${number.toString(16)}`, false])) as FinalBlock | null;
  return block === null ? undefined : { hash: block.hash, stateRoot: block.stateRoot, transactions: block.transactions };
}

async function heightOf(rpc: RpcClient): Promise<number> {
  return Number(await rpc.call('eth_blockNumber', []));
}

function othersOf(cluster: ValidatorCluster, validator: number): readonly number[] {
  return [0, 1, 2, 3].slice(0, cluster.size).filter((each) => each !== validator);
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + GO_ON_MS_MAX;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > deadlineMs) throw new Error(`waited ${GO_ON_MS_MAX / 1_000} s for ${what}`);
    await sleep(POLL_MS);
  }
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
