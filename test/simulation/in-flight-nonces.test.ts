// What clients are told of senders whose transactions are on their way between shards: while they are, after they are mined, and over a restart.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { addressOfPublicKey } from '../../src/core/protocol/decode-transaction.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { createDispatcher } from '../../src/rpc/dispatch.ts';
import { DEFAULT_RPC_LIMITS } from '../../src/rpc/limits.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { viewOf } from '../../src/simulation/view-of.ts';
import { signTransfer } from '../../src/simulation/workload.ts';
import { createWorld, type World } from '../../src/simulation/world.ts';
import { prepareHashes } from './hashes.ts';

const START_MS = 1_700_000_000_000;
const ETHER = 10n ** 18n;
const SENDERS = 8;
const ROUNDS = 10;
const STEP_MS = 100;
const crypto = standInCrypto();
const keys = Array.from({ length: SENDERS }, (_unused, index) => new Uint8Array(32).fill(index + 1));
const addresses = keys.map((key) => addressOfPublicKey(crypto.secp256k1.publicKeyOf(key)));
const parameters = readPreset('devnet');

/** What a client asks. */
// biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape.
type Ask = (method: string, ...params: readonly unknown[]) => Promise<any>;

function clientOf(world: World): Ask {
  const dispatcher = createDispatcher({ ports: world.rpcPorts(0), limits: DEFAULT_RPC_LIMITS, newId: () => '0x1' });
  return async (method, ...params) => {
    const answer = await dispatcher.handle({ jsonrpc: '2.0', id: 1, method, params });
    assert.ok(answer !== undefined && 'result' in answer, JSON.stringify(answer));
    return answer.result;
  };
}

const nameOf = (address: Uint8Array): string => `0x${bytesToHex(address)}`;
const numberOf = (world: World): number => viewOf(world.nodes[0] as World['nodes'][number]).head.block.header.number;

/** By view block: the nonce of each sender, as a client was told when it was the newest. */
type Told = Map<number, readonly unknown[]>;

async function noncesAt(ask: Ask, block: string): Promise<readonly unknown[]> {
  return Promise.all(addresses.map((address) => ask('eth_getTransactionCount', nameOf(address), block)));
}

/** Every sender sends a coin to the next one in each round; at each new head a client asks for all nonces. */
async function runRounds(world: World, told: Told, fromRound: number, toRound: number): Promise<void> {
  const ask = clientOf(world);
  const sent = new Map<string, number>();
  const look = async (): Promise<void> => {
    if (!told.has(numberOf(world))) told.set(numberOf(world), await noncesAt(ask, 'latest'));
  };
  for (let round = fromRound; round < toRound; round++) {
    for (const [index, secretKey] of keys.entries()) {
      const to = addresses[(index + 1) % SENDERS] as Uint8Array;
      const chainId = parameters.evmChainId;
      const raw = signTransfer({ secretKey, nonce: BigInt(round), to, valueWei: ETHER, chainId, gasLimit: 23_000n }, crypto.secp256k1);
      const verdict = await world.nodes[0]?.transactions.submit(raw);
      assert.ok(verdict?.ok, JSON.stringify(verdict));
      sent.set(`0x${bytesToHex(verdict.value)}`, index);
    }
    for (let step = 0; step < 5; step++) {
      await world.clock.run(world.clock.nowMs() + STEP_MS);
      await look();
      await assertPendingIsWhole(ask, sent);
    }
  }
}

/** Whatever was sent is mined or stands in the pending block, once; and `pending` counts both. */
async function assertPendingIsWhole(ask: Ask, sent: ReadonlyMap<string, number>): Promise<void> {
  const { transactions } = await ask('eth_getBlockByNumber', 'pending', false);
  assert.equal(new Set(transactions).size, transactions.length);
  assert.equal(await ask('eth_getBlockTransactionCountByNumber', 'pending'), `0x${transactions.length.toString(16)}`);
  const counted = await noncesAt(ask, 'pending');
  for (const [hash, index] of sent) {
    const { blockHash, nonce } = await ask('eth_getTransactionByHash', hash);
    assert.equal(blockHash === null, transactions.includes(hash), 'it waits where it is not mined');
    assert.equal((await ask('eth_getTransactionReceipt', hash)) === null, blockHash === null);
    assert.ok(Number(nonce) < Number(counted[index]));
  }
}

describe('a sender whose transactions are on their way between shards', () => {
  before(() => prepareHashes());

  it('is told of them while they are pending, and at each block for ever of the nonce that it had when the block was the newest', async () => {
    const world = await createWorld({
      crypto,
      seed: 1,
      nodes: 1,
      layout: [4, 5, 6, 7],
      startMs: START_MS,
      latencyMs: 5,
      lossShare: 0,
      parameters,
      accounts: addresses.map((address) => ({ address, nonce: 0n, balanceWei: 100n * ETHER, code: new Uint8Array(0), storage: [] })),
    });
    await world.clock.run(START_MS + 1_000);
    const told: Told = new Map();
    await runRounds(world, told, 0, ROUNDS / 2);
    assert.ok((await stillTold(world, told)) > 0, 'some were in flight when a client asked');
    world.end(0, 'killed');
    await world.start(0);
    await stillTold(world, told);
    await runRounds(world, told, ROUNDS / 2, ROUNDS);
    await world.clock.run(world.clock.nowMs() + 5_000);
    await stillTold(world, told);
    assert.deepEqual(new Set(await noncesAt(clientOf(world), 'latest')), new Set([`0x${ROUNDS.toString(16)}`]));
    await world.stop();
  });
});

/** Asks again at every block. Of how many answers the account's own nonce, which counts what is charged, was higher. */
async function stillTold(world: World, told: Told): Promise<number> {
  const ask = clientOf(world);
  const view = viewOf(world.nodes[0] as World['nodes'][number]);
  let inFlight = 0;
  for (const [number, nonces] of told) {
    assert.deepEqual(await noncesAt(ask, `0x${number.toString(16)}`), nonces, `at block ${number} with head ${numberOf(world)}`);
    const state = view.worldAt(number);
    inFlight += addresses.filter(
      (address, place) => Number(nonces[place]) < Number(state?.getAccount(address, address)?.nonce ?? 0n),
    ).length;
  }
  return inFlight;
}
