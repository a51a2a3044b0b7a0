// One run of the world in lane-world.ts: random steps, then peace, in which everything must be read, forgotten and unlisted.
import assert from 'node:assert/strict';
import { backlogOf } from '../../../src/core/messaging/congestion.ts';
import { type BundleName, bundleNameOf, type LaneView } from '../../../src/core/messaging/lane-view.ts';
import { advanceLane, compareTakeKeys, type Lane, openLanes, refreshLane, takeKeyOf } from '../../../src/core/messaging/lanes.ts';
import { placementOfFamily } from '../../../src/core/messaging/placement.ts';

import { ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import type { Cursor } from '../../../src/core/protocol/block.ts';
import type { BundleIndex } from '../../../src/core/protocol/outbox.ts';
import { comparePlaces, isUnder, shardOfPlacement } from '../../../src/core/protocol/shard-id.ts';
import type { Draw } from '../protocol/generate-value.ts';
import type { LaneRules } from './lane-rules.ts';
import {
  addBlock,
  checkCursors,
  makeBeaconBlock,
  makeWorld,
  parentCursorsOf,
  reshaped,
  take,
  type World,
  type WorldMessage,
  type WorldOutbox,
  type WorldRecord,
} from './lane-world.ts';
import { familyOf } from './messages.ts';

/** Weight of every message: with one weight for all, a backlog is exact where no bundle is wide. */
const WEIGHT = 3_000;
const FAMILIES = Array.from({ length: 24 }, (_unused, at) => familyOf(at));
const CALM_ROUNDS_MAX = 80;

/** What a leader read, and how the messages it sent are packed: with rules alone, or with real messages and proofs. */
export interface LaneMachine {
  readonly emit: (source: number, height: number, families: readonly Uint8Array[], layout: ReadonlySet<number>, draw: Draw) => WorldOutbox;
  readonly read: (world: World, record: WorldRecord, reference: number, isCalm: boolean) => ReadResult;
}

export interface ReadResult {
  readonly taken: readonly WorldMessage[];
  readonly cursors: readonly Cursor[];
  readonly carried: ReadonlySet<BundleName>;
}

/** Throws where a rule of the lanes does not hold. */
export function runModel(draw: Draw, steps: number, rules: LaneRules, machine: LaneMachine): void {
  const world = makeWorld(draw, rules);
  for (let step = 0; step < steps; step++) {
    const choice = draw(12);
    if (choice < 7) makeBlock(world, machine, draw(3), false);
    else if (choice < 10) makeBeaconBlock(world, someCrosslinks(world), []);
    else if (choice === 10) world.target = reshaped(world.target, draw);
    else closeSome(world, machine);
  }
  calmDown(world, machine);
}

function openRecords(world: World): WorldRecord[] {
  return world.records.filter(({ closing }) => closing === undefined);
}

function makeBlock(world: World, machine: LaneMachine, emissions: number, isCalm: boolean, of?: WorldRecord): void {
  const open = openRecords(world);
  const record = of ?? open[world.draw(open.length)];
  if (record === undefined) return;
  const { shard, layout, blocks, beaconHeight } = record;
  const newest = world.views.length - 1;
  const oldest = blocks.at(-1)?.reference ?? beaconHeight;
  const reference = isCalm ? newest : oldest + world.draw(newest - oldest + 1);
  const height = record.height + blocks.length + 1;
  const read = machine.read(world, record, reference, isCalm);
  checkCursors(world, shard, read.cursors, reference, read.carried);
  const targets = Array.from({ length: emissions * world.draw(4) }, () => FAMILIES[world.draw(FAMILIES.length)] as Uint8Array);
  const foreign = targets.filter((family) => !isUnder(placementOfFamily(family), shard));
  const outbox = foreign.length === 0 ? undefined : machine.emit(shard, height, foreign, layout, world.draw);
  addBlock(world, record, { height, reference, cursors: read.cursors, taken: read.taken, outbox });
}

function someCrosslinks(world: World): Map<WorldRecord, number> {
  const links = new Map<WorldRecord, number>();
  for (const record of openRecords(world)) {
    const more = world.draw(record.blocks.length - record.crosslinked + 1);
    if (more > 0 && world.draw(3) > 0) links.set(record, record.crosslinked + more);
  }
  return links;
}

// Either the closing block, which has no body, is crosslinked with all before it, or the beacon takes over where the crosslinks end.
function closeSome(world: World, machine: LaneMachine): void {
  const closings = openRecords(world).filter(({ shard }) => world.draw(world.target.has(shard) ? 6 : 2) === 0);
  close(world, machine, closings, () => world.draw(3) > 0);
}

function close(world: World, machine: LaneMachine, closings: readonly WorldRecord[], isGraceful: () => boolean): void {
  const links = new Map<WorldRecord, number>();
  for (const record of closings) {
    if (!isGraceful()) continue;
    makeBlock(world, machine, 0, false, record);
    links.set(record, record.blocks.length);
  }
  makeBeaconBlock(world, links, closings);
}

function calmDown(world: World, machine: LaneMachine): void {
  const isDone = (): boolean =>
    [...world.messages.values()].every((messages) => messages.every(({ isTaken, isVoid }) => isTaken || isVoid)) &&
    [...world.sources.values()].every(({ isRetired, outboxes }) => !isRetired && outboxes.length === 0);
  for (let round = 0; round < CALM_ROUNDS_MAX; round++) {
    close(
      world,
      machine,
      openRecords(world).filter(({ shard }) => !world.target.has(shard)),
      () => true,
    );
    for (const record of openRecords(world)) makeBlock(world, machine, 0, true, record);
    makeBeaconBlock(world, new Map(openRecords(world).map((record) => [record, record.blocks.length])), []);
    if (isDone()) return;
  }
  assert.fail('something is never read, never forgotten or never unlisted');
}

/** Rules alone: bundles have no messages and no roots, and a leader takes what it likes. */
export const RULES_ALONE: LaneMachine = {
  emit(source, height, families, layout) {
    const messages = families.map((family, at): WorldMessage => {
      const placement = placementOfFamily(family);
      return { source, height, placement, name: `${source}/${height}/${at}`, position: 0, isTaken: false, isVoid: false };
    });
    const byDestination = Map.groupBy(messages, ({ placement }) => shardOfPlacement(layout, placement) as number);
    const bundles = [...byDestination].sort(([a], [b]) => comparePlaces(a, b));
    return {
      source,
      height,
      summary: {
        bundles: bundles.map(([destination, { length }]) => ({ destination, messageCount: length, weight: length * WEIGHT })),
        indexesRoot: ZERO_32,
      },
      bundles: bundles.map(([, ofBundle]) => ofBundle),
      indexes: bundles.map(([, ofBundle]) => ({ entries: ofBundle.map(({ placement }) => ({ messageHash: ZERO_32, placement })) })),
      held: [],
      anchor: undefined,
    };
  },

  read(world, record, reference, isCalm) {
    const { rules, draw } = world;
    const view = world.views[reference] as LaneView;
    const shown = new Map<BundleName, BundleIndex>();
    const known = rules.knownIndexesOf(shown);
    const cursors = rules.cursorsAtReference(parentCursorsOf(record), record.shard, view);
    checkBacklog(world, record.shard, cursors, view, reference);
    const lanes = openLanes(cursors, rules.viewSeen(view), known);
    const taken: WorldMessage[] = [];
    const stopped = new Set<Lane>();
    const budget = isCalm ? Number.POSITIVE_INFINITY : draw(8);
    for (let lane = firstLane(lanes, stopped); lane?.unread !== undefined; lane = firstLane(lanes, stopped)) {
      const { bundle, index, outbox } = lane.unread;
      const name = bundleNameOf({ source: lane.cursor.source, height: outbox.height, bundle });
      const isAvailable = isCalm || draw(5) > 0;
      if (!isAvailable || rules.hasEarlierUnread(lane, outbox.height) || taken.length >= budget) stopped.add(lane);
      else if (index === undefined) {
        shown.set(name, world.indexes.get(name) as BundleIndex);
        for (const other of lanes) refreshLane(other, known);
      } else {
        const message = world.outboxes.get(`${lane.cursor.source}/${outbox.height}`)?.bundles[bundle]?.[index];
        assert.ok(message !== undefined, 'what a cursor points at exists');
        take(world, message, record.shard, reference);
        taken.push(message);
        advanceLane(lane, known);
      }
    }
    return { taken, cursors: rules.closeLanes(lanes), carried: new Set(shown.keys()) };
  },
};

function firstLane(lanes: readonly Lane[], stopped: ReadonlySet<Lane>): Lane | undefined {
  return lanes
    .filter((lane) => lane.unread !== undefined && !stopped.has(lane))
    .sort((a, b) => (a.unread && b.unread ? compareTakeKeys(takeKeyOf(a.unread), takeKeyOf(b.unread)) : 0))[0];
}

function checkBacklog(world: World, shard: number, cursors: readonly Cursor[], view: LaneView, reference: number): void {
  let waiting = 0;
  let hasWide = false;
  for (const { source, height, bundles, summary, anchor } of world.outboxes.values()) {
    if ((anchor?.beaconHeight ?? Number.POSITIVE_INFINITY) > reference) continue;
    for (const [at, messages] of bundles.entries()) {
      const unread = messages.filter(({ isTaken, isVoid, placement }) => !isTaken && !isVoid && isUnder(placement, shard)).length;
      waiting += unread * WEIGHT;
      const destination = summary.bundles[at]?.destination ?? 0;
      hasWide ||= cursors.some((cursor) => cursor.source === source && cursor.height <= height && cursor.prefix > destination);
    }
  }
  const backlog = backlogOf(shard, cursors, view);
  assert.ok(hasWide ? backlog >= waiting : backlog === waiting, `backlog ${backlog}, and ${waiting} wait`);
}
