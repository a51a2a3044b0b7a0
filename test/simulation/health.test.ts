// `/health` and `coppice_healthy` of live nodes, four in one process on virtual time, over the real metrics server: one chain stands still while the
// others go on, which only the node's own composition can know.
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { before, describe, it } from 'node:test';
import { BEACON_CHAIN, type ChainId } from '../../src/core/primitives/ids.ts';
import { genesisRoot } from '../../src/core/protocol/genesis.ts';
import type { Network } from '../../src/network/ports.ts';
import { topicName } from '../../src/network/topics.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { type ChainProblem, type Health, notFinalAfterMs, stallAfterMs } from '../../src/node/health.ts';
import { createMetrics } from '../../src/node/metrics.ts';
import { startMetricsServer } from '../../src/node/metrics-server.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { createWorld, type World } from '../../src/simulation/world.ts';
import { prepareHashes } from './hashes.ts';

const parameters = { ...readPreset('devnet'), committeeSeats: 4 };
const LAYOUT: readonly ChainId[] = [2, 3];
const RUN_MS = 6_000;

/** Gossip of some topics reaches nobody any more. */
function withoutTopics(own: Network, dropped: ReadonlySet<string>): Network {
  return {
    ...{ self: own.self, request: own.request, peers: own.peers, stats: () => own.stats(), close: () => own.close() },
    pubSub: {
      ...own.pubSub,
      subscribe: (topic, handler) => own.pubSub.subscribe(topic, async (message) => (dropped.has(topic) ? 'ignore' : handler(message))),
    },
  };
}

async function startWorld(): Promise<{ readonly world: World; readonly silence: (chain: ChainId) => void }> {
  const dropped = new Set<string>();
  const world = await createWorld({
    crypto: standInCrypto(),
    seed: 5,
    nodes: 4,
    startMs: 1_700_000_000_000,
    latencyMs: 5,
    lossShare: 0,
    parameters,
    accounts: [],
    layout: LAYOUT,
    interpose: (_name, own) => withoutTopics(own, dropped),
  });
  return { world, silence: (chain) => dropped.add(topicName(genesisRoot(world.genesis), chain, 'consensus')) };
}

/** What a watcher of the node reads: the status of `/health` with the problem of each chain, and the metric. */
async function ask({ nodes: [node], network, names: [name = ''], clock }: World): Promise<{
  readonly status: number;
  readonly problems: Readonly<Record<ChainId, ChainProblem | undefined>>;
  readonly healthy: string | undefined;
  readonly heights: ReadonlyMap<ChainId, number>;
}> {
  const peers = network.networks.get(name)?.peers;
  assert.ok(node !== undefined && peers !== undefined);
  const metrics = createMetrics({ withProcess: false });
  const server = await startMetricsServer({ host: '127.0.0.1', port: 0, metrics, node, peers, clock, timing: parameters });
  try {
    const at = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
    const answer = await fetch(`${at}/health`);
    const { chains } = (await answer.json()) as Health;
    const text = await (await fetch(`${at}/metrics`)).text();
    return {
      status: answer.status,
      problems: Object.fromEntries(chains.flatMap(({ chain, problem }) => (problem === undefined ? [] : [[chain, problem]]))),
      healthy: /^coppice_healthy (\d)$/m.exec(text)?.[1],
      heights: new Map(chains.map(({ chain, committedHeight }) => [chain, committedHeight])),
    };
  } finally {
    await server.close();
  }
}

async function run({ clock }: World, forMs: number): Promise<void> {
  await clock.run(clock.nowMs() + forMs);
}

describe('the health of a live node of two shards', () => {
  before(async () => {
    await prepareHashes();
  });

  it('is red when one shard stands still, though the beacon and the other shard go on', async () => {
    const { world, silence } = await startWorld();
    await run(world, RUN_MS);
    const before = await ask(world);
    assert.deepEqual([before.status, before.healthy, before.problems], [200, '1', {}]);
    silence(3);
    await run(world, notFinalAfterMs(parameters) + RUN_MS);
    const { status, healthy, problems, heights } = await ask(world);
    assert.deepEqual([status, healthy, problems], [503, '0', { 3: 'commits-nothing' }]);
    for (const chain of [BEACON_CHAIN, 2])
      assert.ok((heights.get(chain) ?? 0) > (before.heights.get(chain) ?? 0) + 5, `chain ${chain} goes on`);
    await world.stop();
  });

  it('is red when what the shards commit does not become final', async () => {
    const { world, silence } = await startWorld();
    await run(world, RUN_MS);
    const before = await ask(world);
    silence(BEACON_CHAIN);
    await run(world, stallAfterMs(parameters) + notFinalAfterMs(parameters));
    const { status, healthy, problems, heights } = await ask(world);
    assert.deepEqual([status, healthy], [503, '0']);
    assert.deepEqual(problems, { [BEACON_CHAIN]: 'commits-nothing', 2: 'nothing-becomes-final', 3: 'nothing-becomes-final' });
    assert.ok((heights.get(2) ?? 0) > (before.heights.get(2) ?? 0) + 5, 'the shards commit on the beacon that they know');
    await world.stop();
  });
});
