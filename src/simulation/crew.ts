// Processes that run schedules, one at a time each. A process that dies, hangs or says that the simulator failed ends the run with the seed
// that it had: a schedule without a verdict is nothing to pass over.
import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CoppiceError, invariant } from '../core/primitives/errors.ts';
import type { ScheduleJob } from './schedule-job.ts';
import type { WorkerAnswer } from './schedule-worker.ts';
import type { ScheduleResult } from './swarm.ts';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    'simulation/no-verdict': { seed: number; reason: string };
  }
}

/** A schedule of 64 nodes with real signatures takes some minutes; what takes longer hangs. */
const SCHEDULE_MS_MAX = 900_000;
/** MiB of memory for what has just been made, from the beginning: a quarter of a schedule's, most of which is of no use any more when it is full. */
const YOUNG_MEMORY_MIB = 64;
/** Every core has its worker: threads that collect beside it would only wait for each other. Together a fifth of the processor's time. */
export const MEMORY_OPTIONS: readonly string[] = [
  `--min-semi-space-size=${YOUNG_MEMORY_MIB}`,
  `--max-semi-space-size=${YOUNG_MEMORY_MIB}`,
  '--single-threaded-gc',
];

/** See the file's head. */
export class Crew {
  readonly #idle: ChildProcess[] = [];
  readonly #all = new Set<ChildProcess>();

  /** Starts the processes, which take about a second before their first schedule. */
  constructor(size: number) {
    invariant(size >= 1, 'a crew has a worker');
    const entry = fileURLToPath(new URL(`./schedule-worker${extname(import.meta.filename)}`, import.meta.url));
    const execArgv = [...process.execArgv, ...MEMORY_OPTIONS];
    for (let count = 0; count < size; count++) {
      const worker = fork(entry, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv });
      worker.on('error', () => undefined); // Whoever waits for an answer hears that it ended.
      this.#all.add(worker);
      this.#idle.push(worker);
    }
  }

  /** Runs a job on a worker that is free; there is one. Fails with `simulation/no-verdict`. */
  async run(job: ScheduleJob): Promise<ScheduleResult> {
    const worker = this.#idle.pop();
    invariant(worker !== undefined, 'there are as many workers as jobs');
    const answer = await answerOf(worker, job);
    if ('failure' in answer) throw new CoppiceError('simulation/no-verdict', { seed: job.plan.seed, reason: answer.failure });
    this.#idle.push(worker);
    return answer.result;
  }

  /** Ends the processes, whatever they do. */
  close(): void {
    for (const worker of this.#all) worker.kill('SIGKILL');
    this.#all.clear();
  }
}

function answerOf(worker: ChildProcess, job: ScheduleJob): Promise<WorkerAnswer> {
  return new Promise((resolve) => {
    const settle = (answer: WorkerAnswer): void => {
      clearTimeout(timer);
      worker.off('message', settle).off('exit', onExit);
      resolve(answer);
    };
    const onExit = (code: number | null, signal: string | null): void =>
      settle({ failure: `its process ended with ${signal ?? `exit code ${code}`}` });
    const timer = setTimeout(() => {
      worker.kill('SIGKILL');
      settle({ failure: `no answer within ${SCHEDULE_MS_MAX} ms` });
    }, SCHEDULE_MS_MAX);
    worker.on('message', settle).on('exit', onExit);
    if (worker.exitCode !== null || worker.signalCode !== null) return onExit(worker.exitCode, worker.signalCode);
    // A process that takes no job is over, or is now: how it ended is told by its exit.
    worker.send(job, (error) => {
      if (error !== null) worker.kill('SIGKILL');
    });
  });
}
