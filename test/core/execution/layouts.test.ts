// Layout independence (protocol, section 1, property 6): the same items under layouts of one to four shards, and on a second interpreter,
// which has neither waves nor shards.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import type { MessageResult } from '../../../src/core/protocol/message.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { runBlock } from './block-setup.ts';
import { isConcurrent, isInShard, LAYOUTS, type Settled, settleFreely, settleInStep, settleOneByOne } from './layouts.ts';
import { PlainChain } from './plain-chain.ts';
import { FAMILIES, type RandomBlock, randomBlock, talkativeBlock } from './random-blocks.ts';

const RUNS = 150;
/** Share of random transactions whose messages are never under way to one family at once. */
const COMPARED_MIN = 0.2;
/** Share of transactions whose main call sends messages or creates: no workload is mostly of what stays in one family. */
const TELLING_MIN = 0.3;
const layout = fc.constantFrom(...LAYOUTS);

/** How many of the transactions' main calls sent something to other families. */
function countTelling(transactions: readonly Transaction[], results: readonly MessageResult[]): number {
  const hashes = new Set(transactions.map(({ hashHex }) => hashHex));
  const mainCalls = results.filter(({ message }) => hashes.has(bytesToHex(message.emitterId)));
  return new Set(mainCalls.filter(({ emitted }) => emitted.length > 0).map(({ message }) => bytesToHex(message.emitterId))).size;
}

function byId(results: readonly MessageResult[]): unknown {
  return results
    .map((result): [string, unknown] => [`${bytesToHex(result.message.id)}/${result.message.hop}`, { ...result, wave: 0 }])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function assertSame(one: Pick<Settled, 'state' | 'results' | 'feesWei'>, other: Settled): void {
  assert.deepEqual(byId(other.results), byId(one.results));
  assert.deepEqual(other.state.contents(), one.state.contents());
  assert.equal(other.feesWei, one.feesWei);
}

describe('a block', () => {
  it('has families in different shards of each layout', () => {
    for (const shards of LAYOUTS) {
      const places = new Set(FAMILIES.map((family) => shards.find((shard) => isInShard(family, shard))));
      assert.ok(places.size >= 2, `${shards}`);
    }
  });

  it('comes to the same when every message crosses between shards, in the same order', async (context) => {
    const kinds = new Map<string, number>();
    let [all, telling] = [0, 0];
    await fc.assert(
      fc.asyncProperty(talkativeBlock, layout, async ({ state, transactions }, shards) => {
        const whole = await runBlock(state, transactions);
        const split = await settleInStep(state, transactions, shards);
        assert.deepEqual(split.results, whole.messages);
        all += transactions.length;
        telling += countTelling(transactions, whole.messages);
        for (const { message, outcome } of split.results) {
          const kind = `${message.kind} ${outcome}`;
          kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        }
        assert.deepEqual(split.state.contents(), state.after(whole.changeSet).contents());
        assert.equal(split.feesWei, whole.burnedFeesWei + whole.proposerFeesWei);
      }),
      { numRuns: RUNS },
    );
    context.diagnostic(`${telling} of ${all} transactions send: ${[...kinds].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
    assert.ok(telling >= TELLING_MIN * all, `${telling} of ${all} transactions send`);
    for (const kind of ['call success', 'call forwarded', 'bounce success', 'pointer success', 'reply success'])
      assert.ok(kinds.has(kind), `the blocks are varied enough to have a ${kind}`);
  });
});

describe('the second interpreter of items', () => {
  /** Item by item in the order of the blocks, and everything that there is then. */
  async function assertFollowed({ state }: RandomBlock, settled: Settled): Promise<void> {
    const chain = new PlainChain(state);
    for (const block of settled.blocks) await chain.follow(block);
    assert.equal(chain.waiting.size, 0, 'all that was emitted was executed');
    assert.deepEqual(chain.state().contents(), settled.state.contents());
    assert.equal(chain.feesWei, settled.feesWei);
    assert.equal(chain.totalWei(), state.totalWei());
  }

  for (const [kind, blocks] of [
    ['any', randomBlock],
    ['talkative', talkativeBlock],
  ] as const) {
    it(`comes to what blocks of ${kind} contracts come to in one shard`, async () => {
      await fc.assert(
        fc.asyncProperty(blocks, async (block) => {
          const { state, transactions } = block;
          const result = await runBlock(state, transactions);
          const after = state.after(result.changeSet);
          const feesWei = result.burnedFeesWei + result.proposerFeesWei;
          await assertFollowed(block, { state: after, results: result.messages, feesWei, blocks: [{ transactions, result }] });
        }),
        { numRuns: RUNS },
      );
    });

    it(`comes to what blocks of ${kind} contracts come to in several shards`, async () => {
      await fc.assert(
        fc.asyncProperty(blocks, layout, async (block, shards) => {
          await assertFollowed(block, await settleFreely(block.state, block.transactions, shards));
        }),
        { numRuns: RUNS },
      );
    });
  }
});

describe('a workload that waits for all effects, none of them to one family at once', () => {
  it('ends in equal states under every layout, and in whatever order messages arrive', async (context) => {
    let [all, compared, telling] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(talkativeBlock, layout, fc.infiniteStream(fc.nat(1_000)), async ({ state, transactions }, shards, stream) => {
        let now = state;
        let nonces = new Map<string, bigint>();
        for (const drawn of transactions) {
          const transaction = { ...drawn, nonce: nonces.get(drawn.senderHex) ?? 1n };
          const { messages, changeSet, burnedFeesWei, proposerFeesWei } = await runBlock(now, [transaction]);
          all++;
          if (isConcurrent(messages)) continue;
          compared++;
          telling += countTelling([transaction], messages);
          const whole = { state: now.after(changeSet), results: messages, feesWei: burnedFeesWei + proposerFeesWei };
          assertSame(whole, await settleFreely(now, [transaction], shards));
          assertSame(whole, await settleOneByOne(now, transaction, (count) => stream.next().value % count));
          now = whole.state;
          nonces = new Map([...nonces, [drawn.senderHex, transaction.nonce + 1n]]);
        }
      }),
      { numRuns: RUNS },
    );
    context.diagnostic(`${compared} of ${all} transactions, of which ${telling} send`);
    assert.ok(telling >= TELLING_MIN * compared, `${telling} of ${compared} transactions send`);
    assert.ok(compared >= all * COMPARED_MIN, `${compared} of ${all}`);
  });
});
