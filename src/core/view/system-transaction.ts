// What Ethereum clients see of a message that is no transaction's main call: a system transaction of type 0x7e, with the fields that
// the OP Stack gave its deposit transactions (specs.optimism.io, "Deposits"), so that existing explorers show each effect and its
// cause. The format is written down in docs/system-transactions.md.
//
// Nobody signs or submits one: nodes derive them from executed messages, and the mempool refuses the type.
import { keccak256 } from '../crypto/keccak.ts';
import { bytesToBigint, bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import type { Address, Bytes32, Hex, Wei } from '../primitives/ids.ts';
import { decodeRlp, encodeRlp, integerToRlp, type RlpItem } from '../primitives/rlp.ts';
import type { Message } from '../protocol/message.ts';

/** EIP-2718 type byte. */
export const SYSTEM_TRANSACTION_TYPE = 0x7e;

/** The view of one message. */
export interface SystemTransaction {
  readonly hash: Bytes32;
  readonly hashHex: Hex;
  /** 0x7e ‖ RLP: what `hash` is the Keccak of. */
  readonly raw: Uint8Array;
  /** The message's id. */
  readonly sourceHash: Bytes32;
  readonly from: Address;
  readonly to: Address | undefined;
  /** The value was debited where the message was emitted, so it comes into being here. */
  readonly mintWei: Wei;
  readonly valueWei: Wei;
  readonly gasLimit: number;
  readonly data: Uint8Array;
}

const NOTHING = new Uint8Array(0);
const ADDRESS_BYTES = 20;
const HASH_BYTES = 32;
const WEI_BYTES_MAX = 32;
/** As many as a number holds without loss. */
const GAS_BYTES_MAX = 6;

/** The system transaction that shows `message`. */
export function systemTransactionOf(message: Message): SystemTransaction {
  const value = integerToRlp(message.valueWei);
  const payload = encodeRlp([
    message.id,
    message.sender,
    message.target ?? NOTHING,
    value,
    value,
    integerToRlp(message.gasLimit),
    NOTHING, // isSystemTx false: the gas is bought, no block carries it for free
    message.data,
  ]);
  const raw = new Uint8Array(1 + payload.length);
  raw[0] = SYSTEM_TRANSACTION_TYPE;
  raw.set(payload, 1);
  return decodeSystemTransaction(raw);
}

/** Reads back `raw` of a transaction that this node derived. */
export function decodeSystemTransaction(raw: Uint8Array): SystemTransaction {
  const decoded = raw[0] === SYSTEM_TRANSACTION_TYPE ? decodeRlp(raw.subarray(1)) : undefined;
  invariant(decoded?.ok === true && isEightFields(decoded.value), 'a stored 0x7e transaction has 8 fields');
  const [sourceHash, from, to, mint, value, gas, isSystemTx, data] = decoded.value;
  invariant(sourceHash.length === HASH_BYTES && from.length === ADDRESS_BYTES, 'a stored 0x7e transaction has an id and a sender');
  invariant(to.length === 0 || to.length === ADDRESS_BYTES, 'a stored 0x7e transaction goes to an address, if to any');
  invariant(isSystemTx.length === 0, 'a stored 0x7e transaction is no system transaction of the OP Stack');
  const hash = keccak256(raw);
  return {
    hash,
    hashHex: bytesToHex(hash),
    raw,
    sourceHash,
    from,
    to: to.length === 0 ? undefined : to,
    mintWei: integerOf(mint, WEI_BYTES_MAX),
    valueWei: integerOf(value, WEI_BYTES_MAX),
    gasLimit: Number(integerOf(gas, GAS_BYTES_MAX)),
    data,
  };
}

function isEightFields(item: RlpItem): item is EightFields {
  return !(item instanceof Uint8Array) && item.length === 8 && item.every((field) => field instanceof Uint8Array);
}

function integerOf(bytes: Uint8Array, bytesMax: number): bigint {
  invariant(bytes.length <= bytesMax && bytes[0] !== 0, 'a stored 0x7e transaction has integers without leading zeros');
  return bytesToBigint(bytes);
}

type EightFields = readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
