// The pool: who enters, who is replaced, what a block takes, what leaves, and that no bound is ever exceeded.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Mempool } from '../../../src/core/mempool/pool.ts';
import type { TakeInput } from '../../../src/core/mempool/take-order.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import type { Account } from '../../../src/core/state/account.ts';
import { ETHER, GWEI, makeAccount, makeTransaction, parameters, type TransactionChoice } from './transaction-fixture.ts';

const SEED = 20_261_121;
const BASE_FEE = 100_000_000n;
const NONE: ReadonlySet<string> = new Set();

const admitted = (pool: Mempool, choice: TransactionChoice, account: Account | undefined = makeAccount()): Transaction => {
  const transaction = makeTransaction(choice);
  const verdict = pool.admit(transaction, account);
  assert.ok(verdict.ok, verdict.ok ? '' : `${verdict.reason} ${verdict.detail}`);
  return transaction;
};

const refused = (pool: Mempool, choice: TransactionChoice, account: Account | undefined = makeAccount()): string => {
  const before = pool.size;
  const verdict = pool.admit(makeTransaction(choice), account);
  assert.deepEqual(pool.size, before, 'nothing is stored on refusal');
  return verdict.ok ? 'admitted' : `${verdict.reason}: ${verdict.detail}`;
};

const take = (pool: Mempool, input: Partial<TakeInput> = {}): Transaction[] =>
  pool.take({
    room: { gasLimit: 16_000_000, bytesMax: 1_048_576, countMax: 2_048 },
    accountOf: () => makeAccount(),
    baseFeePerGasWei: BASE_FEE,
    inFlight: NONE,
    ...input,
  });

describe('the mempool refuses', () => {
  it('what it knows already', () => {
    const pool = new Mempool(parameters);
    const known = admitted(pool, {});
    const again = pool.admit(known, makeAccount());
    assert.equal(again.ok ? '' : again.reason, 'already-known');
  });

  it('what cannot be in a block, in the words of geth', () => {
    const pool = new Mempool(parameters);
    assert.match(refused(pool, { nonce: 2 }, makeAccount(5n)), /^nonce-too-low: next nonce 5, tx nonce 2$/);
    assert.match(refused(pool, { gasLimit: 20_999 }), /^intrinsic-gas-too-low/);
    assert.match(refused(pool, { gasLimit: 8_000_001 }), /^gas-limit-too-high/);
    assert.match(refused(pool, { tipWei: 2n * GWEI, feeWei: GWEI }), /^tip-above-fee-cap/);
    assert.match(refused(pool, { feeWei: 99_999_999n, tipWei: 0n }), /^fee-below-minimum/);
    assert.match(refused(pool, { bytes: 131_073 }), /^too-large/);
    assert.match(refused(pool, {}, makeAccount(0n, ETHER, new Uint8Array(32))), /^sender-has-code/);
    assert.match(
      refused(pool, { valueWei: ETHER }),
      /^insufficient-funds: balance 1000000000000000000, tx cost \d+, overshot 210000000000000$/,
    );
    assert.match(refused(pool, {}, makeAccount(0n, 0n)), /^insufficient-funds: balance 0/);
  });

  it('what the sender cannot pay beside all that waits', () => {
    const pool = new Mempool(parameters);
    admitted(pool, { nonce: 0, valueWei: ETHER / 2n });
    assert.match(refused(pool, { nonce: 1, valueWei: ETHER / 2n }), /^insufficient-funds: .*queued cost/);
    admitted(pool, { nonce: 1, valueWei: ETHER / 4n });
  });

  it('a replacement that does not raise both prices by a tenth', () => {
    const pool = new Mempool(parameters);
    const before = admitted(pool, { tipWei: 100n, feeWei: 10n * GWEI });
    assert.match(refused(pool, { tipWei: 109n, feeWei: 11n * GWEI }), /^replacement-underpriced/);
    assert.match(refused(pool, { tipWei: 110n, feeWei: 11n * GWEI - 1n }), /^replacement-underpriced/);
    const after = admitted(pool, { tipWei: 110n, feeWei: 11n * GWEI });
    assert.equal(pool.get(before.hashHex), undefined);
    assert.equal(pool.get(after.hashHex), after);
    assert.equal(pool.size.transactions, 1);
  });

  it('more of one sender than its bound, but lets a gap be filled at the cost of the last', () => {
    const pool = new Mempool({ ...parameters, mempoolTransactionsPerSenderMax: 3 });
    for (const nonce of [0, 2, 3]) admitted(pool, { nonce });
    assert.match(refused(pool, { nonce: 4 }), /^sender-queue-full/);
    admitted(pool, { nonce: 1 });
    assert.deepEqual(pool.status(), { pending: 3, queued: 0 });
  });
});

