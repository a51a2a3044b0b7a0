// What a crosslink does (protocol, section 6): its headers become final for everyone. The record's progress moves to the last of them, their
// proposers are owed the fees, what was burned is counted, and the outboxes that they commit are anchored: shards whose reference is this
// beacon block or a later one may read them, in the order of (beacon height, operation index, header height, bundle).
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, ChainId, Epoch, Height } from '../primitives/ids.ts';
import type { OutboxSummary } from '../protocol/outbox.ts';
import type { JudgedCrosslink } from './crosslink.ts';
import type { NamedHeader } from './crosslink-chain.ts';
import { withAnchored } from './sources.ts';
import type { BeaconState, Progress, RecordEntry } from './state.ts';

/** An outbox with something in it that a crosslink made final. */
export interface AnchoredOutbox {
  readonly source: ChainId;
  /** Of the block that emitted it: one below the header that commits it. */
  readonly height: Height;
  readonly summary: OutboxSummary;
  /** The anchor: the beacon block, and the place of the crosslink in its body. */
  readonly beaconHeight: Height;
  readonly operationIndex: number;
}

/** Executions that a crosslink made final: of each header but an instance's first the one that it commits. */
export interface AnchoredExecutions {
  readonly shard: ChainId;
  readonly fromHeight: Height;
  readonly toHeight: Height;
  /** Of the block at `toHeight`: it, and all below it, is what was executed. */
  readonly lastHash: Bytes32;
}

/** A header that a crosslink made final: nobody ever reverts it, nor what comes before it in its instance. */
export interface AnchoredHeader {
  readonly shard: ChainId;
  readonly epoch: Epoch;
  readonly height: Height;
  readonly hash: Bytes32;
}

/** After which execution a shard's state is the anchored one: a header commits that of the block before it, a record what it starts from. */
export function stateHeightOf({ record, progress }: RecordEntry): Height {
  return Math.max(record.height, progress.height - 1);
}

/** A state after a crosslink, and what it anchored. */
export interface Anchoring {
  readonly state: BeaconState;
  readonly outboxes: readonly AnchoredOutbox[];
  /** Undefined where no header commits a block's execution. */
  readonly executions: AnchoredExecutions | undefined;
  readonly headers: readonly AnchoredHeader[];
}

/** See the file's head. The crosslink was judged against this state. */
export function anchorCrosslink(state: BeaconState, judged: JudgedCrosslink, operationIndex: number): Anchoring {
  const { entry, headers, closes, childRoots } = judged;
  const { shard } = entry.record;
  const [progress, last] = [progressAfter(entry.progress, headers), headers.at(-1)];
  const next: RecordEntry = { ...entry, progress, closed: entry.closed || closes, childRoots: [...childRoots] };
  const records = state.records.map((other) => (other === entry ? next : other));
  if (last === undefined) return { state: { ...state, records }, outboxes: [], executions: undefined, headers: [] };
  const outboxes = outboxesOf(judged, state.height, operationIndex);
  const sources = state.sources.map((source) =>
    source.shard === shard ? withAnchored(source, last.header.height - 1, outboxes.at(-1)?.height) : source,
  );
  const { rewardsWei, burnedFeesWei } = feesAfter(state, entry.progress, headers);
  return {
    state: { ...state, records, sources, rewardsWei, burnedFeesWei },
    outboxes,
    executions: executionsOf(judged, last),
    headers: headers.map(({ header: { height }, hash }) => ({ shard, epoch: entry.record.epoch, height, hash })),
  };
}

function executionsOf({ entry, headers }: JudgedCrosslink, last: NamedHeader): AnchoredExecutions | undefined {
  const { shard, height: recordHeight } = entry.record;
  const toHeight = last.header.height - 1;
  // The first header of an instance commits the record, and no block.
  const fromHeight = Math.max(recordHeight + 1, toHeight - headers.length + 1);
  return toHeight < fromHeight ? undefined : { shard, fromHeight, toHeight, lastHash: last.header.parentHash };
}

function progressAfter(before: Progress, headers: readonly NamedHeader[]): Progress {
  const last = headers.at(-1);
  if (last === undefined) return before;
  const { height, round, timestampMs, baseFeePerGasWei, proposer, parentExecution, beaconReference } = last.header;
  const { stateRoot, cursors } = parentExecution;
  // The first header of an instance commits no block's execution, so the shard keeps the load that its record inherited.
  const commitsRecord = before.round === 0 && headers.length === 1;
  const load = commitsRecord ? before.load : parentExecution.load;
  const referenceHeight = beaconReference.height;
  return { hash: last.hash, height, round, timestampMs, baseFeePerGasWei, proposer, stateRoot, cursors, load, referenceHeight };
}

function outboxesOf(
  { entry, headers, crosslink }: JudgedCrosslink,
  beaconHeight: Height,
  operationIndex: number,
): readonly AnchoredOutbox[] {
  return headers.flatMap(({ header }, index) => {
    const summary = crosslink.outboxes[index];
    invariant(summary !== undefined, 'there is a summary for each header');
    if (summary.bundles.length === 0) return [];
    return [{ source: entry.record.shard, height: header.height - 1, summary, beaconHeight, operationIndex }];
  });
}

// A header commits its parent's execution: the fees are the parent's proposer's. Those of an instance's first header are none (crosslink-chain.ts),
// for its parent is a record, which nobody proposed.
function feesAfter(
  state: BeaconState,
  before: Progress,
  headers: readonly NamedHeader[],
): Pick<BeaconState, 'rewardsWei' | 'burnedFeesWei'> {
  const rewardsWei = [...state.rewardsWei];
  let { burnedFeesWei } = state;
  for (const [index, { header }] of headers.entries()) {
    const { proposerFeesWei, burnedFeesWei: burnedWei } = header.parentExecution;
    const { proposer } = headers[index - 1]?.header ?? before;
    const owedWei = rewardsWei[proposer];
    invariant(owedWei !== undefined, 'a proposer is in the registry');
    rewardsWei[proposer] = owedWei + proposerFeesWei;
    burnedFeesWei += burnedWei;
  }
  return { rewardsWei, burnedFeesWei };
}
