import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import type { RequestPayload } from '../../src/core/consensus/effects.ts';
import type { Payload } from '../../src/core/consensus/events.ts';
import { vrfAlphaOf } from '../../src/core/consensus/leader.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { addressOfPublicKey } from '../../src/core/protocol/decode-transaction.ts';
import type { Transaction } from '../../src/core/protocol/transaction.ts';
import { PayloadMaker } from '../../src/runtime/payload-maker.ts';
import type { ExecutedShardBlockOutcome, ShardBlockOutcome } from '../../src/runtime/shard-block-logic.ts';
import { createShardPayloads, type TransactionSource, type Urgency } from '../../src/runtime/shard-payloads.ts';
import type { Signer } from '../../src/runtime/signer.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { signTransfer } from '../../src/simulation/workload.ts';
import { createSignedChain, crypto, type MadeBlock, type SignedChain, START_MS } from './signed-chain.ts';

const SENDER_KEY = new Uint8Array(32).fill(5);
const SENDER = addressOfPublicKey(crypto.secp256k1.publicKeyOf(SENDER_KEY));

/** Gives what it is told, and says so when it comes. */
class Waiting implements TransactionSource {
  transactions: readonly Transaction[] = [];
  #listener: () => void = () => undefined;

  isFull = false;

  hasWaiting(): boolean {
    return this.transactions.length > 0;
  }

  hasFullBlock(): boolean {
    return this.isFull;
  }

  take(): readonly Transaction[] {
    return this.transactions;
  }

  onWaiting(listener: () => void): void {
    this.#listener = listener;
  }

  onCommitted(): void {
    this.transactions = [];
  }

  onVoid(transactions: readonly Transaction[]): void {
    this.transactions = transactions;
  }

  come(transactions: readonly Transaction[]): void {
    this.transactions = transactions;
    this.#listener();
  }
}

