// What is looked at of the headers and carriers in a crosslink: one rule, one function. Their own certificates are not verified: the hash of a
// header covers its parent's hash and its justify, so the QC and CC of the last one, by more than two thirds of the committee's seats, stand for
// all that come before it (consensus, "a CC covers a block and all its ancestors"). What is checked is what the beacon itself relies on.
import { memberIndexOf } from '../consensus/certificates.ts';
import { bytesEqual, ZERO_32 } from '../primitives/bytes.ts';
import type { Bytes32, Epoch, Height } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { BeaconReference, type BlockHeader, ExecutionCommitment } from '../protocol/block.ts';
import type { Instance } from '../protocol/committee.ts';
import { isLeftOf, isShardId } from '../protocol/layout.ts';
import { type OutboxSummary, outboxRootOf } from '../protocol/outbox.ts';
import { shardsIntersect } from '../protocol/subtrees.ts';
import { type EpochLength, epochOfHeight } from './epochs.ts';
import { EMPTY_BODY_ROOT } from './header-fields.ts';
import type { Progress } from './state.ts';

/** A header with its name. */
export interface NamedHeader {
  readonly header: BlockHeader;
  readonly hash: Bytes32;
}

/** The chain that a crosslink brings, and what it is held against. */
export interface CrosslinkChain {
  readonly instance: Instance;
  /** Where the instance was final before. */
  readonly progress: Progress;
  /** At least one. */
  readonly headers: readonly NamedHeader[];
  readonly outboxes: readonly OutboxSummary[];
  readonly carriers: readonly NamedHeader[];
  readonly parameters: EpochLength;
  /** The parent of the beacon block that holds the crosslink. */
  readonly parentHeight: Height;
  /** The hash of a beacon block up to that parent; of height 0 the root of the beacon's first start record. */
  readonly beaconHashAt: (height: Height) => Bytes32 | undefined;
}

/** Which rule a chain breaks. */
export type ChainRefusal =
  | 'wrong-instance'
  | 'not-a-member'
  | 'wrong-parent'
  | 'wrong-height'
  | 'wrong-justify'
  | 'wrong-reference'
  | 'wrong-outboxes'
  | 'outbox-out-of-order'
  | 'wrong-start'
  | 'wrong-cursors'
  | 'fees-too-large'
  | 'headers-after-closing'
  | 'closing-with-body'
  | 'carriers-without-closing'
  | 'wrong-carrier';

type Rule = (chain: CrosslinkChain) => Verdict<undefined, ChainRefusal>;

const PASSED = accept(undefined);
/** More than all coins that a genesis can give; so no sum of fees leaves 256 bits. */
const FEES_WEI_LIMIT = 2n ** 128n;

const RULES: readonly Rule[] = [
  areOfInstance,
  areByMembers,
  followEachOther,
  rise,
  carryCertificatesOfParents,
  nameBeaconBlocks,
  haveOutboxes,
  sendInOrder,
  startFromRecord,
  readForShard,
  oweWhatCanBe,
  endWithClosing,
  closeWithoutBody,
  haveCarriersOnlyAfterClosing,
  haveCarriersOfClosing,
];

/** All rules in their order; the first that fails is the verdict. */
export function checkCrosslinkChain(chain: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  for (const rule of RULES) {
    const verdict = rule(chain);
    if (!verdict.ok) return verdict;
  }
  return PASSED;
}

/** True for the header that closes its instance: its reference is in a later epoch than the instance's. */
export function isClosing({ beaconReference }: BlockHeader, epoch: Epoch, parameters: EpochLength): boolean {
  return epochOfHeight(beaconReference.height, parameters) > epoch;
}

function areOfInstance({ instance, headers, carriers }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const stranger = [...headers, ...carriers].find(({ header }) => !bytesEqual(header.instanceId, instance.instanceId));
  return stranger === undefined ? PASSED : refuse('wrong-instance', at(stranger));
}

/** Fees are owed to whoever proposed: that must be somebody. */
function areByMembers({ instance, headers }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const stranger = headers.find(({ header }) => memberIndexOf(instance.committee, header.proposer) === undefined);
  return stranger === undefined ? PASSED : refuse('not-a-member', `${at(stranger)} by ${stranger.header.proposer}`);
}

function followEachOther({ progress, headers }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const stray = headers.find(({ header }, index) => !bytesEqual(header.parentHash, headers[index - 1]?.hash ?? progress.hash));
  return stray === undefined ? PASSED : refuse('wrong-parent', at(stray));
}

function rise({ progress, headers }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const wrong = headers.find(({ header }, index) => header.height !== progress.height + 1 + index);
  return wrong === undefined ? PASSED : refuse('wrong-height', `${at(wrong)}, the last was ${progress.height}`);
}

/** Each carries the QC of its parent, but for the first of an instance, whose parent is the record. */
function carryCertificatesOfParents({ progress, headers }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const wrong = headers.find(({ header }, index) => {
    const parent = headers[index - 1]?.header ?? progress;
    const [justify] = header.justify;
    if (parent === progress && progress.round === 0) return justify !== undefined;
    return justify?.point.round !== parent.round || justify.point.height !== parent.height || !certifiesParent(header);
  });
  return wrong === undefined ? PASSED : refuse('wrong-justify', at(wrong));
}

