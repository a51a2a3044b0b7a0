// What nodes say of themselves while the load runs: fees of each shard, and everything in them that could grow.
import type { ChainId } from '../../src/core/primitives/ids.ts';
import { TRANSACTION_GAS } from '../../src/core/protocol/gas.ts';
import { UNANCHORED_BLOCKS_MAX } from '../../src/core/protocol/limits.ts';
import { DEFAULT_LIMITS } from '../../src/network/limits.ts';
import { BLOCKS_HELD_MAX } from '../../src/runtime/chain-blocks.ts';
import { MAILBOX_MAX } from '../../src/runtime/chain-runner.ts';
import { WAITING_COMMITS_MAX } from '../../src/runtime/commit-writer.ts';

/** What operators give a process (docs/operators.md). */
const MEMORY_BYTES_MAX = 2 * 2 ** 30;

/** Gauges of a node, as its metrics page has them. */
export interface NodeGauges {
  readonly baseFeeGwei: ReadonlyMap<ChainId, number>;
  readonly queues: Readonly<Record<QueueGauge, number>>;
}

/** Gauges of what waits: where there is one for each chain, the greatest. */
export const QUEUE_GAUGES = [
  'coppice_mempool_transactions',
  'coppice_mempool_bytes',
  'coppice_transactions_in_flight',
  'coppice_blocks_held',
  'coppice_mailbox_events',
  'coppice_commits_waiting',
  'coppice_network_send_queue_bytes',
  'process_resident_memory_bytes',
] as const;
export type QueueGauge = (typeof QUEUE_GAUGES)[number];

/** The greatest that each may be in a node of so many peers: by the rules of the node, or what it is given. */
export function queueBounds(given: {
  readonly peers: number;
  readonly shards: number;
  readonly poolTransactions: number;
  readonly poolBytes: number;
  readonly blockGasLimit: number;
  readonly backlogGas: number;
}): Readonly<Record<QueueGauge, number>> {
  const { peers, shards, poolTransactions, poolBytes, blockGasLimit, backlogGas } = given;
  const unshownGas = shards * (UNANCHORED_BLOCKS_MAX * blockGasLimit + backlogGas);
  return {
    // Shares of shards are rounded up.
    coppice_mempool_transactions: poolTransactions + shards,
    coppice_mempool_bytes: poolBytes + shards,
    coppice_transactions_in_flight: Math.ceil(unshownGas / TRANSACTION_GAS),
    coppice_blocks_held: BLOCKS_HELD_MAX,
    coppice_mailbox_events: MAILBOX_MAX,
    coppice_commits_waiting: WAITING_COMMITS_MAX,
    coppice_network_send_queue_bytes: peers * DEFAULT_LIMITS.gossipSendBufferBytesMax,
    process_resident_memory_bytes: MEMORY_BYTES_MAX,
  };
}

/** Reads a metrics page. */
export async function readGauges(url: string): Promise<NodeGauges> {
  return parseGauges(await (await fetch(url)).text());
}

/** The gauges in the text of a metrics page. */
export function parseGauges(page: string): NodeGauges {
  const rows = page.split('\n').flatMap((line) => {
    const match = /^(\w+)(?:\{([^}]*)\})? (\S+)$/.exec(line);
    return match === null ? [] : [{ name: match[1], labels: match[2] ?? '', value: Number(match[3]) }];
  });
  const chainOf = (labels: string): ChainId => Number(/chain="(\d+)"/.exec(labels)?.[1] ?? 0);
  const fees = rows
    .filter(({ name }) => name === 'coppice_base_fee_wei')
    .map(({ labels, value }) => [chainOf(labels), value / 1e9] as const);
  const greatest = (gauge: QueueGauge): number => Math.max(0, ...rows.filter(({ name }) => name === gauge).map(({ value }) => value));
  return {
    baseFeeGwei: new Map(fees),
    queues: Object.fromEntries(QUEUE_GAUGES.map((gauge) => [gauge, greatest(gauge)])) as Record<QueueGauge, number>,
  };
}

/** The greater of each. */
export function greatestOf(a: NodeGauges['queues'], b: NodeGauges['queues']): NodeGauges['queues'] {
  return Object.fromEntries(QUEUE_GAUGES.map((gauge) => [gauge, Math.max(a[gauge], b[gauge])])) as Record<QueueGauge, number>;
}
