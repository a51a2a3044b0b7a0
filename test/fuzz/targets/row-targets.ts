// Rows of the database that core and runtime encode: blocks' results, what was sent, records, the view. A row is this node's own and carries a checksum, so one
// that does not decode is a broken promise and says so; it never is an error of the language, an endless loop or a wrong value.

import assert from 'node:assert/strict';
import type { Type } from '@chainsafe/ssz';
import fc from 'fast-check';
import { BeaconState } from '../../../src/core/beacon/state.ts';
import { makeOutbox } from '../../../src/core/messaging/outbox.ts';
import { invariant } from '../../../src/core/primitives/errors.ts';
import { BlockHeader } from '../../../src/core/protocol/block.ts';
import { Certificate } from '../../../src/core/protocol/certificate.ts';
import { OutboxSummary } from '../../../src/core/protocol/outbox.ts';
import { decodeAnchor, encodeAnchor } from '../../../src/core/view/anchor.ts';
import { deriveViewBlock } from '../../../src/core/view/derive-block.ts';
import {
  decodeChargedTransaction,
  decodeExecution,
  encodeChargedTransaction,
  encodeExecution,
} from '../../../src/core/view/execution-codec.ts';
import type { ShownExecution } from '../../../src/core/view/shown-execution.ts';
import { decodeSupplyTotals, encodeSupplyTotals } from '../../../src/core/view/supply.ts';
import { decodeViewHeader, encodeViewHeader } from '../../../src/core/view/view-header-codec.ts';
import { decodeAnchoredOutbox, encodeAnchoredOutbox } from '../../../src/runtime/anchored-outbox.ts';
import { decodeBeaconState, encodeBeaconState } from '../../../src/runtime/beacon-commits.ts';
import { decodeSent, encodeSent } from '../../../src/runtime/bundle-shelf.ts';
import { decodeCommittedRecord, encodeCommittedRecord } from '../../../src/runtime/committed-record.ts';
import { decodeInstanceEnd, encodeInstanceEnd } from '../../../src/runtime/instance-end.ts';
import { decodeParent, encodeParent } from '../../../src/runtime/shard-block-commits.ts';
import type { SeededRandom } from '../../../src/simulation/random.ts';
import { familiesIn, messageTo } from '../../core/messaging/messages.ts';
import { anchor, CHAIN_ID, execution, shown, transaction } from '../../core/view/executed-fixture.ts';
import { type FuzzTarget, judgeRow, ownFault } from '../target.ts';
import { joinParts, splitParts } from './parts.ts';
import { bytesOf, integerOf, sszValue } from './values.ts';

const supplyTotals: FuzzTarget = {
  name: 'supply-totals',
  covers: ['core/view/supply#decodeSupplyTotals'],
  executions: 5_000,
  generate: (random) =>
    encodeSupplyTotals({
      burnedWei: integerOf(random, 256),
      accruedRewardsWei: integerOf(random, 256),
      stakeWei: integerOf(random, 256),
      undeliveredValueWei: integerOf(random, 256),
      undeliveredPriorityFeesWei: integerOf(random, 256),
    }),
  judge: (bytes) => judgeRow(bytes, decodeSupplyTotals, encodeSupplyTotals),
};

const committedRecord: FuzzTarget = {
  name: 'committed-record',
  covers: ['runtime/committed-record#decodeCommittedRecord'],
  executions: 2_000,
  generate(random) {
    const { height, round, parentHash, bodyRoot, parentExecution } = sszValue(BlockHeader, random);
    const anchors = Array.from({ length: random.integer(0, 5) }, () => ({ height: random.integer(0, 2 ** 50), seed: bytesOf(random, 32) }));
    return encodeCommittedRecord({ commitment: parentExecution, point: { hash: parentHash, height, round, seed: bodyRoot, anchors } });
  },
  judge: (bytes) => judgeRow(bytes, decodeCommittedRecord, encodeCommittedRecord),
};

const beaconState: FuzzTarget = {
  name: 'beacon-state',
  covers: ['runtime/beacon-commits#decodeBeaconState'],
  executions: 500,
  generate: (random) => encodeBeaconState(sszValue(BeaconState as unknown as Type<BeaconState>, random)),
  judge: (bytes) => judgeRow(bytes, decodeBeaconState, encodeBeaconState),
};

const anchoredOutbox: FuzzTarget = {
  name: 'anchored-outbox',
  covers: ['runtime/anchored-outbox#decodeAnchoredOutbox'],
  executions: 1_000,
  generate: (random) =>
    encodeAnchoredOutbox({
      source: 1,
      height: 7,
      summary: sszValue(OutboxSummary, random),
      beaconHeight: random.integer(0, 2 ** 40),
      operationIndex: 3,
    }),
  judge: (bytes) =>
    judgeRow(
      bytes,
      (row) => decodeAnchoredOutbox(7, row),
      ({ height, anchor: { beaconHeight, operationIndex }, summary }) =>
        encodeAnchoredOutbox({ source: 1, height, summary, beaconHeight, operationIndex }),
    ),
};

const shardParent: FuzzTarget = {
  name: 'shard-parent',
  covers: ['runtime/shard-block-commits#decodeParent'],
  executions: 1_000,
  generate: (random) =>
    encodeParent({
      hasItems: random.chance(0.5),
      rationUsed: new Map(Array.from({ length: random.integer(0, 5) }, (_unused, index) => [index + 2, random.integer(0, 2 ** 40)])),
    }),
  judge: (bytes) => judgeRow(bytes, decodeParent, encodeParent),
};

