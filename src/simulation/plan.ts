// A schedule that can be written down: everything that it is made of but the code. What shrinking leaves of a failure is such a file, and
// `npm run simulate -- --replay FILE` runs it again.
import { z } from 'zod';
import { CoppiceError } from '../core/primitives/errors.ts';
import { EPOCH_BLOCKS_MIN } from '../core/protocol/genesis.ts';
import { checkLayout } from '../core/protocol/layout.ts';
import { type DishonestValidator, STRATEGIES } from './adversaries/strategies.ts';
import type { ChainShape } from './chain-shape.ts';
import { ALL_FAULT_KINDS, type FaultKind } from './faults.ts';
import { LINK_KINDS, type LinkChoice } from './quiet-links.ts';
import { FAULTS_UNTIL_MS, type ScheduleOptions } from './schedule.ts';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    'simulation/bad-plan': { source: string; detail: string };
  }
}

/** What a schedule is made of, as values that can be written down; what is absent is drawn from the seed, or has its default. */
export type SchedulePlan = Omit<ScheduleOptions, 'crypto' | 'preset' | 'parameters' | 'tamper' | 'forger' | 'mayCrash' | 'onWorld'>;

/** What nodes sign with: the stand-ins, or the curves. */
export type CryptoChoice = 'stand-in' | 'real';

/** A plan as a file has it. */
export interface WrittenPlan {
  readonly plan: SchedulePlan;
  readonly crypto: CryptoChoice;
  /** What it showed when it was written, for people. */
  readonly about: string;
}

/** Validators of a schedule. */
export const NODES_MIN = 4;
export const NODES_MAX = 64;
/** One way between two nodes when nothing is wrong: a round of several journeys ends within its timer. */
export const LATENCY_MS_MIN = 1;
export const LATENCY_MS_MAX = 100;
const FORMAT = 'coppice-schedule/1';
const FAULTS_MAX = 256;
const MOMENT_MS_MAX = 3_600_000;
const PER_SECOND_MAX = 10_000;
/** Every node runs every shard: more than these take minutes. */
const SIMULATED_SHARDS_MAX = 16;
const EPOCH_BLOCKS_MAX = 100_000;
const BEACON_INTERVAL_MS_MIN = 50;
const BEACON_INTERVAL_MS_MAX = 10_000;
/** The longest write of a slow disk: with four such disks a chain recovers in time at twice as much, and not always at four times. */
const SYNC_MS_MAX = 2_000;

const moment = z.number().min(0).max(MOMENT_MS_MAX);
const share = z.number().min(0).max(1);
const node = z.int().min(0).max(NODES_MAX);

/** The form of each kind: a kind without a form, or a form of another kind, does not compile. */
const FORMS = {
  crash: z.strictObject({
    kind: z.literal('crash'),
    node,
    end: z.enum(['killed', 'power-lost']),
    trigger: z.enum(['at-once', 'while-writing', 'while-sending']),
  }),
  'old-backup': z.strictObject({ kind: z.literal('old-backup'), node, ageMs: moment }),
  'bit-rot': z.discriminatedUnion('of', [
    z.strictObject({
      kind: z.literal('bit-rot'),
      node,
      of: z.literal('rows'),
      share,
      repair: z.union([z.literal('empty'), z.strictObject({ ageMs: moment })]),
    }),
    z.strictObject({ kind: z.literal('bit-rot'), node, of: z.literal('signing-record') }),
  ]),
  'full-disk': z.strictObject({ kind: z.literal('full-disk'), node }),
  'slow-disk': z.strictObject({ kind: z.literal('slow-disk'), node, syncMs: moment }),
  partition: z.strictObject({ kind: z.literal('partition'), minority: z.array(node).max(NODES_MAX), isSeen: z.boolean() }),
  'one-way': z.strictObject({ kind: z.literal('one-way'), from: node, to: node }),
  loss: z.strictObject({ kind: z.literal('loss'), share }),
  duplicates: z.strictObject({ kind: z.literal('duplicates'), share }),
  reordering: z.strictObject({ kind: z.literal('reordering'), jitterMs: moment }),
  'slow-links': z.strictObject({ kind: z.literal('slow-links'), latencyMs: moment }),
  'silent-shard': z.strictObject({
    kind: z.literal('silent-shard'),
    shard: z.int().min(1),
    nodes: z.array(node).max(NODES_MAX),
    heardBy: z.array(node).max(NODES_MAX).exactOptional(),
  }),
} satisfies { [K in FaultKind['kind']]: z.ZodType<Extract<FaultKind, { kind: K }>> };

const what = z.custom<FaultKind>().superRefine((value, context) => {
  const kind = ALL_FAULT_KINDS.find((each) => each === (value as { readonly kind?: unknown } | null)?.kind);
  if (kind === undefined) return void context.addIssue(`a fault is one of ${ALL_FAULT_KINDS.join(', ')}`);
  const checked = FORMS[kind].safeParse(value);
  for (const issue of checked.error?.issues ?? []) context.addIssue({ code: 'custom', path: [...issue.path], message: issue.message });
});

