// npm run simulate, as people and scripts meet it: what it prints, what it leaves on disk, and that nothing but a verdict looks like one.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { PLAIN_SHAPE } from '../../src/simulation/chain-shape.ts';
import { UsageError } from '../../src/simulation/command-arguments.ts';
import { readOptions } from '../../src/simulation/command-line.ts';
import { obstacleToFolder, obstacleToPage } from '../../src/simulation/failure-files.ts';
import { readPlan } from '../../src/simulation/plan.ts';

const MAIN = 'src/simulation/main.ts';
const SOAK = 'scripts/soak-simulate.ts';
const TIMEOUT_MS = 120_000;

/** A schedule on disks that lie, and that shows it within a second. */
const LYING = {
  format: 'coppice-schedule/1',
  plan: {
    seed: 1,
    nodes: 4,
    disksLie: true,
    faultsUntilMs: 900,
    shape: PLAIN_SHAPE,
    dishonest: [{ validator: 0, strategy: 'replaying' }],
    faults: [
      { fromMs: 100, forMs: 200, what: { kind: 'duplicates', share: 0.2 } },
      { fromMs: 600, forMs: 100, what: { kind: 'crash', node: 3, end: 'power-lost', trigger: 'at-once' } },
    ],
  },
};

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'coppice-simulate-'));
});
after(() => rmSync(folder, { recursive: true }));

