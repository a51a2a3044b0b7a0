import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { commitmentOfRecord } from '../../../src/core/execution/commitment.ts';
import type { DecodedBlock } from '../../../src/core/execution/executed-block.ts';
import { bytesToHex, hexToBytes } from '../../../src/core/primitives/bytes.ts';
import { type BlockHeader, blockHashOf, bodyRootOf, EMPTY_BODY } from '../../../src/core/protocol/block.ts';
import { addressOfPublicKey, parseTransaction, withSender } from '../../../src/core/protocol/decode-transaction.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { buildPayload } from '../../../src/core/shard/build-block.ts';
import type { ParentFacts } from '../../../src/core/shard/parent-facts.ts';
import { type BlockRefusal, type ValidationInput, validateBlock } from '../../../src/core/shard/validate-block.ts';
import { readPreset } from '../../../src/node/genesis-file.ts';
import { selectCrypto } from '../../../src/runtime/native/select-crypto.ts';
import { signTransfer } from '../../../src/simulation/workload.ts';
import { MemoryState } from '../execution/memory-state.ts';

const parameters = readPreset('devnet');
const { secp256k1 } = selectCrypto({ disableNative: false });
const KEY = new Uint8Array(32).fill(3);
const SENDER = addressOfPublicKey(secp256k1.publicKeyOf(KEY));
const BALANCE_WEI = 10n ** 18n;
const PARENT: ParentFacts = {
  hash: sha256(Uint8Array.of(1)),
  height: 41,
  timestampMs: 1_700_000_000_000,
  baseFeePerGasWei: parameters.baseFeePerGasWeiMin,
  hasItems: false,
};
const PARENT_EXECUTION = commitmentOfRecord(sha256(Uint8Array.of(2)));

function transfer(nonce: bigint, valueWei = 1n, chainId = parameters.evmChainId): Transaction {
  const raw = signTransfer({ secretKey: KEY, nonce, to: SENDER, valueWei, chainId }, secp256k1);
  const parsed = parseTransaction(raw, chainId);
  assert.ok(parsed.ok);
  return withSender(parsed.value, SENDER);
}

/** A valid block, after what a test does to it. */
function inputWith(
  transactions: readonly Transaction[],
  wrong: (header: BlockHeader) => Partial<BlockHeader> = () => ({}),
): ValidationInput {
  const { body, ...payload } = buildPayload({
    parent: PARENT,
    parentExecution: PARENT_EXECUTION,
    transactions,
    nowMs: PARENT.timestampMs + 500,
    parameters,
  });
  const right: BlockHeader = {
    ...payload,
    instanceId: sha256(),
    height: PARENT.height + 1,
    round: 60,
    parentHash: PARENT.hash,
    justify: [],
    timeoutCertificate: [],
    proposer: 0,
    vrfProof: new Uint8Array(80),
  };
  const header = { ...right, ...wrong(right) };
  const hash = blockHashOf(header);
  const block: DecodedBlock = { hash, hashHex: bytesToHex(hash), header, body, transactions };
  const parentState = MemoryState.of([{ address: SENDER, balanceWei: BALANCE_WEI }]);
  return { block, parent: PARENT, parentExecution: PARENT_EXECUTION, parentState, parameters };
}

function reasonOf(input: ValidationInput): BlockRefusal | undefined {
  const verdict = validateBlock(input);
  return verdict.ok ? undefined : verdict.reason;
}