const Dishonest = z.strictObject({ validator: node, strategy: z.enum(STRATEGIES) } satisfies Record<keyof DishonestValidator, z.ZodType>);

const Shape = z.strictObject({
  layout: z
    .array(z.int())
    .min(1)
    .max(SIMULATED_SHARDS_MAX)
    .refine((layout) => isLayout(layout), 'the shards must be the whole tree, each part once, from left to right'),
  epochBlocks: z.int().min(EPOCH_BLOCKS_MIN).max(EPOCH_BLOCKS_MAX),
  beaconIntervalMs: z.int().min(BEACON_INTERVAL_MS_MIN).max(BEACON_INTERVAL_MS_MAX),
  takeoverGraceBlocks: z.int().min(1).max(EPOCH_BLOCKS_MAX).exactOptional(),
  committeeSeats: z.int().min(1).max(NODES_MAX).exactOptional(),
  follow: z.literal('own').exactOptional(),
} satisfies Record<keyof ChainShape, z.ZodType>);

const Links = z.strictObject({
  kind: z.enum(LINK_KINDS).exactOptional(),
  latencyMs: z.number().min(LATENCY_MS_MIN).max(LATENCY_MS_MAX).exactOptional(),
} satisfies Record<keyof LinkChoice, z.ZodType>);

const PLAN_FIELDS = {
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  nodes: z.int().min(NODES_MIN).max(NODES_MAX),
  faults: z
    .array(z.strictObject({ fromMs: moment, forMs: moment, what }))
    .max(FAULTS_MAX)
    .exactOptional(),
  dishonest: z.array(Dishonest).max(NODES_MAX).exactOptional(),
  disksLie: z.boolean().exactOptional(),
  faultsUntilMs: moment.exactOptional(),
  transactionsPerSecond: z.number().positive().max(PER_SECOND_MAX).exactOptional(),
  exactClocks: z.boolean().exactOptional(),
  links: Links.exactOptional(),
  isBeyondThird: z.boolean().exactOptional(),
  shape: Shape.exactOptional(),
} satisfies Record<keyof SchedulePlan, z.ZodType>;

const PlanFile = z.strictObject({
  format: z.literal(FORMAT),
  about: z.string().default(''),
  crypto: z.enum(['stand-in', 'real']).default('stand-in'),
  plan: z.strictObject(PLAN_FIELDS),
});

/** The text of a file. */
export function writePlan({ plan, crypto, about }: WrittenPlan): string {
  return `${JSON.stringify({ format: FORMAT, about, crypto, plan }, undefined, 2)}\n`;
}

