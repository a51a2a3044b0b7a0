// When a beacon block is due and what goes into it. The beacon keeps one pace while somebody waits for it: a shard has executed something that is not
// final, or has ended its instance; and a slower one while most shards make full blocks, whose machines have better to do and whose users wait for room
// (not while a few do: the users of the others would pay for it), or while the machines are so busy that a block takes long: blocks that follow one another without a pause leave nothing to those of the shards.
// Else it waits as long as an idle shard does: each block costs every validator as much as one full of crosslinks. It carries whatever crosslinks and
// evidence there are; the last block of an epoch has no body.
import type { BeaconConstants } from '../core/beacon/constants.ts';
import type { NextLayout } from '../core/beacon/epoch.ts';
import { isFirstOfEpoch, isLastOfEpoch } from '../core/beacon/epochs.ts';
import { NO_BASE_FEE_WEI, NO_BEACON_REFERENCE, NO_EXECUTION } from '../core/beacon/header-fields.ts';
import { packBody } from '../core/beacon/pack-body.ts';
import type { BeaconState } from '../core/beacon/state.ts';
import { stateRootOf } from '../core/beacon/state-root.ts';
import { applyBeaconBlock } from '../core/beacon/transition.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, Height, TimestampMs } from '../core/primitives/ids.ts';
import { type BlockBody, bodyRootOf, EMPTY_BODY } from '../core/protocol/block.ts';
import type { BeaconOutcome } from './beacon-logic.ts';
import type { BlockContent, PayloadPlan, PayloadSource } from './payload-maker.ts';
import type { Clock } from './ports.ts';

/** A new chain's first blocks do not wait: people want to see that it runs. */
const FIRST_HEIGHTS = 2;
/**
 * Between two blocks while most shards make full ones: three times the least, so that a block makes some of theirs final. 750 ms of a devnet, whose
 * transactions wait longer than that for their turn.
 */
const FULL_SHARDS_PACE = 3;
/**
 * A block follows its parent after at least this many times what the parent took to be proposed, executed and voted for, as in a shard (shard-payloads.ts);
 * not later than while shards are full.
 */
const PACE_FACTOR = 2;

/** Where crosslinks and evidence come from. */
export interface BeaconOperations {
  /** Whether somebody waits for something that could go into a block on this state. */
  isWanted(state: BeaconState): boolean;
  /** Whether something of that is the end of an instance: its shard stands still until a block says so. */
  hasEnded(state: BeaconState): boolean;
  /** Whether the newest blocks of most shards were full: paid for, so that nobody slows the beacon down by what only waits. */
  areShardsFull(): boolean;
  /** The listener is told from now on, and no other, whenever that may have changed. */
  onNews(listener: () => void): void;
  /** What could go into a block on this state, each valid after those before it as far as this node knows; as much of it as fits is taken. */
  collect(state: BeaconState): Promise<Pick<BlockBody, 'crosslinks' | 'evidence'>>;
}

/** What planning the beacon's blocks needs of its node. */
export interface BeaconPayloadsDependencies {
  readonly constants: BeaconConstants;
  readonly nextLayout: NextLayout;
  readonly operations: BeaconOperations;
  /** Hash of the beacon block at a height below the parent's, and at the height of the instance's record. */
  readonly beaconHashAt: (height: Height) => Bytes32 | undefined;
  readonly clock: Clock;
}

/** See the file's head. */
export function createBeaconPayloads(dependencies: BeaconPayloadsDependencies): PayloadSource<BeaconOutcome> {
  return { planOn: (parent) => planOn(dependencies, parent), onNews: (listener) => dependencies.operations.onNews(listener) };
}

function planOn(dependencies: BeaconPayloadsDependencies, parent: BeaconOutcome): PayloadPlan {
  const { operations, constants, clock } = dependencies;
  const { beaconBlockIntervalMsMin, idleIntervalMs } = constants.parameters;
  const { timestampMs, height } = parent.facts;
  const earliestMs = timestampMs + beaconBlockIntervalMsMin;
  const idleUntilMs = Math.max(earliestMs, timestampMs + idleIntervalMs);
  const fullUntilMs = Math.min(idleUntilMs, timestampMs + FULL_SHARDS_PACE * beaconBlockIntervalMsMin);
  // On a parent that is ready to be built on now.
  const tookMs = Math.max(0, clock.nowMs() - timestampMs);
  const pacedMs = Math.max(earliestMs, Math.min(fullUntilMs, timestampMs + PACE_FACTOR * tookMs));
  // Between the last block of an epoch and the next one a node changes its instance, and whoever waits has waited longer than otherwise.
  const isUnpaced = height < FIRST_HEIGHTS || isFirstOfEpoch(height + 1, constants.parameters);
  const wantedMs = isUnpaced ? earliestMs : pacedMs;
  let isWanted = height < FIRST_HEIGHTS;
  let hasEnded = false;
  let isHeldUp = false;
  return {
    dueMs: () => {
      hasEnded ||= operations.hasEnded(parent.state);
      if (hasEnded) return earliestMs;
      isWanted ||= operations.isWanted(parent.state);
      isHeldUp = isWanted && height >= FIRST_HEIGHTS && operations.areShardsFull();
      if (isHeldUp) return fullUntilMs;
      return isWanted ? wantedMs : idleUntilMs;
    },
    isNews: () => {
      if (hasEnded) return false;
      return operations.hasEnded(parent.state) || (isWanted ? isHeldUp && !operations.areShardsFull() : operations.isWanted(parent.state));
    },
    content: ({ nowMs, seed }) => contentOn(dependencies, parent, { timestampMs: Math.max(nowMs, earliestMs), seed }),
  };
}

async function contentOn(
  dependencies: BeaconPayloadsDependencies,
  parent: BeaconOutcome,
  { timestampMs, seed }: { readonly timestampMs: TimestampMs; readonly seed: Bytes32 },
): Promise<BlockContent> {
  const { constants, nextLayout, operations, beaconHashAt } = dependencies;
  const height = parent.facts.height + 1;
  const input = {
    constants,
    state: parent.state,
    block: { height, timestampMs, seed },
    beaconHashAt: (wanted: Height) => beaconHashAt(wanted) ?? (wanted === parent.facts.height ? parent.hash : undefined),
    nextLayout,
  };
  const offered = isLastOfEpoch(height, constants.parameters) ? EMPTY_BODY : { ...EMPTY_BODY, ...(await operations.collect(parent.state)) };
  // As a rule all of it holds and fits: only where it does not is each piece judged by itself.
  const whole = applyBeaconBlock({ ...input, body: offered });
  const body = whole.ok ? offered : packBody(input, offered);
  const applied = whole.ok ? whole : applyBeaconBlock({ ...input, body });
  invariant(applied.ok, 'what was packed is valid');
  return {
    fields: {
      timestampMs,
      beaconReference: NO_BEACON_REFERENCE,
      bodyRoot: bodyRootOf(body, []),
      gasBought: 0,
      baseFeePerGasWei: NO_BASE_FEE_WEI,
      parentExecution: NO_EXECUTION,
      postStateRoot: stateRootOf(applied.value.state),
    },
    body,
    transactions: [],
  };
}