describe('static validation of a block', () => {
  before(() => initialiseKeccak());

  it('passes what the builder builds', () => {
    assert.equal(reasonOf(inputWith([])), undefined);
    assert.equal(reasonOf(inputWith([transfer(0n), transfer(1n)])), undefined);
  });

  const other = new Uint8Array(32).fill(7);
  const wrongHeaders: readonly [BlockRefusal, (header: BlockHeader) => Partial<BlockHeader>][] = [
    ['wrong-parent', () => ({ parentHash: other })],
    ['wrong-height', ({ height }) => ({ height: height + 1 })],
    ['wrong-height', ({ height }) => ({ height: height - 1 })],
    ['timestamp-too-early', () => ({ timestampMs: PARENT.timestampMs + parameters.blockIntervalMsMin - 1 })],
    ['wrong-beacon-reference', ({ beaconReference }) => ({ beaconReference: { ...beaconReference, height: 40 } })],
    ['wrong-beacon-reference', ({ beaconReference }) => ({ beaconReference: { ...beaconReference, hash: other } })],
    ['wrong-parent-execution', ({ parentExecution }) => ({ parentExecution: { ...parentExecution, stateRoot: other } })],
    ['wrong-body-root', () => ({ bodyRoot: other })],
    ['wrong-post-state-root', () => ({ postStateRoot: other })],
    ['wrong-gas-bought', ({ gasBought }) => ({ gasBought: gasBought - 1 })],
    ['wrong-base-fee', ({ baseFeePerGasWei }) => ({ baseFeePerGasWei: baseFeePerGasWei + 1n })],
  ];
  for (const [reason, wrong] of wrongHeaders) {
    it(`refuses with ${reason}: ${wrong.toString().replace(/^.*=> /s, '')}`, () => {
      assert.equal(reasonOf(inputWith([transfer(0n)], wrong)), reason);
    });
  }

  for (const part of ['inbox', 'bundleIndexes', 'pointerProofs', 'crosslinks', 'evidence'] as const) {
    it(`refuses ${part} while there is one shard`, () => {
      const input = inputWith([]);
      const body = { ...EMPTY_BODY, [part]: [Uint8Array.of(1)] };
      const header = { ...input.block.header, bodyRoot: bodyRootOf(body, []) };
      assert.equal(reasonOf({ ...input, block: { ...input.block, header, body } }), 'body-part-not-permitted');
    });
  }

  it('refuses a body that is too large, by one byte', () => {
    const input = inputWith([transfer(0n)]);
    const lists = Object.keys(EMPTY_BODY).length;
    const bytes = 4 * lists + 4 + (input.block.transactions[0]?.raw.length ?? 0);
    assert.equal(reasonOf({ ...input, parameters: { ...parameters, bodyBytesMax: bytes } }), undefined);
    assert.equal(reasonOf({ ...input, parameters: { ...parameters, bodyBytesMax: bytes - 1 } }), 'body-too-large');
  });

  it('refuses more gas than a block has, by one unit', () => {
    const tight = { ...parameters, blockGasLimit: 42_000 };
    const input = inputWith([transfer(0n), transfer(1n)]);
    // The base fee depends on the limit as well, and is looked at later: too much gas is the first thing that is wrong.
    assert.notEqual(reasonOf({ ...input, parameters: tight }), 'too-much-gas');
    assert.equal(reasonOf({ ...input, parameters: { ...tight, blockGasLimit: 41_999 } }), 'too-much-gas');
  });

  const wrongTransactions: readonly [BlockRefusal, string, () => readonly Transaction[]][] = [
    ['invalid-transaction', 'of another chain', () => [transfer(0n, 1n, parameters.evmChainId + 1)]],
    ['not-executable', 'with a nonce that was used', () => [transfer(0n), transfer(0n)]],
    ['not-executable', 'with a gap before its nonce', () => [transfer(1n)]],
    ['not-executable', 'that its sender cannot pay', () => [transfer(0n, BALANCE_WEI)]],
    [
      'not-executable',
      'that together take more than the sender has',
      () => [transfer(0n, BALANCE_WEI / 2n), transfer(1n, BALANCE_WEI / 2n)],
    ],
    ['not-executable', 'of an account that is not there', () => [{ ...transfer(0n), sender: new Uint8Array(20) }]],
    [
      'not-executable',
      'that would spend what the block itself credits',
      () => [transfer(0n, BALANCE_WEI - 10n ** 16n), transfer(1n, BALANCE_WEI / 2n)],
    ],
  ];
  for (const [reason, what, transactions] of wrongTransactions) {
    it(`refuses transactions ${what}`, () => assert.equal(reasonOf(inputWith(transactions())), reason));
  }

  it('refuses a sender with code', () => {
    const input = inputWith([transfer(0n)]);
    const parentState = MemoryState.of([{ address: SENDER, balanceWei: BALANCE_WEI, code: hexToBytes('00') ?? new Uint8Array(1) }]);
    assert.equal(reasonOf({ ...input, parentState }), 'not-executable');
  });

  it('refuses a transaction that pays less than the base fee', () => {
    const input = inputWith([transfer(0n)]);
    const parent = { ...PARENT, baseFeePerGasWei: 10n ** 12n };
    const { baseFeePerGasWei } = buildPayload({
      parent,
      parentExecution: PARENT_EXECUTION,
      transactions: input.block.transactions,
      nowMs: input.block.header.timestampMs,
      parameters,
    });
    const block = { ...input.block, header: { ...input.block.header, baseFeePerGasWei } };
    assert.equal(reasonOf({ ...input, block, parent }), 'not-executable');
  });
});
