// What goes wrong in a schedule: each fault has its window of virtual time, after which everything is as before. A swarm draws them from
// the schedule's seed; several may overlap, and strike the same node.
import { createMemoryStore, type MemoryStore } from '../storage/memory-store.ts';
import type { End } from './disk.ts';
import { direction } from './links.ts';
import type { ClockError } from './node-clock.ts';
import type { SeededRandom } from './random.ts';
import { muteOf, type SilentShard } from './silent-shard.ts';
import type { World } from './world.ts';

/** When a process ends: at once, at its next write to disk, or when it next sends something. */
export type EndTrigger = 'at-once' | 'while-writing' | 'while-sending';

/** How an operator mends a damaged database: puts a backup of so long before in its place, or an empty one. */
export type Repair = { readonly ageMs: number } | 'empty';

/** What a fault is. Nodes are indexes. */
export type FaultKind =
  | { readonly kind: 'crash'; readonly node: number; readonly end: End; readonly trigger: EndTrigger }
  | { readonly kind: 'old-backup'; readonly node: number; readonly ageMs: number }
  | { readonly kind: 'bit-rot'; readonly node: number; readonly of: 'rows'; readonly share: number; readonly repair: Repair }
  | { readonly kind: 'bit-rot'; readonly node: number; readonly of: 'signing-record' }
  | { readonly kind: 'full-disk'; readonly node: number }
  | { readonly kind: 'slow-disk'; readonly node: number; readonly syncMs: number }
  | { readonly kind: 'partition'; readonly minority: readonly number[]; readonly isSeen: boolean }
  | { readonly kind: 'one-way'; readonly from: number; readonly to: number }
  | { readonly kind: 'loss'; readonly share: number }
  | { readonly kind: 'duplicates'; readonly share: number }
  | { readonly kind: 'reordering'; readonly jitterMs: number }
  | { readonly kind: 'slow-links'; readonly latencyMs: number }
  | SilentShard;

/** One that a schedule draws. */
export type DrawnKind = (typeof FAULT_KINDS)[number];

/** A fault and its window. */
export interface Fault {
  readonly fromMs: number;
  readonly forMs: number;
  readonly what: FaultKind;
}

/** Kinds that a schedule draws. */
export const FAULT_KINDS = [
  'crash',
  'old-backup',
  'bit-rot',
  'full-disk',
  'slow-disk',
  'partition',
  'one-way',
  'loss',
  'duplicates',
  'reordering',
  'slow-links',
] as const satisfies readonly FaultKind['kind'][];

/** All kinds, for counts: some are for schedules that are made for them. */
export const ALL_FAULT_KINDS = [...FAULT_KINDS, 'silent-shard'] as const satisfies readonly FaultKind['kind'][];

const WINDOW_MS_MIN = 200;
const WINDOW_MS_MAX = 4_000;

/** Faults of a schedule: `count` of them, of at least two of the kinds (if there are two), all over by `untilMs` (from the start). */
export function drawFaults(
  random: SeededRandom,
  nodes: number,
  count: number,
  untilMs: number,
  among: readonly DrawnKind[] = FAULT_KINDS,
): readonly Fault[] {
  const least = Math.min(2, among.length);
  const kinds = random.sample(among, random.integer(least, among.length + 1));
  return Array.from({ length: count }, (_unused, place) => {
    const kind = place < least ? (kinds[place] as DrawnKind) : random.pick(kinds);
    const forMs = Math.floor(random.between(WINDOW_MS_MIN, Math.min(WINDOW_MS_MAX, untilMs / 2)));
    return { fromMs: Math.floor(random.between(0, untilMs - forMs)), forMs, what: drawKind(random, kind, nodes) };
  });
}

/** How wrong each clock is, in some schedules, or where it is asked for. */
export function drawClockErrors(random: SeededRandom, nodes: number, isAsked: boolean): readonly ClockError[] {
  const isDrawn = random.chance(0.3);
  const isWrong = isAsked || isDrawn;
  return Array.from({ length: nodes }, () => ({
    offsetMs: isWrong ? Math.floor(random.between(-150, 150)) : 0,
    driftPpm: isWrong ? Math.floor(random.between(-200, 200)) : 0,
  }));
}

function drawKind(random: SeededRandom, kind: DrawnKind, nodes: number): FaultKind {
  const node = random.integer(0, nodes);
  switch (kind) {
    case 'crash':
      return {
        kind,
        node,
        end: random.pick(['killed', 'power-lost'] as const),
        trigger: random.pick(['at-once', 'while-writing', 'while-sending'] as const),
      };
    case 'old-backup':
      return { kind, node, ageMs: random.integer(500, 5_000) };
    case 'bit-rot':
      if (random.chance(0.5)) return { kind, node, of: 'signing-record' };
      return {
        kind,
        node,
        of: 'rows',
        share: random.between(0.01, 0.2),
        repair: random.chance(0.5) ? 'empty' : { ageMs: random.integer(500, 5_000) },
      };
    case 'full-disk':
      return { kind, node };
    case 'slow-disk':
      return { kind, node, syncMs: random.integer(20, 400) };
    case 'partition': {
      const all = Array.from({ length: nodes }, (_unused, index) => index);
      return { kind, minority: random.sample(all, random.integer(1, Math.ceil(nodes / 2) + 1)), isSeen: random.chance(0.5) };
    }
    case 'one-way':
      return { kind, from: node, to: (node + random.integer(1, nodes)) % nodes };
    case 'loss':
      return { kind, share: random.between(0.02, 0.4) };
    case 'duplicates':
      return { kind, share: random.between(0.05, 0.5) };
    case 'reordering':
      return { kind, jitterMs: random.integer(50, 600) };
    case 'slow-links':
      return { kind, latencyMs: random.integer(100, 800) };
  }
}

