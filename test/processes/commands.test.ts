// The command line as people and scripts meet it: each command in a process of its own, in a folder of its own.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { freeBasePort } from '../system/devnet-fixture.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'coppice-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const coppice = (...args: readonly string[]) =>
  spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: 'utf8', timeout: 30_000 });

const failsWith = (pattern: RegExp, ...args: readonly string[]): void => {
  const { status, stderr } = coppice(...args);
  assert.equal(status, 1, stderr);
  assert.match(stderr, pattern);
  assert.match(stderr, /^coppice: [^\n]+\n$/, 'one clear line');
};

/** Starts a node, and stops it as soon as it says that it is ready. */
async function startsAndStops(dataDirectory: string): Promise<void> {
  const node = spawn(process.execPath, [MAIN, 'node', '--data-dir', dataDirectory], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    timeout: 30_000,
  });
  const gone = once(node, 'exit');
  node.once('message', () => node.kill('SIGTERM'));
  assert.equal((await gone)[0], 0);
}

describe('every command', () => {
  it('explains itself, and an unknown one ends with exit code 1', () => {
    assert.match(coppice('--help').stdout, /committees.*devnet.*init.*keys.*node.*status/s);
    for (const command of ['committees', 'devnet', 'evidence', 'init', 'keys', 'node', 'status']) {
      const { status, stdout } = coppice(command, '--help');
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`Usage: coppice ${command}`));
    }
    failsWith(/unknown command/, 'grow');
  });

  it('refuses more validators than a machine can run', () => {
    failsWith(/--validators.*At most 32/s, 'devnet', '--validators', '1000', '--data-dir', 'many');
    assert.ok(!existsSync(join(folder, 'many')));
  });

  it('refuses layouts that are not the whole tree, or are said twice, and makes nothing', () => {
    failsWith(/--layout.*no shard covers subtree 5\. A whole one: 4,5,3/s, 'devnet', '--layout', '4,3', '--data-dir', 'uneven');
    failsWith(/--layout.*cannot be used with.*--shards/s, 'devnet', '--layout', '2,3', '--shards', '2', '--data-dir', 'uneven');
    assert.ok(!existsSync(join(folder, 'uneven')));
  });

  it('refuses a data directory that is a file, or lies below one, and leaves the file as it is', () => {
    writeFileSync(join(folder, 'file'), 'dear');
    for (const command of ['devnet', 'keys', 'init', 'node']) {
      failsWith(/--data-dir file is not .*\/file is a file, not a folder/, command, '--data-dir', 'file');
    }
    failsWith(/--data-dir file\/below is not .*\/file is a file, not a folder/, 'devnet', '--reset', '--data-dir', 'file/below');
    assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'dear');
  });

  it('refuses a data directory that is a link to nothing, or lies below one, and makes nothing', () => {
    symlinkSync('nothing', join(folder, 'link'));
    for (const command of ['devnet', 'keys', 'init', 'node']) {
      failsWith(
        /--data-dir link is not .*\/link is a link to nothing, which is not there; make that folder/,
        command,
        '--data-dir',
        'link',
      );
    }
    failsWith(/--data-dir link\/below is not .*\/link is a link to nothing/, 'keys', '--data-dir', 'link/below');
    assert.ok(!existsSync(join(folder, 'nothing')));
  });
});

