// What the README shows of viem and cast, as it stands there: in the name of the first account, one after the other.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Devnet } from '../../system/devnet-fixture.ts';
import { PROJECT, readmeSnippet } from './readme-snippet.ts';

/** Its suite, on a devnet whose mnemonic's first two accounts are nobody else's. */
export function describeReadme(devnetOf: () => Devnet): void {
  describe('what the README shows', { concurrency: 1 }, () => {
    it('of viem sends a coin', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'coppice-readme-'));
      const file = join(folder, 'send.mjs');
      symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules')); // As in the checkout, where the README says to save it.
      writeFileSync(file, readmeSnippet('js', "from 'viem'", devnetOf()));
      try {
        const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 60_000 });
        assert.match(stdout, /status: 'success'/);
        assert.match(stdout, /to: '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'/i);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('of cast sends another, and reads the balance', async () => {
      const lines = readmeSnippet('sh', 'cast send', devnetOf());
      const { stdout } = await promisify(execFile)('sh', ['-euc', lines], { cwd: PROJECT, timeout: 60_000 });
      assert.match(stdout, /^status +1 \(success\)$/m);
      const balance = BigInt(stdout.trim().split('\n').at(-1) ?? '0');
      assert.ok(balance > 10_000n * 10n ** 18n, `one coin more than it had: ${balance}`);
    });
  });
}
