// Beacon and shards of four nodes on virtual time: shard blocks refer to the beacon, the beacon crosslinks them, instances follow each other at the
// turns of epochs, and what is sent from shard to shard arrives once.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { EVIDENCE_EPOCHS } from '../../src/core/beacon/epoch.ts';
import { placementOfFamily } from '../../src/core/messaging/placement.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { addressOfPublicKey } from '../../src/core/protocol/decode-transaction.ts';
import { shardOfPlacement } from '../../src/core/protocol/shard-id.ts';
import type { Beacon } from '../../src/node/create-beacon.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { signTransfer } from '../../src/simulation/workload.ts';
import { type BeaconWorld, createBeaconWorld } from './beacon-world.ts';
import { prepareHashes } from './hashes.ts';

const EPOCH_BLOCKS = 12;

const ACCOUNTS = 12;
const ROUNDS = 8;
const ETHER = 10n ** 18n;
const crypto = standInCrypto();
const { secp256k1 } = crypto;
const keys = Array.from({ length: ACCOUNTS }, (_unused, index) => new Uint8Array(32).fill(index + 1));
const addresses = keys.map((key) => addressOfPublicKey(secp256k1.publicKeyOf(key)));

function shardOf(layout: readonly number[], address: Uint8Array): number {
  return shardOfPlacement(new Set(layout), placementOfFamily(address)) ?? 0;
}

function show({ beacons, shards }: BeaconWorld): string {
  return beacons
    .map((beacon, index) => {
      const chains = [...(shards[index]?.chains ?? [])].map(
        ([shard, { instance, blocks, runner }]) =>
          `${shard}@${instance.epoch}:${blocks.committed.facts.height}/r${runner.state.round}${runner.state.closed === undefined ? '' : 'C'}`,
      );
      const records = beacon.state.records.map(
        ({ record, progress, closed }) => `${record.shard}@${record.epoch}:${progress.height}${closed ? 'C' : ''}`,
      );
      return `[${beacon.state.height} ${records.join(' ')} | ${chains.join(' ')}]`;
    })
    .join(' ');
}