describe('coppice keys and init', () => {
  it('make a data directory from nothing, and overwrite nothing when they are run again', () => {
    const made = coppice('keys', '--data-dir', 'one');
    assert.equal(made.status, 0, made.stderr);
    writeFileSync(join(folder, 'one.json'), made.stdout);
    const seedFile = join(folder, 'one/keys/validator.seed');
    const seed = readFileSync(seedFile, 'utf8');
    assert.match(seed, /^[0-9a-f]{64}\n$/);
    assert.equal(statSync(seedFile).mode & 0o777, 0o600);
    assert.equal(coppice('keys', '--data-dir', 'one').stdout, made.stdout);
    const peerId = coppice('keys', '--data-dir', 'one', '--peer-id').stdout.trim();
    assert.match(peerId, /^12D3KooW\w{44}$/);
    assert.ok(made.stderr.includes(`/p2p/${peerId}\n`), made.stderr);
    assert.equal(readFileSync(seedFile, 'utf8'), seed);

    const account = `0x${'11'.repeat(20)}=5`;
    const init = coppice('init', '--data-dir', 'one', '--validator', 'one.json', '--account', account);
    assert.equal(init.status, 0, init.stderr);
    assert.match(init.stdout, new RegExp(`^peer id ${peerId}$`, 'm'));
    const genesis = readFileSync(join(folder, 'one/genesis.json'), 'utf8');
    failsWith(/exists already; nothing was overwritten/, 'init', '--data-dir', 'one', '--validator', 'one.json');
    assert.equal(readFileSync(join(folder, 'one/genesis.json'), 'utf8'), genesis);

    assert.equal(coppice('init', '--data-dir', 'two', '--genesis', 'one/genesis.json').status, 0);
    assert.equal(readFileSync(join(folder, 'two/genesis.json'), 'utf8'), genesis);
  });

  it('leave the data directory of a node that runs alone, and say who has it, whatever else is wrong', async () => {
    coppice('devnet', '--make-only', '--validators', '1', '--data-dir', 'running', '--base-port', String(await freeBasePort()));
    const directory = 'running/validator-0';
    const before = readFileSync(join(folder, directory, 'genesis.json'), 'utf8');
    failsWith(/validator-0\/genesis\.json exists already; nothing was overwritten/, 'init', '--data-dir', directory);
    const node = spawn(process.execPath, [MAIN, 'node', '--data-dir', directory], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      timeout: 30_000,
    });
    const gone = once(node, 'exit');
    try {
      await once(node, 'message');
      failsWith(new RegExp(`validator-0 is in use by another process \\(process ${node.pid}\\)`), 'init', '--data-dir', directory);
    } finally {
      node.kill('SIGTERM');
      await gone;
    }
    assert.equal(readFileSync(join(folder, directory, 'genesis.json'), 'utf8'), before);
  });

  it('refuse a genesis that is none, a validator without proof, and an account without coins', () => {
    writeFileSync(join(folder, 'bad.json'), '{"version":1}');
    failsWith(/bad\.json is not a valid genesis/, 'init', '--data-dir', 'three', '--genesis', 'bad.json');
    failsWith(/bad\.json is not a valid genesis/, 'init', '--data-dir', 'three', '--validator', 'bad.json');
    failsWith(/validators/, 'init', '--data-dir', 'three');
    assert.equal(existsSync(join(folder, 'three')), false);
  });

  it('refuse a peer that could never be dialled, and write nothing', () => {
    coppice('devnet', '--make-only', '--validators', '1', '--data-dir', 'net');
    const init = ['init', '--data-dir', 'five', '--genesis', 'net/validator-0/genesis.json', '--peer'];
    failsWith(
      /--peer.*12D3KooWnonsense" has no valid peer id: it must be like \/ip4\//,
      ...init,
      '/ip4/1.2.3.4/tcp/9/p2p/12D3KooWnonsense',
    );
    failsWith(/--peer.*"nonsense" is no address of a peer/, ...init, 'nonsense');
    assert.equal(existsSync(join(folder, 'five')), false);
  });
});

