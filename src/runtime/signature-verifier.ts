// Checks signatures for everyone in the node: BLS claims of consensus and senders of transactions.
//
// What arrives within one turn of the event loop is checked together, because one combined check of 64 votes costs a fifth of 64
// checks. Large batches go to worker threads where there are any; small ones stay, as the way there and back costs more. Callers
// see promises only and cannot tell. What waits is bounded for each chain, chains take turns (claims-queue.ts), and between two batches on this
// thread the loop gets its turn.
import type { SignatureSet } from '../core/consensus/signature-sets.ts';
import { CoppiceError, isError } from '../core/primitives/errors.ts';
import type { Address } from '../core/primitives/ids.ts';
import { type ClaimsOf, ClaimsQueue, WAITING_WEIGHT_MAX } from './claims-queue.ts';
import { selectCrypto } from './native/select-crypto.ts';
import {
  decodeSenders,
  decodeVerdicts,
  encodeRecoverTask,
  encodeVerifyTask,
  recoverAll,
  runTask,
  type SenderRequest,
  type TaskCrypto,
  verifyJobs,
} from './signature-verifier-tasks.ts';
import { ThreadWorkerPool, type WorkerPool } from './worker-pool.ts';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    'signature-verifier/overloaded': { waiting: number; waitingMax: number };
  }
}

/** Pairings that one batch takes at most: about 10 to 13 ms with native BLS. */
const BATCH_WEIGHT_MAX = 64;
/** Pairings from which a batch goes to a worker: about 5 ms. */
const WORKER_WEIGHT_MIN = 16;
/** Recoveries in one piece of work: about 5 ms with the native library, and also from where a worker is worth it. */
const RECOVERIES_PER_TASK = 128;
/** Tasks that may be with the workers at once; beyond, this thread does them itself, which slows the callers down. */
const POOL_TASKS_MAX = 64;

/** What the node asks about signatures. */
export interface SignatureVerifier {
  /** True if every set is valid, and for none; false says not which. Rejects with `signature-verifier/overloaded` only: too much of the same waits. */
  verify(sets: readonly SignatureSet[], of: ClaimsOf): Promise<boolean>;
  /** The sender's address for each request in order, `undefined` where the signature has no signer or breaks EIP-2. */
  recoverSenders(requests: readonly SenderRequest[]): Promise<readonly (Address | undefined)[]>;
  close(): Promise<void>;
}

/** What a verifier stands on. */
export interface SignatureVerifierOptions {
  readonly crypto: TaskCrypto;
  readonly pool: WorkerPool;
  /** Runs the function after what is being done now; a simulator passes its own, for a fixed order. */
  readonly schedule?: (run: () => void) => void;
}

