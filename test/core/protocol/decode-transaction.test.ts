// Decoding is held against @ethereumjs/tx on random transactions of every type, and against mutated bytes: whatever we accept
// must encode back to the very bytes, and whatever we accept the library must understand in the same way.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Common, Mainnet } from '@ethereumjs/common';
import { RLP } from '@ethereumjs/rlp';
import { createTx, createTxFromRLP, type TypedTransaction, type TypedTxData } from '@ethereumjs/tx';
import { hexToBytes as libraryHexToBytes } from '@ethereumjs/util';
import fc from 'fast-check';
import { nobleSecp256k1 } from '../../../src/core/crypto/secp256k1-noble.ts';
import { bytesToHex, bytesToPrefixedHex } from '../../../src/core/primitives/bytes.ts';
import {
  decodeTransaction,
  type ParsedTransaction,
  parseTransaction,
  recoverSender,
  signatureOf,
  type TransactionRefusal,
} from '../../../src/core/protocol/decode-transaction.ts';
import { nativeSecp256k1 } from '../../../src/runtime/native/secp256k1-native.ts';

const CHAIN_ID = 1_131_376_752;
const SEED = 20_261_121;
const secp256k1 = nativeSecp256k1() ?? nobleSecp256k1;
const common = new Common({ chain: { ...Mainnet, chainId: CHAIN_ID }, hardfork: 'cancun', eips: [7702] });
const SECRET_KEY = new Uint8Array(32).fill(0x42);

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const amount = fc.oneof(fc.constant(0n), fc.bigInt(0n, 255n), fc.bigInt(0n, 2n ** 64n), fc.bigInt(0n, 2n ** 128n));

const transactionData = fc
  .record({
    type: fc.constantFrom(0, 1, 2),
    nonce: fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n - 2n)),
    price: fc.bigInt(0n, 2n ** 100n),
    extra: fc.bigInt(0n, 2n ** 100n),
    gasLimit: fc.bigInt(1_000_000n, 2n ** 40n),
    to: fc.option(bytesOf(20), { nil: undefined }),
    value: amount,
    data: fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ minLength: 250, maxLength: 400 })),
    accessList: fc.array(fc.record({ address: bytesOf(20), storageKeys: fc.array(bytesOf(32), { maxLength: 3 }) }), { maxLength: 3 }),
  })
  .map(({ type, price, extra, accessList, to, ...rest }) => {
    const list = accessList.map((entry) => ({
      address: bytesToPrefixedHex(entry.address),
      storageKeys: entry.storageKeys.map(bytesToPrefixedHex),
    }));
    const base = { ...rest, type, ...(to === undefined ? {} : { to: bytesToPrefixedHex(to) }) };
    if (type === 2) return { ...base, chainId: CHAIN_ID, maxPriorityFeePerGas: price, maxFeePerGas: price + extra, accessList: list };
    return type === 1 ? { ...base, chainId: CHAIN_ID, gasPrice: price, accessList: list } : { ...base, gasPrice: price };
  });

const signed = (data: object): TypedTransaction => createTx(data as TypedTxData, { common }).sign(SECRET_KEY) as TypedTransaction;

const reasonOf = (raw: Uint8Array): TransactionRefusal | 'accepted' => {
  const verdict = decodeTransaction(raw, secp256k1, CHAIN_ID);
  return verdict.ok ? 'accepted' : verdict.reason;
};

