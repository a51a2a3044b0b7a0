// `coppice devnet` as a command: it leaves no process behind however it ends, and the next start goes on where it was.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { connectRpc } from '../../bench/devnet/json-rpc-client.ts';
import { type Devnet, type DevnetReady, freeBasePort, startDevnet } from '../system/devnet-fixture.ts';

/** What a devnet of one validator and one shard says before its status would be told again. */
const HUMAN_LINES = 16;
const GONE_MS_MAX = 20_000;
const POLL_MS = 50;
const RECIPIENT = `0x${'d0'.repeat(20)}`;

/** Files of a running validator that no other command may change. */
const KEPT_FILES = ['config.json', 'genesis.json', 'keys/validator.seed'];

const LAUNCHER = join(import.meta.dirname, '../../scripts/coppice.mjs');

describe('coppice devnet', { concurrency: 2 }, () => {
  let first: Devnet | undefined;
  let second: Devnet | undefined;
  after(async () => {
    await second?.remove();
    await first?.remove();
  });

  it('stops every process at Ctrl-C, goes on with its state at the next start, and dies whole when it is killed with -9', async () => {
    first = await startDevnet();
    assert.equal(first.rpc.length, 4);
    assert.equal(first.accounts.length, 10);
    assert.match(first.chainId, /^0x[0-9a-f]+$/);
    const height = await heightOf(first);
    const genesisHash = await hashAt(first, 0);
    await first.stop();
    assert.equal(first.process.exitCode, 0);
    await untilGone(first);

    second = await startDevnet({ folder: first.folder, basePort: first.basePort });
    assert.equal(await hashAt(second, 0), genesisHash);
    assert.ok((await heightOf(second)) >= height, 'final blocks survive a restart');
    assert.deepEqual(second.accounts, first.accounts);
    await refusesToTouch(second, ['--reset']);
    await refusesToTouch(second, []);

    second.process.kill('SIGKILL');
    await untilGone(second);
  });

  it('dies whole when the launcher of the package is killed with -9', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-launched-'));
    const args = [LAUNCHER, 'devnet', '--json', '--validators', '1', '--data-dir', folder, '--base-port', String(await freeBasePort())];
    const launcher = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      for await (const line of createInterface({ input: launcher.stdout })) {
        launcher.kill('SIGKILL');
        const ready = JSON.parse(line) as DevnetReady;
        assert.deepEqual(Object.keys(ready), ['ready', 'chainId', 'rpc', 'accounts', 'validators']);
        assert.deepEqual(Object.keys(ready.accounts[0] ?? {}), ['address', 'privateKey']);
        assert.deepEqual(Object.keys(ready.validators[0] ?? {}), ['pid', 'dataDir']);
        assert.deepEqual([ready.ready, ready.rpc.length, ready.accounts.length, ready.validators.length], [true, 1, 10, 1]);
        await untilGone(ready);
        return;
      }
      assert.fail('the devnet did not start');
    } finally {
      launcher.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    }
  });

  it('goes on while one validator lives, and ends with one line and exit code 1 when none does', async () => {
    const devnet = await startDevnet({ validators: 2 });
    try {
      const { stderr } = devnet.process;
      assert.ok(stderr !== null);
      const gone = once(devnet.process, 'exit');
      const lines = createInterface({ input: stderr })[Symbol.asyncIterator]();
      for (const [index, { pid }] of devnet.validators.entries()) {
        assert.equal(devnet.process.exitCode, null);
        process.kill(pid, 'SIGKILL');
        assert.match(String((await lines.next()).value), new RegExp(`^validator ${index} has stopped: SIGKILL`));
      }
      assert.match(String((await lines.next()).value), /^coppice: all 2 validators have stopped: /);
      assert.ok((await lines.next()).done, 'nothing more is said');
      assert.equal((await gone)[0], 1);
    } finally {
      await devnet.remove();
    }
  });

  it('tells people where it is and whose accounts it knows, then how each validator and shard is; and so does coppice status', async () => {
    const [folder, basePort] = [mkdtempSync(join(tmpdir(), 'coppice-told-')), await freeBasePort()];
    const args = [LAUNCHER, 'devnet', '--validators', '1', '--data-dir', folder, '--base-port', String(basePort)];
    const devnet = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(devnet, 'exit');
    try {
      const lines: string[] = [];
      const said = createInterface({ input: devnet.stdout })[Symbol.asyncIterator]();
      while (lines.length < HUMAN_LINES) lines.push(String((await said.next()).value));
      const url = `http://127.0.0.1:${basePort}`;
      assert.equal(lines[0], `JSON-RPC  ${url}`, 'there are no others');
      assert.match(lines[1] ?? '', /^Chain id {2}(\d+) \(0x[0-9a-f]+\)$/);
      assert.match(lines[2] ?? '', /^Accounts {2}10,000 coins each, .*\(mnemonic: test test .* junk\)$/);
      assert.match(lines[13] ?? '', /^Ctrl-C stops the network/);
      assert.match(lines[14] ?? '', /^validator 0 \(process \d+\): block \d+, 0 peers, 0 transactions waiting$/);
      assert.match(lines[15] ?? '', /^shard 1 \(epoch 0\): block \d+, final to \d+$/);
      const rpc = connectRpc(url);
      for (const account of lines.slice(3, 13)) {
        const [, address] = /^ {2}(0x[0-9a-fA-F]{40}) {2}0x[0-9a-f]{64}$/.exec(account) ?? [];
        assert.equal(BigInt(String(await rpc.call('eth_getBalance', [address, 'latest']))), 10_000n * 10n ** 18n, account);
      }
      assert.equal(await rpc.call('eth_getBalance', [RECIPIENT, 'latest']), '0x0');
      rpc.close();

      const told = statusOf(url);
      assert.match(
        told,
        /^Coppice\/[^\n]+, chain id \d+\nblock \d+\n0 peers, 0 transactions waiting\nshard 1 \(epoch 0\): block \d+, final to \d+\n$/,
      );
      const status = JSON.parse(statusOf(url, '--json')) as { readonly shards: readonly object[]; readonly blockNumber: number };
      const keys = ['blockNumber', 'chainId', 'clientVersion', 'peers', 'pendingTransactions', 'shards', 'syncing'];
      assert.deepEqual(Object.keys(status).sort(), keys);
      assert.deepEqual(Object.keys(status.shards[0] ?? {}).sort(), ['epoch', 'finalizedHeight', 'height', 'shard']);
      assert.ok(status.blockNumber >= 1);
      devnet.kill('SIGINT');
      assert.equal((await gone)[0], 0);
    } finally {
      devnet.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    }
  });
});

