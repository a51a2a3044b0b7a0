// Runs Quint, the tool of the formal model, as a process of its own. It works offline with its TypeScript simulator; the other one, and
// the model checkers, it would download.
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
/** Time that a process has. */
export const PROCESS_TIMEOUT_MS = 240_000;

/** Processes that run: when this one ends, so do they, or nobody would end one that hangs. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/**
 * What the tool printed. Its exit code tells a violation from none, but not a violation from a specification that it cannot read: the
 * text does, so that is what callers judge by. Fails if the tool cannot be started.
 */
export function outputOfQuint(...args: readonly string[]): Promise<string> {
  return outputOfQuintWithin(PROCESS_TIMEOUT_MS, args);
}

/** The same for a run that may take longer. */
export function outputOfQuintWithin(timeoutMs: number, args: readonly string[]): Promise<string> {
  const cli = createRequire(import.meta.url).resolve('@informalsystems/quint/dist/src/cli.js');
  const child = spawn(process.execPath, [cli, ...args], { cwd: ROOT, timeout: timeoutMs, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (_code, signal) => {
      children.delete(child);
      resolve(signal === null ? output : `${output}\nerror: ended by ${signal}`);
    });
  });
}
