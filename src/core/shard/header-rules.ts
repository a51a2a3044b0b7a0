// Rules about a shard's header by itself (protocol, sections 3 and 5): what it stands on, how early it may be, and whose result it commits. One rule,
// one function; the list of all rules is in validate-shard-block.ts.
import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32, Height, TimestampMs } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { type BlockHeader, ExecutionCommitment } from '../protocol/block.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';

/** Which of these rules a header breaks. */
export type HeaderRefusal = 'wrong-parent' | 'wrong-height' | 'timestamp-too-early' | 'wrong-parent-execution' | 'wrong-post-state-root';

/** What a header is held against: a parent, which may be a start record, and our own result of executing it. */
export interface HeaderInput {
  readonly block: { readonly header: BlockHeader };
  readonly parent: { readonly hash: Bytes32; readonly height: Height; readonly timestampMs: TimestampMs };
  readonly parentExecution: ExecutionCommitment;
  readonly parameters: NetworkParameters;
}

const PASSED = accept(undefined);

/** A block's timestamp is at least this (validity: protocol, section 3, "Pace"). */
export function earliestTimestampMs(parent: { readonly timestampMs: TimestampMs }, parameters: NetworkParameters): TimestampMs {
  return parent.timestampMs + parameters.blockIntervalMsMin;
}

/** Its parent is this one, and it is one above it. */
export function followsParent({ block: { header }, parent }: HeaderInput): Verdict<undefined, HeaderRefusal> {
  if (!bytesEqual(header.parentHash, parent.hash)) return refuse('wrong-parent');
  return header.height === parent.height + 1 ? PASSED : refuse('wrong-height', `${header.height} on ${parent.height}`);
}

/** Its timestamp is far enough behind its parent's. */
export function isNotTooEarly({ block: { header }, parent, parameters }: HeaderInput): Verdict<undefined, HeaderRefusal> {
  const earliestMs = earliestTimestampMs(parent, parameters);
  return header.timestampMs >= earliestMs ? PASSED : refuse('timestamp-too-early', `${header.timestampMs}, not before ${earliestMs}`);
}

/** Determinism is checked here: equal parent state and equal block give equal commitments on every machine. */
export function commitsParentExecution({ block: { header }, parentExecution }: HeaderInput): Verdict<undefined, HeaderRefusal> {
  return ExecutionCommitment.equals(header.parentExecution, parentExecution) ? PASSED : refuse('wrong-parent-execution');
}

/** Only the beacon commits its own state. */
export function leavesResultToChild({ block: { header } }: HeaderInput): Verdict<undefined, HeaderRefusal> {
  return bytesEqual(header.postStateRoot, ZERO_32) ? PASSED : refuse('wrong-post-state-root');
}