/** A block of this beacon, at or below the parent; never before the one that the parent header names, at first the record's. */
function nameBeaconBlocks({ progress, headers, parentHeight, beaconHashAt }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  let lowest = progress.referenceHeight;
  for (const named of headers) {
    const { height, hash } = named.header.beaconReference;
    if (height < lowest || height > parentHeight)
      return refuse('wrong-reference', `${at(named)} names ${height}: ${lowest} to ${parentHeight}`);
    const known = beaconHashAt(height);
    if (known === undefined || !bytesEqual(known, hash)) return refuse('wrong-reference', `${at(named)} names another block of ${height}`);
    lowest = height;
  }
  return PASSED;
}

/** One summary for each header, of the outbox whose root it commits. An empty one has one form. */
function haveOutboxes({ headers, outboxes }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  if (outboxes.length !== headers.length) return refuse('wrong-outboxes', `${outboxes.length} for ${headers.length} headers`);
  const wrong = headers.find(({ header }, index) => {
    const summary = outboxes[index] as OutboxSummary;
    if (summary.bundles.length === 0 && !bytesEqual(summary.indexesRoot, ZERO_32)) return true;
    return !bytesEqual(outboxRootOf(summary), header.parentExecution.outboxRoot);
  });
  return wrong === undefined ? PASSED : refuse('wrong-outboxes', at(wrong));
}

/** Bundles go to the beacon or to shards, from left to right, each to one place only, and none is empty. */
function sendInOrder({ headers, outboxes }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const wrong = outboxes.findIndex(({ bundles }) =>
    bundles.some(({ destination, messageCount }, index) => {
      if (messageCount < 1 || (destination !== 0 && !isShardId(destination))) return true;
      const before = bundles[index - 1]?.destination;
      if (before === undefined) return false;
      return destination === 0 || (before !== 0 && !isLeftOf(before, destination));
    }),
  );
  return wrong < 0 ? PASSED : refuse('outbox-out-of-order', at(headers[wrong] as NamedHeader));
}

/** The first header of an instance commits the record: its state, and no results, which nobody made. */
function startFromRecord({ progress, headers }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const [first] = headers;
  if (progress.round !== 0 || first === undefined) return PASSED;
  const { stateRoot, outboxRoot, gasUsed, proposerFeesWei, burnedFeesWei } = first.header.parentExecution;
  const isEmpty = bytesEqual(outboxRoot, ZERO_32) && gasUsed === 0 && proposerFeesWei === 0n && burnedFeesWei === 0n;
  return isEmpty && bytesEqual(stateRoot, progress.stateRoot) ? PASSED : refuse('wrong-start', at(first));
}

/** Cursors are of shards, and read what is under the shard's own prefix. */
function readForShard({ instance, headers }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const wrong = headers.find(({ header }) =>
    header.parentExecution.cursors.some(
      ({ source, prefix }) => !isShardId(source) || !isShardId(prefix) || !shardsIntersect(prefix, instance.chain),
    ),
  );
  return wrong === undefined ? PASSED : refuse('wrong-cursors', at(wrong));
}

function oweWhatCanBe({ headers }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const wrong = headers.find(({ header: { parentExecution } }) => {
    return parentExecution.proposerFeesWei >= FEES_WEI_LIMIT || parentExecution.burnedFeesWei >= FEES_WEI_LIMIT;
  });
  return wrong === undefined ? PASSED : refuse('fees-too-large', at(wrong));
}

/** A closing header is the last: what would follow it is no block of the instance. */
function endWithClosing({ instance, headers, parameters }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const closing = headers.findIndex(({ header }) => isClosing(header, instance.epoch, parameters));
  if (closing < 0 || closing === headers.length - 1) return PASSED;
  return refuse('headers-after-closing', at(headers[closing] as NamedHeader));
}

/** So it commits the final state: no result of its own is left over. */
function closeWithoutBody({ instance, headers, parameters }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const wrong = headers.find(({ header }) => isClosing(header, instance.epoch, parameters) && !isWithoutBody(header));
  return wrong === undefined ? PASSED : refuse('closing-with-body', at(wrong));
}

function haveCarriersOnlyAfterClosing({ instance, headers, carriers, parameters }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const last = headers.at(-1);
  if (carriers.length === 0 || (last !== undefined && isClosing(last.header, instance.epoch, parameters))) return PASSED;
  return refuse('carriers-without-closing', `${carriers.length} carriers`);
}

/** A carrier says nothing but what the closing block says: it is there for the certificates. */
function haveCarriersOfClosing({ headers, carriers }: CrosslinkChain): Verdict<undefined, ChainRefusal> {
  const closing = headers.at(-1);
  if (closing === undefined) return PASSED;
  const wrong = carriers.find(({ header }, index) => {
    const parent = carriers[index - 1] ?? closing;
    const [justify] = header.justify;
    return !(
      bytesEqual(header.parentHash, parent.hash) &&
      header.height === closing.header.height &&
      justify?.point.round === parent.header.round &&
      justify.point.height === closing.header.height &&
      certifiesParent(header) &&
      BeaconReference.equals(header.beaconReference, closing.header.beaconReference) &&
      ExecutionCommitment.equals(header.parentExecution, closing.header.parentExecution) &&
      isWithoutBody(header)
    );
  });
  return wrong === undefined ? PASSED : refuse('wrong-carrier', at(wrong));
}

function certifiesParent({ justify, parentHash }: BlockHeader): boolean {
  const [certificate] = justify;
  return certificate !== undefined && bytesEqual(certificate.point.blockHash, parentHash);
}

function isWithoutBody({ bodyRoot, gasBought }: BlockHeader): boolean {
  return bytesEqual(bodyRoot, EMPTY_BODY_ROOT) && gasBought === 0;
}

function at({ header }: NamedHeader): string {
  return `height ${header.height}, round ${header.round}`;
}
