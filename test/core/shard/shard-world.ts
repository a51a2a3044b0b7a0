// A network of shards without nodes: every block is built by the leader's function, checked by the voter's, and executed on a real state
// database; a pretended beacon anchors headers in any order and with any delay, and renews records at the end of its epochs. After each step
// everything that exists is counted: the balances in all states, what is under way, and what was paid.
import assert from 'node:assert/strict';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { createOwnLoopExecutor } from '../../../src/core/execution/evm/own-loop-executor.ts';
import type { DecodedBlock } from '../../../src/core/execution/executed-block.ts';
import type { HeldBundle } from '../../../src/core/messaging/held-bundle.ts';
import { InboxItem } from '../../../src/core/messaging/inbox-item.ts';
import { type AnchoredOutbox, type BundleName, bundleNameOf } from '../../../src/core/messaging/lane-view.ts';
import type { Outbox } from '../../../src/core/messaging/outbox.ts';
import { placementOfFamily } from '../../../src/core/messaging/placement.ts';
import { mayForgetBundle } from '../../../src/core/messaging/retention.ts';
import { bytesToHex, uint64ToBytes, ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import type { Address, Bytes32 } from '../../../src/core/primitives/ids.ts';
import { type BlockHeader, blockHashOf, type ExecutionCommitment } from '../../../src/core/protocol/block.ts';
import type { Message } from '../../../src/core/protocol/message.ts';
import { decodeMessage } from '../../../src/core/protocol/message-codec.ts';
import type { NetworkParameters } from '../../../src/core/protocol/parameters.ts';
import { isUnder, shardOfPlacement } from '../../../src/core/protocol/shard-id.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { type BeaconView, makeShardInstance, type ShardInstance, type ShardTerms } from '../../../src/core/shard/beacon-view.ts';
import { buildShardBlock } from '../../../src/core/shard/build-shard-block.ts';
import { executeShardBlock } from '../../../src/core/shard/execute-shard-block.ts';
import { makePointerProof } from '../../../src/core/shard/pointer-proof.ts';
import { commitmentOfShardRecord, shardCommitmentOf } from '../../../src/core/shard/shard-commitment.ts';
import { parentOfBlock, parentOfRecord, type ShardParent } from '../../../src/core/shard/shard-parent.ts';
import { type ShardBlockInput, validateShardBlock } from '../../../src/core/shard/validate-shard-block.ts';
import { buildGenesisState, type GenesisStateAccount } from '../../../src/core/state/genesis-state.ts';
import { extendToWorld } from '../../../src/core/state/shard-proof.ts';
import { createStateDatabase } from '../../../src/core/state/state-database.ts';
import type { StateDatabase, StateVersion } from '../../../src/core/state/state-version.ts';
import { worldRootOf } from '../../../src/core/state/world-root.ts';
import { createMemoryStore, type MemoryStore } from '../../../src/storage/memory-store.ts';
import { ETHER, PARAMETERS } from '../execution/block-setup.ts';
import type { Draw } from '../protocol/generate-value.ts';

const GENESIS_MS = 1_700_000_000_000;
const FUNDED_WEI = 1_000n * ETHER;
/** A leader chooses among so many of the newest beacon blocks. */
const REFERENCES = 3;
/** Rounds in which everybody does everything until nothing is left to do. */
const SETTLING_ROUNDS_MAX = 400;
const evm = createOwnLoopExecutor(PARAMETERS.evmChainId);

interface MadeBlock {
  readonly header: BlockHeader;
  readonly closes: boolean;
  /** What the parent sent: this header commits it. */
  readonly commits: Outbox | undefined;
}

export interface WorldShard {
  instance: ShardInstance;
  readonly states: StateDatabase;
  parent: ShardParent;
  commitment: ExecutionCommitment;
  version: StateVersion;
  outbox: Outbox | undefined;
  /** Made and not yet crosslinked. */
  readonly pending: MadeBlock[];
  readonly pool: Transaction[];
  readonly lane: { lastAnchoredHeight: number; outboxes: readonly AnchoredOutbox[] };
  terms: ShardTerms;
  anchoredRoot: Bytes32;
  anchoredHeight: number;
  anchoredCursors: ExecutionCommitment['cursors'];
}

export interface ShardWorld {
  readonly parameters: NetworkParameters;
  readonly layout: ReadonlySet<number>;
  readonly shards: ReadonlyMap<number, WorldShard>;
  readonly store: MemoryStore;
  /** By beacon height. */
  readonly views: BeaconView[];
  readonly bundles: Map<BundleName, HeldBundle>;
  /** What was emitted to other shards and not yet taken, by its place. */
  readonly underWay: Map<string, Message>;
  readonly lastTaken: Map<string, readonly number[]>;
  readonly supplyWei: bigint;
  paidWei: bigint;
  /** How often each of the things happened that a run is there for. */
  readonly seen: { crossed: number; proved: number; closed: number; blocks: number };
  /** How often messages of each kind came to each outcome. */
  readonly items: Map<string, number>;
}

/** One epoch's layout, the accounts each in its shard, and the genesis of the beacon. */
export async function newWorld(layout: readonly number[], accounts: readonly Address[], parameters = PARAMETERS): Promise<ShardWorld> {
  const shards = new Map<number, WorldShard>();
  const store = createMemoryStore();
  const ids = new Set(layout);
  for (const shard of layout) {
    const own = accounts.filter((address) => isUnder(placementOfFamily(address), shard)).map(fundedAccount);
    const states = createStateDatabase(store, shard);
    const version = states.extend(states.committed(), 0, buildGenesisState(own));
    await store.write(states.commit(version), { sync: false });
    states.adopted(version);
    const { root } = version;
    const terms = { anchoredHeight: 0, baseFeePerGasWei: parameters.baseFeePerGasWeiMin, backlog: 0 };
    const instance = instanceOf(shard, ids, 0, 0, 0, GENESIS_MS, terms.baseFeePerGasWei, root, []);
    const started = {
      instance,
      parent: parentOfRecord(instance),
      commitment: commitmentOfShardRecord(instance),
      version,
      outbox: undefined,
    };
    const lane = { lastAnchoredHeight: 0, outboxes: [] };
    shards.set(shard, {
      ...started,
      states,
      pending: [],
      pool: [],
      lane,
      terms,
      anchoredRoot: root,
      anchoredHeight: 0,
      anchoredCursors: [],
    });
  }
  const world: ShardWorld = {
    parameters,
    layout: ids,
    shards,
    store,
    views: [],
    bundles: new Map(),
    underWay: new Map(),
    lastTaken: new Map(),
    supplyWei: BigInt(accounts.length) * FUNDED_WEI,
    paidWei: 0n,
    seen: { crossed: 0, proved: 0, closed: 0, blocks: 0 },
    items: new Map(),
  };
  world.views.push(viewNow(world));
  return world;
}

function fundedAccount(address: Address): GenesisStateAccount {
  return { address, family: address, balanceWei: FUNDED_WEI, nonce: 0n, code: new Uint8Array(0), storage: [] };
}

function instanceOf(
  shard: number,
  layout: ReadonlySet<number>,
  epoch: number,
  beaconHeight: number,
  height: number,
  timestampMs: number,
  baseFeePerGasWei: bigint,
  stateRoot: Bytes32,
  cursors: ExecutionCommitment['cursors'],
): ShardInstance {
  const seed = sha256(uint64ToBytes(shard), uint64ToBytes(epoch));
  const record = { shard, epoch, beaconHeight, closingHeaders: [], stateRoot, height, timestampMs, baseFeePerGasWei, seed };
  return makeShardInstance(record, layout, cursors);
}

/** Puts a transaction in the pool of its sender's shard. */
export function submit(world: ShardWorld, transaction: Transaction): void {
  const shard = shardOfPlacement(world.layout, placementOfFamily(transaction.sender));
  shardAt(world, shard as number).pool.push(transaction);
}

/** One of the shards. */
export function shardAt(world: ShardWorld, shard: number): WorldShard {
  const found = world.shards.get(shard);
  assert.ok(found !== undefined);
  return found;
}

/** A block of one shard, with a reference and bundles as they may come; nothing where the shard waits for its next record. */
export async function makeBlock(world: ShardWorld, shard: WorldShard, draw: Draw): Promise<void> {
  const { instance, parent, version } = shard;
  if (parent.closes) return;
  const newest = world.views.length - 1;
  const lowest = Math.max(parent.referenceHeight, newest - REFERENCES + 1);
  const view = world.views[lowest + draw(newest - lowest + 1)] as BeaconView;
  const held = new Map([...world.bundles].filter(() => draw(8) > 0));
  const { block, input } = blockOn(world, shard, view, held);
  const verdict = validateShardBlock(input);
  assert.ok(verdict.ok, `what is built is valid: ${verdict.ok ? '' : `${verdict.reason} ${verdict.detail}`}`);
  const judged = verdict.value;
  const executing = { instance, block, judged, parent, parentState: version, view, parameters: world.parameters, evm };
  const { result, outbox } = await executeShardBlock(executing);
  assert.deepEqual(result.outboxRoot, outbox.root);
  const next = shard.states.extend(version, block.header.height, result.changeSet);
  await world.store.write(shard.states.commit(next), { sync: false });
  shard.states.adopted(next);
  shard.pending.push({ header: block.header, closes: judged.closes, commits: shard.outbox });
  shard.outbox = outbox;
  shard.parent = parentOfBlock(block, judged);
  shard.version = next;
  shard.commitment = shardCommitmentOf({ instance, block, judged, result, state: next, leafCounts: shard.states.leafCounts(next) });
  const included = new Set(block.transactions);
  shard.pool.splice(0, Infinity, ...shard.pool.filter((transaction) => !included.has(transaction)));
  world.paidWei += result.burnedFeesWei + result.proposerFeesWei;
  world.seen.blocks++;
  for (const { message, outcome } of result.messages) {
    const item = `${message.kind} ${outcome}`;
    world.items.set(item, (world.items.get(item) ?? 0) + 1);
  }
  if (judged.closes) world.seen.closed++;
  world.seen.proved += [...judged.targets.values()].filter(({ provenFamily }) => provenFamily !== undefined).length;
  receive(world, instance.shard, block);
  send(world, outbox);
}

/** The leader's block, and what a voter checks it with. */
export function blockOn(
  world: ShardWorld,
  shard: WorldShard,
  view: BeaconView,
  held: ReadonlyMap<BundleName, HeldBundle>,
): { readonly block: DecodedBlock; readonly input: ShardBlockInput } {
  const { instance, parent, commitment, version } = shard;
  const context = { instance, parent, parentExecution: commitment, parentState: version, view, parameters: world.parameters };
  const { transactions, body, ...fields } = buildShardBlock({
    ...context,
    held,
    transactions: shard.pool,
    pointerProofOf: (target) => pointerProofAt(world, view, target),
    nowMs: Math.max(view.timestampMs, parent.timestampMs) + 100,
  });
  const header: BlockHeader = {
    ...fields,
    instanceId: instance.recordRoot,
    height: parent.height + 1,
    round: parent.height + 1,
    parentHash: parent.hash,
    justify: [],
    timeoutCertificate: [],
    proposer: 0,
    vrfProof: new Uint8Array(80),
  };
  const hash = blockHashOf(header);
  const block = { hash, hashHex: bytesToHex(hash), header, body, transactions };
  return { block, input: { ...context, block } };
}

// Which version of each shard was anchored at a reference.
const anchoredAt = new WeakMap<BeaconView, ReadonlyMap<number, { readonly root: Bytes32; readonly height: number }>>();

// Against the root at the reference, or for every second target at the end of the epoch before, where there is one.
function pointerProofAt(world: ShardWorld, view: BeaconView, target: Address): Uint8Array | undefined {
  const epoch = view.epoch > 0 && (target[0] as number) % 2 === 0 ? view.epoch - 1 : undefined;
  const at = epoch === undefined ? view : world.views.findLast((earlier) => earlier.epoch === epoch);
  const anchored = at && anchoredAt.get(at);
  assert.ok(anchored !== undefined);
  const shard = shardOfPlacement(world.layout, placementOfFamily(target)) as number;
  const { states } = shardAt(world, shard);
  const version = states.at(anchored.get(shard)?.height ?? 0);
  assert.ok(version !== undefined);
  const roots = new Map([...anchored].map(([id, { root }]) => [id, root]));
  return makePointerProof(target, epoch, extendToWorld(shard, states.provePointer(version, target), roots));
}

// Each once, and those of a source in their order.
function receive(world: ShardWorld, shard: number, { body }: DecodedBlock): void {
  for (const bytes of body.inbox) {
    const { source, height, bundle, index } = InboxItem.deserialize(bytes);
    const place = `${source}/${height}/${bundle}/${index}`;
    assert.ok(world.underWay.delete(place), `${place} is taken once, after it was sent`);
    const lane = `${source} to ${shard}`;
    const [lastHeight = -1, lastIndex = -1] = world.lastTaken.get(lane) ?? [];
    assert.ok(height > lastHeight || (height === lastHeight && index > lastIndex), `${place} in the order of its lane`);
    world.lastTaken.set(lane, [height, index]);
    world.seen.crossed++;
  }
}

function send(world: ShardWorld, { bundles }: Outbox): void {
  for (const bundle of bundles) {
    for (const [index, bytes] of bundle.messages.entries()) {
      const decoded = decodeMessage(bytes);
      assert.ok(decoded.ok);
      world.underWay.set(`${bundleNameOf(bundle.place)}/${index}`, decoded.value);
    }
  }
}

/** A beacon block that crosslinks so many of the pending headers of each of these shards, in this order. */
export function makeBeaconBlock(world: ShardWorld, crosslinks: readonly (readonly [shard: WorldShard, headers: number])[]): void {
  const height = world.views.length;
  for (const [operationIndex, [shard, headers]] of crosslinks.entries()) {
    for (const made of shard.pending.splice(0, headers)) anchor(world, shard, made, { beaconHeight: height, operationIndex });
  }
  forgetRead(world);
  world.views.push(viewNow(world));
}

function anchor(world: ShardWorld, shard: WorldShard, made: MadeBlock, at: { beaconHeight: number; operationIndex: number }): void {
  const { header, commits, closes } = made;
  const { parentExecution } = header;
  shard.lane.lastAnchoredHeight = header.height - 1;
  if (commits !== undefined && commits.bundles.length > 0) {
    assert.deepEqual(parentExecution.outboxRoot, commits.root);
    const anchored = { height: header.height - 1, anchor: { ...at, headerHeight: header.height }, summary: commits.summary };
    shard.lane.outboxes = [...shard.lane.outboxes, anchored];
    for (const bundle of commits.bundles) world.bundles.set(bundleNameOf(bundle.place), bundle);
  }
  const { height: anchoredHeight, baseFeePerGasWei } = header;
  shard.terms = { anchoredHeight, baseFeePerGasWei, backlog: parentExecution.load.whole.backlog };
  shard.anchoredRoot = parentExecution.stateRoot;
  shard.anchoredHeight = header.height - 1;
  shard.anchoredCursors = parentExecution.cursors;
  if (closes) startNext(world, shard, header, at.beaconHeight);
}

// Bundles, and then outboxes, that every anchored cursor has passed.
function forgetRead({ shards, bundles }: ShardWorld): void {
  const records = [...shards.values()].map(({ instance, anchoredCursors: cursors }) => ({ shard: instance.shard, cursors }));
  for (const [source, { lane }] of shards) {
    lane.outboxes = lane.outboxes.filter(({ height, summary }) => {
      let isKept = false;
      for (const [bundle, { destination }] of summary.bundles.entries()) {
        if (mayForgetBundle(source, height, destination, records)) bundles.delete(bundleNameOf({ source, height, bundle }));
        else isKept = true;
      }
      return isKept;
    });
  }
}

// The record that replaces the closed one. The version at the closing height, whose block has no body, is equal to that which it commits.
function startNext(world: ShardWorld, shard: WorldShard, closing: BlockHeader, beaconHeight: number): void {
  const { height, timestampMs, baseFeePerGasWei, parentExecution } = closing;
  const { stateRoot, cursors } = parentExecution;
  const epoch = Math.floor((beaconHeight - 1) / world.parameters.epochBlocks);
  assert.deepEqual(shard.version.root, stateRoot);
  const { shard: id, layout } = shard.instance;
  shard.instance = instanceOf(id, layout, epoch, beaconHeight, height, timestampMs, baseFeePerGasWei, stateRoot, cursors);
  shard.parent = parentOfRecord(shard.instance);
  shard.commitment = commitmentOfShardRecord(shard.instance);
  shard.outbox = undefined;
}

function viewNow(world: ShardWorld): BeaconView {
  const height = world.views.length;
  const hash = beaconHash(height);
  const shards = [...world.shards].sort(([a], [b]) => a - b);
  const roots = new Map(shards.map(([id, { anchoredRoot: root, anchoredHeight }]) => [id, { root, height: anchoredHeight }]));
  const epochOf = (at: number): number => (at === 0 ? 0 : Math.floor((at - 1) / world.parameters.epochBlocks));
  const view: BeaconView = {
    height,
    hash,
    timestampMs: GENESIS_MS + height * world.parameters.beaconBlockIntervalMsMin,
    seed: sha256(hash),
    epoch: epochOf(height),
    hashAt: beaconHash,
    lanes: { sources: shards.map(([shard, { lane }]) => ({ shard, startHeight: 0, ...lane })) },
    shards: new Map(shards.map(([id, { terms }]) => [id, terms])),
    worldRoot: worldRootOf(new Map([...roots].map(([id, { root }]) => [id, root]))),
    worldRootOfEpoch: (epoch) => (epoch < epochOf(height) ? world.views.findLast((at) => at.epoch === epoch)?.worldRoot : undefined),
  };
  anchoredAt.set(view, roots);
  return view;
}

function beaconHash(height: number): Bytes32 {
  return sha256(uint64ToBytes(height), ZERO_32);
}

/** Anything that may happen next. */
export async function step(world: ShardWorld, draw: Draw): Promise<void> {
  const shards = [...world.shards.values()];
  if (draw(3) > 0) return makeBlock(world, shards[draw(shards.length)] as WorldShard, draw);
  const order = shards.filter(() => draw(3) > 0).sort(() => draw(3) - 1);
  const crosslinks = order.flatMap((shard) => {
    const headers = draw(shard.pending.length + 1);
    return headers === 0 ? [] : [[shard, headers] as const];
  });
  makeBeaconBlock(world, crosslinks);
}

/** Until everything that was submitted and everything that it caused is executed and anchored. */
export async function settle(world: ShardWorld): Promise<void> {
  const shards = [...world.shards.values()];
  const isAtRest = (): boolean => world.underWay.size === 0 && shards.every(({ pool }) => pool.length === 0);
  for (let round = 0; !isAtRest(); round++) {
    assert.ok(round < SETTLING_ROUNDS_MAX, 'a workload settles');
    for (const shard of shards) await makeBlock(world, shard, (below) => below - 1);
    makeBeaconBlock(
      world,
      shards.map((shard) => [shard, shard.pending.length]),
    );
  }
}
