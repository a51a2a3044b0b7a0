// Runs Quint, the tool of the formal model, in a process of its own (quint-worker.ts). It works offline with its TypeScript simulator; the other one,
// and the model checkers, it would download.
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const WORKER = join(import.meta.dirname, 'quint-worker.ts');
/** Time that a command has. */
export const COMMAND_TIMEOUT_MS = 240_000;

/** Processes that run: when this one ends, so do they, or nobody would end one that hangs. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process of the tool: its commands run one after the other, and what they ask of one file has it read once. */
export class Quint {
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * What a command printed. Its exit code tells a violation from none, but not a violation from a specification that it cannot read: the
   * text does, so that is what callers judge by.
   */
  output(args: readonly string[], timeoutMs = COMMAND_TIMEOUT_MS): Promise<string> {
    const output = this.#last.then(() => this.#run(args, timeoutMs));
    this.#last = output;
    return output;
  }

  /** Ends the process. */
  close(): void {
    this.#child?.kill('SIGKILL');
  }

  #run(args: readonly string[], timeoutMs: number): Promise<string> {
    const child = this.#child ?? this.#start();
    return new Promise((resolve) => {
      const settle = (output: string): void => {
        clearTimeout(timer);
        child.off('message', settle).off('close', onClose);
        resolve(output);
      };
      const onClose = (code: number | null, signal: string | null): void => settle(`error: ended by ${signal ?? `exit code ${code}`}`);
      const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      child.on('message', settle).on('close', onClose);
      child.send([...args]);
    });
  }

  // After one that ended before its time the next command has a new one.
  #start(): ChildProcess {
    const child = fork(WORKER, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    children.add(child);
    child.once('close', () => {
      children.delete(child);
      if (this.#child === child) this.#child = undefined;
    });
    this.#child = child;
    return child;
  }
}
