// A crosslink in a beacon block (protocol, section 6): foreign bytes become final shard blocks. Here is the judgement, against the state after
// the operation before it; anchoring.ts has what it does to the state.
//
// Signatures are returned as claims and not verified here, so that a node verifies those of a whole beacon block in one batch. A crosslink
// counts only if all of its claims do.
import { commitProofClaims, type MessageRefusal, type SignatureSet } from '../consensus/signature-sets.ts';
import { bytesEqual } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Height } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { blockHashOf } from '../protocol/block.ts';
import { Crosslink } from '../protocol/crosslink.ts';
import { decodeCanonical } from '../protocol/ssz.ts';
import { type ChildRootsRefusal, checkChildRoots, checkLateChildRoots } from './child-roots.ts';
import type { BeaconConstants } from './constants.ts';
import { type ChainRefusal, checkCrosslinkChain, isClosing, type NamedHeader } from './crosslink-chain.ts';
import { epochOfHeight } from './epochs.ts';
import { instanceOfRecord } from './instance.ts';
import { type BeaconState, layoutOfEpoch, type RecordEntry, type ShardRoot, shardsOf } from './state.ts';

/** What a crosslink is judged against. `state.height` is that of the beacon block that holds it. */
export interface CrosslinkInput {
  readonly constants: BeaconConstants;
  readonly state: BeaconState;
  readonly encoded: Uint8Array;
  readonly beaconHashAt: (height: Height) => Bytes32 | undefined;
}

/** Which rule a crosslink breaks: stable, a label of metrics. */
export type CrosslinkRefusal =
  | 'malformed'
  | 'not-canonical'
  | 'unknown-record'
  | 'record-closed'
  | 'without-headers'
  | 'certificate-of-another-block'
  | ChainRefusal
  | ChildRootsRefusal
  | MessageRefusal;

/** A crosslink that holds if every claim does. */
export interface JudgedCrosslink {
  readonly crosslink: Crosslink;
  /** The record's entry in the state that it was judged against. */
  readonly entry: RecordEntry;
  /** None where it brings child roots only. */
  readonly headers: readonly NamedHeader[];
  readonly closes: boolean;
  readonly childRoots: readonly ShardRoot[];
  readonly claims: readonly SignatureSet[];
}

type Judged = Verdict<JudgedCrosslink, CrosslinkRefusal>;

/** See the file's head. */
export function judgeCrosslink(input: CrosslinkInput): Judged {
  const decoded = decodeCanonical(Crosslink, input.encoded);
  if (!decoded.ok) return decoded;
  const { shard, epoch } = decoded.value;
  const entry = input.state.records.find(({ record }) => record.shard === shard && record.epoch === epoch);
  if (entry === undefined) return refuse('unknown-record', `shard ${shard} of epoch ${epoch}`);
  return decoded.value.headers.length === 0 ? judgeLateChildRoots(input, decoded.value, entry) : judgeHeaders(input, decoded.value, entry);
}

function judgeHeaders({ constants, state, beaconHashAt }: CrosslinkInput, crosslink: Crosslink, entry: RecordEntry): Judged {
  if (entry.closed) return refuse('record-closed', `shard ${crosslink.shard} of epoch ${crosslink.epoch}`);
  const { parameters } = constants;
  const instance = instanceOfRecord(constants, state, entry.record);
  const headers = crosslink.headers.map(named);
  const carriers = crosslink.carriers.map(named);
  const chain = checkCrosslinkChain({
    instance,
    progress: entry.progress,
    headers,
    outboxes: crosslink.outboxes,
    carriers,
    parameters,
    parentHeight: state.height - 1,
    beaconHashAt,
  });
  if (!chain.ok) return chain;
  const last = headers.at(-1);
  invariant(last !== undefined, 'a crosslink of headers has one');
  const covered = coversLast(crosslink, carriers.at(-1) ?? last);
  if (!covered.ok) return covered;
  const claims = commitProofClaims(instance, crosslink.quorumCertificate, crosslink.commitCertificate);
  if (!claims.ok) return claims;
  const closes = isClosing(last.header, instance.epoch, parameters);
  const closingRoot = last.header.parentExecution.stateRoot;
  const childRoots = checkChildRoots(entry.record.shard, closes ? layoutNow(constants, state) : [], closingRoot, crosslink.childStateRoots);
  if (!childRoots.ok) return childRoots;
  return accept({ crosslink, entry, headers, closes, childRoots: childRoots.value, claims: claims.value });
}

function judgeLateChildRoots({ constants, state }: CrosslinkInput, crosslink: Crosslink, entry: RecordEntry): Judged {
  if (crosslink.outboxes.length > 0 || crosslink.carriers.length > 0) return refuse('without-headers', 'outboxes or carriers of none');
  const childRoots = checkLateChildRoots(entry, layoutNow(constants, state), crosslink);
  if (!childRoots.ok) return childRoots;
  return accept({ crosslink, entry, headers: [], closes: false, childRoots: childRoots.value, claims: [] });
}

/** The QC and CC are of the last block: nothing after it is final, and without them nothing is. */
function coversLast({ quorumCertificate: { point } }: Crosslink, { header, hash }: NamedHeader): Verdict<undefined, CrosslinkRefusal> {
  const isOfLast = bytesEqual(point.blockHash, hash) && point.height === header.height && point.round === header.round;
  return isOfLast ? accept(undefined) : refuse('certificate-of-another-block', `height ${point.height}, round ${point.round}`);
}

function layoutNow({ parameters }: BeaconConstants, state: BeaconState): readonly number[] {
  const layout = layoutOfEpoch(state, epochOfHeight(state.height, parameters));
  invariant(layout !== undefined, 'the layout of the present epoch is kept');
  return shardsOf(layout);
}

function named(header: NamedHeader['header']): NamedHeader {
  return { header, hash: blockHashOf(header) };
}
