// npm run bench:hot-shard: one shard of four is offered several times what it can take, on a devnet of processes, and the others are watched: how
// long their transfers take before, during and after, what the hot shard charges, what waits where, and what became of every transaction.
// The gas limit is low, so that executing all that the hot shard takes leaves the machine free: what others notice is then the protocol's doing.
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { mnemonicAccounts } from '../../src/cli/mnemonic-accounts.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { installHashtree } from '../../src/runtime/native/ssz-hashtree.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { type Devnet, startDevnet } from '../../test/system/devnet-fixture.ts';
import { watchFinality } from '../devnet/finality-watch.ts';
import { connectRpc, type RpcClient } from '../devnet/json-rpc-client.ts';
import { drain, TransactionSource } from '../devnet/load-loops.ts';
import { alignNonces, areStateRootsEqual, readAll, round, say, writeReport } from '../devnet/measurement.ts';
import { describeHardware, type ResourceReading } from '../devnet/resource-use.ts';
import type { Sender } from '../devnet/transactions.ts';
import { placeAccounts, type ShardAccounts } from '../shards/transfer-mix.ts';
import { readBacklogs } from './backlogs.ts';
import { meanGas } from './demand.ts';
import { followFinal } from './final-transactions.ts';
import { GaugeLog } from './gauge-log.ts';
import { HotUsers } from './hot-users.ts';
import { Ledger, type LedgerSums } from './ledger.ts';
import { NEIGHBOUR_CALLS_PERCENT, type NeighbourMix, prepareNeighbours } from './neighbour-mix.ts';
import { runNeighbours } from './neighbours.ts';
import { queueBounds } from './node-gauges.ts';
import { prepareSetting, readSettled, type Setting } from './setting.ts';
import { describeVerdicts, verdictsOf } from './verdicts.ts';