/** What faults need of the schedule that they strike. */
export interface Struck {
  readonly world: World;
  /** Ends a node when what is named happens next. */
  readonly endWhen: (node: number, trigger: EndTrigger, end: End) => void;
  /** The backup of a node's database that was made for this fault. */
  readonly backupFor: (fault: Fault) => MemoryStore | undefined;
  /** A node is put on an older copy of its database. */
  readonly onOldCopy: (node: number) => void;
  readonly startAgain: (node: number) => void;
  /** Told of each fault that begins. */
  readonly onBegin: (fault: Fault) => void;
  /** Told of each that is over. */
  readonly onEnd: (fault: Fault) => void;
}

/** Sets the timers of a fault. Overlapping faults of one kind end together, with the first: what they change is one value. */
export function strike(fault: Fault, struck: Struck): void {
  const { world } = struck;
  world.clock.schedule(fault.fromMs, () => {
    struck.onBegin(fault);
    const heal = begin(fault, struck);
    world.clock.schedule(fault.forMs, () => {
      heal();
      struck.onEnd(fault);
    });
  });
}

// Begins, and gives what ends it.
function begin(fault: Fault, { world, endWhen, backupFor, onOldCopy, startAgain }: Struck): () => void {
  const { what } = fault;
  const { links, disks, names } = world;
  switch (what.kind) {
    case 'crash':
      endWhen(what.node, what.trigger, what.end);
      return () => {
        endWhen(what.node, 'at-once', what.end); // If nothing triggered it, it ends now: a node is never ended without starting again.
        startAgain(what.node);
      };
    case 'old-backup': {
      const backup = backupFor(fault);
      world.end(what.node, 'killed');
      if (backup !== undefined) {
        disks[what.node]?.restore(backup);
        onOldCopy(what.node);
      }
      return () => startAgain(what.node);
    }
    case 'bit-rot': {
      const disk = disks[what.node];
      if (what.of === 'signing-record') {
        // What rots while a process runs shows when the next one starts.
        disk?.rotFiles();
        world.end(what.node, 'killed');
        return () => startAgain(what.node);
      }
      disk?.rotRows(what.share);
      return () => {
        world.end(what.node, 'killed'); // Where it did not meet the damage itself, its operator did.
        disk?.restore((what.repair === 'empty' ? undefined : backupFor(fault)) ?? createMemoryStore());
        onOldCopy(what.node);
        startAgain(what.node);
      };
    }
    case 'full-disk': {
      const { conditions } = disks[what.node] ?? {};
      if (conditions !== undefined) conditions.isFull = true;
      return () => {
        if (conditions !== undefined) conditions.isFull = false;
        startAgain(what.node);
      };
    }
    case 'slow-disk': {
      const { conditions } = disks[what.node] ?? {};
      const before = conditions?.syncMs ?? 0;
      if (conditions !== undefined) conditions.syncMs = what.syncMs;
      return () => {
        if (conditions !== undefined) conditions.syncMs = Math.min(before, conditions.syncMs);
      };
    }
    case 'partition': {
      const majority = names.map((_name, index) => index).filter((index) => !what.minority.includes(index));
      const pairs = what.minority.flatMap((one) => majority.map((other) => [names[one] as string, names[other] as string] as const));
      for (const [one, other] of pairs) {
        if (what.isSeen) world.network.setLink(one, other, false);
        else for (const way of [direction(one, other), direction(other, one)]) links.silenced.add(way);
      }
      return () => {
        for (const [one, other] of pairs) {
          if (what.isSeen) world.network.setLink(one, other, true);
          else for (const way of [direction(one, other), direction(other, one)]) links.silenced.delete(way);
        }
      };
    }
    case 'one-way': {
      const way = direction(names[what.from] as string, names[what.to] as string);
      links.silenced.add(way);
      return () => void links.silenced.delete(way);
    }
    case 'loss':
      links.lossShare = what.share;
      return () => {
        links.lossShare = 0;
      };
    case 'duplicates':
      links.duplicateShare = what.share;
      return () => {
        links.duplicateShare = 0;
      };
    case 'reordering': {
      links.jitterMs = what.jitterMs;
      return () => {
        links.jitterMs = links.latencyMs / 4;
      };
    }
    case 'silent-shard': {
      const mute = muteOf(what, names);
      links.mutes.add(mute);
      return () => void links.mutes.delete(mute);
    }
    case 'slow-links': {
      const { latencyMs: before, latencyOf } = links;
      links.latencyMs = what.latencyMs;
      links.latencyOf = latencyOf && ((from, to) => Math.max(what.latencyMs, latencyOf(from, to)));
      return () => {
        links.latencyMs = Math.min(before, links.latencyMs);
        links.latencyOf = latencyOf;
      };
    }
  }
}

/** How long before a fault the backup is made that it needs; undefined where it needs none. */
export function backupAgeMs(what: FaultKind): number | undefined {
  if (what.kind === 'old-backup') return what.ageMs;
  return what.kind === 'bit-rot' && what.of === 'rows' && what.repair !== 'empty' ? what.repair.ageMs : undefined;
}
