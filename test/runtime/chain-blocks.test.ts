// The blocks above the committed one: what is held of a block that comes in.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { addressOfPublicKey } from '../../src/core/protocol/decode-transaction.ts';
import { signTransfer } from '../../src/simulation/workload.ts';
import { createSignedChain, crypto } from './signed-chain.ts';

const KEY = new Uint8Array(32).fill(5);
const SENDER = addressOfPublicKey(crypto.secp256k1.publicKeyOf(KEY));

describe('the blocks above the committed one', () => {
  before(() => initialiseKeccak());

  it('hold the bytes of a transaction that was here before its block once', async () => {
    const chain = await createSignedChain([SENDER]);
    const { evmChainId } = chain.genesis.parameters;
    const raw = signTransfer({ secretKey: KEY, nonce: 0n, to: SENDER, valueWei: 1n, chainId: evmChainId }, crypto.secp256k1);
    const [decoded] = await chain.directory.decode([raw]);
    assert.ok(decoded?.ok);
    const { hash, proposal } = await chain.extend(chain.start, { round: 1, transactions: [decoded.value] });
    const { header, body } = proposal;
    chain.blocks.discard([hash]);
    const copied = { ...body, transactions: body.transactions.map((bytes) => bytes.slice()) };
    const added = await chain.blocks.add(hash, header, copied);
    assert.ok(added.ok);
    assert.equal(added.value.transactions[0], decoded.value);
    assert.equal(added.value.body.transactions[0], raw);
    assert.deepEqual(added.value.body, body);
  });
});
