// A seed says everything: the same event logs, byte for byte, in this process, in others, and over any number of workers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { before, describe, it } from 'node:test';
import { prepareJobs, type RunJob } from '../../src/simulation/schedule-job.ts';

const MAIN = 'src/simulation/main.ts';
const SEEDS = 40;
const FIRST_SEED = 7_000;
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

  it(`gives the same event logs in two processes, and over one worker and two: ${SEEDS} seeds`, async () => {
    const of = (workers: number) =>
      simulate('--seed', String(FIRST_SEED), '--schedules', String(SEEDS), '--workers', String(workers), '--json').then(
        (output) => JSON.parse(output) as Readonly<Record<string, unknown>>,
      );
    const [one, two] = await Promise.all([of(1), of(2)]);
    assert.equal(one['schedules'], SEEDS);
    assert.ok((one['events'] as number) > 200 * SEEDS, `${one['events']} events`);
    // All that is not a matter of real time.
    const timeless = ({ seconds: _s, workers: _w, eventsPerSecond: _e, timesRealTime: _t, ...rest }: Readonly<Record<string, unknown>>) =>
      rest;
    assert.deepEqual(timeless(two), timeless(one));
  });

  it('gives the same event log here as there, byte for byte, and another seed another', async () => {
    const seed = FIRST_SEED + 3;
    const there = await simulate('--seed', String(seed), '--schedules', '1', '--log');
    const here = async (each: number) => {
      const { eventLog } = await run({ plan: { seed: each, nodes: 4, faultsUntilMs: FAULT_SECONDS * 1_000 }, crypto: 'stand-in' });
      return `${eventLog.join('\n')}\n`;
    };
    assert.equal(await here(seed), there);
    assert.equal(await here(seed), there, 'again');
    assert.notEqual(await here(seed + 1), there);
  });
});
