// Transactions as Ethereum encodes them, RLP in general, the view's own type 0x7e, and what code asks of the messenger. What is accepted is encoded again from its fields by
// the generic encoder, and its sender recovered by both implementations.
import assert from 'node:assert/strict';
import { keccak256 } from '../../../src/core/crypto/keccak.ts';
import { nobleSecp256k1 } from '../../../src/core/crypto/secp256k1-noble.ts';
import { decodeSend, encodeSend, type SendRequest } from '../../../src/core/messaging/messenger-interface.ts';
import { bytesToHex, concatBytes } from '../../../src/core/primitives/bytes.ts';
import { decodeRlp, encodeRlp, integerToRlp, type RlpItem } from '../../../src/core/primitives/rlp.ts';
import { decodeTransaction, signatureOf } from '../../../src/core/protocol/decode-transaction.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { decodeSystemTransaction, SYSTEM_TRANSACTION_TYPE, type SystemTransaction } from '../../../src/core/view/system-transaction.ts';
import { selectCrypto } from '../../../src/runtime/native/select-crypto.ts';
import type { SeededRandom } from '../../../src/simulation/random.ts';
import { CHAIN_ID } from '../../core/view/executed-fixture.ts';
import { assertSameBytes, type FuzzTarget, judgeCanonical, judgeRow, refusal } from '../target.ts';
import { bytesOf, integerOf } from './values.ts';

const NOTHING = new Uint8Array(0);
const DEPTH_MAX = 5;

const { secp256k1 } = selectCrypto({ disableNative: false });

const rlp: FuzzTarget = {
  name: 'rlp',
  covers: ['core/primitives/rlp#decodeRlp'],
  executions: 15_000,
  generate(random) {
    const item = rlpItem(random, DEPTH_MAX);
    const encoded = encodeRlp(item);
    assert.deepEqual(decodeRlp(encoded), { ok: true, value: item });
    return encoded;
  },
  judge: (bytes) => judgeCanonical(bytes, decodeRlp(bytes), encodeRlp),
};

const rawTransaction: FuzzTarget = {
  name: 'raw-transaction',
  covers: [
    'core/protocol/decode-transaction#decodeTransaction',
    'core/protocol/decode-transaction#parseTransaction',
    'core/protocol/decode-transaction#recoverSender',
    'core/protocol/transaction-reader#openList',
    'core/protocol/transaction-reader#readString',
    'core/protocol/transaction-reader#readInteger',
    'core/protocol/transaction-reader#readNumber',
    'core/protocol/transaction-reader#readScalar',
  ],
  executions: 1_000,
  generate(random) {
    const raw = signedTransaction(random);
    const decoded = decodeTransaction(raw, secp256k1, CHAIN_ID);
    assert.ok(decoded.ok, `what is signed decodes: ${decoded.ok ? '' : decoded.detail}`);
    assertSameBytes(encodingOf(decoded.value), raw, 'a transaction has the fields that it was made of');
    return raw;
  },
  judge(bytes) {
    const decoded = decodeTransaction(bytes, secp256k1, CHAIN_ID);
    if (!decoded.ok) return refusal(decoded.reason, decoded.detail);
    assertSameBytes(encodingOf(decoded.value), bytes, 'what is accepted re-encodes to the same bytes');
    const portable = decodeTransaction(bytes, nobleSecp256k1, CHAIN_ID);
    assert.ok(portable.ok && portable.value.senderHex === decoded.value.senderHex, 'both implementations recover one sender');
    return `accepted, type ${decoded.value.type}`;
  },
};

const systemTransaction: FuzzTarget = {
  name: 'system-transaction',
  covers: ['core/view/system-transaction#decodeSystemTransaction'],
  executions: 8_000,
  generate(random) {
    const value = integerToRlp(integerOf(random, 256));
    const to = random.chance(0.2) ? NOTHING : bytesOf(random, 20);
    const gas = integerToRlp(integerOf(random, 40));
    const fields = [bytesOf(random, 32), bytesOf(random, 20), to, value, value, gas, NOTHING, bytesOf(random, random.integer(0, 100))];
    const raw = concatBytes(Uint8Array.of(SYSTEM_TRANSACTION_TYPE), encodeRlp(fields));
    assertSameBytes(systemEncodingOf(decodeSystemTransaction(raw)), raw, 'a system transaction has the fields that it was made of');
    return raw;
  },
  judge: (bytes) => judgeRow(bytes, decodeSystemTransaction, systemEncodingOf),
};

