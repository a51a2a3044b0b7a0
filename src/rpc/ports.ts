// What JSON-RPC asks of the node, as narrow interfaces; src/node fits them. RPC knows view blocks and state versions only: nothing of
// consensus, shards' blocks or the database (protocol, section 7).
import type { Halt } from '../core/execution/halt-reason.ts';
import type { Address, Bytes32, ChainId, Hex, Wei } from '../core/primitives/ids.ts';
import type { Verdict } from '../core/primitives/verdict.ts';
import type { Message } from '../core/protocol/message.ts';
import type { AccessListEntry, Transaction } from '../core/protocol/transaction.ts';
import type { StateProof } from '../core/state/proof.ts';
import type { StateReader } from '../core/state/state-reader.ts';
import type { AccountProof } from '../core/state/state-version.ts';
import type { Supply } from '../core/view/supply.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import type { ViewHeader } from '../core/view/view-header-codec.ts';

/** Now, or when the disk has answered. */
export type Awaitable<T> = T | Promise<T>;

/** Where a transaction stands. */
export interface TransactionLocation {
  readonly blockNumber: number;
  readonly index: number;
}

/** How far a node that catches up has come. */
export interface SyncProgress {
  readonly startingBlock: number;
  readonly currentBlock: number;
  readonly highestBlock: number;
}

/** Messages of one transaction that are on their way between shards. */
export interface MessagesUnderWay {
  /** Number of the view block with which this is the whole truth: what this block or one before it shows as executed is not among them. */
  readonly asOfBlock: number;
  /** In the order in which their sending became final. */
  readonly messages: readonly MessageUnderWay[];
}

/** A message that its shard has sent for good, and that is not final where it goes. */
export interface MessageUnderWay {
  readonly message: Message;
  readonly toShard: ChainId;
  /** Number of the view block since which its sending is final. */
  readonly sentInBlock: number;
}

/** Finalised view blocks. The head is `latest`, `safe` and `finalized` at once. */
export interface ViewReader {
  readonly head: () => ViewBlock;
  /** Its number, which a node knows that cannot show it. */
  readonly headNumber: () => number;
  /** Undefined beyond the head and where history is pruned. */
  readonly blockByNumber: (number: number) => Awaitable<ViewBlock | undefined>;
  readonly blockByHash: (hash: Hex) => Awaitable<ViewBlock | undefined>;
  readonly headerByNumber: (number: number) => Awaitable<ViewHeader | undefined>;
  /** By the hash of an account's or a system transaction. */
  readonly transactionLocation: (hash: Hex) => Awaitable<TransactionLocation | undefined>;
  /** Numbers of the blocks with messages of a transaction that is shown in another block, ascending. */
  readonly blocksWithMessagesOf: (hash: Hex) => Awaitable<readonly number[]>;
  /** What a transaction caused and is under way between shards. Looks through all that is; `rest` is awaited in between. */
  readonly messagesUnderWay: (hash: Hex, rest: () => Promise<void>) => Promise<MessagesUnderWay>;
  /** The lowest number whose block is kept. */
  readonly oldestNumber: () => number;
  /** The terms of conservation after a block; undefined where they are not kept. */
  readonly supplyAt: (number: number) => Awaitable<Supply | undefined>;
  /** Undefined when the node has what its peers have. */
  readonly syncing: () => SyncProgress | undefined;
}

/** Versions of the world state by view block. */
export interface StateAccess {
  /** After the view block's executions; undefined when that version is pruned or not yet final. */
  readonly stateAt: (blockNumber: number) => Awaitable<StateReader | undefined>;
  /** After everything executed so far, final or not. */
  readonly pendingState: () => StateReader;
  /** The lowest nonce of a sender's transactions that the block's executions had charged and no block up to it had mined; above those, any or none. */
  readonly lowestUnminedNonce: (sender: Address, blockNumber: number) => Awaitable<bigint | undefined>;
  /** Proofs against the `stateRoot` of the view block; undefined when that version is pruned. */
  readonly prove: (blockNumber: number, address: Address, slots: readonly Bytes32[]) => Awaitable<AddressProof | undefined>;
}

