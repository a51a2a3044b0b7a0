// A chain in memory for the tests of JSON-RPC: the real mempool, execution and view, and blocks when the test says so. Only consensus,
// network and disk are missing.
import type { Hex as PrefixedHex } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { nobleSecp256k1 } from '../../src/core/crypto/secp256k1-noble.ts';
import { createOwnLoopExecutor } from '../../src/core/execution/evm/own-loop-executor.ts';
import { executeBlock } from '../../src/core/execution/execute-block.ts';
import { Mempool } from '../../src/core/mempool/pool.ts';
import { bytesToHex, hex } from '../../src/core/primitives/bytes.ts';
import type { Hex } from '../../src/core/primitives/ids.ts';
import { accept } from '../../src/core/primitives/verdict.ts';
import { decodeTransaction } from '../../src/core/protocol/decode-transaction.ts';
import type { ExecutionContext } from '../../src/core/protocol/message.ts';
import type { Transaction } from '../../src/core/protocol/transaction.ts';
import { deriveViewBlock } from '../../src/core/view/derive-block.ts';
import { decodeExecution, encodeExecution } from '../../src/core/view/execution-codec.ts';
import { showExecution, withCharges } from '../../src/core/view/shown-execution.ts';
import { genesisTotals, type SupplyTotals, supplyOf, supplyTotalsAfter } from '../../src/core/view/supply.ts';
import type { ViewBlock } from '../../src/core/view/view-block.ts';
import { decodeViewHeader, encodeViewHeader } from '../../src/core/view/view-header-codec.ts';
import { createSimulator } from '../../src/node/call-simulator.ts';
import { createDispatcher, type Dispatcher, type RpcResponse } from '../../src/rpc/dispatch.ts';
import { DEFAULT_RPC_LIMITS, type RpcLimits } from '../../src/rpc/limits.ts';
import type { MessageUnderWay, RpcPorts, SyncProgress } from '../../src/rpc/ports.ts';
import { MemoryState } from '../core/execution/memory-state.ts';
import { parameters } from '../core/mempool/transaction-fixture.ts';

export const CHAIN_ID = parameters.evmChainId;
export const BASE_FEE_WEI = parameters.baseFeePerGasWeiMin;
const ETHER = 10n ** 18n;
const START_MS = 1_700_000_000_000;
const BLOCK_MS = 250;

/** On call: logs the word 42 with the first word of the call data as topic, writes 7 to slot 0, returns 42. */
export const LOGGER_INIT_CODE = '0x6017600c60003960176000f3602a60005260003560206000a1600760005560206000f3';
/** On call: sends the value that came with it to the address in the first word of the call data. */
export const SENDER_INIT_CODE = '0x600d600c600039600d6000f36000808080346000355af15000';

/** Alice, Bob and Carol, with 10,000 each. */
export const people: readonly PrivateKeyAccount[] = [1, 2, 3].map((n) => privateKeyToAccount(`0x${n.toString(16).padStart(64, '0')}`));
export const [alice, bob, carol] = people as [PrivateKeyAccount, PrivateKeyAccount, PrivateKeyAccount];
const BALANCE_WEI = 10_000n * ETHER;
export const GENESIS_SUPPLY_WEI = BigInt(people.length) * BALANCE_WEI;

/** A JSON-RPC answer as a test reads it. */
// biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape.
export type Answer = any;

/** What a test may say about a transaction; the rest is filled in. */
export interface Choice {
  readonly type?: 'legacy' | 'eip2930' | 'eip1559';
  readonly nonce?: number;
  readonly to?: PrefixedHex | null;
  readonly value?: bigint;
  readonly data?: PrefixedHex;
  readonly gas?: bigint;
  readonly tipWei?: bigint;
  readonly feeWei?: bigint;
  readonly chainId?: number;
}

