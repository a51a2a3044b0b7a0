// One schedule from its plan, with everything that this process must set up once: hashes, curves, the preset.
import { initialiseKeccak } from '../core/crypto/keccak.ts';
import { readPreset } from '../node/genesis-file.ts';
import { selectCrypto } from '../runtime/native/select-crypto.ts';
import { installHashtree } from '../runtime/native/ssz-hashtree.ts';
import type { CryptoChoice, SchedulePlan } from './plan.ts';
import { runSchedule, type ScheduleReport } from './schedule.ts';
import { standInCrypto } from './stand-in-crypto.ts';

/** A schedule to be run. */
export interface ScheduleJob {
  readonly plan: SchedulePlan;
  readonly crypto: CryptoChoice;
}

/** Runs jobs. */
export type RunJob = (job: ScheduleJob) => Promise<ScheduleReport>;

/** Sets up what jobs need. */
export async function prepareJobs(): Promise<RunJob> {
  await installHashtree({ disableNative: false });
  await initialiseKeccak();
  const real = selectCrypto({ disableNative: false });
  const preset = readPreset('devnet');
  const standIns = standInCrypto();
  return ({ plan, crypto }) => {
    standIns.forget(); // They remember keys: each schedule has its own.
    return runSchedule({ ...plan, preset, crypto: crypto === 'real' ? real : standIns });
  };
}
