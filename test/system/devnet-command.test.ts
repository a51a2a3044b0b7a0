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
import { type Devnet, type DevnetReady, freeBasePort, startDevnet } from './devnet-fixture.ts';

const GONE_MS_MAX = 20_000;
const POLL_MS = 50;
const RECIPIENT = `0x${'d0'.repeat(20)}`;

/** Files of a running validator that no other command may change. */
const KEPT_FILES = ['config.json', 'genesis.json', 'keys/validator.seed'];

const LAUNCHER = join(import.meta.dirname, '../../scripts/coppice.mjs');

describe('coppice devnet', () => {
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
        await untilGone(JSON.parse(line) as DevnetReady);
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

  it('knows every account that it prints, and no other', async () => {
    const devnet = await startDevnet({ validators: 1 });
    try {
      const rpc = connectRpc(devnet.rpc[0] ?? '');
      for (const { address } of devnet.accounts) {
        assert.equal(BigInt(String(await rpc.call('eth_getBalance', [address, 'latest']))), 10_000n * 10n ** 18n);
      }
      assert.equal(await rpc.call('eth_getBalance', [RECIPIENT, 'latest']), '0x0');
      rpc.close();
    } finally {
      await devnet.remove();
    }
  });
});

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
