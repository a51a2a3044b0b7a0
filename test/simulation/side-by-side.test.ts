// Shards of one node do not stand in each other's way: what one has to do, is made to do by a dishonest member, or cannot do, leaves the others their pace.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createdAddressOf } from '../../src/core/execution/created-address.ts';
import { placementOfFamily } from '../../src/core/messaging/placement.ts';
import { hex } from '../../src/core/primitives/bytes.ts';
import { BEACON_CHAIN, type Bytes32 } from '../../src/core/primitives/ids.ts';
import { shardOfPlacement } from '../../src/core/protocol/shard-id.ts';
import type { Network } from '../../src/network/ports.ts';
import { topicName } from '../../src/network/topics.ts';
import type { Node } from '../../src/node/create-node.ts';
import { BLOCKS_HELD_MAX } from '../../src/runtime/chain-blocks.ts';
import { MAILBOX_MAX } from '../../src/runtime/chain-runner.ts';
import { createSigner } from '../../src/runtime/signer.ts';
import { frameOf } from '../../src/simulation/adversaries/speech.ts';
import { deploying } from '../../src/simulation/contracts.ts';
import { muteOf } from '../../src/simulation/silent-shard.ts';
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
/** Node 3 is not. */
const HONEST = 3;
const ATTACKED = 5;
const OTHERS = LAYOUT.filter((shard) => shard !== ATTACKED);
const PACE_STEPS = 30;
/** Of what becomes final when nothing happens. */
const PACE_MIN = 0.9;
const BLOCKS_MIN = 8;
/** In each step about what a node verifies in it; in the first many more, which then wait for as long as it lasts. */
const FLOOD_FRAMES = 2;
const FLOOD_FRAMES_AT_FIRST = 16;
const FLOOD_FRAME_MESSAGES = 250;
/** Transactions of each user in a step, of which a block has room for two. */
const CROWD_EACH = 8;
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

interface Pace {
  /** Blocks of each shard but the attacked one that became final in the time, and of the beacon. */
  readonly finalOf: ReadonlyMap<number, number>;
  /** The most that waited in a node, of what could. */
  readonly mailboxMost: number;
  readonly heldMost: number;
}

/** How far the others come in a fixed time, with a transfer in each of them every now and then, while something befalls one shard. */
async function paceUnder(befall: (world: BeaconWorld) => (() => Promise<void>) | undefined): Promise<Pace> {
  const world = await start(5);
  const nonces = new Map<number, bigint>();
  const transfer = async (shard: number): Promise<void> => {
    const nonce = nonces.get(shard) ?? 0n;
    nonces.set(shard, nonce + 1n);
    const client = clientIn(shard);
    await send(world, client, nonce, client.address, new Uint8Array(0), 21_000n);
  };
  const finalHeights = (): Map<number, number> => {
    const { newest } = (world.nodes[0] as Node).window;
    const ofShards = newest.records.map(({ record, progress }) => [record.shard, progress.height] as const);
    return new Map([[BEACON_CHAIN, newest.height], ...ofShards]);
  };
  await world.run(1_500);
  const keepOn = befall(world);
  const before = finalHeights();
  let [mailboxMost, heldMost] = [0, 0];
  for (let step = 0; step < PACE_STEPS; step++) {
    await keepOn?.();
    if (step % 3 === 0) for (const shard of OTHERS) await transfer(shard);
    await world.run(STEP_MS);
    for (const { shards, beacon } of world.nodes.slice(0, HONEST))
      for (const { runner, blocks } of [beacon.chain, ...shards.chains.values()]) {
        mailboxMost = Math.max(mailboxMost, runner.mailboxLength);
        heldMost = Math.max(heldMost, blocks.size);
      }
  }
  const after = finalHeights();
  const finalOf = new Map([BEACON_CHAIN, ...OTHERS].map((chain) => [chain, (after.get(chain) ?? 0) - (before.get(chain) ?? 0)]));
  await world.stop();
  return { finalOf, mailboxMost, heldMost };
}