const sentMessages: FuzzTarget = {
  name: 'sent-messages',
  covers: ['runtime/bundle-shelf#decodeSent'],
  executions: 300,
  generate(random) {
    const families = Array.from({ length: random.integer(0, 3) }, () => familiesIn(random.integer(2, 3), 3)[random.integer(0, 2)]);
    const sent = families.map((family, index) => messageTo(family as Uint8Array, index));
    return encodeSent(makeOutbox(1, 7, sent, new Set([2, 3])));
  },
  judge: (bytes) => judgeRow(bytes, (row) => decodeSent(1, 7, row), encodeSent),
};

const instanceEnd: FuzzTarget = {
  name: 'instance-end',
  covers: ['runtime/instance-end#decodeInstanceEnd'],
  executions: 1_000,
  generate(random) {
    const carriers = Array.from({ length: random.integer(0, 2) }, () => sszValue(BlockHeader, random));
    const proof = { quorumCertificate: sszValue(Certificate, random), commitCertificate: sszValue(Certificate, random) };
    return encodeInstanceEnd({ carriers, proof });
  },
  judge: (bytes) => judgeRow(bytes, decodeInstanceEnd, encodeInstanceEnd),
};

const viewHeader: FuzzTarget = {
  name: 'view-header',
  covers: ['core/view/view-header-codec#decodeViewHeader'],
  executions: 2_000,
  generate(random) {
    const heights = Array.from({ length: random.integer(0, 4) }, () => ({
      shard: random.integer(1, 64),
      height: random.integer(0, 2 ** 40),
    }));
    return encodeViewHeader(viewBlock(random), { executions: heights, late: heights.map((height) => ({ ...height, index: 1 })), heights });
  },
  judge: (bytes) => judgeRow(bytes, decodeViewHeader, (read) => encodeViewHeader(read, read)),
};

const viewAnchor: FuzzTarget = {
  name: 'view-anchor',
  covers: ['core/view/anchor#decodeAnchor'],
  executions: 2_000,
  generate(random) {
    const [place] = fc.sample(anchor, { numRuns: 1, seed: random.integer(0, 2 ** 31) });
    invariant(place !== undefined, 'a sample is drawn');
    const shard = random.integer(1, 64);
    const sums = { burnedWei: integerOf(random, 256), accruedRewardsWei: integerOf(random, 256), stakeWei: integerOf(random, 256) };
    return encodeAnchor({
      ...place,
      executions: [{ shard, fromHeight: 1, toHeight: 9, lastHash: place.hash }],
      states: [{ shard, height: 9, stateRoot: place.hash }],
      ...sums,
    });
  },
  judge: (bytes) => judgeRow(bytes, decodeAnchor, encodeAnchor),
};

const shownExecution: FuzzTarget = {
  name: 'shown-execution',
  covers: ['core/view/execution-codec#decodeExecution'],
  executions: 2_000,
  generate(random) {
    const whole = withElsewhere(sampleExecution(random), random);
    const { transactions, receipts } = encodeExecution(whole);
    assert.deepEqual(decodeExecution({ transactions, receipts }, CHAIN_ID), whole);
    return joinParts([transactions, receipts]);
  },
  judge: (bytes) => {
    const [transactions = new Uint8Array(0), receipts = new Uint8Array(0)] = splitParts(bytes, 2);
    try {
      // Which messages are left out is decided when they are written: a row that keeps one all the same is read all the same.
      encodeExecution(decodeExecution({ transactions, receipts }, CHAIN_ID));
      return 'read';
    } catch (error) {
      return ownFault(error);
    }
  },
};

const chargedTransaction: FuzzTarget = {
  name: 'charged-transaction',
  covers: ['core/view/execution-codec#decodeChargedTransaction'],
  executions: 2_000,
  generate(random) {
    const [one] = fc.sample(transaction, { numRuns: 1, seed: random.integer(0, 2 ** 31) });
    invariant(one !== undefined, 'a sample is drawn');
    return encodeChargedTransaction({ transaction: one, effectiveGasPriceWei: integerOf(random, 256) });
  },
  judge: (bytes) => judgeRow(bytes, (row) => decodeChargedTransaction(row, CHAIN_ID), encodeChargedTransaction),
};

/** See the file's head. */
export const ROW_TARGETS: readonly FuzzTarget[] = [
  supplyTotals,
  committedRecord,
  anchoredOutbox,
  shardParent,
  sentMessages,
  beaconState,
  instanceEnd,
  viewHeader,
  viewAnchor,
  shownExecution,
  chargedTransaction,
];

function viewBlock(random: SeededRandom): ReturnType<typeof deriveViewBlock> {
  const [place] = fc.sample(anchor, { numRuns: 1, seed: random.integer(0, 2 ** 31) });
  invariant(place !== undefined, 'a sample is drawn');
  return deriveViewBlock(place, undefined, [sampleExecution(random)], { transactionGasLimitMax: 8_000_000 });
}

// Now and then the first transaction was charged elsewhere: then nothing of it but its hash is stored.
function withElsewhere(execution: ShownExecution, random: SeededRandom): ShownExecution {
  const [first, ...others] = execution.transactions;
  const [receipt] = execution.receipts;
  if (first?.kind !== 'account' || receipt === undefined || execution.transactions.length > 1 || random.chance(0.5)) return execution;
  const bare = { ...receipt, gasUsed: 0, cumulativeGasUsed: 0 };
  return { ...execution, transactions: [{ kind: 'elsewhere', transactionHash: first.transaction.hash }, ...others], receipts: [bare] };
}

function sampleExecution(random: SeededRandom): ReturnType<typeof shown> {
  const [sample] = fc.sample(execution(4), { numRuns: 1, seed: random.integer(0, 2 ** 31) });
  invariant(sample !== undefined, 'a sample is drawn');
  return shown(sample);
}
