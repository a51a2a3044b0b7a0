// The fuzzing of one target: its corpus first, then generated values, mutations and random bytes from one seed, each judged. Equal seeds,
// corpora and bounds give equal inputs; what an input costs in time and memory is watched (watchdog.ts).
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import type { CorpusEntry } from './corpus.ts';
import { INPUT_BYTES_MAX, mutate, type Others, randomBytes } from './mutate.ts';
import { type FuzzTarget, SLOWEST_MS } from './target.ts';
import type { Watch } from './watchdog.ts';

/** When to stop, and whom to tell. */
export interface FuzzOptions {
  readonly seed: number;
  readonly corpus: readonly CorpusEntry[];
  /** Inputs beside the corpus; with `mayGoOn`, no end but that of it. */
  readonly executions?: number;
  readonly mayGoOn?: () => boolean;
  readonly watch?: Watch;
  /** Told of each input that had a result of a new kind; in runs that extend the corpus. */
  readonly onNews?: (input: Uint8Array, outcome: string) => void;
  /** Asked after each run of inputs whether they reached code that none before reached; gives those that did (coverage.ts). */
  readonly findCovering?: (inputs: readonly Uint8Array[], run: (input: Uint8Array) => Promise<void>) => Promise<readonly Uint8Array[]>;
}

/** What a run did. */
export interface FuzzReport {
  readonly target: string;
  readonly seed: number;
  readonly executions: number;
  /** Of the processor, whatever else runs on the machine. */
  readonly seconds: number;
  /** How often each kind of result came. */
  readonly outcomes: ReadonlyMap<string, number>;
}

/** A property that does not hold, with the input that shows it. */
export class FuzzFailure extends Error {
  readonly input: Uint8Array;

  constructor(target: FuzzTarget, seed: number, execution: number, input: Uint8Array, cause: unknown) {
    const said = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    super(`${target.name}, seed ${seed}, input ${execution}: ${said}\ninput (${input.length} bytes): ${bytesToHex(input)}`, { cause });
    this.input = input;
  }
}

/** Generated values that a run begins with, and inputs that it takes mutations from at most. */
const GENERATED_AT_FIRST = 16;
const POOL_MAX = 512;
/** The share of generated values among inputs, where the target says nothing else. */
const GENERATED_SHARE = 0.12;
/** Kinds of results that are told apart. */
const OUTCOMES_MAX = 2_048;
/** Inputs, and time, between two looks at the clock and at coverage. */
const RUN_INPUTS = 1_024;
const RUN_MS = 500;
/** Tries of an input that seemed slow: a busy machine is slow once, a slow decoder always. */
const SLOW_TRIES = 3;
/** Tries to make a failing input smaller. */
const SHRINK_TRIES_MAX = 400;

/** Runs a target until it is told to stop; throws a `FuzzFailure` at the first property that does not hold. */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const run = new FuzzRun(target, options);
  return run.toEnd();
}

class FuzzRun {
  readonly #target: FuzzTarget;
  readonly #options: FuzzOptions;
  readonly #random: SeededRandom;
  readonly #outcomes = new Map<string, number>();
  readonly #pool: Uint8Array[] = [];
  #executions = 0;

  constructor(target: FuzzTarget, options: FuzzOptions) {
    this.#target = target;
    this.#options = options;
    this.#random = new SeededRandom(options.seed, `fuzz ${target.name}`);
  }

