// Runs the trials of one mutant, or of none, in a process of its own, one after the other to the first violation. The load hook must be
// there before (load-hook.ts). What it found is one JSON object on the last line; that it ended otherwise is for its parent to see.
import { initialiseKeccak } from '../../core/crypto/keccak.ts';
import { readPreset } from '../../node/genesis-file.ts';
import { installHashtree } from '../../runtime/native/ssz-hashtree.ts';
import type { Violation } from '../checks/violation.ts';
import { runSchedule } from '../schedule.ts';
import { standInCrypto } from '../stand-in-crypto.ts';
import { sendFailingCalls } from './failing-calls.ts';
import { forgeryOf } from './forgers/by-name.ts';
import { forgerOf } from './forgers/hand.ts';
import type { Trial } from './trial.ts';

/** What a worker is asked: the first trial is the calm one. */
export interface Task {
  readonly trials: readonly Trial[];
  /** A mutant's own assertions may stop its nodes: what users see of it counts. */
  readonly mayCrash: boolean;
}

/** What a worker found. */
export interface Findings {
  /** Trials run. */
  readonly trials: number;
  /** Blocks that the first trial committed. */
  readonly blocksAtFirst: number;
  /** Of the last trial, which it ended. */
  readonly violation: Violation | undefined;
  /** Of the processor, with the start of the process: unlike the time that passed, the same on a busy machine. */
  readonly processorMs: number;
}

const NODES = 4;
const CLIENTS = 12;

async function run({ trials, mayCrash }: Task): Promise<Findings> {
  await installHashtree({ disableNative: false });
  await initialiseKeccak();
  const preset = readPreset('devnet');
  let blocksAtFirst = 0;
  let violation: Violation | undefined;
  let done = 0;
  for (const { seed, faultsUntilMs, faults, dishonest, forger, parameters, shape, transactionsPerSecond, failingCalls } of trials) {
    const crypto = standInCrypto();
    const report = await runSchedule({
      seed,
      nodes: NODES,
      preset: { ...preset, ...parameters },
      crypto,
      mayCrash,
      ...(faultsUntilMs === undefined ? {} : { faultsUntilMs }),
      ...(faults === undefined ? {} : { faults }),
      ...(dishonest === undefined ? {} : { dishonest }),
      ...(transactionsPerSecond === undefined ? {} : { transactionsPerSecond }),
      ...(shape === undefined ? {} : { shape }),
      ...(forger === undefined ? {} : { forger: forgerOf(forgeryOf(forger)) }),
      ...(failingCalls === true ? { onWorld: (world) => sendFailingCalls(world, CLIENTS, crypto.secp256k1) } : {}),
    });
    done++;
    if (done === 1) blocksAtFirst = report.blocks;
    violation = report.violation;
    if (violation !== undefined) break;
  }
  const { user, system } = process.cpuUsage();
  return { trials: done, blocksAtFirst, violation, processorMs: Math.round((user + system) / 1_000) };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as Task)));
