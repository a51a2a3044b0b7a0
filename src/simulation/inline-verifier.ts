// The production verifier of signatures without threads: everything on this one, in the order of the calls.
import { BatchingSignatureVerifier } from '../runtime/signature-verifier.ts';
import { ThreadWorkerPool } from '../runtime/worker-pool.ts';
import type { WorldCrypto } from './world.ts';

/** A verifier; `schedule` says when a batch is checked, after what is being done now when absent. */
export function inlineVerifier(crypto: WorldCrypto, schedule: (run: () => void) => void = queueMicrotask): BatchingSignatureVerifier {
  const pool = new ThreadWorkerPool({
    size: 0,
    tasksMax: 1,
    entry: new URL('../runtime/signature-verifier-worker.ts', import.meta.url),
    workerData: undefined,
    runInline: () => {
      throw new Error('a pool of no workers gets no task');
    },
  });
  return new BatchingSignatureVerifier({ crypto, pool, schedule });
}
