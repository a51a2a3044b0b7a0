// Unmodified tools against one devnet of four shards, at the same time: Hardhat 3, its command line in a project like any other, which compiles,
// deploys and tests an ERC-20 and an ERC-721; and viem, ethers 6, cast and what the README shows, each in a file of its own. Nobody spends from an
// account of another's, so that none sees what the others do.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Devnet, startDevnet } from '../../system/devnet-fixture.ts';
import { describeCast } from './cast-suite.ts';
import { describeEthers } from './ethers-suite.ts';
import { describeReadme } from './readme-suite.ts';
import { runHardhat } from './run-hardhat.ts';
import { describeViem } from './viem-suite.ts';

const HARDHAT_PROJECT = join(import.meta.dirname, 'hardhat-project');
/** The first two are of the README. */
const ACCOUNTS = { viem: [2], cast: [3, 9], ethers: [4, 5, 6], hardhat: [7, 8] } as const;

describe('tools that know nothing of Coppice', { concurrency: 3 }, () => {
  let devnet: Devnet;
  before(async () => {
    devnet = await startDevnet({ shards: 4 });
  });
  after(() => devnet?.remove());

  const devnetFor = (tool: keyof typeof ACCOUNTS): Devnet => ({
    ...devnet,
    accounts: devnet.accounts.filter((_account, place) => (ACCOUNTS[tool] as readonly number[]).includes(place)),
  });

  describe('hardhat', () => {
    it('deploys and exercises an ERC-20 and an ERC-721 of OpenZeppelin', async () => {
      const stdout = await runHardhat(HARDHAT_PROJECT, 'exercise.ts', devnetFor('hardhat'));
      assert.match(stdout, /exercised: ERC-20 and ERC-721/);
    });
  });
  describeReadme(() => devnet);
  describeViem(() => devnetFor('viem'));
  describeEthers(() => devnetFor('ethers'));
  describeCast(() => devnetFor('cast'));
});
