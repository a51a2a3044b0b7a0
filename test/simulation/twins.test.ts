// Twins: every scenario of a few rounds, and that the enumeration finds what is wrong where something is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { BEACON_CHAIN, ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { exploreTwins, runTwinsScenario } from '../../src/simulation/twins/explore.ts';
import { runOnWholeNodes } from '../../src/simulation/twins/whole-nodes.ts';
import { prepareHashes } from './hashes.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const MAIN = join(PROJECT, 'src', 'simulation', 'twins', 'main.ts');
const ONE_PAIR = { validators: 4, twins: 1 };
const TWO_PAIRS = { validators: 4, twins: 2 };
const WHOLE_NODE_SCENARIOS = 12;

before(() => prepareHashes());

describe('four validators, one of them twice', () => {
  for (const { rounds, planSet, scenarios, distinct } of [
    { rounds: 2, planSet: 'two-groups', scenarios: (4 * 16 * 3) ** 2, distinct: 4_590 },
    { rounds: 3, planSet: 'cuts', scenarios: (4 * 14) ** 3, distinct: 17_928 },
  ] as const) {
    it(`agree, certify one block a round and recover in all ${scenarios} scenarios of ${rounds} rounds (${planSet})`, (test) => {
      const report = exploreTwins({ cast: ONE_PAIR, rounds, planSet, stopAtFailure: false });
      test.diagnostic(JSON.stringify(report));
      assert.deepEqual(report.failures, []);
      assert.ok(report.isComplete);
      assert.equal(report.scenarios, scenarios, 'leaders × plans, to the power of rounds: the classes of equals add up to all');
      assert.equal(report.distinct, distinct);
      assert.ok(report.withCommit > 0 && report.withCommit < report.distinct, 'some commit under partitions, others cannot');
    });
  }

  it(`keep the checks of whole nodes in ${WHOLE_NODE_SCENARIOS} scenarios of the leaders that their seeds draw`, async () => {
    await prepareHashes();
    const leaders = new Set<number>();
    for (let seed = 1; seed <= WHOLE_NODE_SCENARIOS; seed++) {
      const crypto = standInCrypto();
      const chain = seed % 2 === 0 ? BEACON_CHAIN : ROOT_SHARD;
      const report = await runOnWholeNodes({ seed, cast: ONE_PAIR, rounds: 3, chain, crypto, preset: readPreset('devnet') });
      assert.equal(report.violation, undefined, `seed ${seed}: ${JSON.stringify(report)}`);
      for (const leader of report.leaders) leaders.add(leader);
    }
    assert.deepEqual([...leaders].sort(), [0, 1, 2, 3]);
  });
});

describe('four validators, two of them twice', () => {
  it('disagree in some scenario, which can be run again by itself', () => {
    const { failures } = exploreTwins({ cast: TWO_PAIRS, rounds: 2, planSet: 'cuts', stopAtFailure: true });
    const [failure] = failures;
    assert.ok(failure !== undefined, 'more than f faulty validators break it');
    assert.deepEqual(runTwinsScenario(TWO_PAIRS, failure.leaders, failure.plans)?.property, failure.violation.property);
  });
});

// Each is one rule of the engine less; the text must be there exactly once.
const PLANTED = [
  {
    rule: 'a quorum is more than two thirds',
    file: 'core/protocol/committee.ts',
    find: 'return seats * 3 > committee.totalSeats * 2;',
    replace: 'return seats * 2 >= committee.totalSeats;',
    options: ['--rounds', '2', '--plans', 'two-groups'],
    property: /^(?:agreement|certificates)$/,
  },
  {
    rule: 'nobody commit-votes in a round that it has given up',
    file: 'core/consensus/commit-vote.ts',
    find: 'record.lastTimeoutRound < point.round && ',
    replace: '',
    options: ['--rounds', '3', '--plans', 'cuts'],
    property: /^agreement$/,
  },
  {
    rule: 'a QC is adopted however late it comes',
    file: 'core/consensus/adopt.ts',
    find: 'if (round <= highestRoundOf(state.record)) return',
    replace: 'if (round <= highestRoundOf(state.record) || round <= state.record.lastTimeoutRound) return',
    options: ['--rounds', '2', '--plans', 'two-groups'],
    property: /^liveness$/,
  },
] as const;

describe('the enumeration of Twins scenarios', () => {
  for (const { rule, file, find, replace, options, property } of PLANTED) {
    it(`fails where the rule is gone that ${rule}`, () => {
      const hook = `import { registerHooks } from 'node:module';
        registerHooks({
          load(url, context, nextLoad) {
            const loaded = nextLoad(url, context);
            if (!url.endsWith(${JSON.stringify(file)})) return loaded;
            const parts = String(loaded.source).split(${JSON.stringify(find)});
            if (parts.length !== 2) throw new Error('the text is there ' + (parts.length - 1) + ' times');
            return { ...loaded, source: parts.join(${JSON.stringify(replace)}) };
          },
        });`;
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, MAIN, ...options, '--first', '--json'],
        { encoding: 'utf8', timeout: 120_000, cwd: PROJECT },
      );
      assert.equal(status, 1, stderr);
      const { failures } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      assert.match(failures[0].property, property);
    });
  }

  it('refuses options that make no sense, and says which', () => {
    for (const [option, value] of [
      ['--rounds', '0'],
      ['--rounds', 'two'],
      ['--plans', 'some'],
      ['--pairs', '3'],
      ['--unknown', '1'],
    ] as const) {
      const { status, stderr } = spawnSync(process.execPath, [MAIN, option, value], { encoding: 'utf8', timeout: 60_000, cwd: PROJECT });
      assert.equal(status, 2, stderr);
      assert.ok(stderr.includes(option), stderr);
    }
  });
});
