// The command line as people and scripts meet it: each command in a process of its own, in a folder of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'coppice-cli-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const coppice = (...args: readonly string[]) =>
  spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: 'utf8', timeout: 30_000 });

const failsWith = (pattern: RegExp, ...args: readonly string[]): void => {
  const { status, stderr } = coppice(...args);
  assert.equal(status, 1, stderr);
  assert.match(stderr, pattern);
  assert.ok(stderr.trim().split('\n').length <= 2, `one clear line, not: ${stderr}`);
};

describe('every command', () => {
  it('explains itself, and an unknown one ends with exit code 1', () => {
    assert.match(coppice('--help').stdout, /devnet.*init.*keys.*node.*status/s);
    for (const command of ['devnet', 'init', 'keys', 'node', 'status']) {
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
    assert.equal(readFileSync(seedFile, 'utf8'), seed);

    const account = `0x${'11'.repeat(20)}=5`;
    assert.equal(coppice('init', '--data-dir', 'one', '--validator', 'one.json', '--account', account).status, 0);
    const genesis = readFileSync(join(folder, 'one/genesis.json'), 'utf8');
    failsWith(/exists already; nothing was overwritten/, 'init', '--data-dir', 'one', '--validator', 'one.json');
    assert.equal(readFileSync(join(folder, 'one/genesis.json'), 'utf8'), genesis);

    assert.equal(coppice('init', '--data-dir', 'two', '--genesis', 'one/genesis.json').status, 0);
    assert.equal(readFileSync(join(folder, 'two/genesis.json'), 'utf8'), genesis);
  });

  it('refuse a genesis that is none, a validator without proof, and an account without coins', () => {
    writeFileSync(join(folder, 'bad.json'), '{"version":1}');
    failsWith(/bad\.json is not a valid genesis/, 'init', '--data-dir', 'three', '--genesis', 'bad.json');
    failsWith(/bad\.json is not a valid genesis/, 'init', '--data-dir', 'three', '--validator', 'bad.json');
    failsWith(/validators/, 'init', '--data-dir', 'three');
    assert.equal(existsSync(join(folder, 'three')), false);
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
  });
});

describe('coppice status', () => {
  it('says when no node answers', () => failsWith(/no node answers at http:\/\/127\.0\.0\.1:9/, 'status', '--rpc', 'http://127.0.0.1:9'));
});

describe('coppice devnet', () => {
  it('touches no folder that is not its own, even when asked to reset', () => {
    writeFileSync(join(folder, 'letters.txt'), 'dear');
    failsWith(/exists already; nothing was overwritten/, 'devnet', '--data-dir', '.');
    failsWith(/exists already; nothing was overwritten/, 'devnet', '--data-dir', '.', '--reset');
    assert.equal(readFileSync(join(folder, 'letters.txt'), 'utf8'), 'dear');
  });
});
