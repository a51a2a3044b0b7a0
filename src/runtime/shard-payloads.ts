// When a shard's block is due and with what (protocol, section 3, "Pace"). After a parent whose results only a following block makes final, at
// once; with transactions waiting, at a pace that leaves the machine time for them; on an idle chain after `idleInterval`. Never before the
// earliest timestamp.
import type { DecodedBlock } from '../core/execution/executed-block.ts';
import type { Bytes32, Hex, TimestampMs, Wei } from '../core/primitives/ids.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { Transaction } from '../core/protocol/transaction.ts';
import { earliestTimestampMs } from '../core/shard/header-rules.ts';
import type { StateReader } from '../core/state/state-reader.ts';
import type { Outcome } from './chain-logic.ts';
import type { BlockContent, PayloadPlan, PayloadSource } from './payload-maker.ts';
import type { Clock } from './ports.ts';

/**
 * With transactions waiting, a block follows its parent after this many times what the parent took to be proposed, voted for and
 * executed: on a quiet machine soon, on a busy one later, so that certificates and votes, whose cost is per block, leave room for
 * transactions. After this long at most, and at once when there is a full block of them: waiting longer would make no block larger.
 */
const PACE_FACTOR = 2;
const PACE_MS_MAX = 400;
/** A new chain's first two blocks do not wait: the second makes the first final, which is what people wait to see. */
const FIRST_HEIGHTS = 2;
/** The six list offsets at the head of an encoded body. */
const BODY_FRAMING_BYTES = 24;

/** Where transactions for blocks come from: the mempool, as the runner sees it. */
export interface TransactionSource {
  /** True when at least one transaction could go into such a block. Dear: it looks at every sender. */
  hasWaiting(request: TakeRequest): boolean;
  /** True when about as many wait as such a block has room for. Cheap: it compares sums. */
  hasFullBlock(room: { readonly gasLimit: number; readonly inFlightGas: number }): boolean;
  /** Transactions that are executable in this order on this state, within the limits. */
  take(request: TakeRequest): readonly Transaction[];
  /** Told whenever a transaction comes that could go into a block. */
  onWaiting(listener: () => void): void;
  /** A block is committed: its transactions are no longer wanted, its state is the one to judge by. */
  onCommitted(block: DecodedBlock, state: StateReader, baseFeePerGasWei: Wei): void;
  /** Committed blocks with these transactions are void: they are wanted again, and judged by this state. */
  onVoid(transactions: readonly Transaction[], state: StateReader, baseFeePerGasWei: Wei): void;
}

/** What a block can hold, and the state that it stands on. */
export interface TakeRequest {
  readonly state: StateReader;
  readonly baseFeePerGasWei: Wei;
  readonly gasLimit: number;
  readonly bytesMax: number;
  /** Hashes of transactions in uncommitted ancestors. */
  readonly inFlight: ReadonlySet<Hex>;
}

/**
 * What else than transactions asks for a block: a message of another shard, or the end of the epoch. `too-early`: none can be made before the beacon has
 * made more of the shard final.
 */
export type Urgency = 'too-early' | 'none' | 'wanted' | 'at-once';

/** What planning a shard's blocks needs of its node. */
export interface ShardPayloadsDependencies<Start extends Outcome & { readonly version: StateReader }> {
  readonly parameters: NetworkParameters;
  readonly transactions: TransactionSource;
  /** Transactions in the uncommitted blocks from one down, and the gas that they bought. */
  readonly blocks: {
    inFlightOn(hash: Bytes32): ReadonlySet<Hex>;
    inFlightGasOn(hash: Bytes32): number;
  };
  readonly clock: Clock;
  readonly urgencyOn: (parent: Start) => Urgency;
  /** Told when that may have changed. */
  readonly onUrgency: (listener: () => void) => void;
  /** The block on a parent with these transactions, as far as they fit. */
  readonly contentOn: (parent: Start, transactions: readonly Transaction[], nowMs: TimestampMs) => Promise<BlockContent> | BlockContent;
}

/** See the file's head. */
export function createShardPayloads<Start extends Outcome & { readonly version: StateReader }>(
  dependencies: ShardPayloadsDependencies<Start>,
): PayloadSource<Start> {
  let urgencyNews = 0;
  return {
    planOn: (parent) => planOn(dependencies, parent, () => urgencyNews),
    onNews: (listener) => {
      dependencies.transactions.onWaiting(listener);
      dependencies.onUrgency(() => {
        urgencyNews++;
        listener();
      });
    },
  };
}

// What waits once goes on waiting, and a full block stays full: nothing but a block on this parent takes it. Whether something else is urgent is asked again
// only when there is news of that: asking looks at all lanes, and transactions come by the hundred.
function planOn<Start extends Outcome & { readonly version: StateReader }>(
  { parameters, transactions, blocks, clock, urgencyOn, contentOn }: ShardPayloadsDependencies<Start>,
  parent: Start,
  urgencyNews: () => number,
): PayloadPlan {
  const { facts } = parent;
  const roomNow = (): TakeRequest => ({
    state: parent.version,
    baseFeePerGasWei: facts.baseFeePerGasWei,
    gasLimit: parameters.blockGasLimit,
    bytesMax: parameters.bodyBytesMax - BODY_FRAMING_BYTES,
    inFlight: blocks.inFlightOn(parent.hash),
  });
  const hasFullBlock = (): boolean =>
    transactions.hasFullBlock({ gasLimit: parameters.blockGasLimit, inFlightGas: blocks.inFlightGasOn(parent.hash) });
  const room = roomNow();
  // On a parent that is ready to be built on now.
  const tookMs = Math.max(0, clock.nowMs() - facts.timestampMs);
  const pacedMs = facts.timestampMs + Math.min(PACE_FACTOR * tookMs, PACE_MS_MAX);
  const idleUntilMs = facts.timestampMs + parameters.idleIntervalMs;
  const earliestMs = earliestTimestampMs(facts, parameters);
  let isWanted = false;
  let isFull = false;
  let isTooEarly = false;
  let urgencyAskedAt = urgencyNews();
  const isUrgentNow = (): boolean => {
    if (urgencyAskedAt === urgencyNews()) return false;
    urgencyAskedAt = urgencyNews();
    return urgencyOn(parent) === 'at-once';
  };
  return {
    dueMs: () => {
      urgencyAskedAt = urgencyNews();
      const urgency = urgencyOn(parent);
      // Asked again then, and before when there is news.
      isTooEarly = urgency === 'too-early';
      if (isTooEarly) return clock.nowMs() + parameters.idleIntervalMs;
      isWanted ||= urgency === 'wanted' || transactions.hasWaiting(room);
      isFull ||= isWanted && hasFullBlock();
      const isAtOnce = urgency === 'at-once' || isFull || (!isWanted && (facts.hasItems || facts.height < FIRST_HEIGHTS));
      const reasonMs = isAtOnce ? earliestMs : isWanted ? pacedMs : idleUntilMs;
      return Math.max(earliestMs, reasonMs);
    },
    isNews: () => isTooEarly || !isWanted || isUrgentNow() || (!isFull && hasFullBlock()),
    content: ({ nowMs }) => contentOn(parent, transactions.take(roomNow()), nowMs),
  };
}
