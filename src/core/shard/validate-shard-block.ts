// Static validation of a shard's block where there is a beacon (protocol, sections 3, 5 and 6): everything that a voter checks before the vote,
// without executing it. It is a function of the parent, its post-state, our own result of executing it, the body, and the view of the
// beacon at the block's reference: never of a clock, of what a node holds, or of what arrived when ⚠ (voting-rules.ts has those rules).
//
// Leader, VRF, QC and TC are the consensus engine's to check, and so is that nothing but carriers follows a closing block.

import { nextBaseFee } from '../execution/base-fee.ts';
import type { DecodedBlock } from '../execution/executed-block.ts';
import { backlogOf } from '../messaging/congestion.ts';
import { type InboxRefusal, type VerifiedInbox, verifyInbox } from '../messaging/inbox.ts';
import { bytesEqual } from '../primitives/bytes.ts';
import type { ChainId, Hex, TimestampMs, Wei } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import type { ExecutionCommitment } from '../protocol/block.ts';
import type { NetworkParameters } from '../protocol/parameters.ts';
import type { StateReader } from '../state/state-reader.ts';
import { type BeaconView, closesInstance, type ShardInstance } from './beacon-view.ts';
import { type BodyRefusal, checkBodyParts, checkExecutable, hasRootOfBody, statesGasBought, staysWithinBytes } from './body-rules.ts';
import { commitsParentExecution, followsParent, type HeaderRefusal, isNotTooEarly, leavesResultToChild } from './header-rules.ts';
import { rationsOf } from './ration.ts';
import { inboxGasOf } from './shard-load.ts';
import type { ShardParent } from './shard-parent.ts';
import {
  hasOwnSender,
  judgePointerProofs,
  mainCallWeightOf,
  provesWhatIsNeeded,
  type TargetRefusal,
  type TransactionTarget,
  targetOf,
} from './transaction-target.ts';
import { isWithinReach } from './unanchored.ts';

/** What a block is checked against. */
export interface ShardBlockInput {
  readonly instance: ShardInstance;
  readonly block: DecodedBlock;
  readonly parent: ShardParent;
  /** Our own result of executing the parent; of a start record what it commits. */
  readonly parentExecution: ExecutionCommitment;
  /** The parent's post-state. */
  readonly parentState: StateReader;
  /** As of the beacon block at the height that the header names. */
  readonly view: BeaconView;
  readonly parameters: NetworkParameters;
}

/** What a valid block comes to before it is executed. */
export interface JudgedShardBlock {
  readonly inbox: VerifiedInbox;
  /** By hash of the transaction. */
  readonly targets: ReadonlyMap<Hex, TransactionTarget>;
  /** Of other shards' rations, by the blocks with this reference up to this one. */
  readonly rationUsed: ReadonlyMap<ChainId, number>;
  /** Weight under way to the shard at the block's reference, after what the block took. */
  readonly backlog: number;
  readonly closes: boolean;
}

/** Which rule a block breaks: stable, a label of metrics. */
export type ShardBlockRefusal =
  | HeaderRefusal
  | BodyRefusal
  | InboxRefusal
  | TargetRefusal
  | 'wrong-beacon-reference'
  | 'reference-before-parent'
  | 'parent-closed'
  | 'closing-with-body'
  | 'too-far-ahead'
  | 'too-much-gas'
  | 'ration-exceeded'
  | 'wrong-base-fee';

type Rule = (input: ShardBlockInput) => Verdict<undefined, ShardBlockRefusal>;
type JudgedRule = (input: ShardBlockInput, inbox: VerifiedInbox) => Verdict<undefined, ShardBlockRefusal>;

const PASSED = accept(undefined);
const PARTS: ReadonlySet<string> = new Set(['inbox', 'transactions', 'bundleIndexes', 'pointerProofs']);

/** Rules that need nothing of the body's contents, cheapest first; the first that fails is the verdict. */
const RULES: readonly Rule[] = [
  followsParent,
  isNotTooEarly,
  comesBeforeEnd,
  goesOnFromParentsReference,
  namesReferenceOfView,
  closesWithoutBody,
  staysWithinReach,
  commitsParentExecution,
  leavesResultToChild,
  hasOnlyPartsOfShards,
  staysWithinBytes,
  statesGasBought,
  hasRootOfBody,
  hasOwnSenders,
];