  async toEnd(): Promise<FuzzReport> {
    const { seed, corpus, executions = Number.POSITIVE_INFINITY, mayGoOn = () => true, findCovering } = this.#options;
    const start = process.cpuUsage();
    for (const { bytes } of corpus) await this.#first(bytes);
    for (let i = 0; i < GENERATED_AT_FIRST; i++) await this.#first(await this.#generated());
    if (findCovering !== undefined) await findCovering([], async () => undefined);
    const end = this.#executions + executions;
    while (this.#executions < end && mayGoOn()) {
      const inputs: Uint8Array[] = [];
      const runEndMs = performance.now() + (Number.isFinite(end) ? Number.POSITIVE_INFINITY : RUN_MS);
      for (let i = 0; i < RUN_INPUTS && this.#executions < end && performance.now() < runEndMs; i++) {
        const input = await this.#next();
        inputs.push(input);
        await this.#try(input);
      }
      const covering = (await findCovering?.(inputs, async (input) => void (await this.#target.judge(input)))) ?? [];
      for (const input of covering) this.#keep(input, 'new code');
    }
    const { user, system } = process.cpuUsage(start);
    const seconds = (user + system) / 1_000_000;
    return { target: this.#target.name, seed, executions: this.#executions, seconds, outcomes: this.#outcomes };
  }

  async #first(input: Uint8Array): Promise<void> {
    this.#pool.push(input);
    await this.#try(input, false);
  }

  async #generated(): Promise<Uint8Array> {
    try {
      return await this.#target.generate(this.#random);
    } catch (error) {
      throw new FuzzFailure(this.#target, this.#options.seed, this.#executions, new Uint8Array(0), error);
    }
  }

  async #next(): Promise<Uint8Array> {
    const random = this.#random;
    if (random.chance(0.08)) return randomBytes(random);
    if (random.chance(this.#target.generatedShare ?? GENERATED_SHARE)) return this.#generated();
    const base = random.chance(0.1) ? await this.#generated() : random.pick(this.#pool);
    const others: Others = { other: random.pick(this.#pool), words: this.#target.words ?? [] };
    return mutate(base, random, others);
  }

  async #try(input: Uint8Array, mayBeNews = true): Promise<void> {
    this.#executions++;
    let outcome: string;
    try {
      outcome = await this.#judge(input);
    } catch (error) {
      const [smaller, cause] = await this.#shrink(input, error);
      throw new FuzzFailure(this.#target, this.#options.seed, this.#executions, smaller, cause);
    }
    const seen = this.#outcomes.get(outcome);
    if (seen !== undefined || this.#outcomes.size < OUTCOMES_MAX) this.#outcomes.set(outcome, (seen ?? 0) + 1);
    if (seen === undefined && mayBeNews && this.#outcomes.size < OUTCOMES_MAX) this.#keep(input, outcome);
  }

  #keep(input: Uint8Array, outcome: string): void {
    if (this.#pool.length < POOL_MAX) this.#pool.push(input);
    else this.#pool[this.#random.integer(0, POOL_MAX)] = input;
    if (input.length <= INPUT_BYTES_MAX) this.#options.onNews?.(input, outcome);
  }

  async #judge(input: Uint8Array): Promise<string> {
    const { watch } = this.#options;
    const slowestMs = this.#target.slowestMs ?? SLOWEST_MS;
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let tries = 1; ; tries++) {
      watch?.begin(this.#target.name, input);
      const startMs = performance.now();
      const judged = this.#target.judge(input);
      const outcome = typeof judged === 'string' ? judged : await judged;
      fastestMs = Math.min(fastestMs, performance.now() - startMs);
      watch?.end();
      if (fastestMs <= slowestMs) return outcome;
      if (tries === SLOW_TRIES) throw new Error(`took ${Math.round(fastestMs)} ms, at most ${slowestMs} are allowed`);
    }
  }

  // Leaves out parts for as long as the input fails at all.
  async #shrink(input: Uint8Array, error: unknown): Promise<readonly [Uint8Array, unknown]> {
    let [smallest, cause] = [input, error];
    let tries = 0;
    for (let part = input.length >>> 1; part > 0 && tries < SHRINK_TRIES_MAX; part >>>= 1) {
      for (let at = 0; at + part <= smallest.length && tries < SHRINK_TRIES_MAX; tries++) {
        const shorter = Uint8Array.from([...smallest.subarray(0, at), ...smallest.subarray(at + part)]);
        try {
          await this.#judge(shorter);
          at += part;
        } catch (stillWrong) {
          [smallest, cause] = [shorter, stillWrong];
        }
      }
    }
    return [smallest, cause];
  }
}
