// npm run bench:shards: what shards give and what crossing between them costs, measured from outside on devnets of processes of this machine: for
// each number of shards the latency of transfers within a shard and across, step by step, and the throughput at several shares of transfers
// that cross. All validators run all shards on the same cores here, so more shards can be no faster: what it shows is what they cost.
import { parseArgs } from 'node:util';
import { mnemonicAccounts } from '../../src/cli/mnemonic-accounts.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { installHashtree } from '../../src/runtime/native/ssz-hashtree.ts';
import { type Devnet, startDevnet } from '../../test/system/devnet-fixture.ts';
import { type FinalityWatch, watchFinality } from '../devnet/finality-watch.ts';
import { connectRpc, type RpcClient } from '../devnet/json-rpc-client.ts';
import { drain, runClosed, TransactionSource } from '../devnet/load-loops.ts';
import {
  alignNonces,
  areStateRootsEqual,
  type Latency,
  latencyOf,
  type ResourceFigures,
  readAll,
  resourceFigures,
  round,
  say,
  writeReport,
} from '../devnet/measurement.ts';
import { describeHardware } from '../devnet/resource-use.ts';
import { type SentTransfer, sendOneByOne } from './one-by-one.ts';
import { STEP_NAMES, STEPS, type Step, stepsOf } from './steps.ts';
import { readBlockTimes } from './stored-blocks.ts';
import { placeAccounts, type ShardAccounts, signTransfers } from './transfer-mix.ts';

const USAGE = `usage: npm run bench:shards -- [options]

  --shards 1,2,4           powers of two up to 16; the first without crossing is what the others are held against
  --cross 0,20,50,100      of a hundred transfers so many go to another shard
  --seconds 10             of each closed loop, after --warm-up seconds
  --warm-up 5
  --in-flight 2000         transactions under way in the closed loop
  --unloaded 20            transfers one by one, as many within a shard as across
  --validators 4
  --senders 256            in each shard
  --accounts 4000          funded, shared among the shards by their places
  --prepared 3500          transactions prepared a second of the closed loop
  --json                   print the JSON as the last line`;

