// The Solidity side of messages between families, as a project of Hardhat: the examples are compiled, deployed by different accounts, and
// exercised on a devnet, and the tutorial is gone through as it stands. Every effect is waited for, as in a network where families lie in different shards.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Devnet, startDevnet } from '../../system/devnet-fixture.ts';
import { runHardhat } from './run-hardhat.ts';
import { codeBlocksOf, installedPackages, runTutorial, versionIn } from './tutorial.ts';

const CHECKOUT = join(import.meta.dirname, '../../..');
const PROJECT = join(CHECKOUT, 'contracts');
const TUTORIAL = readFileSync(join(CHECKOUT, 'docs/tutorial.md'), 'utf8');

/** The first three are the tutorial's. */
const EXAMPLES_FROM = 3;

describe('contracts of different families', { concurrency: 3 }, () => {
  let devnet: Devnet;
  before(async () => {
    devnet = await startDevnet({ shards: 4 });
  });
  after(() => devnet?.remove());

  it('move a token there and back and lose none that does not arrive, and take bids and pay whoever is outbid', async () => {
    const stdout = await runHardhat(PROJECT, 'scripts/all.ts', { ...devnet, accounts: devnet.accounts.slice(EXAMPLES_FROM) });
    assert.match(stdout, /40 coins did not arrive, and were claimed back/);
    assert.match(stdout, /bridged: 250 coins there, 100 back/);
    assert.match(stdout, /auctioned: 3 bids/);
  });

  it('do what the tutorial says, command by command', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-tutorial-'));
    try {
      const all = await runTutorial(TUTORIAL, { folder, checkout: CHECKOUT, rpcUrl: devnet.rpc[0] ?? '' });
      for (const { commands, shown, printed } of all) if (shown !== undefined) assert.equal(printed.trim(), shown.trim(), commands);
      assert.ok(all.filter(({ shown }) => shown !== undefined).length >= 4, 'the tutorial shows what its commands print');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are those of the network and the packages that the tutorial starts with', () => {
    const [network] = codeBlocksOf(TUTORIAL).filter(({ note }) => note === 'terminal');
    assert.equal(network?.text, 'npm ci\nnpm run devnet -- --shards 4\n');
    const packages = installedPackages(TUTORIAL);
    assert.ok(packages.size > 0);
    for (const [name, version] of packages) assert.equal(versionIn(CHECKOUT, name), version, name);
  });
});
