// A whole network of shards as the lanes see it, told naively: records that split, merge, are renewed and are taken over at any time, each with
// the layout of its own start; a beacon that anchors what they sent; leaders that read what they like of what they have. Every message is one
// object that knows whether it was taken, so that what cursors say can be compared with what is.
import assert from 'node:assert/strict';
import type { HeldBundle } from '../../../src/core/messaging/held-bundle.ts';
import { type Anchor, type BundleName, bundleNameOf, type LaneSource, type LaneView } from '../../../src/core/messaging/lane-view.ts';
import type { RecordCursors } from '../../../src/core/messaging/retention.ts';
import type { Cursor } from '../../../src/core/protocol/block.ts';
import type { BundleIndex, OutboxSummary } from '../../../src/core/protocol/outbox.ts';
import { childrenOf, comparePlaces, contains, depthOf, intersects, parentOf, siblingOf } from '../../../src/core/protocol/shard-id.ts';
import type { Draw } from '../protocol/generate-value.ts';
import type { LaneRules } from './lane-rules.ts';

/** Layouts go so deep, and have at most so many shards. */
const DEPTH_MAX = 4;
const SHARDS_MAX = 8;

export interface WorldMessage {
  readonly source: number;
  readonly height: number;
  readonly placement: number;
  /** Names it where only its encoding is seen. */
  readonly name: string;
  /** Among all messages of its outbox. */
  position: number;
  isTaken: boolean;
  isVoid: boolean;
}

export interface WorldOutbox {
  readonly source: number;
  readonly height: number;
  readonly summary: OutboxSummary;
  readonly bundles: readonly (readonly WorldMessage[])[];
  readonly indexes: readonly BundleIndex[];
  /** Only where messages are real. */
  readonly held: readonly HeldBundle[];
  anchor: Anchor | undefined;
}

export interface WorldBlock {
  readonly height: number;
  readonly reference: number;
  readonly cursors: readonly Cursor[];
  readonly taken: readonly WorldMessage[];
  readonly outbox: WorldOutbox | undefined;
}

export interface WorldRecord {
  readonly shard: number;
  readonly layout: ReadonlySet<number>;
  readonly height: number;
  readonly beaconHeight: number;
  readonly cursors: readonly Cursor[];
  readonly blocks: WorldBlock[];
  /** Headers; the last of them commits the execution of the block before it. */
  crosslinked: number;
  closing: { readonly cursors: readonly Cursor[]; readonly height: number } | undefined;
}

interface ListedSource {
  readonly shard: number;
  startHeight: number;
  isRetired: boolean;
  lastAnchoredHeight: number;
  lastBundleHeight: number;
  outboxes: readonly WorldOutbox[];
}

export interface World {
  readonly rules: LaneRules;
  readonly draw: Draw;
  target: ReadonlySet<number>;
  records: WorldRecord[];
  readonly sources: Map<number, ListedSource>;
  /** By beacon height. */
  readonly views: LaneView[];
  readonly outboxes: Map<string, WorldOutbox>;
  readonly indexes: Map<BundleName, BundleIndex>;
  /** By source, in the order of (height, bundle, index). */
  readonly messages: Map<number, WorldMessage[]>;
  readonly seen: Set<string>;
}

export function makeWorld(draw: Draw, rules: LaneRules): World {
  let target: ReadonlySet<number> = new Set([1]);
  for (let splits = draw(4); splits > 0; splits--) target = reshaped(target, draw);
  const world: World = {
    rules,
    draw,
    target,
    records: [...target].map((shard) => recordOf(shard, target, draw(3), 0, [])),
    sources: new Map(),
    views: [],
    outboxes: new Map(),
    indexes: new Map(),
    messages: new Map(),
    seen: new Set(),
  };
  endBeaconBlock(world);
  return world;
}

function recordOf(
  shard: number,
  layout: ReadonlySet<number>,
  height: number,
  beaconHeight: number,
  cursors: readonly Cursor[],
): WorldRecord {
  return { shard, layout, height, beaconHeight, cursors, blocks: [], crosslinked: 0, closing: undefined };
}

/** Another layout: one shard split, or two siblings merged. */
export function reshaped(layout: ReadonlySet<number>, draw: Draw): ReadonlySet<number> {
  const shards = [...layout];
  const shard = shards[draw(shards.length)] as number;
  if (draw(2) === 0 && layout.has(siblingOf(shard)) && shard !== 1) {
    return new Set([...shards.filter((other) => other !== shard && other !== siblingOf(shard)), parentOf(shard)]);
  }
  if (depthOf(shard) === DEPTH_MAX || shards.length === SHARDS_MAX) return layout;
  return new Set([...shards.filter((other) => other !== shard), ...childrenOf(shard)]);
}