const USAGE = `usage: npm run bench:hot-shard -- [options]

  --minutes 10             for which the hot shard is overloaded
  --factor 5               what it is offered, in times of what it can take
  --calm-seconds 60        before it, for comparison; and at least so long after it
  --rate 20                transactions a second of the other shards' users
  --gas-limit 1200000      of a block of every shard, one each --interval ms
  --interval 250
  --users 4000             of the hot shard, with one transaction each at a time
  --accounts 17000         funded, shared among the shards by their places
  --pool 4096              transactions of the mempools of a node, shared among its shards
  --json                   print the JSON as the last line

Says of each figure whether it is what it has to be. Exit code 1 where one is not that does not depend on what else the machine does.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    factor: { type: 'string', default: '5' },
    'calm-seconds': { type: 'string', default: '60' },
    rate: { type: 'string', default: '20' },
    'gas-limit': { type: 'string', default: '1200000' },
    interval: { type: 'string', default: '250' },
    users: { type: 'string', default: '4000' },
    accounts: { type: 'string', default: '17000' },
    pool: { type: 'string', default: '4096' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const SHARDS = 4;
/** What may be on the way to a shard, in inboxes, and one large transaction beside (docs/decisions/018-rations-by-turn.md). */
const INBOXES_QUEUED_MAX = 8;
const SEED = 1;
const SAMPLE_MS = 2_000;
const OTHER_SENDERS = 48;
const RECIPIENTS_EACH = 48;
/** What is left in the pool when the load ends is worked off in this time, and the fee is down again, or something is stuck. */
const DRAIN_MS_MAX = 600_000;
const SETTLE_MS_MAX = 60_000;
/** Of 20 s each, for what is still under way at the end. */
const LATE_WAITS_MAX = 15;
const QUESTIONS_AT_ONCE = 100;
const { secp256k1 } = selectCrypto({ disableNative: false });

if (values.help) console.log(USAGE);
else await main();

async function main(): Promise<void> {
  await initialiseKeccak();
  await installHashtree({ disableNative: false });
  const gasLimit = Number(values['gas-limit']);
  const overrides = {
    blockGasLimit: gasLimit,
    inboxGasShare: gasLimit / 2,
    transactionGasLimitMax: gasLimit / 2,
    blockIntervalMsMin: Number(values.interval),
    mempoolTransactionsMax: Number(values.pool),
  };
  const devnet = await startDevnet({ shards: SHARDS, loadAccounts: Number(values.accounts), overrides });
  try {
    const measured = await measure(devnet);
    await devnet.stop();
    const backlogWeightMax = await readBacklogs(devnet.validators[1]?.dataDir ?? '');
    const backlogWeightBound = INBOXES_QUEUED_MAX * overrides.inboxGasShare + overrides.transactionGasLimitMax;
    const bounds = queueBounds({
      peers: devnet.validators.length - 1,
      shards: SHARDS,
      poolTransactions: overrides.mempoolTransactionsMax,
      poolBytes: readPreset('devnet').mempoolBytesMax,
      blockGasLimit: gasLimit,
      backlogGas: backlogWeightBound,
    });
    const verdicts = verdictsOf({
      ...measured,
      p99Ratio: measured.neighbours.p99Ratio,
      queueBounds: bounds,
      backlogWeightMax,
      backlogWeightBound,
    });
    say(describeVerdicts(verdicts));
    const report = {
      at: new Date().toISOString(),
      hardware: describeHardware(),
      options: values,
      verdicts,
      ...measured,
      queueBounds: bounds,
      backlogWeightMax,
      backlogWeightBound,
    };
    say(`written to ${writeReport('hot-shard', report)}`);
    if (values.json) console.log(JSON.stringify(report));
    if (verdicts.some(({ holds, isOfTime }) => !holds && !isOfTime)) process.exitCode = 1;
  } finally {
    await devnet.remove();
  }
}

async function measure(devnet: Devnet) {
  const nodes = devnet.rpc.map(connectRpc);
  const [entry, second, third] = nodes as [RpcClient, RpcClient, RpcClient];
  const { shards } = (await entry.call('coppice_getLayout', [])) as { readonly shards: readonly string[] };
  const layout = shards.map(Number);
  const all = mnemonicAccounts(1, 0, Number(values.accounts), secp256k1);
  const [hot, ...others] = placeAccounts(all, layout, OTHER_SENDERS, RECIPIENTS_EACH) as [ShardAccounts, ...ShardAccounts[]];
  const [{ senders: users }] = placeAccounts(all, layout, Number(values.users), 0) as [ShardAccounts];
  const chainId = Number(devnet.chainId);
  const [hotOwner, otherOwner] = [users[0], others[0]?.senders[0]] as [Sender, Sender];
  await alignNonces(entry, [...users, ...others.flatMap(({ senders }) => senders)]);
  const random = new SeededRandom(SEED, 'hot-shard');
  const setting = await prepareSetting(entry, { hotOwner, otherOwner, chainId, secp256k1, random });
  const mix = await prepareNeighbours(entry, others, setting, chainId, secp256k1);
  const ledger = new Ledger();
  const hotUsers = new HotUsers({ entry, nodes, users, ledger, signWish: setting.signWish });
  const watch = await watchFinality(second, third);
  const stopFollowing = await followFinal(second, (hashes) => hotUsers.onFinal(hashes));
  const gauges = new GaugeLog(devnet, hot.shard);
  try {
    const perSecond = Number(values.rate);
    const calm = Number(values['calm-seconds']);
    const minutes = Number(values.minutes);
    const capacityGas = (Number(values['gas-limit']) * 1_000) / Number(values.interval);
    const offered = (Number(values.factor) * capacityGas) / meanGas(setting.gasOf);
    const prepared = Math.ceil((2 * calm + 60 * minutes + DRAIN_MS_MAX / 1_000 + 60) * perSecond);
    const source = new TransactionSource(mix.sign(prepared));
    const neighbours = { entry, watch, source, perSecond };
    const until = (seconds: number): (() => boolean) => {
      const endMs = performance.now() + 1_000 * seconds;
      return () => performance.now() >= endMs;
    };
    say(`gas of ${JSON.stringify(setting.gasOf)}; ${round(offered, 1)} transactions a second will be offered to shard ${hot.shard}`);
    await runNeighbours(neighbours, until(Math.min(20, calm)));
    const readings: ResourceReading[][] = [await readAll(devnet)];
    const before = await runNeighbours(neighbours, until(calm));
    readings.push(await readAll(devnet));
    say(`before: ${JSON.stringify(before.latencyMs)}`);
    const looking = lookForGone(hotUsers);
    const loading = hotUsers.offer(offered, 60 * minutes);
    const during = await runNeighbours(neighbours, until(60 * minutes));
    readings.push(await readAll(devnet));
    await loading;
    say(`during: ${JSON.stringify(during.latencyMs)}; ${JSON.stringify(ledger.sums)}`);
    const atEnd = ledger.sums;
    const calmAgain = until(calm);
    const drainedBy = performance.now() + DRAIN_MS_MAX;
    const after = await runNeighbours(
      neighbours,
      () => calmAgain() && ((ledger.sums.underWay === 0 && gauges.isHotCheap()) || performance.now() > drainedBy),
    );
    await looking.stop();
    say(`after: ${JSON.stringify(after.latencyMs)}; ${JSON.stringify(ledger.sums)}`);
    let neighboursNotFinal = await drain({ entry, watch }, source);
    // On a machine that others use as well finality may take minutes: late is not lost.
    for (let waits = 0; neighboursNotFinal > 0 && waits < LATE_WAITS_MAX; waits++)
      neighboursNotFinal = await drain({ entry, watch }, source);
    const settled = await settle(second, setting, ledger, mix);
    const stillKnown = await knownOf(nodes, ledger.goneHashes);
    const supply = (await second.call('coppice_getSupply', [])) as { readonly undeliveredValue: string };
    const figures = gauges.stop();
    const cpu = cpuShares(readings, [calm, 60 * minutes]);
    const sums = ledger.sums;
    const isAllAccounted =
      sums.underWay + neighboursNotFinal + stillKnown + before.receiptsFailed + during.receiptsFailed + after.receiptsFailed === 0 &&
      settled.isComplete &&
      Number(supply.undeliveredValue) === 0;
    const p99Ratio = round(during.latencyMs.p99 / before.latencyMs.p99, 2);
    say(`other shards' p99 during against before: ${p99Ratio}; base fee of the hot shard ${JSON.stringify(figures.hotBaseFeeGwei)} gwei`);
    say(
      `nodes used ${cpu.map((share) => `${share} %`).join(', then ')} of the machine; accounted for: ${isAllAccounted}; ${JSON.stringify(settled)}`,
    );
    return {
      hotShard: hot.shard,
      capacityGasPerSecond: capacityGas,
      offeredPerSecond: round(offered, 1),
      offered: Math.floor(offered * 60 * minutes),
      callsPercent: callsPercentOf(sums, before.transactions + during.transactions + after.transactions),
      unsent: hotUsers.unsent,
      neighbours: { before, during, after, p99Ratio, notFinal: neighboursNotFinal },
      machinePercent: { before: cpu[0], during: cpu[1] },
      atEndOfLoad: atEnd,
      ledger: sums,
      settled,
      undeliveredValueWei: Number(supply.undeliveredValue),
      isAllAccounted,
      ...figures,
      stateRootsEqual: await areStateRootsEqual(nodes),
    };
  } finally {
    gauges.stop();
    watch.stop();
    stopFollowing();
    for (const node of nodes) node.close();
  }
}

