// Prometheus metrics: every name in one table, so that a name means one thing everywhere and docs/operators.md can list them all.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { invariant } from '../core/primitives/errors.ts';
import type { Metrics } from '../runtime/ports.ts';

const LATENCY_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6];

interface MetricRow {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

/** Every metric beside those of the process itself. */
export const METRICS: Readonly<Record<string, MetricRow>> = {
  coppice_committed_height: { kind: 'gauge', help: 'Height of the newest block that is final and on disk', labels: ['chain'] },
  coppice_finalized_height: { kind: 'gauge', help: 'Number of the newest view block that clients see', labels: [] },
  coppice_epoch: { kind: 'gauge', help: 'Epoch of the instance that runs', labels: ['chain'] },
  coppice_round: { kind: 'gauge', help: 'Consensus round', labels: ['chain'] },
  coppice_last_commit_timestamp_seconds: { kind: 'gauge', help: 'When the newest block was committed here', labels: ['chain'] },
  coppice_commit_latency_seconds: { kind: 'histogram', help: 'From a block timestamp to its commit on disk', labels: ['chain'] },
  coppice_block_gas_bought: { kind: 'gauge', help: 'Gas bought in the newest committed block', labels: ['chain'] },
  coppice_block_transactions: { kind: 'gauge', help: 'Transactions in the newest committed block', labels: ['chain'] },
  coppice_transactions_committed_total: { kind: 'counter', help: 'Transactions in committed blocks', labels: ['chain'] },
  coppice_messages_received_total: { kind: 'counter', help: 'Messages of other shards in committed blocks', labels: ['chain'] },
  coppice_base_fee_wei: { kind: 'gauge', help: 'Base fee that the next block pays', labels: ['chain'] },
  coppice_consensus_timeouts_total: { kind: 'counter', help: 'Timeouts that this validator signed', labels: ['chain'] },
  coppice_consensus_reports_total: { kind: 'counter', help: 'Misbehaviour seen by the engine', labels: ['chain', 'report'] },
  coppice_consensus_messages_total: { kind: 'counter', help: 'Consensus messages taken', labels: ['chain', 'kind'] },
  coppice_evidence_total: { kind: 'counter', help: 'Validators newly proved guilty, by kind of evidence', labels: ['chain', 'kind'] },
  coppice_evidence_kept: { kind: 'gauge', help: 'Pieces of evidence that this node keeps', labels: ['chain'] },
  coppice_blocks_refused_total: { kind: 'counter', help: 'Proposed blocks that are not valid', labels: ['chain', 'reason'] },
  coppice_gossip_refused_total: { kind: 'counter', help: 'Gossiped messages not taken', labels: ['kind', 'reason'] },
  coppice_gossip_unheard_total: { kind: 'counter', help: 'Published frames that no peer heard', labels: ['chain'] },
  coppice_transactions_admitted_total: { kind: 'counter', help: 'Transactions taken into the mempool', labels: ['source'] },
  coppice_transactions_refused_total: { kind: 'counter', help: 'Transactions not taken', labels: ['source', 'reason'] },
  coppice_mempool_transactions: { kind: 'gauge', help: 'Transactions in the mempool', labels: [] },
  coppice_bundles_memory_bytes: {
    kind: 'gauge',
    help: 'Messages between shards that are in memory until they are read, in bytes',
    labels: [],
  },
  coppice_crosslinks_kept_bytes: { kind: 'gauge', help: 'Announced crosslinks that wait for a block of the beacon, in bytes', labels: [] },
  coppice_transactions_in_flight: { kind: 'gauge', help: 'Transactions that are charged and not mined yet', labels: [] },
  coppice_mempool_bytes: { kind: 'gauge', help: 'Bytes of transactions in the mempool', labels: [] },
  coppice_blocks_held: { kind: 'gauge', help: 'Blocks above the committed one', labels: ['chain'] },
  coppice_mailbox_events: { kind: 'gauge', help: 'Consensus events that wait', labels: ['chain'] },
  coppice_commits_waiting: { kind: 'gauge', help: 'Commits that wait for execution or disk', labels: ['chain'] },
  coppice_state_oldest_height: { kind: 'gauge', help: 'Oldest block whose state is kept', labels: ['chain'] },
  coppice_state_rows_pruned_total: { kind: 'counter', help: 'Database rows of old states removed', labels: ['chain'] },
  coppice_sync_blocks_total: { kind: 'counter', help: 'Blocks fetched from peers', labels: [] },
  coppice_peers_connected: { kind: 'gauge', help: 'Peers connected', labels: [] },
  coppice_network_received_bytes: { kind: 'gauge', help: 'Application bytes received since the start', labels: [] },
  coppice_network_sent_bytes: { kind: 'gauge', help: 'Application bytes sent since the start', labels: [] },
  coppice_network_refused: { kind: 'gauge', help: 'Inbound frames and connections not taken since the start', labels: ['reason'] },
  coppice_network_misbehaviour: { kind: 'gauge', help: 'Offences of peers since the start', labels: ['reason'] },
  coppice_network_send_queue_bytes: { kind: 'gauge', help: 'Bytes that wait to be sent', labels: [] },
  coppice_rpc_requests_total: { kind: 'counter', help: 'JSON-RPC requests', labels: ['method', 'outcome'] },
  coppice_rpc_request_seconds: { kind: 'histogram', help: 'Time to answer a JSON-RPC request', labels: ['method'] },
  coppice_healthy: { kind: 'gauge', help: '1 when every followed chain moves, and for clients too', labels: [] },
};

/** The metrics of one node. `onScrape` runs before each scrape, to measure what is not counted. */
export interface NodeMetrics extends Metrics {
  readonly registry: Registry;
}

/** Makes a registry with every row of the table. */
export function createMetrics(options: { readonly withProcess: boolean }): NodeMetrics {
  const registry = new Registry();
  if (options.withProcess) collectDefaultMetrics({ register: registry });
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  for (const [name, { kind, help, labels }] of Object.entries(METRICS)) {
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === 'counter') counters.set(name, new Counter(common));
    else if (kind === 'gauge') gauges.set(name, new Gauge(common));
    else histograms.set(name, new Histogram({ ...common, buckets: LATENCY_BUCKETS_SECONDS }));
  }
  return {
    registry,
    count: (name, labels = {}, by = 1) => declared(counters, name).inc(labels, by),
    gauge: (name, value, labels = {}) => declared(gauges, name).set(labels, value),
    observe: (name, value, labels = {}) => declared(histograms, name).observe(labels, value),
  };
}

function declared<T>(table: ReadonlyMap<string, T>, name: string): T {
  const metric = table.get(name);
  invariant(metric !== undefined, `metric ${name} stands in the table`);
  return metric;
}
