// From raw bytes to a transaction: types 0 (EIP-155), 1 (EIP-2930) and 2 (EIP-1559) in RLP, as the yellow paper (appendix B) and
// EIP-2718 write them.
//
// The rule upheld: a transaction has exactly one encoding. Lengths and integers are minimal, nothing follows the last field, and
// s is low, so nobody can alter bytes without altering the sender. Foreign bytes give a verdict and never throw.
//
// This is the hot path of every node, so it reads the bytes in place (about 2 µs, libraries take 20 to 36) and recovery of
// the sender, the dear part, is a step of its own that can run in batches and elsewhere. `to` and `data` are views into `raw`.
import { keccak256 } from '../crypto/keccak.ts';
import type { Secp256k1 } from '../crypto/secp256k1.ts';
import { bytesToHex } from '../primitives/bytes.ts';
import type { Address, Bytes32 } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { TRANSACTION_BYTES_MAX } from './limits.ts';
import type { AccessListEntry, Transaction } from './transaction.ts';

/** Why bytes are no transaction of this network. Stable: metrics and RPC errors are chosen by it. */
export type TransactionRefusal =
  | 'malformed'
  | 'too-large'
  | 'unsupported-type'
  | 'not-replay-protected'
  | 'wrong-chain-id'
  | 'nonce-too-high'
  | 'gas-limit-too-high'
  | 'tip-above-fee-cap'
  | 'invalid-signature';

/** A transaction whose signer is not known yet: what `recoverSender` completes. */
export interface ParsedTransaction extends Omit<Transaction, 'sender' | 'senderHex'> {
  /** What the sender signed. */
  readonly signingHash: Bytes32;
  readonly rBytes: Bytes32;
  readonly sBytes: Bytes32;
}

/** EIP-2681: the nonce of an account never reaches 2^64 - 1. */
const NONCE_END = 2n ** 64n - 1n;

const UNSUPPORTED_TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [3, 'blob, EIP-4844'],
  [4, 'set code, EIP-7702'],
  [0x7e, 'system transaction, made by the chain itself'],
]);

/** Decodes, checks the chain id and recovers the sender. */
export function decodeTransaction(
  raw: Uint8Array,
  secp256k1: Secp256k1,
  expectedChainId: number,
): Verdict<Transaction, TransactionRefusal> {
  const parsed = parseTransaction(raw, expectedChainId);
  return parsed.ok ? recoverSender(parsed.value, secp256k1) : parsed;
}

/** Everything but the sender. `raw` must not be modified afterwards. */
export function parseTransaction(raw: Uint8Array, expectedChainId: number): Verdict<ParsedTransaction, TransactionRefusal> {
  if (raw.length > TRANSACTION_BYTES_MAX) return refuse('too-large', `${raw.length} bytes, at most ${TRANSACTION_BYTES_MAX}`);
  const first = raw[0];
  if (first === undefined) return refuse('malformed', 'no bytes');
  if (first >= 0xc0) return parseLegacy(raw, expectedChainId);
  if (first === 1 || first === 2) return parseTyped(raw, first, expectedChainId);
  if (first >= 0x80) return refuse('malformed', 'neither a list nor a transaction type');
  const name = UNSUPPORTED_TYPE_NAMES.get(first);
  return refuse(
    'unsupported-type',
    `transaction type ${first}${name === undefined ? '' : ` (${name})`} is not supported; types 0, 1 and 2 are`,
  );
}

/** Finds out who signed: 42 µs with the native library. */
export function recoverSender(parsed: ParsedTransaction, secp256k1: Secp256k1): Verdict<Transaction, 'invalid-signature'> {
  const publicKey = secp256k1.recoverPublicKey(parsed.signingHash, parsed.rBytes, parsed.sBytes, parsed.yParity);
  if (publicKey === undefined)
    return refuse('invalid-signature', 'r or s is out of range (s must be low, EIP-2), or there is no such signer');
  return accept(withSender(parsed, addressOfPublicKey(publicKey)));
}

/** Completes a parsed transaction whose sender was recovered elsewhere, as in a worker. */
export function withSender(parsed: ParsedTransaction, sender: Address): Transaction {
  return {
    type: parsed.type,
    hash: parsed.hash,
    hashHex: parsed.hashHex,
    raw: parsed.raw,
    chainId: parsed.chainId,
    nonce: parsed.nonce,
    maxFeePerGasWei: parsed.maxFeePerGasWei,
    maxPriorityFeePerGasWei: parsed.maxPriorityFeePerGasWei,
    gasLimit: parsed.gasLimit,
    to: parsed.to,
    valueWei: parsed.valueWei,
    data: parsed.data,
    accessList: parsed.accessList,
    yParity: parsed.yParity,
    r: parsed.r,
    s: parsed.s,
    sender,
    senderHex: bytesToHex(sender),
  };
}

