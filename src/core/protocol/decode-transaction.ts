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
import { bytesToBigint, bytesToHex } from '../primitives/bytes.ts';
import type { Address, Bytes32, Hex } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import { TRANSACTION_BYTES_MAX } from './limits.ts';
import type { AccessListEntry, Transaction } from './transaction.ts';
import { openList, type Reader, readInteger, readNumber, readScalar, readString, stepString } from './transaction-reader.ts';

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

const NO_ENTRIES: readonly AccessListEntry[] = [];

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

/** Everything but the sender. `raw` must not be modified afterwards. Whoever knows its Keccak hash already hands it on. */
export function parseTransaction(
  raw: Uint8Array,
  expectedChainId: number,
  hash?: Bytes32,
  hashHex?: Hex,
): Verdict<ParsedTransaction, TransactionRefusal> {
  if (raw.length > TRANSACTION_BYTES_MAX) return refuse('too-large', `${raw.length} bytes, at most ${TRANSACTION_BYTES_MAX}`);
  const first = raw[0];
  if (first === undefined) return refuse('malformed', 'no bytes');
  if (first >= 0xc0) return parseLegacy(raw, expectedChainId, hash, hashHex);
  if (first === 1 || first === 2) return parseTyped(raw, first, expectedChainId, hash, hashHex);
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
    sender,
    senderHex: bytesToHex(sender),
  };
}

/** The last 20 bytes of the Keccak hash of the 64-byte public key. */
export function addressOfPublicKey(publicKey: Uint8Array): Address {
  publicKeyScratch.set(publicKey);
  return keccak256(publicKeyScratch).slice(12);
}

// Outside V8's heap: a small array would be moved out of it first, to be hashed.
const publicKeyScratch = new Uint8Array(new ArrayBuffer(64));

/** The signature of a transaction that was decoded before: asked for by clients only, so nothing keeps it as numbers. */
export function signatureOf({ type, raw }: Pick<Transaction, 'type' | 'raw'>): { readonly r: bigint; readonly s: bigint } {
  const reader: Reader = { bytes: raw, position: type === 0 ? 0 : 1, itemStart: 0, fault: undefined };
  const end = openList(reader, raw.length);
  for (let field = 0; field < FIELDS_BEFORE_SIGNATURE[type]; field++) {
    if ((raw[reader.position] as number) >= 0xc0) reader.position = openList(reader, end);
    else stepString(reader, end);
  }
  return { r: bytesToBigint(readString(reader, end)), s: bytesToBigint(readString(reader, end)) };
}

/** Fields before r, for each type. */
const FIELDS_BEFORE_SIGNATURE = [7, 9, 10] as const;

function parseLegacy(
  raw: Uint8Array,
  expectedChainId: number,
  hash: Bytes32 | undefined,
  hashHex: Hex | undefined,
): Verdict<ParsedTransaction, TransactionRefusal> {
  const reader: Reader = { bytes: raw, position: 0, itemStart: 0, fault: undefined };
  const end = openList(reader, raw.length);
  if (end !== raw.length) return refuse('malformed', reader.fault ?? 'bytes follow the transaction');
  const bodyStart = reader.position;
  const nonce = readInteger(reader, end, 8);
  const gasPriceWei = readInteger(reader, end, 32);
  const fields = readCommonFields(reader, end, nonce, gasPriceWei, gasPriceWei);
  const bodyEnd = reader.position;
  const v = readInteger(reader, end, 8);
  const rBytes = readScalar(reader, end);
  const sBytes = readScalar(reader, end);
  const fault = reader.fault ?? (reader.position === end ? undefined : 'more fields than a transaction of type 0 has');
  if (fault !== undefined) return refuse('malformed', fault);
  if (v === 27n || v === 28n) return refuse('not-replay-protected', 'only replay-protected (EIP-155) transactions are accepted');
  if (v < 35n) return refuse('malformed', `v = ${v} is no EIP-155 value`);
  const wrong = judgeFields(fields, Number((v - 35n) >> 1n), expectedChainId);
  if (wrong !== undefined) return wrong;
  const signingHash = hashOfList(raw, bodyStart, bodyEnd, undefined, eip155Suffix(expectedChainId));
  const yParity = Number((v - 35n) & 1n) as 0 | 1;
  return accept(assemble(raw, 0, expectedChainId, fields, NO_ENTRIES, { yParity, rBytes, sBytes, signingHash }, hash, hashHex));
}

function parseTyped(
  raw: Uint8Array,
  type: 1 | 2,
  expectedChainId: number,
  hash: Bytes32 | undefined,
  hashHex: Hex | undefined,
): Verdict<ParsedTransaction, TransactionRefusal> {
  const reader: Reader = { bytes: raw, position: 1, itemStart: 0, fault: undefined };
  const end = openList(reader, raw.length);
  if (end !== raw.length) return refuse('malformed', reader.fault ?? 'bytes follow the transaction');
  const bodyStart = reader.position;
  const chainId = readNumber(reader, end, 8);
  const nonce = readInteger(reader, end, 8);
  const firstPriceWei = readInteger(reader, end, 32);
  const secondPriceWei = type === 2 ? readInteger(reader, end, 32) : firstPriceWei;
  const fields = readCommonFields(reader, end, nonce, firstPriceWei, secondPriceWei);
  const accessList = readAccessList(reader, end);
  const bodyEnd = reader.position;
  const yParity = readNumber(reader, end, 1);
  const rBytes = readScalar(reader, end);
  const sBytes = readScalar(reader, end);
  const fault = reader.fault ?? (reader.position === end ? undefined : `more fields than a transaction of type ${type} has`);
  if (fault !== undefined) return refuse('malformed', fault);
  if (yParity !== 0 && yParity !== 1) return refuse('malformed', `y parity ${yParity} is neither 0 nor 1`);
  const wrong = judgeFields(fields, chainId, expectedChainId);
  if (wrong !== undefined) return wrong;
  const signingHash = hashOfList(raw, bodyStart, bodyEnd, type, NO_SUFFIX);
  return accept(assemble(raw, type, expectedChainId, fields, accessList, { yParity, rBytes, sBytes, signingHash }, hash, hashHex));
}

