// A whole devnet for system tests, started as people start it: `coppice devnet --json` in a folder of its own, on ports that are free.
// Whatever the test does, it ends with no process and no folder left.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The line that `coppice devnet --json` prints when it is ready. */
export interface DevnetReady {
  readonly ready: true;
  readonly chainId: `0x${string}`;
  readonly rpc: readonly string[];
  readonly accounts: readonly { readonly address: `0x${string}`; readonly privateKey: `0x${string}` }[];
  readonly validators: readonly { readonly pid: number; readonly dataDir: string }[];
}

/** A running devnet. */
export interface Devnet extends DevnetReady {
  readonly folder: string;
  readonly basePort: number;
  /** The process of `coppice devnet`. */
  readonly process: ChildProcess;
  /** Stops all, as Ctrl-C does, and leaves the folder. */
  stop(): Promise<void>;
  /** Stops all, and removes the folder. */
  remove(): Promise<void>;
}

/** What differs from the defaults. */
export interface DevnetOptions {
  readonly validators?: number;
  readonly shards?: number;
  /** Instead of `shards`. */
  readonly layout?: readonly number[];
  readonly loadAccounts?: number;
  /** Of the genesis, beside the preset: a network whose epochs last long, for what is about one instance. */
  readonly overrides?: Readonly<Record<string, number>>;
  /** What validators have at stake, in the order of their folders; one seat each when absent. */
  readonly seats?: readonly number[];
  /** Start the network of this folder again. */
  readonly folder?: string;
  readonly basePort?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * A young generation of 16 MB from the start, for the devnet and, since it hands its options on, for its validators: a process that lives for half a
 * minute spends less on garbage. It costs one that stays 50 MB, so people's validators begin with a small one.
 */
export const ROOM_AT_ONCE = '--min-semi-space-size=16';
export const MAIN_FILE = join(import.meta.dirname, '../../src/cli/main.ts');
const VALIDATORS_MAX = 8;
const PORT_OFFSETS = [0, 1_000, 2_000];
const STOP_MS_MAX = 20_000;
const PORT_ATTEMPTS_MAX = 50;

/** Starts a devnet and waits until it is ready; throws with what it said and what its validators logged. */
export async function startDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'coppice-devnet-'));
  const basePort = options.basePort ?? (await freeBasePort());
  const args = ['devnet', '--json', '--data-dir', folder, '--base-port', String(basePort)];
  if (options.validators !== undefined) args.push('--validators', String(options.validators));
  if (options.shards !== undefined) args.push('--shards', String(options.shards));
  if (options.layout !== undefined) args.push('--layout', options.layout.join());
  if (options.loadAccounts !== undefined) args.push('--load-accounts', String(options.loadAccounts));
  if (options.overrides !== undefined || options.seats !== undefined) {
    await makeOnly([MAIN_FILE, ...args]);
    overrideGenesis(folder, options.overrides ?? {}, options.seats);
  }
  const child = spawn(process.execPath, [ROOM_AT_ONCE, MAIN_FILE, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    if (child.exitCode === null && child.signalCode === null) await gone;
    clearTimeout(kill);
  };
  const remove = async (): Promise<void> => {
    await stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  };
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const ready = await Promise.race([firstLine(child), gone.then(() => undefined)]);
  if (ready === undefined) {
    const logs = tailOfLogs(folder);
    await remove();
    throw new Error(`the devnet did not start: ${said.join('')}\n${logs}`);
  }
  return { ...(JSON.parse(ready) as DevnetReady), folder, basePort, process: child, stop, remove };
}

async function makeOnly(command: readonly string[]): Promise<void> {
  const making = spawn(process.execPath, [...command, '--make-only'], { stdio: 'ignore' });
  const code = await new Promise((resolve) => making.once('exit', resolve));
  if (code !== 0) throw new Error(`the devnet was not made: exit code ${String(code)}`);
}

/** Writes the genesis of each validator of a devnet anew that was made and never started. */
export function overrideGenesis(folder: string, overrides: Readonly<Record<string, number>>, seats: readonly number[] = []): void {
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith('validator-'))) {
    const file = join(folder, name, 'genesis.json');
    const genesis = JSON.parse(readFileSync(file, 'utf8')) as { readonly overrides?: object; readonly validators: readonly object[] };
    const validators = genesis.validators.map((validator, index) => ({ ...validator, ...(seats[index] && { seats: seats[index] }) }));
    writeFileSync(file, JSON.stringify({ ...genesis, validators, overrides: { ...genesis.overrides, ...overrides } }));
  }
}

/** The end of each validator's log: for the message of a failed test. */
export function tailOfLogs(folder: string, linesMax = 15): string {
  const tails: string[] = [];
  for (const name of readdirSync(folder).sort()) {
    for (const file of ['process.log', 'node.log']) {
      try {
        const lines = readFileSync(join(folder, name, 'log', file), 'utf8')
          .trimEnd()
          .split('\n');
        tails.push(`— ${name}, ${file}`, ...lines.slice(-linesMax));
      } catch {
        // Not a validator's folder, or it never logged.
      }
    }
  }
  return tails.join('\n');
}

/** A base port from which all ports of a devnet are free now. */
export async function freeBasePort(): Promise<number> {
  for (let attempt = 0; attempt < PORT_ATTEMPTS_MAX; attempt++) {
    const basePort = 12_000 + Math.floor(Math.random() * 18_000);
    const ports = PORT_OFFSETS.flatMap((offset) => Array.from({ length: VALIDATORS_MAX }, (_unused, i) => basePort + offset + i));
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return basePort;
  }
  throw new Error('no range of free ports was found');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function firstLine(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) return undefined;
  for await (const line of createInterface({ input: child.stdout })) return line;
  return undefined;
}
