// What a leader builds is valid, whatever it is offered; it is the same each time; and of the beacon it depends on the view alone.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import type { BeaconView } from '../../../src/core/shard/beacon-view.ts';
import { buildShardBlock } from '../../../src/core/shard/build-shard-block.ts';
import { inboxGasOf } from '../../../src/core/shard/shard-load.ts';
import { type ShardBlockInput, validateShardBlock } from '../../../src/core/shard/validate-shard-block.ts';
import { GWEI, PARAMETERS, transactionOf } from '../execution/block-setup.ts';
import {
  buildInput,
  call,
  FAR_CONTRACT,
  HELD,
  inputWith,
  NEAR_CONTRACT,
  NEIGHBOUR,
  NO_CONTRACT,
  OTHER,
  SENDER,
  STRANGER,
  transfer,
  viewWith,
  viewWithTerms,
} from './shard-setup.ts';

/** A verdict without its function, which is never equal. */
function verdictOf(input: ShardBlockInput): unknown {
  const verdict = validateShardBlock(input);
  if (!verdict.ok) return verdict;
  const { indexes: _function, ...inbox } = verdict.value.inbox;
  return { ...verdict.value, inbox };
}

// Offered with little regard to nonces, prices and places, as no mempool does.
const anyOffer: fc.Arbitrary<Transaction[]> = fc
  .array(
    fc.record({
      sender: fc.constantFrom(SENDER, SENDER, NEIGHBOUR, STRANGER),
      to: fc.constantFrom(undefined, NEIGHBOUR, STRANGER, FAR_CONTRACT, NEAR_CONTRACT, NO_CONTRACT),
      skipped: fc.constantFrom(0n, 0n, 0n, 0n, 0n, 1n),
      gasLimit: fc.oneof({ weight: 1, arbitrary: fc.constant(20_000) }, { weight: 9, arbitrary: fc.constantFrom(54_000, 60_000, 150_000) }),
      data: fc.constantFrom(new Uint8Array(0), Uint8Array.of(1, 2, 3, 4)),
      maxFeePerGasWei: fc.oneof(
        { weight: 1, arbitrary: fc.constant(GWEI / 20n) },
        { weight: 9, arbitrary: fc.constantFrom(GWEI, 4n * GWEI) },
      ),
      valueWei: fc.oneof({ weight: 1, arbitrary: fc.constant(10n ** 20n) }, { weight: 9, arbitrary: fc.constant(1n) }),
    }),
    { maxLength: 14 },
  )
  .map((offers) => {
    const nonces = new Map<Uint8Array, bigint>();
    return offers.map(({ skipped, ...fields }) => {
      const nonce = (nonces.get(fields.sender) ?? 0n) + skipped;
      nonces.set(fields.sender, nonce + 1n);
      return transactionOf({ ...fields, nonce, maxPriorityFeePerGasWei: 0n });
    });
  });

const tight = fc.record({
  blockGasLimit: fc.integer({ min: 100_000, max: 600_000 }),
  inboxGasShare: fc.integer({ min: 2_000, max: 90_000 }),
  bodyBytesMax: fc.integer({ min: 1_500, max: 12_000 }),
  inboxBytesShare: fc.integer({ min: 100, max: 1_400 }),
});

const anyView = fc
  .record({
    backlog: fc.integer({ min: 0, max: 240_000 }),
    baseFeePerGasWei: fc.constantFrom(0n, GWEI, 2n * GWEI),
    epoch: fc.constantFrom(3, 3, 3, 4),
  })
  .map(({ epoch, ...terms }) => ({ ...viewWithTerms(terms), epoch }));