describe('decoding a transaction', () => {
  it('agrees with @ethereumjs/tx on every field of random transactions of all three types', () => {
    const sender = signed({ type: 2, chainId: CHAIN_ID, gasLimit: 21_000n, maxFeePerGas: 1n }).getSenderAddress().bytes;
    fc.assert(
      fc.property(transactionData, (data) => {
        const theirs = signed(data);
        const verdict = decodeTransaction(theirs.serialize(), secp256k1, CHAIN_ID);
        assert.ok(verdict.ok, verdict.ok ? '' : `${verdict.reason} ${verdict.detail}`);
        assertSame(verdict.value, theirs);
        assert.deepEqual(verdict.value.sender, sender);
        assert.equal(verdict.value.senderHex, bytesToHex(sender));
      }),
      { seed: SEED, numRuns: 150 },
    );
  });

  it('accepts of mutated bytes only what the library reads in the same way', () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        transactionData,
        fc.nat(),
        fc.nat({ max: 255 }),
        fc.constantFrom('set', 'insert', 'remove', 'cut'),
        (data, place, byte, mutation) => {
          const mutated = mutate(signed(data).serialize(), place, byte, mutation);
          const verdict = decodeTransaction(mutated, secp256k1, CHAIN_ID);
          if (!verdict.ok) return;
          accepted++;
          const theirs = createTxFromRLP(mutated, { common }) as TypedTransaction;
          assertSame(verdict.value, theirs);
          assert.deepEqual(theirs.serialize(), mutated);
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
    assert.ok(accepted > 20, `only ${accepted} mutations were accepted: the property says little`);
  });

  it('never throws on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(0x01, 0x02, 0xc0, 0xf8, 0xf9, 0xfa, 0xff), (tail, first) => {
        parseTransaction(Uint8Array.of(first, ...tail), CHAIN_ID);
        parseTransaction(tail, CHAIN_ID);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('separates parsing from the recovery of the sender', () => {
    const raw = signed({ type: 2, chainId: CHAIN_ID, gasLimit: 21_000n, maxFeePerGas: 7n }).serialize();
    const parsed = parseTransaction(raw, CHAIN_ID);
    assert.ok(parsed.ok);
    const whole = decodeTransaction(raw, nobleSecp256k1, CHAIN_ID);
    assert.deepEqual(recoverSender(parsed.value, secp256k1), whole);
  });
});

describe('a transaction is refused', () => {
  const valid = {
    type: 2,
    chainId: CHAIN_ID,
    nonce: 3n,
    gasLimit: 21_000n,
    maxFeePerGas: 9n,
    maxPriorityFeePerGas: 2n,
    to: `0x${'11'.repeat(20)}`,
  };
  const legacy = { type: 0, nonce: 3n, gasLimit: 21_000n, gasPrice: 9n, to: `0x${'11'.repeat(20)}` };
  const fieldsOf = (data: object): Uint8Array[] => RLP.decode(signed(data).serialize().subarray(1)) as Uint8Array[];
  const encode = (fields: readonly (Uint8Array | readonly unknown[])[], type = 2): Uint8Array =>
    Uint8Array.of(type, ...RLP.encode(fields as Uint8Array[]));
  const withField = (index: number, value: Uint8Array): Uint8Array =>
    encode(fieldsOf(valid).map((field, i) => (i === index ? value : field)));

  it('with the type named when it is not supported', () => {
    for (const [type, name] of [
      [3, 'blob'],
      [4, 'set code'],
      [0x7e, 'system'],
      [0x55, '85'],
    ] as const) {
      const verdict = decodeTransaction(Uint8Array.of(type, 0xc0), secp256k1, CHAIN_ID);
      assert.ok(!verdict.ok && verdict.reason === 'unsupported-type' && verdict.detail.includes(name), JSON.stringify(verdict));
    }
  });

  it('when it was signed for another chain, or for any', () => {
    const elsewhere = new Common({ chain: { ...Mainnet, chainId: 1337 }, hardfork: 'cancun' });
    for (const data of [{ ...valid, chainId: 1337 }, legacy]) {
      const raw = createTx(data as TypedTxData, { common: elsewhere })
        .sign(SECRET_KEY)
        .serialize();
      assert.equal(reasonOf(raw), 'wrong-chain-id');
    }
    const unprotected = new Common({ chain: { ...Mainnet, chainId: CHAIN_ID }, hardfork: 'homestead' });
    assert.equal(
      reasonOf(
        createTx(legacy as TypedTxData, { common: unprotected })
          .sign(SECRET_KEY)
          .serialize(),
      ),
      'not-replay-protected',
    );
  });

  it('when its nonce, gas limit or tip is out of range', () => {
    assert.equal(reasonOf(withField(1, new Uint8Array(8).fill(0xff))), 'nonce-too-high');
    assert.equal(reasonOf(withField(4, new Uint8Array(8).fill(0xff))), 'gas-limit-too-high');
    assert.equal(reasonOf(withField(2, Uint8Array.of(10))), 'tip-above-fee-cap');
  });

  it('when s is high (EIP-2), r is zero, or the signature has no signer', () => {
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const fields = fieldsOf(valid);
    const s = BigInt(bytesToPrefixedHex(fields[11] as Uint8Array));
    const parity = fields[9]?.length === 0 ? Uint8Array.of(1) : new Uint8Array(0);
    const highS = libraryHexToBytes(`0x${(order - s).toString(16).padStart(64, '0')}`);
    assert.equal(reasonOf(encode([...fields.slice(0, 9), parity, fields[10] as Uint8Array, highS])), 'invalid-signature');
    assert.equal(reasonOf(withField(10, new Uint8Array(0))), 'invalid-signature');
    assert.equal(reasonOf(withField(10, new Uint8Array(32).fill(0xff))), 'invalid-signature');
  });

  it('when a field is missing, superfluous, of the wrong length or not minimal', () => {
    const fields = fieldsOf(valid);
    assert.equal(reasonOf(encode(fields.slice(0, 11))), 'malformed');
    assert.equal(reasonOf(encode([...fields, new Uint8Array(0)])), 'malformed');
    assert.equal(reasonOf(withField(5, new Uint8Array(19).fill(1))), 'malformed');
    assert.equal(reasonOf(withField(1, Uint8Array.of(0, 1))), 'malformed');
    assert.equal(reasonOf(withField(9, Uint8Array.of(2))), 'malformed');
    assert.equal(reasonOf(withField(6, new Uint8Array(33).fill(1))), 'malformed');
    assert.equal(reasonOf(Uint8Array.of(...signed(valid).serialize(), 0)), 'malformed');
    assert.equal(reasonOf(new Uint8Array(0)), 'malformed');
    assert.equal(reasonOf(Uint8Array.of(0x80)), 'malformed');
  });

  it('when it is larger than 128 KiB', () => {
    const raw = signed({ ...valid, gasLimit: 10_000_000n, data: new Uint8Array(131_072) }).serialize();
    assert.equal(reasonOf(raw), 'too-large');
    assert.equal(reasonOf(signed({ ...valid, gasLimit: 10_000_000n, data: new Uint8Array(130_000) }).serialize()), 'accepted');
  });
});

function assertSame(
  ours: ParsedTransaction | Extract<ReturnType<typeof decodeTransaction>, { ok: true }>['value'],
  theirs: TypedTransaction,
): void {
  const prices =
    'maxFeePerGas' in theirs
      ? [theirs.maxFeePerGas, theirs.maxPriorityFeePerGas]
      : 'gasPrice' in theirs
        ? [theirs.gasPrice, theirs.gasPrice]
        : [];
  const signature = signatureOf(ours);
  const accessList = 'accessList' in theirs ? (theirs.accessList as readonly [Uint8Array, Uint8Array[]][]) : [];
  assert.deepEqual(
    [
      ours.type,
      bytesToHex(ours.hash),
      ours.nonce,
      ours.maxFeePerGasWei,
      ours.maxPriorityFeePerGasWei,
      BigInt(ours.gasLimit),
      ours.valueWei,
      signature.r,
      signature.s,
    ],
    [theirs.type, bytesToHex(theirs.hash()), theirs.nonce, ...prices, theirs.gasLimit, theirs.value, theirs.r, theirs.s],
  );
  assert.equal(ours.hashHex, bytesToHex(theirs.hash()));
  assert.equal(ours.to && bytesToHex(ours.to), theirs.to && bytesToHex(theirs.to.bytes));
  assert.equal(bytesToHex(ours.data), bytesToHex(theirs.data));
  assert.deepEqual(
    ours.accessList.map(({ address, storageKeys }) => [bytesToHex(address), storageKeys.map(bytesToHex)]),
    accessList.map(([address, storageKeys]) => [bytesToHex(address), storageKeys.map(bytesToHex)]),
  );
  if ('signingHash' in ours) assert.equal(bytesToHex(ours.signingHash), bytesToHex(theirs.getHashedMessageToSign()));
}

function mutate(raw: Uint8Array, place: number, byte: number, mutation: 'set' | 'insert' | 'remove' | 'cut'): Uint8Array {
  const at = place % raw.length;
  if (mutation === 'cut') return raw.slice(0, at);
  if (mutation === 'set') return raw.map((old, i) => (i === at ? byte : old));
  return mutation === 'insert'
    ? Uint8Array.of(...raw.slice(0, at), byte, ...raw.slice(at))
    : Uint8Array.of(...raw.slice(0, at), ...raw.slice(at + 1));
}
