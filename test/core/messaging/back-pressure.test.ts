// How much waits for a shard, how much more may be sent there, and how long what was sent is kept.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backlogOf, hasTurn, rationOf } from '../../../src/core/messaging/congestion.ts';
import { mayForgetBundle, mayUnlist } from '../../../src/core/messaging/retention.ts';
import { MESSAGE_GAS } from '../../../src/core/protocol/gas.ts';
import { cursorAt, sourceOf } from './anchored-lanes.ts';
import { familiesIn, messageTo } from './messages.ts';

const to = (shard: number, gasLimit: number) => messageTo(familiesIn(shard, 1)[0] as Uint8Array, gasLimit, { gasLimit });
const GAS = [1_000, 3_000, 8_000, 500];
const [a, b, c, d] = GAS.map((gas) => MESSAGE_GAS + gas) as [number, number, number, number];

describe('the backlog of a shard', () => {
  const { source } = sourceOf(3, 6, [
    { height: 4, layout: [4, 5, 3], messages: [to(4, 1_000), to(5, 3_000)] },
    { height: 6, layout: [2, 3], messages: [to(4, 8_000), to(5, 500)] },
    { height: 7, layout: [2, 3], messages: [to(4, 1)] },
  ]);
  const view = { sources: [source] };

  it('is the weight of what is anchored and unread, without what is for others', () => {
    assert.equal(backlogOf(2, [cursorAt(3, 2, 1)], view), a + b + c + d);
    assert.equal(backlogOf(2, [cursorAt(3, 2, 5)], view), c + d);
    assert.equal(backlogOf(2, [cursorAt(3, 2, 7)], view), 0);
    assert.equal(backlogOf(7, [cursorAt(3, 7, 1)], view), 0);
  });

  it('counts the rest of a bundle read in part as its share of the messages, rounded up', () => {
    assert.equal(backlogOf(2, [cursorAt(3, 2, 4, 1)], view), b + c + d);
    assert.equal(backlogOf(2, [cursorAt(3, 2, 6, 1)], view), Math.ceil((c + d) / 2));
  });

  it('counts of a bundle wider than the shard all that stands behind the cursor, until it is passed', () => {
    assert.equal(backlogOf(4, [cursorAt(3, 4, 1)], view), a + c + d);
    assert.equal(backlogOf(4, [cursorAt(3, 4, 6, 1)], view), Math.ceil((c + d) / 2));
    assert.equal(backlogOf(4, [cursorAt(3, 4, 7)], view), 0);
  });

  it('counts no bundle twice where two cursors of the shard read it', () => {
    assert.equal(backlogOf(2, [cursorAt(3, 4, 6), cursorAt(3, 5, 4)], view), b + c + d);
    assert.equal(backlogOf(2, [cursorAt(3, 4, 6, 1), cursorAt(3, 5, 6, 1)], view), Math.ceil((c + d) / 2));
    assert.equal(backlogOf(2, [cursorAt(3, 4, 6, 2), cursorAt(3, 5, 6, 1)], view), Math.ceil((c + d) / 2));
    assert.equal(backlogOf(2, [cursorAt(3, 4, 7), cursorAt(3, 5, 6)], view), c + d, 'of what the left read nobody knows');
  });
});

describe('a ration', () => {
  const ration = (backlog: number, listedSources: number, hasTurn = false) =>
    rationOf({ inboxGasShare: 100, transactionGasLimitMax: 80, backlog, listedSources, hasTurn });

  it('is eight inboxes less the backlog, shared among the sources, and never negative', () => {
    assert.deepEqual([ration(0, 1), ration(300, 3), ration(799, 2), ration(801, 2)], [800, 166, 0, 0]);
  });

  it('has room for the largest transaction at the source’s turn, as far as the queue has it', () => {
    assert.deepEqual([ration(0, 64), ration(0, 64, true), ration(0, 10, true), ration(0, 9, true)], [12, 80, 80, 88]);
    assert.deepEqual([ration(730, 64, true), ration(799, 64, true), ration(800, 64, true), ration(801, 64, true)], [70, 1, 0, 0]);
  });

  it('is at its turn for each source once in as many heights as there are sources', () => {
    const sources = [4, 5, 3].map((shard) => ({ shard, startHeight: 0, lastAnchoredHeight: 0, outboxes: [] }));
    const turns = [4, 5, 3, 7].map((shard) => [6, 7, 8, 9, 10, 11].filter((height) => hasTurn(shard, height, sources)));
    assert.deepEqual(turns, [[6, 9], [7, 10], [8, 11], []]);
    assert.equal(hasTurn(4, 6, []), false);
  });
});

describe('a bundle to shard 2, sent at height 5, is kept', () => {
  const may = (...records: readonly (readonly [number, readonly ReturnType<typeof cursorAt>[]])[]) =>
    mayForgetBundle(
      3,
      5,
      2,
      records.map(([shard, cursors]) => ({ shard, cursors })),
    );

  it('until every cursor that reads it has passed', () => {
    assert.equal(may([2, [cursorAt(3, 2, 5)]]), false);
    assert.equal(may([2, [cursorAt(3, 2, 6)]], [3, []]), true);
    assert.equal(may([2, [cursorAt(3, 4, 6), cursorAt(3, 5, 5, 7)]]), false);
    assert.equal(may([4, [cursorAt(3, 4, 6)]], [5, [cursorAt(3, 5, 5)]]), false);
    assert.equal(may([1, [cursorAt(3, 2, 6), cursorAt(3, 3, 2)]]), true);
  });

  it('where a cursor is missing', () => {
    assert.equal(may([2, []]), false);
    assert.equal(may([2, [cursorAt(3, 4, 6)]]), false);
    assert.equal(may([4, [cursorAt(3, 4, 6)]], [5, [cursorAt(6, 5, 9)]]), false);
    assert.equal(may(), false);
  });

  it('and one to the beacon is nobody’s to forget here', () => {
    assert.equal(mayForgetBundle(3, 5, 0, [{ shard: 1, cursors: [cursorAt(3, 1, 9)] }]), false);
  });
});

describe('a retired source stays listed', () => {
  it('until every record has passed its last bundle, with cursors for all of its shard', () => {
    const records = (...cursors: ReturnType<typeof cursorAt>[]) => [
      { shard: 2, cursors: [cursorAt(7, 2, 9)] },
      { shard: 3, cursors },
    ];
    assert.equal(mayUnlist(7, 8, records(cursorAt(7, 3, 9))), true);
    assert.equal(mayUnlist(7, 8, records(cursorAt(7, 3, 8, 2))), false);
    assert.equal(mayUnlist(7, 8, records(cursorAt(7, 6, 9))), false);
    assert.equal(mayUnlist(7, 8, records()), false);
  });
});