describe('the maker of payloads', () => {
  let chain: SignedChain;
  let clock: VirtualClock;
  let source: Waiting;
  let maker: PayloadMaker<ShardBlockOutcome, ExecutedShardBlockOutcome>;
  let transfer: Transaction;
  /** What else than transactions asks for a block: how urgent it is, how often that was looked at, and who is told of news. */
  let urgent: { level: Urgency; asked: number; tell: () => void };

  before(() => initialiseKeccak());

  beforeEach(async () => {
    chain = await createSignedChain([SENDER]);
    clock = new VirtualClock(START_MS);
    source = new Waiting();
    urgent = { level: 'none', asked: 0, tell: () => undefined };
    const signer = chain.signers[0] as Signer;
    maker = new PayloadMaker({
      blocks: chain.blocks,
      source: createShardPayloads<ShardBlockOutcome>({
        parameters: chain.genesis.parameters,
        blocks: chain.blocks,
        transactions: source,
        clock,
        urgencyOn: () => {
          urgent.asked++;
          return urgent.level;
        },
        onUrgency: (listener) => {
          urgent.tell = listener;
        },
        contentOn: (parent, transactions, nowMs) => chain.contentOn(parent, transactions, nowMs),
      }),
      signer,
      clock,
    });
    const { evmChainId } = chain.genesis.parameters;
    const raw = signTransfer({ secretKey: SENDER_KEY, nonce: 0n, to: SENDER, valueWei: 1n, chainId: evmChainId }, crypto.secp256k1);
    const [decoded] = await chain.directory.decode([raw]);
    assert.ok(decoded?.ok);
    transfer = decoded.value;
  });

  function requestOn(
    round: number,
    parent: Pick<MadeBlock, 'hash' | 'point'> = { hash: chain.start.hash, point: chain.start },
  ): RequestPayload {
    const vrfAlpha = vrfAlphaOf(chain.instance, parent.point.seed, round);
    return { kind: 'request-payload', parentHash: parent.hash, height: parent.point.height + 1, round, isCarrier: false, vrfAlpha };
  }

  /** Asks, and notes when the payload came. */
  function ask(request: RequestPayload): { payload: Payload | undefined; atMs: number | undefined } {
    const result: { payload: Payload | undefined; atMs: number | undefined } = { payload: undefined, atMs: undefined };
    maker.make(request).then(
      (payload) => {
        result.payload = payload;
        result.atMs = clock.nowMs();
      },
      (fault: unknown) => assert.fail(String(fault)),
    );
    return result;
  }

  /** The second block of an idle chain, and the time of its making. */
  async function secondBlock(): Promise<{ readonly parent: MadeBlock; readonly madeMs: number }> {
    const first = await chain.extend(chain.start, { round: 1 });
    const parent = await chain.extend(first.point, { round: 2 });
    const madeMs = parent.proposal.header.timestampMs;
    await clock.run(madeMs);
    return { parent, madeMs };
  }

  it('does not wait for the first two blocks of a chain, and waits for the idle interval after them where there is nothing to include', async () => {
    const { idleIntervalMs, blockIntervalMsMin } = chain.genesis.parameters;
    const first = ask(requestOn(1));
    await clock.run(START_MS + blockIntervalMsMin);
    assert.equal(first.atMs, START_MS + blockIntervalMsMin);
    const { parent, madeMs } = await secondBlock();
    const asked = ask(requestOn(3, parent));
    await clock.run(madeMs + idleIntervalMs - 1);
    assert.equal(asked.atMs, undefined);
    await clock.run(madeMs + 2 * idleIntervalMs);
    assert.equal(asked.atMs, madeMs + idleIntervalMs);
    assert.equal(asked.payload?.timestampMs, madeMs + idleIntervalMs);
  });

  it('wakes when a transaction comes', async () => {
    const { parent, madeMs } = await secondBlock();
    const asked = ask(requestOn(3, parent));
    await clock.run(madeMs + 300);
    assert.equal(asked.atMs, undefined);
    source.come([transfer]);
    await clock.run(madeMs + 301);
    assert.ok(asked.payload !== undefined);
    assert.equal(asked.payload.gasBought, 21_000);
    const kept = maker.payloadOf(asked.payload.bodyRoot);
    assert.deepEqual(kept?.transactions, [transfer]);
    assert.deepEqual(kept?.body.transactions, [transfer.raw]);
  });

  it('never makes a block before its earliest time', async () => {
    source.transactions = [transfer];
    const asked = ask(requestOn(1));
    const earliestMs = START_MS + chain.genesis.parameters.blockIntervalMsMin;
    await clock.run(earliestMs - 1);
    assert.equal(asked.atMs, undefined);
    await clock.run(earliestMs + 5);
    assert.equal(asked.atMs, earliestMs);
  });

  it('does not wait on a parent with transactions, whose results only a following block makes final', async () => {
    const parent = await chain.extend(chain.start, { round: 1, transactions: [transfer] });
    await clock.run(parent.proposal.header.timestampMs);
    const asked = ask(requestOn(2, parent));
    await clock.run(parent.proposal.header.timestampMs + chain.genesis.parameters.blockIntervalMsMin);
    assert.ok(asked.payload !== undefined);
  });

  for (const { tookMs, afterMs } of [
    { tookMs: 40, afterMs: 80 },
    { tookMs: 150, afterMs: 300 },
    { tookMs: 300, afterMs: 400 },
    { tookMs: 900, afterMs: 900 },
  ]) {
    it(`lets ${afterMs} ms lie between blocks with transactions where a block takes ${tookMs} ms`, async () => {
      const parent = await chain.extend(chain.start, { round: 1, transactions: [transfer] });
      const { timestampMs } = parent.proposal.header;
      source.transactions = [transfer];
      await clock.run(timestampMs + tookMs);
      const asked = ask(requestOn(2, parent));
      await clock.run(timestampMs + 2_000);
      assert.equal(asked.atMs, timestampMs + afterMs);
    });
  }

  it('does not wait when a full block of transactions does', async () => {
    const parent = await chain.extend(chain.start, { round: 1, transactions: [transfer] });
    const { timestampMs } = parent.proposal.header;
    source.transactions = [transfer];
    source.isFull = true;
    await clock.run(timestampMs + 150);
    const asked = ask(requestOn(2, parent));
    await clock.run(timestampMs + 2_000);
    assert.equal(asked.atMs, timestampMs + 150);
  });

  it('ends its wait when a transaction fills the block, and only then', async () => {
    const parent = await chain.extend(chain.start, { round: 1, transactions: [transfer] });
    const { timestampMs } = parent.proposal.header;
    source.transactions = [transfer];
    await clock.run(timestampMs + 150);
    const asked = ask(requestOn(2, parent));
    await clock.run(timestampMs + 200);
    source.come([transfer]);
    await clock.run(timestampMs + 220);
    assert.equal(asked.atMs, undefined);
    source.isFull = true;
    source.come([transfer]);
    await clock.run(timestampMs + 2_000);
    assert.equal(asked.atMs, timestampMs + 220);
  });

  it('ends its wait when something else becomes urgent, and does not look at that for each transaction', async () => {
    const parent = await chain.extend(chain.start, { round: 1, transactions: [transfer] });
    const { timestampMs } = parent.proposal.header;
    source.transactions = [transfer];
    await clock.run(timestampMs + 150);
    const asked = ask(requestOn(2, parent));
    await clock.run(timestampMs + 200);
    const askedBefore = urgent.asked;
    for (let count = 0; count < 100; count++) source.come([transfer]);
    assert.equal(urgent.asked, askedBefore);
    urgent.tell();
    await clock.run(timestampMs + 220);
    assert.equal(asked.atMs, undefined);
    urgent.level = 'at-once';
    urgent.tell();
    await clock.run(timestampMs + 2_000);
    assert.equal(asked.atMs, timestampMs + 220);
  });

  it('gives nothing for a request that another one has replaced', async () => {
    const [early, late] = [ask(requestOn(1)), ask(requestOn(2))];
    await clock.run(START_MS + 5_000);
    assert.notEqual(early.atMs, undefined, 'its wait ended');
    assert.equal(early.payload, undefined);
    assert.ok(late.payload !== undefined);
  });

  it('ends every wait when it stops', async () => {
    const asked = ask(requestOn(1));
    await clock.run(START_MS + 10);
    maker.stop();
    await clock.run(START_MS + 20);
    assert.notEqual(asked.atMs, undefined);
    assert.equal(asked.payload, undefined);
  });

  it('keeps few payloads', async () => {
    const roots: Uint8Array[] = [];
    const transactions = await Promise.all(
      Array.from({ length: 10 }, async (_unused, index) => {
        const { evmChainId } = chain.genesis.parameters;
        const raw = signTransfer(
          { secretKey: SENDER_KEY, nonce: 0n, to: SENDER, valueWei: BigInt(index), chainId: evmChainId },
          crypto.secp256k1,
        );
        const [decoded] = await chain.directory.decode([raw]);
        assert.ok(decoded?.ok);
        return decoded.value;
      }),
    );
    for (const [index, transaction] of transactions.entries()) {
      source.transactions = [transaction];
      const asked = ask(requestOn(index + 1));
      await clock.run(clock.nowMs() + 400);
      assert.ok(asked.payload !== undefined);
      roots.push(asked.payload.bodyRoot);
    }
    assert.equal(maker.payloadOf(roots[0] as Uint8Array), undefined);
    assert.ok(maker.payloadOf(roots[9] as Uint8Array) !== undefined);
  });
});
