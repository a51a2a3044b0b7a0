// Processes that run the tasks of mutants, one at a time each. What ends or hangs in one says something about a mutant only where the process did
// nothing before: otherwise the task runs again in a process of its own.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { invariant } from '../../core/primitives/errors.ts';
import { MEMORY_OPTIONS } from '../crew.ts';
import type { Order } from './mutant-worker.ts';
import type { Findings } from './run-task.ts';
import type { Ended } from './verdict.ts';

const ENTRY = fileURLToPath(new URL('./mutant-worker.ts', import.meta.url));
/** A task that takes longer hangs where no bound of virtual time reaches it. */
const TASK_MS_MAX = 120_000;
/** What was loaded for a mutant stays: so many in one process, and the next begins anew. */
const TASKS_A_PROCESS = 40;
const REASON_LENGTH_MAX = 2_000;

interface Worker {
  readonly child: ChildProcess;
  stderr: string;
  tasks: number;
}

/** See the file's head. */
export class MutantCrew {
  readonly #idle: Worker[] = [];
  readonly #all = new Set<ChildProcess>();

  /** Runs a task on a process that is free, or on a new one. */
  async run(order: Order): Promise<Ended> {
    const worker = this.#idle.pop() ?? this.#start();
    const isFirst = worker.tasks === 0;
    const ended = await this.#order(worker, order);
    if (ended.findings === undefined) return isFirst ? ended : this.#order(this.#start(), order);
    if (worker.tasks < TASKS_A_PROCESS) this.#idle.push(worker);
    else worker.child.disconnect();
    return ended;
  }

  /** Ends the processes, whatever they do. */
  close(): void {
    for (const child of this.#all) child.kill('SIGKILL');
  }

  #start(): Worker {
    const execArgv = [...process.execArgv, ...MEMORY_OPTIONS];
    const child = fork(ENTRY, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv });
    const worker: Worker = { child, stderr: '', tasks: 0 };
    invariant(child.stderr !== null, 'the errors of a worker are piped');
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      worker.stderr = (worker.stderr + text).slice(-REASON_LENGTH_MAX);
    });
    child.on('error', () => undefined); // Whoever waits for an answer hears that it ended.
    child.on('close', () => this.#all.delete(child));
    this.#all.add(child);
    return worker;
  }

  #order(worker: Worker, order: Order): Promise<Ended> {
    const { child } = worker;
    worker.tasks++;
    return new Promise((resolve) => {
      const settle = (ended: Ended): void => {
        clearTimeout(timer);
        child.off('message', onFindings).off('close', onClose);
        resolve(ended);
      };
      const onFindings = (findings: Findings): void => settle({ findings, reason: '' });
      const onClose = (code: number | null, signal: string | null): void =>
        settle({ findings: undefined, reason: `exit code ${code}, signal ${signal}; ${worker.stderr.trim()}` });
      const timer = setTimeout(() => child.kill('SIGKILL'), TASK_MS_MAX);
      child.on('message', onFindings).on('close', onClose);
      if (child.exitCode !== null || child.signalCode !== null) return onClose(child.exitCode, child.signalCode);
      child.send(order, (error) => {
        if (error !== null) child.kill('SIGKILL');
      });
    });
  }
}
