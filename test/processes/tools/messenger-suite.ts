// The Solidity side of messages between families, as a project of Hardhat: the examples are compiled, deployed by different accounts, and
// exercised on a devnet, and the tutorial is gone through as it stands. Every effect is waited for, as in a network where families lie in different shards.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Devnet } from '../../system/devnet-fixture.ts';
import { runHardhat } from './run-hardhat.ts';
import { codeBlocksOf, installedPackages, runTutorial, versionIn } from './tutorial.ts';

const CHECKOUT = join(import.meta.dirname, '../../..');
const PROJECT = join(CHECKOUT, 'contracts');
const TUTORIAL = readFileSync(join(CHECKOUT, 'docs/tutorial.md'), 'utf8');

/** The examples, on a devnet whose accounts are nobody else's. */
export function describeExamples(devnetOf: () => Devnet): void {
  it('contracts of different families move a token there and back and lose none that does not arrive, and take bids and pay whoever is outbid', async () => {
    const stdout = await runHardhat(PROJECT, 'scripts/all.ts', devnetOf());
    assert.match(stdout, /40 coins did not arrive, and were claimed back/);
    assert.match(stdout, /bridged: 250 coins there, 100 back/);
    assert.match(stdout, /auctioned: 3 bids/);
  });
}

/** The tutorial, on a devnet whose mnemonic's first three accounts have sent nothing yet: what it shows depends on the addresses of its contracts. */
export function describeTutorial(devnetOf: () => Devnet): void {
  describe('the tutorial', { concurrency: 1 }, () => {
    it('is what its commands do, one by one', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'coppice-tutorial-'));
      try {
        const all = await runTutorial(TUTORIAL, { folder, checkout: CHECKOUT, rpcUrl: devnetOf().rpc[0] ?? '' });
        for (const { commands, shown, printed } of all) if (shown !== undefined) assert.equal(printed.trim(), shown.trim(), commands);
        assert.ok(all.filter(({ shown }) => shown !== undefined).length >= 4, 'the tutorial shows what its commands print');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('starts with this network, and with the packages that the checkout has', () => {
      const [network] = codeBlocksOf(TUTORIAL).filter(({ note }) => note === 'terminal');
      assert.equal(network?.text, 'npm ci\nnpm run devnet -- --shards 4\n');
      const packages = installedPackages(TUTORIAL);
      assert.ok(packages.size > 0);
      for (const [name, version] of packages) assert.equal(versionIn(CHECKOUT, name), version, name);
    });
  });
}
