// What is shown of executions that have to do with other shards, and how several make one block.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { messageIdOf } from '../../../src/core/messaging/message-id.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import type { Message } from '../../../src/core/protocol/message.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { joinExecutions } from '../../../src/core/view/derive-block.ts';
import {
  departedTransactions,
  type ExecutionToShow,
  isNothingShown,
  NOTHING_SHOWN,
  showExecution,
  withCharges,
} from '../../../src/core/view/shown-execution.ts';
import { genesisTotals, NOTHING_SENT, supplyOf, supplyTotalsAfter } from '../../../src/core/view/supply.ts';
import type { ViewTransaction } from '../../../src/core/view/view-block.ts';
import { execution, mainCall, plainResult, shown, transaction } from './executed-fixture.ts';

const INBOX_WAVE = 0;

function oneTransaction(seed = 1): Transaction {
  const [sample] = fc.sample(transaction, { numRuns: 1, seed });
  assert.ok(sample !== undefined);
  return sample;
}

function senderPartOf(one: Transaction): ExecutionToShow['senderParts'][number] {
  return { transaction: one, effectiveGasPriceWei: 9n, baseFeePerGasWei: 7n };
}

function pointerOf(cause: Message, index: number): Message {
  return { ...cause, kind: 'pointer', id: messageIdOf(cause.id, index), emitterId: cause.id, valueWei: 0n, travellingTipWei: 0n };
}

describe('a transaction whose main call runs in another shard', () => {
  before(initialiseKeccak);

  it('is not shown where it is charged, but kept, and what it took along is under way', () => {
    const one = oneTransaction();
    const call = { ...mainCall(one, 0), valueWei: 50n, travellingTipWei: 3n };
    const charged: ExecutionToShow = { senderParts: [senderPartOf(one)], messages: [], outbox: [call] };
    const execution = showExecution(charged);
    assert.deepEqual(execution, { ...NOTHING_SHOWN, sums: { ...NOTHING_SENT, sentValueWei: 50n, sentTipsWei: 3n } });
    assert.equal(isNothingShown(execution), false, 'the sums are to be kept');
    assert.deepEqual(
      departedTransactions(charged).map(({ transaction: departed }) => departed.hashHex),
      [one.hashHex],
    );
  });

  it('is kept also where it takes nothing along', () => {
    const one = oneTransaction();
    const call = { ...mainCall(one, 0), valueWei: 0n };
    assert.equal(departedTransactions({ senderParts: [senderPartOf(one)], messages: [], outbox: [call] }).length, 1);
  });

  it('is shown where its main call ran, at the price that it was charged, once both are there', () => {
    const one = oneTransaction();
    const call = { ...mainCall(one, 0), valueWei: 50n, travellingTipWei: 3n };
    const execution = showExecution({ senderParts: [], messages: [plainResult(call, INBOX_WAVE)], outbox: [] });
    assert.deepEqual(execution.transactions, [{ kind: 'elsewhere', transactionHash: one.hash }]);
    assert.deepEqual(execution.sums, { ...NOTHING_SENT, takenValueWei: 50n, takenTipsWei: 3n });
    const asked: string[] = [];
    const whole = withCharges(execution, (hash) => {
      asked.push(bytesToHex(hash));
      return senderPartOf(one);
    });
    assert.deepEqual(asked, [one.hashHex]);
    assert.deepEqual(whole.transactions, [{ kind: 'account', transaction: one }]);
    const [receipt] = whole.receipts;
    assert.deepEqual([receipt?.effectiveGasPriceWei, receipt?.gasUsed, receipt?.cumulativeGasUsed], [9n, one.gasLimit, one.gasLimit]);
    assert.deepEqual(departedTransactions({ senderParts: [], messages: [], outbox: [] }), []);
  });

  it('is not shown where it was only forwarded', () => {
    const call = mainCall(oneTransaction(), 0);
    const forwarded = { ...plainResult(call, INBOX_WAVE), outcome: 'forwarded' as const };
    const execution = showExecution({ senderParts: [], messages: [forwarded], outbox: [{ ...call, hop: 1 }] });
    assert.deepEqual([execution.transactions, execution.messages.length], [[], 1]);
    assert.equal(execution.sums.sentValueWei, execution.sums.takenValueWei);
  });
});

