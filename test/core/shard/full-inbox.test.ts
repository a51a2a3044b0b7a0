// A full inbox for an hour: three shards offer a fourth far more than its inbox takes, across many handovers of all four. New transactions are
// rationed, and nothing else is: the queue stays bounded, lanes keep their order, other traffic goes on, every wei is there, what has been
// read is forgotten, and after the hour all of it drains.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import { placementOfFamily } from '../../../src/core/messaging/placement.ts';
import { concatBytes } from '../../../src/core/primitives/bytes.ts';
import type { Address } from '../../../src/core/primitives/ids.ts';
import { isUnder } from '../../../src/core/protocol/shard-id.ts';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import { CONTRACTS, deploying } from '../../../src/simulation/contracts.ts';
import { PARAMETERS, transactionOf } from '../execution/block-setup.ts';
import { drawFrom } from '../protocol/generate-value.ts';
import { countEverything } from './count-world.ts';
import { addressesIn } from './shard-setup.ts';
import { makeBeaconBlock, makeBlock, newWorld, type ShardWorld, settle, shardAt, submit } from './shard-world.ts';

before(() => installHashtree());

const [HOT, OFFERING] = [4, [5, 6, 7]] as const;
/** A slow beacon, so that an hour is few blocks; a share so small that little fills it, and too small a part of a block to move its price. */
const CROWDED = {
  ...PARAMETERS,
  blockGasLimit: 1_600_000,
  inboxGasShare: 200_000,
  transactionGasLimitMax: 200_000,
  epochBlocks: 40,
  beaconBlockIntervalMsMin: 5_000,
};
const HOUR_MS = 3_600_000;
const ROUNDS = HOUR_MS / CROWDED.beaconBlockIntervalMsMin;
/** At eight full inboxes nobody may add. */
const QUEUE_MAX = 8 * CROWDED.inboxGasShare;
/** References that give rations before what the first of them let in is anchored: three to choose among, then the header that commits it. */
const REFERENCES_AT_ONCE = 4;
/** After the last message, until headers commit and the beacon anchors that it was read. */
const LAST_ROUNDS = 3;
const CYCLES_MIN = 8;
const OFFERED = 6;
const COUNTED_EVERY = 40;

const hotAccounts = addressesIn(HOT, 30);
const offering = OFFERING.map((shard) => addressesIn(shard, OFFERED));
const [neighbour] = addressesIn(5, 1, 'neighbour') as [Address];
const [friend] = addressesIn(6, 1, 'friend') as [Address];
/** Whose first contract has its natural place in one of the offering shards: its senders need no proof of where it is, and are held back all the same. */
const OWNER = hotAccounts.find((address) => isUnder(placementOfFamily(createdAddressOf(address, 0n)), OFFERING[0])) as Address;

interface Crowd {
  readonly world: ShardWorld;
  readonly nonces: Map<Address, bigint>;
  readonly asker: Address;
}

async function newCrowd(): Promise<Crowd> {
  const world = await newWorld([HOT, ...OFFERING], [...hotAccounts, ...offering.flat(), neighbour, friend], CROWDED);
  submit(world, transactionOf({ sender: OWNER, data: deploying(CONTRACTS.asker), gasLimit: 150_000 }));
  await settle(world);
  return { world, nonces: new Map(), asker: createdAddressOf(OWNER, 0n) };
}

function nonceOf({ nonces }: Crowd, sender: Address): bigint {
  const nonce = nonces.get(sender) ?? 0n;
  nonces.set(sender, nonce + 1n);
  return nonce;
}

/** Coins, with gas for code that is not there; or a call that has the hot shard's contract send a message back, and wait for its reply. */
function offer(crowd: Crowd, sender: Address, n: number): void {
  const { world, asker } = crowd;
  const fields = { sender, nonce: nonceOf(crowd, sender), valueWei: 1n };
  const about = concatBytes(new Uint8Array(12), sender);
  if (n % 3 === 0) submit(world, transactionOf({ ...fields, to: asker, data: about, gasLimit: 180_000 }));
  else submit(world, transactionOf({ ...fields, to: hotAccounts[1 + (n % 3)] as Address, gasLimit: 60_000 + (n % 7) * 10_000 }));
}