/** Rules that need to know what the inbox took. */
const RULES_AFTER_INBOX: readonly JudgedRule[] = [staysWithinGas, leavesRightBaseFee];

/** See the file's head. */
export function validateShardBlock(input: ShardBlockInput): Verdict<JudgedShardBlock, ShardBlockRefusal> {
  for (const rule of RULES) {
    const verdict = rule(input);
    if (!verdict.ok) return verdict;
  }
  const inbox = takeInbox(input);
  if (!inbox.ok) return inbox;
  for (const rule of RULES_AFTER_INBOX) {
    const verdict = rule(input, inbox.value);
    if (!verdict.ok) return verdict;
  }
  const targets = targetsOf(input);
  if (!targets.ok) return targets;
  const executable = areExecutable(input, targets.value);
  if (!executable.ok) return executable;
  const rationUsed = stayWithinRations(input, targets.value);
  if (!rationUsed.ok) return rationUsed;
  return accept({
    inbox: inbox.value,
    targets: targets.value,
    rationUsed: rationUsed.value,
    backlog: backlogAfter(input, inbox.value),
    closes: closesInstance(input.view, input.instance),
  });
}

/** What the price of the child follows from: the base fee moves by own gas, inbox gas and backlog, in empty and closing blocks too. */
export interface PriceInput {
  readonly parent: Pick<ShardParent, 'baseFeePerGasWei' | 'timestampMs'>;
  readonly timestampMs: TimestampMs;
  readonly gasBought: number;
  readonly inboxGas: number;
  readonly backlog: number;
  readonly parameters: NetworkParameters;
}

/** The base fee that a block leaves to its child. */
export function shardBaseFeeAfter({ parent, timestampMs, gasBought, inboxGas, backlog, parameters }: PriceInput): Wei {
  const { baseFeePerGasWeiMin, blockGasLimit } = parameters;
  const elapsedMs = timestampMs - parent.timestampMs;
  return nextBaseFee({
    baseFeePerGasWei: parent.baseFeePerGasWei,
    baseFeePerGasWeiMin,
    gasBought,
    inboxGas,
    backlog,
    elapsedMs,
    blockGasLimit,
  });
}

/** The engine lets nothing but carriers stand on a closing block, and carriers are not judged here. */
function comesBeforeEnd({ parent }: ShardBlockInput): Verdict<undefined, ShardBlockRefusal> {
  return parent.closes ? refuse('parent-closed', `at height ${parent.height}`) : PASSED;
}

/** Never before the parent's reference; of an instance's first block never before the record's beacon block. */
function goesOnFromParentsReference({ block, parent }: ShardBlockInput): Verdict<undefined, ShardBlockRefusal> {
  const { height } = block.header.beaconReference;
  return height >= parent.referenceHeight ? PASSED : refuse('reference-before-parent', `${height}, the parent's ${parent.referenceHeight}`);
}

/** The beacon has one block of each height. */
function namesReferenceOfView({ block, view }: ShardBlockInput): Verdict<undefined, ShardBlockRefusal> {
  const { height, hash } = block.header.beaconReference;
  return height === view.height && bytesEqual(hash, view.hash) ? PASSED : refuse('wrong-beacon-reference', `height ${height}`);
}

/** A closing block commits the final state: nothing of its own may be left over. */
function closesWithoutBody({ block: { body }, view, instance }: ShardBlockInput): Verdict<undefined, ShardBlockRefusal> {
  const isEmpty = Object.values(body).every((part) => part.length === 0);
  return isEmpty || !closesInstance(view, instance) ? PASSED : refuse('closing-with-body', `epoch ${view.epoch}`);
}

/** What is not anchored is bounded. */
function staysWithinReach({ block: { header }, view, instance }: ShardBlockInput): Verdict<undefined, ShardBlockRefusal> {
  return isWithinReach(header.height, view, instance)
    ? PASSED
    : refuse('too-far-ahead', `height ${header.height} at reference ${view.height}`);
}

