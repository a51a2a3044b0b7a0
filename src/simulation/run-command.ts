// How a command that gives a verdict ends. Exit code 0 means that everything held, 1 that something did not; whatever else ends the process is
// no verdict, and must look like none: options that make no sense, a result that could not be written, an exception beside all promises, an
// event loop that runs empty.
import { UsageError } from './command-arguments.ts';
import { OutputError } from './result-output.ts';

/** The exit code where there is no verdict. */
export const NO_VERDICT = 2;

/** A command. */
export interface VerdictCommand {
  /** As errors name it. */
  readonly name: string;
  /** Its options, for people. */
  readonly usage: string;
  /** Gives the exit code of its verdict. */
  readonly run: () => Promise<number>;
  /** What was under way, for those who look for the reason of an end without a verdict. */
  readonly underway?: () => string | undefined;
}

/** Runs it, and sets the exit code of the process. */
export function runCommand({ name, usage, run, underway = () => undefined }: VerdictCommand): void {
  let isOver = false;
  const tell = (text: string): void =>
    console.error([text, underway()].flatMap((line) => (line === undefined ? [] : [`${name}: ${line}`])).join('\n'));
  const end = (error: unknown): never => {
    isOver = true;
    tell(describe(error, usage));
    process.exit(NO_VERDICT);
  };
  process.exitCode = NO_VERDICT; // Until there is one: a program that just ends, with nothing left to wait for, has none.
  process.on('uncaughtException', end);
  process.on('exit', (code) => {
    if (!isOver && code === NO_VERDICT) tell('ended without a verdict');
  });
  run().then((code) => {
    isOver = true;
    process.exitCode = code;
  }, end);
}

function describe(error: unknown, usage: string): string {
  if (error instanceof UsageError) return `${error.message}\n\n${usage}`;
  if (error instanceof OutputError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
