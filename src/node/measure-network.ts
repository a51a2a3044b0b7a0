// What of a node's network is measured, and not counted as it happens.
import type { NodePorts } from './create-node.ts';

/** See the file's head. */
export function measureNetwork({ network, metrics }: Pick<NodePorts, 'network' | 'metrics'>): void {
  const stats = network.stats();
  metrics.gauge('coppice_peers_connected', stats.peersConnected);
  metrics.gauge('coppice_network_received_bytes', stats.bytesIn);
  metrics.gauge('coppice_network_sent_bytes', stats.bytesOut);
  metrics.gauge('coppice_network_send_queue_bytes', stats.sendQueueBytes);
  for (const [reason, count] of Object.entries(stats.refused)) metrics.gauge('coppice_network_refused', count, { reason });
  for (const [reason, count] of Object.entries(stats.misbehaviour)) metrics.gauge('coppice_network_misbehaviour', count, { reason });
}
