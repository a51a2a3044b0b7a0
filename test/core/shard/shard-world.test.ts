// Many shards by the rules for a chain with a beacon: whatever order and delay things happen in, what leaders build is valid, nothing is lost,
// taken twice or out of order, and a workload that settles ends the same under every layout.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import { PARAMETERS } from '../execution/block-setup.ts';
import { drawFrom } from '../protocol/generate-value.ts';
import { countEverything, worldRootNow } from './count-world.ts';
import { CLIENTS, nextTransaction, type Workload } from './shard-workload.ts';
import { newWorld, type ShardWorld, settle, step, submit } from './shard-world.ts';

before(() => installHashtree());

const LAYOUTS: readonly (readonly number[])[] = [[1], [2, 3], [4, 5, 6, 7], [8, 9, 5, 3]];
const STEPS = 80;
/** Small, so that shares, rations and prices are felt; epochs end several times in a run. */
const TIGHT = { ...PARAMETERS, blockGasLimit: 900_000, inboxGasShare: 500_000, transactionGasLimitMax: 400_000, epochBlocks: 9 };
const SETTLING_TRANSACTIONS = 40;
const SETTLING_SEEDS = [1, 2, 3, 4];

async function settleOneByOne(
  layout: readonly number[],
  seed: number,
): Promise<{ world: ShardWorld; leaves: ReadonlyMap<string, string> }> {
  const draw = drawFrom(seed);
  const world = await newWorld(layout, CLIENTS);
  const workload: Workload = { nonces: new Map(), contracts: [] };
  for (let n = 0; n < SETTLING_TRANSACTIONS; n++) {
    submit(world, nextTransaction(workload, draw));
    await settle(world);
  }
  return { world, leaves: await countEverything(world) };
}

/** Whoever has proved where its target is saves a forward; all else is the same. */
function executed({ items }: ShardWorld): ReadonlyMap<string, number> {
  return new Map([...items].filter(([item]) => !item.endsWith('forwarded')).sort());
}

describe('a network of shards', () => {
  before(() => initialiseKeccak());

  let crossedInAll = 0;
  let provedInAll = 0;
  for (const layout of LAYOUTS) {
    it(`of ${layout.join(', ')} conserves every wei at every step, and settles`, async () => {
      const draw = drawFrom(layout.length);
      const world = await newWorld(layout, CLIENTS, TIGHT);
      const workload: Workload = { nonces: new Map(), contracts: [] };
      for (let n = 0; n < STEPS; n++) {
        if (draw(2) === 0) submit(world, nextTransaction(workload, draw));
        await step(world, draw);
        await countEverything(world);
      }
      await settle(world);
      await countEverything(world);
      const { crossed, proved, closed } = world.seen;
      assert.ok(closed > 0, 'instances end and others begin');
      crossedInAll += crossed;
      provedInAll += proved;
    });
  }

  it('has had much to carry in these runs', () => {
    assert.ok(crossedInAll > 60 && provedInAll > 4, `${crossedInAll} messages crossed, ${provedInAll} pointers were proved`);
  });

  it('ends in the same state under every layout, account by account', async (context) => {
    const items = new Map<string, number>();
    for (const seed of SETTLING_SEEDS) {
      const whole = await settleOneByOne([1], seed);
      for (const [item, count] of whole.world.items) items.set(item, (items.get(item) ?? 0) + count);
      for (const layout of LAYOUTS.slice(1)) {
        const { world, leaves } = await settleOneByOne(layout, seed);
        assert.deepEqual(new Map([...leaves].sort()), new Map([...whole.leaves].sort()), `seed ${seed} under ${layout}`);
        assert.deepEqual(worldRootNow(world), worldRootNow(whole.world));
        assert.equal(world.paidWei, whole.world.paidWei);
        assert.deepEqual(executed(world), executed(whole.world));
      }
    }
    context.diagnostic([...items].map(([item, count]) => `${item} ${count}`).join(', '));
    for (const item of ['call success', 'call failure', 'reply failure', 'bounce success', 'pointer success', 'credit success'])
      assert.ok(items.has(item), `the workloads are varied enough to have a ${item}`);
  });
});
