// A whole node that runs for longer than its window of old states: what clients see of the head and of what is pruned, over a restart.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { addressOfPublicKey } from '../../src/core/protocol/decode-transaction.ts';
import { accountKey } from '../../src/core/state/key.ts';
import { verifyProof } from '../../src/core/state/proof.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { createRpcPorts } from '../../src/node/rpc-ports.ts';
import { createDispatcher } from '../../src/rpc/dispatch.ts';
import { DEFAULT_RPC_LIMITS } from '../../src/rpc/limits.ts';
import type { RpcPorts } from '../../src/rpc/ports.ts';
import { STATE_BLOCKS_MIN } from '../../src/runtime/history-pruner.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { viewOf } from '../../src/simulation/view-of.ts';
import { signTransfer } from '../../src/simulation/workload.ts';
import { createWorld, type World } from '../../src/simulation/world.ts';
import { prepareHashes } from './hashes.ts';

const START_MS = 1_700_000_000_000;
const ETHER = 10n ** 18n;
const IDLE_MS = 100;
const OLD_BLOCK = 3;
const { secp256k1 } = selectCrypto({ disableNative: false });
const [alice, bob] = [1, 2].map((n) => new Uint8Array(32).fill(n)) as [Uint8Array, Uint8Array];
const [aliceAddress, bobAddress] = [alice, bob].map((key) => addressOfPublicKey(secp256k1.publicKeyOf(key))) as [Uint8Array, Uint8Array];
const aliceHex = `0x${bytesToHex(aliceAddress)}`;
// As fast a beacon as shard, so that a view block stands for about one block of the shard.
const parameters = {
  ...readPreset('devnet'),
  idleIntervalMs: IDLE_MS,
  beaconBlockIntervalMsMin: IDLE_MS,
  fullHistoryBlocks: STATE_BLOCKS_MIN,
};

async function createPrunedWorld(): Promise<World> {
  return createWorld({
    crypto: selectCrypto({ disableNative: false }),
    seed: 1,
    nodes: 1,
    startMs: START_MS,
    latencyMs: 1,
    lossShare: 0,
    parameters,
    accounts: [{ address: aliceAddress, nonce: 0n, balanceWei: 1_000n * ETHER, code: new Uint8Array(0), storage: [] }],
  });
}

function nodeOf({ nodes }: World): World['nodes'][number] {
  return nodes[0] as World['nodes'][number];
}

/** Of the one shard. */
function statesOf(world: World): ReturnType<World['nodes'][number]['shards']['statesOf']> {
  return nodeOf(world).shards.statesOf(ROOT_SHARD);
}

/** The oldest state that is served, of the shard. */
function servedFrom(world: World): number {
  return nodeOf(world).shards.servedFrom(ROOT_SHARD);
}

/** The oldest view block whose state is served. */
function oldestServed(world: World): number {
  const view = viewOf(nodeOf(world));
  let number = view.head.block.header.number;
  const heightOf = (each: number): number => view.worldAt(each)?.versions.get(ROOT_SHARD)?.height ?? -1;
  while (number > 0 && heightOf(number - 1) >= servedFrom(world)) number--;
  return number;
}

/** Runs to a height of the shard; Alice sends Bob one ether now and then. */
async function runTo(world: World, height: number, fromNonce: number): Promise<number> {
  let nonce = fromNonce;
  while (statesOf(world).committed().height < height) {
    const transfer = { secretKey: alice, nonce: BigInt(nonce++), to: bobAddress, valueWei: ETHER, chainId: parameters.evmChainId };
    const verdict = await nodeOf(world).transactions.submit(signTransfer(transfer, secp256k1));
    assert.ok(verdict.ok, JSON.stringify(verdict));
    await world.clock.run(world.clock.nowMs() + 5 * IDLE_MS);
  }
  return nonce;
}

interface Client {
  readonly ports: RpcPorts;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape.
  ask(method: string, ...params: unknown[]): Promise<any>;
}

