// What the soaks share. Options that make no sense end with exit code 2 and leave no trace; a run that began leaves its line in the file,
// whatever came of it: with its figures, and where it failed with the reason.
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { describeHardware } from '../bench/devnet/resource-use.ts';

/** Options that make no sense. */
export class UsageError extends Error {}

/** The exit code where the run says nothing about the product: the options make no sense, or the tool itself failed. */
export const NO_VERDICT = 2;

/** The file that is committed. */
export const SOAK_FILE = join(import.meta.dirname, '../docs/soak.jsonl');

/** What came of a run. */
export interface SoakOutcome {
  readonly exitCode: number;
  readonly figures: Readonly<Record<string, unknown>>;
  /** Why it did not come to its end, or what did not hold. */
  readonly failed?: string;
}

/** Where the line goes. */
export interface SoakRecord {
  readonly soak: string;
  readonly file: string;
  /** Print the line too. */
  readonly json: boolean;
}

/** Runs a soak's `main`, which gives the exit code; for options that make no sense says so with the usage. */
export async function runSoak(usage: string, main: () => Promise<number>): Promise<void> {
  process.exitCode = NO_VERDICT; // Until there is a verdict: a program that just ends, with nothing left to wait for, has none.
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(error instanceof UsageError ? `${error.message}\n\n${usage}` : (error as Error).stack);
  }
}

/** Runs it and appends the line; gives the exit code. */
export async function recordSoak({ soak, file, json }: SoakRecord, run: () => Promise<SoakOutcome>): Promise<number> {
  const startedAt = new Date();
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  const outcome = await run().catch((error: unknown): SoakOutcome => {
    console.error(error);
    return { exitCode: NO_VERDICT, figures: {}, failed: error instanceof Error ? error.message : String(error) };
  });
  const seconds = Math.round((Date.now() - startedAt.getTime()) / 1_000);
  const { exitCode, figures, failed } = outcome;
  const line = JSON.stringify({ soak, commit, at: startedAt.toISOString(), seconds, hardware: describeHardware(), ...figures, failed });
  if (json) console.log(line);
  try {
    appendFileSync(file, `${line}\n`);
  } catch (error) {
    console.error(`${file} cannot be written, so the line is here: ${line}`);
    throw error;
  }
  if (failed !== undefined) console.error(`${soak}: ${failed}`);
  return exitCode;
}

/** The values of the options; throws `UsageError`. */
export function parseOptions<const T extends ParseArgsOptionsConfig>(options: T) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A whole number from `min` to `max`; throws `UsageError`. */
export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (!/^\d{1,15}$/.test(text) || number < min || number > max)
    throw new UsageError(`--${flag} must be a whole number from ${min} to ${max}, got "${text}"`);
  return number;
}

/** A number of minutes above 0; throws `UsageError`. */
export function minutesOf(text: string, max: number): number {
  const minutes = Number(text);
  if (!/^\d{1,6}(\.\d{1,6})?$/.test(text) || minutes === 0 || minutes > max)
    throw new UsageError(`--minutes must be a number above 0 and up to ${max}, got "${text}"`);
  return minutes;
}
