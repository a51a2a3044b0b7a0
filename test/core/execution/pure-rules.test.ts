// The small pure rules: base fee, intrinsic gas, static checks, addresses, receipts, commitment.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { EMPTY_CODE_HASH } from '../../../src/core/execution/account-value.ts';
import { nextBaseFee } from '../../../src/core/execution/base-fee.ts';
import { commitmentOf, commitmentOfRecord, NO_LANES } from '../../../src/core/execution/commitment.ts';
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import { dataFloorGas, intrinsicGas, minimumGasLimit } from '../../../src/core/execution/intrinsic-gas.ts';
import { ItemReceipt, itemReceiptOf, receiptHashOf, receiptsRootOf } from '../../../src/core/execution/item-receipt.ts';
import { checkAgainstAccount, checkTransactionShape } from '../../../src/core/execution/transaction-checks.ts';
import { messageIdOf } from '../../../src/core/messaging/message-id.ts';
import { bytesToHex, concatBytes, hex, ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import { ExecutionCommitment } from '../../../src/core/protocol/block.ts';
import { INITCODE_BYTES_MAX } from '../../../src/core/protocol/gas.ts';
import type { MessageResult } from '../../../src/core/protocol/message.ts';
import type { Account } from '../../../src/core/state/account.ts';
import { assemble } from './assembler.ts';
import { addressOf, ETHER, GWEI, PARAMETERS, runBlock, transactionOf } from './block-setup.ts';
import { MemoryState } from './memory-state.ts';

const ALICE = addressOf('alice');

describe('the base fee', () => {
  const parent = {
    baseFeePerGasWei: 8n * GWEI,
    baseFeePerGasWeiMin: GWEI / 10n,
    gasBought: 8_000_000,
    inboxGas: 0,
    backlog: 0,
    elapsedMs: 10_000,
    blockGasLimit: 16_000_000,
  };

  it('stays at the target, moves by an eighth at full or no load', () => {
    assert.equal(nextBaseFee(parent), 8n * GWEI);
    assert.equal(nextBaseFee({ ...parent, gasBought: 16_000_000 }), 9n * GWEI);
    assert.equal(nextBaseFee({ ...parent, gasBought: 0 }), 7n * GWEI);
  });

  it('moves in proportion to time for fast blocks', () => {
    assert.equal(nextBaseFee({ ...parent, gasBought: 16_000_000, elapsedMs: 50 }), 8n * GWEI + (8n * GWEI) / 1_000n);
    assert.equal(nextBaseFee({ ...parent, gasBought: 16_000_000, elapsedMs: 6_250 }), 9n * GWEI);
    assert.equal(nextBaseFee({ ...parent, gasBought: 16_000_000, elapsedMs: 6_251 }), 9n * GWEI);
  });

  it('counts inbox gas whole and backlog by an eighth', () => {
    assert.equal(nextBaseFee({ ...parent, gasBought: 0, inboxGas: 8_000_000 }), 8n * GWEI);
    assert.equal(nextBaseFee({ ...parent, gasBought: 0, backlog: 64_000_000 }), 8n * GWEI);
  });

  it('never falls below its floor', () => {
    assert.equal(nextBaseFee({ ...parent, baseFeePerGasWei: GWEI / 10n, gasBought: 0 }), GWEI / 10n);
  });
});

describe('intrinsic gas', () => {
  it('is Ethereum’s', () => {
    const call = { to: ALICE, data: new Uint8Array(0), accessList: [] };
    assert.equal(intrinsicGas(call), 21_000);
    assert.equal(intrinsicGas({ ...call, data: hex('0001') }), 21_020);
    assert.equal(intrinsicGas({ ...call, to: undefined, data: new Uint8Array(33) }), 53_000 + 132 + 4);
    assert.equal(intrinsicGas({ ...call, accessList: [{ address: ALICE, storageKeys: [ZERO_32, ZERO_32] }] }), 21_000 + 2_400 + 3_800);
  });

  it('has a floor for data (EIP-7623)', () => {
    const data = new Uint8Array(1_000).fill(1);
    assert.equal(dataFloorGas(data), 61_000);
    assert.equal(minimumGasLimit({ to: ALICE, data, accessList: [] }), 61_000);
  });
});

describe('static checks', () => {
  const good = transactionOf({ sender: ALICE, to: ALICE });
  const reasonOf = (fields: Partial<typeof good>): string => {
    const verdict = checkTransactionShape({ ...good, ...fields }, PARAMETERS);
    return verdict.ok ? 'ok' : verdict.reason;
  };

  it('name what is wrong whatever the state', () => {
    assert.equal(reasonOf({}), 'ok');
    assert.equal(reasonOf({ chainId: 1 }), 'wrong-chain-id');
    assert.equal(reasonOf({ raw: new Uint8Array(PARAMETERS.transactionBytesMax + 1) }), 'transaction-too-large');
    assert.equal(reasonOf({ maxPriorityFeePerGasWei: good.maxFeePerGasWei + 1n }), 'priority-above-max-fee');
    assert.equal(reasonOf({ nonce: 2n ** 64n - 1n }), 'nonce-at-maximum');
    assert.equal(reasonOf({ to: undefined, data: new Uint8Array(INITCODE_BYTES_MAX + 1), gasLimit: 8_000_000 }), 'initcode-too-large');
    assert.equal(reasonOf({ gasLimit: PARAMETERS.transactionGasLimitMax + 1 }), 'gas-limit-above-maximum');
    assert.equal(reasonOf({ gasLimit: PARAMETERS.transactionGasLimitMax }), 'ok');
    assert.equal(reasonOf({ gasLimit: 20_999 }), 'intrinsic-gas-too-low');
    assert.equal(reasonOf({ data: new Uint8Array(100).fill(1), gasLimit: 24_999 }), 'data-floor-gas-too-low');
  });

  it('reserve each sender’s funds and nonces through a body', () => {
    const account: Account = { nonce: 0n, balanceWei: ETHER, codeHash: EMPTY_CODE_HASH, storageRoot: ZERO_32, family: ALICE };
    const half = transactionOf({ sender: ALICE, to: ALICE, valueWei: ETHER / 2n - 21_000n * 2n * GWEI });
    const first = checkAgainstAccount(half, account, GWEI);
    assert.ok(first.ok);
    const second = checkAgainstAccount({ ...half, nonce: 1n }, account, GWEI, first.value);
    assert.ok(second.ok && second.value.reservedWei === ETHER);
    const reasons = [
      checkAgainstAccount(half, account, GWEI, first.value),
      checkAgainstAccount({ ...half, nonce: 2n }, account, GWEI, first.value),
      checkAgainstAccount({ ...half, nonce: 1n, valueWei: half.valueWei + 1n }, account, GWEI, first.value),
      checkAgainstAccount(half, { ...account, codeHash: sha256(hex('00')) }, GWEI),
      checkAgainstAccount(half, account, 3n * GWEI),
      checkAgainstAccount(half, undefined, GWEI),
    ].map((verdict) => (verdict.ok ? 'ok' : verdict.reason));
    assert.deepEqual(reasons, [
      'nonce-too-low',
      'nonce-too-high',
      'insufficient-funds',
      'sender-has-code',
      'max-fee-below-base-fee',
      'insufficient-funds',
    ]);
  });
});

describe('names', () => {
  it('of messages are SHA-256 of the emitter and a big-endian index', () => {
    assert.deepEqual(messageIdOf(ZERO_32, 258), sha256(concatBytes(ZERO_32, hex('00000102'))));
  });

  it('of contracts are Ethereum’s', () => {
    const creator = hex('6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0');
    assert.equal(bytesToHex(createdAddressOf(creator, 0n)), 'cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d');
    assert.equal(bytesToHex(createdAddressOf(creator, 1n)), '343c43a37d37dff08ae8c4a11544c718abb4fcf8');
    // EIP-1014, examples 1 and 3.
    assert.equal(
      bytesToHex(createdAddressOf(new Uint8Array(20), 0n, { salt: ZERO_32, initcode: hex('00') })),
      '4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38',
    );
  });
});

describe('what a header commits', () => {
  const result = (
    logs: MessageResult['logs'],
    emitted: MessageResult['emitted'],
    createdAddress: Uint8Array | undefined,
    gas: number,
  ): MessageResult =>
    ({
      message: { id: sha256(hex('07')) },
      outcome: 'success',
      logs,
      executionGasUsed: gas,
      createdAddress,
      returnData: ZERO_32,
      wave: 1,
      emitted,
    }) as unknown as MessageResult;

  it('hashes receipts by hand as SSZ would', () => {
    const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const log = fc.record({
      address: bytesOf(20),
      topics: fc.array(bytesOf(32), { maxLength: 4 }),
      data: fc.oneof(fc.uint8Array({ maxLength: 70 }), bytesOf(5_000)),
    });
    const created = fc.option(bytesOf(20), { nil: undefined });
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.array(log, { maxLength: 3 }),
        fc.array(bytesOf(32), { maxLength: 3 }),
        created,
        (gas, logs, emitted, createdAddress) => {
          const one = result(logs, emitted, createdAddress, gas);
          assert.deepEqual(receiptHashOf(one), sha256(ItemReceipt.serialize(itemReceiptOf(one))));
        },
      ),
    );
  });

  it('says what a block came to, and of a record nothing but its state', async () => {
    const block = await runBlock(MemoryState.of([{ address: ALICE, balanceWei: ETHER }]), [
      transactionOf({ sender: ALICE, to: addressOf('bob') }),
    ]);
    const commitment = commitmentOf(block, sha256(hex('01')), NO_LANES);
    assert.deepEqual(commitment.stateRoot, sha256(hex('01')));
    assert.deepEqual(
      [commitment.gasUsed, commitment.receiptsRoot, commitment.outboxRoot],
      [block.gasUsed, block.receiptsRoot, block.outboxRoot],
    );
    assert.deepEqual(ExecutionCommitment.deserialize(ExecutionCommitment.serialize(commitment)), commitment);
    const empty = commitmentOfRecord(ZERO_32);
    assert.deepEqual(empty.receiptsRoot, receiptsRootOf([]));
    assert.equal(empty.gasUsed, 0);
  });

  it('commits a bloom that has each address and topic', async () => {
    const code = assemble(0x77, 0, 0, 'LOG1');
    const contract = addressOf('contract');
    const state = MemoryState.of([
      { address: ALICE, balanceWei: ETHER },
      { address: contract, nonce: 1n, code },
    ]);
    const { logsBloom } = await runBlock(state, [transactionOf({ sender: ALICE, to: contract, gasLimit: 50_000 })]);
    assert.ok(logsBloom.reduce((bits, byte) => bits + byte.toString(2).replaceAll('0', '').length, 0) >= 4);
  });
});