const messengerSend: FuzzTarget = {
  name: 'messenger-send',
  covers: ['core/messaging/messenger-interface#decodeSend'],
  executions: 8_000,
  generate(random) {
    const request: SendRequest = {
      to: bytesOf(random, 20),
      gas: integerOf(random, 64),
      replySelector: bytesOf(random, 4),
      replyGas: integerOf(random, 64),
      data: bytesOf(random, random.integer(0, 100)),
    };
    const encoded = encodeSend(request);
    assert.deepEqual(decodeSend(encoded), { ok: true, value: request });
    return encoded;
  },
  judge: (bytes) => judgeCanonical(bytes, decodeSend(bytes), encodeSend),
};

/** See the file's head. */
export const TRANSACTION_TARGETS: readonly FuzzTarget[] = [rlp, rawTransaction, systemTransaction, messengerSend];

function rlpItem(random: SeededRandom, depth: number): RlpItem {
  if (depth === 0 || random.chance(0.5))
    return bytesOf(random, random.pick([0, 1, 1, random.integer(0, 55), 55, 56, random.integer(0, 300)]));
  return Array.from({ length: random.integer(0, 4) }, () => rlpItem(random, depth - 1));
}

/** A transaction of a key of its own, signed. */
export function signedTransaction(random: SeededRandom): Uint8Array {
  const type = random.pick([0, 1, 2] as const);
  const maxFee = integerOf(random, 64) + 1n;
  const nonce = integerToRlp(integerOf(random, 63));
  const call: RlpItem[] = [
    integerToRlp(random.integer(0, 2 ** 40)),
    random.chance(0.2) ? NOTHING : bytesOf(random, 20),
    integerToRlp(integerOf(random, 256)),
    bytesOf(random, random.integer(0, 80)),
  ];
  const accessList = Array.from(
    { length: random.integer(0, 3) },
    (): RlpItem => [bytesOf(random, 20), Array.from({ length: random.integer(0, 3) }, () => bytesOf(random, 32))],
  );
  const chainId = integerToRlp(CHAIN_ID);
  const prices = type === 2 ? [integerToRlp(random.integer(0, 2)), integerToRlp(maxFee)] : [integerToRlp(maxFee)];
  const body = type === 0 ? [nonce, ...prices, ...call] : [chainId, nonce, ...prices, ...call, accessList];
  const unsigned = typed(type, type === 0 ? [...body, chainId, NOTHING, NOTHING] : body);
  const { r, s, yParity } = secp256k1.sign(bytesOf(random, 32).fill(random.integer(1, 256), 0, 1), keccak256(unsigned));
  const v = integerToRlp(type === 0 ? 2 * CHAIN_ID + 35 + yParity : yParity);
  return typed(type, [...body, v, scalarOf(r), scalarOf(s)]);
}

function encodingOf(transaction: Transaction): Uint8Array {
  const { type, chainId, nonce, maxPriorityFeePerGasWei, maxFeePerGasWei, gasLimit, to, valueWei, data, accessList, yParity } = transaction;
  const { r, s } = signatureOf(transaction);
  const call: RlpItem[] = [integerToRlp(gasLimit), to ?? NOTHING, integerToRlp(valueWei), data];
  const entries = accessList.map(({ address, storageKeys }): RlpItem => [address, storageKeys]);
  const tip = type === 2 ? [integerToRlp(maxPriorityFeePerGasWei)] : [];
  const body = [integerToRlp(nonce), ...tip, integerToRlp(maxFeePerGasWei), ...call];
  const signature = [integerToRlp(r), integerToRlp(s)];
  if (type === 0) return encodeRlp([...body, integerToRlp(2n * BigInt(chainId) + 35n + BigInt(yParity)), ...signature]);
  return typed(type, [integerToRlp(chainId), ...body, entries, integerToRlp(yParity), ...signature]);
}

function systemEncodingOf({ sourceHash, from, to, mintWei, valueWei, gasLimit, data }: SystemTransaction): Uint8Array {
  const amounts = [integerToRlp(mintWei), integerToRlp(valueWei), integerToRlp(gasLimit)];
  return concatBytes(Uint8Array.of(SYSTEM_TRANSACTION_TYPE), encodeRlp([sourceHash, from, to ?? NOTHING, ...amounts, NOTHING, data]));
}

function typed(type: number, fields: RlpItem): Uint8Array {
  return type === 0 ? encodeRlp(fields) : concatBytes(Uint8Array.of(type), encodeRlp(fields));
}

function scalarOf(bytes: Uint8Array): Uint8Array {
  return integerToRlp(BigInt(`0x${bytesToHex(bytes)}`));
}