describe('transactions with a gap before them', () => {
  it('wait as queued, and become pending when the gap is filled', () => {
    const pool = new Mempool(parameters);
    const third = makeTransaction({ nonce: 2 });
    const queued = pool.admit(third, makeAccount());
    assert.deepEqual(queued.ok && queued.value.becamePending, []);
    admitted(pool, { nonce: 0 });
    assert.deepEqual(pool.status(), { pending: 1, queued: 1 });
    assert.equal(pool.pendingNonce(third.senderHex, 0n), 1n);
    const second = makeTransaction({ nonce: 1 });
    const filled = pool.admit(second, makeAccount());
    assert.deepEqual(filled.ok && filled.value.becamePending, [second, third]);
    assert.equal(pool.pendingNonce(third.senderHex, 0n), 3n);
    assert.deepEqual(pool.contentFrom(third.senderHex).pending.length, 3);
  });
});

describe('a block takes', () => {
  it('the best tips first, and each sender in the order of nonces', () => {
    const pool = new Mempool(parameters);
    const a0 = admitted(pool, { sender: 1, nonce: 0, tipWei: GWEI });
    const a1 = admitted(pool, { sender: 1, nonce: 1, tipWei: 5n * GWEI });
    const b0 = admitted(pool, { sender: 2, nonce: 0, tipWei: 3n * GWEI });
    const c0 = admitted(pool, { sender: 3, nonce: 0, tipWei: 9n * GWEI, feeWei: 9n * GWEI });
    assert.deepEqual(take(pool), [c0, b0, a0, a1]);
    assert.equal(pool.size.transactions, 4, 'taking removes nothing');
  });

  it('no more than its gas, bytes and count', () => {
    const pool = new Mempool(parameters);
    for (let sender = 1; sender <= 10; sender++) admitted(pool, { sender, gasLimit: 100_000, bytes: 1_000 });
    assert.equal(take(pool, { room: { gasLimit: 350_000, bytesMax: 1e6, countMax: 100 } }).length, 3);
    assert.equal(take(pool, { room: { gasLimit: 1e7, bytesMax: 4_015, countMax: 100 } }).length, 3);
    assert.equal(take(pool, { room: { gasLimit: 1e7, bytesMax: 1e6, countMax: 7 } }).length, 7);
  });

  it('nothing below the base fee, and nothing behind such a transaction', () => {
    const pool = new Mempool(parameters);
    admitted(pool, { nonce: 0, feeWei: GWEI, tipWei: 0n });
    admitted(pool, { nonce: 1, feeWei: 50n * GWEI });
    assert.deepEqual(take(pool, { baseFeePerGasWei: 2n * GWEI }), []);
  });

  it('only what the balance in the parent state covers', () => {
    const pool = new Mempool(parameters);
    const first = admitted(pool, { nonce: 0, valueWei: ETHER / 3n });
    admitted(pool, { nonce: 1, valueWei: ETHER / 3n });
    assert.deepEqual(take(pool, { accountOf: () => makeAccount(0n, ETHER / 2n) }), [first]);
  });

  it('from the nonce in the parent state on, past what is in flight', () => {
    const pool = new Mempool(parameters);
    const [zero, one, two] = [0, 1, 2].map((nonce) => admitted(pool, { nonce }));
    const accountOf = () => makeAccount(1n);
    assert.deepEqual(take(pool, { accountOf }), [one, two]);
    assert.deepEqual(take(pool, { accountOf, inFlight: new Set([zero?.hashHex ?? '']) }), [one, two]);
    assert.deepEqual(take(pool, { accountOf: () => makeAccount(9n) }), []);
  });
});