/** The last 20 bytes of the Keccak hash of the 64-byte public key. */
export function addressOfPublicKey(publicKey: Uint8Array): Address {
  return keccak256(publicKey).slice(12);
}

function parseLegacy(raw: Uint8Array, expectedChainId: number): Verdict<ParsedTransaction, TransactionRefusal> {
  const reader: Reader = { bytes: raw, position: 0, itemStart: 0, fault: undefined };
  const end = openList(reader, raw.length);
  if (end !== raw.length) return refuse('malformed', reader.fault ?? 'bytes follow the transaction');
  const bodyStart = reader.position;
  const nonce = readInteger(reader, end, 8);
  const gasPriceWei = readInteger(reader, end, 32);
  const fields = readCommonFields(reader, end, nonce, gasPriceWei, gasPriceWei);
  const bodyEnd = reader.position;
  const v = readInteger(reader, end, 8);
  const signature = readSignature(reader, end);
  const fault = reader.fault ?? (reader.position === end ? undefined : 'more fields than a transaction of type 0 has');
  if (fault !== undefined) return refuse('malformed', fault);
  if (v === 27n || v === 28n) return refuse('not-replay-protected', 'only replay-protected (EIP-155) transactions are accepted');
  if (v < 35n) return refuse('malformed', `v = ${v} is no EIP-155 value`);
  const chainId = (v - 35n) >> 1n;
  const wrong = judgeFields(fields, chainId, expectedChainId);
  if (wrong !== undefined) return wrong;
  const chainIdSuffix = concatSuffix(encodeInteger(expectedChainId));
  const signingHash = hashOfList(raw.subarray(bodyStart, bodyEnd), undefined, chainIdSuffix);
  return accept(assemble(raw, 0, expectedChainId, fields, [], Number((v - 35n) & 1n) as 0 | 1, signature, signingHash));
}

function parseTyped(raw: Uint8Array, type: 1 | 2, expectedChainId: number): Verdict<ParsedTransaction, TransactionRefusal> {
  const reader: Reader = { bytes: raw, position: 1, itemStart: 0, fault: undefined };
  const end = openList(reader, raw.length);
  if (end !== raw.length) return refuse('malformed', reader.fault ?? 'bytes follow the transaction');
  const bodyStart = reader.position;
  const chainId = readInteger(reader, end, 8);
  const nonce = readInteger(reader, end, 8);
  const firstPriceWei = readInteger(reader, end, 32);
  const secondPriceWei = type === 2 ? readInteger(reader, end, 32) : firstPriceWei;
  const fields = readCommonFields(reader, end, nonce, firstPriceWei, secondPriceWei);
  const accessList = readAccessList(reader, end);
  const bodyEnd = reader.position;
  const yParity = readInteger(reader, end, 1);
  const signature = readSignature(reader, end);
  const fault = reader.fault ?? (reader.position === end ? undefined : `more fields than a transaction of type ${type} has`);
  if (fault !== undefined) return refuse('malformed', fault);
  if (yParity > 1n) return refuse('malformed', `y parity ${yParity} is neither 0 nor 1`);
  const wrong = judgeFields(fields, chainId, expectedChainId);
  if (wrong !== undefined) return wrong;
  const signingHash = hashOfList(raw.subarray(bodyStart, bodyEnd), type, NOTHING);
  return accept(assemble(raw, type, expectedChainId, fields, accessList, Number(yParity) as 0 | 1, signature, signingHash));
}

interface CommonFields {
  readonly nonce: bigint;
  readonly maxPriorityFeePerGasWei: bigint;
  readonly maxFeePerGasWei: bigint;
  readonly gasLimit: bigint;
  readonly to: Address | undefined;
  readonly valueWei: bigint;
  readonly data: Uint8Array;
}

interface SignatureFields {
  readonly rBytes: Bytes32;
  readonly sBytes: Bytes32;
  readonly r: bigint;
  readonly s: bigint;
}

