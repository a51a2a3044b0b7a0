// The loops of the load generator against a chain in memory: what they call latency, and that they do not end early without a word.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FinalityWatch, watchFinality } from '../../bench/devnet/finality-watch.ts';
import type { RpcClient } from '../../bench/devnet/json-rpc-client.ts';
import { runClosed, runOpen, SourceRanOut, TransactionSource } from '../../bench/devnet/load-loops.ts';

const STALL_MS = 300;

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
