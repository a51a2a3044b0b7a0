// The beacon's blocks, as the runtime runs them: a block is executed before it is voted for, since its header carries the root of the state
// after it (protocol, section 3). Judging a block is its transition, and the signatures of what it carries.
import type { BeaconConstants } from '../core/beacon/constants.ts';
import type { NextLayout } from '../core/beacon/epoch.ts';
import { isLastOfEpoch } from '../core/beacon/epochs.ts';
import { NO_EXECUTION } from '../core/beacon/header-fields.ts';
import type { BeaconState } from '../core/beacon/state.ts';
import { type Applied, applyBeaconBlock, type TransitionInput } from '../core/beacon/transition.ts';
import { validateBeaconBlock } from '../core/beacon/validate-block.ts';
import type { SignatureSet } from '../core/consensus/signature-sets.ts';
import type { DecodedBlock } from '../core/execution/executed-block.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, Height } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { BlockToExecute, ChainLogic, Outcome } from './chain-logic.ts';

/** What a beacon block, or the start record, came to. */
export interface BeaconOutcome extends Outcome {
  readonly state: BeaconState;
}

/** Of a block: with what its transition did. */
export interface ExecutedBeaconOutcome extends BeaconOutcome {
  readonly applied: Applied;
}

/** What running the beacon's blocks needs of its node. */
export interface BeaconLogicDependencies {
  readonly constants: BeaconConstants;
  readonly instance: Instance;
  /** Hash of the beacon block at a height at or below that of the instance's record. */
  readonly hashBefore: (height: Height) => Bytes32 | undefined;
  readonly nextLayout: NextLayout;
  /** True if every set verifies. */
  readonly verify: (sets: readonly SignatureSet[]) => Promise<boolean>;
}

/** See the file's head. */
export function createBeaconLogic(dependencies: BeaconLogicDependencies): ChainLogic<BeaconOutcome, ExecutedBeaconOutcome> {
  const { constants, instance, hashBefore, nextLayout, verify } = dependencies;
  // A valid block is executed right after it was judged, which is the same work.
  const judged = new WeakMap<DecodedBlock, Applied>();
  const inputOf = ({ block, parent, seed, ancestorHash }: BlockToExecute<BeaconOutcome>): TransitionInput => {
    const { height, timestampMs } = block.header;
    const { state } = parent;
    return {
      constants,
      state,
      block: { height, timestampMs, seed },
      body: block.body,
      beaconHashAt: (wanted) => {
        if (wanted <= instance.startRecord.height) return hashBefore(wanted);
        return wanted === parent.facts.height ? parent.hash : ancestorHash(wanted);
      },
      nextLayout,
    };
  };
  return {
    decode: async ({ transactions }) =>
      transactions.length === 0 ? accept([]) : refuse('body-part-not-permitted', `${transactions.length} transactions`),
    isClosing: ({ height }) => isLastOfEpoch(height, constants.parameters),
    validate: async (task) => {
      const { block, parent, seed } = task;
      const verdict = validateBeaconBlock({ ...inputOf(task), header: block.header, parentHash: parent.hash, seed });
      if (!verdict.ok) return verdict;
      const signed = await areSigned(verdict.value, verify);
      if (signed.ok) judged.set(block, verdict.value);
      return signed;
    },
    mayVoteFor: () => true,
    execute: async (task) => {
      const applied = judged.get(task.block) ?? appliedTo(inputOf(task));
      return outcomeAfter(task, applied);
    },
  };
}

/** The outcome of an instance's start record, from the state that it commits. */
export function beaconStartOutcome({ startRecord, startRecordRoot }: Instance, state: BeaconState): BeaconOutcome {
  const { height, timestampMs, seed } = startRecord;
  return outcomeOf(startRecordRoot, { height, timestampMs }, seed, state);
}

/** The outcome of a block that is not executed again: it was committed with this state. */
export function beaconOutcome(
  hash: Bytes32,
  place: { readonly height: number; readonly timestampMs: number },
  seed: Bytes32,
  state: BeaconState,
): BeaconOutcome {
  return outcomeOf(hash, place, seed, state);
}

async function areSigned(
  { claims, doubted }: Applied,
  verify: BeaconLogicDependencies['verify'],
): Promise<Verdict<undefined, 'bad-signature'>> {
  if (claims.length > 0 && !(await verify(claims))) return refuse('bad-signature');
  for (const group of doubted) if (await verify(group)) return refuse('bad-signature', 'nothing is proved by what is well signed');
  return accept(undefined);
}

function appliedTo(input: TransitionInput): Applied {
  const verdict = applyBeaconBlock(input);
  invariant(verdict.ok, 'what is executed is valid');
  return verdict.value;
}

function outcomeAfter({ block, seed }: BlockToExecute<BeaconOutcome>, applied: Applied): ExecutedBeaconOutcome {
  return { ...outcomeOf(block.hash, block.header, seed, applied.state), applied };
}

function outcomeOf(
  hash: Bytes32,
  { height, timestampMs }: { readonly height: number; readonly timestampMs: number },
  seed: Bytes32,
  state: BeaconState,
): BeaconOutcome {
  const facts = { hash, height, timestampMs, baseFeePerGasWei: 0n, hasItems: false };
  return { hash, facts, commitment: NO_EXECUTION, seed, state };
}
