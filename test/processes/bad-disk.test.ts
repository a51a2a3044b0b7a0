// What can be wrong with a node's folder or its ports: each is one clear line and exit code 1, and nothing is overwritten. Every case
// is a copy of one folder in which a network of one validator has made blocks.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const START_MS_MAX = 30_000;
/** LevelDB's log is made of blocks of this size. */
const LOG_BLOCK_BYTES = 32 * 1024;
/** Rewritten by every start, whether it succeeds or not. */
const CHANGING = /^(LOCK.*|log\/.*|db\/(LOCK|LOG|LOG\.old))$/;
const folder = mkdtempSync(join(tmpdir(), 'coppice-disk-'));
const running = new Set<ChildProcess>();
const portsFree = ['--rpc-port', '0', '--p2p-port', '0', '--metrics-port', '0'];

function coppice(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: 'utf8', timeout: START_MS_MAX });
  assert.equal(status, 0, stderr);
  return stdout;
}

function makeNetwork(name: string): void {
  writeFileSync(join(folder, `${name}.json`), coppice('keys', '--data-dir', name));
  coppice('init', '--data-dir', name, '--validator', `${name}.json`);
}

interface Started {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  /** Exit code, or undefined when the node is ready. */
  readonly outcome: Promise<number | undefined>;
}

function start(name: string, ports: readonly string[] = portsFree): Started {
  const child = spawn(process.execPath, [MAIN, 'node', '--data-dir', name, ...ports], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  running.add(child);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const outcome = new Promise<number | undefined>((resolve) => {
    child.once('message', () => resolve(undefined));
    child.once('close', (code) => {
      running.delete(child);
      resolve(code ?? -1);
    });
  });
  return { child, stderr: () => stderr, outcome };
}

async function stop({ child }: Started): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGTERM');
  await gone;
}

/** Runs a node on the folder until it has made blocks. */
async function makeBlocks(name: string, ms: number): Promise<void> {
  const node = start(name);
  assert.equal(await node.outcome, undefined, node.stderr());
  await new Promise((resolve) => setTimeout(resolve, ms));
  await stop(node);
}

function hashes(name: string): Readonly<Record<string, string>> {
  const root = join(folder, name);
  const found: Record<string, string> = {};
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const place = relative(root, path);
    if (entry.isFile() && !CHANGING.test(place)) found[place] = createHash('sha256').update(readFileSync(path)).digest('hex');
  }
  return found;
}

let copies = 0;
function copyOf(name: string): string {
  const copy = `copy-${copies++}`;
  cpSync(join(folder, name), join(folder, copy), { recursive: true });
  return copy;
}

/** The start fails with one line that matches, and leaves every file as it was; `isDatabaseOpened`: the database may tidy itself up. */
async function refuses(
  name: string,
  pattern: RegExp,
  options: { readonly isDatabaseOpened?: boolean; readonly ports?: readonly string[] } = {},
): Promise<void> {
  const isCompared = (place: string): boolean => options.isDatabaseOpened !== true || !/^db(-before)?\//.test(place);
  const compared = (all: Readonly<Record<string, string>>) => Object.entries(all).filter(([place]) => isCompared(place));
  const before = compared(hashes(name));
  const node = start(name, options.ports);
  assert.equal(await node.outcome, 1, node.stderr() || 'the node started');
  assert.match(node.stderr(), pattern);
  assert.equal(node.stderr().trim().split('\n').length, 1, `one line, not: ${node.stderr()}`);
  assert.deepEqual(compared(hashes(name)), before, 'nothing is overwritten');
}

