// The loops of the load generator against a chain in memory: what they call latency, and that they do not end early without a word.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FinalityWatch, watchFinality } from '../../bench/devnet/finality-watch.ts';
import type { RpcClient } from '../../bench/devnet/json-rpc-client.ts';
import { drain, runClosed, runOpen, SourceRanOut, TransactionSource } from '../../bench/devnet/load-loops.ts';

const STALL_MS = 300;
const ANSWER_MS = 20;

/** A chain that makes each batch final at once, in a block of its own; the process stands still while it takes the first. */
function instantChain(stallMs: number): RpcClient {
  const blocks: string[][] = [[]];
  let listener: (number: number, hash: string) => void = () => undefined;
  return {
    url: 'memory',
    call: async (method, params) => {
      if (method === 'eth_blockNumber') return `0x${(blocks.length - 1).toString(16)}`;
      if (method === 'eth_getTransactionReceipt') return { status: '0x1' };
      return { transactions: blocks[Number(params[0])] };
    },
    callMany: async () => [],
    sendRaw: async (raws) => {
      const endMs = performance.now() + (blocks.length === 1 ? stallMs : 0);
      while (performance.now() < endMs); // As a collection of garbage would: nothing else of this process runs.
      blocks.push([...raws]);
      listener(blocks.length - 1, '0x');
      return raws.map(() => undefined);
    },
    onHead: async (heard) => {
      listener = heard;
      return () => undefined;
    },
    close: () => undefined,
  };
}

/**
 * A chain that makes transactions of one sender final in their order, those of a batch at once, so that what follows a missing one waits. Of every transaction whose
 * place is in `lost`, the first that comes is refused for want of room, or taken and dropped, in turn.
 */
function forgetfulChain(lost: ReadonlySet<number>): RpcClient {
  const waiting = new Set<number>();
  const seen = new Set<number>();
  const blocks: string[][] = [[]];
  let next = 0;
  let listener: (number: number, hash: string) => void = () => undefined;
  const take = (place: number): string | undefined => {
    if (place < next || waiting.has(place)) return place < next ? 'nonce too low: it is final' : 'already known';
    const isFirst = !seen.has(place);
    seen.add(place);
    if (isFirst && lost.has(place)) return place % 2 === 0 ? 'txpool is full' : undefined;
    waiting.add(place);
    return undefined;
  };
  return {
    ...instantChain(0),
    call: async (method, params) => {
      if (method === 'eth_blockNumber') return `0x${(blocks.length - 1).toString(16)}`;
      if (method === 'eth_getTransactionReceipt') return { status: '0x1' };
      return { transactions: blocks[Number(params[0])] };
    },
    sendRaw: async (raws) => {
      const errors = raws.map((raw) => take(Number(raw.slice(2))));
      // Or the loop would use up any number of transactions.
      await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
      const block: string[] = [];
      for (; waiting.delete(next); next++) block.push(`0x${next}`);
      blocks.push(block);
      listener(blocks.length - 1, '0x');
      return errors;
    },
    onHead: async (heard) => {
      listener = heard;
      return () => undefined;
    },
  };
}

const sourceOf = (count: number): TransactionSource =>
  new TransactionSource(Array.from({ length: count }, (_unused, i) => ({ raw: `0x${i}`, hash: `0x${i}` }) as const));

async function untilAllFinal(watch: FinalityWatch): Promise<void> {
  const deadlineMs = performance.now() + 5_000;
  while (watch.waiting() > 0 && performance.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(watch.waiting(), 0);
}

describe('the open loop', () => {
  it('counts from when a transaction was due: a generator that stands still does not hide what users would have waited', async () => {
    const entry = instantChain(STALL_MS);
    const watch = await watchFinality(entry, entry);
    await runOpen({ entry, watch }, sourceOf(500), 500, 1);
    await untilAllFinal(watch);
    const { latenciesMs } = watch.takeWindow();
    assert.equal(latenciesMs.length, 500);
    // 150 were due while it stood still, evenly over the 300 ms: a third of those waited 200 ms and more.
    const long = latenciesMs.filter((latencyMs) => latencyMs >= STALL_MS / 3).length;
    assert.ok(long >= 90, `${long} of 500 waited ${STALL_MS / 3} ms and more`);
    assert.ok((latenciesMs.at(0) ?? -1) >= 0, 'nothing is sent before it is due');
  });
});

describe('the closed loop', () => {
  it('sends again what a node had no room for or has dropped, since all that follows of its sender waits for it', async () => {
    const entry = forgetfulChain(new Set([250, 401, 777]));
    const watch = await watchFinality(entry, entry);
    const source = sourceOf(100_000);
    const resendMs = 50;
    await runClosed({ entry, watch }, source, 500, 1, resendMs);
    assert.equal(await drain({ entry, watch }, source, resendMs), 0);
    assert.ok(watch.takeWindow().latenciesMs.length > 1_500, 'it goes on behind each of them');
    assert.deepEqual([...source.refusals], [['txpool is full', 1]]);
    assert.ok(source.resent >= 3, `${source.resent} were sent again`);
  });
});

describe('a loop whose prepared transactions run out', () => {
  it('fails, and says what to do', async () => {
    const entry = instantChain(0);
    for (const run of [runClosed, runOpen]) {
      const watch = await watchFinality(entry, entry);
      await assert.rejects(run({ entry, watch }, sourceOf(300), 1_000, 5), (error: unknown) => {
        assert.ok(error instanceof SourceRanOut);
        assert.match(error.message, /all 300 prepared transactions .* --prepared/);
        return true;
      });
    }
  });
});
