// Validators whose operators named one peer: each finds all others by what those say of themselves, also when somebody has moved, and when the one that
// was named is gone.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { changeConfig, startCluster, type ValidatorCluster } from './validator-cluster.ts';

const FOUND_MS_MAX = 60_000;

describe('validators that were told of one peer', () => {
  let cluster: ValidatorCluster;
  before(async () => {
    cluster = await startCluster({ namesFirstOnly: true });
  });
  after(() => cluster?.remove());

  const peersOf = async (validator: number): Promise<number> => Number(await cluster.rpc(validator).call('net_peerCount', []));

  async function untilAllKnow(validators: readonly number[]): Promise<void> {
    const endMs = Date.now() + FOUND_MS_MAX;
    for (;;) {
      const counts = await Promise.all(validators.map(peersOf));
      if (counts.every((count) => count === validators.length - 1)) return;
      assert.ok(Date.now() < endMs, `peers of ${validators.join(', ')}: ${counts.join(', ')}`);
      await delay(200);
    }
  }

  const configOf = (validator: number): string => join(cluster.dataDirOf(validator), 'config.json');

  it('are connected with all others soon', async () => {
    await untilAllKnow([0, 1, 2, 3]);
  });

  it('find one that has moved to another port', async () => {
    await cluster.kill(3);
    const port = await freePort();
    changeConfig(configOf(3), ({ p2p }) => {
      p2p.port = port;
    });
    await cluster.start(3);
    await untilAllKnow([0, 1, 2, 3]);
  });

  it('find each other without the one that was named, and without a name at all', async () => {
    for (const validator of [0, 1]) await cluster.kill(validator);
    changeConfig(configOf(1), ({ p2p }) => {
      p2p.peers = [];
    });
    await cluster.start(1);
    await untilAllKnow([1, 2, 3]);
    const before = Number(await cluster.rpc(1).call('eth_blockNumber', []));
    const endMs = Date.now() + FOUND_MS_MAX;
    while (Number(await cluster.rpc(1).call('eth_blockNumber', [])) < before + 2) {
      assert.ok(Date.now() < endMs, 'three of four make blocks');
      await delay(200);
    }
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });
}
