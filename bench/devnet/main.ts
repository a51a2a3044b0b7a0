// npm run bench:devnet: the whole of it, measured from outside. Starts a devnet of processes on this machine, loads it through one
// node, and watches two others for finality; the load generator shares the cores. Prints a table, writes JSON.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mnemonicAccounts } from '../../src/cli/mnemonic-accounts.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { hex } from '../../src/core/primitives/bytes.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { type Devnet, startDevnet } from '../../test/system/devnet-fixture.ts';
import { measureHardhatNode } from './baseline.ts';
import { watchFinality } from './finality-watch.ts';
import { connectRpc, type RpcClient } from './json-rpc-client.ts';
import { drain, type LoadTarget, runClosed, runOneByOne, runOpen, SourceRanOut, TransactionSource } from './load-loops.ts';
import { compileLoadToken, encodeGive, GIVE_MAX } from './load-token.ts';
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
} from './measurement.ts';
import { describeHardware, readResources } from './resource-use.ts';
import { type Sender, signMany, signNext, type TransactionShape, tokenTransferTo, transferTo } from './transactions.ts';

const USAGE = `usage: npm run bench:devnet -- [options]

  --kinds transfer,erc20   what to send (both)
  --loops unloaded,closed,open   how (all; open runs at half of what closed reached)
  --seconds 60             of each measurement, after --warm-up seconds
  --warm-up 30
  --in-flight 6000         transactions under way in the closed loop
  --rate 0                 transactions a second of the open loop; 0: half of the closed loop's result
  --accounts 100000        funded accounts
  --senders 1000           of them; the first
  --recipients 1000       of them; the last, or with 0 all
  --validators 4
  --data-dir <folder>      keep the network there and use it again
  --prepared 3500          transactions prepared a second of the closed loop for transfers; a third of it for ERC-20
  --baseline-seconds 10    before it, plain transfers on Hardhat's node for this long, to compare machines; 0: none
  --json                   print the JSON as the last line`;