/** The cursors that the next block of the record has from its parent. */
export function parentCursorsOf(record: WorldRecord): readonly Cursor[] {
  return record.blocks.at(-1)?.cursors ?? record.cursors;
}

/** What the crosslinked headers commit. */
function anchoredCursorsOf({ blocks, crosslinked, cursors }: WorldRecord): readonly Cursor[] {
  return crosslinked < 2 ? cursors : (blocks[crosslinked - 2] as WorldBlock).cursors;
}

/** One beacon block: these crosslinks, then these closings, replacements and the list of sources. */
export function makeBeaconBlock(world: World, crosslinks: ReadonlyMap<WorldRecord, number>, closings: readonly WorldRecord[]): void {
  let operationIndex = 0;
  for (const [record, headers] of crosslinks) crosslink(world, record, headers, operationIndex++);
  for (const record of closings) closeRecord(world, record);
  replaceRecords(world);
  endBeaconBlock(world);
}

function crosslink(world: World, record: WorldRecord, headers: number, operationIndex: number): void {
  const source = world.sources.get(record.shard) as ListedSource;
  for (; record.crosslinked < headers; record.crosslinked++) {
    const header = record.blocks[record.crosslinked] as WorldBlock;
    source.lastAnchoredHeight = header.height - 1;
    const outbox = record.blocks[record.crosslinked - 1]?.outbox;
    if (outbox === undefined) continue;
    outbox.anchor = { beaconHeight: world.views.length, operationIndex, headerHeight: header.height };
    source.outboxes = [...source.outboxes, outbox];
    source.lastBundleHeight = outbox.height;
  }
}

// At the last crosslinked header X. The state is the one that X commits: what X and the blocks behind it read and sent is void.
function closeRecord(world: World, record: WorldRecord): void {
  const { blocks, crosslinked } = record;
  for (const { taken, outbox } of blocks.slice(Math.max(0, crosslinked - 1))) {
    for (const message of taken) message.isTaken = false;
    for (const message of outbox?.bundles.flat() ?? []) message.isVoid = true;
  }
  const own = world.rules.voidsLastBody ? undefined : blocks[crosslinked - 1]?.cursors;
  record.closing = { cursors: own ?? anchoredCursorsOf(record), height: record.height + crosslinked };
}

function replaceRecords(world: World): void {
  const { records, target, rules } = world;
  const now = world.views.length;
  const replaced = new Set<WorldRecord>();
  const made: WorldRecord[] = [];
  for (const shard of [...target].sort(comparePlaces)) {
    const before = records.filter((record) => intersects(record.shard, shard));
    if (before.some(({ closing }) => closing === undefined)) continue;
    for (const record of before) replaced.add(record);
    const closed = before.map(({ closing }) => closing?.cursors ?? []);
    const [only] = before;
    const isPart = only !== undefined && before.length === 1 && only.shard !== shard && contains(only.shard, shard);
    const cursors = isPart ? rules.narrow(closed[0] ?? [], shard) : rules.join(closed);
    const height = Math.max(...before.map(({ closing }) => closing?.height ?? 0));
    made.push(recordOf(shard, target, height, now, cursors));
  }
  world.records = [...records.filter((record) => !replaced.has(record)), ...made];
}

function endBeaconBlock(world: World): void {
  const { sources, records, rules } = world;
  for (const record of records) {
    const listed = sources.get(record.shard);
    if (listed === undefined) {
      const { shard, height } = record;
      sources.set(shard, {
        shard,
        startHeight: height,
        isRetired: false,
        lastAnchoredHeight: height,
        lastBundleHeight: height,
        outboxes: [],
      });
    } else if (!rules.keepsStartHeight && record.beaconHeight === world.views.length) listed.startHeight = record.height;
  }
  const anchored: RecordCursors[] = records.map((record) => ({ shard: record.shard, cursors: anchoredCursorsOf(record) }));
  for (const source of [...sources.values()]) {
    source.isRetired = !records.some(({ shard }) => shard === source.shard);
    source.outboxes = source.outboxes.filter(
      ({ height, summary }) =>
        !summary.bundles.every(({ destination }) => rules.mayForgetBundle(source.shard, height, destination, anchored)),
    );
    if (source.isRetired && rules.mayUnlist(source.shard, source.lastBundleHeight, anchored)) sources.delete(source.shard);
  }
  world.views.push(viewOf(world));
}

function viewOf(world: World): LaneView {
  const listed = [...world.sources.values()].sort((a, b) => a.shard - b.shard);
  return {
    sources: listed.map(({ shard, startHeight, lastAnchoredHeight, outboxes }): LaneSource => {
      const anchored = outboxes.map(({ height, summary, anchor }) => ({ height, summary, anchor: anchor as Anchor }));
      return { shard, startHeight, lastAnchoredHeight, outboxes: anchored };
    }),
  };
}

