// Fits the node to what JSON-RPC asks for (rpc/ports.ts). No rule of the chain is decided here.
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { bytesToHex, hexToBytes } from '../core/primitives/bytes.ts';
import { type Address, type Hex, ROOT_SHARD } from '../core/primitives/ids.ts';
import { accept, refuse } from '../core/primitives/verdict.ts';
import type { Genesis } from '../core/protocol/genesis.ts';
import type { ExecutionContext } from '../core/protocol/message.ts';
import type { StateVersion } from '../core/state/state-version.ts';
import { supplyOf } from '../core/view/supply.ts';
import type { Network } from '../network/ports.ts';
import type { AddressProof, CallContext, RpcPorts, SubmitRefusal } from '../rpc/ports.ts';
import type { Clock } from '../runtime/ports.ts';
import type { PoolRefusal } from '../runtime/transaction-pool.ts';
import { createSimulator } from './call-simulator.ts';
import type { Node } from './create-node.ts';
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
export function createRpcPorts(input: RpcPortsInput): RpcPorts {
  const { node, genesis, clock } = input;
  const { view } = node;
  const genesisSupplyWei = genesis.accounts.reduce((sum, { balanceWei }) => sum + balanceWei, 0n);
  const startingBlock = view.head.block.header.number;
  return {
    view: {
      head: () => view.head.block,
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
      // Blocks and receipts are all kept; only states are pruned.
      oldestNumber: () => 0,
      supplyAt: (number) => {
        const totals = view.supplyTotalsAt(number);
        return totals === undefined ? undefined : supplyOf(genesisSupplyWei, totals);
      },
      syncing: () => {
        const highestBlock = node.chain.catchUp.targetHeight;
        const currentBlock = view.head.block.header.number;
        if (highestBlock === undefined || highestBlock - currentBlock < SYNCING_DISTANCE) return undefined;
        return { startingBlock, currentBlock, highestBlock };
      },
    },
    state: {
      stateAt: (number) => servedState(node, number),
      pendingState: () => node.pool.state,
      prove: (number, address, slots) => {
        const version = servedState(node, number);
        return version === undefined ? undefined : proveAddress(input, version, address, slots);
      },
    },
    mempool: mempoolPort(input),
    simulator: createSimulator(
      genesis,
      input.secp256k1,
      (context) => contextOf(input, context),
      () => clock.nowMs(),
    ),
    node: nodeInfo(input),
    subscriptions: {
      onHead: (listener) => view.onHead(listener),
      onPendingTransaction: (listener) => node.onPendingTransaction(listener),
    },
    timing: { nowMs: () => clock.nowMs(), schedule: (delayMs, callback) => clock.schedule(delayMs, callback) },
  };
}

/** The state after a block; undefined also where pruning may come at any moment, so that no answer breaks off in the middle. */
function servedState({ chain, view }: Node, number: number): StateVersion | undefined {
  return number < chain.pruner.servedFrom ? undefined : view.stateAt(number);
}

function mempoolPort({ node }: RpcPortsInput): RpcPorts['mempool'] {
  const { pool, mempool, view, chain } = node;
  return {
    submit: async (raw) => {
      const verdict = await pool.submit(raw);
      return verdict.ok ? accept(verdict.value) : refuse(submitRefusal(verdict.reason), verdict.detail);
    },
    pendingNonce: (address) => pool.pendingNonce(address, bytesToHex(address)),
    transactionByHash: (hash) => {
      const waiting = mempool.get(hash);
      if (waiting !== undefined) return waiting;
      const hidden = view.hiddenTransaction(hash);
      return hidden?.kind === 'account' ? hidden.transaction : undefined;
    },
    pendingTransactions: (countMax) => pool.take(takeRequestOf(node)).slice(0, countMax),
    status: () => mempool.status(),
    content: () => mempool.content(),
    contentFrom: (sender) => mempool.contentFrom(bytesToHex(sender)),
  };

  function takeRequestOf({ pool: source }: Node): Parameters<typeof pool.take>[0] {
    return {
      state: source.state,
      baseFeePerGasWei: chain.blocks.committed.facts.baseFeePerGasWei,
      gasLimit: chain.parameters.blockGasLimit,
      bytesMax: chain.parameters.bodyBytesMax,
      inFlight: new Set<Hex>(),
    };
  }
}

/** The same word for one thing on both sides; a new refusal of the pool does not compile until it has one. */
function submitRefusal(reason: PoolRefusal): SubmitRefusal {
  return reason;
}

function nodeInfo({ node, genesis, network }: RpcPortsInput): RpcPorts['node'] {
  const { parameters } = genesis;
  const { chain, view } = node;
  return {
    evmChainId: parameters.evmChainId,
    clientVersion: clientVersion(),
    peerCount: () => network.peers.connected().length,
    isListening: () => true,
    nextBaseFeePerGasWei: () => chain.blocks.committed.facts.baseFeePerGasWei,
    baseFeePerGasWeiMin: parameters.baseFeePerGasWeiMin,
    transactionGasLimitMax: parameters.transactionGasLimitMax,
    layout: () => ({ epoch: chain.instance.epoch, shards: [ROOT_SHARD] }),
    shardHead: (shard) => {
      if (shard !== chain.instance.chain) return undefined;
      const { hash, facts, version } = chain.blocks.committed;
      const finalizedHeight = view.head.block.header.number;
      return {
        height: facts.height,
        round: chain.runner.state.round,
        hash,
        stateRoot: version.root,
        timestampMs: facts.timestampMs,
        finalizedHeight,
      };
    },
    committee: (shard, epoch) => {
      if (shard !== chain.instance.chain || epoch !== chain.instance.epoch) return undefined;
      return chain.instance.committee.members.map(({ validator, seats, blsPublicKey }) => ({ validator, seats, blsPublicKey }));
    },
    evidence: (shard) => (shard === chain.instance.chain ? chain.evidence.list() : undefined),
  };
}

/** What every item of the block after `block` would see of the world outside its family. */
function contextOf({ node }: RpcPortsInput, { block }: CallContext): ExecutionContext & { readonly baseFeePerGasWei: bigint } {
  const { view, chain } = node;
  if (block === 'pending') {
    const { facts, seed } = chain.blocks.committed;
    return { ...reference(facts.height, facts.timestampMs, seed), baseFeePerGasWei: facts.baseFeePerGasWei };
  }
  const header = view.headerByNumber(block) ?? view.head.block;
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

function proveAddress({ node }: RpcPortsInput, version: StateVersion, address: Address, slots: readonly Uint8Array[]): AddressProof {
  const family = version.getPointer(address) ?? address;
  const { states } = node;
  return { family, pointer: states.provePointer(version, address), account: states.proveAccount(version, family, address, slots) };
}
