// The comparison that the `kill -9` tests rest on: it must see a loss of any kind.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareFinal, type FinalBlock, type FinalReader } from '../system/final-blocks.ts';

const SEEN = new Map<number, FinalBlock>(
  [0, 1, 2, 3].map((number) => [
    number,
    { hash: `0xb${number}`, stateRoot: `0xa${number}`, transactions: [`0x${number}0`, `0x${number}1`] },
  ]),
);

function nodeThatHas(blocks: ReadonlyMap<number, FinalBlock>, status = '0x1'): FinalReader {
  return {
    block: async (number) => blocks.get(number),
    receipt: async (hash) => {
      const block = [...blocks.values()].find(({ transactions }) => transactions.includes(hash));
      return block === undefined ? undefined : { blockHash: block.hash, status };
    },
  };
}

describe('the comparison of final blocks', () => {
  it('loses nothing on a node that has everything, whatever else it has', async () => {
    const more = new Map(SEEN).set(4, { hash: '0xb4', stateRoot: '0xa4', transactions: [] });
    const { losses, ...figures } = await compareFinal(SEEN, nodeThatHas(more), 3);
    assert.deepEqual(figures, { blocks: 4, transactions: 8, receipts: 3, lost: 0 });
    assert.deepEqual(losses, []);
  });

  it('counts a missing block and its receipts', async () => {
    const fewer = new Map(SEEN);
    fewer.delete(3);
    const { lost, losses } = await compareFinal(SEEN, nodeThatHas(fewer), 3);
    assert.equal(lost, 3);
    assert.match(losses.join(), /block 3 is missing.*receipt of 0x30 is missing.*receipt of 0x31 is missing/);
  });

  it('counts a block of another hash, of another state and of other transactions', async () => {
    for (const other of [{ hash: '0xff' }, { stateRoot: '0xff' }, { transactions: ['0x21'] }]) {
      const changed = new Map(SEEN).set(2, { ...(SEEN.get(2) as FinalBlock), ...other });
      const { lost, losses } = await compareFinal(SEEN, nodeThatHas(changed), 0);
      assert.equal(lost, 1, JSON.stringify(other));
      assert.match(losses[0] ?? '', /^block 2 was /);
    }
  });

  it('counts a transaction that came to something else on another node or before', async () => {
    const statuses = new Map([['0x31', '0x1']]);
    assert.equal((await compareFinal(SEEN, nodeThatHas(SEEN), 3, statuses)).lost, 0);
    assert.equal((await compareFinal(SEEN, nodeThatHas(SEEN, '0x0'), 4, statuses)).lost, 3, 'one was never read');
  });
});