// The fields from the gas limit on, which all types have in this order.
function readCommonFields(
  reader: Reader,
  end: number,
  nonce: bigint,
  maxPriorityFeePerGasWei: bigint,
  maxFeePerGasWei: bigint,
): CommonFields {
  const gasLimit = readInteger(reader, end, 8);
  const to = readString(reader, end);
  if (to.length !== 0 && to.length !== 20) reader.fault ??= `a recipient of ${to.length} bytes`;
  const valueWei = readInteger(reader, end, 32);
  const data = readString(reader, end);
  return { nonce, maxPriorityFeePerGasWei, maxFeePerGasWei, gasLimit, to: to.length === 0 ? undefined : to, valueWei, data };
}

function readSignature(reader: Reader, end: number): SignatureFields {
  const r = readInteger(reader, end, 32);
  const rBytes = leftPad32(reader.bytes.subarray(reader.itemStart, reader.position));
  const s = readInteger(reader, end, 32);
  const sBytes = leftPad32(reader.bytes.subarray(reader.itemStart, reader.position));
  return { rBytes, sBytes, r, s };
}

// Bounded by the size of a transaction: an entry takes at least 23 bytes, a key 33.
function readAccessList(reader: Reader, end: number): readonly AccessListEntry[] {
  const listEnd = openList(reader, end);
  if (reader.position === listEnd) return NO_ENTRIES;
  const entries: AccessListEntry[] = [];
  while (reader.fault === undefined && reader.position < listEnd) {
    const entryEnd = openList(reader, listEnd);
    const address = readString(reader, entryEnd);
    if (address.length !== 20) reader.fault ??= `an access list address of ${address.length} bytes`;
    const keysEnd = openList(reader, entryEnd);
    const storageKeys: Bytes32[] = [];
    while (reader.fault === undefined && reader.position < keysEnd) {
      const key = readString(reader, keysEnd);
      if (key.length !== 32) reader.fault ??= `an access list key of ${key.length} bytes`;
      storageKeys.push(key);
    }
    if (reader.position !== entryEnd) reader.fault ??= 'an access list entry with more than two fields';
    entries.push({ address, storageKeys });
  }
  return entries;
}

function judgeFields(fields: CommonFields, chainId: bigint, expectedChainId: number): Verdict<never, TransactionRefusal> | undefined {
  if (chainId !== BigInt(expectedChainId)) return refuse('wrong-chain-id', `signed for chain ${chainId}, this is ${expectedChainId}`);
  if (fields.nonce >= NONCE_END) return refuse('nonce-too-high', `nonce ${fields.nonce}, at most ${NONCE_END - 1n}`);
  if (fields.gasLimit > BigInt(Number.MAX_SAFE_INTEGER)) return refuse('gas-limit-too-high', `gas limit ${fields.gasLimit}`);
  if (fields.maxPriorityFeePerGasWei > fields.maxFeePerGasWei) {
    return refuse('tip-above-fee-cap', `maxPriorityFeePerGas: ${fields.maxPriorityFeePerGasWei}, maxFeePerGas: ${fields.maxFeePerGasWei}`);
  }
  return undefined;
}

function assemble(
  raw: Uint8Array,
  type: 0 | 1 | 2,
  chainId: number,
  fields: CommonFields,
  accessList: readonly AccessListEntry[],
  yParity: 0 | 1,
  signature: SignatureFields,
  signingHash: Bytes32,
): ParsedTransaction {
  const hash = keccak256(raw);
  return {
    type,
    hash,
    hashHex: bytesToHex(hash),
    raw,
    chainId,
    nonce: fields.nonce,
    maxFeePerGasWei: fields.maxFeePerGasWei,
    maxPriorityFeePerGasWei: fields.maxPriorityFeePerGasWei,
    gasLimit: Number(fields.gasLimit),
    to: fields.to,
    valueWei: fields.valueWei,
    data: fields.data,
    accessList,
    yParity,
    r: signature.r,
    s: signature.s,
    signingHash,
    rBytes: signature.rBytes,
    sBytes: signature.sBytes,
  };
}

// Keccak of [type ‖] RLP list header ‖ body ‖ suffix: the unsigned fields stand in `raw` already, and only the header differs.
function hashOfList(body: Uint8Array, type: number | undefined, suffix: Uint8Array): Bytes32 {
  const header = listHeader(body.length + suffix.length, type);
  const message = new Uint8Array(header.length + body.length + suffix.length);
  message.set(header, 0);
  message.set(body, header.length);
  message.set(suffix, header.length + body.length);
  return keccak256(message);
}

function listHeader(length: number, type: number | undefined): number[] {
  const header = type === undefined ? [] : [type];
  if (length <= 55) header.push(0xc0 + length);
  else if (length <= 0xff) header.push(0xf8, length);
  else if (length <= 0xffff) header.push(0xf9, length >> 8, length & 0xff);
  else header.push(0xfa, length >> 16, (length >> 8) & 0xff, length & 0xff);
  return header;
}

