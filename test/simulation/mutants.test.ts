// The checker is checked: rules of the protocol are broken on purpose, one at a time, and the checks of the simulator see each of them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isError } from '../../src/core/primitives/errors.ts';
import { MUTANTS } from '../../src/simulation/mutants/catalogue.ts';
import { patched } from '../../src/simulation/mutants/mutant.ts';
import { MutantCrew } from '../../src/simulation/mutants/mutant-crew.ts';
import type { Findings } from '../../src/simulation/mutants/run-task.ts';
import { typeFaultsOf } from '../../src/simulation/mutants/type-check.ts';
import { verdictOn } from '../../src/simulation/mutants/verdict.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const MAIN = join(PROJECT, 'src/simulation/mutants/main.ts');
const RUN_MS_MAX = 900_000;

const [first] = MUTANTS;
assert.ok(first !== undefined);

describe('the list of mutants', () => {
  it('breaks at least 25 rules of production code, each under a name of its own', () => {
    assert.ok(MUTANTS.length >= 25, `${MUTANTS.length} mutants`);
    assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
    for (const { name, file, violates } of MUTANTS) {
      assert.match(file, /^src\/(?!simulation\/)/, name);
      assert.ok(violates.length > 0 && !violates.includes('no-fault'), `${name} is to be caught by a property`);
    }
  });

  for (const mutant of MUTANTS) {
    it(`has a patch for ${mutant.name} that fits exactly once and changes something`, () => {
      const source = readFileSync(join(PROJECT, mutant.file), 'utf8');
      assert.notEqual(patched(mutant, source), source);
    });
  }

  it('refuses by name a patch that fits never, or twice', () => {
    for (const [source, matches] of [
      ['', 0],
      [first.find + first.find, 2],
    ] as const) {
      assert.throws(
        () => patched(first, source),
        (error) => isError(error, 'mutants/patch-does-not-fit') && error.facts.mutant === first.name && error.facts.matches === matches,
      );
    }
  });
});

describe('the type check of mutants', () => {
  it('finds a patch that does not type-check, and one that changes what its file declares', () => {
    const wrong = { ...first, name: 'wrong', find: 'header.round > record.lastVotedRound', replace: "header.round > 'two'" };
    assert.match(typeFaultsOf([wrong], PROJECT).join('\n'), /wrong\/src\/core\/consensus\/vote\.ts.*TS2365/);
    const declared = 'export function mayVote({ record, round }';
    const other = { ...first, name: 'other', find: declared, replace: `export const more = 1;\n${declared}` };
    assert.match(typeFaultsOf([other], PROJECT).join('\n'), /^other: .* declares other types/);
  });
});

describe('the verdict on a mutant', () => {
  const findings = (changes: Partial<Findings>) => ({
    findings: { trials: 3, blocks: 20, violation: undefined, isOfCalm: false, events: 1, processorMs: 1, ...changes },
    reason: '',
  });
  const violationOf = (property: 'agreement' | 'no-fault') => ({ property, atMs: 1, node: undefined, detail: 'x' });

  it('is that it is caught when a property fails that its rule upholds', () => {
    const { caughtBy } = verdictOn({ violates: ['agreement'] }, findings({ violation: violationOf('agreement') }));
    assert.equal(caughtBy, 'agreement');
  });

  it('is that it survives a crash, a dead process, a world that does not start, another property, and silence', () => {
    const ends = [
      findings({ violation: violationOf('no-fault') }),
      { findings: undefined, reason: 'exit code 1' },
      findings({ violation: violationOf('agreement'), blocks: 0 }),
      findings({}),
    ];
    for (const end of ends) assert.equal(verdictOn({ violates: ['agreement'] }, end).caughtBy, undefined, JSON.stringify(end));
    assert.equal(verdictOn({ violates: ['validity'] }, findings({ violation: violationOf('agreement') })).caughtBy, undefined);
  });
});

describe('the processes that run mutants', () => {
  it('tell how one ended that gave no verdict', async () => {
    const crew = new MutantCrew();
    const { findings, reason } = await crew.run({ mutant: 'nobody', task: { trials: [], mayCrash: true } });
    crew.close();
    assert.equal(findings, undefined);
    assert.match(reason, /^exit code 1, signal null; .*no mutant is named nobody/s);
  });
});

describe('npm run simulate:mutants', () => {
  it('catches every mutant by a property, and finds nothing wrong without a patch', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, '--json'], {
      encoding: 'utf8',
      timeout: RUN_MS_MAX,
      maxBuffer: 1e8,
    });
    const figures = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    assert.deepEqual(figures['survivors'], [], stdout);
    assert.deepEqual(figures['falseAlarms'], [], stderr);
    assert.equal(figures['mutants'], MUTANTS.length);
    assert.equal(figures['caught'], MUTANTS.length);
    assert.equal(status, 0, stderr);
    console.log(stdout.split('\n').slice(0, -2).join('\n'));
  });

  it('refuses what makes no sense, with the options and an exit code that is not 0', () => {
    for (const args of [['--only', 'x'], ['--workers', '0'], ['-x']]) {
      const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
      assert.equal(status, 2, args.join(' '));
      assert.match(stderr, /^simulate:mutants: .*\n\nusage: /s, args.join(' '));
    }
  });
});
