// The scale study in small: committees of 4 and 16, on costs that stand here instead of being measured, so that figures are the same everywhere.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { committeeInstance } from '../../bench/scale/committee.ts';
import type { Costs } from '../../bench/scale/costs.ts';
import { finalityOf } from '../../bench/scale/finality.ts';
import { sizeOf, voteExample } from '../../bench/scale/messages.ts';
import { runScale } from '../../bench/scale/model.ts';
import { VOTE_PATHS } from '../../bench/scale/votes.ts';
import { installHashtree } from '../../src/runtime/native/ssz-hashtree.ts';
import { WAN_REGIONS, wanOneWayMs } from '../../src/simulation/wan.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const MAIN = join('bench', 'scale', 'main.ts');
const COSTS: Costs = {
  sign: 0.4,
  verifyBatch: (count) => 1.2 * count ** 0.8,
  aggregate: 1,
  verifyCertificate: 1.3,
  verifyPartial: () => 1.2,
  verifyTimeoutCertificate: 2,
  vrfProve: 3,
  vrfVerify: 2,
  takeVote: 0.1,
  takeTimeout: 0.1,
  takeProposal: 0.3,
  frame: 0.08,
};
const BLOCKS = 8;

before(() => installHashtree());

describe('a committee on a wide-area network', () => {
  for (const size of [4, 16]) {
    const instance = committeeInstance(size);
    const silent = Math.floor((size - 1) / 3);

    it(`of ${size} commits on every path of votes, with and without a third of it silent`, () => {
      for (const path of VOTE_PATHS) {
        for (const each of [0, silent]) {
          const figures = runScale({ instance, silent: each, path, costs: COSTS, blocks: BLOCKS, seed: 3 });
          assert.ok(figures.blockMsP50 > 0 && figures.blockMsP50 <= figures.blockMsP99, JSON.stringify(figures));
          assert.ok(each > 0 || figures.roundsFailed === 0, `nobody is silent and a round failed: ${JSON.stringify(figures)}`);
        }
      }
    });

    it(`of ${size} sends what its messages weigh, and finality takes three one-way trips at least`, () => {
      const figures = runScale({ instance, silent: 0, path: 'broadcast', costs: COSTS, blocks: BLOCKS, seed: 3 });
      const votesKb = (2 * (size - 1) * sizeOf({ kind: 'vote', vote: voteExample(instance, 0) })) / 1_000;
      assert.ok(figures.sentKb > votesKb, `${figures.sentKb} kB, of which votes alone are ${votesKb}`);
      assert.ok(Math.abs(figures.sentKb - figures.receivedKb) < 0.1 * figures.sentKb, 'what is sent is received');
      const regions = Array.from({ length: Math.min(size, WAN_REGIONS.length) }, (_unused, region) => region);
      const nearest = Math.min(...regions.flatMap((from) => regions.filter((to) => to !== from).map((to) => wanOneWayMs(from, to))));
      assert.ok(figures.blockMsP50 > 3 * nearest);
    });
  }

  it('comes to the same figures again', () => {
    const options = { instance: committeeInstance(16), silent: 5, path: 'tree', costs: COSTS, blocks: 4, seed: 9 } as const;
    assert.deepEqual(runScale(options), runScale(options));
  });
});

describe('finality', () => {
  it('counts a transaction from when it came, and long gaps by the transactions that come in them', () => {
    const times = {
      proposedAtMs: new Map([
        [1, 0],
        [2, 100],
        [3, 1_000],
      ]),
      committedAtMs: [
        new Map([
          [2, 150],
          [3, 1_050],
        ]),
      ],
    };
    const { blockMsP50, blockMsP99, transactionMsP50, transactionMsP99 } = finalityOf(times, 2, 3);
    assert.deepEqual([blockMsP50, blockMsP99], [50, 50]);
    assert.equal(transactionMsP50, 50 + 900 * 0.45);
    assert.equal(transactionMsP99, 50 + 900 * 0.95);
  });
});

describe('bench:scale', () => {
  it('measures, runs, draws and prints one JSON object', () => {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-scale-'));
    try {
      const svg = join(folder, 'scale.svg');
      const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, '--sizes', '4,16', '--blocks', '2', '--svg', svg, '--json'], {
        encoding: 'utf8',
        timeout: 120_000,
        cwd: PROJECT,
      });
      assert.equal(status, 0, stderr);
      const { figures } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      assert.equal(figures.length, 2 * 2 * VOTE_PATHS.length);
      assert.ok(existsSync(svg) && readFileSync(svg, 'utf8').includes('<polyline'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses a committee of no size', () => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, '--sizes', '4,x'], { encoding: 'utf8', timeout: 60_000, cwd: PROJECT });
    assert.equal(status, 2, stderr);
    assert.match(stderr, /--sizes/);
  });
});
