// What execution reads of the beacon, what it is committed as, and what voters look at beside validity.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { createOwnLoopExecutor } from '../../../src/core/execution/evm/own-loop-executor.ts';
import { HELD_BEACON_BLOCKS } from '../../../src/core/messaging/skipped-item.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import { ExecutionCommitment } from '../../../src/core/protocol/block.ts';
import { contextOf, makeShardInstance } from '../../../src/core/shard/beacon-view.ts';
import { executeShardBlock } from '../../../src/core/shard/execute-shard-block.ts';
import { commitmentOfShardRecord, shardCommitmentOf } from '../../../src/core/shard/shard-commitment.ts';
import { loadOfBlock } from '../../../src/core/shard/shard-load.ts';
import { type ShardBlockInput, validateShardBlock } from '../../../src/core/shard/validate-shard-block.ts';
import { hasFreshReference, knowsReference, takesWhatIsHeld } from '../../../src/core/shard/voting-rules.ts';
import { PARAMETERS, transactionOf } from '../execution/block-setup.ts';
import { cursorAt } from '../messaging/anchored-lanes.ts';
import { familiesIn, messageTo } from '../messaging/messages.ts';
import { call, FAR_CONTRACT, FAR_FAMILY, HELD, INSTANCE, inputWith, OTHER, SHARD, transfer, viewWith } from './shard-setup.ts';

const evm = createOwnLoopExecutor(PARAMETERS.evmChainId);
const LEAVES = Array.from({ length: 14 }, (_unused, index) => 100 + index);

async function executed(input: ShardBlockInput) {
  const verdict = validateShardBlock(input);
  assert.ok(verdict.ok);
  const judged = verdict.value;
  const done = await executeShardBlock({ ...input, judged, evm });
  const state = { root: new Uint8Array(32).fill(5), leafCount: 7 };
  return { ...done, judged, commitment: shardCommitmentOf({ ...input, judged, result: done.result, state, leafCounts: LEAVES }) };
}

describe('executing a block of a shard', () => {
  before(() => initialiseKeccak());

  it('sends a call straight to the family that a proved pointer names, and everything else to natural places', async () => {
    const { outbox, result } = await executed(inputWith([call(0, FAR_CONTRACT), transfer(1, { to: FAR_CONTRACT })]));
    assert.deepEqual(
      result.outbox.map(({ targetFamily, hop }) => [bytesToHex(targetFamily), hop]),
      [
        [bytesToHex(FAR_FAMILY), 0],
        [bytesToHex(FAR_CONTRACT), 0],
      ],
    );
    assert.deepEqual(
      outbox.summary.bundles.map(({ destination, messageCount }) => [destination, messageCount]),
      [[OTHER, 2]],
    );
  });

  it('commits root, cursors, load and outbox', async () => {
    const { outbox, commitment } = await executed(inputWith([transfer(0), call(1, FAR_CONTRACT)]));
    assert.deepEqual(commitment.outboxRoot, outbox.root);
    assert.deepEqual(commitment.cursors, [cursorAt(SHARD, SHARD, 21), cursorAt(OTHER, SHARD, 10)]);
    const gas = 21_000 + 121_064;
    assert.deepEqual(commitment.load.whole, { gas: gas + 24_000, backlog: 0, stateLeaves: 7 });
    assert.equal(commitment.gasUsed, gas);
    assert.deepEqual(
      commitment.load.descendants.map(({ stateLeaves }) => stateLeaves),
      LEAVES,
    );
    assert.ok(ExecutionCommitment.serialize(commitment).length > 0);
  });

  it('sees the reference, and the hashes of 256 beacon blocks before it', () => {
    const view = viewWith({ height: 1_000 });
    const context = contextOf(view);
    assert.deepEqual(
      [context.referenceHeight, context.referenceTimestampMs, context.prevRandao],
      [view.height, view.timestampMs, view.seed],
    );
    for (const [height, isThere] of [
      [999, true],
      [744, true],
      [743, false],
      [1_000, false],
    ] as const) {
      assert.deepEqual(context.blockHash(height), isThere ? view.hashAt(height) : undefined);
    }
  });
});

describe('the first header of an instance', () => {
  it('commits the record’s state and cursors, and no results', () => {
    const cursors = [cursorAt(OTHER, SHARD, 4, 1)];
    const { record, layout } = INSTANCE;
    const { stateRoot, cursors: committed, gasUsed, load } = commitmentOfShardRecord(makeShardInstance(record, layout, cursors));
    assert.deepEqual([stateRoot, committed, gasUsed, load.whole.gas], [record.stateRoot, cursors, 0, 0]);
  });
});

