// Validators that follow their own shards alone: eight of them, committees of four, four shards, and one node that follows all. Epochs turn, and with
// them who runs what; whoever enters a committee has the state by then, whoever leaves it lets go of it, and what clients send is final wherever
// they sent it.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { epochOfHeight } from '../../src/core/beacon/epochs.ts';
import { ownShards } from '../../src/core/beacon/own-shards.ts';
import { createdAddressOf } from '../../src/core/execution/created-address.ts';
import { bytesToHex, bytesToPrefixedHex } from '../../src/core/primitives/bytes.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { createDispatcher } from '../../src/rpc/dispatch.ts';
import { DEFAULT_RPC_LIMITS } from '../../src/rpc/limits.ts';
import { CONTRACTS, deploying } from '../../src/simulation/contracts.ts';
import { runSchedule } from '../../src/simulation/schedule.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { viewOf } from '../../src/simulation/view-of.ts';
import { type Client, createClients, fundedAccounts, signTransfer, wordOf } from '../../src/simulation/workload.ts';
import type { World } from '../../src/simulation/world.ts';
import { createBeaconWorld } from './beacon-world.ts';
import { prepareHashes } from './hashes.ts';

const LAYOUT = [4, 5, 6, 7];
const NODES = 8;
const EPOCH_BLOCKS = 8;
const ROUNDS = 12;
const ROUND_MS = 800;
const SETTLE_MS_MAX = 20_000;
/** EIP-1474: the resource exists, and is not here. */
const UNAVAILABLE = -32_002;
const crypto = standInCrypto();
const clients = createClients(NODES, crypto.secp256k1);

/** A creation first, then coins and calls of others' contracts, which send on what they are paid: each to another shard than the last. */
function transactionOf(index: number, nonce: number, chainId: number): Uint8Array {
  const [own, other, third] = [0, nonce, 2 * nonce + 1].map((step) => clients[(index + step) % clients.length]) as [Client, Client, Client];
  const base = { secretKey: own.secretKey, nonce: BigInt(nonce), chainId };
  if (nonce === 0)
    return signTransfer(
      { ...base, to: new Uint8Array(0), valueWei: 0n, data: deploying(CONTRACTS.sender), gasLimit: 150_000n },
      crypto.secp256k1,
    );
  if (nonce % 2 === 1) return signTransfer({ ...base, to: other.address, valueWei: 3n, gasLimit: 23_000n }, crypto.secp256k1);
  const contract = createdAddressOf(other.address, 0n);
  return signTransfer({ ...base, to: contract, valueWei: 2n, data: wordOf(third.address), gasLimit: 200_000n }, crypto.secp256k1);
}

/** Account transactions that clients of the first node see, and how many of them succeeded. */
function shownBy({ nodes: [first] }: World): { readonly shown: number; readonly succeeded: number } {
  assert.ok(first !== undefined);
  const view = viewOf(first);
  const receipts = Array.from({ length: view.head.block.header.number + 1 }, (_unused, number) => view.blockByNumber(number)).flatMap(
    (block) => (block?.receipts ?? []).filter((_receipt, place) => block?.transactions[place]?.kind === 'account'),
  );
  return { shown: receipts.length, succeeded: receipts.filter(({ succeeded }) => succeeded).length };
}

/** Shards of which a node has a state. */
function heldBy({ nodes }: World, index: number): readonly number[] {
  return LAYOUT.filter((shard) => (nodes[index]?.shards.statesOf(shard).committed().height ?? -1) >= 0);
}

/** What the beacon says, and how far it is; of the world's state and the view they have nothing. */
async function answerWhatTheyKnow(world: World): Promise<void> {
  const ask = async (index: number, method: string, ...params: readonly unknown[]): Promise<Answered> => {
    const rpc = createDispatcher({ ports: world.rpcPorts(index), limits: DEFAULT_RPC_LIMITS, newId: () => '0x1' });
    const answer = (await world.clock.drive(rpc.handle({ jsonrpc: '2.0', id: 1, method, params }))) as Answered;
    rpc.close();
    return answer;
  };
  const address = bytesToPrefixedHex(clients[0]?.address ?? new Uint8Array(20));
  const { epoch } = (await ask(0, 'coppice_getLayout')).result as { readonly epoch: string };
  const heads = LAYOUT.map((shard): readonly [string, string] => ['coppice_getShardHead', `0x${shard.toString(16)}`]);
  for (const [method, ...params] of [['coppice_getLayout'], ['coppice_getCommittee', '0x4', epoch], ...heads] as const) {
    const [whole, part] = [await ask(0, method, ...params), await ask(2, method, ...params)];
    assert.deepEqual(Object.keys(part.result as object), Object.keys(whole.result as object), method);
  }
  assert.equal(Number((await ask(2, 'eth_blockNumber')).result), world.nodes[2]?.beacon.state.height);
  assert.equal((await ask(2, 'eth_syncing')).result, false);
  const calls: readonly (readonly [string, ...unknown[]])[] = [
    ['eth_getBalance', address, 'latest'],
    ['eth_getBlockByNumber', 'latest', false],
    ['eth_call', { to: address }, 'latest'],
    ['eth_sendRawTransactionSync', bytesToPrefixedHex(transactionOf(0, ROUNDS, world.genesis.parameters.evmChainId))],
    ['eth_newBlockFilter'],
    ['coppice_getSupply', 'latest'],
  ];
  for (const [method, ...params] of calls) {
    const { error } = await ask(2, method, ...params);
    assert.equal(error?.code, UNAVAILABLE, `${method}: ${JSON.stringify(error)}`);
    assert.match(error?.message ?? '', /ask an RPC node/);
  }
}

