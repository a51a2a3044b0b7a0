// Times consensus in memory, four validators on one thread: `node bench/consensus.ts [--json]`. No network, no disk, no execution: what the
// engine's `step` costs a block, the same with the vote pools and SSZ around it, and with real BLS and VRF, where every node verifies all
// that it would verify in a devnet. With --json the last line is one JSON object.
import { parseArgs } from 'node:util';
import { nobleBls } from '../src/core/crypto/bls-noble.ts';
import { blstBls, blstLoads } from '../src/runtime/native/bls-blst.ts';
import { installHashtree } from '../src/runtime/native/ssz-hashtree.ts';
import { committeeOf, type DriverCrypto, realCrypto, standInCrypto } from '../test/core/consensus/driver-crypto.ts';
import { runInLockstep } from '../test/core/consensus/driver-lockstep.ts';
import { instanceOf } from '../test/core/consensus/values.ts';

/** What one configuration reached. */
export interface ConsensusTiming {
  readonly signatures: string;
  readonly validators: number;
  readonly blocks: number;
  readonly blocksPerSecond: number;
  /** Of all validators together. */
  readonly stepMicrosecondsPerBlock: number;
  readonly stepsPerBlock: number;
}

const VALIDATORS = 4;
const WARM_UP_BLOCKS = 50;

/** Runs every configuration: a few seconds. */
export async function runConsensusBench(): Promise<readonly ConsensusTiming[]> {
  await installHashtree();
  const native = blstLoads();
  return [
    timed('none (stand-ins)', standInCrypto(), 1_000),
    timed(native ? blstBls.name : nobleBls.name, realCrypto(native ? blstBls : nobleBls), native ? 200 : 10),
  ];
}

function timed(signatures: string, crypto: DriverCrypto, blocks: number): ConsensusTiming {
  const committee = committeeOf(crypto, new Map(Array.from({ length: VALIDATORS }, (_unused, index) => [index, 1])));
  runInLockstep(instanceOf(committee, 1, 0), crypto, Math.min(WARM_UP_BLOCKS, blocks), () => performance.now());
  const startedAt = performance.now();
  const { stepMs, steps } = runInLockstep(instanceOf(committee, 2, 0), crypto, blocks, () => performance.now());
  const seconds = (performance.now() - startedAt) / 1_000;
  return {
    signatures,
    validators: VALIDATORS,
    blocks,
    blocksPerSecond: Math.round(blocks / seconds),
    stepMicrosecondsPerBlock: Math.round((stepMs * 1_000) / blocks),
    stepsPerBlock: Math.round(steps / blocks),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    console.log('usage: node bench/consensus.ts [--json]');
    return;
  }
  const timings = await runConsensusBench();
  for (const { signatures, blocksPerSecond, stepMicrosecondsPerBlock, stepsPerBlock } of timings) {
    console.log(
      `signatures ${signatures}: ${blocksPerSecond} blocks/s by ${VALIDATORS} validators on one thread; step: ${stepsPerBlock} calls and ${stepMicrosecondsPerBlock} µs a block`,
    );
  }
  if (values.json) console.log(JSON.stringify(timings));
}

if (import.meta.main) await main();
