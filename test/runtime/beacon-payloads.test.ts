// When a beacon block is due. What else its leader does is seen on whole nodes, in test/simulation.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_EXECUTION } from '../../src/core/beacon/header-fields.ts';
import type { BeaconOutcome } from '../../src/runtime/beacon-logic.ts';
import { createBeaconPayloads } from '../../src/runtime/beacon-payloads.ts';
import type { PayloadPlan } from '../../src/runtime/payload-maker.ts';
import { beaconOf, rootOf, smallGenesis } from '../core/beacon/fixture.ts';

const PARENT_MS = 50_000;

interface Situation {
  isWanted: boolean;
  areShardsFull: boolean;
  hasEnded?: boolean;
  readonly height?: number;
  readonly idleIntervalMs?: number;
  /** How long the parent took until it could be built on. */
  readonly tookMs?: number;
}

/** The plan on a parent of `PARENT_MS` with a least interval of 250 ms. */
function planIn(situation: Situation): PayloadPlan {
  const { height = 9, idleIntervalMs = 1_000, tookMs = 40 } = situation;
  const { constants, state } = beaconOf(smallGenesis({ parameters: { beaconBlockIntervalMsMin: 250, idleIntervalMs } }));
  const facts = { hash: rootOf('parent'), height, timestampMs: PARENT_MS, baseFeePerGasWei: 0n, hasItems: false };
  const parent: BeaconOutcome = { hash: facts.hash, facts, commitment: NO_EXECUTION, seed: rootOf('seed'), state };
  const operations = {
    isWanted: () => situation.isWanted,
    hasEnded: () => situation.hasEnded === true,
    areShardsFull: () => situation.areShardsFull,
    onNews: () => undefined,
    collect: async () => ({ crosslinks: [], evidence: [] }),
  };
  const clock = { nowMs: () => PARENT_MS + tookMs, schedule: () => () => undefined };
  return createBeaconPayloads({ constants, nextLayout: () => [1], operations, beaconHashAt: () => undefined, clock }).planOn(parent);
}

function waitOf(situation: Situation): number {
  return planIn(situation).dueMs() - PARENT_MS;
}

describe('a beacon block', () => {
  it('is due at the least interval when somebody waits for it, and after the idle one when nobody does', () => {
    assert.equal(waitOf({ isWanted: true, areShardsFull: false }), 250);
    assert.equal(waitOf({ isWanted: false, areShardsFull: false }), 1_000);
    assert.equal(waitOf({ isWanted: false, areShardsFull: false, height: 1 }), 250);
  });

  it('is due later while shards make full blocks, and never later than an idle one', () => {
    assert.equal(waitOf({ isWanted: true, areShardsFull: true }), 750);
    assert.equal(waitOf({ isWanted: true, areShardsFull: true, idleIntervalMs: 600 }), 600);
    assert.equal(waitOf({ isWanted: true, areShardsFull: true, idleIntervalMs: 100 }), 250);
  });

  it('is due after twice the time that its parent took where that is longer, and not later than while shards are full', () => {
    assert.equal(waitOf({ isWanted: true, areShardsFull: false, tookMs: 125 }), 250);
    assert.equal(waitOf({ isWanted: true, areShardsFull: false, tookMs: 200 }), 400);
    assert.equal(waitOf({ isWanted: true, areShardsFull: false, tookMs: 2_000 }), 750);
    assert.equal(waitOf({ isWanted: true, areShardsFull: false, tookMs: 2_000, idleIntervalMs: 100 }), 250);
    assert.equal(waitOf({ isWanted: true, areShardsFull: false, tookMs: 200, height: 1 }), 250);
    assert.equal(waitOf({ isWanted: false, areShardsFull: false, tookMs: 2_000 }), 1_000);
    const lastOfEpoch = smallGenesis({}).parameters.epochBlocks;
    assert.equal(waitOf({ isWanted: true, areShardsFull: false, tookMs: 2_000, height: lastOfEpoch }), 250);
    assert.equal(waitOf({ isWanted: true, areShardsFull: false, tookMs: 2_000, height: lastOfEpoch + 1 }), 750);
  });

  it('is due at the least interval when an instance has ended, whatever else is the case: its shard stands still until then', () => {
    for (const areShardsFull of [false, true]) {
      assert.equal(waitOf({ isWanted: true, hasEnded: true, areShardsFull }), 250);
      assert.equal(waitOf({ isWanted: true, hasEnded: true, areShardsFull, tookMs: 2_000 }), 250);
    }
    const situation: Situation = { isWanted: true, areShardsFull: true };
    const plan = planIn(situation);
    assert.equal(plan.dueMs() - PARENT_MS, 750);
    assert.equal(plan.isNews(), false);
    situation.hasEnded = true;
    assert.equal(plan.isNews(), true);
    assert.equal(plan.dueMs() - PARENT_MS, 250);
    assert.equal(plan.isNews(), false);
  });

  it('is asked for anew when somebody begins to wait, and when the shards are not full any more', () => {
    const situation: Situation = { isWanted: false, areShardsFull: true };
    const plan = planIn(situation);
    assert.equal(plan.dueMs() - PARENT_MS, 1_000);
    assert.equal(plan.isNews(), false);
    situation.isWanted = true;
    assert.equal(plan.isNews(), true);
    assert.equal(plan.dueMs() - PARENT_MS, 750);
    assert.equal(plan.isNews(), false);
    situation.areShardsFull = false;
    assert.equal(plan.isNews(), true);
    assert.equal(plan.dueMs() - PARENT_MS, 250);
    assert.equal(plan.isNews(), false);
  });
});
