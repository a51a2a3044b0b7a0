// What is charged and not mined: found by hash, in its order, and of what travels the lowest nonce of each sender, whatever comes and goes.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { addressOfPublicKey, decodeTransaction } from '../../src/core/protocol/decode-transaction.ts';
import type { Transaction } from '../../src/core/protocol/transaction.ts';
import { InFlight } from '../../src/runtime/in-flight.ts';
import { signTransfer } from '../../src/simulation/workload.ts';
import { crypto } from './signed-chain.ts';

const CHAIN_ID = 1_337;
const { secp256k1 } = crypto;
const [KEY, OTHER_KEY] = [new Uint8Array(32).fill(5), new Uint8Array(32).fill(6)];
const SENDER = addressOfPublicKey(secp256k1.publicKeyOf(KEY));
const OTHER = addressOfPublicKey(secp256k1.publicKeyOf(OTHER_KEY));

function transfer(secretKey: Uint8Array, nonce: bigint): Transaction {
  const decoded = decodeTransaction(
    signTransfer({ secretKey, nonce, to: SENDER, valueWei: 1n, chainId: CHAIN_ID }, secp256k1),
    secp256k1,
    CHAIN_ID,
  );
  assert.ok(decoded.ok);
  return decoded.value;
}

describe('transactions in flight', () => {
  before(() => initialiseKeccak());

  it('are found by hash until they are mined, and tell the lowest nonce of their sender', () => {
    const inFlight = new InFlight();
    assert.equal(inFlight.lowestNonceOf(SENDER), undefined);
    const transactions = [7n, 5n, 6n].map((nonce) => transfer(KEY, nonce));
    const others = transfer(OTHER_KEY, 1n);
    for (const transaction of [...transactions, others]) inFlight.add(transaction);
    assert.equal(inFlight.lowestNonceOf(SENDER), undefined, 'none of them travels');
    for (const transaction of [...transactions, others]) inFlight.travels(transaction);
    inFlight.add(transactions[0] as Transaction);
    assert.equal(inFlight.size, 4);
    assert.deepEqual(inFlight.first(2), transactions.slice(0, 2));
    assert.deepEqual(inFlight.first(9), [...transactions, others]);
    assert.equal(inFlight.lowestNonceOf(SENDER), 5n);
    assert.equal(inFlight.lowestNonceOf(OTHER), 1n);
    const { hashHex } = transactions[1] as Transaction;
    assert.equal(inFlight.get(hashHex), transactions[1]);
    inFlight.remove(hashHex);
    assert.equal(inFlight.get(hashHex), undefined);
    assert.equal(inFlight.lowestNonceOf(SENDER), 6n);
    inFlight.add(transactions[1] as Transaction);
    assert.equal(inFlight.lowestNonceOf(SENDER), 6n, 'it may stay where it is now');
    inFlight.travels(transactions[1] as Transaction);
    assert.equal(inFlight.lowestNonceOf(SENDER), 5n);
    for (const transaction of transactions) inFlight.remove(transaction.hashHex);
    assert.equal(inFlight.lowestNonceOf(SENDER), undefined);
    assert.equal(inFlight.lowestNonceOf(OTHER), 1n);
  });

  it('say which of those that are mined together were the lowest of their senders', () => {
    const inFlight = new InFlight();
    const [fifth, sixth, seventh, foreign] = [transfer(KEY, 5n), transfer(KEY, 6n), transfer(KEY, 7n), transfer(OTHER_KEY, 1n)];
    assert.deepEqual(inFlight.lowestAmong([fifth]), []);
    for (const transaction of [fifth, sixth, seventh, foreign]) inFlight.add(transaction);
    for (const transaction of [fifth, sixth]) inFlight.travels(transaction);
    assert.deepEqual(inFlight.lowestAmong([seventh, foreign, sixth]), []);
    assert.deepEqual(inFlight.lowestAmong([seventh, sixth, foreign, fifth]), [{ sender: SENDER, nonce: 5n }]);
    inFlight.remove(fifth.hashHex);
    assert.deepEqual(inFlight.lowestAmong([seventh, sixth]), [{ sender: SENDER, nonce: 6n }]);
  });
});
