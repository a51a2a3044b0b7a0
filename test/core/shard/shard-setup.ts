// One block of shard 2 of two, which has messages of shard 3 to take and transactions to buy: valid, until a test changes something.

import { sha256 } from '../../../src/core/crypto/sha256.ts';
import type { HeldBundle } from '../../../src/core/messaging/held-bundle.ts';
import type { BundleName } from '../../../src/core/messaging/lane-view.ts';
import { placementOfFamily } from '../../../src/core/messaging/placement.ts';
import { bytesToHex, uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import type { Address } from '../../../src/core/primitives/ids.ts';
import { type BlockBody, type BlockHeader, blockHashOf, bodyRootOf } from '../../../src/core/protocol/block.ts';
import { isUnder } from '../../../src/core/protocol/shard-id.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { type BeaconView, makeShardInstance } from '../../../src/core/shard/beacon-view.ts';
import { gasBoughtBy } from '../../../src/core/shard/body-rules.ts';
import { buildShardBlock, type ShardBuildInput } from '../../../src/core/shard/build-shard-block.ts';
import { makePointerProof } from '../../../src/core/shard/pointer-proof.ts';
import { commitmentOfShardRecord } from '../../../src/core/shard/shard-commitment.ts';
import { parentOfRecord, type ShardParent } from '../../../src/core/shard/shard-parent.ts';
import { type ShardBlockInput, type ShardBlockRefusal, validateShardBlock } from '../../../src/core/shard/validate-shard-block.ts';
import { buildGenesisState } from '../../../src/core/state/genesis-state.ts';
import { createStateDatabase } from '../../../src/core/state/state-database.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import { addressOf, ETHER, PARAMETERS, transactionOf } from '../execution/block-setup.ts';
import { MemoryState } from '../execution/memory-state.ts';
import { sourceOf } from '../messaging/anchored-lanes.ts';
import { messageTo } from '../messaging/messages.ts';

export const SHARD = 2;
export const OTHER = 3;

/** The first so many made-up addresses whose natural place is in the shard. */
export function addressesIn(shard: number, count: number, name = 'account'): Address[] {
  const found: Address[] = [];
  for (let n = 0; found.length < count; n++) {
    const address = addressOf(`${name} ${n}`);
    if (isUnder(placementOfFamily(address), shard)) found.push(address);
  }
  return found;
}

const near = addressesIn(SHARD, 4);
const far = addressesIn(OTHER, 4);
export const [SENDER, NEIGHBOUR, , UNFUNDED] = near as [Address, Address, Address, Address];
export const [STRANGER, FAR_FAMILY] = far as [Address, Address];
/** A contract with its natural place in the other shard, of a family there; one of a family here; and an address without a pointer there. */
export const [FAR_CONTRACT, NEAR_CONTRACT, NO_CONTRACT] = addressesIn(OTHER, 3, 'contract') as [Address, Address, Address];

const CONTRACT = { balanceWei: 0n, nonce: 1n, code: Uint8Array.of(0), storage: [] };
const worldStates = createStateDatabase(createMemoryStore(), 1);
const WORLD = worldStates.extend(
  worldStates.committed(),
  0,
  buildGenesisState([
    { ...CONTRACT, address: FAR_CONTRACT, family: FAR_FAMILY },
    { ...CONTRACT, address: NEAR_CONTRACT, family: NEIGHBOUR },
  ]),
);

/** What an address's pointer is, against the world root at the reference, or that of an epoch, which are equal here. */
export function proofOf(target: Address, epoch?: number): Uint8Array {
  return makePointerProof(target, epoch, worldStates.provePointer(WORLD, target));
}

export const SENT = sourceOf(OTHER, 9, [
  { height: 4, layout: [2, 3], messages: near.slice(0, 3).map((family, salt) => messageTo(family, salt, { gasLimit: 5_000 })) },
  { height: 6, layout: [2, 3], messages: [messageTo(NEIGHBOUR, 9)] },
]);
export const HELD: ReadonlyMap<BundleName, HeldBundle> = SENT.held;

/** The beacon block that the block names. */
export function viewWith(change: Partial<BeaconView> = {}): BeaconView {
  const { baseFeePerGasWeiMin: baseFeePerGasWei } = PARAMETERS;
  const terms = { anchoredHeight: 20, baseFeePerGasWei, backlog: 0 };
  return {
    height: 30,
    hash: sha256(uint64ToBytes(30)),
    timestampMs: 1_700_000_000_000,
    seed: sha256(),
    epoch: 3,
    hashAt: (height) => sha256(uint64ToBytes(height)),
    lanes: { sources: [{ shard: SHARD, startHeight: 20, lastAnchoredHeight: 20, outboxes: [] }, SENT.source] },
    shards: new Map([
      [SHARD, terms],
      [OTHER, terms],
    ]),
    worldRoot: WORLD.root,
    worldRootOfEpoch: (epoch) => (epoch < 3 ? WORLD.root : undefined),
    ...change,
  };
}

/** The view with other terms of the other shard. */
export function viewWithTerms(terms: { readonly baseFeePerGasWei?: bigint; readonly backlog?: number }): BeaconView {
  const view = viewWith();
  const before = view.shards.get(OTHER);
  return {
    ...view,
    shards: new Map([...view.shards, [OTHER, { anchoredHeight: 0, baseFeePerGasWei: 0n, backlog: 0, ...before, ...terms }]]),
  };
}

const record = {
  shard: SHARD,
  epoch: 3,
  beaconHeight: 25,
  closingHeaders: [],
  stateRoot: sha256(Uint8Array.of(1)),
  height: 20,
  timestampMs: 1_699_999_999_000,
  baseFeePerGasWei: PARAMETERS.baseFeePerGasWeiMin,
  seed: sha256(Uint8Array.of(2)),
};
export const INSTANCE = makeShardInstance(record, new Set([SHARD, OTHER]), []);

/** Its first block stands on the record. */
export function buildInput(transactions: readonly Transaction[] = [], change: Partial<ShardBuildInput> = {}): ShardBuildInput {
  return {
    instance: INSTANCE,
    parent: parentOfRecord(INSTANCE),
    parentExecution: commitmentOfShardRecord(INSTANCE),
    parentState: MemoryState.of([SENDER, NEIGHBOUR].map((address) => ({ address, balanceWei: 100n * ETHER }))),
    view: viewWith(),
    parameters: PARAMETERS,
    held: HELD,
    transactions,
    pointerProofOf: (target) => proofOf(target),
    nowMs: 1_700_000_000_500,
    ...change,
  };
}

/** The block that is built of this, and what a voter checks it with. */
export function inputWith(transactions: readonly Transaction[] = [], change: Partial<ShardBuildInput> = {}): ShardBlockInput {
  const { held: _held, transactions: _offered, pointerProofOf: _proofs, nowMs: _now, ...context } = buildInput(transactions, change);
  const { transactions: included, body, ...fields } = buildShardBlock(buildInput(transactions, change));
  const header: BlockHeader = {
    ...fields,
    instanceId: sha256(),
    height: context.parent.height + 1,
    round: 1,
    parentHash: context.parent.hash,
    justify: [],
    timeoutCertificate: [],
    proposer: 0,
    vrfProof: new Uint8Array(80),
  };
  const hash = blockHashOf(header);
  return { ...context, block: { hash, hashHex: bytesToHex(hash), header, body, transactions: included } };
}

/** The same with another header. */
export function withHeader(input: ShardBlockInput, change: (header: BlockHeader) => Partial<BlockHeader>): ShardBlockInput {
  const { header } = input.block;
  return { ...input, block: { ...input.block, header: { ...header, ...change(header) } } };
}

/** The same with other parts of the body, and the root and gas of these. */
export function withBody(input: ShardBlockInput, parts: Partial<BlockBody>, transactions = input.block.transactions): ShardBlockInput {
  const body = { ...input.block.body, transactions: transactions.map(({ raw }) => raw), ...parts };
  const bodyRoot = bodyRootOf(
    body,
    transactions.map(({ hash }) => hash),
  );
  const changed = withHeader(input, () => ({ bodyRoot, gasBought: gasBoughtBy(transactions) }));
  return { ...changed, block: { ...changed.block, body, transactions } };
}

/** The same on another parent. */
export function withParent(input: ShardBlockInput, change: Partial<ShardParent>): ShardBlockInput {
  return { ...input, parent: { ...input.parent, ...change } };
}

/** Why a block is refused; undefined: it is not. */
export function reasonOf(input: ShardBlockInput): ShardBlockRefusal | undefined {
  const verdict = validateShardBlock(input);
  return verdict.ok ? undefined : verdict.reason;
}

/** A transfer of the sender's; to the other shard unless something else is said. */
export function transfer(nonce: number, change: Partial<Transaction> = {}): Transaction {
  return transactionOf({ sender: SENDER, nonce: BigInt(nonce), to: STRANGER, valueWei: 1n, ...change });
}

/** A call with data, which carries 100,000 gas and a little. */
export function call(nonce: number, to: Address, change: Partial<Transaction> = {}): Transaction {
  return transfer(nonce, { to, data: Uint8Array.of(1, 2, 3, 4), gasLimit: 121_064, ...change });
}