interface CommonFields {
  readonly nonce: bigint;
  readonly maxPriorityFeePerGasWei: bigint;
  readonly maxFeePerGasWei: bigint;
  readonly gasLimit: number;
  readonly to: Address | undefined;
  readonly valueWei: bigint;
  readonly data: Uint8Array;
}

type SignatureFields = Pick<ParsedTransaction, 'yParity' | 'rBytes' | 'sBytes' | 'signingHash'>;

// The fields from the gas limit on, which all types have in this order.
function readCommonFields(
  reader: Reader,
  end: number,
  nonce: bigint,
  maxPriorityFeePerGasWei: bigint,
  maxFeePerGasWei: bigint,
): CommonFields {
  const gasLimit = readNumber(reader, end, 8);
  const to = readString(reader, end);
  if (to.length !== 0 && to.length !== 20) reader.fault ??= `a recipient of ${to.length} bytes`;
  const valueWei = readInteger(reader, end, 32);
  const data = readString(reader, end);
  return { nonce, maxPriorityFeePerGasWei, maxFeePerGasWei, gasLimit, to: to.length === 0 ? undefined : to, valueWei, data };
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

function judgeFields(fields: CommonFields, chainId: number, expectedChainId: number): Verdict<never, TransactionRefusal> | undefined {
  if (chainId !== expectedChainId) return refuse('wrong-chain-id', `signed for chain ${chainId}, this is ${expectedChainId}`);
  if (fields.nonce >= NONCE_END) return refuse('nonce-too-high', `nonce ${fields.nonce}, at most ${NONCE_END - 1n}`);
  if (fields.gasLimit > Number.MAX_SAFE_INTEGER) return refuse('gas-limit-too-high', `gas limit ${fields.gasLimit}`);
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
  signature: SignatureFields,
  hash: Bytes32 = keccak256(raw),
  hashHex: Hex = bytesToHex(hash),
): ParsedTransaction {
  return {
    type,
    hash,
    hashHex,
    raw,
    chainId,
    nonce: fields.nonce,
    maxFeePerGasWei: fields.maxFeePerGasWei,
    maxPriorityFeePerGasWei: fields.maxPriorityFeePerGasWei,
    gasLimit: fields.gasLimit,
    to: fields.to,
    valueWei: fields.valueWei,
    data: fields.data,
    accessList,
    yParity: signature.yParity,
    signingHash: signature.signingHash,
    rBytes: signature.rBytes,
    sBytes: signature.sBytes,
  };
}

/** What is signed is put together here; more than this takes memory of its own. */
const SIGNED_SCRATCH_BYTES = 1_024;
const signedScratch = new Uint8Array(SIGNED_SCRATCH_BYTES);
/** A type byte, and the longest header of a list in a transaction. */
const HEADER_BYTES_MAX = 5;

// Keccak of [type ‖] RLP list header ‖ body ‖ suffix: the unsigned fields stand in `raw` already, and only the header differs.
function hashOfList(raw: Uint8Array, bodyStart: number, bodyEnd: number, type: number | undefined, suffix: readonly number[]): Bytes32 {
  const length = bodyEnd - bodyStart + suffix.length;
  const message = length + HEADER_BYTES_MAX <= SIGNED_SCRATCH_BYTES ? signedScratch : new Uint8Array(length + HEADER_BYTES_MAX);
  let at = 0;
  if (type !== undefined) message[at++] = type;
  at = writeListHeader(message, at, length);
  for (let i = bodyStart; i < bodyEnd; i++) message[at++] = raw[i] as number;
  for (const byte of suffix) message[at++] = byte;
  return keccak256(message.subarray(0, at));
}

// Gives the place after the header.
function writeListHeader(message: Uint8Array, at: number, length: number): number {
  if (length <= 55) {
    message[at] = 0xc0 + length;
    return at + 1;
  }
  const lengthBytes = length <= 0xff ? 1 : length <= 0xffff ? 2 : 3;
  message[at] = 0xf7 + lengthBytes;
  for (let i = lengthBytes, rest = length; i > 0; i--, rest >>= 8) message[at + i] = rest & 0xff;
  return at + 1 + lengthBytes;
}

const NO_SUFFIX: readonly number[] = [];

// EIP-155 signs (chain id, 0, 0) after the six fields.
function eip155Suffix(chainId: number): readonly number[] {
  if (chainId < 0x80) return [chainId === 0 ? 0x80 : chainId, 0x80, 0x80];
  const bytes: number[] = [];
  for (let rest = chainId; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 + bytes.length, ...bytes, 0x80, 0x80];
}
