// `/metrics` for Prometheus and `/health` for whatever watches the process, on a port of their own.
import Fastify, { type FastifyInstance } from 'fastify';
import { CoppiceError } from '../core/primitives/errors.ts';
import type { Peers } from '../network/ports.ts';
import { WITHOUT_SCHEMAS } from '../rpc/http-server-options.ts';
import type { Clock } from '../runtime/ports.ts';
import type { Node } from './create-node.ts';
import { type Health, type HealthTiming, healthOf } from './health.ts';
import type { NodeMetrics } from './metrics.ts';
import './errors.ts';

/** What is served, and of whom. */
export interface MetricsServerOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: NodeMetrics;
  readonly node: Pick<Node, 'progress' | 'refreshMetrics'>;
  readonly peers: Pick<Peers, 'connected'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly timing: HealthTiming;
}

/** Serves until closed. */
export async function startMetricsServer({
  host,
  port,
  metrics,
  node,
  peers,
  clock,
  timing,
}: MetricsServerOptions): Promise<FastifyInstance> {
  const health = (): Health => healthOf(node.progress(), peers.connected().length, clock.nowMs(), timing);
  const server = Fastify({ ...WITHOUT_SCHEMAS, logger: false, bodyLimit: 1024 });
  server.get('/metrics', async (_request, reply) => {
    node.refreshMetrics();
    metrics.gauge('coppice_healthy', health().healthy ? 1 : 0);
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  server.get('/health', async (_request, reply) => {
    const report = health();
    return reply.code(report.healthy ? 200 : 503).send(report);
  });
  try {
    await server.listen({ host, port });
  } catch (error) {
    throw new CoppiceError('node/cannot-listen', { service: 'metrics', host, port, detail: String(error) }, { cause: error });
  }
  return server;
}