const { values } = parseArgs({
  options: {
    kinds: { type: 'string', default: 'transfer,erc20' },
    loops: { type: 'string', default: 'unloaded,closed,open' },
    seconds: { type: 'string', default: '60' },
    'warm-up': { type: 'string', default: '30' },
    'in-flight': { type: 'string', default: '6000' },
    rate: { type: 'string', default: '0' },
    accounts: { type: 'string', default: '100000' },
    senders: { type: 'string', default: '1000' },
    recipients: { type: 'string', default: '1000' },
    validators: { type: 'string', default: '4' },
    'data-dir': { type: 'string' },
    prepared: { type: 'string', default: '3500' },
    'baseline-seconds': { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

type Kind = 'transfer' | 'erc20';
type Loop = 'unloaded' | 'closed' | 'open';

interface Measurement extends ResourceFigures {
  readonly kind: Kind;
  readonly loop: Loop;
  readonly seconds: number;
  readonly transactions: number;
  readonly perSecond: number;
  readonly latencyMs: Latency;
  readonly blocks: number;
  readonly receiptsRead: number;
  readonly receiptsFailed: number;
  readonly notFinal: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly generatorCpuPercent: number;
}

const UNLOADED_TRANSACTIONS = 100;
const BASELINE_WARM_UP_SECONDS = 5;
/** What reading the genesis took is given back by then. */
const IDLE_SECONDS = 30;
const TOKENS_EACH = 10n ** 18n;
const { secp256k1 } = selectCrypto({ disableNative: false });

if (values.help) console.log(USAGE);
else
  await main().catch((error: unknown) => {
    if (!(error instanceof SourceRanOut)) throw error;
    say(`bench:devnet: ${error.message}`);
    process.exitCode = 1;
  });

async function main(): Promise<void> {
  await initialiseKeccak();
  const baselinePerSecond = await measureBaseline();
  const folder = values['data-dir'] ?? mkdtempSync(join(tmpdir(), 'coppice-bench-'));
  mkdirSync(folder, { recursive: true });
  say(`starting ${values.validators} validators, ${values.accounts} funded accounts`);
  const devnet = await startDevnet({ folder, validators: Number(values.validators), loadAccounts: Number(values.accounts) });
  try {
    const report = { baselinePerSecond, ...(await measureAll(devnet, baselinePerSecond)) };
    const file = writeReport('devnet', report);
    say(`written to ${file}`);
    if (values.json) console.log(JSON.stringify(report));
    if (!report.stateRootsEqual || report.measurements.some(({ receiptsFailed, notFinal }) => receiptsFailed + notFinal > 0))
      process.exitCode = 1;
  } finally {
    await devnet.stop();
    if (values['data-dir'] === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

// Nobody else has the machine meanwhile: the devnet starts afterwards.
async function measureBaseline(): Promise<number | undefined> {
  const seconds = Number(values['baseline-seconds']);
  if (seconds === 0) return undefined;
  const perSecond = round(await measureHardhatNode(secp256k1, BASELINE_WARM_UP_SECONDS, seconds), 1);
  say(`baseline: Hardhat's node, one process without consensus: ${perSecond} transfers a second`);
  return perSecond;
}

async function measureAll(devnet: Devnet, baselinePerSecond: number | undefined) {
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1_000));
  const idle = await readAll(devnet);
  say(`idle for ${IDLE_SECONDS} s: ${idle.map(({ residentMiB }) => `${Math.round(residentMiB)} MiB`).join(', ')}`);
  const nodes = devnet.rpc.map(connectRpc);
  const entry = nodes[0] as RpcClient;
  const watch = await watchFinality(nodes[1] as RpcClient, nodes[2] ?? (nodes[1] as RpcClient));
  try {
    return {
      idleResidentMiB: idle.map(({ residentMiB }) => Math.round(residentMiB)),
      ...(await measureLoops(devnet, nodes, { entry, watch }, baselinePerSecond)),
    };
  } finally {
    watch.stop();
    for (const node of nodes) node.close();
  }
}

async function measureLoops(devnet: Devnet, nodes: readonly RpcClient[], target: LoadTarget, baselinePerSecond: number | undefined) {
  const { entry } = target;
  const chainId = Number(devnet.chainId);
  const senders = await prepareSenders(entry);
  const recipients = fundedAddresses(devnet).slice(-Number(values.recipients));
  const measurements: Measurement[] = [];
  for (const kind of values.kinds.split(',') as Kind[]) {
    const shapeFor = kind === 'transfer' ? transferTo : await deployToken(devnet, target, senders, chainId);
    let closedPerSecond = 0;
    for (const loop of values.loops.split(',') as Loop[]) {
      const measurement = await measure({
        devnet,
        target,
        kind,
        loop,
        senders,
        recipients,
        shapeFor,
        chainId,
        closedPerSecond,
      });
      if (loop === 'closed') closedPerSecond = measurement.perSecond;
      measurements.push(measurement);
      say(describe(measurement));
      if (kind === 'transfer' && loop === 'closed' && baselinePerSecond !== undefined)
        say(`${round(closedPerSecond / baselinePerSecond, 2)} times the baseline`);
    }
  }
  const stateRootsEqual = await areStateRootsEqual(nodes);
  say(`state roots of all nodes are ${stateRootsEqual ? 'equal' : 'DIFFERENT'}`);
  return {
    at: new Date().toISOString(),
    hardware: describeHardware(),
    options: values,
    measurements,
    stateRootsEqual,
  };
}

interface MeasureInput {
  readonly devnet: Devnet;
  readonly target: LoadTarget;
  readonly kind: Kind;
  readonly loop: Loop;
  readonly senders: readonly Sender[];
  readonly recipients: readonly string[];
  readonly shapeFor: (recipient: string) => TransactionShape;
  readonly chainId: number;
  readonly closedPerSecond: number;
}

async function measure(input: MeasureInput): Promise<Measurement> {
  const { devnet, target, kind, loop, senders, recipients, shapeFor, chainId } = input;
  const seconds = Number(values.seconds);
  const warmUp = Number(values['warm-up']);
  const prepared = Math.ceil(Number(values.prepared) / (kind === 'transfer' ? 1 : 3));
  const rate = Number(values.rate) || Math.max(10, Math.floor(input.closedPerSecond / 2));
  const count =
    loop === 'unloaded' ? UNLOADED_TRANSACTIONS + 10 : Math.ceil((loop === 'open' ? rate * 1.05 : prepared) * (seconds + warmUp));
  await alignNonces(target.entry, senders);
  say(`${kind}, ${loop}: signing ${count} transactions`);
  const source = new TransactionSource(signMany(count, senders, recipients, shapeFor, chainId, secp256k1));
  const run = (duration: number, isWarmUp: boolean): Promise<void> => {
    if (loop === 'unloaded') return runOneByOne(target, source, isWarmUp ? 10 : UNLOADED_TRANSACTIONS);
    if (loop === 'closed') return runClosed(target, source, Number(values['in-flight']), duration);
    return runOpen(target, source, rate, duration);
  };
  await run(warmUp, true);
  target.watch.takeWindow();
  const before = await readAll(devnet);
  const generatorBefore = await readResources(process.pid, undefined);
  const startMs = performance.now();
  await run(seconds, false);
  const elapsedSeconds = (performance.now() - startMs) / 1_000;
  const finalInTime = target.watch.takeWindow();
  const after = await readAll(devnet);
  const generatorAfter = await readResources(process.pid, undefined);
  const notFinal = await drain(target, source);
  const late = target.watch.takeWindow();
  const latenciesMs = [...finalInTime.latenciesMs, ...late.latenciesMs];
  const transactions = finalInTime.latenciesMs.length;
  return {
    kind,
    loop,
    seconds: round(elapsedSeconds, 1),
    transactions,
    perSecond: round(transactions / elapsedSeconds, 1),
    latencyMs: latencyOf(latenciesMs),
    blocks: finalInTime.blocks,
    receiptsRead: finalInTime.receiptsRead + late.receiptsRead,
    receiptsFailed: finalInTime.receiptsFailed + late.receiptsFailed,
    notFinal,
    refusals: Object.fromEntries(source.refusals),
    ...resourceFigures(before, after, transactions, elapsedSeconds),
    generatorCpuPercent: round((generatorAfter.cpuMs - generatorBefore.cpuMs) / elapsedSeconds / 10, 1),
  };
}

// The senders are the first of the load accounts; their keys are derived here, their coins are in genesis.
async function prepareSenders(entry: RpcClient): Promise<Sender[]> {
  const accounts = mnemonicAccounts(1, 0, Number(values.senders), secp256k1);
  const senders = accounts.map(({ address, privateKey }) => ({ address, secretKey: hex(privateKey), nonce: 0 }));
  await alignNonces(entry, senders);
  return senders;
}

async function deployToken(devnet: Devnet, target: LoadTarget, senders: readonly Sender[], chainId: number) {
  const { address, privateKey } = devnet.accounts[0] as Devnet['accounts'][number];
  const owner: Sender = {
    address,
    secretKey: hex(privateKey),
    nonce: Number(await target.entry.call('eth_getTransactionCount', [address, 'pending'])),
  };
  const sendOwn = async (shape: TransactionShape): Promise<{ contractAddress: string }> => {
    const { raw, hash } = signNext(owner, shape, chainId, secp256k1);
    await target.entry.call('eth_sendRawTransaction', [raw]);
    for (let attempt = 0; attempt < 1_000; attempt++) {
      const receipt = (await target.entry.call('eth_getTransactionReceipt', [hash])) as { status: string; contractAddress: string } | null;
      if (receipt?.status === '0x1') return receipt;
      if (receipt !== null) throw new Error('a preparing transaction failed');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('a preparing transaction was not included');
  };
  const { contractAddress } = await sendOwn({ to: undefined, valueWei: 0n, gasLimit: 3_000_000, data: compileLoadToken() });
  for (let start = 0; start < senders.length; start += GIVE_MAX) {
    const addresses = senders.slice(start, start + GIVE_MAX).map((sender) => sender.address);
    await sendOwn({ to: contractAddress, valueWei: 0n, gasLimit: 4_000_000, data: encodeGive(addresses, TOKENS_EACH) });
  }
  return (recipient: string): TransactionShape => tokenTransferTo(contractAddress, recipient);
}

function fundedAddresses(devnet: Devnet): string[] {
  const genesis = JSON.parse(readFileSync(join(devnet.validators[0]?.dataDir ?? '', 'genesis.json'), 'utf8')) as {
    accounts: { address: string; code?: string }[];
  };
  return genesis.accounts.filter(({ code }) => code === undefined).map(({ address }) => address);
}

function describe(measurement: Measurement): string {
  const { kind, loop, perSecond, latencyMs, nodes, cpuMsPerTransaction, refusals, notFinal } = measurement;
  const latency = `finality p50 ${latencyMs.p50}, p90 ${latencyMs.p90}, p99 ${latencyMs.p99} ms`;
  const perNode = nodes.map(({ cpuPercent, residentMiB }) => `${cpuPercent} % ${residentMiB} MiB`).join(', ');
  const sent = nodes.reduce((sum, { sentBytesPerTransaction }) => sum + sentBytesPerTransaction, 0);
  const trouble = Object.keys(refusals).length + notFinal > 0 ? `; refused ${JSON.stringify(refusals)}, not final ${notFinal}` : '';
  return `${kind}, ${loop}: ${perSecond} a second; ${latency}; ${cpuMsPerTransaction} ms CPU and ${sent} bytes sent a transaction, all nodes together; nodes: ${perNode}${trouble}`;
}