/** What is known of an address, provably: its pointer or that there is none, and the account in its family. */
export interface AddressProof {
  readonly family: Address;
  readonly pointer: StateProof;
  readonly account: AccountProof;
}

/** Why a transaction is not taken. errors.ts says each as geth does. */
export type SubmitRefusal =
  | 'malformed'
  | 'too-large'
  | 'unsupported-type'
  | 'not-replay-protected'
  | 'wrong-chain-id'
  | 'invalid-signature'
  | 'nonce-too-low'
  | 'nonce-too-high'
  | 'insufficient-funds'
  | 'intrinsic-gas-too-low'
  | 'floor-data-gas-too-low'
  | 'gas-limit-too-high'
  | 'tip-above-fee-cap'
  | 'fee-below-minimum'
  | 'replacement-underpriced'
  | 'already-known'
  | 'initcode-too-large'
  | 'sender-has-code'
  | 'sender-queue-full'
  | 'shard-not-followed'
  | 'pool-full';

/** Transactions of one sender by nonce, ascending. */
export type SenderTransactions = ReadonlyMap<Hex, readonly Transaction[]>;

/** Transactions that wait, or are on their way. */
export interface MempoolPort {
  /** The hash once the transaction is stored; nothing is stored on refusal. */
  readonly submit: (raw: Uint8Array) => Promise<Verdict<Bytes32, SubmitRefusal>>;
  /** The true next nonce: after everything executed and everything waiting without a gap. */
  readonly pendingNonce: (address: Address) => bigint;
  /** One that waits, or is charged and not mined. */
  readonly transactionByHash: (hash: Hex) => Transaction | undefined;
  /** Those that are charged and not mined, then those that blocks would take now, in the order of either; at most `countMax`. */
  readonly pendingTransactions: (countMax: number) => readonly Transaction[];
  readonly status: () => { readonly pending: number; readonly queued: number };
  readonly content: () => { readonly pending: SenderTransactions; readonly queued: SenderTransactions };
  readonly contentFrom: (sender: Address) => { readonly pending: readonly Transaction[]; readonly queued: readonly Transaction[] };
}

/** A call that nobody signs. Absent fields are the simulator's to choose: the most gas allowed, no price, the sender's next nonce. */
export interface CallRequest {
  readonly from: Address;
  readonly to: Address | undefined;
  readonly gasLimit: number | undefined;
  /** What BASEFEE and GASPRICE see and the sender must afford; undefined: 0, as wallets that only look expect. */
  readonly gasPriceWei: Wei | undefined;
  readonly valueWei: Wei;
  readonly data: Uint8Array;
  readonly nonce: bigint | undefined;
  readonly accessList: readonly AccessListEntry[];
}

/** What a call is to see of its block otherwise than it is. Absent fields are the block's. */
export interface BlockOverrides {
  /** NUMBER; the blocks whose hashes can be seen are those below. */
  readonly number: number | undefined;
  /** TIMESTAMP. */
  readonly timeSeconds: number | undefined;
  /** GASLIMIT, as code sees it: what a call may use does not change. */
  readonly gasLimit: number | undefined;
  /** COINBASE. */
  readonly feeRecipient: Address | undefined;
  readonly prevRandao: Bytes32 | undefined;
  readonly baseFeePerGasWei: Wei | undefined;
  readonly blobBaseFeeWei: Wei | undefined;
}

/** Where a call runs: a version of the state, with overrides if any, in the context of the block after `blockNumber`. */
export interface CallContext {
  readonly state: StateReader;
  /** A finalised view block's number, or `pending`: the context of the next block. */
  readonly block: number | 'pending';
  readonly overrides: BlockOverrides;
}

/** How a simulated call ended. `halt` is the EVM's error; `failure` says which of our own rules or bounds ended it. */
export type CallOutcome =
  | { readonly kind: 'success'; readonly returnData: Uint8Array }
  | { readonly kind: 'revert'; readonly returnData: Uint8Array }
  | { readonly kind: 'halt'; readonly halt: Halt }
  | { readonly kind: 'failure'; readonly error: string }
  | { readonly kind: 'insufficient-funds'; readonly haveWei: Wei; readonly wantWei: Wei };