describe('a leader', () => {
  before(() => initialiseKeccak());

  it('builds what is valid, whatever it is offered, and the same each time', () => {
    let included = 0;
    fc.assert(
      fc.property(anyOffer, tight, anyView, fc.boolean(), (transactions, limits, view, hasBundles) => {
        const change = { parameters: { ...PARAMETERS, ...limits }, view, held: hasBundles ? HELD : new Map() };
        const input = inputWith(transactions, change);
        const verdict = validateShardBlock(input);
        assert.ok(verdict.ok, verdict.ok ? '' : `${verdict.reason} ${verdict.detail}`);
        assert.deepEqual(verdictOf(input), verdictOf(input));
        const { body, transactions: taken, ...fields } = buildShardBlock(buildInput(transactions, change));
        assert.deepEqual([body, taken], [input.block.body, input.block.transactions]);
        assert.deepEqual(fields.baseFeePerGasWei, input.block.header.baseFeePerGasWei);
        included += taken.length;
      }),
      { numRuns: 60 },
    );
    assert.ok(included > 5, `${included} transactions in all`);
  });

  it('takes the inbox first, and of own transactions what fits beside it', () => {
    const parameters = { ...PARAMETERS, blockGasLimit: 3 * 21_000 };
    const offered = [0, 1, 2].map((nonce) => transfer(nonce));
    assert.equal(inputWith(offered, { parameters, held: new Map() }).block.transactions.length, 3);
    const { block } = inputWith(offered, { parameters });
    assert.equal(block.body.inbox.length, 4);
    assert.equal(block.transactions.length, 1, '24,000 of the gas are the inbox’s');
  });

  it('goes on with other senders where one’s next does not fit', () => {
    const from = (sender: Uint8Array, nonce: number, gasLimit = 21_000) => transfer(nonce, { sender, gasLimit });
    const parameters = { ...PARAMETERS, blockGasLimit: 60_000 };
    const offered = [from(SENDER, 0, 59_000), from(NEIGHBOUR, 0), from(SENDER, 1)];
    const { block } = inputWith(offered, { parameters });
    assert.deepEqual(block.transactions, [offered[1]]);
  });

  it('says no earlier time than it may', () => {
    const { parent } = buildInput();
    const earliest = parent.timestampMs + PARAMETERS.blockIntervalMsMin;
    assert.equal(inputWith([], { nowMs: 5 }).block.header.timestampMs, earliest);
    assert.equal(inputWith([], { nowMs: earliest + 7 }).block.header.timestampMs, earliest + 7);
  });
});

describe('of the beacon, a verdict depends on', () => {
  before(() => initialiseKeccak());
  const full = inputWith([transfer(0), call(1, FAR_CONTRACT)]);
  const withView = (change: Partial<BeaconView>): ShardBlockInput => ({ ...full, view: { ...full.view, ...change } });
  const other = sha256(Uint8Array.of(7));

  it('nothing that only execution sees', () => {
    for (const change of [{ timestampMs: 1 }, { seed: other }, { hashAt: () => undefined }, { worldRootOfEpoch: () => undefined }]) {
      assert.deepEqual(verdictOf(withView(change)), verdictOf(full));
    }
  });

  it('everything else in the view', () => {
    const [own, source] = full.view.lanes.sources;
    assert.ok(own !== undefined && source !== undefined);
    const changes: Partial<BeaconView>[] = [
      { height: 31 },
      { hash: other },
      { epoch: 4 },
      { worldRoot: other },
      { lanes: { sources: [own] } },
      { lanes: { sources: [own, { ...source, outboxes: source.outboxes.slice(1) }] } },
      { shards: viewWithTerms({ backlog: 8 * PARAMETERS.inboxGasShare }).shards },
      { shards: viewWithTerms({ baseFeePerGasWei: 3n * GWEI }).shards },
    ];
    for (const change of changes) assert.equal(validateShardBlock(withView(change)).ok, false);
  });

  it('and not the terms of shards that nothing goes to', () => {
    const own = inputWith([transfer(0, { to: NEIGHBOUR })]);
    const view = viewWithTerms({ backlog: 10 ** 9, baseFeePerGasWei: 10n ** 12n });
    assert.deepEqual(verdictOf({ ...own, view }), verdictOf(own));
  });

  it('an inbox that weighs as the lanes say', () => {
    const verdict = validateShardBlock(full);
    assert.ok(verdict.ok);
    assert.equal(inboxGasOf(verdict.value.inbox.messages), 24_000);
    assert.equal(viewWith().shards.get(OTHER)?.backlog, 0);
  });
});
