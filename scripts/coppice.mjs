#!/usr/bin/env node
// Starts the `coppice` command on the Node that the package brings along, so that any Node from 20 on is enough to run it.
// Plain JavaScript on purpose: this one file is read by the machine's own Node. In a checkout it runs the TypeScript source; in
// the published package, which has no source, the compiled dist. Signals and the exit code pass through.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const PARENT_POLL_MS = 500;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The packaged Node; else this one, if it is new enough; else nothing. */
function findNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json');
    const packaged = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    if (existsSync(packaged)) return packaged;
  } catch {
    // not installed: an installation without optional parts, or with scripts refused
  }
  return Number.parseInt(process.versions.node, 10) >= NODE_MAJOR ? process.execPath : undefined;
}

/** The command's entry: the source in a checkout, else the compiled file. */
function findEntry() {
  return [join(root, 'src', 'cli', 'main.ts'), join(root, 'dist', 'cli', 'main.js')].find((file) => existsSync(file));
}

function fail(message) {
  console.error(`coppice: ${message}`);
  process.exit(1);
}

const node = findNode();
const entry = findEntry();
if (node === undefined) {
  fail(
    `needs Node ${NODE_MAJOR}; this is ${process.version}, and the packaged one is missing. ` +
      'Run `npm ci` (npm 11: allow the install script of `node`), or use a newer Node.',
  );
} else if (entry === undefined) {
  fail(`neither src/cli/main.ts nor dist/cli/main.js is in ${root}: the installation is incomplete.`);
} else {
  // The channel carries nothing: it closes when this process dies, even by `kill -9`, and the child then stops too.
  const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  // A terminal sends Ctrl-C to the whole group, the child included; it must get it once, and this process must outlive it.
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  process.on('SIGINT', () => hasTerminal || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  // npm and npx pass no signal on when they are killed themselves: whoever they started would stay behind for ever.
  const parent = process.ppid;
  const stopWithoutParent = () => process.ppid === parent || child.kill('SIGTERM');
  if (process.env.npm_command !== undefined) setInterval(stopWithoutParent, PARENT_POLL_MS).unref();
  child.on('error', (error) => fail(`cannot start ${node}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 128 + (constants.signals[signal] ?? 0)));
}
