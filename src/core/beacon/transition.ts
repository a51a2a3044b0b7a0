// The beacon's transition (protocol, section 6): from the state before a block and the block to the state after it. The order is part of the
// protocol: slashings; crosslinks in body order, each against the state after the one before, an invalid one making the block invalid; (messages
// and other operations, when there are any;) then takeovers, start records, source list; and as the last step of the last but one block of an
// epoch its transition. The last block of an epoch has no body: it closes the beacon's instance.
//
// Pure, and without a signature verified: the block is valid only if the claims returned are, and of each doubted group not every set is.
import type { SignatureSet } from '../consensus/signature-sets.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Height, TimestampMs, ValidatorIndex } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { BlockBody } from '../protocol/block.ts';
import type { StartRecord } from '../protocol/committee.ts';
import { type AnchoredExecutions, type AnchoredHeader, type AnchoredOutbox, anchorCrosslink } from './anchoring.ts';
import type { BeaconConstants } from './constants.ts';
import { type CrosslinkRefusal, judgeCrosslink } from './crosslink.ts';
import { type NextLayout, runEpochTransition } from './epoch.ts';
import { isFirstOfEpoch, isLastOfEpoch, runsEpochTransition } from './epochs.ts';
import { beaconStartRecord, firstBeaconRecord } from './instance.ts';
import { applyEvidence, type SlashingRefusal } from './slashing.ts';
import { updateSources } from './sources.ts';
import { replaceClosedRecords, withKnownInstances } from './start-records.ts';
import type { BeaconState } from './state.ts';
import { takeOverStalled } from './takeover.ts';

/** Of a beacon block's header what its transition depends on. */
export interface BeaconBlockFacts {
  readonly height: Height;
  readonly timestampMs: TimestampMs;
  /** seed(B): the chain's seed after this block (consensus/leader.ts). */
  readonly seed: Bytes32;
}

/** Everything that a transition depends on. */
export interface TransitionInput {
  readonly constants: BeaconConstants;
  /** After the parent. */
  readonly state: BeaconState;
  readonly block: BeaconBlockFacts;
  readonly body: BlockBody;
  /** Hashes of the beacon's committed ancestors of this block; of height 0 the root of its first start record. */
  readonly beaconHashAt: (height: Height) => Bytes32 | undefined;
  readonly nextLayout: NextLayout;
}

/** Why a body is not one. */
export type TransitionRefusal =
  | 'wrong-height'
  | 'body-part-not-permitted'
  | 'body-too-large'
  | 'last-block-with-body'
  | CrosslinkRefusal
  | SlashingRefusal;

/** What a block leads to, if its claims hold. */
export interface Applied {
  readonly state: BeaconState;
  readonly anchoredOutboxes: readonly AnchoredOutbox[];
  /** In the order of the crosslinks. */
  readonly anchoredExecutions: readonly AnchoredExecutions[];
  /** The same. */
  readonly anchoredHeaders: readonly AnchoredHeader[];
  readonly newRecords: readonly StartRecord[];
  readonly slashed: readonly ValidatorIndex[];
  /** All of them must verify. */
  readonly claims: readonly SignatureSet[];
  /** Of each group one set at least must not verify. */
  readonly doubted: readonly (readonly SignatureSet[])[];
}

type Transition = Verdict<Applied, TransitionRefusal>;

/** See the file's head. */
export function applyBeaconBlock(input: TransitionInput): Transition {
  const { constants, state, block, body } = input;
  if (block.height !== state.height + 1) return refuse('wrong-height', `${block.height} on ${state.height}`);
  const permitted = checkBodyParts(body);
  if (!permitted.ok) return permitted;
  const bounded = staysWithinBytes(body, constants);
  if (!bounded.ok) return bounded;
  const lastBlock = checkLastBlock(block.height, body, constants);
  if (!lastBlock.ok) return lastBlock;
  const operated = applyOperations(input, stateBeforeOperations(input));
  if (!operated.ok) return operated;
  const { state: replaced, newRecords } = replaceClosedRecords(constants, takeOverStalled(constants, operated.value.state));
  const listed = updateSources(replaced);
  const isEpochEnd = runsEpochTransition(block.height, constants.parameters);
  const after = isEpochEnd ? runEpochTransition(constants, listed, block.seed, input.nextLayout) : listed;
  return accept({ ...operated.value, state: after, newRecords });
}