// Of everything that was sent, by the neighbours too.
function callsPercentOf({ sent, sentByKind }: LedgerSums, ofNeighbours: number): number {
  const calls = sent - (sentByKind.transfer ?? 0) + (NEIGHBOUR_CALLS_PERCENT / 100) * ofNeighbours;
  return round((100 * calls) / Math.max(1, sent + ofNeighbours), 1);
}

interface Looking {
  stop(): Promise<void>;
}

function lookForGone(users: HotUsers): Looking {
  let isWanted = true;
  const looking = (async () => {
    // A node that is too busy to answer is asked again.
    for (; isWanted; await sleep(SAMPLE_MS)) await users.lookForGone().catch(() => undefined);
  })();
  return {
    stop: () => {
      isWanted = false;
      return looking;
    },
  };
}

// Messages are executed some blocks after what sent them: whoever counts before that misses them.
async function settle(node: RpcClient, setting: Setting, ledger: Ledger, mix: NeighbourMix) {
  const endMs = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const { final, finalByKind } = ledger.sums;
    const settled = await readSettled(node, setting);
    const neighbours = await mix.settled(node);
    const { call = 0, 'bouncing call': bouncingCall = 0, 'creating call': creatingCall = 0, transfer = 0 } = finalByKind;
    const isComplete =
      settled.told === call + bouncingCall + creatingCall &&
      settled.bounced === bouncingCall &&
      neighbours.arrived === neighbours.told &&
      settled.arrived === settled.told &&
      settled.created === creatingCall &&
      settled.receivedWei === transfer + settled.paid - settled.bounced;
    if (isComplete || performance.now() > endMs) return { final, finalByKind, ...settled, neighbours, isComplete };
    await sleep(SAMPLE_MS);
  }
}

// What is gone must be gone: a transaction that some node still has, or shows, was not evicted.
async function knownOf(nodes: readonly RpcClient[], hashes: readonly string[]): Promise<number> {
  let known = 0;
  for (let start = 0; start < hashes.length; start += QUESTIONS_AT_ONCE) {
    const asked = hashes
      .slice(start, start + QUESTIONS_AT_ONCE)
      .flatMap((hash) => nodes.map((node) => node.call('eth_getTransactionByHash', [hash])));
    known += (await Promise.all(asked)).filter((found) => found !== null).length;
  }
  return known;
}

// Of the whole machine, in each span between two readings.
function cpuShares(readings: readonly ResourceReading[][], seconds: readonly number[]): number[] {
  const cores = Number(describeHardware()['cores']);
  const usedMs = readings.map((reading) => reading.reduce((sum, { cpuMs }) => sum + cpuMs, 0));
  return seconds.map((span, i) => round(((usedMs[i + 1] ?? 0) - (usedMs[i] ?? 0)) / (span * cores * 10), 1));
}