/** See the file's head. */
export class ChainFixture {
  readonly mempool = new Mempool(parameters);
  readonly blocks: ViewBlock[] = [];
  readonly states: MemoryState[] = [];
  readonly totals: SupplyTotals[] = [genesisTotals(0n)];
  readonly limits: RpcLimits;
  readonly ports: RpcPorts;
  readonly dispatcher: Dispatcher;
  nowMs = START_MS;
  syncing: SyncProgress | undefined;
  /** What is on its way between shards, whatever transaction is asked for. */
  underWay: readonly MessageUnderWay[] = [];
  /** Blocks with messages of it, beside the one that shows it. */
  messagesElsewhere: readonly number[] = [];
  /** By block: the lowest nonce that is charged and not mined, of whatever sender. */
  readonly unmined = new Map<number, bigint>();
  oldest = 0;
  requests: { readonly method: string; readonly code: number }[] = [];
  faults: unknown[] = [];
  readonly #timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();
  readonly #headListeners = new Set<(block: ViewBlock) => void>();
  readonly #pendingListeners = new Set<(transaction: Transaction) => void>();
  readonly #evm = createOwnLoopExecutor(CHAIN_ID);
  #lastId = 0;

  constructor(limits: Partial<RpcLimits> = {}) {
    this.limits = { ...DEFAULT_RPC_LIMITS, ...limits };
    this.states.push(MemoryState.of(people.map((person) => ({ address: hex(person.address), balanceWei: BALANCE_WEI }))));
    this.blocks.push(deriveViewBlock(this.#anchor(0), undefined, [], parameters));
    this.ports = this.#makePorts();
    this.dispatcher = createDispatcher({
      ports: this.ports,
      limits: this.limits,
      newId: () => `0x${(++this.#lastId).toString(16)}`,
      onRequest: (method, code) => this.requests.push({ method, code }),
      onFault: (_method, fault) => this.faults.push(fault),
    });
  }

  get head(): ViewBlock {
    return this.blocks.at(-1) as ViewBlock;
  }

  get state(): MemoryState {
    return this.states.at(-1) as MemoryState;
  }

  /** The whole answer to a request. */
  async answer(method: string, ...params: unknown[]): Promise<Answer> {
    const response = await this.dispatcher.handle({ jsonrpc: '2.0', id: 1, method, params });
    return response;
  }

  /** The result of a request that must succeed. */
  async call(method: string, ...params: unknown[]): Promise<Answer> {
    const response: RpcResponse = await this.answer(method, ...params);
    if ('error' in response) throw new Error(`${method}: ${response.error.code} ${response.error.message}`);
    return response.result;
  }

  /** The error of a request that must fail. */
  async error(method: string, ...params: unknown[]): Promise<{ code: number; message: string; data?: string }> {
    const response: RpcResponse = await this.answer(method, ...params);
    if (!('error' in response)) throw new Error(`${method} succeeded: ${JSON.stringify(response.result)}`);
    return response.error;
  }

  /** A signed transaction's bytes. */
  async sign(from: PrivateKeyAccount, choice: Choice = {}): Promise<PrefixedHex> {
    const { type = 'eip1559', tipWei = 10n ** 7n, feeWei = 10n ** 9n } = choice;
    const shared = {
      chainId: choice.chainId ?? CHAIN_ID,
      nonce: choice.nonce ?? Number(this.ports.mempool.pendingNonce(hex(from.address))),
      to: choice.to === undefined ? bob.address : choice.to,
      value: choice.value ?? 0n,
      data: choice.data ?? '0x',
      gas: choice.gas ?? (choice.data === undefined ? (type === 'eip2930' ? 23_400n : 21_000n) : 500_000n),
    } as const;
    if (type === 'eip1559') return from.signTransaction({ ...shared, type, maxFeePerGas: feeWei, maxPriorityFeePerGas: tipWei });
    if (type === 'eip2930')
      return from.signTransaction({ ...shared, type, gasPrice: feeWei, accessList: [{ address: bob.address, storageKeys: [] }] });
    return from.signTransaction({ ...shared, type, gasPrice: feeWei });
  }

  /** Signs, sends and gives the hash. */
  async send(from: PrivateKeyAccount, choice: Choice = {}): Promise<PrefixedHex> {
    return this.call('eth_sendRawTransaction', await this.sign(from, choice));
  }

  /** Makes a final block of what waits. */
  async mine(): Promise<ViewBlock> {
    const transactions = this.#take();
    const number = this.blocks.length;
    this.advance(BLOCK_MS);
    const result = await executeBlock({
      transactions,
      parentState: this.state,
      parentBaseFeePerGasWei: BASE_FEE_WEI,
      context: this.#context(number - 1),
      parameters,
      evm: this.#evm,
    });
    this.states.push(this.state.after(result.changeSet));
    const before = this.totals.at(-1) as SupplyTotals;
    const beacon = {
      stakeWei: 0n,
      burnedWei: before.burnedWei + result.burnedFeesWei,
      accruedRewardsWei: before.accruedRewardsWei + result.proposerFeesWei,
    };
    this.totals.push(supplyTotalsAfter(before, beacon, []));
    // Through the rows of the disk, so that what RPC shows is what a node would read back.
    const shown = decodeExecution(encodeExecution(showExecution(result)), CHAIN_ID);
    const execution = withCharges(shown, () => {
      throw new Error('all is charged here');
    });
    this.blocks.push(deriveViewBlock(this.#anchor(number), this.head, [execution], parameters));
    this.mempool.onBlock(transactions, BASE_FEE_WEI);
    for (const listener of [...this.#headListeners]) listener(this.head);
    return this.head;
  }

  /** Deploys and gives the contract's address. */
  async deploy(initCode: PrefixedHex): Promise<PrefixedHex> {
    const hash = await this.send(alice, { to: null, data: initCode });
    await this.mine();
    return (await this.call('eth_getTransactionReceipt', hash)).contractAddress;
  }

  /** Lets time pass. */
  advance(ms: number): void {
    this.nowMs += ms;
    for (const [id, timer] of [...this.#timers]) {
      if (timer.atMs > this.nowMs || !this.#timers.delete(id)) continue;
      timer.callback();
    }
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  headListeners(): readonly ((block: ViewBlock) => void)[] {
    return [...this.#headListeners];
  }

  pendingListeners(): readonly ((transaction: Transaction) => void)[] {
    return [...this.#pendingListeners];
  }

  get listenerCount(): number {
    return this.#headListeners.size + this.#pendingListeners.size;
  }

  #anchor(number: number): Parameters<typeof deriveViewBlock>[0] {
    const word = new Uint8Array(32).fill(number % 256);
    return { number, hash: word, timestampMs: this.nowMs, prevRandao: word, worldRoot: word, baseFeePerGasWei: BASE_FEE_WEI };
  }

  #take(): Transaction[] {
    return this.mempool.take({
      room: { gasLimit: parameters.blockGasLimit, bytesMax: parameters.bodyBytesMax, countMax: 2048 },
      accountOf: (sender) => this.state.getAccount(sender, sender),
      baseFeePerGasWei: BASE_FEE_WEI,
      inFlight: new Set(),
    });
  }

  #context(referenceHeight: number): ExecutionContext {
    return {
      referenceHeight,
      referenceTimestampMs: this.nowMs,
      prevRandao: new Uint8Array(32),
      blockHash: (height) => this.blocks[height]?.header.parentBeaconBlockRoot,
    };
  }

  #makePorts(): RpcPorts {
    const byHash = (hash: Hex) => this.blocks.find((block) => block.hashHex === hash);
    return {
      view: {
        head: () => this.head,
        headNumber: () => this.head.header.number,
        blockByNumber: (number) => (number < this.oldest ? undefined : this.blocks[number]),
        blockByHash: byHash,
        headerByNumber: (number) => {
          const block = number < this.oldest ? undefined : this.blocks[number];
          return block === undefined ? undefined : decodeViewHeader(encodeViewHeader(block, { executions: [], late: [], heights: [] }));
        },
        transactionLocation: (hash) => {
          for (const block of this.blocks) {
            const index = block.transactions.findIndex((view) => view.transaction.hashHex === hash);
            if (index >= 0) return { blockNumber: block.header.number, index };
          }
          return undefined;
        },
        blocksWithMessagesOf: () => this.messagesElsewhere,
        messagesUnderWay: async () => ({ asOfBlock: this.head.header.number, messages: this.underWay }),
        oldestNumber: () => this.oldest,
        supplyAt: (number) => {
          const totals = this.totals[number];
          return totals === undefined ? undefined : supplyOf(GENESIS_SUPPLY_WEI, totals);
        },
        syncing: () => this.syncing,
      },
      state: {
        stateAt: (number) => (number < this.oldest ? undefined : this.states[number]),
        pendingState: () => this.state,
        lowestUnminedNonce: (_sender, number) => this.unmined.get(number),
        prove: (number, address, slots) =>
          number < this.oldest
            ? undefined
            : {
                family: this.state.getPointer(address) ?? address,
                pointer: { key: new Uint8Array(32), siblings: [new Uint8Array(32)], leaf: undefined },
                account: {
                  account: { key: new Uint8Array(32), siblings: [], leaf: { tag: 0, key: new Uint8Array(32), value: Uint8Array.of(1) } },
                  storage: slots.map((slot) => ({ key: slot, siblings: [], leaf: undefined })),
                },
              },
      },
      mempool: {
        submit: async (raw) => {
          const decoded = decodeTransaction(raw, nobleSecp256k1, CHAIN_ID);
          if (!decoded.ok) return decoded;
          const { value: transaction } = decoded;
          const admitted = this.mempool.admit(transaction, this.state.getAccount(transaction.sender, transaction.sender));
          if (!admitted.ok) return admitted;
          for (const one of admitted.value.becamePending) for (const listener of [...this.#pendingListeners]) listener(one);
          return accept(transaction.hash);
        },
        pendingNonce: (address) => this.mempool.pendingNonce(bytesToHex(address), this.state.getAccount(address, address)?.nonce ?? 0n),
        transactionByHash: (hash) => this.mempool.get(hash),
        pendingTransactions: (countMax) => this.#take().slice(0, countMax),
        status: () => this.mempool.status(),
        content: () => this.mempool.content(),
        contentFrom: (sender) => this.mempool.contentFrom(bytesToHex(sender)),
      },
      simulator: createSimulator(
        { parameters },
        nobleSecp256k1,
        ({ block }) => ({ ...this.#context(block === 'pending' ? this.head.header.number : block), baseFeePerGasWei: BASE_FEE_WEI }),
        () => this.nowMs,
      ),
      node: {
        evmChainId: CHAIN_ID,
        clientVersion: 'coppice/0.0.0/test',
        peerCount: () => 3,
        isListening: () => true,
        nextBaseFeePerGasWei: () => BASE_FEE_WEI,
        baseFeePerGasWeiMin: BASE_FEE_WEI,
        transactionGasLimitMax: parameters.transactionGasLimitMax,
        layout: () => ({ epoch: 0, shards: [1], next: [2, 3] }),
        shardHead: (shard) =>
          shard === 1
            ? {
                height: this.blocks.length,
                round: 5,
                hash: new Uint8Array(32),
                stateRoot: new Uint8Array(32),
                timestampMs: this.nowMs,
                finalizedHeight: this.head.header.number,
              }
            : undefined,
        committee: (shard, epoch) =>
          shard === 1 && epoch === 0 ? [{ validator: 0, seats: 1, blsPublicKey: new Uint8Array(48) }] : undefined,
        evidence: (shard) =>
          shard === 1
            ? [{ id: new Uint8Array(32).fill(1), kind: 'conflicting-votes', round: 7, guilty: [2], encoded: Uint8Array.of(1, 2) }]
            : undefined,
      },
      subscriptions: {
        onHead: (listener) => {
          this.#headListeners.add(listener);
          return () => this.#headListeners.delete(listener);
        },
        onPendingTransaction: (listener) => {
          this.#pendingListeners.add(listener);
          return () => this.#pendingListeners.delete(listener);
        },
      },
      timing: {
        nowMs: () => this.nowMs,
        schedule: (delayMs, callback) => {
          const id = ++this.#lastId;
          this.#timers.set(id, { atMs: this.nowMs + delayMs, callback });
          if (delayMs === 0) queueMicrotask(() => this.advance(0));
          return () => this.#timers.delete(id);
        },
      },
    };
  }
}
