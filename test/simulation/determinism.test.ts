// A seed says everything: the same event log, byte for byte, in this process and in another. swarm.test.ts compares the hashes of many.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { invariant } from '../../src/core/primitives/errors.ts';
import { readOptions } from '../../src/simulation/command-line.ts';
import { prepareJobs, type RunJob } from '../../src/simulation/schedule-job.ts';

const MAIN = 'src/simulation/main.ts';
const SEED = 7_003;
/** Short schedules: all of what a seed says is said in half a second of faults and the recovery from them. */
const FAULT_SECONDS = 0.5;

/** What a simulator of its own says in its standard output. */
function simulate(...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, '--fault-seconds', String(FAULT_SECONDS), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`exit code ${code}: ${errors}`))));
  });
}

describe('a seed', () => {
  let run: RunJob;
  before(async () => {
    run = await prepareJobs();
  });

  it('gives the same event log here as there, byte for byte, and another seed another', async () => {
    const there = await simulate('--seed', String(SEED), '--schedules', '1', '--log');
    const here = async (each: number) => {
      const options = readOptions(['--fault-seconds', String(FAULT_SECONDS)]);
      invariant(options !== undefined, 'options that run something');
      const { eventLog } = await run({ plan: options.planOf(each), crypto: 'stand-in' });
      return `${eventLog.join('\n')}\n`;
    };
    assert.equal(await here(SEED), there);
    assert.equal(await here(SEED), there, 'again');
    assert.notEqual(await here(SEED + 1), there);
  });
});
