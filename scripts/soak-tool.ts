// A soak that runs another program, so that whatever happens to that one, the soak is there to record it: its exit code, and the figures of
// its last line.
import { spawn } from 'node:child_process';
import { NO_VERDICT } from './soak-record.ts';

/** How the program ended. */
export interface ToolEnd {
  /** Its exit code; that of no verdict where a signal ended it. */
  readonly code: number;
  /** `exit code 1`, or the signal's name. */
  readonly how: string;
  /** The object in the last line of its standard output; undefined where there is none. */
  readonly figures: Readonly<Record<string, unknown>> | undefined;
}

/** Characters of the output that are kept for its last line. */
const LAST_LINE_CHARACTERS_MAX = 16 * 1024 * 1024;

/** Runs a program of Node's; what it prints is shown on standard error. */
export function runTool(file: string, args: readonly string[]): Promise<ToolEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    // From a terminal an interrupt comes to both of us; the other one then says what it has done so far.
    process.on('SIGINT', () => child.kill('SIGINT'));
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    let pending = '';
    let lastLine = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (pending + text).split('\n');
      pending = (lines.pop() ?? '').slice(-LAST_LINE_CHARACTERS_MAX);
      for (const line of lines) {
        if (lastLine !== '') process.stderr.write(`${lastLine}\n`);
        lastLine = line;
      }
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const figures = figuresOf(pending === '' ? lastLine : pending);
      resolve({ code: code ?? NO_VERDICT, how: signal ?? `exit code ${code}`, figures });
    });
  });
}

function figuresOf(line: string): ToolEnd['figures'] {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as ToolEnd['figures']) : undefined;
  } catch {
    return undefined;
  }
}
