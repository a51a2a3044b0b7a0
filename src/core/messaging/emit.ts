// The messages that an item can emit, one function each (protocol, section 5). Every rule about what a message carries on is here:
// where it goes, who is its cause, which gas is prepaid, which price it keeps.
import { bytesEqual } from '../primitives/bytes.ts';
import type { Address, Wei } from '../primitives/ids.ts';
import { BOUNCE_GAS, HOPS_MAX, RECEIVE_GAS } from '../protocol/gas.ts';
import { type Message, NO_REPLY } from '../protocol/message.ts';
import type { Transaction } from '../protocol/transaction.ts';
import { messageIdOf } from './message-id.ts';
import { encodeBounceHook, encodeReply } from './messenger-interface.ts';

const NO_DATA = new Uint8Array(0);

/** What the sender part of a transaction knows when it emits the main call. */
export interface MainCallTerms {
  readonly transaction: Pick<Transaction, 'sender' | 'to' | 'hash' | 'valueWei' | 'data' | 'nonce' | 'accessList'>;
  readonly isInSenderFamily: boolean;
  /** The family that a pointer at the target's natural place names, where the body proves it: the main call goes straight there. */
  readonly provenFamily?: Address | undefined;
  readonly gasLimit: number;
  readonly gasPriceWei: Wei;
  readonly baseFeePerGasWei: Wei;
  readonly travellingTipWei: Wei;
}

/** The main call: always a message, also within the sender's own family; its id is that of emission 0 of the transaction. */
export function mainCallOf(terms: MainCallTerms): Message {
  const { transaction } = terms;
  const { sender, to, hash } = transaction;
  return {
    kind: 'main-call',
    id: messageIdOf(hash, 0),
    originTransactionHash: hash,
    emitterId: hash,
    sender,
    senderFamily: sender,
    originAddress: sender,
    originFamily: sender,
    target: to,
    targetFamily: to === undefined || terms.isInSenderFamily ? sender : (terms.provenFamily ?? to),
    valueWei: transaction.valueWei,
    data: transaction.data,
    gasLimit: terms.gasLimit,
    reservedGas: 0,
    replySelector: NO_REPLY,
    gasPriceWei: terms.gasPriceWei,
    baseFeePerGasWei: terms.baseFeePerGasWei,
    travellingTipWei: terms.travellingTipWei,
    creationNonce: transaction.nonce,
    accessList: transaction.accessList,
    hop: 0,
    pointerFamily: undefined,
  };
}

/** A value CALL without data to a foreign account: RECEIVE_GAS runs there, BOUNCE_GAS waits for a bounce hook. */
export function valueSendOf(cause: Message, index: number, from: Address, fromFamily: Address, to: Address, valueWei: Wei): Message {
  return emission(cause, index, 'value-send', from, fromFamily, to, to, valueWei, RECEIVE_GAS, BOUNCE_GAS);
}

/** What code said when it had the messenger send a call; all of it is paid by then. */
export interface CallTerms {
  readonly from: Address;
  readonly to: Address;
  /** The sender's family had a leaf at `to`: then the message goes there without the natural place. */
  readonly isInSenderFamily: boolean;
  readonly valueWei: Wei;
  readonly data: Uint8Array;
  readonly gasLimit: number;
  readonly reservedGas: number;
  readonly replySelector: Uint8Array;
}

/** An explicit call that code sent by the messenger: a message also within one's own family. */
export function callOf(cause: Message, index: number, fromFamily: Address, terms: CallTerms): Message {
  const { from, to, valueWei, data, gasLimit, reservedGas, replySelector } = terms;
  const toFamily = terms.isInSenderFamily ? fromFamily : to;
  const call = emission(cause, index, 'call', from, fromFamily, to, toFamily, valueWei, gasLimit, reservedGas);
  return { ...call, data, replySelector };
}

/** SELFDESTRUCT to a foreign account: credits and runs nothing. */
export function creditOf(cause: Message, index: number, from: Address, fromFamily: Address, to: Address, valueWei: Wei): Message {
  return emission(cause, index, 'credit', from, fromFamily, to, to, valueWei, 0, 0);
}

/**
 * The bounce of a failed message: its value goes directly back to its sender, and what it had reserved runs the sender's bounce hook, with
 * BOUNCE_GAS and no more. A bounce never bounces.
 */
export function bounceOf(failed: Message, index: number): Message {
  const from = failed.target ?? failed.sender;
  const { sender, senderFamily, targetFamily, valueWei } = failed;
  const gasLimit = failed.reservedGas > 0 ? BOUNCE_GAS : 0;
  const bounce = emission(failed, index, 'bounce', from, targetFamily, sender, senderFamily, valueWei, gasLimit, 0);
  return gasLimit === 0 ? bounce : { ...bounce, data: encodeBounceHook(failed.id, from, valueWei) };
}

/** The reply to a call that succeeded: from the messenger, directly to the sender, with the gas that was reserved and without value. */
export function replyOf(call: Message, index: number, messenger: Address, result: Uint8Array): Message {
  const { sender, senderFamily, targetFamily, reservedGas } = call;
  const reply = emission(call, index, 'reply', messenger, targetFamily, sender, senderFamily, 0n, reservedGas, 0);
  return { ...reply, data: encodeReply(call.replySelector, call.id, call.target ?? sender, result) };
}

/** Names the family of a contract that `cause` created, at the contract's natural place. */
export function pointerOf(cause: Message, index: number, contract: Address, family: Address): Message {
  return { ...emission(cause, index, 'pointer', contract, family, contract, contract, 0n, 0, 0), pointerFamily: family };
}

/** Value found at a contract's address when its pointer is written goes on to the contract, without running code. */
export function sweepOf(pointer: Message, index: number, contract: Address, family: Address, valueWei: Wei): Message {
  return emission(pointer, index, 'sweep', contract, contract, contract, family, valueWei, 0, 0);
}

/** The same message on its way to the family that a pointer names. It keeps its id: nothing new was emitted. */
export function forwardOf(message: Message, family: Address): Message {
  return { ...message, targetFamily: family, hop: message.hop + 1 };
}

/** Both are the address of one family's account: full addresses are compared, never prefixes (protocol, section 4). */
export function isNaturalPlace(message: Message): boolean {
  return message.target !== undefined && bytesEqual(message.target, message.targetFamily);
}

function emission(
  cause: Message,
  index: number,
  kind: Message['kind'],
  sender: Address,
  senderFamily: Address,
  target: Address,
  targetFamily: Address,
  valueWei: Wei,
  gasLimit: number,
  reservedGas: number,
): Message {
  return {
    kind,
    id: messageIdOf(cause.id, index),
    originTransactionHash: cause.originTransactionHash,
    emitterId: cause.id,
    sender,
    senderFamily,
    originAddress: cause.originAddress,
    originFamily: cause.originFamily,
    target,
    targetFamily,
    valueWei,
    data: NO_DATA,
    gasLimit,
    reservedGas,
    replySelector: NO_REPLY,
    gasPriceWei: cause.gasPriceWei,
    baseFeePerGasWei: cause.baseFeePerGasWei,
    travellingTipWei: 0n,
    creationNonce: 0n,
    accessList: [],
    // Code may not emit at the last hop (item-state.ts); what the protocol itself emits there stays there, and emits nothing further.
    hop: Math.min(cause.hop + 1, HOPS_MAX),
    pointerFamily: undefined,
  };
}