interface Answered {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

describe('validators that follow their own shards', () => {
  before(async () => {
    await prepareHashes();
  });

  it('run them through the turns of epochs, and what clients send to any of them is final', async (test) => {
    const world = await createBeaconWorld({
      seed: 5,
      nodes: NODES,
      committeeSeats: 4,
      epochBlocks: EPOCH_BLOCKS,
      layout: LAYOUT,
      accounts: fundedAccounts(clients),
      crypto,
      follow: (index) => (index === 0 ? 'all' : 'own'),
    });
    const { evmChainId } = world.genesis.parameters;
    await world.run(1_000);
    const held = world.nodes.map((): Set<string> => new Set());
    for (let nonce = 0; nonce < ROUNDS; nonce++) {
      for (const index of clients.keys()) {
        const entry = (index + 3 * nonce) % NODES;
        const verdict = await world.clock.drive(
          world.nodes[entry]?.transactions.submit(transactionOf(index, nonce, evmChainId)) ?? Promise.reject(),
        );
        assert.ok(verdict.ok, JSON.stringify(verdict));
      }
      await world.run(ROUND_MS);
      for (const index of world.nodes.keys()) held[index]?.add(heldBy(world, index).join());
      if (nonce === 4) await world.restart(3, 'killed', 500);
      if (nonce === 8) await world.restart(5, 'power-lost', 500);
    }
    const expected = clients.length * ROUNDS;
    for (let waitedMs = 0; shownBy(world).shown < expected && waitedMs < SETTLE_MS_MAX; waitedMs += ROUND_MS) await world.run(ROUND_MS);
    assert.deepEqual(shownBy(world), { shown: expected, succeeded: expected });

    const [first, ...others] = world.nodes;
    assert.ok(first !== undefined);
    const { state } = first.beacon;
    const epoch = epochOfHeight(state.height, world.genesis.parameters);
    test.diagnostic(`epoch ${epoch}, beacon block ${state.height}, held ${held.map((each) => [...each].join(' | ')).join('; ')}`);
    assert.ok(epoch >= 4, `${epoch} epochs`);
    for (const [index, node] of others.entries()) {
      for (const [shard, { blocks, instance }] of node.shards.chains) {
        const {
          version,
          facts: { height },
        } = blocks.committed;
        const known = first.shards.statesOf(shard).at(height);
        if (known !== undefined)
          assert.equal(bytesToHex(version.root), bytesToHex(known.root), `shard ${shard} at ${height} of ${index + 1}`);
        assert.ok(instance.epoch >= epoch - 1, `node ${index + 1} runs shard ${shard} in epoch ${instance.epoch}`);
      }
      const own = ownShards(node.beacon.state, epochOfHeight(node.beacon.state.height, world.genesis.parameters), index + 1);
      for (const shard of own)
        assert.ok(node.shards.chains.has(shard) || heldBy(world, index + 1).includes(shard), `${index + 1} has ${shard}`);
    }
    const lean = held.slice(1).filter((each) => [...each].some((shards) => shards.split(',').length < LAYOUT.length));
    assert.ok(lean.length >= NODES / 2, 'most had fewer than all at some time');
    assert.ok(world.eventLog.filter((line) => line.includes('the state of a shard has come')).length >= NODES, 'states were fetched');
    assert.deepEqual(world.network.offences(), {});
    await answerWhatTheyKnow(world);
    await world.stop();
  });

  it('keep every property under faults, and one that lies', async () => {
    const shape = { layout: LAYOUT, epochBlocks: EPOCH_BLOCKS, beaconIntervalMs: 300, committeeSeats: 4, follow: 'own' } as const;
    const dishonest = [{ validator: 2, strategy: 'two-faced' }] as const;
    const report = await runSchedule({ seed: 12, nodes: 7, crypto: standInCrypto(), preset: readPreset('devnet'), dishonest, shape });
    assert.equal(report.violation, undefined);
    assert.ok(report.blocks > 100, `${report.blocks} blocks`);
  });
});