interface Job {
  readonly sets: readonly SignatureSet[];
  readonly weight: number;
  readonly resolve: (isValid: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** A verifier with its own pool of `workerCount` threads (0: everything on this thread). */
export function createSignatureVerifier(options: { readonly workerCount: number; readonly disableNative: boolean }): SignatureVerifier {
  const crypto = selectCrypto(options);
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const pool = new ThreadWorkerPool({
    size: options.workerCount,
    tasksMax: POOL_TASKS_MAX,
    entry: new URL(`./signature-verifier-worker.${extension}`, import.meta.url),
    workerData: { disableNative: options.disableNative },
    runInline: (task) => runTask(crypto, task),
  });
  return new BatchingSignatureVerifier({ crypto, pool });
}

/** The verifier that collects a turn's claims into batches. */
export class BatchingSignatureVerifier implements SignatureVerifier {
  readonly #crypto: TaskCrypto;
  readonly #pool: WorkerPool;
  readonly #schedule: (run: () => void) => void;
  readonly #waiting = new ClaimsQueue<Job>();
  #isScheduled = false;

  constructor(options: SignatureVerifierOptions) {
    this.#crypto = options.crypto;
    this.#pool = options.pool;
    this.#schedule = options.schedule ?? ((run) => void setImmediate(run));
  }

  verify(sets: readonly SignatureSet[], of: ClaimsOf): Promise<boolean> {
    if (sets.length === 0) return Promise.resolve(true);
    const weight = sets.reduce((sum, set) => sum + (set.kind === 'aggregate' ? Math.max(1, set.messages.length) : 1), 0);
    return new Promise((resolve, reject) => {
      if (this.#waiting.add(of, { sets, weight, resolve, reject })) this.#scheduleBatch();
      else {
        const facts = { waiting: this.#waiting.weightOf(of), waitingMax: WAITING_WEIGHT_MAX };
        reject(new CoppiceError('signature-verifier/overloaded', facts));
      }
    });
  }

  async recoverSenders(requests: readonly SenderRequest[]): Promise<readonly (Address | undefined)[]> {
    if (this.#pool.size > 0 && requests.length >= RECOVERIES_PER_TASK) {
      const pieces = await Promise.all(piecesOf(requests).map((piece) => this.#recoverInPool(piece)));
      return pieces.flat();
    }
    if (requests.length <= RECOVERIES_PER_TASK) return recoverAll(this.#crypto.secp256k1, requests);
    const senders: (Address | undefined)[] = [];
    for (const [index, piece] of piecesOf(requests).entries()) {
      if (index > 0) await this.#nextTurn();
      senders.push(...recoverAll(this.#crypto.secp256k1, piece));
    }
    return senders;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  #scheduleBatch(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => {
      this.#isScheduled = false;
      this.#checkBatch();
    });
  }

  #checkBatch(): void {
    const batch = this.#waiting.take(BATCH_WEIGHT_MAX);
    if (!this.#waiting.isEmpty) this.#scheduleBatch();
    const weight = batch.reduce((sum, job) => sum + job.weight, 0);
    if (this.#pool.size > 0 && weight >= WORKER_WEIGHT_MIN) void this.#checkInPool(batch);
    else this.#checkHere(batch);
  }

  #checkHere(batch: readonly Job[]): void {
    try {
      answer(batch, verifyJobs(this.#crypto.bls, batch.map(setsOf)));
    } catch (error) {
      for (const job of batch) job.reject(error);
    }
  }

  async #checkInPool(batch: readonly Job[]): Promise<void> {
    try {
      const verdicts = await this.#runInPool(encodeVerifyTask(batch.map(setsOf)), decodeVerdicts);
      if (verdicts === undefined) this.#checkHere(batch);
      else answer(batch, verdicts);
    } catch (error) {
      for (const job of batch) job.reject(error);
    }
  }

  async #recoverInPool(requests: readonly SenderRequest[]): Promise<readonly (Address | undefined)[]> {
    const senders = await this.#runInPool(encodeRecoverTask(requests), decodeSenders);
    return senders ?? recoverAll(this.#crypto.secp256k1, requests);
  }

  // `undefined` if the pool could not: then it is done here.
  async #runInPool<T>(task: Uint8Array, decode: (result: Uint8Array) => T): Promise<T | undefined> {
    try {
      return decode(await this.#pool.run(task));
    } catch (error) {
      if (isPoolFault(error)) return undefined;
      throw error;
    }
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => this.#schedule(resolve));
  }
}

function isPoolFault(error: unknown): boolean {
  return (
    isError(error, 'worker-pool/full') ||
    isError(error, 'worker-pool/closed') ||
    isError(error, 'worker-pool/task-failed') ||
    isError(error, 'worker-pool/worker-lost')
  );
}

function answer(batch: readonly Job[], verdicts: readonly boolean[]): void {
  for (const [index, job] of batch.entries()) job.resolve(verdicts[index] === true);
}

function setsOf(job: Job): readonly SignatureSet[] {
  return job.sets;
}

function piecesOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  const pieces: (readonly T[])[] = [];
  for (let start = 0; start < items.length; start += RECOVERIES_PER_TASK) pieces.push(items.slice(start, start + RECOVERIES_PER_TASK));
  return pieces;
}
