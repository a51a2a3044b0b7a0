// Structured logs, one JSON object a line, to the node's `log` folder or to standard output.
import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import pino, { type Logger as PinoLogger } from 'pino';

/** Where to and how much. */
export interface LoggerOptions {
  readonly level: string;
  /** A file path; standard output where undefined. */
  readonly file: string | undefined;
  /** Facts that every line carries. */
  readonly base: Readonly<Record<string, unknown>>;
}

/** The node's logger; it fits the runtime's `Logger` port. */
export function createLogger({ level, file, base }: LoggerOptions): PinoLogger {
  const destination = file === undefined ? pino.destination(1) : pino.destination({ dest: openLog(file), sync: false });
  return pino({ level, base: { ...base }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

// Opened at once: a process that ends before a file of pino's own is open dies of that instead of its reason.
function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, 'a');
}
