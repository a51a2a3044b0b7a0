// The plan of committees: the table, the object for programs, and options that make no sense. The command as a process: test/system/commands.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { type PlanFigures, planCommittees, planLines, planObject } from '../../src/cli/committee-plan.ts';
import { addCommitteesCommand } from '../../src/cli/committees.ts';
import { fraction, fractionOfDecimal, whole } from '../../src/core/primitives/fraction.ts';

const FIGURES: PlanFigures = {
  totalSeats: 1_000,
  committeeSeats: 400,
  schedule: { shards: 16, epochSeconds: 3_600, withholdingFactor: whole(2) },
  faultyPercentages: ['20', '25', '33.33'].map((text) => fractionOfDecimal(text) ?? whole(0)),
  targetPerYear: fraction(1n, 1_000n),
};

/** What commander says of options that it does not take. */
async function faultOf(...args: readonly string[]): Promise<string> {
  const said: string[] = [];
  const program = new Command('coppice').exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
  addCommitteesCommand(program);
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: (text) => said.push(text) });
  await assert.rejects(program.parseAsync(['node', 'coppice', 'committees', ...args]));
  return said.join('');
}

describe('the plan of committees', () => {
  const plan = planCommittees(FIGURES);

  it('shows both failures, their probabilities and years, and advises', () => {
    const lines = planLines(plan);
    const text = lines.join('\n');
    assert.match(lines[0] ?? '', /^1000 seats in all, committees of 400, shards: 16, epochs of 3600 s, withheld seeds count 2 times$/);
    assert.match(text, /^134 or more of a committee's 400 seats faulty, at least a third: it may stall its shard, or fork it before/m);
    assert.match(text, /^267 or more of a committee's 400 seats faulty, more than two thirds: it may anchor a false state/m);
    assert.match(text, /^ {2}25 % \(250\) +3\.5e-7 +1\.1e-5 +0\.099 +10$/m);
    assert.match(text, /^ {2}20 % \(200\) +0 +0 +0 +never$/m);
    assert.match(text, /^ {2}25 % \(250\) +472 +39$/m);
    assert.match(text, /^ {2}33\.33 % \(334\) +no size is enough +\d+$/m);
  });

  it('gives programs the same in one object, precisely', () => {
    const object = JSON.parse(JSON.stringify(planObject(plan)));
    assert.deepEqual(
      [object.totalSeats, object.committeeSeats, object.drawnSeats, object.shards, object.epochSeconds],
      [1_000, 400, 400, 16, 3_600],
    );
    assert.deepEqual(
      [object.seatsToBlock, object.seatsToCapture, object.withholdingFactor, object.targetPerYear],
      [134, 267, '2', '0.001'],
    );
    assert.deepEqual(object.faulty[1], {
      percent: '25',
      seats: 250,
      blocked: {
        perCommittee: '3.54139e-7',
        perEpoch: '1.13325e-5',
        perYear: '0.0993403',
        yearsUntilFirst: '10.0664',
        smallestCommitteeSeats: 472,
      },
      captured: { perCommittee: '0', perEpoch: '0', perYear: '0', yearsUntilFirst: null, smallestCommitteeSeats: 39 },
    });
    assert.equal(object.faulty[2].blocked.smallestCommitteeSeats, null);
  });

  it('meets the target with the size that it advises, and with no smaller one', () => {
    const at = (committeeSeats: number): number =>
      Number(JSON.parse(JSON.stringify(planObject(planCommittees({ ...FIGURES, committeeSeats })))).faulty[1].blocked.perYear);
    assert.ok(at(472) <= 0.001);
    for (const smaller of [471, 470, 469, 400]) assert.ok(at(smaller) > 0.001);
  });

  it('says where a committee is all seats that there are', () => {
    const few = planCommittees({ ...FIGURES, totalSeats: 4, faultyPercentages: [whole(25)] });
    assert.match(planLines(few).join('\n'), /committees of 4,.*\n\(a committee would have 400 seats: each is all that there are\)/);
    assert.equal(few.drawnSeats, 4);
  });
});

describe('the options of coppice committees', () => {
  it('are refused by name where they make no sense', async () => {
    assert.match(await faultOf(), /required option '--plan'/);
    for (const [option, values] of [
      ['--total-seats', ['0', '-1', '1.5', 'many']],
      ['--committee-seats', ['0', '4e2']],
      ['--shards', ['0', '1025']],
      ['--epoch-seconds', ['0', '1h']],
      ['--faulty-percent', ['', '101', '20,', '20;25', '-1', '100.001', new Array(17).fill('1').join(',')]],
      ['--withholding-factor', ['0.5', '0', '1001', 'two']],
      ['--target', ['0', '1', '1.5', '-0.1', '1/1000']],
    ] as const) {
      for (const value of values)
        assert.match(await faultOf('--plan', `${option}=${value}`), new RegExp(`option '${option} .* is invalid`));
    }
  });
});