/** A call that did not succeed. */
export type UnsuccessfulCall = Exclude<CallOutcome, { readonly kind: 'success' }>;

/** The least gas limit with which every hop succeeds, before the margin; or how it ends with the most gas allowed. */
export type EstimateOutcome =
  | { readonly kind: 'success'; readonly gasLimit: number }
  /** So much, which is what the call asks for, the sender can pay and a transaction may buy, is not enough. */
  | { readonly kind: 'gas-above-allowance'; readonly gasAllowance: number }
  | UnsuccessfulCall;

/** Runs calls without effect. `call` may read foreign families (STATICCALL); `estimate` follows the rules of execution. */
export interface Simulator {
  readonly call: (request: CallRequest, context: CallContext) => Promise<CallOutcome>;
  readonly estimate: (request: CallRequest, context: CallContext) => Promise<EstimateOutcome>;
}

/** The node and its network. */
export interface NodeInfo {
  readonly evmChainId: number;
  /** Name/version/platform/runtime. */
  readonly clientVersion: string;
  readonly peerCount: () => number;
  readonly isListening: () => boolean;
  /** What transactions of the next block pay: the highest shard's. */
  readonly nextBaseFeePerGasWei: () => Wei;
  readonly baseFeePerGasWeiMin: Wei;
  /** The most gas that a transaction may buy. */
  readonly transactionGasLimitMax: number;
  /** The epoch, shard ids in use, left to right, and those of the next epoch. */
  readonly layout: () => { readonly epoch: number; readonly shards: readonly number[]; readonly next: readonly number[] };
  /** Newest block of a shard: committed by its committee, and anchored. Undefined for a shard not in use. */
  readonly shardHead: (shard: number) => ShardHead | undefined;
  /** Members of a shard's committee; undefined when unknown. */
  readonly committee: (shard: number, epoch: number) => readonly CommitteeSeat[] | undefined;
  /** What was proved against validators of a shard, oldest first; undefined for a shard not in use. */
  readonly evidence: (shard: number) => readonly KnownEvidence[] | undefined;
}

/** A piece of evidence: what proves to everybody that validators were not honest. */
export interface KnownEvidence {
  readonly id: Bytes32;
  readonly kind: string;
  readonly round: number;
  readonly guilty: readonly number[];
  readonly encoded: Uint8Array;
}

/** See `NodeInfo.shardHead`. */
export interface ShardHead {
  readonly height: number;
  readonly round: number;
  readonly hash: Bytes32;
  readonly stateRoot: Bytes32;
  readonly timestampMs: number;
  readonly finalizedHeight: number;
}

/** See `NodeInfo.committee`. */
export interface CommitteeSeat {
  readonly validator: number;
  readonly seats: number;
  readonly blsPublicKey: Uint8Array;
}

/** Withdraws a listener or a timer; without effect the second time. */
export type Cancel = () => void;

/** News. Listeners must be quick and must not throw. */
export interface Subscriptions {
  /** Each new head once, in order. */
  readonly onHead: (listener: (block: ViewBlock) => void) => Cancel;
  /** Each transaction that becomes executable in the mempool. */
  readonly onPendingTransaction: (listener: (transaction: Transaction) => void) => Cancel;
}

/** Time for filters that expire and calls that wait. */
export interface RpcTiming {
  readonly nowMs: () => number;
  readonly schedule: (delayMs: number, callback: () => void) => Cancel;
}

/** Everything together. What takes all shards throws `rpc/shards-not-followed` at a node that does not follow them. */
export interface RpcPorts {
  readonly view: ViewReader;
  readonly state: StateAccess;
  readonly mempool: MempoolPort;
  readonly simulator: Simulator;
  readonly node: NodeInfo;
  readonly subscriptions: Subscriptions;
  readonly timing: RpcTiming;
}