const runNode = (...args: readonly string[]) => spawnSync(process.execPath, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
const simulate = (...args: readonly string[]) => runNode(MAIN, ...args);
const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

describe('a failure', () => {
  it('is shrunk, shown, written down, and repeated from what was written', () => {
    const file = join(folder, 'lying.json');
    writeFileSync(file, JSON.stringify(LYING));
    const { status, stdout, stderr } = simulate('--replay', file, '--out', folder, '--json');
    assert.equal(status, 1, stderr);
    assert.match(stderr, /seed 1: durability violated at \d+ ms by node-3/);
    assert.match(stderr, /seed 1 is shrunk in \d+ runs to 4 nodes, 1 faults, 0 dishonest validators \(nothing smaller shows it\)/);
    assert.match(stderr, /✗✗ durability violated at node-3/);
    assert.equal((JSON.parse(lastLine(stdout)) as { violations: unknown[] }).violations.length, 1);
    const left = join(folder, 'simulate-1');
    for (const name of ['scenario.json', 'timeline.html', 'timeline.txt', 'events.log']) assert.ok(existsSync(join(left, name)), name);
    const scenario = join(left, 'scenario.json');
    assert.deepEqual(
      readPlan(scenario, readFileSync(scenario, 'utf8')).plan.faults?.map(({ what }) => what.kind),
      ['crash'],
    );
    const page = readFileSync(join(left, 'timeline.html'), 'utf8');
    for (const node of [0, 1, 2, 3]) assert.ok(page.includes(`data-lane="node-${node}"`), `node ${node}`);
    const again = simulate('--replay', scenario, '--no-shrink', '--out', join(folder, 'again'), '--timeline');
    assert.equal(again.status, 1, again.stderr);
    assert.match(again.stdout, /✗✗ durability violated at node-3/);
    assert.equal(readFileSync(join(folder, 'again/simulate-1/events.log'), 'utf8'), readFileSync(join(left, 'events.log'), 'utf8'));
  });
});

describe('a run without failures', () => {
  it('ends with the six promised figures first, and shows a single schedule where it is asked to', () => {
    const page = join(folder, 'seven.html');
    const { status, stdout, stderr } = simulate(
      ...['--seed', '7', '--schedules', '1', '--fault-seconds', '1', '--timeline', '--whole', '--html', page, '--json'],
    );
    assert.equal(status, 0, stderr);
    const figures = JSON.parse(lastLine(stdout)) as Readonly<Record<string, unknown>>;
    assert.deepEqual(Object.keys(figures).slice(0, 6), [
      'seed',
      'events',
      'eventsPerSecond',
      'simulatedSeconds',
      'violations',
      'eventLogHash',
    ]);
    assert.deepEqual(figures['violations'], []);
    assert.match(figures['eventLogHash'] as string, /^[0-9a-f]{64}$/);
    assert.match(stdout, /^ +ms {2}node-0.*node-3/m);
    assert.match(readFileSync(page, 'utf8'), /<title>Seed 7, 4 nodes: no violation<\/title>/);
  });

  it('stops beginning schedules when the time is over', () => {
    const { status, stdout, stderr } = simulate('--minutes', '0.02', '--fault-seconds', '0.5', '--nodes', '5', '--json');
    assert.equal(status, 0, stderr);
    const { schedules, seconds } = JSON.parse(lastLine(stdout)) as { schedules: number; seconds: number };
    assert.ok(schedules >= 1 && seconds >= 1.2, `${schedules} schedules in ${seconds} s`);
  });
});

describe('options that make no sense', () => {
  const file = (): string => join(folder, 'bad.json');
  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [['--schedules', '0'], /--schedules must be a whole number from 1/],
    [['--schedules', '1.5'], /--schedules must be a whole number from 1/],
    [['--workers', '0'], /--workers must be/],
    [['--workers', '2', '--schedules', '1'], /runs on one core/],
    [['--timeline'], /--timeline shows a single schedule/],
    [['--log', '--minutes', '1'], /--log shows a single schedule/],
    [['--html', 'x.html', '--schedules', '2'], /--html shows a single schedule/],
    [['--fault-seconds', '0.1'], /--fault-seconds must be from/],
    [['--clocks', 'late'], /--clocks must be exact or wrong, got late/],
    [['--links', 'copper'], /--links must be one of uniform, heavy-tailed, wan, got copper/],
    [['--latency-ms', '0.5'], /--latency-ms must be from 1 to 100, got "0.5"/],
    [['--latency-ms', 'far'], /--latency-ms must be a number above 0/],
    [['--links', 'wan', '--latency-ms', '20'], /as long as regions are apart/],
    [['--scenario', 'silent-peer-while-behind', '--fault-seconds', '1'], /do not go together/],
    [['--scenario', 'nobody-knows'], /--scenario nobody-knows is not known; known are swarm, silent-peer-while-behind, block-without/],
    [['--seed', '1', '--seed', '2'], /--seed is given twice/],
    [['--json', '--minutes', '1', '--minutes=1'], /--minutes is given twice/],
    [['--faults', 'crash,chaos'], /"chaos" is not known; known are crash, old-backup,.*, slow-links, or none alone/],
    [['--faults', 'none,crash'], /"none" is not known/],
    [['--faults', 'crash,crash'], /crash is named twice/],
    [['--faults', ''], /"" is not known/],
    [['--strategies', 'evil'], /"evil" is not known; known are twin, two-faced,.*, hunting, or none alone/],
    [['--scenario', 'rotten-signing-record', '--faults', 'crash'], /scenario rotten-signing-record has its own faults/],
    [['--wrong'], /^Unknown option '--wrong'$/],
    [['--replay', '/nowhere/x.json'], /cannot be read: ENOENT/],
    [['--seed', '1e3'], /--seed must be/],
    [['--seed', `${Number.MAX_SAFE_INTEGER}`, '--schedules', '2'], /there are no 2 seeds from 9007199254740991 on/],
    [['swarm'], /Unexpected argument 'swarm'/],
  ];
  for (const [args, told] of refused) {
    it(`are refused: ${args.join(' ')}`, () => {
      assert.throws(
        () => readOptions(args),
        (error) => error instanceof UsageError && told.test(error.message),
      );
    });
  }

  it('end the program with the usage and an exit code of 2', () => {
    const { status, stderr, stdout } = simulate('--schedules', '0');
    assert.equal(status, 2, stderr);
    assert.match(stderr, /^simulate: --schedules must be[^\n]*\n\nusage: npm run simulate/);
    assert.equal(stdout, '');
  });

  it('are refused where a file is none of ours, or goes with other options', () => {
    writeFileSync(file(), '{"format":"coppice-schedule/1","plan":{"seed":1,"nodes":4,"faults":[{"fromMs":1}]}}');
    assert.throws(() => readOptions(['--replay', file()]), /plan\.faults\.0\.forMs/);
    for (const [flag, value] of [
      ['--seed', '3'],
      ['--faults', 'crash'],
      ['--strategies', 'none'],
      ['--clocks', 'exact'],
      ['--links', 'wan'],
      ['--latency-ms', '9'],
    ] as const)
      assert.throws(() => readOptions(['--replay', file(), flag, value]), new RegExp(`--replay goes without ${flag}`));
  });

  it('are refused where the schedule of a file cannot be judged: which, where, and what to do', () => {
    const silent = [1, 2].map((validator) => ({ validator, strategy: 'silent' }));
    writeFileSync(file(), JSON.stringify({ format: 'coppice-schedule/1', plan: { seed: 1, nodes: 4, dishonest: silent } }));
    const { status, stderr, stdout } = simulate('--replay', file());
    assert.equal(status, 2);
    assert.match(stderr, /^simulate: --replay \S+bad\.json: plan\.dishonest: 2 of 4 are dishonest, [^\n]*; name 1 at most[^\n]*\n\nusage/);
    assert.equal(stdout, '');
  });
});

