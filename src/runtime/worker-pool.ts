// A pool of worker threads that take bytes and give bytes, so that long computations do not hold up the loop that serves network and
// timers. With size 0 the same function runs here, after the present turn: callers cannot tell, and tests need no threads.
//
// Upheld: a bounded number of tasks wait (more are refused, which is back-pressure); every task is answered or fails with a code; a
// worker that dies fails its task only and is replaced, a bounded number of times. Idle workers do not keep the process alive.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { CoppiceError, invariant } from '../core/primitives/errors.ts';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    'worker-pool/full': { tasksMax: number };
    'worker-pool/closed': { size: number };
    'worker-pool/task-failed': { reason: string };
    'worker-pool/worker-lost': { reason: string; replacementsLeft: number };
  }
}

/** Workers replaced in the life of a pool; after that it refuses tasks, because something is wrong with every one. */
const REPLACEMENTS_MAX = 16;

/** What a worker does with a task. */
export type TaskHandler = (task: Uint8Array) => Uint8Array;

/** Where computations can be sent. */
export interface WorkerPool {
  /** Threads; 0 means that tasks run on the caller's. */
  readonly size: number;
  /** Tasks that run or wait. */
  readonly taskCount: number;
  /** Fails with `worker-pool/…` codes. `task` should own its buffer: of a view, all that lies around it would be copied too. */
  run(task: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** How a pool is set up. */
export interface WorkerPoolOptions {
  readonly size: number;
  /** Tasks that may run or wait at once. */
  readonly tasksMax: number;
  /** Module that calls `serveTasks`. */
  readonly entry: URL;
  /** Handed to the entry module as `workerData`. */
  readonly workerData: unknown;
  /** What the entry module does, for size 0. */
  readonly runInline: TaskHandler;
}

interface Task {
  readonly bytes: Uint8Array;
  readonly resolve: (result: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

interface Slot {
  worker: Worker | undefined;
  task: Task | undefined;
}

type Reply = { readonly result: Uint8Array } | { readonly failure: string };

/** The pool on `node:worker_threads`; threads start with their first task. */
export class ThreadWorkerPool implements WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #slots: readonly Slot[];
  readonly #waiting: Task[] = [];
  #runningInline = 0;
  #replacementsLeft = REPLACEMENTS_MAX;
  #isClosed = false;

  constructor(options: WorkerPoolOptions) {
    invariant(options.size >= 0 && options.tasksMax >= 1, 'a pool has no negative size and takes a task at least');
    this.#options = options;
    this.#slots = Array.from({ length: options.size }, () => ({ worker: undefined, task: undefined }));
  }

  get size(): number {
    return this.#options.size;
  }

  get taskCount(): number {
    const running = this.#slots.reduce((count, slot) => count + (slot.task === undefined ? 0 : 1), 0);
    return running + this.#waiting.length + this.#runningInline;
  }

  run(task: Uint8Array): Promise<Uint8Array> {
    const { tasksMax, size } = this.#options;
    if (this.#isClosed) return Promise.reject(new CoppiceError('worker-pool/closed', { size }));
    if (this.taskCount >= tasksMax) return Promise.reject(new CoppiceError('worker-pool/full', { tasksMax }));
    if (size === 0) return this.#runInline(task);
    if (this.#replacementsLeft === 0) {
      return Promise.reject(new CoppiceError('worker-pool/worker-lost', { reason: 'too many workers died', replacementsLeft: 0 }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes: task, resolve, reject });
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const closed = new CoppiceError('worker-pool/closed', { size: this.size });
    for (const task of this.#waiting.splice(0)) task.reject(closed);
    await Promise.all(
      this.#slots.map(async (slot) => {
        const { worker, task } = slot;
        slot.worker = undefined;
        slot.task = undefined;
        task?.reject(closed);
        await worker?.terminate();
      }),
    );
  }

  async #runInline(task: Uint8Array): Promise<Uint8Array> {
    this.#runningInline += 1;
    try {
      await undefined; // Never within the caller's own step: with threads it would not be either.
      return this.#options.runInline(task);
    } catch (error) {
      throw new CoppiceError('worker-pool/task-failed', { reason: String(error) }, { cause: error });
    } finally {
      this.#runningInline -= 1;
    }
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (slot.task !== undefined) continue;
      const task = this.#waiting.shift();
      if (task === undefined) return;
      slot.task = task;
      slot.worker ??= this.#start(slot);
      slot.worker.ref();
      slot.worker.postMessage(task.bytes);
    }
  }

  #start(slot: Slot): Worker {
    const worker = new Worker(this.#options.entry, { workerData: this.#options.workerData });
    worker.on('message', (reply: Reply) => this.#onReply(slot, worker, reply));
    worker.on('error', (error) => this.#onLost(slot, worker, String(error)));
    worker.on('exit', (code) => this.#onLost(slot, worker, `exit code ${code}`));
    return worker;
  }

  #onReply(slot: Slot, worker: Worker, reply: Reply): void {
    const { task } = slot;
    if (slot.worker !== worker || task === undefined) return; // The pool was closed meanwhile.
    slot.task = undefined;
    worker.unref();
    if ('result' in reply) task.resolve(reply.result);
    else task.reject(new CoppiceError('worker-pool/task-failed', { reason: reply.failure }));
    this.#dispatch();
  }

  #onLost(slot: Slot, worker: Worker, reason: string): void {
    if (slot.worker !== worker) return;
    const { task } = slot;
    slot.worker = undefined;
    slot.task = undefined;
    this.#replacementsLeft = Math.max(0, this.#replacementsLeft - 1);
    const lost = new CoppiceError('worker-pool/worker-lost', { reason, replacementsLeft: this.#replacementsLeft });
    task?.reject(lost);
    if (this.#replacementsLeft > 0) this.#dispatch();
    else for (const waiting of this.#waiting.splice(0)) waiting.reject(lost);
  }
}

/** What a pool's entry module calls: answers every task that arrives on this worker thread. */
export function serveTasks(handle: TaskHandler): void {
  const port = parentPort;
  invariant(!isMainThread && port !== null, 'tasks are served on worker threads only');
  port.on('message', (task: Uint8Array) => port.postMessage(replyTo(handle, task)));
}

function replyTo(handle: TaskHandler, task: Uint8Array): Reply {
  try {
    return { result: handle(task) };
  } catch (error) {
    return { failure: String(error) };
  }
}
