// Fits the node to what JSON-RPC asks for (rpc/ports.ts). No rule of the chain is decided here.
import { stateHeightOf } from '../core/beacon/anchoring.ts';
import { epochOfHeight } from '../core/beacon/epochs.ts';
import { layoutOfEpoch, type RecordEntry, shardsOf } from '../core/beacon/state.ts';
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { hexToBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import { type Address, BEACON_CHAIN, type ChainId, type Hex, type Wei } from '../core/primitives/ids.ts';
import { accept, refuse } from '../core/primitives/verdict.ts';
import { type Genesis, withoutAccounts } from '../core/protocol/genesis.ts';
import type { ExecutionContext } from '../core/protocol/message.ts';
import { extendToWorld } from '../core/state/shard-proof.ts';
import type { StateVersion } from '../core/state/state-version.ts';
import { supplyOf } from '../core/view/supply.ts';
import { WorldState } from '../core/view/world-state.ts';
import type { Network } from '../network/ports.ts';
import type { AddressProof, CallContext, RpcPorts, ShardHead, SubmitRefusal, SyncProgress } from '../rpc/ports.ts';
import type { Clock } from '../runtime/ports.ts';
import type { RouterRefusal } from '../runtime/transaction-router.ts';
import type { ViewChain } from '../runtime/view-chain.ts';
import { createSimulator } from './call-simulator.ts';
import type { Chain } from './create-chain.ts';
import type { Node } from './create-node.ts';
import { genesisStakeWei } from './genesis-view.ts';
import { messagesUnderWay } from './messages-under-way.ts';
import { type KnownOfView, notFollowed, partialPorts } from './partial-ports.ts';
import { clientVersion } from './version.ts';

/** Blocks behind which `eth_syncing` says so: the next few arrive by themselves. */
const SYNCING_DISTANCE = 8;

/** What the ports stand on. */
export interface RpcPortsInput {
  readonly node: Node;
  readonly genesis: Genesis;
  readonly network: Network;
  readonly secp256k1: Secp256k1;
  readonly clock: Clock;
}

/** See the file's head. */
export function createRpcPorts(given: RpcPortsInput): RpcPorts {
  const genesisSupplyWei = given.genesis.accounts.reduce((sum, { balanceWei }) => sum + balanceWei, genesisStakeWei(given.genesis));
  const input: RpcPortsInput = { ...given, genesis: withoutAccounts(given.genesis) };
  const { node, genesis, clock } = input;
  return {
    ...(node.view === undefined ? partialPorts(knownOfView(node)) : wholePorts(input, node.view, genesisSupplyWei)),
    mempool: mempoolPort(input),
    simulator: createSimulator(
      genesis,
      input.secp256k1,
      (context) => contextOf(input, context),
      () => clock.nowMs(),
    ),
    node: nodeInfo(input),
    subscriptions: {
      onHead: (listener) => (node.view === undefined ? notFollowed() : node.view.onHead(listener)),
      onPendingTransaction: (listener) => node.onPendingTransaction(listener),
    },
    timing: { nowMs: () => clock.nowMs(), schedule: (delayMs, callback) => clock.schedule(delayMs, callback) },
  };
}

/** Of a node that follows all shards. */
function wholePorts({ node }: RpcPortsInput, view: ViewChain, genesisSupplyWei: Wei): Pick<RpcPorts, 'view' | 'state'> {
  const startingBlock = view.head.block.header.number;
  return {
    view: {
      head: () => view.head.block,
      headNumber: () => view.head.block.header.number,
      blockByNumber: (number) => view.blockByNumber(number),
      blockByHash: (hash) => {
        const bytes = hexToBytes(hash);
        return bytes === undefined ? undefined : view.blockByHash(bytes);
      },
      headerByNumber: (number) => view.headerByNumber(number),
      transactionLocation: (hash) => {
        const bytes = hexToBytes(hash);
        const place = bytes === undefined ? undefined : view.transactionPlace(bytes);
        return place === undefined ? undefined : { blockNumber: place.number, index: place.index };
      },
      blocksWithMessagesOf: (hash) => {
        const bytes = hexToBytes(hash);
        return bytes === undefined ? [] : view.messagePlaces(bytes);
      },
      messagesUnderWay: (hash, rest) => {
        const { shards, window } = node;
        const bytes = hexToBytes(hash);
        invariant(bytes !== undefined, 'a hash that was read is hexadecimal');
        return messagesUnderWay(
          {
            headNumber: () => view.head.block.header.number,
            anchoredBundles: () => shards.bundles.anchoredBundles(),
            isKept: (source, height) => shards.bundles.isKept(source, height),
            anchorHeight: (source, height) => window.anchorHeight(source, height),
          },
          bytes,
          rest,
        );
      },
      // Blocks and receipts are all kept; only states are pruned.
      oldestNumber: () => 0,
      supplyAt: (number) => {
        const totals = view.supplyTotalsAt(number);
        return totals === undefined ? undefined : supplyOf(genesisSupplyWei, totals);
      },
      syncing: () => syncProgress(node, startingBlock, view.head.block.header.number),
    },
    state: {
      stateAt: (number) => servedState(node, view, number),
      pendingState: () => pendingState(node),
      lowestUnminedNonce: (address, number) => view.lowestUnminedNonce(address, number, node.inFlight.lowestNonceOf(address)),
      prove: (number, address, slots) => {
        const world = servedState(node, view, number);
        return world === undefined ? undefined : proveAddress(node, world, address, slots);
      },
    },
  };
}

/** Of a node that follows its own shards. */
function knownOfView(node: Node): KnownOfView {
  const headNumber = (): number => node.window.newest.height;
  const startingBlock = headNumber();
  return { headNumber, syncing: () => syncProgress(node, startingBlock, headNumber()) };
}

function syncProgress(node: Node, startingBlock: number, currentBlock: number): SyncProgress | undefined {
  const highestBlock = node.beacon.chain.catchUp.targetHeight;
  if (highestBlock === undefined || highestBlock - currentBlock < SYNCING_DISTANCE) return undefined;
  return { startingBlock, currentBlock, highestBlock };
}

/** The world after a block; undefined also where pruning may come at any moment, so that no answer breaks off in the middle. */
function servedState({ shards }: Node, view: ViewChain, number: number): WorldState | undefined {
  const world = view.worldAt(number);
  if (world === undefined) return undefined;
  // The newest is never pruned, however far its shards have run ahead of the beacon.
  if (world === view.head.world) return world;
  const isServed = [...world.versions].every(([shard, { height }]) => height >= shards.servedFrom(shard));
  return isServed ? world : undefined;
}

/** What the committees of the shards have committed, final or not. */
function pendingState({ shards }: Node): WorldState {
  return new WorldState(
    new Map([...shards.chains.keys()].map((shard): [ChainId, StateVersion] => [shard, shards.statesOf(shard).committed()])),
  );
}

function mempoolPort({ node, genesis }: RpcPortsInput): RpcPorts['mempool'] {
  const { transactions, inFlight, shards } = node;
  const { parameters } = genesis;
  return {
    submit: async (raw) => {
      const verdict = await transactions.submit(raw);
      return verdict.ok ? accept(verdict.value) : refuse(submitRefusal(verdict.reason), verdict.detail);
    },
    pendingNonce: (address) => transactions.pendingNonce(address) ?? notFollowed(),
    transactionByHash: (hash) => transactions.get(hash) ?? inFlight.get(hash),
    pendingTransactions: (countMax) => {
      const charged = inFlight.first(countMax);
      if (charged.length === countMax) return charged;
      const waiting = [...transactions.pools].flatMap(([shard, { pool }]) =>
        pool.take({
          state: pool.state,
          baseFeePerGasWei: shards.chains.get(shard)?.blocks.committed.facts.baseFeePerGasWei ?? 0n,
          gasLimit: parameters.blockGasLimit,
          bytesMax: parameters.bodyBytesMax,
          inFlight: new Set<Hex>(),
        }),
      );
      // What is charged leaves its pool only when that is on disk.
      return [...charged, ...waiting.filter(({ hashHex }) => inFlight.get(hashHex) === undefined)].slice(0, countMax);
    },
    status: () => transactions.status(),
    content: () => transactions.content(),
    contentFrom: (sender) => transactions.contentFrom(sender),
  };
}

/** The same word for one thing on both sides; a new refusal of the pool does not compile until it has one. */
function submitRefusal(reason: RouterRefusal): SubmitRefusal {
  return reason;
}

function nodeInfo({ node, genesis, network }: RpcPortsInput): RpcPorts['node'] {
  const { parameters } = genesis;
  const { beacon, shards, view, window } = node;
  const entryOf = (shard: ChainId): RecordEntry | undefined => window.newest.records.find(({ record }) => record.shard === shard);
  const chainOf = (chain: ChainId): Chain | undefined => (chain === BEACON_CHAIN ? beacon.chain : shards.chains.get(chain));
  return {
    evmChainId: parameters.evmChainId,
    clientVersion: clientVersion(),
    peerCount: () => network.peers.connected().length,
    isListening: () => true,
    nextBaseFeePerGasWei: () => nextBaseFeePerGasWei(node),
    baseFeePerGasWeiMin: parameters.baseFeePerGasWeiMin,
    transactionGasLimitMax: parameters.transactionGasLimitMax,
    layout: () => {
      const epoch = epochOfHeight(window.newest.height, parameters);
      const next = layoutOfEpoch(window.newest, epoch + 1);
      const shardsNow = window.newest.records.map(({ record }) => record.shard);
      return { epoch, shards: shardsNow, next: next === undefined ? shardsNow : shardsOf(next) };
    },
    shardHead: (shard) => {
      const chain = chainOf(shard);
      if (chain !== undefined) return headOf(chain, finalizedHeight(shard));
      const entry = entryOf(shard);
      return entry === undefined ? undefined : anchoredHeadOf(entry);
    },
    committee: (shard, epoch) => {
      const layout = layoutOfEpoch(window.newest, epoch);
      const members = shard === BEACON_CHAIN ? layout?.beaconMembers : layout?.shards.find((one) => one.shard === shard)?.members;
      return members?.flatMap(({ validator, seats }) => {
        const registered = window.newest.validators[validator];
        return registered === undefined ? [] : [{ validator, seats, blsPublicKey: registered.blsPublicKey }];
      });
    },
    evidence: (shard) => (chainOf(shard) === undefined && entryOf(shard) === undefined ? undefined : node.evidence.of(shard)),
  };

  // What clients can read, or could of a node that follows all.
  function finalizedHeight(chain: ChainId): number {
    if (chain === BEACON_CHAIN) return view?.head.block.header.number ?? window.newest.height;
    const entry = entryOf(chain);
    return view === undefined ? (entry === undefined ? 0 : stateHeightOf(entry)) : (view.head.world.versions.get(chain)?.height ?? 0);
  }
}

/** Of a shard that is not followed here: as far as the beacon has made it final. */
function anchoredHeadOf(entry: RecordEntry): ShardHead {
  const { height, round, hash, stateRoot, timestampMs } = entry.progress;
  return { height, round, hash, stateRoot, timestampMs, finalizedHeight: stateHeightOf(entry) };
}

function headOf({ blocks, runner }: Chain, finalizedHeight: number): ShardHead {
  const { hash, facts, commitment } = blocks.committed;
  return {
    height: facts.height,
    round: runner.state.round,
    hash,
    stateRoot: commitment.stateRoot,
    timestampMs: facts.timestampMs,
    finalizedHeight,
  };
}

/** What the next transactions pay in the dearest shard. */
function nextBaseFeePerGasWei({ shards, window }: Node): Wei {
  let highest = 0n;
  for (const { record, progress } of window.newest.records) {
    const { baseFeePerGasWei } = shards.chains.get(record.shard)?.blocks.committed.facts ?? progress;
    if (baseFeePerGasWei > highest) highest = baseFeePerGasWei;
  }
  return highest;
}

/** What every item with this beacon block as its reference would see of the world outside its family. */
function contextOf({ node }: RpcPortsInput, { block }: CallContext): ExecutionContext & { readonly baseFeePerGasWei: bigint } {
  const { window } = node;
  const view = node.view ?? notFollowed();
  const newest = block === 'pending' ? window.viewAt(window.newest.height) : undefined;
  if (newest !== undefined)
    return { ...reference(newest.height, newest.timestampMs, newest.seed), baseFeePerGasWei: nextBaseFeePerGasWei(node) };
  const header = (block === 'pending' ? undefined : view.headerByNumber(block)) ?? view.head.block;
  const { number, prevRandao, baseFeePerGasWei } = header.header;
  return { ...reference(number, header.timestampMs, prevRandao), baseFeePerGasWei };

  function reference(height: number, timestampMs: number, prevRandao: Uint8Array): ExecutionContext {
    return {
      referenceHeight: height,
      referenceTimestampMs: timestampMs,
      prevRandao,
      // How far back code may look is execution's affair.
      blockHash: (wanted) => (wanted < height ? view.headerByNumber(wanted)?.header.parentBeaconBlockRoot : undefined),
    };
  }
}

function proveAddress({ shards }: Node, world: WorldState, address: Address, slots: readonly Uint8Array[]): AddressProof {
  const family = world.getPointer(address) ?? address;
  const { roots } = world;
  const [pointerShard, shard] = [world.shardOf(address), world.shardOf(family)];
  const account = shards.statesOf(shard).proveAccount(world.versionOf(family), family, address, slots);
  return {
    family,
    pointer: extendToWorld(pointerShard, shards.statesOf(pointerShard).provePointer(world.versionOf(address), address), roots),
    account: { ...account, account: extendToWorld(shard, account.account, roots) },
  };
}
