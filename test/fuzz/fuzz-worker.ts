// A thread of fuzz.test.ts: fuzzes the targets that it is told to by name, one after the other, under a watch of its own, until it is told nothing.
import { parentPort } from 'node:worker_threads';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { invariant } from '../../src/core/primitives/errors.ts';
import { readCorpus } from './corpus.ts';
import { fuzz } from './engine.ts';
import { TARGETS } from './registry.ts';
import { startWatch } from './watchdog.ts';

/** What it is told. */
export interface FuzzTask {
  readonly target: string;
  readonly seed: number;
}

/** What it answers: what came of the target, or the fault that was found. */
export type FuzzAnswer =
  | { readonly outcomes: number; readonly executions: number; readonly executionsMin: number }
  | { readonly fault: string };

const watch = startWatch();
await initialiseKeccak();
parentPort?.on('message', async (task: FuzzTask | undefined) => {
  if (task !== undefined) return parentPort?.postMessage(await answer(task));
  await watch.stop();
  parentPort?.close();
});

async function answer({ target: name, seed }: FuzzTask): Promise<FuzzAnswer> {
  const target = TARGETS.find((each) => each.name === name);
  invariant(target !== undefined, 'the target is in the registry');
  const corpus = readCorpus(name);
  try {
    const { outcomes, executions } = await fuzz(target, { seed, corpus, executions: target.executions, watch });
    return { outcomes: outcomes.size, executions, executionsMin: target.executions + corpus.length };
  } catch (error) {
    return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