describe('a transaction whose contracts have pointers in other shards', () => {
  before(initialiseKeccak);

  it('is held back with its receipt and the number of these pointers', () => {
    const [first, second] = [oneTransaction(1), oneTransaction(2)];
    const [call, other] = [mainCall(first, 0), mainCall(second, 0)];
    const log = { address: new Uint8Array(20), topics: [], data: new Uint8Array(3) };
    const execution = showExecution({
      senderParts: [senderPartOf(first), senderPartOf(second)],
      messages: [{ ...plainResult(call, 1), logs: [log] }, plainResult(other, 1), plainResult(pointerOf(call, 1), 2)],
      outbox: [pointerOf(call, 2), pointerOf(call, 3), { ...pointerOf(call, 4), kind: 'value-send' }],
    });
    assert.deepEqual(
      execution.transactions.map((view) => view.kind === 'account' && view.transaction.hashHex),
      [second.hashHex],
    );
    assert.deepEqual(
      execution.messages.map(({ transactionIndex }) => transactionIndex),
      [undefined, 0, undefined],
    );
    const [held] = execution.held;
    assert.ok(held !== undefined && execution.held.length === 1);
    assert.deepEqual([held.pointerCount, held.mainCallId, held.transaction], [2, call.id, { kind: 'account', transaction: first }]);
    assert.deepEqual([held.receipt.logs, held.receipt.cumulativeGasUsed, held.receipt.firstLogIndex], [[log], first.gasLimit, 0]);
  });

  it('says of pointers that came from other shards whose they are', () => {
    const pointer = pointerOf(mainCall(oneTransaction(), 0), 1);
    const execution = showExecution({ senderParts: [], messages: [plainResult(pointer, INBOX_WAVE), plainResult(pointer, 2)] });
    assert.deepEqual(execution.pointed, [pointer.emitterId]);
  });
});

describe('executions of one block', () => {
  before(initialiseKeccak);

  it('count on from each other', () => {
    fc.assert(
      fc.property(fc.array(execution(5), { maxLength: 4 }), fc.array(execution(1), { maxLength: 2 }), (executed, others) => {
        const executions = [...executed, ...others].map(shown);
        const { transactions, receipts, messages } = joinExecutions(executions);
        assert.deepEqual(
          transactions,
          executions.flatMap((one) => one.transactions),
        );
        let [gas, logs] = [0, 0];
        for (const receipt of receipts) {
          gas += receipt.gasUsed;
          assert.deepEqual([receipt.cumulativeGasUsed, receipt.firstLogIndex], [gas, logs]);
          logs += receipt.logs.length;
        }
        assert.equal(
          messages.length,
          executions.reduce((sum, one) => sum + one.messages.length, 0),
        );
        for (const { id, transactionIndex, kind, originTransactionHash } of messages) {
          if (transactionIndex === undefined) continue;
          const view: ViewTransaction | undefined = transactions[transactionIndex];
          assert.ok(view !== undefined);
          if (view.kind === 'system') assert.deepEqual(view.transaction.sourceHash, id);
          else assert.deepEqual([kind, view.transaction.hash], ['main-call', originTransactionHash]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('the supply', () => {
  it('is where it was, plus what is under way: every term sums to genesis', () => {
    const wei = fc.bigInt({ min: 0n, max: 10n ** 24n });
    fc.assert(
      fc.property(fc.array(fc.tuple(wei, wei), { maxLength: 6 }), wei, wei, (sent, burnedWei, accruedRewardsWei) => {
        const supply = 10n ** 27n;
        const stakeWei = 10n ** 20n;
        let totals = genesisTotals(stakeWei);
        const beacon = { burnedWei, accruedRewardsWei, stakeWei };
        for (const [sentValueWei, sentTipsWei] of sent)
          totals = supplyTotalsAfter(totals, beacon, [{ ...NOTHING_SENT, sentValueWei, sentTipsWei }]);
        for (const [takenValueWei, takenTipsWei] of sent.slice(1))
          totals = supplyTotalsAfter(totals, beacon, [{ ...NOTHING_SENT, takenValueWei, takenTipsWei }]);
        assert.deepEqual([totals.undeliveredValueWei, totals.undeliveredPriorityFeesWei], [sent[0]?.[0] ?? 0n, sent[0]?.[1] ?? 0n]);
        const { genesisSupplyWei, issuedRewardsWei, balancesWei, ...others } = supplyOf(supply, totals);
        assert.equal(balancesWei + Object.values(others).reduce((sum, term) => sum + term, 0n), genesisSupplyWei + issuedRewardsWei);
      }),
      { numRuns: 60 },
    );
  });

  it('never has more arrive than was sent', () => {
    const taken = { ...NOTHING_SENT, takenValueWei: 1n };
    assert.throws(() => supplyTotalsAfter(genesisTotals(0n), genesisTotals(0n), [taken]), /no more arrives than was sent/);
  });
});
