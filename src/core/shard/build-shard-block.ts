// The leader's side where there is a beacon (protocol, sections 3, 5 and 6): what a block on this parent, with this reference, can hold. First the
// inbox, up to its share; then of the transactions that the mempool offers, in their order, those that fit beside it. Where the reference is of
// a later epoch, the closing block. Whatever is built here is valid (validate-shard-block.ts); consensus adds round, certificates and VRF proof.
import { backlogOf } from '../messaging/congestion.ts';
import { verifyInbox } from '../messaging/inbox.ts';
import { type HeldBundles, selectInbox } from '../messaging/select-inbox.ts';
import { bytesToHex, compareBytes, hex, ZERO_32 } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Address, Bytes32, Hex, TimestampMs, Wei } from '../primitives/ids.ts';
import { type BeaconReference, BlockBody, bodyRootOf, EMPTY_BODY, type ExecutionCommitment } from '../protocol/block.ts';
import { TRANSACTIONS_PER_BODY_MAX } from '../protocol/limits.ts';
import type { Transaction } from '../protocol/transaction.ts';
import { closesInstance, referenceOf } from './beacon-view.ts';
import { executableInTurn, gasBoughtBy } from './body-rules.ts';
import { earliestTimestampMs } from './header-rules.ts';
import { rationsOf } from './ration.ts';
import { inboxGasOf } from './shard-load.ts';
import {
  hasOwnSender,
  judgePointerProofs,
  mainCallWeightOf,
  needsPointerProof,
  type ProvenFamilies,
  targetOf,
} from './transaction-target.ts';
import { isWithinReach } from './unanchored.ts';
import { type ShardBlockInput, shardBaseFeeAfter } from './validate-shard-block.ts';

/** Of a list in SSZ, beside each element of variable length. */
const OFFSET_BYTES = 4;

/** What building takes. The view is of the reference that the leader chose: at or after the parent's. */
export interface ShardBuildInput extends Omit<ShardBlockInput, 'block'> {
  /** Bundles that the node holds. */
  readonly held: HeldBundles;
  /** As the mempool offers them: the best first, each sender's in the order of nonces. What does not fit is left out. */
  readonly transactions: readonly Transaction[];
  /** The encoded proof of a target's pointer, or of its absence, against a root that the view knows (pointer-proof.ts); undefined: none is at hand. */
  readonly pointerProofOf: (target: Address) => Uint8Array | undefined;
  readonly nowMs: TimestampMs;
}

/** The part of a block that the shard decides. */
export interface ShardPayload {
  readonly body: BlockBody;
  readonly bodyRoot: Bytes32;
  readonly timestampMs: TimestampMs;
  readonly beaconReference: BeaconReference;
  readonly gasBought: number;
  readonly baseFeePerGasWei: Wei;
  readonly parentExecution: ExecutionCommitment;
  readonly postStateRoot: Bytes32;
  /** Of the body, decoded. */
  readonly transactions: readonly Transaction[];
}

/** See the file's head. */
export function buildShardBlock(input: ShardBuildInput): ShardPayload {
  const { instance, view, parent, parentExecution, parameters } = input;
  invariant(
    !parent.closes && view.height >= parent.referenceHeight,
    'a leader proposes on an open parent, at its reference or a later one',
  );
  invariant(isWithinReach(parent.height + 1, view, instance), 'a leader waits where a block would be too far ahead of what is anchored');
  const { shard } = instance;
  const closes = closesInstance(view, instance);
  const lanes = { shard, parentCursors: parentExecution.cursors, view: view.lanes, share: parameters };
  const taken = closes ? { inbox: [], bundleIndexes: [] } : selectInbox({ ...lanes, held: input.held });
  const inbox = verifyInbox({ ...lanes, body: taken });
  invariant(inbox.ok, 'what is chosen of the lanes is valid');
  const inboxGas = inboxGasOf(inbox.value.messages);
  const withInbox: BlockBody = { ...EMPTY_BODY, ...taken };
  const own = closes ? { transactions: [], pointerProofs: [] } : chooseTransactions(input, withInbox, inboxGas);
  const { transactions, pointerProofs } = own;
  const body: BlockBody = { ...withInbox, transactions: transactions.map(({ raw }) => raw), pointerProofs };
  const timestampMs = Math.max(input.nowMs, earliestTimestampMs(parent, parameters));
  const gasBought = gasBoughtBy(transactions);
  const backlog = backlogOf(shard, inbox.value.cursors, view.lanes);
  return {
    body,
    bodyRoot: bodyRootOf(
      body,
      transactions.map(({ hash }) => hash),
    ),
    timestampMs,
    beaconReference: referenceOf(view),
    gasBought,
    baseFeePerGasWei: shardBaseFeeAfter({ parent, timestampMs, gasBought, inboxGas, backlog, parameters }),
    parentExecution,
    postStateRoot: ZERO_32,
    transactions,
  };
}

