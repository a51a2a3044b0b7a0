// A trial: one schedule under which a mutant's missing rule should matter. Values only, so that a list of mutants loads no production code
// before it can be patched.

import type { NetworkParameters } from '../../core/protocol/parameters.ts';
import type { DishonestValidator } from '../adversaries/strategies.ts';
import type { ChainShape } from '../chain-shape.ts';
import type { Fault } from '../faults.ts';

/** Who acts beside honest nodes and drawn strategies. Each is a file under `forgers`, or a case of one. */
export type ForgerName =
  | 'two-blocks'
  | 'short-certificates'
  | 'unsigned-certificates'
  | 'unsigned-timeouts'
  | 'old-justify'
  | 'lying-server'
  | 'mismatched-pair'
  | `wrong-${WrongField | WrongBeaconField}`;

/** What a shard leader's block says wrongly, all else being made to fit. */
export type WrongField =
  | 'vrf-proof'
  | 'timestamp'
  | 'beacon-reference'
  | 'gas-bought'
  | 'base-fee'
  | 'state-root'
  | 'spent-nonce'
  | 'balance'
  | 'data-floor'
  | 'reference-back'
  | 'reference-old'
  | 'cursors'
  | 'inbox-gap'
  | 'inbox-order'
  | 'inbox-twice'
  | 'inbox-message'
  | 'inbox-share'
  | 'lazy'
  | 'body-root'
  | 'post-state-root'
  | 'foreign-sender'
  | 'closing-body';

/** The same of a leader of the beacon. */
export const WRONG_BEACON_FIELDS = [
  'beacon-timestamp',
  'beacon-post-state',
  'beacon-gas',
  'last-block-body',
  'slander',
  'confession',
  'crosslink-outboxes',
  'crosslink-signature',
  'crosslink-beyond',
  'crosslink-gap',
  'crosslink-carriers',
] as const;
export type WrongBeaconField = (typeof WRONG_BEACON_FIELDS)[number];

/** See the file's head. */
export interface Trial {
  readonly seed: number;
  /** How long faults and lies go on before all has to go well again; as in every schedule when absent. */
  readonly faultsUntilMs?: number;
  /** Undefined: drawn from the seed. */
  readonly faults?: readonly Fault[];
  /** Undefined: drawn from the seed. */
  readonly dishonest?: readonly DishonestValidator[];
  /** Follows this forger's strategy as validator 0. */
  readonly forger?: ForgerName;
  /** Instead of those of every schedule. */
  readonly parameters?: Partial<NetworkParameters>;
  /** Undefined: drawn from the seed. */
  readonly shape?: ChainShape;
  /** That clients send on average; as in every schedule when absent. */
  readonly transactionsPerSecond?: number;
  /** Clients also send calls that fail, with value. */
  readonly failingCalls?: boolean;
}

/** One shard, and no turn of an epoch. */
export const PLAIN: ChainShape = { layout: [1], epochBlocks: 80, beaconIntervalMs: 500 };
/** Two shards. */
export const SHARDED: ChainShape = { layout: [2, 3], epochBlocks: 80, beaconIntervalMs: 300 };
/** Four shards. */
export const FOUR: ChainShape = { layout: [4, 5, 6, 7], epochBlocks: 80, beaconIntervalMs: 300 };
/** Two shards through several epochs. */
export const TURNING: ChainShape = { layout: [2, 3], epochBlocks: 8, beaconIntervalMs: 300 };

/** Timers at which a stuck chain is seen to be stuck soon: the bound on liveness follows from them. */
export const BRISK: Partial<NetworkParameters> = {
  roundTimeoutMs: 400,
  roundTimeoutMsMax: 400,
  resendIntervalMs: 150,
  idleIntervalMs: 1_000,
};
/** How long lies are told that are seen soon. */
export const SOON_MS = 2_500;

/** The trial without faults and lies: a world of two shards that starts and commits. */
export const CALM: Trial = { seed: 1, faultsUntilMs: 1_500, faults: [], dishonest: [], shape: TURNING };

/** Schedules as a swarm draws them, from one seed on. */
export function swarm(fromSeed: number, count: number): readonly Trial[] {
  return Array.from({ length: count }, (_unused, index) => ({ seed: fromSeed + index }));
}

/** The same trials, from the one of this seed on: what a search found to show the missing rule soonest. */
export function seedFirst(seed: number, trials: readonly Trial[]): readonly Trial[] {
  const place = trials.findIndex((trial) => trial.seed === seed);
  return [...trials.slice(place), ...trials.slice(0, place)];
}

/** The same trial under several seeds. */
export function underSeeds(fromSeed: number, count: number, trial: Omit<Trial, 'seed'>): readonly Trial[] {
  return Array.from({ length: count }, (_unused, index) => ({ ...trial, seed: fromSeed + index }));
}
