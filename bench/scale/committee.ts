// The committee of the scale study: validators of one seat each, with the parameters of the mainnet preset, and an instance that they run.
import type { Committee, Instance } from '../../src/core/protocol/committee.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { instanceOf } from '../../test/core/consensus/values.ts';

/** The preset whose timers the study runs on; there are always transactions, so nobody waits because the chain is idle. */
export const MAINNET = { ...readPreset('mainnet'), idleIntervalMs: 0 };

/** An instance of so many validators. Its keys mean nothing: the model counts what signatures cost, and makes none. */
export function committeeInstance(size: number): Instance {
  const members = Array.from({ length: size }, (_unused, validator) => ({
    validator,
    seats: 1,
    blsPublicKey: new Uint8Array(48),
    vrfPublicKey: new Uint8Array(32),
  }));
  const committee: Committee = { members, totalSeats: size };
  return instanceOf(committee, 1, 0);
}
