// Building: what a leader puts in a block, given its parent, the parent's result and the transactions that the mempool offers.
// The consensus engine adds height, round, certificates and VRF proof.
import { nextBaseFee } from '../execution/base-fee.ts';
import { ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32, TimestampMs, Wei } from '../primitives/ids.ts';
import { type BeaconReference, type BlockBody, bodyRootOf, EMPTY_BODY, type ExecutionCommitment } from '../protocol/block.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { Transaction } from '../protocol/transaction.ts';
import { gasBoughtBy } from './body-rules.ts';
import { earliestTimestampMs } from './header-rules.ts';
import type { ParentFacts } from './parent-facts.ts';

/** The part of a block that the shard decides. */
export interface Payload {
  readonly body: BlockBody;
  readonly bodyRoot: Bytes32;
  readonly timestampMs: TimestampMs;
  readonly beaconReference: BeaconReference;
  readonly gasBought: number;
  readonly baseFeePerGasWei: Wei;
  readonly parentExecution: ExecutionCommitment;
  readonly postStateRoot: Bytes32;
}

/** What building takes. `transactions` are chosen so that they pass `validateBlock` in this order. */
export interface BuildInput {
  readonly parent: ParentFacts;
  readonly parentExecution: ExecutionCommitment;
  readonly transactions: readonly Transaction[];
  readonly nowMs: TimestampMs;
  readonly parameters: NetworkParameters;
}

/** See the file's head. */
export function buildPayload({ parent, parentExecution, transactions, nowMs, parameters }: BuildInput): Payload {
  const timestampMs = Math.max(nowMs, earliestTimestampMs(parent, parameters));
  const gasBought = gasBoughtBy(transactions);
  const body: BlockBody = { ...EMPTY_BODY, transactions: transactions.map(({ raw }) => raw) };
  return {
    body,
    bodyRoot: bodyRootOf(
      body,
      transactions.map(({ hash }) => hash),
    ),
    timestampMs,
    beaconReference: permittedBeaconReference(parent),
    gasBought,
    baseFeePerGasWei: baseFeeAfter(parent, gasBought, timestampMs, parameters),
    parentExecution,
    postStateRoot: ZERO_32,
  };
}

/** Until there is a beacon, a shard block's parent stands for its beacon reference. */
export function permittedBeaconReference(parent: ParentFacts): BeaconReference {
  return { height: parent.height, hash: parent.hash };
}

/** The base fee that a block leaves to its child: from its own load, without executing anything. */
export function baseFeeAfter(parent: ParentFacts, gasBought: number, timestampMs: TimestampMs, parameters: NetworkParameters): Wei {
  return nextBaseFee({
    baseFeePerGasWei: parent.baseFeePerGasWei,
    baseFeePerGasWeiMin: parameters.baseFeePerGasWeiMin,
    gasBought,
    inboxGas: 0,
    backlog: 0,
    elapsedMs: timestampMs - parent.timestampMs,
    blockGasLimit: parameters.blockGasLimit,
  });
}
