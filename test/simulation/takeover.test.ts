// Takeovers while a network runs, with all checks on: a shard's committee is silent for the whole grace, or its only member cut off with what it alone has
// committed; the beacon closes the shard's record at its last crosslinked header, and whoever had more goes back to that and on with the others.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { readPreset } from '../../src/node/genesis-file.ts';
import type { ChainShape } from '../../src/simulation/chain-shape.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import { runSchedule } from '../../src/simulation/schedule.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { prepareHashes } from './hashes.ts';

const ALL = [0, 1, 2, 3];
const SHAPE: ChainShape = { layout: [2, 3], epochBlocks: 4, beaconIntervalMs: 250, takeoverGraceBlocks: 4 };
/** One seat a committee: who is cut off goes on alone, and has much to undo. */
const ALONE: ChainShape = { ...SHAPE, committeeSeats: 1 };

/** Blocks that each takeover made void on a node, in the order of the log. */
async function voidBlocksIn(seed: number, shape: ChainShape, faults: readonly Fault[]): Promise<readonly number[]> {
  const options = { seed, nodes: 4, crypto: standInCrypto(), preset: readPreset('devnet'), dishonest: [], exactClocks: true };
  const report = await runSchedule({ ...options, shape, faults, faultsUntilMs: 4_200 });
  assert.equal(report.violation, undefined);
  return report.eventLog.flatMap((line) => {
    const [, blocks] = /instance taken over by the beacon .*"voidBlocks":(\d+)/.exec(line) ?? [];
    return blocks === undefined ? [] : [Number(blocks)];
  });
}

describe('takeovers', () => {
  before(() => prepareHashes());

  it('make void what the only member of a committee has committed while it was cut off', async () => {
    const faults: readonly Fault[] = [{ fromMs: 600, forMs: 3_400, what: { kind: 'partition', minority: [3], isSeen: true } }];
    const undone: number[] = [];
    // The committee of one is drawn by the seed: in some schedules it is not the validator that is cut off.
    for (let seed = 1; seed <= 8 && Math.max(0, ...undone) <= 10; seed++) undone.push(...(await voidBlocksIn(seed, ALONE, faults)));
    assert.ok(Math.max(...undone) > 10, `${undone}`);
  });

  it('do so with nodes that lose power or are killed at any write around it', async () => {
    const crashes = ALL.map((node): Fault => {
      const end = node % 2 === 0 ? 'power-lost' : 'killed';
      return { fromMs: 2_300, forMs: 1_500 + 100 * node, what: { kind: 'crash', node, end, trigger: 'while-writing' } };
    });
    const apart: Fault = { fromMs: 600, forMs: 2_900, what: { kind: 'partition', minority: [1], isSeen: true } };
    const undone = await voidBlocksIn(5, ALONE, [apart, ...crashes]);
    assert.ok(Math.min(...undone) > 10, `${undone}`);
  });

  it('come to a node that lacks the last header of what was taken over, and was away', async () => {
    const faults: readonly Fault[] = [
      { fromMs: 600, forMs: 3_000, what: { kind: 'silent-shard', shard: 2, nodes: [0, 1], heardBy: [2] } },
      { fromMs: 1_200, forMs: 2_500, what: { kind: 'partition', minority: [2], isSeen: false } },
    ];
    assert.ok((await voidBlocksIn(1, SHAPE, faults)).length > 0);
  });

  it('race the crosslinks of a committee that speaks again, with messages in any order', async () => {
    let takeovers = 0;
    for (const seed of [4, 5]) {
      const faults: readonly Fault[] = [
        { fromMs: 600, forMs: 1_500 + 100 * seed, what: { kind: 'silent-shard', shard: 2, nodes: ALL } },
        { fromMs: 700, forMs: 3_000, what: { kind: 'reordering', jitterMs: 300 } },
      ];
      takeovers += (await voidBlocksIn(seed, SHAPE, faults)).length;
    }
    assert.equal(takeovers, 4, 'one committee was taken over by each of four nodes, the other came in time');
  });
});
