// Fuzzing for as long as one likes, target after target in turns, as `npm run fuzz` and `npm run soak:fuzz` do it: with coverage as the sign of
// news, and with a corpus that grows by what is news and by what finds a fault.
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { addFound, addNews, beginCorpus, readCorpus } from './corpus.ts';
import { startCoverage } from './coverage.ts';
import { FuzzFailure, fuzz } from './engine.ts';
import type { FuzzTarget } from './target.ts';
import { startWatch } from './watchdog.ts';

/** What a long run is asked to do. */
export interface LongRunOptions {
  readonly targets: readonly FuzzTarget[];
  readonly minutes: number;
  readonly seed: number;
  readonly tell: (line: string) => void;
}

/** What it did. */
export interface LongRunReport {
  readonly seed: number;
  readonly executions: number;
  readonly coveredBlocks: number;
  readonly addedToCorpus: number;
  /** Of the processor, without coverage. */
  readonly executionsPerSecond: Readonly<Record<string, number>>;
  /** Messages of the properties that did not hold. */
  readonly failures: readonly string[];
}

/** Turns of each target, so that a run that is ended early has tried all; the first one with coverage. */
const TURNS = 4;
const MS_PER_MINUTE = 60_000;

/** Runs all targets for so long in all. A target that failed is left for the rest of the run. */
export async function runLong({ targets, minutes, seed, tell }: LongRunOptions): Promise<LongRunReport> {
  await initialiseKeccak();
  const watch = startWatch();
  let coveredBlocks = 0;
  const turnMs = (minutes * MS_PER_MINUTE) / (TURNS * targets.length);
  const executions = new Map<string, number>();
  const seconds = new Map<string, number>();
  const failures: string[] = [];
  const failed = new Set<FuzzTarget>();
  let addedToCorpus = 0;
  let all = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const coverage = turn === 0 ? await startCoverage() : undefined;
    for (const target of targets) {
      if (failed.has(target)) continue;
      const { name } = target;
      const endMs = performance.now() + turnMs;
      try {
        addedToCorpus += await beginCorpus(target, new SeededRandom(seed, `corpus of ${name}`));
        const report = await fuzz(target, {
          seed: seed * TURNS + turn,
          corpus: readCorpus(name),
          mayGoOn: () => performance.now() < endMs,
          watch,
          ...(coverage !== undefined && { findCovering: coverage.find }),
          onNews: (input) => {
            if (addNews(name, input)) addedToCorpus++;
          },
        });
        all += report.executions;
        if (coverage === undefined) {
          executions.set(name, (executions.get(name) ?? 0) + report.executions);
          seconds.set(name, (seconds.get(name) ?? 0) + report.seconds);
        }
        tell(
          `${name}: ${report.executions} inputs in ${report.seconds.toFixed(1)} s of the processor, ${report.outcomes.size} kinds of results`,
        );
      } catch (error) {
        if (!(error instanceof FuzzFailure)) throw error;
        failed.add(target);
        failures.push(error.message);
        tell(`${error.message}\nkept as ${addFound(name, error.input)}`);
      }
    }
    coveredBlocks = coverage?.blocks ?? coveredBlocks;
    await coverage?.stop();
  }
  await watch.stop();
  const rates = [...executions].map(([name, count]) => [name, Math.round(count / (seconds.get(name) ?? 1))]);
  return { seed, executions: all, coveredBlocks, addedToCorpus, executionsPerSecond: Object.fromEntries(rates), failures };
}
