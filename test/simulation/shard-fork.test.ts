// A shard that forks before its crosslink: two dishonest of four in its committee, and fewer than a third of all, so that the beacon holds. Whoever committed
// what the beacon does not make final goes back to where the branches part, and on with the others.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { placementOfFamily } from '../../src/core/messaging/placement.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { addressOfPublicKey } from '../../src/core/protocol/decode-transaction.ts';
import { isUnder } from '../../src/core/protocol/shard-id.ts';
import type { Network } from '../../src/network/ports.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { CERTIFICATES_PROTOCOL } from '../../src/runtime/instance-switch.ts';
import { scheduleParameters } from '../../src/simulation/chain-shape.ts';
import { muteOf } from '../../src/simulation/silent-shard.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { signTransfer } from '../../src/simulation/workload.ts';
import { createWorld, type World } from '../../src/simulation/world.ts';
import { prepareHashes } from './hashes.ts';

const START_MS = 1_700_000_000_000;
const NODES = 8;
const SHARD = 2;
const SHAPE = { layout: [SHARD, 3], epochBlocks: 8, beaconIntervalMs: 400, takeoverGraceBlocks: 6, committeeSeats: 4 };
const ETHER = 10n ** 18n;
const CLIENTS = 6;

/** What is left of each run. */
interface Forked {
  readonly world: World;
  readonly honest: readonly number[];
  readonly traitors: readonly number[];
  readonly lines: (pattern: RegExp) => readonly string[];
}

// While sides are apart nobody tells the other of certificates, either by himself.
function withoutHints(own: Network, areApart: () => boolean): Network {
  return {
    self: own.self,
    peers: own.peers,
    pubSub: own.pubSub,
    stats: () => own.stats(),
    close: () => own.close(),
    request: {
      handle: (protocol, handler) => own.request.handle(protocol, handler),
      request: async (peer, protocol, body, options) =>
        protocol === CERTIFICATES_PROTOCOL && areApart() ? [] : own.request.request(peer, protocol, body, options),
    },
  };
}

async function makeWorld(seed: number, twins: readonly number[], areApart: () => boolean = () => false) {
  const crypto = standInCrypto();
  const keys = Array.from({ length: 40 }, (_unused, index) => new Uint8Array(32).fill(index + 1));
  const clients = keys
    .map((secretKey) => ({ secretKey, address: addressOfPublicKey(crypto.secp256k1.publicKeyOf(secretKey)) }))
    .filter(({ address }) => isUnder(placementOfFamily(address), SHARD))
    .slice(0, CLIENTS);
  const world = await createWorld({
    crypto,
    seed,
    nodes: NODES,
    twins,
    startMs: START_MS,
    latencyMs: 10,
    lossShare: 0,
    syncMs: 1,
    interpose: (_name, own) => withoutHints(own, areApart),
    parameters: scheduleParameters(readPreset('devnet'), NODES, SHAPE),
    layout: SHAPE.layout,
    accounts: clients.map(({ address }) => ({ address, nonce: 0n, balanceWei: 100n * ETHER, code: new Uint8Array(0), storage: [] })),
  });
  return { world, clients, crypto };
}

/** The committee of the shard in the first epoch. */
async function committeeOf(seed: number): Promise<readonly number[]> {
  const { world } = await makeWorld(seed, []);
  const members = world.nodes[0]?.shards.chains.get(SHARD)?.instance.committee.members.map(({ validator }) => validator) ?? [];
  await world.stop();
  return members;
}

/** Both sides of a committee with two twins commit for themselves, and then all hear each other again. */
async function fork(seed: number, apartMs: number): Promise<Forked> {
  let areApart = false;
  const members = await committeeOf(seed);
  assert.equal(members.length, 4, 'each has one seat');
  const [one = 0, other = 0, ...traitors] = members;
  const { world, clients, crypto } = await makeWorld(seed, traitors, () => areApart);
  const twins = traitors.map((_traitor, place) => NODES + place);
  const outsiders = Array.from({ length: NODES }, (_unused, index) => index).filter((index) => !members.includes(index));
  const sides = [
    { nodes: [one, ...traitors], submit: [one] },
    { nodes: [other, ...twins], submit: [other] },
  ];
  let nonce = 0n;
  const send = async (): Promise<void> => {
    for (const { secretKey, address } of clients) {
      const chainId = world.genesis.parameters.evmChainId;
      const raw = signTransfer({ secretKey, nonce, to: address, valueWei: 1n, chainId }, crypto.secp256k1);
      for (const { submit } of sides) for (const index of submit) if (world.isUp(index)) await world.nodes[index]?.transactions.submit(raw);
    }
    nonce++;
  };
  await world.clock.run(START_MS + 700);
  const mutes = [
    ...sides.map(({ nodes }) => muteOf({ kind: 'silent-shard', shard: SHARD, nodes, heardBy: [...nodes, ...outsiders] }, world.names)),
    // What they hear they do not hand on.
    muteOf({ kind: 'silent-shard', shard: SHARD, nodes: outsiders }, world.names),
  ];
  for (const mute of mutes) world.links.mutes.add(mute);
  areApart = true;
  for (let step = 0; step < 4; step++) {
    await send();
    await world.clock.run(world.clock.nowMs() + apartMs / 4);
  }
  for (const mute of mutes) world.links.mutes.delete(mute);
  areApart = false;
  const honest = Array.from({ length: NODES }, (_unused, index) => index).filter((index) => !traitors.includes(index));
  return { world, honest, traitors, lines: (pattern) => world.eventLog.filter((line) => pattern.test(line)) };
}

describe('a shard that forks before its crosslink', () => {
  before(() => prepareHashes());

  it('is one chain again for everybody, the anchored one, and goes on', async () => {
    const { world, honest, traitors, lines } = await fork(1, 1_600);
    await world.clock.run(world.clock.nowMs() + 14_000);
    const left = lines(/shard has forked/);
    assert.ok(left.length > 0, 'somebody was on the losing branch');
    const views = honest.map((index) => world.nodes[index]?.view?.head.block.header.number ?? 0);
    assert.ok(Math.min(...views) >= 3 * SHAPE.epochBlocks, `view blocks ${views}`);
    for (let number = 0; number <= Math.min(...views); number++) {
      const hashes = new Set(honest.map((index) => world.nodes[index]?.view?.blockByNumber(number)?.hashHex));
      assert.equal(hashes.size, 1, `view block ${number}`);
    }
    for (const index of honest) {
      const node = world.nodes[index];
      const entry = node?.beacon.state.records.find(({ record }) => record.shard === SHARD);
      const chain = node?.shards.chains.get(SHARD);
      assert.ok(node !== undefined && entry !== undefined && chain !== undefined);
      assert.ok(chain.instance.epoch >= 2, `node ${index} is in epoch ${chain.instance.epoch}`);
      assert.ok(chain.blocks.committed.facts.height > 10, `node ${index} is at ${chain.blocks.committed.facts.height}`);
    }
    const accused = new Set(honest.flatMap((index) => world.nodes[index]?.evidence.of(SHARD).flatMap(({ guilty }) => guilty) ?? []));
    assert.deepEqual([...accused].sort(), [...traitors].sort(), 'both traitors are accused, and nobody else');
    const roots = new Set(
      honest.map((index) => {
        const version =
          world.nodes[index]?.view?.head.block.header.number === Math.min(...views) ? world.nodes[index]?.view?.head.world.root : undefined;
        return version === undefined ? undefined : bytesToHex(version);
      }),
    );
    roots.delete(undefined);
    assert.equal(roots.size, 1);
    await world.stop();
  });
});