/** The state that a block's first operation is applied to. */
export function stateBeforeOperations(input: Omit<TransitionInput, 'body'>): BeaconState {
  const { height, timestampMs } = input.block;
  return { ...withOwnInstance(input), height, timestampMs };
}

function applyOperations({ constants, body, beaconHashAt }: TransitionInput, before: BeaconState): Transition {
  let state = before;
  const slashed: ValidatorIndex[] = [];
  const claims: SignatureSet[] = [];
  const doubted: (readonly SignatureSet[])[] = [];
  const anchoredOutboxes: AnchoredOutbox[] = [];
  const anchoredExecutions: AnchoredExecutions[] = [];
  const anchoredHeaders: AnchoredHeader[] = [];
  for (const encoded of body.evidence) {
    const slashing = applyEvidence(constants, state, encoded);
    if (!slashing.ok) return slashing;
    state = slashing.value.state;
    slashed.push(...slashing.value.slashed);
    claims.push(...slashing.value.claims);
    if (slashing.value.doubted.length > 0) doubted.push(slashing.value.doubted);
  }
  for (const [operationIndex, encoded] of body.crosslinks.entries()) {
    const judged = judgeCrosslink({ constants, state, encoded, beaconHashAt });
    if (!judged.ok) return judged;
    const anchoring = anchorCrosslink(state, judged.value, operationIndex);
    state = anchoring.state;
    anchoredOutboxes.push(...anchoring.outboxes);
    if (anchoring.executions !== undefined) anchoredExecutions.push(anchoring.executions);
    anchoredHeaders.push(...anchoring.headers);
    claims.push(...judged.value.claims);
  }
  return accept({ state, anchoredOutboxes, anchoredExecutions, anchoredHeaders, newRecords: [], slashed, claims, doubted });
}

/** A beacon block has crosslinks and evidence; all else is a shard's. */
function checkBodyParts({ crosslinks: _crosslinks, evidence: _evidence, ...others }: BlockBody): Verdict<undefined, TransitionRefusal> {
  const wrong = Object.entries(others).find(([, items]) => items.length > 0);
  return wrong === undefined ? accept(undefined) : refuse('body-part-not-permitted', `${wrong[1].length} ${wrong[0]}`);
}

/** What no frame of the network holds, nobody could be sent. */
function staysWithinBytes(body: BlockBody, { parameters: { bodyBytesMax } }: BeaconConstants): Verdict<undefined, TransitionRefusal> {
  const bytes = BlockBody.value_serializedSize(body);
  return bytes <= bodyBytesMax ? accept(undefined) : refuse('body-too-large', `${bytes} bytes, at most ${bodyBytesMax}`);
}

/** The last block of an epoch closes the instance: the next one starts from a state that no body has changed since the transition. */
function checkLastBlock(
  height: Height,
  { crosslinks, evidence }: BlockBody,
  { parameters }: BeaconConstants,
): Verdict<undefined, TransitionRefusal> {
  if (!isLastOfEpoch(height, parameters) || crosslinks.length + evidence.length === 0) return accept(undefined);
  return refuse('last-block-with-body', `${crosslinks.length} crosslinks and ${evidence.length} pieces of evidence`);
}

// The record of the beacon's own instance follows from the last block of the epoch before, so the first of the next can remember it: evidence may
// be of the beacon too.
function withOwnInstance({ constants, state, block, beaconHashAt }: Omit<TransitionInput, 'body'>): BeaconState {
  if (!isFirstOfEpoch(block.height, constants.parameters)) return state;
  if (state.height === 0) return withKnownInstances(constants, state, [firstBeaconRecord(state)]);
  const closingHash = beaconHashAt(state.height);
  invariant(closingHash !== undefined, 'the hash of the parent is known');
  return withKnownInstances(constants, state, [beaconStartRecord(constants, state, closingHash)]);
}