describe('a node whose folder or ports are not right', { concurrency: 3 }, () => {
  before(async () => {
    makeNetwork('one');
    makeNetwork('other');
    const makeOne = async (): Promise<void> => {
      await makeBlocks('one', 2_500);
      await makeBlocks('one', 1_000); // The second start puts what is in the log into tables.
    };
    await Promise.all([makeOne(), makeBlocks('other', 1_500)]);
  });

  after(() => {
    for (const child of running) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  it('refuses a folder that another process runs on, and the first goes on', async () => {
    const name = copyOf('one');
    const first = start(name);
    assert.equal(await first.outcome, undefined, first.stderr());
    const second = start(name);
    assert.equal(await second.outcome, 1);
    assert.match(second.stderr(), new RegExp(`in use by another process \\(process ${first.child.pid}\\)`));
    assert.equal(first.child.exitCode, null);
    await stop(first);
  });

  it('refuses without keys, with keys that are none, and with keys of nobody in the genesis', async () => {
    const missing = copyOf('one');
    unlinkSync(join(folder, missing, 'keys/validator.seed'));
    await refuses(missing, /validator\.seed is missing/);
    const invalid = copyOf('one');
    writeFileSync(join(folder, invalid, 'keys/validator.seed'), 'not a seed\n');
    await refuses(invalid, /holds no validator key/);
    const foreign = copyOf('one');
    cpSync(join(folder, 'other/keys/validator.seed'), join(folder, foreign, 'keys/validator.seed'));
    await refuses(foreign, /is of no validator of this genesis/);
  });

  it('refuses without configuration or genesis, and with a genesis that is none', async () => {
    const noConfig = copyOf('one');
    unlinkSync(join(folder, noConfig, 'config.json'));
    await refuses(noConfig, /config\.json is missing/);
    const noGenesis = copyOf('one');
    unlinkSync(join(folder, noGenesis, 'genesis.json'));
    await refuses(noGenesis, /genesis\.json is missing/);
    const cut = copyOf('one');
    truncateSync(join(folder, cut, 'genesis.json'), 100);
    await refuses(cut, /genesis\.json is not a valid genesis/);
  });

  it('refuses a genesis that does not match the database, and starts again with the right one', async () => {
    const name = copyOf('one');
    const path = join(folder, name, 'genesis.json');
    const right = readFileSync(path, 'utf8');
    const genesis = JSON.parse(right) as { timestampMs: number };
    writeFileSync(path, JSON.stringify({ ...genesis, timestampMs: genesis.timestampMs + 1 }));
    await refuses(name, /is of something else: expected coppice/, { isDatabaseOpened: true });
    writeFileSync(path, right);
    await makeBlocks(name, 0);
  });

  it("refuses another network's database, and another program's folder", async () => {
    const foreign = copyOf('one');
    rmSync(join(folder, foreign, 'db'), { recursive: true });
    cpSync(join(folder, 'other/db'), join(folder, foreign, 'db'), { recursive: true });
    await refuses(foreign, /is of something else: expected coppice/, { isDatabaseOpened: true });
    const program = copyOf('one');
    rmSync(join(folder, program, 'db'), { recursive: true });
    cpSync(join(folder, 'other/keys'), join(folder, program, 'db'), { recursive: true });
    await refuses(program, /is of something else: expected a database or an empty folder/);
  });

  it('refuses a corrupt database: its manifest, or a table', async () => {
    const manifest = copyOf('one');
    spoil(join(folder, manifest, 'db'), /^MANIFEST/);
    await refuses(manifest, /is corrupt/, { isDatabaseOpened: true });
    const table = copyOf('one');
    spoil(join(folder, table, 'db'), /\.ldb$/);
    await refuses(table, /is corrupt/, { isDatabaseOpened: true });
  });

  it('refuses a database whose log lost blocks to one flipped bit, at each start', async () => {
    makeNetwork('flipped');
    const node = start('flipped');
    assert.equal(await node.outcome, undefined, node.stderr());
    const database = join(folder, 'flipped/db');
    const log = join(database, readdirSync(database).find((name) => name.endsWith('.log')) ?? 'no log');
    // The database drops what is left of a block of the log, so something must follow.
    const untilMs = Date.now() + START_MS_MAX;
    while (statSync(log).size < 2.5 * LOG_BLOCK_BYTES && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 200));
    await stop(node);
    const bytes = readFileSync(log);
    assert.ok(bytes.length >= 2.5 * LOG_BLOCK_BYTES, `${bytes.length} bytes in the log`);
    const at = LOG_BLOCK_BYTES / 2;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(log, bytes);
    const pattern = /the database is damaged: block \d+ is missing, though block \d+ is there/;
    await refuses('flipped', pattern, { isDatabaseOpened: true });
    await refuses('flipped', pattern, { isDatabaseOpened: true });
    // The database itself has taken out of its log what it could read, and thrown the rest away.
    assert.ok(bytes.equals(readFileSync(join(folder, 'flipped/db-before', basename(log)))), 'the log is kept as it was found');
  });

  it('refuses to sign on without a whole signing record', async () => {
    const name = copyOf('one');
    spoil(join(folder, name, 'signing'), /./);
    await refuses(name, /no slot of the signing record is whole/, { isDatabaseOpened: true });
    const short = copyOf('one');
    for (const file of readdirSync(join(folder, short, 'signing'))) truncateSync(join(folder, short, 'signing', file), 1_000);
    await refuses(short, /is corrupt/, { isDatabaseOpened: true });
  });

  it('refuses to sign on when the signing record is gone, again and again, and starts with it restored', async () => {
    const name = copyOf('one');
    rmSync(join(folder, name, 'signing'), { recursive: true });
    const missing = /the signing record of this validator .* is missing while its database is at height [1-9]\d*: .* signing twice/;
    await refuses(name, missing, { isDatabaseOpened: true });
    await refuses(name, missing, { isDatabaseOpened: true });
    cpSync(join(folder, 'one/signing'), join(folder, name, 'signing'), { recursive: true });
    await makeBlocks(name, 0);
  });

  for (const flag of ['--rpc-port', '--p2p-port', '--metrics-port']) {
    it(`refuses a port in use: ${flag}`, async () => {
      const name = copyOf('one');
      const server: Server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { readonly port: number };
      await refuses(name, new RegExp(`port ${port} is in use by another process`), {
        isDatabaseOpened: true,
        ports: [...portsFree, flag, String(port)],
      });
      await new Promise((resolve) => server.close(resolve));
    });
  }
});

/** Overwrites the larger part of each file whose name matches, from a little after its head. */
function spoil(path: string, names: RegExp): void {
  for (const name of readdirSync(path).filter((each) => names.test(each))) {
    const file = join(path, name);
    const bytes = readFileSync(file);
    bytes.fill(0x5a, Math.min(8, bytes.length), statSync(file).size);
    writeFileSync(file, bytes);
  }
}
