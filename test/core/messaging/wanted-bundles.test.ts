// What a shard fetches is enough for its inbox, and no more than may be for it.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { verifyInbox } from '../../../src/core/messaging/inbox.ts';
import { bundleNameOf, type LaneView } from '../../../src/core/messaging/lane-view.ts';
import type { RecordCursors } from '../../../src/core/messaging/retention.ts';
import { selectInbox } from '../../../src/core/messaging/select-inbox.ts';
import { undeliveredBundles, WANTED_BUNDLES_MAX, type WantedBundle, wantedBundles } from '../../../src/core/messaging/wanted-bundles.ts';
import type { Cursor } from '../../../src/core/protocol/block.ts';
import { intersects } from '../../../src/core/protocol/shard-id.ts';
import { cursorAt, type Sent, sourceOf } from './anchored-lanes.ts';
import { familiesIn, messageTo } from './messages.ts';

const SHARE = { inboxGasShare: 20_000, inboxBytesShare: 16 * 1024 };
const NOTHING_HELD = new Map<string, never>();
const LAYOUTS = [
  [2, 3],
  [2, 6, 7],
  [4, 5, 3],
  [4, 5, 6, 7],
];

before(() => initialiseKeccak());

const namesOf = (wanted: readonly WantedBundle[]): readonly string[] => wanted.map(({ place }) => bundleNameOf(place));

/** One block's messages: to which quarter each goes, under which layout it went. */
const sentBlock = fc.record({ quarters: fc.array(fc.constantFrom(4, 5, 6, 7), { maxLength: 5 }), layout: fc.constantFrom(...LAYOUTS) });
const sourceBlocks = fc.array(sentBlock, { maxLength: 6 });
let families: ReadonlyMap<number, readonly Uint8Array[]>;

before(() => {
  families = new Map([4, 5, 6, 7].map((quarter) => [quarter, familiesIn(quarter, 5)]));
});

function sentOf(
  shard: number,
  blocks: readonly { readonly quarters: readonly number[]; readonly layout: readonly number[] }[],
): readonly Sent[] {
  return blocks.map(({ quarters, layout }, at) => {
    const others = quarters.filter((quarter) => !intersects(quarter, shard));
    const messages = others.map((quarter, n) => messageTo(families.get(quarter)?.[n] as Uint8Array, at * 10 + n));
    return { height: at + 1, layout, messages };
  });
}

