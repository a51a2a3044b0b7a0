// What is published, from a clean folder: built as the Dockerfile builds it, packed by npm, unpacked beside nothing but the packages that package.json
// names for running, and then run as the compose file runs it: keys and genesis made once, four nodes started apart, until their blocks are final.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeBasePort, tailOfLogs } from '../system/devnet-fixture.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const MODULES = join(PROJECT, 'node_modules');
const MANIFEST = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
};
const DOCKERFILE = readFileSync(join(PROJECT, 'Dockerfile'), 'utf8');
const COMPOSE = readFileSync(join(PROJECT, 'devnet', 'compose.yaml'), 'utf8');
const METRICS_OFFSET = 2_000;
const FINAL_TRIES_MAX = 120;
const FINAL_WAIT_MS = 500;
const NETWORK_COMMANDS = { ...process.env, npm_config_offline: 'true', npm_config_update_notifier: 'false' };

const folder = mkdtempSync(join(tmpdir(), 'coppice-package-'));
const [build, application] = [join(folder, 'build'), join(folder, 'application')];
const installed = join(application, 'node_modules', 'coppice');
const nodes: ChildProcess[] = [];

const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, [...args], { cwd, encoding: 'utf8', env: NETWORK_COMMANDS, stdio: ['ignore', 'pipe', 'pipe'] });

/** What the Dockerfile's build copies, in its order. */
function copiedByDockerfile(): string[] {
  const lines = DOCKERFILE.split('\n').filter((line) => line.startsWith('COPY ') && !line.startsWith('COPY --from'));
  return lines.flatMap((line) => line.split(' ').slice(1, -1));
}

/** The command of a service of the compose file, in the folder of this test instead of the volume. */
function commandOf(service: string): string[] {
  const text = COMPOSE.slice(COMPOSE.indexOf(`\n  ${service}:`));
  const command = JSON.parse(/\n {4}command: (\[.*\])/.exec(text)?.[1] ?? '[]') as string[];
  return command.map((word) => word.replace(/^\/data/, join(folder, 'data')));
}

/** What a service of the compose file sets for its node; ports are those that are free. */
function environmentOf(service: string, metricsPort: number): Record<string, string> {
  const text = COMPOSE.slice(COMPOSE.indexOf(`\n  ${service}:`));
  const set = [...(/\n {4}environment: (\{.*\})/.exec(text)?.[1] ?? '').matchAll(/(COPPICE_\w+): "([^"]*)"/g)];
  assert.ok(set.length > 0, `${service} has an environment`);
  const environment = Object.fromEntries(set.map(([, name, value]) => [name, value === '0.0.0.0' ? '127.0.0.1' : value]));
  return { ...environment, COPPICE_METRICS_PORT: String(metricsPort) };
}

/** A dependency beside the package, as npm would have put it. */
function link(name: string): void {
  const at = join(application, 'node_modules', name);
  mkdirSync(dirname(at), { recursive: true });
  symlinkSync(join(MODULES, name), at);
}

async function finalHeight(port: number): Promise<number> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getBlockByNumber', params: ['finalized', false] });
  try {
    const answer = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const { result } = (await answer.json()) as { readonly result?: { readonly number: string } };
    return Number(result?.number ?? 0);
  } catch {
    return 0;
  }
}

describe('the published package', () => {
  before(() => {
    mkdirSync(build);
    for (const name of copiedByDockerfile()) cpSync(join(PROJECT, name), join(build, name), { recursive: true });
    for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE']) cpSync(join(PROJECT, name), join(build, name));
    symlinkSync(MODULES, join(build, 'node_modules'));
    run('npm', ['run', 'build'], build);
    run('npm', ['pack', '--pack-destination', folder], build);
    mkdirSync(installed, { recursive: true });
    run('tar', ['-xzf', join(folder, `coppice-${MANIFEST.version}.tgz`), '-C', installed, '--strip-components', '1'], folder);
    for (const name of Object.keys(MANIFEST.dependencies)) link(name);
    mkdirSync(join(application, 'node_modules', '.bin'));
    symlinkSync(join('..', 'coppice', 'scripts', 'coppice.mjs'), join(application, 'node_modules', '.bin', 'coppice'));
  });
  after(async () => {
    for (const node of nodes) node.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });

  it('holds what is compiled, the presets and the documents, and neither source nor tests', () => {
    assert.deepEqual(readdirSync(installed).sort(), ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'genesis', 'package.json', 'scripts']);
    assert.deepEqual(readdirSync(join(installed, 'scripts')), ['coppice.mjs']);
    assert.ok(existsSync(join(installed, 'dist/cli/main.js')));
    assert.ok(existsSync(join(installed, 'dist/cli/main.d.ts')));
  });

  it('runs as npx coppice', () => {
    assert.equal(run('npx', ['coppice', '--version'], application).trim(), MANIFEST.version);
    assert.match(run('npx', ['coppice', '--help'], application), /Usage: coppice .*devnet.*node.*status/s);
    const { status, stderr } = spawnSync('npx', ['coppice', 'grow'], { cwd: application, encoding: 'utf8', env: NETWORK_COMMANDS });
    assert.equal(status, 1);
    assert.match(stderr, /^coppice: unknown command/m);
  });

  it('makes a devnet and final blocks by the commands of the compose file, each node by itself, and is healthy', async () => {
    const basePort = await freeBasePort();
    const [coppice, home] = [join(installed, 'scripts', 'coppice.mjs'), join(folder, 'home')];
    mkdirSync(home);
    const make = spawnSync(process.execPath, [coppice, ...commandOf('genesis'), '--base-port', String(basePort)], {
      cwd: home,
      encoding: 'utf8',
    });
    assert.equal(make.status, 0, make.stderr);
    const validators = [0, 1, 2, 3];
    for (const validator of validators) {
      const service = `validator-${validator}`;
      const environment = environmentOf(service, basePort + METRICS_OFFSET + validator);
      nodes.push(
        spawn(process.execPath, [coppice, ...commandOf(service)], { cwd: home, stdio: 'ignore', env: { ...process.env, ...environment } }),
      );
    }
    let heights: number[] = [];
    for (let tries = 0; tries < FINAL_TRIES_MAX && !(heights.length > 0 && heights.every((height) => height >= 2)); tries++) {
      await sleep(FINAL_WAIT_MS);
      heights = await Promise.all(validators.map((validator) => finalHeight(basePort + validator)));
    }
    assert.ok(
      heights.every((height) => height >= 2),
      `final blocks ${heights.join(', ')}\n${tailOfLogs(join(folder, 'data', 'network'))}`,
    );
    const check = JSON.parse(/HEALTHCHECK [^[]*(\[.*\])/.exec(DOCKERFILE.replace(/\\\n\s*/g, ''))?.[1] ?? '[]') as string[];
    const [, ...askHealth] = check;
    const healthy = spawnSync(process.execPath, askHealth, {
      env: { ...process.env, COPPICE_METRICS_PORT: String(basePort + METRICS_OFFSET + 3) },
    });
    assert.equal(healthy.status, 0, 'the health check of the image');
    for (const node of nodes) node.kill('SIGTERM');
    const codes = await Promise.all(
      nodes.map((node) => (node.exitCode === null ? new Promise((resolve) => node.once('exit', resolve)) : node.exitCode)),
    );
    assert.deepEqual(codes, [0, 0, 0, 0], 'the stop signal of the image ends each in good order');
  });
});
