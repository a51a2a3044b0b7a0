// The messenger as code sees it (parameters, "interface"): what `send` is called with, what it answers, and how replies and bounce hooks are
// called. The call data of `send` is code's own, so it is read as foreign bytes: only the one canonical ABI encoding is a message.
import { bytesToBigint, concatBytes, hex } from '../primitives/bytes.ts';
import type { Address, Bytes32, Wei } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { BOUNCE_GAS, MESSAGE_BYTE_GAS, MESSAGE_GAS, REPLY_RESULT_BYTES_MAX } from '../protocol/gas.ts';
import { MESSAGE_DATA_BYTES_MAX } from '../protocol/limits.ts';

/** `send(address to, uint64 gas, bytes4 replySelector, uint64 replyGas, bytes data)`. */
export const SEND_SELECTOR = hex('517ed765');
/** `onCoppiceBounce(bytes32 id, address to, uint256 value)`. */
export const BOUNCE_HOOK_SELECTOR = hex('685f22a3');
/** `MalformedSend()`: the call data is not the canonical encoding of a `send`, or carries more data than a message may. */
export const MALFORMED_SEND_ERROR = hex('45563153');
/** `TooManyHops()`: the chain of messages is as long as one may be. */
export const TOO_MANY_HOPS_ERROR = hex('0a83c852');
/** `UnreachableTarget(address)`: a precompile or the messenger itself, which take no messages. */
const UNREACHABLE_TARGET_SELECTOR = hex('4ef17f8a');

const SELECTOR_BYTES = 4;
const WORD_BYTES = 32;
const UINT64_BYTES = 8;
const ADDRESS_PADDING = new Uint8Array(12);
/** Five words of arguments, the last of them the place of `data`, behind which its length stands. */
const HEAD_BYTES = 5 * WORD_BYTES;
const DATA_AT = SELECTOR_BYTES + HEAD_BYTES + WORD_BYTES;

/** What code asks the messenger to send. */
export interface SendRequest {
  readonly to: Address;
  /** uint64, as `replyGas`: more than anybody has, until the charge is paid. */
  readonly gas: bigint;
  /** Zeros: no reply. */
  readonly replySelector: Uint8Array;
  readonly replyGas: bigint;
  readonly data: Uint8Array;
}

/** Reads call data of the messenger; the request holds no view of it. */
export function decodeSend(callData: Uint8Array): Verdict<SendRequest, 'malformed-send'> {
  if (callData.length < DATA_AT || callData.length > DATA_AT + MESSAGE_DATA_BYTES_MAX) return refuse('malformed-send', 'length');
  if (!startsWith(callData, SEND_SELECTOR)) return refuse('malformed-send', 'selector');
  const word = (index: number): Uint8Array =>
    callData.subarray(SELECTOR_BYTES + index * WORD_BYTES, SELECTOR_BYTES + (index + 1) * WORD_BYTES);
  const dataLength = word(5);
  const isPadded =
    isZero(word(0).subarray(0, 12)) &&
    isZero(word(1).subarray(0, WORD_BYTES - UINT64_BYTES)) &&
    isZero(word(2).subarray(SELECTOR_BYTES)) &&
    isZero(word(3).subarray(0, WORD_BYTES - UINT64_BYTES)) &&
    isZero(dataLength.subarray(0, WORD_BYTES - UINT64_BYTES));
  if (!isPadded) return refuse('malformed-send', 'padding');
  if (bytesToBigint(word(4)) !== BigInt(HEAD_BYTES)) return refuse('malformed-send', 'offset');
  const length = Number(bytesToBigint(dataLength));
  if (callData.length !== DATA_AT + paddedLength(length)) return refuse('malformed-send', 'data length');
  if (!isZero(callData.subarray(DATA_AT + length))) return refuse('malformed-send', 'data padding');
  return accept({
    to: word(0).slice(12),
    gas: bytesToBigint(word(1)),
    replySelector: word(2).slice(0, SELECTOR_BYTES),
    replyGas: bytesToBigint(word(3)),
    data: callData.slice(DATA_AT, DATA_AT + length),
  });
}

/** The call data of a `send`. */
export function encodeSend({ to, gas, replySelector, replyGas, data }: SendRequest): Uint8Array {
  return concatBytes(SEND_SELECTOR, addressWord(to), numberWord(gas), rightPadded(replySelector), numberWord(replyGas), bytesTail(data, 5));
}

/** Gas that the message reserves for what comes back: a bounce hook or the reply, never both. */
export function reservedGasOf({ replyGas }: Pick<SendRequest, 'replyGas'>): number {
  return Math.max(BOUNCE_GAS, Number(replyGas));
}

/**
 * What the messenger takes from the caller: delivery, one forward and what comes back; the data; the gas that the message carries. Inexact
 * where it is beyond 2^53, which is more than any frame has.
 */
export function messengerCharge(request: SendRequest): number {
  return 3 * MESSAGE_GAS + MESSAGE_BYTE_GAS * request.data.length + Number(request.gas) + reservedGasOf(request);
}

/** `UnreachableTarget(to)`. */
export function unreachableTargetError(to: Address): Uint8Array {
  return concatBytes(UNREACHABLE_TARGET_SELECTOR, addressWord(to));
}

/** The call data of a reply: `replySelector(bytes32 id, address from, bytes result)`, the result cut to its maximum. */
export function encodeReply(replySelector: Uint8Array, id: Bytes32, from: Address, result: Uint8Array): Uint8Array {
  return concatBytes(replySelector, id, addressWord(from), bytesTail(result.subarray(0, REPLY_RESULT_BYTES_MAX), 3));
}

/** The call data of the bounce hook. */
export function encodeBounceHook(id: Bytes32, to: Address, valueWei: Wei): Uint8Array {
  return concatBytes(BOUNCE_HOOK_SELECTOR, id, addressWord(to), numberWord(valueWei));
}

// The last of `words` arguments, bytes: its place, its length, and itself.
function bytesTail(data: Uint8Array, words: number): Uint8Array {
  return concatBytes(numberWord(words * WORD_BYTES), numberWord(data.length), rightPadded(data));
}

function addressWord(address: Address): Uint8Array {
  return concatBytes(ADDRESS_PADDING, address);
}

function numberWord(value: number | bigint): Uint8Array {
  return hex(value.toString(16).padStart(2 * WORD_BYTES, '0'));
}

function rightPadded(bytes: Uint8Array): Uint8Array {
  return concatBytes(bytes, new Uint8Array(paddedLength(bytes.length) - bytes.length));
}

function paddedLength(length: number): number {
  return Math.ceil(length / WORD_BYTES) * WORD_BYTES;
}

function startsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return beginning.every((byte, index) => bytes[index] === byte);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