describe('what was proposed', () => {
  it('stays until it is committed, so that a leader change loses nothing', () => {
    const pool = new Mempool(parameters);
    const first = admitted(pool, { nonce: 0 });
    const second = admitted(pool, { nonce: 1 });
    assert.deepEqual(take(pool), [first, second]);
    assert.deepEqual(take(pool), [first, second]);
    pool.onBlock([first], BASE_FEE);
    assert.equal(pool.get(first.hashHex), undefined);
    assert.deepEqual(take(pool, { accountOf: () => makeAccount(1n) }), [second]);
  });

  it('comes back when the block with it is void, before what waits behind it', () => {
    const pool = new Mempool(parameters);
    const [first, second, third] = [0, 1, 2].map((nonce) => admitted(pool, { nonce })) as [Transaction, Transaction, Transaction];
    pool.onBlock([first, second], BASE_FEE);
    assert.deepEqual(take(pool, { accountOf: () => makeAccount(2n) }), [third]);
    pool.onVoid([first, second], () => makeAccount(), BASE_FEE);
    assert.deepEqual(take(pool), [first, second, third]);
    assert.deepEqual(pool.status(), { pending: 3, queued: 0 });
    // What was replaced meanwhile stays replaced, and what is no longer valid stays out.
    pool.onBlock([first], BASE_FEE);
    pool.onVoid([first], () => makeAccount(1n), BASE_FEE);
    assert.deepEqual(take(pool, { accountOf: () => makeAccount(1n) }), [second, third]);
  });

  it('goes when another transaction of its nonce is committed', () => {
    const pool = new Mempool(parameters);
    admitted(pool, { nonce: 0 });
    pool.onBlock([makeTransaction({ nonce: 0 })], BASE_FEE);
    assert.deepEqual(pool.size, { transactions: 0, bytes: 0, gas: 0 });
  });
});

describe('a full pool', () => {
  const small = { ...parameters, mempoolTransactionsMax: 4 };

  it('drops the cheapest for a better one, and refuses a cheaper', () => {
    const pool = new Mempool(small);
    const cheapest = admitted(pool, { sender: 1, tipWei: 10n });
    for (const sender of [2, 3, 4]) admitted(pool, { sender, tipWei: 100n });
    assert.match(refused(pool, { sender: 5, tipWei: 5n }), /^pool-full/);
    admitted(pool, { sender: 5, tipWei: 50n });
    assert.equal(pool.get(cheapest.hashHex), undefined);
    assert.equal(pool.size.transactions, 4);
  });

  it('drops what waits behind a gap first, however well it pays', () => {
    const pool = new Mempool(small);
    const gapped = admitted(pool, { sender: 1, nonce: 5, tipWei: 10n * GWEI });
    for (const sender of [2, 3, 4]) admitted(pool, { sender, tipWei: 100n });
    admitted(pool, { sender: 5, tipWei: 1n });
    assert.equal(pool.get(gapped.hashHex), undefined);
    assert.match(refused(pool, { sender: 6, nonce: 1, tipWei: GWEI }), /^pool-full/);
  });

  it('is bounded in bytes too', () => {
    const pool = new Mempool({ ...parameters, mempoolBytesMax: 200_000 });
    for (let sender = 1; sender <= 9; sender++)
      pool.admit(makeTransaction({ sender, bytes: 60_000, tipWei: BigInt(sender) }), makeAccount());
    assert.ok(pool.size.bytes <= 200_000);
    assert.equal(pool.size.transactions, 3);
  });
});