describe('an inbox that is offered more than it takes for an hour', () => {
  before(() => initialiseKeccak());

  it('bounds its queue by rations of new transactions alone, keeps everything else going, and drains', async (context) => {
    const [crowd, draw] = [await newCrowd(), drawFrom(5)];
    const { world } = crowd;
    const shards = [...world.shards.values()];
    const waiting = (shard: number): number => shardAt(world, shard).pool.filter(({ sender }) => sender !== neighbour).length;
    const backlogAt = (height: number): number => world.views.at(height)?.shards.get(HOT)?.backlog ?? 0;
    const backlogs: number[] = [];
    let [offered, given, refused, bundlesMax] = [0, 0, 0, 0];
    const makeRound = async (): Promise<void> => {
      for (const shard of shards) {
        const before = waiting(shard.instance.shard);
        await makeBlock(world, shard, draw);
        const included = before - waiting(shard.instance.shard);
        if (included > 0) given++;
        if (backlogAt(shard.parent.referenceHeight) < QUEUE_MAX) continue;
        assert.equal(included, 0, 'a full queue has no ration for anybody');
        refused++;
      }
      makeBeaconBlock(
        world,
        shards.map((shard) => [shard, shard.pending.length]),
      );
      backlogs.push(backlogAt(-1));
      bundlesMax = Math.max(bundlesMax, world.bundles.size);
    };
    for (let round = 0; round < ROUNDS; round++) {
      for (const [place, shard] of OFFERING.entries())
        while (waiting(shard) < OFFERED) offer(crowd, offering[place]?.[offered % OFFERED] as Address, offered++);
      submit(world, transactionOf({ sender: neighbour, nonce: nonceOf(crowd, neighbour), to: friend, valueWei: 1n }));
      await makeRound();
      const left = shardAt(world, 5).pool.length - waiting(5);
      assert.ok(left <= 2, `${left} that go elsewhere wait: for a handover, and for nothing else`);
      if (round % COUNTED_EVERY === 0) await countEverything(world);
    }
    const turns = backlogs.filter((weight, at) => weight >= QUEUE_MAX !== (backlogs[at - 1] ?? 0) >= QUEUE_MAX).length;
    const most = Math.max(...backlogs);
    context.diagnostic(`${given} blocks sent there, ${refused} could not; the queue was ${most} at most and turned ${turns} times`);
    assert.ok(most < QUEUE_MAX * REFERENCES_AT_ONCE, `${most} in the queue`);
    assert.ok(turns >= 2 * CYCLES_MIN, 'rations go to nothing and come back');
    assert.ok(world.seen.closed > shards.length * CYCLES_MIN, 'instances end and others begin meanwhile');
    const price = world.views.at(-1)?.shards.get(HOT)?.baseFeePerGasWei;
    assert.equal(price, CROWDED.baseFeePerGasWeiMin, 'so it was not the price that held them back');
    await settle(world);
    for (let round = 0; round < LAST_ROUNDS; round++) await makeRound();
    await countEverything(world);
    assert.deepEqual([backlogAt(-1), world.underWay.size, world.bundles.size], [0, 0, 0], 'nothing waits, and nothing is kept');
    assert.ok(bundlesMax <= backlogs.length / CYCLES_MIN, `${bundlesMax} bundles were kept at once`);
    const executed = [...world.items].filter(([item]) => item.startsWith('main-call') && !item.endsWith('forwarded'));
    const sent = [...crowd.nonces.values()].reduce((sum, nonce) => sum + nonce, 1n);
    assert.equal(
      executed.reduce((sum, [, count]) => sum + BigInt(count), 0n),
      sent,
      'every transaction that was offered has run once',
    );
  });
});