interface Chosen {
  readonly transactions: readonly Transaction[];
  /** Ascending by target. */
  readonly pointerProofs: Uint8Array[];
}

// A sender whose transaction is left out has no later one taken either: nonces are in sequence.
function chooseTransactions(input: ShardBuildInput, withInbox: BlockBody, inboxGas: number): Chosen {
  const { parameters, parentState } = input;
  const rations = rationsOf(input);
  const proofs = new Map<Hex, KnownProof>();
  const transactions: Transaction[] = [];
  let gasLeft = parameters.blockGasLimit - inboxGas;
  let bytesLeft = parameters.bodyBytesMax - BlockBody.value_serializedSize(withInbox);
  let baseFeePerGasWei: Wei = 0n;
  const isExecutable = executableInTurn({ parentState, parameters, baseFeeOf: () => baseFeePerGasWei });
  for (const transaction of input.transactions) {
    if (transactions.length === TRANSACTIONS_PER_BODY_MAX) break;
    if (!hasOwnSender(transaction, input.instance).ok) continue;
    const proof = proofFor(transaction, input, proofs);
    if (proof === undefined) continue;
    const isNew = proof.bytes !== undefined && !proofs.has(proof.name);
    const bytes = transaction.raw.length + OFFSET_BYTES + (isNew ? (proof.bytes?.length ?? 0) + OFFSET_BYTES : 0);
    const target = targetOf(transaction, proof.proven, input);
    const weight = mainCallWeightOf(transaction);
    if (transaction.gasLimit > gasLeft || bytes > bytesLeft || !rations.hasRoomFor(target.shard, weight)) continue;
    baseFeePerGasWei = target.baseFeePerGasWei;
    if (!isExecutable(transaction).ok) continue;
    rations.take(target.shard, weight);
    gasLeft -= transaction.gasLimit;
    bytesLeft -= bytes;
    if (isNew) proofs.set(proof.name, proof);
    transactions.push(transaction);
  }
  const inOrder = [...proofs.values()].sort((a, b) => compareBytes(hex(a.name), hex(b.name)));
  return { transactions, pointerProofs: inOrder.flatMap(({ bytes }) => bytes ?? []) };
}

/** What a body shows of a target's pointer: nothing where the transaction needs no proof. */
interface KnownProof {
  readonly name: Hex;
  readonly bytes: Uint8Array | undefined;
  readonly proven: ProvenFamilies;
}

const NOT_NEEDED: KnownProof = { name: '', bytes: undefined, proven: new Map() };

// Undefined: the transaction needs a proof, and none is at hand that holds at this reference.
function proofFor(transaction: Transaction, input: ShardBuildInput, chosen: ReadonlyMap<Hex, KnownProof>): KnownProof | undefined {
  const { to } = transaction;
  if (to === undefined || !needsPointerProof(transaction, input)) return NOT_NEEDED;
  const name = bytesToHex(to);
  const known = chosen.get(name);
  if (known !== undefined) return known;
  const bytes = input.pointerProofOf(to);
  const proven = bytes && judgePointerProofs([bytes], input.view);
  return proven?.ok === true && proven.value.has(name) ? { name, bytes, proven: proven.value } : undefined;
}
