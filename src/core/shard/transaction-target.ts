// Where each transaction of a block goes, as far as price and ration are concerned (protocol, section 5): its *target's shard*. That is its own
// for a creation and a target in the sender's family; else the shard of the target's natural place, or, where the transaction has data and
// the body proves a pointer there, that of the family which the pointer names. All of it follows from the body, the reference and the
// parent's post-state: what the block itself creates does not count.
import { intrinsicGas } from '../execution/intrinsic-gas.ts';
import { placementOfFamily } from '../messaging/placement.ts';
import { bytesEqual, bytesToHex, compareBytes } from '../primitives/bytes.ts';
import type { Address, ChainId, Hex, Wei } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { MESSAGE_GAS } from '../protocol/gas.ts';
import type { Transaction } from '../protocol/transaction.ts';
import type { StateReader } from '../state/state-reader.ts';
import { type BeaconView, isFamilyOf, type ShardInstance, shardFor } from './beacon-view.ts';
import { decodePointerProof, verifyPointerProof } from './pointer-proof.ts';

/** See the file's head. */
export interface TransactionTarget {
  readonly shard: ChainId;
  /** Named by a pointer that the body proves: the main call goes straight there. */
  readonly provenFamily: Address | undefined;
  /** What a gas of the transaction costs at least: the higher of the base fees of its own shard and its target's. */
  readonly baseFeePerGasWei: Wei;
}

/** What the target of a transaction follows from beside the transaction. */
export interface TargetInput {
  readonly instance: ShardInstance;
  readonly view: BeaconView;
  readonly parent: { readonly baseFeePerGasWei: Wei };
  readonly parentState: StateReader;
}

/** By address of the target, the family that is proved; undefined: it is proved that there is no pointer. */
export type ProvenFamilies = ReadonlyMap<Hex, Address | undefined>;

/** Which rule about senders and targets a block breaks. */
export type TargetRefusal =
  | 'foreign-sender'
  | 'malformed-pointer-proof'
  | 'pointer-proof-out-of-order'
  | 'unknown-world-root'
  | 'wrong-pointer-proof'
  | 'pointer-proof-missing'
  | 'pointer-proof-not-needed';

const PASSED = accept(undefined);

/** Only the sender's own shard knows what it has. */
export function hasOwnSender({ sender, hashHex }: Transaction, instance: ShardInstance): Verdict<undefined, TargetRefusal> {
  return isFamilyOf(instance, sender) ? PASSED : refuse('foreign-sender', hashHex);
}

/** Weight of the main call: what it takes of its target's ration. */
export function mainCallWeightOf(transaction: Transaction): number {
  return MESSAGE_GAS + transaction.gasLimit - intrinsicGas(transaction);
}

/** With data, to a target of another family whose natural place is in another shard. */
export function needsPointerProof(transaction: Transaction, { instance, parentState }: TargetInput): boolean {
  const { to, data } = transaction;
  if (to === undefined || data.length === 0 || isFamilyOf(instance, to)) return false;
  return !isInSenderFamily(transaction, parentState);
}

/** See the file's head. `proven` has what the transaction needs. */
export function targetOf(transaction: Transaction, proven: ProvenFamilies, input: TargetInput): TransactionTarget {
  const { instance, view, parent } = input;
  const { to } = transaction;
  // Whether the sender's family has a leaf for the target decides nothing where the target's natural place is in this shard too.
  const isHere = to === undefined || isFamilyOf(instance, to) || isInSenderFamily(transaction, input.parentState);
  const provenFamily = !isHere && needsPointerProof(transaction, input) ? proven.get(bytesToHex(to)) : undefined;
  const shard = isHere ? instance.shard : shardFor(placementOfFamily(provenFamily ?? to), instance, view);
  const targetsWei = shard === instance.shard ? 0n : (view.shards.get(shard)?.baseFeePerGasWei ?? 0n);
  const baseFeePerGasWei = targetsWei > parent.baseFeePerGasWei ? targetsWei : parent.baseFeePerGasWei;
  return { shard, provenFamily, baseFeePerGasWei };
}

/** The pointer proofs of a body: ascending by target, so one for each. As many as the list holds. */
export function judgePointerProofs(proofs: readonly Uint8Array[], view: BeaconView): Verdict<ProvenFamilies, TargetRefusal> {
  const proven = new Map<Hex, Address | undefined>();
  let last: Address | undefined;
  for (const bytes of proofs) {
    const decoded = decodePointerProof(bytes);
    if (!decoded.ok) return refuse('malformed-pointer-proof', decoded.detail);
    const { target } = decoded.value;
    if (last !== undefined && compareBytes(last, target) >= 0) return refuse('pointer-proof-out-of-order', bytesToHex(target));
    last = target;
    const family = verifyPointerProof(decoded.value, view);
    if (!family.ok) return family;
    proven.set(bytesToHex(target), family.value);
  }
  return accept(proven);
}

/** Each transaction that needs a proof has one, and there is no other. */
export function provesWhatIsNeeded(
  transactions: readonly Transaction[],
  proven: ProvenFamilies,
  input: TargetInput,
): Verdict<undefined, TargetRefusal> {
  const unused = new Set(proven.keys());
  for (const transaction of transactions) {
    if (transaction.to === undefined || !needsPointerProof(transaction, input)) continue;
    const target = bytesToHex(transaction.to);
    if (!proven.has(target)) return refuse('pointer-proof-missing', transaction.hashHex);
    unused.delete(target);
  }
  const [first] = unused;
  return first === undefined ? PASSED : refuse('pointer-proof-not-needed', first);
}

// The target is the sender, or has a leaf in the sender's family.
function isInSenderFamily({ to, sender }: Transaction, parentState: StateReader): boolean {
  return to !== undefined && (bytesEqual(to, sender) || parentState.getAccount(sender, to) !== undefined);
}
