// A contract's shard is handed over while what it sent is under way: the sender's instance closes and the next begins with a call, a reply or a
// bounce between the shards, then the target's, at every point of the way. All comes to what it comes to where nothing is handed over.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import { placementOfFamily } from '../../../src/core/messaging/placement.ts';
import { concatBytes } from '../../../src/core/primitives/bytes.ts';
import type { Address } from '../../../src/core/primitives/ids.ts';
import { isUnder } from '../../../src/core/protocol/shard-id.ts';
import { CONTRACTS, deploying } from '../../../src/simulation/contracts.ts';
import { PARAMETERS, transactionOf } from '../execution/block-setup.ts';
import { countEverything, worldRootNow } from './count-world.ts';
import { addressesIn } from './shard-setup.ts';
import { makeBeaconBlock, makeBlock, newWorld, type ShardWorld, settle, shardAt, submit } from './shard-world.ts';

const [OURS, THEIRS] = [2, 3] as const;
const EPOCH_BLOCKS = 10;
const SHORT = { ...PARAMETERS, epochBlocks: EPOCH_BLOCKS };
/** Far more than a call, its reply and a handover take. */
const ROUNDS_MAX = 200;
const VALUE_WEI = 1_000n;

const [ours, theirs] = [addressesIn(OURS, 24), addressesIn(THEIRS, 24)];
/** The owner of a contract whose natural place is in a shard. */
const ownerOf = (from: readonly Address[], shard: number, skip = 0): Address =>
  from.filter((address) => isUnder(placementOfFamily(createdAddressOf(address, 0n)), shard))[skip] as Address;
/** The contract that sends has its natural place at home; of those that it calls one has too, and what it sends the other is forwarded. */
const DEPLOYED = {
  asker: ownerOf(ours, OURS),
  counter: ownerOf(theirs, THEIRS),
  refuser: ownerOf(theirs, OURS),
} as const;
const CLIENTS = ours.filter((address) => address !== DEPLOYED.asker).slice(0, 2);
const addressOfContract = (name: keyof typeof DEPLOYED): Address => createdAddressOf(DEPLOYED[name], 0n);

/** In which rounds of the beacon a shard makes a block. */
interface Pace {
  readonly ours: number;
  readonly theirs: number;
}

async function newPair(layout: readonly number[]): Promise<ShardWorld> {
  const world = await newWorld(layout, [...Object.values(DEPLOYED), ...CLIENTS], SHORT);
  for (const name of ['asker', 'counter', 'refuser'] as const)
    submit(world, transactionOf({ sender: DEPLOYED[name], data: deploying(CONTRACTS[name]), gasLimit: 150_000 }));
  await settle(world);
  return world;
}

function ask(world: ShardWorld): void {
  for (const [client, target] of [
    [0, 'counter'],
    [1, 'refuser'],
  ] as const) {
    const data = concatBytes(new Uint8Array(12), addressOfContract(target));
    const sender = CLIENTS[client] as Address;
    submit(world, transactionOf({ sender, to: addressOfContract('asker'), data, valueWei: VALUE_WEI, gasLimit: 250_000 }));
  }
}

/** One block of each shard whose turn it is, and a beacon block that anchors all; gives which shards began a new instance. */
async function round(world: ShardWorld, pace: Pace): Promise<readonly number[]> {
  const height = world.views.length;
  const shards = [...world.shards].filter(([shard]) => height % (shard === OURS ? pace.ours : pace.theirs) === 0).map(([, of]) => of);
  for (const shard of shards) await makeBlock(world, shard, (below) => below - 1);
  const before = shards.map(({ instance }) => instance);
  makeBeaconBlock(
    world,
    shards.map((shard) => [shard, shard.pending.length]),
  );
  return shards.filter(({ instance }, place) => instance !== before[place]).map(({ instance }) => instance.shard);
}

describe('a shard that is handed over while messages of its contracts are under way', () => {
  before(() => initialiseKeccak());

  it('has them arrive once, with their replies and bounces, as if nothing had been handed over', async (context) => {
    const undisturbed = await newPair([1]);
    ask(undisturbed);
    await settle(undisturbed);
    const expected = await countEverything(undisturbed);
    const seen = new Map<string, number>();
    for (const pace of [
      { ours: 1, theirs: 1 },
      { ours: 3, theirs: 1 },
      { ours: 1, theirs: 3 },
    ]) {
      for (let start = 0; start < EPOCH_BLOCKS; start++) {
        const world = await newPair([OURS, THEIRS]);
        while (world.views.length % EPOCH_BLOCKS !== start) await round(world, { ours: 1, theirs: 1 });
        ask(world);
        const isAtRest = (): boolean => world.underWay.size === 0 && shardAt(world, OURS).pool.length === 0;
        for (let made = 0; !isAtRest(); made++) {
          assert.ok(made < ROUNDS_MAX, 'all that is under way arrives');
          const underWay = new Map(world.underWay);
          for (const shard of await round(world, pace)) {
            for (const [place, { kind }] of underWay) {
              if (!world.underWay.has(place)) continue;
              const what = `${kind}, shard ${shard} handed over`;
              seen.set(what, (seen.get(what) ?? 0) + 1);
            }
          }
          await countEverything(world);
        }
        const what = `from ${start} on, at ${JSON.stringify(pace)}`;
        assert.deepEqual(new Map([...(await countEverything(world))].sort()), new Map([...expected].sort()), what);
        assert.deepEqual(worldRootNow(world), worldRootNow(undisturbed), what);
        assert.equal(world.paidWei, undisturbed.paidWei);
        assert.deepEqual([world.items.get('reply success'), world.items.get('bounce success')], [1, 1], what);
      }
    }
    context.diagnostic([...seen].map(([what, count]) => `${what} ${count}`).join('; '));
    for (const kind of ['call', 'reply', 'bounce'])
      for (const shard of [OURS, THEIRS])
        assert.ok(seen.has(`${kind}, shard ${shard} handed over`), `a ${kind} met the end of shard ${shard}`);
  });
});
