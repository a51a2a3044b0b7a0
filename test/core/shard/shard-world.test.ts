// Many shards by the rules for a chain with a beacon: whatever order and delay things happen in, what leaders build is valid, nothing is lost,
// taken twice or out of order, and a workload that settles ends the same under every layout.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { PARAMETERS } from '../execution/block-setup.ts';
import { drawFrom } from '../protocol/generate-value.ts';
import { CLIENTS, nextTransaction, type Workload } from './shard-workload.ts';
import { countEverything, newWorld, type ShardWorld, settle, step, submit } from './shard-world.ts';

const LAYOUTS: readonly (readonly number[])[] = [[1], [2, 3], [4, 5, 6, 7], [8, 9, 5, 3]];
const STEPS = 80;
/** Small, so that shares, rations and prices are felt; epochs end several times in a run. */
const TIGHT = { ...PARAMETERS, blockGasLimit: 900_000, inboxGasShare: 500_000, transactionGasLimitMax: 400_000, epochBlocks: 9 };
const SETTLING_TRANSACTIONS = 24;

async function settleOneByOne(
  layout: readonly number[],
  seed: number,
): Promise<{ world: ShardWorld; balances: ReadonlyMap<string, bigint> }> {
  const draw = drawFrom(seed);
  const world = await newWorld(layout, CLIENTS);
  const workload: Workload = { nonces: new Map(), contracts: [] };
  for (let n = 0; n < SETTLING_TRANSACTIONS; n++) {
    submit(world, nextTransaction(workload, draw));
    await settle(world);
  }
  return { world, balances: await countEverything(world) };
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

  it('ends in the same balances under every layout', async () => {
    const [whole, ...others] = await Promise.all(LAYOUTS.map((layout) => settleOneByOne(layout, 1)));
    for (const { world, balances } of others) {
      assert.deepEqual(new Map([...balances].sort()), new Map([...(whole?.balances ?? [])].sort()));
      assert.equal(world.paidWei, whole?.world.paidWei);
    }
  });
});
