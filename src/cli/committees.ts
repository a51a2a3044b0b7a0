// coppice committees: how large committees have to be. So far it plans; it asks no node.
import { type Command, Option } from 'commander';
import type { Fraction } from '../core/primitives/fraction.ts';
import type { Seats } from '../core/primitives/ids.ts';
import { committeeOf } from '../core/protocol/genesis.ts';
import { readGenesisFile, readPreset } from '../node/genesis-file.ts';
import { selectCrypto } from '../runtime/native/select-crypto.ts';
import { type PlanFigures, planCommittees, planLines, planObject } from './committee-plan.ts';
import { parseCount, parseFactor, parsePercentages, parseProbability, parseShards } from './parse-option.ts';
import { printLine } from './print.ts';

interface CommitteesOptions {
  readonly genesis: string | undefined;
  readonly totalSeats: Seats | undefined;
  readonly committeeSeats: Seats | undefined;
  readonly shards: number;
  readonly epochSeconds: number;
  readonly faultyPercent: readonly Fraction[];
  readonly withholdingFactor: Fraction;
  readonly target: Fraction;
  readonly json: boolean;
}

/** All seats of a mainnet, where nothing else is said. */
const TOTAL_SEATS = 1_000;
const EPOCH_SECONDS = 3_600;
const SHARDS = 16;
const FAULTY_PERCENTAGES = '20,25,30,33';
const WITHHOLDING_FACTOR = '2';
const TARGET_PER_YEAR = '0.001';
/** Exact sums grow with the square of the seats: a few seconds for these. */
const PLANNED_SEATS_MAX = 20_000;

/** Adds the command. */
export function addCommitteesCommand(program: Command): void {
  program
    .command('committees')
    .description('how probable it is that a committee drawn of all seats is bad, and how large committees should be')
    .requiredOption('--plan', 'compute it from the figures below; no node is asked')
    .option('--genesis <file>', "take the seats in all and of a committee from a network's genesis.json")
    .option('--total-seats <number>', `seats of all validators (default: the genesis' or ${TOTAL_SEATS})`, parseCount)
    .option('--committee-seats <number>', "seats of a shard's committee (default: the genesis' or mainnet's)", parseCount)
    .option('--shards <number>', 'committees that are drawn for one epoch', parseShards, SHARDS)
    .option('--epoch-seconds <number>', 'how long an epoch lasts', parseCount, EPOCH_SECONDS)
    .addOption(written('--faulty-percent <list>', 'how much of all seats is faulty, such as 20,33.3', parsePercentages, FAULTY_PERCENTAGES))
    .addOption(written('--withholding-factor <number>', 'what withholding seeds buys an attacker', parseFactor, WITHHOLDING_FACTOR))
    .addOption(written('--target <probability>', 'acceptable probability of a failure in a year', parseProbability, TARGET_PER_YEAR))
    .option('--json', 'one line of JSON', false)
    .action(runCommittees);
}

/** An option whose default is written as a user would write it, which is also how help shows it. */
function written<T>(flags: string, description: string, parse: (text: string) => T, byDefault: string): Option {
  return new Option(flags, description).argParser(parse).default(parse(byDefault), byDefault);
}

function runCommittees(options: CommitteesOptions): void {
  const plan = planCommittees(figuresOf(options));
  if (options.json) printLine(JSON.stringify(planObject(plan)));
  else for (const line of planLines(plan)) printLine(line);
}

function figuresOf(options: CommitteesOptions): PlanFigures {
  const { shards, epochSeconds, withholdingFactor, faultyPercent, target } = options;
  const network = options.genesis === undefined ? mainnetSeats() : seatsOfGenesis(options.genesis);
  const totalSeats = options.totalSeats ?? network.totalSeats;
  if (totalSeats > PLANNED_SEATS_MAX) {
    throw new Error(`${totalSeats} seats in all: it can be computed exactly, and in time, for at most ${PLANNED_SEATS_MAX}`);
  }
  return {
    totalSeats,
    committeeSeats: options.committeeSeats ?? network.committeeSeats,
    schedule: { shards, epochSeconds, withholdingFactor },
    faultyPercentages: faultyPercent,
    targetPerYear: target,
  };
}

function mainnetSeats(): { readonly totalSeats: Seats; readonly committeeSeats: Seats } {
  return { totalSeats: TOTAL_SEATS, committeeSeats: readPreset('mainnet').committeeSeats };
}

function seatsOfGenesis(path: string): { readonly totalSeats: Seats; readonly committeeSeats: Seats } {
  const genesis = readGenesisFile(path, selectCrypto({ disableNative: false }).bls);
  return { totalSeats: committeeOf(genesis).totalSeats, committeeSeats: genesis.parameters.committeeSeats };
}