// EIP-155 signs (chain id, 0, 0) after the six fields.
function concatSuffix(chainId: readonly number[]): Uint8Array {
  return Uint8Array.from([...chainId, 0x80, 0x80]);
}

function encodeInteger(value: number): readonly number[] {
  if (value < 0x80) return [value === 0 ? 0x80 : value];
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 + bytes.length, ...bytes];
}

// A place in the bytes. The first fault sticks and makes every later read return nothing, so that a caller checks once, at the end.
interface Reader {
  readonly bytes: Uint8Array;
  position: number;
  /** Where the content of the last string began; `position` is its end. */
  itemStart: number;
  fault: string | undefined;
}

const NOTHING = new Uint8Array(0);
const NO_ENTRIES: readonly AccessListEntry[] = [];

// Steps over the next string, and returns the length of its content, or 0 after a fault.
function stepString(reader: Reader, end: number): number {
  if (reader.fault !== undefined) return 0;
  const { bytes, position } = reader;
  if (position >= end) return fail(reader, 'a field is missing');
  const first = bytes[position] as number;
  if (first < 0x80) {
    reader.itemStart = position;
    reader.position = position + 1;
    return 1;
  }
  if (first >= 0xc0) return fail(reader, 'a list where a string is expected');
  let start = position + 1;
  let length = first - 0x80;
  if (first > 0xb7) {
    const lengthBytes = first - 0xb7;
    length = readLength(reader, start, lengthBytes, end);
    start += lengthBytes;
  }
  if (reader.fault !== undefined) return 0;
  if (start + length > end) return fail(reader, 'a string runs over its list');
  if (length === 1 && first === 0x81 && (bytes[start] as number) < 0x80) return fail(reader, 'a small byte with a length before it');
  reader.itemStart = start;
  reader.position = start + length;
  return length;
}

// Enters the next list: `position` is then its first item, and the result the end of its content.
function openList(reader: Reader, end: number): number {
  if (reader.fault !== undefined) return reader.position;
  const { bytes, position } = reader;
  if (position >= end) {
    fail(reader, 'a list is missing');
    return position;
  }
  const first = bytes[position] as number;
  if (first < 0xc0) {
    fail(reader, 'a string where a list is expected');
    return position;
  }
  let start = position + 1;
  let length = first - 0xc0;
  if (first > 0xf7) {
    const lengthBytes = first - 0xf7;
    length = readLength(reader, start, lengthBytes, end);
    start += lengthBytes;
  }
  if (reader.fault === undefined && start + length > end) fail(reader, 'a list runs over its end');
  if (reader.fault !== undefined) return position;
  reader.position = start;
  return start + length;
}

// Lengths above 55 stand in one to three bytes (a transaction has at most 128 KiB), the first not zero.
function readLength(reader: Reader, start: number, lengthBytes: number, end: number): number {
  if (lengthBytes > 3 || start + lengthBytes > end) return fail(reader, 'a length beyond the bytes');
  let length = 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + (reader.bytes[start + i] as number);
  if (length <= 55 || reader.bytes[start] === 0) return fail(reader, 'a length that is not minimal');
  return length;
}

function readString(reader: Reader, end: number): Uint8Array {
  const length = stepString(reader, end);
  return length === 0 ? NOTHING : reader.bytes.subarray(reader.itemStart, reader.position);
}

function readInteger(reader: Reader, end: number, bytesMax: number): bigint {
  const length = stepString(reader, end);
  if (length === 0) return 0n;
  const { bytes, itemStart } = reader;
  if (length > bytesMax) fail(reader, `an integer of ${length} bytes, at most ${bytesMax}`);
  else if (bytes[itemStart] === 0) fail(reader, 'an integer with a leading zero');
  if (reader.fault !== undefined) return 0n;
  if (length > 6) return BigInt(`0x${bytesToHex(bytes.subarray(itemStart, itemStart + length))}`);
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[itemStart + i] as number);
  return BigInt(value);
}

function fail(reader: Reader, fault: string): 0 {
  reader.fault ??= fault;
  reader.itemStart = reader.position;
  return 0;
}

function leftPad32(bytes: Uint8Array): Bytes32 {
  if (bytes.length === 32) return bytes;
  const padded = new Uint8Array(32);
  if (bytes.length < 32) padded.set(bytes, 32 - bytes.length);
  return padded;
}
