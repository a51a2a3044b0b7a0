// A shard that is not the whole state: what it takes in, what it gives out, and what transactions between shards pay.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ExecuteBlockInput } from '../../../src/core/execution/execute-block.ts';
import { bytesEqual, ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import type { Address } from '../../../src/core/primitives/ids.ts';
import { assemble } from './assembler.ts';
import { addressOf, BASE_FEE_WEI, ETHER, GWEI, runBlock, transactionOf } from './block-setup.ts';
import { MemoryState } from './memory-state.ts';

const [ALICE, BOB, CAROL, VAULT] = [addressOf('alice'), addressOf('bob'), addressOf('carol'), addressOf('vault')];
const ROOT = new Uint8Array(32).fill(7);

const state = MemoryState.of([
  { address: ALICE, balanceWei: ETHER },
  { address: BOB, balanceWei: ETHER },
]);

/** A shard that has these families, and no other. */
function shardOf(...families: readonly Address[]): Partial<ExecuteBlockInput> {
  return { isOwnFamily: (family) => families.some((own) => bytesEqual(own, family)), outboxRootOf: () => ROOT };
}

describe('a block of a shard', () => {
  it('gives out what is for families of others, and does not execute it', async () => {
    const body = [BOB, CAROL].map((to, nonce) => transactionOf({ sender: ALICE, to, nonce: BigInt(nonce), valueWei: 5n }));
    const result = await runBlock(state, body, shardOf(ALICE, BOB));
    assert.deepEqual([result.messages.length, result.outbox.length], [1, 1]);
    assert.deepEqual(result.outbox[0]?.target, CAROL);
    assert.deepEqual(result.outboxRoot, ROOT);
    assert.equal(result.proposerFeesWei, (21_000n * GWEI * 3n) / 2n, 'half of the priority fee goes with the main call');
  });

  it('has the root of no bundles where it gives nothing out', async () => {
    const result = await runBlock(state, [transactionOf({ sender: ALICE, to: BOB })], shardOf(ALICE, BOB));
    assert.deepEqual([result.outbox.length, result.outboxRoot], [0, ZERO_32]);
  });

  it('takes its inbox in as wave 0, before its own transactions, with the fee that travelled', async () => {
    const { outbox } = await runBlock(state, [transactionOf({ sender: ALICE, to: CAROL, valueWei: 5n })], shardOf(ALICE));
    const there = MemoryState.of([{ address: BOB, balanceWei: ETHER }]);
    const body = [transactionOf({ sender: BOB, to: CAROL, valueWei: 1n, maxPriorityFeePerGasWei: 0n })];
    const result = await runBlock(there, body, { ...shardOf(BOB, CAROL), inbox: outbox });
    assert.deepEqual(
      result.messages.map(({ message, wave }) => [message.sender, wave]),
      [
        [ALICE, 0],
        [BOB, 1],
      ],
    );
    assert.equal(there.after(result.changeSet).balance(CAROL), 6n);
    assert.equal(result.proposerFeesWei, (21_000n * GWEI) / 2n);
    assert.equal(result.gasUsed, 21_000, 'what came in was bought elsewhere');
  });

  it('gives out what its inbox and its transactions cause, in the order of emission', async () => {
    const code = assemble(0, 0, 0, 0, 3, CAROL, 'GAS', 'CALL');
    const vaults = MemoryState.of([
      { address: VAULT, family: BOB, nonce: 1n, code, balanceWei: ETHER },
      { address: BOB, balanceWei: ETHER },
    ]);
    const call = { to: VAULT, gasLimit: 200_000 };
    const { outbox } = await runBlock(state, [transactionOf({ sender: ALICE, ...call })], shardOf(ALICE));
    const inbox = outbox.map((message) => ({ ...message, targetFamily: BOB }));
    const body = [transactionOf({ sender: BOB, to: CAROL, valueWei: 1n }), transactionOf({ sender: BOB, nonce: 1n, ...call })];
    const result = await runBlock(vaults, body, { ...shardOf(BOB), inbox });
    assert.deepEqual(
      result.outbox.map(({ kind, originAddress }) => [kind, originAddress]),
      [
        ['value-send', ALICE],
        ['main-call', BOB],
        ['value-send', BOB],
      ],
    );
  });
});

describe('a transaction between two shards', () => {
  const transaction = transactionOf({ sender: ALICE, to: BOB, maxPriorityFeePerGasWei: GWEI, maxFeePerGasWei: 3n * GWEI });
  const paying = (targetBaseFeeWei: bigint) => runBlock(state, [transaction], { targetBaseFeeOf: () => targetBaseFeeWei });

  it('pays the higher of the two base fees, which is burned', async () => {
    const dear = await paying(GWEI);
    assert.deepEqual([dear.senderParts[0]?.baseFeePerGasWei, dear.senderParts[0]?.effectiveGasPriceWei], [GWEI, 2n * GWEI]);
    assert.equal(dear.burnedFeesWei, 21_000n * GWEI);
    assert.equal(dear.messages[0]?.message.baseFeePerGasWei, GWEI, 'and it is what BASEFEE gives there');
    const cheap = await paying(1n);
    assert.equal(cheap.burnedFeesWei, 21_000n * BASE_FEE_WEI);
  });

  it('never costs more than it offers', async () => {
    const dear = await paying((5n * GWEI) / 2n);
    assert.equal(dear.senderParts[0]?.effectiveGasPriceWei, 3n * GWEI);
    await assert.rejects(paying(4n * GWEI), /invariant broken/);
  });
});
