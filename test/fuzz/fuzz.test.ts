// Every target with a fixed number of inputs, its corpus first. COPPICE_FUZZ_SEED gives other inputs; npm run fuzz many more.
//
// In threads: on every core, and because the test runner follows each promise of its own thread, which took a quarter of the time.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { after, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { FuzzAnswer, FuzzTask } from './fuzz-worker.ts';
import { TARGETS } from './registry.ts';

const THREADS_MAX = 4;
const seed = Number(process.env['COPPICE_FUZZ_SEED'] ?? 1);
const threads = Math.min(availableParallelism(), THREADS_MAX);

describe(`of any bytes (seed ${seed})`, { concurrency: threads }, () => {
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./fuzz-worker.ts', import.meta.url)));
  const idle = [...workers];
  after(async () => {
    // Told and not terminated: a thread tidies up behind itself when it ends.
    const gone = workers.map((worker) => once(worker, 'exit'));
    for (const worker of workers) worker.postMessage(undefined);
    await Promise.all(gone);
  });

  for (const { name } of TARGETS) {
    it(`${name} makes what it must`, async () => {
      const worker = idle.pop();
      assert.ok(worker !== undefined, 'a thread for each target under way');
      worker.postMessage({ target: name, seed } satisfies FuzzTask);
      const [answer] = (await once(worker, 'message')) as [FuzzAnswer];
      idle.push(worker);
      assert.ok(!('fault' in answer), 'fault' in answer ? answer.fault : '');
      assert.ok(answer.executions >= answer.executionsMin);
      assert.ok(answer.outcomes > 1, 'inputs fare differently');
    });
  }
});