/** A block was made: what it sent is remembered in the order of its lanes. */
export function addBlock(world: World, record: WorldRecord, block: WorldBlock): void {
  record.blocks.push(block);
  const { outbox } = block;
  if (outbox === undefined) return;
  world.outboxes.set(`${outbox.source}/${outbox.height}`, outbox);
  const ofSource = world.messages.get(outbox.source) ?? [];
  for (const [position, message] of outbox.bundles.flat().entries()) {
    message.position = position;
    ofSource.push(message);
  }
  world.messages.set(outbox.source, ofSource);
  for (const [bundle, index] of outbox.indexes.entries()) {
    world.indexes.set(bundleNameOf({ source: outbox.source, height: outbox.height, bundle }), index);
  }
}

/** A message is executed: never before, and after all that its own family's place was sent before by the same source or one of its line. */
export function take(world: World, message: WorldMessage, shard: number, reference: number): void {
  const where = `${message.source}/${message.height} to ${message.placement} in shard ${shard}`;
  assert.ok(!message.isTaken, `${where}: taken twice`);
  assert.ok(!message.isVoid, `${where}: void`);
  assert.ok(shard === 1 || message.placement >>> (16 - depthOf(shard)) === shard - 2 ** depthOf(shard), `${where}: of another shard`);
  const outbox = world.outboxes.get(`${message.source}/${message.height}`);
  assert.ok((outbox?.anchor?.beaconHeight ?? Number.POSITIVE_INFINITY) <= reference, `${where}: not anchored`);
  for (const [source, messages] of world.messages) {
    if (!intersects(source, message.source)) continue;
    for (const other of messages) {
      if (other === message && source === message.source) break;
      const isEarlier = source === message.source || other.height < message.height;
      const isWaiting = isEarlier && !other.isTaken && !other.isVoid && other.placement === message.placement;
      assert.ok(!isWaiting, `${where}: before one of ${other.source}/${other.height}`);
    }
  }
  message.isTaken = true;
}

/** What the cursors say is what is: they cover the shard once, and stand where the messages that were taken end. */
export function checkCursors(
  world: World,
  shard: number,
  cursors: readonly Cursor[],
  reference: number,
  carried: ReadonlySet<BundleName>,
): void {
  const view = world.views[reference] as LaneView;
  assert.deepEqual(
    [...new Set(cursors.map(({ source }) => source))],
    view.sources.map((source) => source.shard),
    'cursors of all listed sources',
  );
  for (const source of view.sources) {
    const ofSource = cursors.filter((cursor) => cursor.source === source.shard);
    const size = ofSource.reduce((sum, { prefix }) => sum + 2 ** -depthOf(prefix), 0);
    assert.ok(ofSource.every(({ prefix }) => contains(shard, prefix)) && size === 2 ** -depthOf(shard), 'prefixes cover the shard');
    for (const cursor of ofSource) {
      checkCursor(world, cursor, source, reference, carried);
      const beside = ofSource.find(({ prefix }) => prefix === siblingOf(cursor.prefix) && prefix !== cursor.prefix);
      const folds = beside?.height === cursor.height && cursor.index === 0 && beside.index === 0;
      assert.ok(!folds, 'siblings at one height are folded');
    }
  }
}

function checkCursor(world: World, cursor: Cursor, source: LaneSource, reference: number, carried: ReadonlySet<BundleName>): void {
  const { prefix, height, index } = cursor;
  const says = `cursor ${cursor.source}/${prefix} at ${height}, ${index}`;
  let unreadAtHeight = 0;
  for (const message of world.messages.get(cursor.source) ?? []) {
    const { isVoid, placement } = message;
    const outbox = world.outboxes.get(`${message.source}/${message.height}`) as WorldOutbox;
    const isAnchored = (outbox.anchor?.beaconHeight ?? Number.POSITIVE_INFINITY) <= reference;
    if (isVoid || !isAnchored || placement >>> (16 - depthOf(prefix)) !== prefix - 2 ** depthOf(prefix)) continue;
    const isRead = message.height < height || (message.height === height && message.position < index);
    assert.equal(message.isTaken, isRead, `${says}: a message of ${message.height}`);
    if (message.height === height && !isRead) unreadAtHeight++;
  }
  const end = Math.max(source.lastAnchoredHeight, source.startHeight) + 1;
  if (height === end) return;
  const outbox = world.outboxes.get(`${cursor.source}/${height}`);
  assert.ok(index <= (outbox?.bundles.flat().length ?? 0), `${says}: more than there is`);
  const isHidden =
    outbox?.summary.bundles.some(({ destination }, bundle) => {
      const isWide = destination !== prefix && contains(destination, prefix);
      return isWide && !carried.has(bundleNameOf({ source: cursor.source, height, bundle }));
    }) ?? false;
  assert.ok(height < end && (unreadAtHeight > 0 || isHidden), `${says}: not stepped on`);
}
