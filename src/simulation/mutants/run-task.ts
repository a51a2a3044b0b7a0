// Runs the trials of one mutant, or of none, one after the other to the first violation. Loaded by load-hook.ts, for each mutant again.
import { initialiseKeccak } from '../../core/crypto/keccak.ts';
import { readPreset } from '../../node/genesis-file.ts';
import { installHashtree } from '../../runtime/native/ssz-hashtree.ts';
import type { Violation } from '../checks/violation.ts';
import { runSchedule, type ScheduleReport } from '../schedule.ts';
import { standInCrypto } from '../stand-in-crypto.ts';
import { sendFailingCalls } from './failing-calls.ts';
import { forgeryOf } from './forgers/by-name.ts';
import { forgerOf } from './forgers/hand.ts';
import { CALM, type Trial } from './trial.ts';
import { BLOCKS_MIN } from './verdict.ts';

/** What a worker is asked. */
export interface Task {
  readonly trials: readonly Trial[];
  /** A mutant's own assertions may stop its nodes: what users see of it counts. */
  readonly mayCrash: boolean;
}

/** What came of it. */
export interface Findings {
  /** Trials run, of those that were asked for. */
  readonly trials: number;
  /** The most blocks that a trial committed, with the calm one where that was needed. */
  readonly blocks: number;
  /** Of the last trial, which it ended, or of the calm one. */
  readonly violation: Violation | undefined;
  /** The violation is of a trial in which nothing else goes wrong. */
  readonly isOfCalm: boolean;
  /** Events of all trials: unlike time, the same on every machine. */
  readonly events: number;
  /** Of the processor. */
  readonly processorMs: number;
}

const NODES = 4;
const CLIENTS = 12;

/** See the file's head. Where a trial ends before it has committed much, the calm one says whether the mutant starts at all. */
export async function runTask({ trials, mayCrash }: Task): Promise<Findings> {
  const usageBefore = process.cpuUsage();
  await installHashtree({ disableNative: false });
  await initialiseKeccak();
  let found = { trials: 0, blocks: 0, violation: undefined as Violation | undefined, isOfCalm: false, events: 0 };
  for (const trial of trials) {
    if (found.violation !== undefined) break;
    const { blocks, violation, events } = await runTrial(trial, mayCrash);
    found = {
      trials: found.trials + 1,
      blocks: Math.max(found.blocks, blocks),
      violation,
      isOfCalm: isQuiet(trial),
      events: found.events + events,
    };
  }
  if (found.violation !== undefined && !found.isOfCalm && found.blocks < BLOCKS_MIN) {
    const { blocks, violation, events } = await runTrial(CALM, mayCrash);
    found = { ...found, blocks, events: found.events + events, ...(violation === undefined ? {} : { violation, isOfCalm: true }) };
  }
  const { user, system } = process.cpuUsage(usageBefore);
  return { ...found, processorMs: Math.round((user + system) / 1_000) };
}

function isQuiet({ faults, dishonest, forger }: Trial): boolean {
  return faults?.length === 0 && dishonest?.length === 0 && forger === undefined;
}

function runTrial({ forger, failingCalls, ...trial }: Trial, mayCrash: boolean): Promise<ScheduleReport> {
  const crypto = standInCrypto();
  return runSchedule({
    ...trial,
    nodes: NODES,
    preset: readPreset('devnet'),
    crypto,
    mayCrash,
    ...(forger === undefined ? {} : { forger: forgerOf(forgeryOf(forger)) }),
    ...(failingCalls === true ? { onWorld: (world) => sendFailingCalls(world, CLIENTS, crypto.secp256k1) } : {}),
  });
}