function clientOf(world: World): Client {
  const network = world.network.networks.get('node-0');
  assert.ok(network !== undefined);
  const ports = createRpcPorts({ node: nodeOf(world), genesis: world.genesis, network, secp256k1, clock: world.clock });
  const faults: unknown[] = [];
  const dispatcher = createDispatcher({
    ports,
    limits: DEFAULT_RPC_LIMITS,
    newId: () => '0x1',
    onFault: (_method, fault) => faults.push(fault),
  });
  return {
    ports,
    ask: async (method, ...params) => {
      const answer = await dispatcher.handle({ jsonrpc: '2.0', id: 1, method, params });
      assert.deepEqual(faults, []);
      assert.ok(answer !== undefined);
      return 'error' in answer ? answer.error : answer.result;
    },
  };
}

async function assertServes(world: World, transfers: number): Promise<void> {
  const { ports, ask } = clientOf(world);
  const view = viewOf(nodeOf(world));
  const { number, stateRoot } = view.head.block.header;
  // The head, and the oldest state that is served: values and proofs.
  assert.equal(BigInt(await ask('eth_getBalance', `0x${bytesToHex(bobAddress)}`, 'latest')), BigInt(transfers) * ETHER);
  for (const height of [number, oldestServed(world)]) {
    const header = view.headerByNumber(height);
    const proof = await ports.state.prove(height, aliceAddress, []);
    assert.ok(proof !== undefined && header !== undefined);
    const key = accountKey(aliceAddress, aliceAddress).bytes;
    const verdict = verifyProof('account', height === number ? stateRoot : header.header.stateRoot, key, proof.account.account);
    assert.ok(verdict.ok && verdict.value !== undefined, `the state at ${height} proves`);
  }
  // What is pruned: a clear error, of every method that reads states.
  assert.ok(statesOf(world).oldest() > OLD_BLOCK);
  assert.ok(oldestServed(world) > OLD_BLOCK);
  const old = `0x${OLD_BLOCK.toString(16)}`;
  for (const [method, ...params] of [
    ['eth_getBalance', aliceHex, old],
    ['eth_getTransactionCount', aliceHex, 'earliest'],
    ['eth_call', { from: aliceHex, to: aliceHex }, old],
    ['coppice_getProof', aliceHex, [], old],
  ] as const) {
    const error = await ask(method, ...params);
    assert.equal(error.code, -32000, JSON.stringify(error));
    assert.match(error.message, /historical state of block \d+ is not available: it was pruned/);
  }
  // Blocks and receipts are all there.
  assert.equal((await ask('eth_getBlockByNumber', old, false)).number, old);
  assert.equal((await ask('eth_getBlockByNumber', 'earliest', false)).number, '0x0');
  const first = Array.from({ length: 2 * OLD_BLOCK }, (_unused, height) => view.blockByNumber(height)).find(
    (block) => block !== undefined && block.transactions.length > 0,
  );
  assert.ok(first !== undefined);
  const receipt = await ask('eth_getTransactionReceipt', `0x${first.transactions[0]?.transaction.hashHex}`);
  assert.equal(receipt.status, '0x1');
}

describe('a node that prunes', () => {
  before(() => prepareHashes());

  it('serves the head, its window and all blocks, and says of older states that they are pruned, also after a restart', async () => {
    const world = await createPrunedWorld();
    let transfers = await runTo(world, 4 * STATE_BLOCKS_MIN, 0);
    await assertServes(world, transfers);
    const oldest = statesOf(world).oldest();
    assert.ok(oldest > 0 && oldest <= servedFrom(world));
    // A crash: what was not synced is lost.
    world.end(0, 'killed');
    await world.start(0);
    await assertServes(world, transfers);
    transfers = await runTo(world, 5 * STATE_BLOCKS_MIN, transfers);
    assert.ok(statesOf(world).oldest() > oldest, 'pruning goes on');
    await assertServes(world, transfers);
    assert.ok(world.eventLog.some((line) => line.includes('coppice_state_rows_pruned_total')));
    await world.stop();
  });
});