/** Reads a file; `source` names it in errors. Throws `simulation/bad-plan` with what is wrong, and where. */
export function readPlan(source: string, text: string): WrittenPlan {
  const checked = PlanFile.safeParse(jsonOf(source, text));
  if (!checked.success) {
    const detail = checked.error.issues.map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`).join('; ');
    throw new CoppiceError('simulation/bad-plan', { source, detail });
  }
  const { plan, crypto, about } = checked.data;
  const problem = impossibilityOf(plan);
  if (problem !== undefined) throw new CoppiceError('simulation/bad-plan', { source, detail: describeImpossibility(problem) });
  return { plan, crypto, about };
}

/** Why a plan would run and could not be judged although each of its fields has the right form. */
export interface Impossibility {
  /** The place in the plan, as `plan.faults.2`. */
  readonly where: string;
  readonly what: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** The first reason why a plan cannot be judged; undefined when it can. What the swarm draws always can. */
export function impossibilityOf(plan: SchedulePlan): Impossibility | undefined {
  return impossibleTimes(plan) ?? impossibleFaults(plan) ?? impossibleCast(plan) ?? impossibleLinks(plan);
}

/** An impossibility as one line. */
export function describeImpossibility({ where, what, remedy }: Impossibility): string {
  return `${where}: ${what}; ${remedy}`;
}

// Liveness is asked for after the last fault, so each must begin, and end before that.
function impossibleTimes({ faults = [], faultsUntilMs = FAULTS_UNTIL_MS }: SchedulePlan): Impossibility | undefined {
  if (!(faultsUntilMs >= 0))
    return { where: 'plan.faultsUntilMs', what: `${faultsUntilMs} ms is before the start`, remedy: 'give a moment from 0 on' };
  for (const [place, { fromMs, forMs }] of faults.entries()) {
    const where = `plan.faults.${place}`;
    const endMs = fromMs + forMs;
    if (!(fromMs >= 0)) return { where: `${where}.fromMs`, what: `${fromMs} ms is before the start`, remedy: 'give a moment from 0 on' };
    if (!(forMs >= 0))
      return { where: `${where}.forMs`, what: `it ends at ${endMs} ms, before it begins`, remedy: 'give a length from 0 on' };
    if (endMs > faultsUntilMs)
      return {
        where,
        what: `it lasts until ${endMs} ms, and faultsUntilMs is ${faultsUntilMs}`,
        remedy: `end it sooner, or set faultsUntilMs to ${endMs} or more`,
      };
  }
  return undefined;
}

function impossibleLinks({ links }: SchedulePlan): Impossibility | undefined {
  if (links?.kind !== 'wan' || links.latencyMs === undefined) return undefined;
  return {
    where: 'plan.links.latencyMs',
    what: 'links between regions are as long as these are apart',
    remedy: 'leave it out, or choose another kind',
  };
}

function impossibleFaults(plan: SchedulePlan): Impossibility | undefined {
  const { nodes, faults = [] } = plan;
  for (const [place, fault] of faults.entries()) {
    const where = `plan.faults.${place}.what`;
    const stranger = nodesOf(fault.what).find((index) => !(index >= 0 && index < nodes));
    if (stranger !== undefined)
      return { where, what: `there is no node ${stranger} among ${nodes}`, remedy: `name nodes from 0 to ${nodes - 1}` };
    const found = impossibleFault(plan, fault.what);
    if (found !== undefined) return { where, ...found };
  }
  return undefined;
}

function impossibleFault(plan: SchedulePlan, what: FaultKind): Omit<Impossibility, 'where'> | undefined {
  if (what.kind === 'one-way' && what.from === what.to) return { what: `it cuts node ${what.from} from itself`, remedy: 'name two nodes' };
  if (what.kind === 'slow-disk' && what.syncMs > SYNC_MS_MAX)
    return {
      what: `a write of ${what.syncMs} ms would hold its node up when all faults should be over`,
      remedy: `let it take ${SYNC_MS_MAX} ms at most`,
    };
  return what.kind === 'partition' ? impossiblePartition(plan, what.minority) : undefined;
}

function impossiblePartition({ nodes, dishonest = [] }: SchedulePlan, side: readonly number[]): Omit<Impossibility, 'where'> | undefined {
  const members = new Set(side);
  if (members.size === 0) return { what: 'nobody is on one side', remedy: 'name a node in minority' };
  if (members.size < side.length) return { what: 'a node is named twice in minority', remedy: 'name it once' };
  // A twin has no number of its own: it is on the other side, whoever is named.
  const hasTwins = dishonest.some(({ strategy }) => strategy === 'twin');
  if (members.size === nodes && !hasTwins) return { what: 'everybody is on one side', remedy: 'leave a node out of minority' };
  return undefined;
}

// The protocol promises what is checked while fewer than a third of the seats are dishonest, and accountability to those who are honest beyond.
function impossibleCast({ nodes, dishonest, shape, isBeyondThird = false }: SchedulePlan): Impossibility | undefined {
  const where = 'plan.dishonest';
  const validators = dishonest?.map(({ validator }) => validator) ?? [];
  const seats = shape?.follow === 'own' ? Math.min(nodes, shape.committeeSeats ?? nodes) : nodes;
  const most = Math.floor((seats - 1) / 3);
  if (validators.some((validator) => !(validator >= 0 && validator < nodes)))
    return { where, what: `there are ${nodes} validators, counted from 0`, remedy: `name validators from 0 to ${nodes - 1}` };
  const count = new Set(validators).size;
  if (count < validators.length) return { where, what: 'a validator has one strategy', remedy: 'name each validator once' };
  if (count === nodes) return { where, what: 'nobody is honest, so there is nobody to be judged', remedy: 'leave a validator out' };
  if (isBeyondThird && count <= most)
    return {
      where: 'plan.isBeyondThird',
      what: `a third or more is said to be dishonest, and ${count} of ${seats} are named`,
      remedy: `name ${most + 1} or more in dishonest, or leave isBeyondThird out`,
    };
  if (!isBeyondThird && count > most)
    return {
      where,
      what: `${count} of ${seats} are dishonest, a third or more, of whom nothing is promised`,
      remedy: `name ${most} at most, or set isBeyondThird to ask for accountability alone`,
    };
  return undefined;
}

/** The nodes that a fault names, without those of both sides of a partition that it does not. */
export function nodesOf(fault: FaultKind): readonly number[] {
  if ('node' in fault) return [fault.node];
  if (fault.kind === 'partition') return fault.minority;
  if (fault.kind === 'silent-shard') return [...fault.nodes, ...(fault.heardBy ?? [])];
  return fault.kind === 'one-way' ? [fault.from, fault.to] : [];
}

function jsonOf(source: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CoppiceError('simulation/bad-plan', { source, detail: (error as Error).message });
  }
}

function isLayout(layout: readonly number[]): boolean {
  const checked = checkLayout(layout);
  return checked.ok && checked.value.every((shard, place) => shard === layout[place]);
}
