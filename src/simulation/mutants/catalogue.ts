// All mutants. Data only: what this loads is loaded before any patch, and so it imports no production code but the errors.
import { BEACON_MUTANTS } from './beacon-mutants.ts';
import { CONSENSUS_MUTANTS } from './consensus-mutants.ts';
import { DURABILITY_MUTANTS } from './durability-mutants.ts';
import { EXECUTION_MUTANTS } from './execution-mutants.ts';
import { LANE_MUTANTS } from './lane-mutants.ts';
import type { Mutant } from './mutant.ts';
import { TAKEOVER_MUTANTS } from './takeover-mutants.ts';
import { VIEW_MUTANTS } from './view-mutants.ts';

/** See the file's head. */
export const MUTANTS: readonly Mutant[] = [
  ...CONSENSUS_MUTANTS,
  ...DURABILITY_MUTANTS,
  ...EXECUTION_MUTANTS,
  ...LANE_MUTANTS,
  ...BEACON_MUTANTS,
  ...VIEW_MUTANTS,
  ...TAKEOVER_MUTANTS,
];
