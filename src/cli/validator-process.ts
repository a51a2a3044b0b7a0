// One validator of a devnet as a process of its own, running `coppice node`. It has a channel to this process and stops when that
// closes, so that none is left behind even when this one is killed with -9.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataDirectory } from '../storage/data-directory.ts';
import { type NodeReady, OF_DEVNET_FLAG } from './node.ts';

/** A validator that does not stop in this time is killed; what is finalised survives that too. */
const STOP_MS_MAX = 10_000;
/**
 * Several validators share the machine's cores, so none collects garbage on helper threads: they wait for one another more than they
 * help. A roomy young generation, which only load makes grow, copies less. Both together save a fifth of a transaction's CPU. The bound of the
 * old generation is some times what a validator needs, so that V8 collects the garbage of a flood of requests before it is many gigabytes; it is the least
 * with which V8 lets the heap grow fourfold between two collections, which saves another fifth.
 */
export const VALIDATOR_V8_FLAGS = ['--single-threaded-gc', '--max-semi-space-size=64', '--max-old-space-size=2048'] as const;
/** What the log is searched for when a validator ends unexpectedly. */
const ERROR_LINE = /^coppice: (.*)$/gm;

/** A started validator. */
export interface ValidatorProcess {
  readonly pid: number;
  readonly directory: DataDirectory;
  /** The address of its JSON-RPC, once it is up; rejects with its own words when it ends before. */
  readonly ready: Promise<string>;
  /** How it ended: undefined while it runs. */
  ended(): string | undefined;
  /** Resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts `coppice node` on a data directory. Its output goes to log/process.log there, beside the node's own log. */
export function startValidator(directory: DataDirectory, mainFile: string): ValidatorProcess {
  mkdirSync(directory.logFolder, { recursive: true });
  const logFile = join(directory.logFolder, 'process.log');
  const log = openSync(logFile, 'a', 0o600);
  const args = [...VALIDATOR_V8_FLAGS, ...process.execArgv, mainFile, 'node', OF_DEVNET_FLAG, '--data-dir', directory.path];
  const child = spawn(process.execPath, args, { stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  let end: string | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      end = describeEnd(code, signal, logFile);
      resolve();
    });
    child.once('error', (error) => {
      end = error.message;
      resolve();
    });
  });
  return {
    pid: child.pid ?? 0,
    directory,
    ready: readyOf(child, gone, () => end ?? 'ended'),
    ended: () => end,
    stop: () => stopChild(child, gone, () => end !== undefined),
  };
}

async function readyOf(child: ChildProcess, gone: Promise<void>, end: () => string): Promise<string> {
  const message = await Promise.race([
    new Promise<NodeReady>((resolve) => child.once('message', (value) => resolve(value as NodeReady))),
    gone.then(() => undefined),
  ]);
  if (message === undefined) throw new Error(end());
  return message.rpcUrl;
}

async function stopChild(child: ChildProcess, gone: Promise<void>, isGone: () => boolean): Promise<void> {
  if (isGone()) return;
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await gone;
  clearTimeout(kill);
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null, logFile: string): string {
  const how = signal === null ? `exit code ${code}` : signal;
  if (code === 0) return how;
  const said = [...readFileSync(logFile, 'utf8').matchAll(ERROR_LINE)].at(-1)?.[1];
  return said === undefined ? `${how}; see ${logFile}` : said;
}
