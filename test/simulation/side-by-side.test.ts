// Shards of one node do not stand in each other's way: what one has to do, is made to do by a dishonest member, or cannot do, leaves the others their pace.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createdAddressOf } from '../../src/core/execution/created-address.ts';
import { placementOfFamily } from '../../src/core/messaging/placement.ts';
import { hex } from '../../src/core/primitives/bytes.ts';
import type { Bytes32 } from '../../src/core/primitives/ids.ts';
import { shardOfPlacement } from '../../src/core/protocol/shard-id.ts';
import { deploying } from '../../src/simulation/contracts.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { type Client, createClients, fundedAccounts, signTransfer } from '../../src/simulation/workload.ts';
import { type BeaconWorld, createBeaconWorld } from './beacon-world.ts';
import { prepareHashes } from './hashes.ts';

const LAYOUT = [4, 5, 6, 7];
const STEP_MS = 100;
const SETTLE_MS_MAX = 30_000;
/** `for (;;);` uses what gas it is given: three opcodes for each eleven. */
const ENDLESS = hex('5b5f56');
/** Some hundred thousand opcodes: the host gets its turn several times within. */
const LONG_GAS = 4_000_000n;
const crypto = standInCrypto();
const clients = createClients(8, crypto.secp256k1);

function clientIn(shard: number): Client {
  const found = clients.find(({ address }) => shardOfPlacement(new Set(LAYOUT), placementOfFamily(address)) === shard);
  assert.ok(found !== undefined);
  return found;
}

function start(seed: number, options: Partial<Parameters<typeof createBeaconWorld>[0]> = {}): Promise<BeaconWorld> {
  return createBeaconWorld({ seed, epochBlocks: 64, layout: LAYOUT, accounts: fundedAccounts(clients), crypto, ...options });
}

async function send(
  world: BeaconWorld,
  client: Client,
  nonce: bigint,
  to: Uint8Array,
  data: Uint8Array,
  gasLimit: bigint,
): Promise<Bytes32> {
  const { evmChainId: chainId } = world.genesis.parameters;
  const raw = signTransfer({ secretKey: client.secretKey, nonce, to, data, valueWei: 0n, gasLimit, chainId }, crypto.secp256k1);
  const verdict = await world.clock.drive(world.nodes[0]?.transactions.submit(raw) ?? Promise.reject());
  assert.ok(verdict.ok, JSON.stringify(verdict));
  return verdict.value;
}

async function untilShown(world: BeaconWorld, hashes: readonly Bytes32[]): Promise<void> {
  const view = world.nodes[0]?.view;
  assert.ok(view !== undefined);
  for (let waitedMs = 0; hashes.some((hash) => view.transactionPlace(hash) === undefined); waitedMs += STEP_MS) {
    assert.ok(waitedMs < SETTLE_MS_MAX, 'in time');
    await world.run(STEP_MS);
  }
}

describe('shards of one node', () => {
  before(() => prepareHashes());

  it('execute long items side by side, each a piece at a time', async () => {
    const world = await start(1);
    await world.run(1_500);
    const senders = LAYOUT.map(clientIn);
    await untilShown(
      world,
      await Promise.all(senders.map((client) => send(world, client, 0n, new Uint8Array(0), deploying(ENDLESS), 150_000n))),
    );
    const calls: Bytes32[] = [];
    for (let nonce = 1n; nonce <= 3n; nonce++)
      for (const client of senders)
        calls.push(await send(world, client, nonce, createdAddressOf(client.address, 0n), new Uint8Array(0), LONG_GAS));
    await untilShown(world, calls);
    await world.stop();
  });
});
