// Four whole nodes in one process, on virtual time, a memory network and memory disks: the production composition behind the ports.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { addressOfPublicKey } from '../../src/core/protocol/decode-transaction.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { chainsOf } from '../../src/simulation/chains-of.ts';
import { standInBls, standInVrf } from '../../src/simulation/stand-in-crypto.ts';
import { viewOf } from '../../src/simulation/view-of.ts';
import { signTransfer } from '../../src/simulation/workload.ts';
import { createWorld, type World, type WorldOptions } from '../../src/simulation/world.ts';
import { prepareHashes } from './hashes.ts';

const START_MS = 1_700_000_000_000;
const ACCOUNTS = 8;
const ETHER = 10n ** 18n;
const { secp256k1 } = selectCrypto({ disableNative: false });

const keys = Array.from({ length: ACCOUNTS }, (_unused, index) => new Uint8Array(32).fill(index + 1));
const addresses = keys.map((key) => addressOfPublicKey(secp256k1.publicKeyOf(key)));

function optionsOf(seed: number, lossShare: number): WorldOptions {
  return {
    crypto: selectCrypto({ disableNative: false }),
    seed,
    nodes: 4,
    startMs: START_MS,
    latencyMs: 5,
    lossShare,
    parameters: readPreset('devnet'),
    accounts: addresses.map((address) => ({ address, nonce: 0n, balanceWei: 100n * ETHER, code: new Uint8Array(0), storage: [] })),
  };
}

/** Every account sends one ether to the next, `rounds` times, each through another node. */
async function runTransfers(options: WorldOptions, rounds: number): Promise<World> {
  const world = await createWorld(options);
  await world.clock.run(START_MS + 1_000);
  for (let round = 0; round < rounds; round++) {
    for (const [index, key] of keys.entries()) {
      const to = addresses[(index + 1) % ACCOUNTS] as Uint8Array;
      const raw = signTransfer(
        { secretKey: key, nonce: BigInt(round), to, valueWei: ETHER, chainId: options.parameters.evmChainId },
        secp256k1,
      );
      const verdict = await world.nodes[(round + index) % 4]?.transactions.submit(raw);
      assert.ok(verdict?.ok, JSON.stringify(verdict));
    }
    await world.clock.run(world.clock.nowMs() + 500);
  }
  await world.clock.run(world.clock.nowMs() + 5_000);
  return world;
}

/** Of the beacon, then of each shard. */
function heightsOf(node: World['nodes'][number]): number[] {
  return chainsOf(node).map(({ blocks }) => blocks.committed.facts.height);
}

describe('four whole nodes in one process', () => {
  before(() => prepareHashes());

  it('finalise the same transfers on every node', async () => {
    const world = await runTransfers(optionsOf(1, 0), 5);
    const heights = world.nodes.map((node) => viewOf(node).head.block.header.number);
    const common = Math.min(...heights);
    const hashes = new Set(world.nodes.map((node) => viewOf(node).blockByNumber(common)?.hashHex));
    assert.equal(hashes.size, 1, 'one block at one number');
    for (const view of world.nodes.map(viewOf)) {
      for (const address of addresses) assert.equal(view.head.world.getAccount(address, address)?.nonce, 5n);
      const counted = Array.from({ length: common + 1 }, (_unused, number) => view.blockByNumber(number)?.transactions.length ?? 0);
      assert.equal(
        counted.reduce((sum, count) => sum + count, 0),
        5 * ACCOUNTS,
        'each transaction is in exactly one block',
      );
    }
    await world.stop();
  });

  it('go on when gossip is lost', async () => {
    const world = await runTransfers(optionsOf(2, 0.05), 5);
    const isEverywhere = (): boolean =>
      world.nodes.every((node) => addresses.every((address) => viewOf(node).head.world.getAccount(address, address)?.nonce === 5n));
    await world.clock.run(world.clock.nowMs() + 60_000, isEverywhere);
    for (const view of world.nodes.map(viewOf)) {
      for (const address of addresses) assert.equal(view.head.world.getAccount(address, address)?.nonce, 5n, bytesToHex(address));
    }
    await world.stop();
  });

  it('write the same event log twice from one seed', async () => {
    const first = await runTransfers(optionsOf(3, 0.02), 3);
    const second = await runTransfers(optionsOf(3, 0.02), 3);
    assert.deepEqual(second.eventLog, first.eventLog);
    assert.ok(first.eventLog.length > 100);
    await first.stop();
    await second.stop();
  });

  it('write another event log from another seed', async () => {
    const first = await runTransfers(optionsOf(4, 0.02), 1);
    const second = await runTransfers(optionsOf(5, 0.02), 1);
    assert.notDeepEqual(second.eventLog, first.eventLog);
    await first.stop();
    await second.stop();
  });

  it('catches up a node that was cut off', async () => {
    const world = await createWorld(optionsOf(6, 0));
    world.network.setUp('node-3', false);
    await world.clock.run(START_MS + 30_000);
    const before = world.nodes.map(heightsOf)[0] ?? [];
    assert.ok(before.length === 2 && before.every((height) => height > 5), `three of four go on, at ${before}`);
    world.network.setUp('node-3', true);
    const apart = (): readonly number[] => {
      const heights = world.nodes.map(heightsOf);
      return [0, 1].map((place) => {
        const ofChain = heights.map((each) => each[place] as number);
        return Math.max(...ofChain) - Math.min(...ofChain);
      });
    };
    // There once, and there still after some blocks more.
    await world.clock.run(START_MS + 60_000, () => Math.max(...apart()) <= 1);
    await world.clock.run(world.clock.nowMs() + 3_000);
    assert.ok(Math.max(...apart()) <= 1, `${apart()} blocks apart: ${world.nodes.map(heightsOf).join('; ')}`);
    await world.stop();
  });

  // More than several range requests bring, and more than a node holds ahead of its newest committed block, while the others go on.
  it('catches up a node that missed hundreds of blocks, while new ones come', async () => {
    const blocksMissed = 300;
    const options = optionsOf(7, 0);
    const parameters = { ...options.parameters, idleIntervalMs: 100, roundTimeoutMs: 200 };
    const world = await createWorld({ ...options, crypto: { ...options.crypto, bls: standInBls(), vrf: standInVrf() }, parameters });
    const heightOf = (node: number): number => world.nodes[node]?.shards.chains.get(ROOT_SHARD)?.blocks.committed.facts.height ?? 0;
    world.network.setUp('node-3', false);
    while (heightOf(0) < blocksMissed) await world.clock.run(world.clock.nowMs() + 1_000);
    const startHeight = heightOf(3);
    world.network.setUp('node-3', true);
    const deadlineMs = world.clock.nowMs() + 30_000;
    while (heightOf(0) - heightOf(3) > 1 && world.clock.nowMs() < deadlineMs) await world.clock.run(world.clock.nowMs() + 500);
    assert.ok(heightOf(0) - heightOf(3) <= 1, `from ${startHeight} to ${heightOf(3)} of ${heightOf(0)}`);
    assert.ok(heightOf(0) > blocksMissed, 'the others went on meanwhile');
    await world.stop();
  });
});
