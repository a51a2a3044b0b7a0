// npm run simulate: whole nodes under faults on virtual time, from the command line. Exit code 0 means that every schedule ran to its end and
// no property was violated; anything else, a fault of the simulator too, is not 0.
import { parseArgs } from 'node:util';
import { initialiseKeccak } from '../core/crypto/keccak.ts';
import { readPreset } from '../node/genesis-file.ts';
import { selectCrypto } from '../runtime/native/select-crypto.ts';
import { installHashtree } from '../runtime/native/ssz-hashtree.ts';
import { REGRESSIONS, type Scenario } from './scenarios.ts';
import type { ScheduleReport } from './schedule.ts';
import { standInCrypto } from './stand-in-crypto.ts';
import { runSwarm } from './swarm.ts';

const USAGE = `usage: npm run simulate -- [options]

  --seed 1            of the first schedule; each further one has the next
  --schedules 100     how many; with --minutes, no end but that of the time
  --minutes <n>       stop beginning schedules after so long
  --scenario swarm    swarm, or one of: ${REGRESSIONS.map(({ name }) => name).join(', ')}
  --nodes 4           validators
  --crypto stand-in   stand-in or real: BLS and VRF of curves, some fifty times slower
  --log               print the event log of the last schedule
  --json              print all figures as one JSON object in the last line`;

const NODES_MIN = 4;
const NODES_MAX = 64;

class UsageError extends Error {}

if (process.argv.includes('--help')) {
  console.log(USAGE);
} else {
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      console.error(`simulate: ${error instanceof UsageError ? `${error.message}\n\n${USAGE}` : (error as Error).stack}`);
      process.exitCode = 2;
    },
  );
}

interface Options {
  readonly seed: number;
  readonly schedules: number | undefined;
  readonly minutes: number | undefined;
  readonly scenario: Scenario | undefined;
  readonly nodes: number;
  readonly isReal: boolean;
  readonly log: boolean;
  readonly json: boolean;
}

async function main(): Promise<number> {
  const options = readOptions();
  await installHashtree({ disableNative: false });
  await initialiseKeccak();
  const crypto = options.isReal ? () => selectCrypto({ disableNative: false }) : standInCrypto;
  const startMs = performance.now();
  const endMs = options.minutes === undefined ? Number.POSITIVE_INFINITY : startMs + options.minutes * 60_000;
  let last: ScheduleReport | undefined;
  const summary = await runSwarm({
    firstSeed: options.seed,
    schedules: options.schedules,
    nodes: options.nodes,
    preset: readPreset('devnet'),
    crypto,
    faults: options.scenario?.faults,
    mayGoOn: () => performance.now() < endMs,
    onReport: (report) => {
      last = report;
      if (report.violation !== undefined) describeViolation(report, options);
    },
  });
  const seconds = (performance.now() - startMs) / 1_000;
  if (options.log) console.log(last?.eventLog.join('\n'));
  const figures = {
    seed: options.seed,
    ...summary,
    eventsPerSecond: Math.round(summary.events / seconds),
    timesRealTime: Number((summary.simulatedSeconds / seconds).toFixed(1)),
  };
  console.error(
    `${summary.schedules} schedules of ${options.nodes} nodes from seed ${options.seed}: ${summary.violations.length} violations; ` +
      `${summary.simulatedSeconds.toFixed(0)} s simulated in ${seconds.toFixed(0)} s, ${figures.eventsPerSecond} events a second; ` +
      `median ${summary.medianBlocks} blocks, ${summary.medianFaults} faults of ${summary.medianFaultKinds} kinds`,
  );
  if (options.json) console.log(JSON.stringify(figures));
  return summary.violations.length === 0 ? 0 : 1;
}

function describeViolation({ seed, violation, faults, dishonest }: ScheduleReport, { nodes, scenario }: Options): void {
  console.error(
    `seed ${seed}: ${violation?.property} violated at ${violation?.atMs} ms${violation?.node === undefined ? '' : ` by ${violation.node}`}`,
  );
  console.error(`  ${violation?.detail}`);
  for (const { validator, strategy } of dishonest) console.error(`  validator ${validator} is dishonest: ${strategy}`);
  for (const { fromMs, forMs, what } of faults) console.error(`  ${fromMs} to ${fromMs + forMs} ms: ${JSON.stringify(what)}`);
  const named = scenario === undefined ? '' : ` --scenario ${scenario.name}`;
  console.error(`  again: npm run simulate -- --seed ${seed} --schedules 1 --nodes ${nodes}${named} --log`);
}

function readOptions(): Options {
  const { values } = parse();
  const scenario = scenarioOf(values.scenario);
  const minutes = values.minutes === undefined ? undefined : positive('minutes', values.minutes);
  const schedules = values.schedules === undefined ? (minutes === undefined ? 100 : undefined) : positive('schedules', values.schedules);
  const nodes = values.nodes === undefined ? (scenario?.nodes ?? NODES_MIN) : positive('nodes', values.nodes);
  if (!Number.isInteger(nodes) || nodes < NODES_MIN || nodes > NODES_MAX)
    throw new UsageError(`--nodes must be a whole number from ${NODES_MIN} to ${NODES_MAX}, got ${values.nodes}`);
  if (scenario !== undefined && nodes !== scenario.nodes)
    throw new UsageError(`scenario ${scenario.name} is of ${scenario.nodes} nodes, got --nodes ${nodes}`);
  if (scenario !== undefined && values.seed !== undefined && values.schedules === undefined && minutes === undefined)
    throw new UsageError('a scenario has its own seed; with --seed, say how many --schedules of it to run');
  if (values.crypto !== 'stand-in' && values.crypto !== 'real')
    throw new UsageError(`--crypto must be stand-in or real, got ${values.crypto}`);
  const isOneScenario = scenario !== undefined && values.schedules === undefined && minutes === undefined;
  return {
    seed: values.seed === undefined ? (scenario?.seed ?? 1) : seedOf(values.seed),
    schedules: isOneScenario ? 1 : schedules,
    minutes,
    scenario,
    nodes,
    isReal: values.crypto === 'real',
    log: values.log,
    json: values.json,
  };
}

function parse() {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string' },
        schedules: { type: 'string' },
        minutes: { type: 'string' },
        scenario: { type: 'string', default: 'swarm' },
        nodes: { type: 'string' },
        crypto: { type: 'string', default: 'stand-in' },
        log: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function scenarioOf(name: string): Scenario | undefined {
  if (name === 'swarm') return undefined;
  const scenario = REGRESSIONS.find((each) => each.name === name);
  if (scenario === undefined) throw new UsageError(`--scenario ${name} is not known`);
  return scenario;
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new UsageError(`--${flag} must be a number above 0, got "${text}"`);
  return value;
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed)) throw new UsageError(`--seed must be a whole number from 0, got "${text}"`);
  return seed;
}