function statusOf(url: string, ...more: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, 'status', '--rpc', url, ...more], { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout;
}

async function heightOf(devnet: Devnet): Promise<number> {
  const rpc = connectRpc(devnet.rpc[0] ?? '');
  try {
    return Number(await rpc.call('eth_blockNumber', []));
  } finally {
    rpc.close();
  }
}

async function hashAt(devnet: Devnet, number: number): Promise<string> {
  const rpc = connectRpc(devnet.rpc[0] ?? '');
  try {
    return ((await rpc.call('eth_getBlockByNumber', [`0x${number.toString(16)}`, false])) as { hash: string }).hash;
  } finally {
    rpc.close();
  }
}

async function untilGone(devnet: DevnetReady): Promise<void> {
  const deadlineMs = performance.now() + GONE_MS_MAX;
  for (const { pid } of devnet.validators) {
    while (isAlive(pid)) {
      assert.ok(performance.now() < deadlineMs, `process ${pid} is still there`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

// A second devnet on the folder of a running one, on other ports, ends with one line and changes nothing.
async function refusesToTouch(devnet: Devnet, more: readonly string[]): Promise<void> {
  const folder = join(devnet.validators[0]?.dataDir ?? '', '..');
  const contents = (): string[] => KEPT_FILES.map((name) => readFileSync(join(folder, 'validator-0', name), 'latin1'));
  const before = contents();
  const args = [LAUNCHER, 'devnet', '--data-dir', folder, '--base-port', String(await freeBasePort()), ...more];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /^coppice: .*validator-0 is in use by another process \(process \d+\)\n$/);
  assert.deepEqual(contents(), before);
}