describe('a load', () => {
  before(() => initialiseKeccak());
  const families = familiesIn(1, 40);
  const placed = fc.array(fc.tuple(fc.integer({ min: 0, max: 39 }), fc.integer({ min: 0, max: 9_000_000 })), { maxLength: 12 });

  it('divides wholly between the halves, level by level, whatever it is', () => {
    const backlogs = fc.oneof(fc.nat(), fc.integer({ min: 2 ** 52, max: Number.MAX_SAFE_INTEGER }));
    fc.assert(
      fc.property(placed, placed, backlogs, (bought, taken, backlog) => {
        const transactions = bought.map(([n, gasLimit]) => transactionOf({ sender: families[n] as Uint8Array, gasLimit }));
        const inbox = taken.map(([n, gasLimit], salt) => messageTo(families[n] as Uint8Array, salt, { gasLimit }));
        const { whole, descendants } = loadOfBlock({ shard: 1, transactions, inbox, backlog, leafCount: 0, leafCounts: LEAVES });
        const nodes = [whole, ...descendants];
        for (let node = 1; node < 8; node++) {
          const [parent, left, right] = [nodes[node - 1], nodes[2 * node - 1], nodes[2 * node]];
          assert.ok(parent !== undefined && left !== undefined && right !== undefined);
          assert.deepEqual([left.gas + right.gas, left.backlog + right.backlog], [parent.gas, parent.backlog]);
        }
      }),
    );
  });

  it('divides the backlog as what was taken, and evenly where that was nothing', () => {
    const of = (shard: number, salt: number) => messageTo(familiesIn(shard, 1)[0] as Uint8Array, salt);
    const base = { shard: 1, transactions: [], backlog: 900, leafCount: 0, leafCounts: [] };
    const backlogs = (inbox: Parameters<typeof loadOfBlock>[0]['inbox']) =>
      loadOfBlock({ ...base, inbox })
        .descendants.slice(0, 6)
        .map(({ backlog }) => backlog);
    assert.deepEqual(backlogs([]), [450, 450, 225, 225, 225, 225]);
    assert.deepEqual(backlogs([of(4, 1), of(4, 2), of(6, 3)]), [600, 300, 600, 0, 300, 0]);
  });

  it('says nothing of what is deeper than a shard may be', () => {
    const shard = 2 ** 16;
    const { whole, descendants } = loadOfBlock({ shard, transactions: [], inbox: [], backlog: 8, leafCount: 3, leafCounts: LEAVES });
    assert.equal(whole.backlog, 8);
    assert.ok(descendants.every(({ gas, backlog }) => gas === 0 && backlog === 0));
  });
});

describe('a voter', () => {
  const reference = { height: 100, hash: new Uint8Array(32) };

  it('waits for a reference that it does not know', () => {
    assert.equal(knowsReference(reference, 99).ok, false);
    assert.equal(knowsReference(reference, 100).ok, true);
  });

  it('does not vote where the reference is more than 16 below the newest it knows', () => {
    assert.equal(hasFreshReference(reference, 116).ok, true);
    assert.equal(hasFreshReference(reference, 117).ok, false);
  });

  it('nor where an item is skipped that it has held for 8 beacon blocks, unless the block closes', () => {
    const input = (newestBeaconHeight: number) => ({
      shard: SHARD,
      view: viewWith().lanes,
      share: PARAMETERS,
      held: new Map([...HELD].map(([name, bundle]) => [name, { bundle, heldSince: 20 }])),
      newestBeaconHeight,
    });
    const judge = (change: Parameters<typeof inputWith>[1]) => {
      const verdict = validateShardBlock(inputWith([], change));
      assert.ok(verdict.ok);
      return verdict.value;
    };
    assert.equal(takesWhatIsHeld(judge({}), input(100)).ok, true);
    assert.equal(takesWhatIsHeld(judge({ held: new Map() }), input(19 + HELD_BEACON_BLOCKS)).ok, true);
    const skipping = takesWhatIsHeld(judge({ held: new Map() }), input(20 + HELD_BEACON_BLOCKS));
    assert.equal(skipping.ok ? undefined : skipping.detail, `bundle 0 of shard ${OTHER} at 4`);
    assert.equal(takesWhatIsHeld(judge({ view: viewWith({ epoch: 4 }) }), input(100)).ok, true);
  });
});
