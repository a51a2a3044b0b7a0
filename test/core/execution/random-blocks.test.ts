// Properties of execution on random blocks: both loops agree, no wei is lost, and each family's items replayed alone give the same.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createOwnLoopExecutor } from '../../../src/core/execution/evm/own-loop-executor.ts';
import { executeMessage, type ItemEnvironment } from '../../../src/core/execution/execute-message.ts';
import type { BlockResult } from '../../../src/core/execution/executed-block.ts';
import { StateOverlay } from '../../../src/core/execution/state-overlay.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import type { Hex } from '../../../src/core/primitives/ids.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import type { StateReader } from '../../../src/core/state/state-reader.ts';
import { CONTEXT, PARAMETERS, runBlock } from './block-setup.ts';
import type { MemoryState } from './memory-state.ts';
import { randomBlock, talkativeBlock } from './random-blocks.ts';
import { createStockLoopExecutor } from './stock-loop-executor.ts';

const RUNS = 150;
const KINDS_MIN = 6;
const anyBlock = fc.oneof(randomBlock, talkativeBlock);

/** Shows one family of a state and nothing else. */
function onlyFamily(state: MemoryState, familyHex: Hex): StateReader {
  const isIt = (address: Uint8Array): boolean => bytesToHex(address) === familyHex;
  return {
    getAccount: (family, address) => (isIt(family) ? state.getAccount(family, address) : undefined),
    getPointer: (address) => (isIt(address) ? state.getPointer(address) : undefined),
    getStorage: (family, address, slot) => (isIt(family) ? state.getStorage(family, address, slot) : undefined),
    getCode: (codeHash) => state.getCode(codeHash),
  };
}

async function replayFamily(state: MemoryState, familyHex: Hex, transactions: readonly Transaction[], result: BlockResult): Promise<void> {
  const overlay = new StateOverlay(onlyFamily(state, familyHex));
  for (const { transaction, effectiveGasPriceWei } of result.senderParts) {
    if (transaction.senderHex !== familyHex) continue;
    const entry = overlay.account(overlay.family(transaction.sender), transaction.sender);
    const { nonce, balanceWei, codeHash } = entry.value as NonNullable<typeof entry.value>;
    const costWei = transaction.valueWei + effectiveGasPriceWei * BigInt(transaction.gasLimit);
    entry.value = { nonce: nonce + 1n, balanceWei: balanceWei - costWei, codeHash };
  }
  assert.ok(transactions.length >= result.senderParts.length);
  const environment: ItemEnvironment = {
    overlay,
    context: CONTEXT,
    executor: replayExecutor,
    gasLimitSeenByCode: PARAMETERS.transactionGasLimitMax,
  };
  for (const recorded of result.messages) {
    if (bytesToHex(recorded.message.targetFamily) !== familyHex) continue;
    const again = await executeMessage(environment, recorded.message, recorded.wave);
    assert.deepEqual(again.result, recorded);
  }
  const changes = overlay.changeSet();
  assert.deepEqual(
    changes.accounts,
    result.changeSet.accounts.filter(({ family }) => bytesToHex(family) === familyHex),
  );
  assert.deepEqual(
    changes.pointers,
    result.changeSet.pointers.filter(({ address }) => bytesToHex(address) === familyHex),
  );
}

const replayExecutor = createOwnLoopExecutor(PARAMETERS.evmChainId);

describe('random blocks', () => {
  const stock = createStockLoopExecutor(PARAMETERS.evmChainId);

  it('give the same on the own loop as on the library’s', async (context) => {
    const kinds = new Set<string>();
    await fc.assert(
      fc.asyncProperty(anyBlock, async ({ state, transactions }) => {
        const own = await runBlock(state, transactions);
        for (const { message, outcome } of own.messages) kinds.add(`${message.kind} ${outcome}`);
        assert.deepEqual(own, await runBlock(state, transactions, { evm: stock }));
      }),
      { numRuns: RUNS },
    );
    context.diagnostic([...kinds].sort().join(', '));
    assert.ok(kinds.size >= KINDS_MIN, 'the blocks are varied enough to tell');
  });

  it('neither lose nor make a wei, wave by wave', async () => {
    await fc.assert(
      fc.asyncProperty(anyBlock, async ({ state, transactions }) => {
        const result = await runBlock(state, transactions);
        assert.equal(state.after(result.changeSet).totalWei() + result.burnedFeesWei + result.proposerFeesWei, state.totalWei());
        for (const { message, emitted } of result.messages) {
          for (const id of emitted)
            assert.ok(
              result.messages.some((other) => bytesToHex(other.message.id) === bytesToHex(id)),
              `${message.kind} emitted what was executed`,
            );
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('give each family the same when its items are replayed alone', async () => {
    await fc.assert(
      fc.asyncProperty(anyBlock, async ({ state, transactions }) => {
        const result = await runBlock(state, transactions);
        const families = new Set(result.messages.map(({ message }) => bytesToHex(message.targetFamily)));
        for (const familyHex of families) await replayFamily(state, familyHex, transactions, result);
      }),
      { numRuns: RUNS },
    );
  });
});
