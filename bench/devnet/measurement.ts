// What the benchmarks of whole devnets share: what a window of a run cost and how long it took, where the senders stand, whether all nodes
// came to the same end, and where the report goes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Devnet } from '../../test/system/devnet-fixture.ts';
import type { RpcClient } from './json-rpc-client.ts';
import { type ResourceReading, readResources } from './resource-use.ts';
import type { Sender } from './transactions.ts';

/** In milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** What the nodes used in a window. */
export interface ResourceFigures {
  readonly nodes: readonly { readonly cpuPercent: number; readonly residentMiB: number; readonly sentBytesPerTransaction: number }[];
  readonly cpuMsPerTransaction: number;
}

/** Questions asked at once. */
const QUESTIONS_AT_ONCE = 100;

/** Quantiles of these, in any order. */
export function latencyOf(latenciesMs: Iterable<number>): Latency {
  const sorted = Float64Array.from(latenciesMs).sort();
  return { p50: quantile(sorted, 0.5), p90: quantile(sorted, 0.9), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) };
}

/** Every validator's process and metrics. */
export function readAll(devnet: Devnet): Promise<ResourceReading[]> {
  return Promise.all(devnet.validators.map(({ pid }, i) => readResources(pid, metricsUrl(devnet, i))));
}

/** Of a validator. */
export function metricsUrl({ basePort }: Devnet, validator: number): string {
  return `http://127.0.0.1:${basePort + 2_000 + validator}/metrics`;
}

/** Between two readings. */
export function resourceFigures(
  before: readonly ResourceReading[],
  after: readonly ResourceReading[],
  transactions: number,
  seconds: number,
): ResourceFigures {
  const cpuMs = after.map((reading, i) => reading.cpuMs - (before[i]?.cpuMs ?? 0));
  const nodes = after.map((reading, i) => ({
    cpuPercent: round((cpuMs[i] ?? 0) / seconds / 10, 1),
    residentMiB: Math.round(reading.residentMiB),
    sentBytesPerTransaction: Math.round((reading.sentBytes - (before[i]?.sentBytes ?? 0)) / Math.max(1, transactions)),
  }));
  return { nodes, cpuMsPerTransaction: round(cpuMs.reduce((sum, each) => sum + each, 0) / Math.max(1, transactions), 3) };
}

/** After a run some prepared transactions were never sent: the chain says where each sender stands. */
export async function alignNonces(entry: RpcClient, senders: readonly Sender[]): Promise<void> {
  for (let start = 0; start < senders.length; start += QUESTIONS_AT_ONCE) {
    const some = senders.slice(start, start + QUESTIONS_AT_ONCE);
    const nonces = await Promise.all(some.map(({ address }) => entry.call('eth_getTransactionCount', [address, 'pending'])));
    for (const [i, sender] of some.entries()) sender.nonce = Number(nonces[i]);
  }
}

/** Hash and state root of the newest block that all have. */
export async function areStateRootsEqual(nodes: readonly RpcClient[]): Promise<boolean> {
  const heights = await Promise.all(nodes.map(async (node) => Number(await node.call('eth_blockNumber', []))));
  const number = `0x${Math.min(...heights).toString(16)}`;
  const blocks = (await Promise.all(nodes.map((node) => node.call('eth_getBlockByNumber', [number, false])))) as {
    stateRoot: string;
    hash: string;
  }[];
  return new Set(blocks.map(({ stateRoot, hash }) => `${stateRoot} ${hash}`)).size === 1;
}

/** Writes `bench/results/<name>-<time>.json`; the file. */
export function writeReport(name: string, report: object): string {
  const folder = join(import.meta.dirname, '../results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}-${new Date().toISOString().replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
  return file;
}

/** To so many places behind the point. */
export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Progress, beside what the last line of the output is read for. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function quantile(sorted: Float64Array, share: number): number {
  return round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0, 1);
}