const { values } = parseArgs({
  options: {
    shards: { type: 'string', default: '1,2,4' },
    cross: { type: 'string', default: '0,20,50,100' },
    seconds: { type: 'string', default: '10' },
    'warm-up': { type: 'string', default: '5' },
    'in-flight': { type: 'string', default: '2000' },
    unloaded: { type: 'string', default: '20' },
    validators: { type: 'string', default: '4' },
    senders: { type: 'string', default: '256' },
    accounts: { type: 'string', default: '4000' },
    prepared: { type: 'string', default: '3500' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

interface Unloaded {
  readonly shards: number;
  readonly way: 'same shard' | 'other shard';
  readonly transfers: number;
  readonly latencyMs: Latency;
  readonly stepsMs: Readonly<Partial<Record<Step, Latency>>>;
}

interface Throughput extends ResourceFigures {
  readonly shards: number;
  readonly crossPercent: number;
  readonly seconds: number;
  readonly transactions: number;
  readonly perSecond: number;
  readonly ofBaseline: number;
  readonly latencyMs: Latency;
  readonly receiptsFailed: number;
  readonly refusals: Readonly<Record<string, number>>;
  /** Transactions that were sent again since they were not final after a while. */
  readonly resent: number;
  readonly notFinal: number;
  readonly generatorCpuPercent: number;
}

const RECIPIENTS_EACH = 64;
const WARM_UP_TRANSFERS = 4;
const { secp256k1 } = selectCrypto({ disableNative: false });

if (values.help) console.log(USAGE);
else await main();

async function main(): Promise<void> {
  await initialiseKeccak();
  await installHashtree({ disableNative: false });
  const unloaded: Unloaded[] = [];
  const throughput: Throughput[] = [];
  let areAllEqual = true;
  for (const shards of values.shards.split(',').map(Number)) {
    say(`starting ${values.validators} validators, ${shards} shards`);
    const devnet = await startDevnet({ validators: Number(values.validators), shards, loadAccounts: Number(values.accounts) });
    try {
      const sent = await measureShards(devnet, shards, throughput);
      areAllEqual &&= sent.areEqual;
      await devnet.stop();
      unloaded.push(...(await tellSteps(devnet, shards, sent)));
    } finally {
      await devnet.remove();
    }
  }
  const report = {
    at: new Date().toISOString(),
    hardware: describeHardware(),
    options: values,
    unloaded,
    throughput,
    stateRootsEqual: areAllEqual,
  };
  say(`written to ${writeReport('shards', report)}`);
  if (values.json) console.log(JSON.stringify(report));
  if (!areAllEqual || throughput.some(({ receiptsFailed, notFinal }) => receiptsFailed + notFinal > 0)) process.exitCode = 1;
}

interface SentOneByOne {
  readonly same: readonly SentTransfer[];
  readonly across: readonly SentTransfer[];
  readonly areEqual: boolean;
}

async function measureShards(devnet: Devnet, shards: number, throughput: Throughput[]): Promise<SentOneByOne> {
  const nodes = devnet.rpc.map(connectRpc);
  const [entry, other, third] = nodes as [RpcClient, RpcClient, RpcClient | undefined];
  const watch = await watchFinality(other, third ?? other);
  try {
    const { shards: layout } = (await entry.call('coppice_getLayout', [])) as { readonly shards: readonly string[] };
    const all = mnemonicAccounts(1, 0, Number(values.accounts), secp256k1);
    const accounts = placeAccounts(all, layout.map(Number), Number(values.senders), RECIPIENTS_EACH);
    const chainId = Number(devnet.chainId);
    const oneByOne = async (crossPercent: number): Promise<readonly SentTransfer[]> => {
      await align(entry, accounts);
      const signed = signTransfers(WARM_UP_TRANSFERS + Number(values.unloaded), accounts, crossPercent, chainId, secp256k1);
      return (await sendOneByOne(entry, watch, signed)).slice(WARM_UP_TRANSFERS);
    };
    const same = await oneByOne(0);
    const across = shards === 1 ? [] : await oneByOne(100);
    for (const crossPercent of shards === 1 ? [0] : values.cross.split(',').map(Number)) {
      const before = throughput[0];
      const figures = await measureClosed({ devnet, entry, watch, accounts, chainId, crossPercent });
      const ofBaseline = round(figures.perSecond / (before?.perSecond ?? figures.perSecond), 2);
      throughput.push({ shards, crossPercent, ...figures, ofBaseline });
      say(describeThroughput(throughput.at(-1) as Throughput));
    }
    const areEqual = await areStateRootsEqual(nodes);
    say(`state roots of all nodes are ${areEqual ? 'equal' : 'DIFFERENT'}`);
    return { same, across, areEqual };
  } finally {
    watch.stop();
    for (const node of nodes) node.close();
  }
}

interface ClosedInput {
  readonly devnet: Devnet;
  readonly entry: RpcClient;
  readonly watch: FinalityWatch;
  readonly accounts: readonly ShardAccounts[];
  readonly chainId: number;
  readonly crossPercent: number;
}

async function measureClosed({ devnet, entry, watch, accounts, chainId, crossPercent }: ClosedInput) {
  const seconds = Number(values.seconds);
  const warmUp = Number(values['warm-up']);
  await align(entry, accounts);
  const count = Math.ceil(Number(values.prepared) * (seconds + warmUp)) + Number(values['in-flight']);
  const source = new TransactionSource(signTransfers(count, accounts, crossPercent, chainId, secp256k1));
  await runClosed({ entry, watch }, source, Number(values['in-flight']), warmUp);
  watch.takeWindow();
  const before = await readAll(devnet);
  const ownBefore = process.cpuUsage();
  const startMs = performance.now();
  await runClosed({ entry, watch }, source, Number(values['in-flight']), seconds);
  const elapsedSeconds = (performance.now() - startMs) / 1_000;
  const window = watch.takeWindow();
  const after = await readAll(devnet);
  const own = process.cpuUsage(ownBefore);
  const notFinal = await drain({ entry, watch }, source);
  const late = watch.takeWindow();
  const transactions = window.latenciesMs.length;
  return {
    seconds: round(elapsedSeconds, 1),
    transactions,
    perSecond: round(transactions / elapsedSeconds, 1),
    latencyMs: latencyOf([...window.latenciesMs, ...late.latenciesMs]),
    receiptsFailed: window.receiptsFailed + late.receiptsFailed,
    refusals: Object.fromEntries(source.refusals),
    resent: source.resent,
    notFinal,
    ...resourceFigures(before, after, transactions, elapsedSeconds),
    generatorCpuPercent: round((own.user + own.system) / elapsedSeconds / 10_000, 1),
  };
}

// The devnet has stopped: its blocks say which step took how long.
async function tellSteps(devnet: Devnet, shards: number, { same, across }: SentOneByOne): Promise<Unloaded[]> {
  const times = await readBlockTimes(devnet.validators[1]?.dataDir ?? '');
  const ways = [
    ['same shard', same],
    ['other shard', across],
  ] as const;
  return ways
    .filter(([, sent]) => sent.length > 0)
    .map(([way, sent]) => {
      const all = sent.map((transfer) => {
        const steps = stepsOf(times, transfer);
        if (steps === undefined) throw new Error(`the blocks on disk do not show the way of ${transfer.hash}`);
        return steps;
      });
      const taken = STEPS.filter((step) => all.some((steps) => steps.has(step)));
      const stepsMs = Object.fromEntries(taken.map((step) => [step, latencyOf(all.flatMap((steps) => steps.get(step) ?? []))]));
      const figures = {
        shards,
        way,
        transfers: sent.length,
        latencyMs: latencyOf(sent.map(({ sentAtMs, finalAtMs }) => finalAtMs - sentAtMs)),
        stepsMs,
      };
      say(describeUnloaded(figures));
      return figures;
    });
}

async function align(entry: RpcClient, accounts: readonly ShardAccounts[]): Promise<void> {
  await alignNonces(
    entry,
    accounts.flatMap(({ senders }) => senders),
  );
}

function describeUnloaded({ shards, way, latencyMs: { p50, p90, p99 }, stepsMs }: Unloaded): string {
  const steps = STEPS.flatMap((step) =>
    stepsMs[step] === undefined ? [] : `  ${String(stepsMs[step].p50).padStart(7)} ms  ${STEP_NAMES[step]}`,
  );
  return [`${shards} shards, ${way}, unloaded: sent → final p50 ${p50}, p90 ${p90}, p99 ${p99} ms; of that in the middle`, ...steps].join(
    '\n',
  );
}

function describeThroughput(figures: Throughput): string {
  const { shards, crossPercent, perSecond, ofBaseline, latencyMs, cpuMsPerTransaction, notFinal, refusals, nodes, generatorCpuPercent } =
    figures;
  const busy = round(
    nodes.reduce((sum, { cpuPercent }) => sum + cpuPercent, 0),
    0,
  );
  const trouble = Object.keys(refusals).length + notFinal > 0 ? `; refused ${JSON.stringify(refusals)}, not final ${notFinal}` : '';
  return `${shards} shards, ${crossPercent} % across: ${perSecond} a second (${ofBaseline} of the baseline); finality p50 ${latencyMs.p50}, p99 ${latencyMs.p99} ms; ${cpuMsPerTransaction} ms CPU a transaction, all nodes; ${busy} % of a core in nodes, ${generatorCpuPercent} % in the generator${trouble}`;
}