describe('a place for files', () => {
  it('is refused before anything runs where nothing can be written, and left as it was', () => {
    const taken = join(folder, 'taken');
    writeFileSync(taken, 'x');
    const before = readdirSync(folder);
    const [page, files] = [obstacleToPage, obstacleToFolder];
    const cases: readonly (readonly [string | undefined, RegExp | undefined])[] = [
      [page(join(folder, 'new.html')), undefined],
      [page(taken), undefined],
      [page(folder), /is a folder$/],
      [page(join(folder, 'no/new.html')), /^there is no folder .*no$/],
      [page(join(taken, 'new.html')), /taken is no folder$/],
      [page('/proc/new.html'), /ENOENT/],
      [page(''), /ENOENT/],
      [files(join(folder, 'new')), undefined],
      [files(folder), undefined],
      [files(taken), /taken is no folder$/],
      [files(join(folder, 'no/new')), /^there is no folder .*no$/],
      [files('/proc/new'), /ENOENT/],
      [files('/proc'), /ENOENT/],
    ];
    for (const [obstacle, told] of cases) {
      if (told === undefined) assert.equal(obstacle, undefined);
      else assert.match(obstacle ?? '', told);
    }
    assert.deepEqual(readdirSync(folder), before);
    assert.equal(readFileSync(taken, 'utf8'), 'x');
  });

  it('is named with its option, without a stack trace', () => {
    for (const [flag, place] of [
      ['--html', join(folder, 'no/page.html')],
      ['--out', join(folder, 'no/files')],
    ] as const) {
      const { status, stderr, stdout } = simulate('--seed', '7', '--schedules', '1', flag, place);
      assert.equal(status, 2, stderr);
      assert.ok(stderr.startsWith(`simulate: ${flag} ${place} cannot be written: there is no folder`), stderr);
      assert.doesNotMatch(stderr, /^ +at /m);
      assert.equal(stdout, '');
    }
    assert.equal(existsSync(join(folder, 'no')), false);
  });

  it('that is full only afterwards fails the run in one line', () => {
    const { status, stderr } = simulate('--seed', '7', '--schedules', '1', '--fault-seconds', '0.5', '--html', '/dev/full');
    assert.equal(status, 2, stderr);
    assert.match(stderr, /^simulate: \/dev\/full could not be written: ENOSPC.*$/m);
    assert.doesNotMatch(stderr, /^ +at /m);
  });
});