function assertSamePace(calm: Pace, other: Pace): void {
  for (const [chain, blocks] of calm.finalOf) {
    assert.ok(blocks >= BLOCKS_MIN, `chain ${chain} comes on: ${blocks} blocks`);
    const found = other.finalOf.get(chain) ?? 0;
    assert.ok(
      found >= PACE_MIN * blocks,
      `chain ${chain} came on by ${found} blocks, and by ${blocks} when nothing befell the other shard`,
    );
  }
  assert.ok(other.mailboxMost <= MAILBOX_MAX && other.heldMost <= BLOCKS_HELD_MAX, JSON.stringify(other));
}

/** Timeouts of far rounds, each signed, as many in a second as a node can verify: said by one member, of one shard. */
function floodOf(world: BeaconWorld, shard: number): () => Promise<void> {
  const node = world.nodes[HONEST] as Node;
  const network = world.network.networks.get(world.names[HONEST] as string) as Network;
  const keys = world.keys[HONEST];
  assert.ok(keys !== undefined);
  const chain = node.shards.chains.get(shard);
  assert.ok(chain !== undefined);
  const { instance } = chain;
  const signer = createSigner(crypto, { validator: HONEST, ...keys }, instance);
  const topic = topicName(instance.genesisRoot, shard, 'consensus');
  let round = 1_000;
  let frames = FLOOD_FRAMES_AT_FIRST;
  return async () => {
    const { highestQuorumCertificate } = chain.runner.state.record;
    const certified = highestQuorumCertificate[0]?.point.round ?? 0;
    for (; frames > 0; frames--) {
      const messages = Array.from({ length: FLOOD_FRAME_MESSAGES }, () => {
        round++;
        const signature = signer.signTimeout(round, certified);
        const timeout = { instanceId: instance.instanceId, round, highestQuorumCertificate, validator: HONEST, signature };
        return { kind: 'timeout', timeout } as const;
      });
      await network.pubSub.publish(topic, frameOf(messages));
    }
    frames = FLOOD_FRAMES;
  };
}

/** In each step transactions that buy more than a shard has in that time: all its blocks are full. */
function crowdIn(world: BeaconWorld, shard: number): () => Promise<void> {
  const users = clients.filter(({ address }) => shardOfPlacement(new Set(LAYOUT), placementOfFamily(address)) === shard);
  const nonces = users.map(() => 0n);
  const { evmChainId: chainId, transactionGasLimitMax } = world.genesis.parameters;
  return async () => {
    for (const [place, { secretKey, address }] of users.entries())
      for (let count = 0; count < CROWD_EACH; count++) {
        const wish = {
          secretKey,
          nonce: nonces[place] as bigint,
          to: address,
          valueWei: 0n,
          gasLimit: BigInt(transactionGasLimitMax),
          chainId,
        };
        const submitted = world.nodes[0]?.transactions.submit(signTransfer(wish, crypto.secp256k1)) ?? Promise.reject();
        if ((await world.clock.drive(submitted)).ok) nonces[place] = wish.nonce + 1n;
      }
  };
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

  describe('keep their pace and their bounds', () => {
    let calm: Pace;
    before(async () => {
      calm = await paceUnder(() => undefined);
    });

    it('while a member floods another with more than a node can verify', async () => {
      assertSamePace(calm, await paceUnder((world) => floodOf(world, ATTACKED)));
    });

    it('while another has more to do than its blocks have room for', async () => {
      assertSamePace(calm, await paceUnder((world) => crowdIn(world, ATTACKED)));
    });

    it('while another stands still', async () => {
      const stalled = await paceUnder((world) => {
        world.links.mutes.add(muteOf({ kind: 'silent-shard', shard: ATTACKED, nodes: [0, 1, 2, 3] }, world.names));
        return undefined;
      });
      assertSamePace(calm, stalled);
    });
  });
});
