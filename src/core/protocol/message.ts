// Items: the units of execution (protocol, section 5). A transaction is a sender part and a main call; the main call, and every
// other effect between families, is a message. Executing an item depends on nothing but the item, the state of its one family
// and its recorded context.
import type { Address, Bytes32, Height, TimestampMs, Wei } from '../primitives/ids.ts';
import type { AccessListEntry } from './transaction.ts';

/**
 * Main call of a transaction, a value send or SELFDESTRUCT credit, a bounce, a pointer write, a sweep of value to a new contract, a call that
 * code sent by the messenger, and the reply to one.
 */
export type MessageKind = 'main-call' | 'value-send' | 'credit' | 'bounce' | 'pointer' | 'sweep' | 'call' | 'reply';

/** The reply selector of a message that wants none. Never write to it. */
export const NO_REPLY: Uint8Array = new Uint8Array(4);

/** An asynchronous call or value transfer from one family to another, or to one's own. */
export interface Message {
  readonly kind: MessageKind;
  /** SHA-256(id of the emitting item ‖ uint32 index of emission); for a main call the id that its sender part emits at index 0. */
  readonly id: Bytes32;
  /** The transaction that this message descends from: what explorers show as its cause. */
  readonly originTransactionHash: Bytes32;
  /** The id of the item that emitted it. */
  readonly emitterId: Bytes32;
  readonly sender: Address;
  readonly senderFamily: Address;
  readonly originAddress: Address;
  readonly originFamily: Address;
  /** Absent: create a contract. */
  readonly target: Address | undefined;
  /** Set once a pointer named it: the family in which the message executes. Before that the target's natural place (family = target). */
  readonly targetFamily: Address;
  readonly valueWei: Wei;
  readonly data: Uint8Array;
  readonly gasLimit: number;
  /** Prepaid for a bounce hook, or for the reply: one of the two comes back. */
  readonly reservedGas: number;
  /** kind 'call': 4 bytes, the function of the sender that is called with the result; zeros where no reply is wanted. */
  readonly replySelector: Uint8Array;
  /** What a gas of this message costs: BASEFEE is its base fee, GASPRICE its charged price. */
  readonly gasPriceWei: Wei;
  readonly baseFeePerGasWei: Wei;
  /** The travelling half of the priority fee: goes to the proposer who executes a main call. */
  readonly travellingTipWei: Wei;
  /** The nonce from which a created contract's address derives. */
  readonly creationNonce: bigint;
  readonly accessList: readonly AccessListEntry[];
  readonly hop: number;
  /** kind 'pointer': the family that the contract `target` belongs to. */
  readonly pointerFamily: Address | undefined;
}

/** What every item of a block sees of the world outside its family: the block's beacon reference. */
export interface ExecutionContext {
  /** NUMBER: height of the reference. */
  readonly referenceHeight: Height;
  /** TIMESTAMP = floor(ms / 1000) of the reference. */
  readonly referenceTimestampMs: TimestampMs;
  /** PREVRANDAO: the reference's seed. */
  readonly prevRandao: Bytes32;
  /** BLOCKHASH(n) of the last 256 heights before the reference's; undefined outside. */
  readonly blockHash: (height: Height) => Bytes32 | undefined;
  /** Simulations only: absent wherever a block is executed. */
  readonly pretended?: PretendedContext | undefined;
}

/** What a simulated call may see otherwise than a block does, where a caller of eth_call says so. */
export interface PretendedContext {
  /** COINBASE. */
  readonly coinbase: Address | undefined;
  /** GASLIMIT. */
  readonly gasLimit: number | undefined;
  /** BLOBBASEFEE. */
  readonly blobBaseFeeWei: Wei | undefined;
}

/** An event that EVM code logged. */
export interface Log {
  readonly address: Address;
  readonly topics: readonly Bytes32[];
  readonly data: Uint8Array;
}

/** What happened to one message. `forwarded` and `pointer` results are kept for traces; the view shows the rest. */
export interface MessageResult {
  readonly message: Message;
  readonly outcome: 'success' | 'revert' | 'failure' | 'forwarded';
  readonly logs: readonly Log[];
  /** Gas that execution used of `message.gasLimit`: for traces and estimates; what was bought is paid all the same. */
  readonly executionGasUsed: number;
  readonly createdAddress: Address | undefined;
  readonly returnData: Uint8Array;
  /** Position in execution order, waves flattened, within the block. */
  readonly wave: number;
  /** Ids of the messages it emitted, in order. */
  readonly emitted: readonly Bytes32[];
}