describe('the bundles that a shard wants', () => {
  it('are all that its inbox takes: with these alone it is the same as with everything, block after block, until nothing is left', () => {
    fc.assert(
      fc.property(sourceBlocks, sourceBlocks, fc.constantFrom(2, 4, 5), (ofThree, ofRetired, shard) => {
        const three = sourceOf(3, ofThree.length, sentOf(3, ofThree));
        const retired = sourceOf(
          6,
          ofRetired.length,
          sentOf(
            6,
            ofRetired.map((block) => ({ ...block, layout: [2, 6, 7] })),
          ),
        );
        const view: LaneView = { sources: [three.source, retired.source] };
        const everything = new Map([...three.held, ...retired.held]);
        let parentCursors: readonly Cursor[] = [];
        for (let block = 0; block < 60; block++) {
          const input = { shard, parentCursors, view };
          const wanted = wantedBundles({ ...input, held: NOTHING_HELD });
          const fetched = new Map(namesOf(wanted).map((name) => [name, everything.get(name) as never]));
          assert.ok([...fetched.values()].every((bundle) => bundle !== undefined));
          const body = selectInbox({ ...input, share: SHARE, held: everything });
          assert.deepEqual(selectInbox({ ...input, share: SHARE, held: fetched }), body);
          assert.deepEqual(wantedBundles({ ...input, held: everything }), []);
          const taken = verifyInbox({ ...input, share: SHARE, body });
          assert.ok(taken.ok);
          parentCursors = taken.value.cursors;
          if (wanted.length === 0) return;
        }
        assert.fail('it comes to an end');
      }),
      { numRuns: 60 },
    );
  });

  it('are those before which a cursor stands, not those that it has passed', () => {
    const messages = [...familiesIn(4, 2), ...familiesIn(5, 2)].map((family, n) => messageTo(family, n));
    const { source } = sourceOf(3, 4, [
      { height: 2, layout: [4, 5, 3], messages },
      { height: 4, layout: [4, 5, 3], messages },
    ]);
    const at = (...cursor: [number, number?]) =>
      namesOf(wantedBundles({ shard: 2, parentCursors: [cursorAt(3, 2, ...cursor)], view: { sources: [source] }, held: NOTHING_HELD }));
    assert.deepEqual(at(1), ['3/2/0', '3/2/1', '3/4/0', '3/4/1']);
    assert.deepEqual(at(2, 1), ['3/2/0', '3/2/1', '3/4/0', '3/4/1']);
    assert.deepEqual(at(2, 2), ['3/2/1', '3/4/0', '3/4/1']);
    assert.deepEqual(at(3), ['3/4/0', '3/4/1']);
    assert.deepEqual(at(5), []);
  });

  it('are not those of others, but what is wider is wanted by each part', () => {
    const messages = [...familiesIn(4, 1), ...familiesIn(5, 1)].map((family, n) => messageTo(family, n));
    const { source } = sourceOf(3, 2, [
      { height: 1, layout: [2, 3], messages },
      { height: 2, layout: [4, 5, 3], messages },
    ]);
    const of = (shard: number) => namesOf(wantedBundles({ shard, parentCursors: [], view: { sources: [source] }, held: NOTHING_HELD }));
    assert.deepEqual(of(4), ['3/1/0', '3/2/0']);
    assert.deepEqual(of(5), ['3/1/0', '3/2/1']);
    assert.deepEqual(of(6), []);
  });

  it('are not those that are not anchored at the reference, nor what is held', () => {
    const messages = [messageTo(familiesIn(2, 1)[0] as Uint8Array, 1)];
    const sent = [1, 2, 3].map((height) => ({ height, layout: [2, 3], messages }));
    const { source } = sourceOf(3, 2, sent);
    const input = { shard: 2, parentCursors: [], view: { sources: [source] } };
    assert.deepEqual(namesOf(wantedBundles({ ...input, held: new Set(['3/1/0']) })), ['3/2/0']);
  });

  it('come in the order of their anchors, whatever source they are of', () => {
    const messages = [messageTo(familiesIn(2, 1)[0] as Uint8Array, 1)];
    const sent = (...anchors: readonly number[]): readonly Sent[] =>
      anchors.map((anchoredAt, at) => ({ height: at + 1, layout: [2, 6, 7], messages, anchoredAt }));
    const sources = [sourceOf(6, 2, sent(4, 7)).source, sourceOf(7, 2, sent(3, 7)).source];
    const wanted = wantedBundles({ shard: 2, parentCursors: [], view: { sources }, held: NOTHING_HELD });
    assert.deepEqual(namesOf(wanted), ['7/1/0', '6/1/0', '6/2/0', '7/2/0']);
  });

  it('are so many at once, the first that are taken', () => {
    const messages = [messageTo(familiesIn(2, 1)[0] as Uint8Array, 1)];
    const sent = Array.from({ length: WANTED_BUNDLES_MAX + 10 }, (_unused, at) => ({ height: at + 1, layout: [2, 3], messages }));
    const { source } = sourceOf(3, sent.length, sent);
    const wanted = wantedBundles({ shard: 2, parentCursors: [], view: { sources: [source] }, held: NOTHING_HELD });
    assert.equal(wanted.length, WANTED_BUNDLES_MAX);
    assert.deepEqual(wanted.at(-1)?.place.height, WANTED_BUNDLES_MAX);
  });
});

describe('the bundles that a source has to hold', () => {
  it('are those that somebody has still to read, and that are not here', () => {
    const messages = [4, 5].flatMap((quarter) => (families.get(quarter) ?? []).slice(0, 2)).map((family, n) => messageTo(family, n));
    const { source } = sourceOf(
      3,
      3,
      [1, 2, 3].map((height) => ({ height, layout: [4, 5, 3], messages })),
    );
    const readersAt = (left: number, right: number): readonly RecordCursors[] => [
      { shard: 4, cursors: [cursorAt(3, 4, left)] },
      { shard: 5, cursors: [cursorAt(3, 5, right)] },
      { shard: 3, cursors: [] },
    ];
    assert.deepEqual(namesOf(undeliveredBundles(source, readersAt(4, 4), NOTHING_HELD)), []);
    assert.deepEqual(namesOf(undeliveredBundles(source, readersAt(3, 2), NOTHING_HELD)), ['3/2/1', '3/3/0', '3/3/1']);
    assert.deepEqual(namesOf(undeliveredBundles(source, readersAt(3, 2), new Map([['3/3/0', undefined as never]]))), ['3/2/1', '3/3/1']);
    const withoutCursor = readersAt(4, 4).map((reader) => (reader.shard === 4 ? { ...reader, cursors: [] } : reader));
    assert.equal(undeliveredBundles(source, withoutCursor, NOTHING_HELD).length, 3, 'a missing cursor is not a passed one');
  });
});
