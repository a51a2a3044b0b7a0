// `/metrics` for Prometheus and `/health` for whatever watches the process, on a port of their own.
import Fastify, { type FastifyInstance } from 'fastify';
import { CoppiceError } from '../core/primitives/errors.ts';
import type { Health } from './health.ts';
import type { NodeMetrics } from './metrics.ts';
import './errors.ts';

/** Serves until closed. `refresh` measures what is not counted as it happens. */
export async function startMetricsServer(options: {
  readonly host: string;
  readonly port: number;
  readonly metrics: NodeMetrics;
  readonly refresh: () => void;
  readonly health: () => Health;
}): Promise<FastifyInstance> {
  const { host, port, metrics, refresh, health } = options;
  const server = Fastify({ logger: false, bodyLimit: 1024 });
  server.get('/metrics', async (_request, reply) => {
    refresh();
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
