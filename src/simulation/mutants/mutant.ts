// A mutant: production code with one rule removed or weakened, as a patch of its source. The checks of the simulator must see each one: a
// mutant that nobody sees is a hole in the checks.
import { CoppiceError } from '../../core/primitives/errors.ts';
import type { Property } from '../checks/violation.ts';
import type { Trial } from './trial.ts';

declare module '../../core/primitives/errors.ts' {
  interface ErrorFacts {
    /** The text to be replaced is there never, or more than once: the source has moved on, and the patch must follow. */
    'mutants/patch-does-not-fit': { mutant: string; file: string; matches: number };
  }
}

/** See the file's head. */
export interface Mutant {
  readonly name: string;
  /** The rule that is gone. */
  readonly rule: string;
  /** What must not hold any more: the check that sees the mutant reports one of these. */
  readonly violates: readonly Property[];
  /** From the project's root. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Where the missing rule matters, the fastest first. */
  readonly trials: readonly Trial[];
}

/** The source with the mutant's patch; throws `mutants/patch-does-not-fit`. */
export function patched({ name, file, find, replace }: Pick<Mutant, 'name' | 'file' | 'find' | 'replace'>, source: string): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new CoppiceError('mutants/patch-does-not-fit', { mutant: name, file, matches: parts.length - 1 });
  return parts.join(replace);
}
