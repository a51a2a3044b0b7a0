// The study of many shards in small, on costs that stand here instead of being measured: what it counts, what bounds it, and that its short forms agree
// with the committee model that runs the engine itself.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { committeeInstance, MAINNET } from '../../bench/scale/committee.ts';
import type { Costs } from '../../bench/scale/costs.ts';
import { runScale } from '../../bench/scale/model.ts';
import { consensusLoadOf } from '../../bench/scale/shards/consensus-load.ts';
import { type NetworkOptions, runNetwork } from '../../bench/scale/shards/network.ts';
import { roundTripsOf } from '../../bench/scale/shards/wan-rounds.ts';
import { TRANSACTION_GAS } from '../../src/core/protocol/gas.ts';
import { installHashtree } from '../../src/runtime/native/ssz-hashtree.ts';

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
const INTERVAL_MS = 500;

function options(shards: number, changed: Partial<NetworkOptions> = {}): NetworkOptions {
  return {
    shards,
    committee: 16,
    parameters: { ...MAINNET, blockIntervalMsMin: INTERVAL_MS },
    transfer: {
      intakeMs: 0.08,
      recoverMs: 0.06,
      buildMs: 0.01,
      localMs: 0.06,
      sendMs: 0.06,
      receiveMs: 0.06,
      transactionBytes: 114,
      inboxItemBytes: 742,
    },
    beacon: { crosslinkMs: 0.1, headerMs: 0.1, stateRootMs: 1, crosslinkBytes: 1_500, headerBytes: 1_300 + 48 * shards },
    shardConsensus: consensusLoadOf(committeeInstance(16), COSTS),
    beaconConsensus: consensusLoadOf(committeeInstance(16 * shards), COSTS),
    verifyCertificateMs: COSTS.verifyCertificate,
    hasVerifierThreads: true,
    seconds: 30,
    seed: 1,
    ...changed,
  };
}

before(() => installHashtree());

describe('a network of shards on a wide-area network', () => {
  it('of one shard completes what its blocks may buy', () => {
    const { completedPerSecond, crossPercent, blocksPerSecond } = runNetwork(options(1));
    const aBlock = Math.floor(MAINNET.blockGasLimit / TRANSACTION_GAS);
    assert.equal(crossPercent, 0);
    assert.ok(Math.abs(blocksPerSecond - 1_000 / INTERVAL_MS) < 0.1);
    assert.ok(Math.abs(completedPerSecond - aBlock * blocksPerSecond) < 0.05 * completedPerSecond, `${completedPerSecond} a second`);
  });

  for (const shards of [4, 8]) {
    it(`of ${shards} has uniform users, and completes in each shard less by what a message buys in the block that takes it, and no more`, () => {
      const one = runNetwork(options(1));
      const many = runNetwork(options(shards));
      assert.ok(Math.abs(many.crossPercent - 100 * (1 - 1 / shards)) < 2, `${many.crossPercent} % cross`);
      const share = many.completedPerSecond / (shards * one.completedPerSecond);
      assert.ok(share > 0.88 && share < 0.96, `${share} of ${shards} times one`);
      assert.ok(many.crossMsP50 > many.localMsP50, 'two crosslinks take longer than one');
    });
  }

  it('comes to the same figures again', () => {
    assert.deepEqual(runNetwork(options(2)), runNetwork(options(2)));
  });

  it('completes no more than the beacon has room for', () => {
    const parameters = { ...MAINNET, blockIntervalMsMin: INTERVAL_MS, bodyBytesMax: 1024 * 1024 };
    const wide = runNetwork(options(4, { parameters }));
    const narrow = runNetwork(options(4, { parameters, beacon: { ...options(4).beacon, headerBytes: 400_000 } }));
    assert.ok(narrow.beaconFullPercent > 50 && wide.beaconFullPercent === 0);
    assert.ok(narrow.completedPerSecond < wide.completedPerSecond / 2);
  });
});

describe('the short forms of a committee', () => {
  for (const size of [16, 64]) {
    const instance = committeeInstance(size);
    const run = runScale({ instance, silent: 0, path: 'broadcast', costs: COSTS, blocks: 12, seed: 3 });
    const load = consensusLoadOf(instance, COSTS);

    it(`of ${size} take the processor time that the engine takes`, () => {
      const cpuMs = load.mainMs + load.verifyMs;
      assert.ok(Math.abs(cpuMs - run.cpuMs) < 0.15 * run.cpuMs, `${cpuMs} against ${run.cpuMs}`);
    });

    it(`of ${size} take the time to finality that it takes`, () => {
      const { finalMs } = roundTripsOf(instance.committee.members.map(({ validator }) => validator));
      const ms = finalMs + load.quorumMs + load.commitMs;
      assert.ok(Math.abs(ms - run.blockMsP50) < 0.25 * run.blockMsP50, `${ms} against ${run.blockMsP50}`);
    });
  }
});

describe('bench:scale --shards', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join('bench', 'scale', 'main.ts'), ...args], {
      encoding: 'utf8',
      timeout: 120_000,
      cwd: join(import.meta.dirname, '..', '..'),
    });

  it('measures, runs and prints one JSON object', () => {
    const { status, stdout, stderr } = run('--shards', '1,2', '--committee', '4', '--shard-interval', '500', '--seconds', '5', '--json');
    assert.equal(status, 0, stderr);
    const { rows } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    assert.deepEqual(
      rows.map((row: { readonly shards: number }) => row.shards),
      [1, 2, 1, 2],
    );
    for (const { completedPerSecond } of rows) assert.ok(completedPerSecond > 0);
  });

  it('refuses numbers of shards that are no layout of one depth', () => {
    const { status, stderr } = run('--shards', '1,3');
    assert.equal(status, 2, stderr);
    assert.match(stderr, /--shards/);
  });
});