describe('whatever happens', () => {
  it('bounds hold, bytes add up, nonces of a block ascend without a gap and within the balance', () => {
    const bounds = { ...parameters, mempoolTransactionsMax: 20, mempoolBytesMax: 4_000, mempoolTransactionsPerSenderMax: 6 };
    const choice = fc.record({
      sender: fc.integer({ min: 1, max: 6 }),
      nonce: fc.integer({ min: 0, max: 9 }),
      tipWei: fc.bigInt(0n, 40n),
      feeWei: fc.bigInt(BASE_FEE, BASE_FEE * 3n),
      valueWei: fc.bigInt(0n, ETHER / 4n),
      bytes: fc.integer({ min: 100, max: 400 }),
    });
    const step = fc.oneof({ weight: 5, arbitrary: choice }, { weight: 1, arbitrary: fc.constant('block' as const) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
        const pool = new Mempool(bounds);
        const nonces = new Map<string, bigint>();
        const accountOf = (senderHex: string) => makeAccount(nonces.get(senderHex) ?? 0n);
        for (const each of steps) {
          if (each === 'block') {
            const baseFeePerGasWei = BASE_FEE * 2n;
            const accountAt = (sender: Uint8Array) => accountOf(Buffer.from(sender).toString('hex'));
            const taken = take(pool, { accountOf: accountAt, baseFeePerGasWei, room: { gasLimit: 210_000, bytesMax: 2_000, countMax: 8 } });
            for (const { senderHex, nonce, maxFeePerGasWei } of taken) {
              assert.ok(maxFeePerGasWei >= baseFeePerGasWei);
              assert.equal(nonce, nonces.get(senderHex) ?? 0n);
              nonces.set(senderHex, nonce + 1n);
            }
            pool.onBlock(taken, baseFeePerGasWei);
          } else {
            const transaction = makeTransaction(each);
            pool.admit(transaction, accountOf(transaction.senderHex));
          }
          assertConsistent(pool, bounds);
        }
      }),
      { seed: SEED, numRuns: 150 },
    );
  });

  it('sixteen thousand transactions give a block of 760 within milliseconds', () => {
    const pool = new Mempool(parameters);
    for (let i = 0; i < 16_384; i++)
      admitted(pool, { sender: (i % 2_048) + 1, nonce: Math.floor(i / 2_048), tipWei: BigInt((i * 7_919) % 9_973) });
    take(pool);
    for (let warm = 0; warm < 20; warm++) take(pool);
    const started = performance.now();
    assert.equal(take(pool).length, 761);
    const elapsedMs = performance.now() - started;
    assert.ok(elapsedMs < 100, `${elapsedMs} ms`); // About 2 ms; the bound leaves room for a busy machine.
  });
});

function assertConsistent(pool: Mempool, bounds: typeof parameters): void {
  const { pending, queued } = pool.content();
  const all = [...pending.values(), ...queued.values()].flat();
  assert.equal(all.length, pool.size.transactions);
  assert.deepEqual(pool.status(), { pending: [...pending.values()].flat().length, queued: [...queued.values()].flat().length });
  assert.equal(
    all.reduce((sum, { raw }) => sum + raw.length, 0),
    pool.size.bytes,
  );
  assert.ok(all.length <= bounds.mempoolTransactionsMax && pool.size.bytes <= bounds.mempoolBytesMax);
  for (const senderHex of new Set([...pending.keys(), ...queued.keys()])) {
    const entries = [...(pending.get(senderHex) ?? []), ...(queued.get(senderHex) ?? [])];
    assert.ok(entries.length <= bounds.mempoolTransactionsPerSenderMax);
    assert.ok(entries.every(({ nonce }, i) => i === 0 || nonce > (entries[i - 1]?.nonce ?? 0n)));
  }
}