/** Crosslinks and evidence are the beacon's. */
function hasOnlyPartsOfShards({ block: { body } }: ShardBlockInput): Verdict<undefined, ShardBlockRefusal> {
  return checkBodyParts(body, PARTS);
}

function hasOwnSenders({ block: { transactions }, instance }: ShardBlockInput): Verdict<undefined, ShardBlockRefusal> {
  for (const transaction of transactions) {
    const verdict = hasOwnSender(transaction, instance);
    if (!verdict.ok) return verdict;
  }
  return PASSED;
}

/** From the cursors that the header commits, by the sources listed at the reference. */
function takeInbox({
  instance,
  block: { body },
  parentExecution,
  view,
  parameters,
}: ShardBlockInput): Verdict<VerifiedInbox, InboxRefusal> {
  return verifyInbox({ shard: instance.shard, parentCursors: parentExecution.cursors, view: view.lanes, body, share: parameters });
}

/** The inbox comes first: own transactions may buy what it leaves of the block's gas, which is always enough for the largest of them. */
function staysWithinGas({ block, parameters }: ShardBlockInput, inbox: VerifiedInbox): Verdict<undefined, ShardBlockRefusal> {
  const gasMax = parameters.blockGasLimit - inboxGasOf(inbox.messages);
  const { gasBought } = block.header;
  return gasBought <= gasMax ? PASSED : refuse('too-much-gas', `${gasBought}, at most ${gasMax}`);
}

function leavesRightBaseFee(input: ShardBlockInput, inbox: VerifiedInbox): Verdict<undefined, ShardBlockRefusal> {
  const { parent, parameters } = input;
  const { gasBought, timestampMs, baseFeePerGasWei } = input.block.header;
  const backlog = backlogAfter(input, inbox);
  const expected = shardBaseFeeAfter({ parent, timestampMs, gasBought, inboxGas: inboxGasOf(inbox.messages), backlog, parameters });
  return baseFeePerGasWei === expected ? PASSED : refuse('wrong-base-fee', `${baseFeePerGasWei} instead of ${expected}`);
}

/** At the block's own reference, after what it took. */
function backlogAfter({ instance, view }: ShardBlockInput, inbox: VerifiedInbox): number {
  return backlogOf(instance.shard, inbox.cursors, view.lanes);
}

function targetsOf(input: ShardBlockInput): Verdict<ReadonlyMap<Hex, TransactionTarget>, ShardBlockRefusal> {
  const { transactions, body } = input.block;
  const proven = judgePointerProofs(body.pointerProofs, input.view);
  if (!proven.ok) return proven;
  const needed = provesWhatIsNeeded(transactions, proven.value, input);
  if (!needed.ok) return needed;
  return accept(new Map(transactions.map((transaction) => [transaction.hashHex, targetOf(transaction, proven.value, input)])));
}

/** Congestion is paid for by those who cause it: each offers the higher of its own shard's base fee and its target's. */
function areExecutable(
  { block: { transactions }, parentState, parameters }: ShardBlockInput,
  targets: ReadonlyMap<Hex, TransactionTarget>,
): Verdict<undefined, ShardBlockRefusal> {
  return checkExecutable(transactions, {
    parentState,
    parameters,
    baseFeeOf: ({ hashHex }) => (targets.get(hashHex) as TransactionTarget).baseFeePerGasWei,
  });
}

function stayWithinRations(
  input: ShardBlockInput,
  targets: ReadonlyMap<Hex, TransactionTarget>,
): Verdict<ReadonlyMap<ChainId, number>, ShardBlockRefusal> {
  const rations = rationsOf(input);
  for (const transaction of input.block.transactions) {
    const { shard } = targets.get(transaction.hashHex) as TransactionTarget;
    const weight = mainCallWeightOf(transaction);
    if (!rations.hasRoomFor(shard, weight)) return refuse('ration-exceeded', `${transaction.hashHex} to shard ${shard}`);
    rations.take(shard, weight);
  }
  return accept(rations.used());
}