describe('beacon and shards of four nodes', () => {
  before(async () => {
    await prepareHashes();
  });

  for (const layout of [[1], [2, 3], [4, 5, 3]]) {
    it(`makes shard blocks final, and turns epochs, in the layout ${layout}`, async () => {
      const world = await createBeaconWorld({ seed: 1, epochBlocks: EPOCH_BLOCKS, layout });
      for (let step = 0; step < 10; step++) {
        await world.run(4_500);
        if (process.env['SHOW']) console.log(show(world));
      }
      for (const [index, beacon] of world.beacons.entries()) {
        assert.ok(beacon.state.height > 3 * EPOCH_BLOCKS, show(world));
        for (const { record, progress } of beacon.state.records) {
          assert.ok(record.epoch >= 2, `a record of the epoch: ${show(world)}`);
          assert.ok(progress.height > 5, `crosslinked: ${show(world)}`);
          const chain = world.shards[index]?.chains.get(record.shard);
          assert.ok(chain !== undefined && chain.blocks.committed.facts.height >= progress.height - 4, show(world));
        }
      }
      const roots = world.beacons.map(({ state }) => state.records.map(({ progress }) => bytesToHex(progress.stateRoot)).join());
      assert.equal(new Set(roots).size, 1);
      await world.stop();
    });
  }

  const networks = [
    { layout: [2, 3], lossShare: 0, crashes: false },
    { layout: [4, 5, 3], lossShare: 0, crashes: false },
    { layout: [4, 5, 6, 7], lossShare: 0.1, crashes: true },
  ];
  for (const { layout, lossShare, crashes } of networks) {
    it(`carries coins between the shards ${layout}${crashes ? ', with messages lost and nodes that come and go' : ''}`, async () => {
      const accounts = addresses.map((address) => ({ address, nonce: 0n, balanceWei: 100n * ETHER, code: new Uint8Array(0), storage: [] }));
      const world = await createBeaconWorld({ seed: 7, epochBlocks: EPOCH_BLOCKS, layout, accounts, lossShare, crypto });
      await world.run(1_000);
      for (let round = 0; round < ROUNDS; round++) {
        for (const [index, key] of keys.entries()) {
          const to = addresses[(index + 1) % ACCOUNTS] as Uint8Array;
          const chainId = world.genesis.parameters.evmChainId;
          const raw = signTransfer({ secretKey: key, nonce: BigInt(round), to, valueWei: ETHER, chainId, gasLimit: 23_000n }, secp256k1);
          const node = (round + index) % 4;
          for (const each of [node, (node + 1) % 4]) {
            const verdict = await world.nodes[each]?.transactions.submit(raw);
            assert.ok(verdict?.ok === true || verdict?.reason === 'already-known', JSON.stringify(verdict));
          }
        }
        await world.run(700);
        if (crashes && round % 2 === 1) await world.restart(round % 4, 'killed', 400);
      }
      world.links.lossShare = 0;
      for (let step = 0; step < 6; step++) {
        await world.run(3_000);
        if (process.env['SHOW']) console.log(show(world));
      }
      for (const [node, shards] of world.shards.entries()) {
        const balanceOf = (address: Uint8Array): bigint =>
          shards.statesOf(shardOf(layout, address)).committed().getAccount(address, address)?.balanceWei ?? 0n;
        for (const [index, address] of addresses.entries()) {
          const account = shards.statesOf(shardOf(layout, address)).committed().getAccount(address, address);
          assert.equal(account?.nonce, BigInt(ROUNDS), `node ${node}: all of ${index} was included: ${show(world)}`);
        }
        // Each gave and got as much, so all that is missing are fees.
        const { rewardsWei, burnedFeesWei } = (world.beacons[node] as Beacon).state;
        const held = addresses.reduce((sum, address) => sum + balanceOf(address), 0n);
        const fees = rewardsWei.reduce((sum, wei) => sum + wei, 0n) + burnedFeesWei;
        assert.equal(held + fees, BigInt(ACCOUNTS) * 100n * ETHER, `node ${node}: ${held} and ${fees}`);
        const spent = addresses.map((address) => 100n * ETHER - balanceOf(address));
        for (const each of spent) assert.ok(each > 0n && each < ETHER / 100n, 'what was sent has arrived');
      }
      await world.stop();
    });
  }

  it('keeps up who is in no committee of a shard, and hears of its end from nobody by himself', async () => {
    const options = { nodes: 8, committeeSeats: 4, epochBlocks: 4, layout: [2, 3] };
    const world = await createBeaconWorld({ seed: 3, lossShare: 0.25, ...options });
    await world.run(60_000);
    world.links.lossShare = 0;
    await world.run(20_000);
    const epoch = Math.max(...world.beacons.map(({ chain }) => chain.instance.epoch));
    assert.ok(epoch >= 4, show(world));
    for (const [node, shards] of world.shards.entries())
      for (const [shard, { instance }] of shards.chains)
        assert.ok(instance.epoch >= epoch - 1, `node ${node}, shard ${shard}: ${show(world)}`);
    // What an instance took is given back: three chains, each of the epochs that evidence may be of, and those under way.
    assert.ok(epoch >= EVIDENCE_EPOCHS + 4, `${epoch} epochs`);
    for (const [node, name] of world.names.entries()) {
      const listeners = world.network.networks.get(name)?.stats().peerListeners ?? Number.NaN;
      assert.ok(listeners <= 3 + 1, `node ${node}: ${listeners} listeners`);
      const files = world.disks[node]?.fileCount ?? Number.NaN;
      assert.ok(files <= 3 * (EVIDENCE_EPOCHS + 2) + 2, `node ${node}: ${files} files`);
    }
    await world.stop();
  });

  it('takes back a node that was away for more epochs than the beacon remembers instances of', async () => {
    const world = await createBeaconWorld({ seed: 5, epochBlocks: 4, layout: [2, 3] });
    await world.run(3_000);
    await world.restart(3, 'killed', 2 * EVIDENCE_EPOCHS * 8_000);
    await world.run(20_000);
    const epochs = world.beacons.map(({ chain }) => chain.instance.epoch);
    assert.ok((epochs[0] as number) > 2 * EVIDENCE_EPOCHS, show(world));
    assert.ok((epochs[3] as number) >= (epochs[0] as number) - 1, show(world));
    for (const [shard, { instance, blocks }] of world.shards[0]?.chains ?? []) {
      const own = world.shards[3]?.chains.get(shard);
      assert.ok(own !== undefined && own.instance.epoch >= instance.epoch - 1, show(world));
      assert.ok(own.blocks.committed.facts.height >= blocks.committed.facts.height - 4, show(world));
    }
    await world.stop();
  });
});
