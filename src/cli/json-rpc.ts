// The few questions that commands ask of a node's JSON-RPC.

/** A node that does not answer in this time counts as away. */
const ANSWER_MS_MAX = 2_000;

/** A quantity that a number holds without loss. */
const QUANTITY = /^0x[0-9a-f]{1,13}$/;
/** A version that a terminal shows as it is. */
const VERSION = /^[\x20-\x7e]{1,128}$/;

/** The result of one call; undefined when there is no answer or it is an error. */
export async function askRpc(url: string, method: string, params: readonly unknown[] = []): Promise<unknown> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return ((await response.json()) as { result?: unknown }).result;
  } catch {
    return undefined; // Away, or no JSON: either way no answer.
  }
}

/** How a node is doing, as JSON-RPC tells it. */
export interface NodeStatus {
  readonly clientVersion: string;
  readonly chainId: number;
  readonly blockNumber: number;
  readonly peers: number;
  readonly pendingTransactions: number;
  readonly syncing: boolean;
}

/** Undefined when the node does not answer. */
export async function askStatus(url: string): Promise<NodeStatus | undefined> {
  const [clientVersion, chainId, blockNumber, peers, pool, syncing] = await Promise.all([
    askRpc(url, 'web3_clientVersion'),
    askRpc(url, 'eth_chainId'),
    askRpc(url, 'eth_blockNumber'),
    askRpc(url, 'net_peerCount'),
    askRpc(url, 'txpool_status'),
    askRpc(url, 'eth_syncing'),
  ]);
  const [chain, block] = [quantityOf(chainId), quantityOf(blockNumber)];
  if (chain === undefined || block === undefined) return undefined;
  const waiting = typeof pool === 'object' && pool !== null && 'pending' in pool ? quantityOf(pool.pending) : undefined;
  return {
    clientVersion: typeof clientVersion === 'string' && VERSION.test(clientVersion) ? clientVersion : 'unknown',
    chainId: chain,
    blockNumber: block,
    peers: quantityOf(peers) ?? 0,
    pendingTransactions: waiting ?? 0,
    syncing: syncing !== false && syncing !== undefined,
  };
}

/** How far a shard is. */
export interface ShardStatus {
  readonly shard: number;
  readonly epoch: number;
  readonly height: number;
  /** What clients see of it. */
  readonly finalizedHeight: number;
}

/** Shards that are asked for: what answers may be an unfriendly node. */
const SHARDS_ASKED_MAX = 64;

/** Of each shard that a node runs; none when it does not answer. */
export async function askShards(url: string): Promise<readonly ShardStatus[]> {
  const layout = await askRpc(url, 'coppice_getLayout');
  if (typeof layout !== 'object' || layout === null || !('shards' in layout) || !Array.isArray(layout.shards)) return [];
  const epoch = quantityOf('epoch' in layout ? layout.epoch : undefined) ?? 0;
  const asked = layout.shards.slice(0, SHARDS_ASKED_MAX).map(async (id: unknown): Promise<readonly ShardStatus[]> => {
    const [shard, head] = [quantityOf(id), await askRpc(url, 'coppice_getShardHead', [id])];
    if (shard === undefined || typeof head !== 'object' || head === null) return [];
    const [height, finalizedHeight] = ['height', 'finalizedHeight'].map((name) => quantityOf((head as Record<string, unknown>)[name]));
    return height === undefined || finalizedHeight === undefined ? [] : [{ shard, epoch, height, finalizedHeight }];
  });
  return (await Promise.all(asked)).flat();
}

// What answers may be no node, or an unfriendly one.
function quantityOf(value: unknown): number | undefined {
  return typeof value === 'string' && QUANTITY.test(value) ? Number(value) : undefined;
}