describe('what is no verdict', () => {
  // A module that is loaded before the simulator, and does it harm.
  const harmed = (harm: string, ...args: readonly string[]) =>
    runNode('--import', `data:text/javascript,${encodeURIComponent(harm)}`, MAIN, ...args);

  it('is an event loop that runs empty', () => {
    const { status, stderr, stdout } = harmed(
      `import timers from 'node:timers/promises'; import { syncBuiltinESMExports } from 'node:module';
       timers.setImmediate = () => new Promise(() => {}); syncBuiltinESMExports();`,
      ...['--seed', '9', '--schedules', '1', '--json'],
    );
    assert.equal(status, 2, stderr);
    assert.match(stderr, /ended without a verdict\n.*seed 9/);
    assert.equal(stdout, '');
  });

  it('is an exception or a rejection beside all promises', () => {
    for (const harm of [
      "setTimeout(() => { throw new Error('planted'); }, 800)",
      "setTimeout(() => void Promise.reject(new Error('planted')), 800)",
    ]) {
      const { status, stderr } = harmed(harm, '--seed', '9', '--workers', '1', '--json');
      assert.equal(status, 2, stderr);
      assert.match(stderr, /planted/);
    }
  });

  it('is a time that is over before anything ran', () => {
    const { status, stderr, stdout } = runNode(MAIN, '--minutes', '1e-9', '--json');
    assert.equal(status, 2, stderr);
    assert.match(stderr, /the time was over before a schedule began/);
    assert.equal(stdout, '');
  });

  it('is a worker that dies, and its seed is told', async () => {
    const { child, ended } = started('--schedules', '100000', '--workers', '2');
    const [worker] = await childrenOf(child);
    assert.ok(worker !== undefined);
    process.kill(worker, 'SIGKILL');
    const { code, stderr } = await ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, /simulation\/no-verdict.*"seed":\d+.*SIGKILL/);
  });

  it('is an interrupt; what was done so far is told', async () => {
    const { child, ended } = started('--schedules', '100000', '--workers', '2', '--json');
    await childrenOf(child);
    child.kill('SIGINT');
    const { code, stderr, stdout } = await ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /ended by SIGINT\n\d+ schedules of 4 nodes from seed 1/);
    assert.equal((JSON.parse(lastLine(stdout)) as { seed: number }).seed, 1);
  });
});

describe('npm run soak:simulate', () => {
  it('appends what it did, and goes on with the next seed', () => {
    const file = join(folder, 'soak.jsonl');
    const soak = () => runNode(SOAK, '--minutes', '0.01', '--nodes', '4', '--file', file);
    assert.equal(soak().status, 0);
    assert.equal(soak().status, 0);
    const [first, second] = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, number | string | object>>);
    assert.equal(first?.['firstSeed'], 1);
    assert.equal(second?.['firstSeed'], (first?.['lastSeed'] as number) + 1);
    assert.deepEqual(first?.['violations'], []);
    assert.match(String(first?.['commit']), /^[0-9a-f]{40}$/);
    assert.ok((first?.['simulatedHours'] as number) > 0);
  });

  it('records nothing when there was no verdict', () => {
    const file = join(folder, 'none.jsonl');
    const { status, stderr } = runNode(SOAK, '--minutes', 'x', '--file', file);
    assert.equal(status, 2);
    assert.match(stderr, /--minutes must be a number/);
    assert.equal(existsSync(file), false);
  });
});

function started(...args: readonly string[]): {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string; readonly stdout: string }>;
} {
  const child = spawn(process.execPath, [MAIN, ...args], { timeout: TIMEOUT_MS });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { child, ended: new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr, stdout }))) };
}

// The processes that a process has started, from /proc; waits until there are some.
async function childrenOf({ pid }: ChildProcess): Promise<readonly number[]> {
  const file = `/proc/${pid}/task/${pid}/children`;
  for (let tries = 0; tries < 600; tries++) {
    const children = readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number);
    if (children.length > 0) return children;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`process ${pid} has no child`);
}