describe('coppice committees', () => {
  it('prints its plan as a table, and as one line of JSON', () => {
    const plan = ['committees', '--plan', '--total-seats', '100', '--faulty-percent', '10'];
    assert.match(coppice(...plan).stdout, /^100 seats in all, committees of 100, .*\n(.*\n)* {2}10 % \(10\)/);
    const { status, stdout, stderr } = coppice(...plan, '--json');
    assert.deepEqual([status, stderr], [0, '']);
    assert.equal(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').faulty[0].seats, 10);
  });

  it('takes seats from a genesis, and options before it', () => {
    coppice('devnet', '--make-only', '--data-dir', 'planned');
    const genesis = 'planned/validator-0/genesis.json';
    assert.match(coppice('committees', '--plan', '--genesis', genesis).stdout, /^4 seats in all, committees of 4,/);
    assert.match(
      coppice('committees', '--plan', '--genesis', genesis, '--committee-seats', '3').stdout,
      /^4 seats in all, committees of 3,/,
    );
    failsWith(/nothing\.json is missing/, 'committees', '--plan', '--genesis', 'nothing.json');
  });

  it('refuses what it cannot compute in time, and options that make no sense', () => {
    failsWith(/20001 seats in all: .* at most 20000$/m, 'committees', '--plan', '--total-seats', '20001');
    failsWith(/--target.* below 1/, 'committees', '--plan', '--target', '2');
    failsWith(/required option '--plan' not specified/, 'committees');
  });
});

describe('coppice node', () => {
  it('ends with one line when its data directory is missing or a flag is no value', () => {
    failsWith(/config\.json is missing: make it with coppice init/, 'node', '--data-dir', 'nowhere');
    assert.equal(existsSync(join(folder, 'nowhere')), false);
    coppice('keys', '--data-dir', 'four');
    writeFileSync(join(folder, 'four/config.json'), '{"version":1}');
    failsWith(/--rpc-port is not a valid configuration: seven/, 'node', '--data-dir', 'four', '--rpc-port', 'seven');
    writeFileSync(join(folder, 'four/config.json'), '{"version":2}');
    failsWith(/config\.json is not a valid configuration: version/, 'node', '--data-dir', 'four');
    writeFileSync(join(folder, 'four/config.json'), '{"version":1,"p2p":{"peers":["/ip4/1.2.3.4/tcp/9/p2p/12D3KooWnonsense"]}}');
    failsWith(/config\.json is not a valid configuration: p2p\.peers\.0: .*has no valid peer id/, 'node', '--data-dir', 'four');
  });

  it('ends with one line when it cannot listen on its addresses', async () => {
    coppice('devnet', '--make-only', '--validators', '1', '--data-dir', 'listening', '--base-port', String(await freeBasePort()));
    const node = ['node', '--data-dir', 'listening/validator-0'];
    for (const service of ['p2p', 'rpc', 'metrics']) {
      const advice = `set ${service}\\.host and ${service}\\.port in config\\.json, or --${service}-host`;
      const elsewhere = new RegExp(
        `${service} cannot listen on host 192\\.0\\.2\\.1, port \\d+: the host is no address of this machine; ${advice}`,
      );
      failsWith(elsewhere, ...node, `--${service}-host`, '192.0.2.1');
      const unknown = new RegExp(
        `${service} cannot listen on host nosuch\\.invalid, port \\d+: .*(?:name server|name of the host).*; ${advice}`,
      );
      failsWith(unknown, ...node, `--${service}-host`, 'nosuch.invalid');
    }
  });

  it('refuses the signing folder of another validator, with its own seed put back starts again', async () => {
    coppice('devnet', '--make-only', '--validators', '2', '--data-dir', 'swapped', '--base-port', String(await freeBasePort()));
    await startsAndStops('swapped/validator-0');
    const seedFile = join(folder, 'swapped/validator-0/keys/validator.seed');
    const own = readFileSync(seedFile);
    writeFileSync(seedFile, readFileSync(join(folder, 'swapped/validator-1/keys/validator.seed')));
    const ownerFile = join(folder, 'swapped/validator-0/signing/owner');
    const owner = readFileSync(ownerFile, 'utf8');
    const foreign = /validator-0\/signing is of the validator with BLS key [0-9a-f]{16}…, and keys\/validator\.seed is of [0-9a-f]{16}…/;
    failsWith(foreign, 'node', '--data-dir', 'swapped/validator-0');
    rmSync(join(folder, 'swapped/validator-0/db'), { recursive: true });
    failsWith(foreign, 'node', '--data-dir', 'swapped/validator-0');
    assert.equal(readFileSync(ownerFile, 'utf8'), owner);
    writeFileSync(seedFile, own);
    await startsAndStops('swapped/validator-0');
  });
});

describe('coppice status', () => {
  it('says when no node answers', () => failsWith(/no node answers at http:\/\/127\.0\.0\.1:9/, 'status', '--rpc', 'http://127.0.0.1:9'));
});

describe('coppice devnet', () => {
  it('ends with one line when a port is taken, and says which of its own options helps', async () => {
    const basePort = await freeBasePort();
    for (const offset of [0, 1_000, 2_000]) {
      const taken = createServer().listen(basePort + offset, '127.0.0.1');
      await once(taken, 'listening');
      const line = `^coppice: validator 0: port ${basePort + offset} is in use by another process: end that one, or choose other ports with --base-port\n$`;
      failsWith(new RegExp(line), 'devnet', '--validators', '1', '--data-dir', 'taken', '--base-port', String(basePort));
      taken.close();
    }
  });

  it('touches no folder that is not its own, even when asked to reset', () => {
    writeFileSync(join(folder, 'letters.txt'), 'dear');
    failsWith(/exists already; nothing was overwritten/, 'devnet', '--data-dir', '.');
    failsWith(/exists already; nothing was overwritten/, 'devnet', '--data-dir', '.', '--reset');
    assert.equal(readFileSync(join(folder, 'letters.txt'), 'utf8'), 'dear');
  });
});
