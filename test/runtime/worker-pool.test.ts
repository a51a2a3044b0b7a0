import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isError } from '../../src/core/primitives/errors.ts';
import { ThreadWorkerPool } from '../../src/runtime/worker-pool.ts';
import { FAIL, HANG, QUIT } from './worker-pool-tasks.ts';

const ENTRY = new URL('./worker-pool-entry.ts', import.meta.url);

function poolOf(size: number, tasksMax = 100): ThreadWorkerPool {
  const runInline = (task: Uint8Array): Uint8Array => {
    if (task[0] === FAIL) throw new Error('as asked');
    return task.toReversed();
  };
  return new ThreadWorkerPool({ size, tasksMax, entry: ENTRY, workerData: undefined, runInline });
}

function task(...bytes: readonly number[]): Uint8Array {
  return Uint8Array.from(bytes);
}

for (const size of [0, 2]) {
  describe(`a pool of ${size} threads`, () => {
    it('answers every task with its own result', async () => {
      await using pool = disposable(poolOf(size));
      const results = await Promise.all([1, 2, 3, 4, 5].map((first) => pool.run(task(first, 9))));
      assert.deepEqual(
        results,
        [1, 2, 3, 4, 5].map((first) => task(9, first)),
      );
      assert.equal(pool.taskCount, 0);
    });

    it('does not run a task within the call that asks for it', async () => {
      await using pool = disposable(poolOf(size));
      let isAnswered = false;
      const answered = pool.run(task(1)).then(() => {
        isAnswered = true;
      });
      assert.equal(isAnswered, false);
      assert.equal(pool.taskCount, 1);
      await answered;
    });

    it('fails a task that throws, and goes on', async () => {
      await using pool = disposable(poolOf(size));
      await assert.rejects(
        pool.run(task(FAIL)),
        (error) => isError(error, 'worker-pool/task-failed') && /as asked/.test(error.facts.reason),
      );
      assert.deepEqual(await pool.run(task(1, 2)), task(2, 1));
    });

    it('refuses tasks above its bound until others are done', async () => {
      await using pool = disposable(poolOf(size, 3));
      const taken = [1, 2, 3].map((first) => pool.run(task(first)));
      await assert.rejects(pool.run(task(4)), (error) => isError(error, 'worker-pool/full') && error.facts.tasksMax === 3);
      await Promise.all(taken);
      assert.deepEqual(await pool.run(task(4)), task(4));
    });

    it('refuses tasks once closed', async () => {
      const pool = poolOf(size);
      await pool.close();
      await assert.rejects(pool.run(task(1)), (error) => isError(error, 'worker-pool/closed'));
    });
  });
}

describe('a pool of threads', () => {
  it('fails the task of a thread that dies, and replaces the thread', async () => {
    await using pool = disposable(poolOf(1));
    const [lost, next] = [pool.run(task(QUIT)), pool.run(task(1, 2))];
    await assert.rejects(lost, (error) => isError(error, 'worker-pool/worker-lost'));
    assert.deepEqual(await next, task(2, 1));
  });

  it('gives up on threads that die again and again', async () => {
    const broken = new ThreadWorkerPool({
      size: 1,
      tasksMax: 100,
      entry: new URL('data:text/javascript,process.exit(1)'),
      workerData: undefined,
      runInline: (bytes) => bytes,
    });
    await using pool = disposable(broken);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => pool.run(task(1))));
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected' && isError(outcome.reason, 'worker-pool/worker-lost'));
    }
    await assert.rejects(pool.run(task(1)), (error) => isError(error, 'worker-pool/worker-lost') && error.facts.replacementsLeft === 0);
  });

  it('fails what runs and what waits when it is closed', async () => {
    const pool = poolOf(1);
    const outcomes = Promise.allSettled([pool.run(task(HANG)), pool.run(task(1))]);
    await pool.close();
    for (const outcome of await outcomes) {
      assert.ok(outcome.status === 'rejected' && isError(outcome.reason, 'worker-pool/closed'));
    }
  });
});

function disposable(pool: ThreadWorkerPool): ThreadWorkerPool & AsyncDisposable {
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.close() });
}
