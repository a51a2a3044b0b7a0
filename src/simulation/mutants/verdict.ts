// What a mutant's run says: it is caught only by a check of a property that its missing rule upholds. A crash, a process that hangs, and one
// that commits nothing from its start on are not a catch.
import type { Property } from '../checks/violation.ts';
import type { Mutant } from './mutant.ts';
import type { Findings } from './run-task.ts';

/** How the work on a mutant ended. */
export interface Ended {
  /** Undefined where its process ended without a word. */
  readonly findings: Findings | undefined;
  readonly reason: string;
}

/** See the file's head. */
export interface MutantVerdict {
  /** Undefined: it survived. */
  readonly caughtBy: Property | undefined;
  readonly detail: string;
}

/** Blocks that a mutant has to commit, unless what it violates is seen where nothing goes wrong. */
export const BLOCKS_MIN = 4;

/** See the file's head. */
export function verdictOn({ violates }: Pick<Mutant, 'violates'>, { findings, reason }: Ended): MutantVerdict {
  const survived = (detail: string): MutantVerdict => ({ caughtBy: undefined, detail });
  if (findings === undefined) return survived(`its process ended without a verdict: ${reason}`);
  const { violation, blocks, trials, isOfCalm } = findings;
  if (violation === undefined) return survived(`nothing was violated in ${trials} schedules`);
  if (!isOfCalm && blocks < BLOCKS_MIN) return survived(`it does not start: ${blocks} blocks`);
  if (!violates.includes(violation.property)) return survived(`${violation.property} is not what it violates: ${violation.detail}`);
  return { caughtBy: violation.property, detail: violation.detail };
}
