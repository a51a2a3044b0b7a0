// Unmodified tools against one devnet of four shards. First the checker of shapes, alone; then at the same time Hardhat 3, its command line in a project
// like any other, which compiles, deploys and tests an ERC-20 and an ERC-721; viem, ethers 6 and cast; the Solidity examples, the tutorial and what the
// README shows. Each has a file of its own. Nobody spends from an account of another's, so that none sees what the others do.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { mnemonicAccounts } from '../../../src/cli/mnemonic-accounts.ts';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { nobleSecp256k1 } from '../../../src/core/crypto/secp256k1-noble.ts';
import { type Devnet, startDevnet } from '../../system/devnet-fixture.ts';
import { describeCast } from './cast-suite.ts';
import { describeEthers } from './ethers-suite.ts';
import { describeExamples, describeTutorial } from './messenger-suite.ts';
import { describeReadme } from './readme-suite.ts';
import { runHardhat } from './run-hardhat.ts';
import { describeShapes } from './shapes-suite.ts';
import { describeViem } from './viem-suite.ts';

const HARDHAT_PROJECT = join(import.meta.dirname, 'hardhat-project');
/** Beside the ten that people use: of the branch for load generators. */
const MORE_ACCOUNTS = 6;
/** The first three are the tutorial's, and the first two the README's after it. */
const ACCOUNTS = { viem: [3], cast: [4, 9], ethers: [5, 6, 7], hardhat: [8, 10], examples: [11, 12, 13], shapes: [14, 15] } as const;

describe('tools that know nothing of Coppice', { concurrency: 1 }, () => {
  let devnet: Devnet;
  before(async () => {
    await initialiseKeccak();
    const started = await startDevnet({ shards: 4, loadAccounts: MORE_ACCOUNTS });
    devnet = { ...started, accounts: [...started.accounts, ...mnemonicAccounts(1, 0, MORE_ACCOUNTS, nobleSecp256k1)] };
  });
  after(() => devnet?.remove());

  const devnetFor = (tool: keyof typeof ACCOUNTS): Devnet => ({
    ...devnet,
    accounts: ACCOUNTS[tool].map((place) => devnet.accounts[place] as Devnet['accounts'][number]),
  });

  describeShapes(() => devnetFor('shapes'));
  describe('at the same time', { concurrency: 4 }, () => {
    describe('in the name of the first accounts', { concurrency: 1 }, () => {
      describeTutorial(() => devnet);
      describeReadme(() => devnet);
    });
    describe('hardhat', { concurrency: 1 }, () => {
      it('deploys and exercises an ERC-20 and an ERC-721 of OpenZeppelin', async () => {
        const stdout = await runHardhat(HARDHAT_PROJECT, 'exercise.ts', devnetFor('hardhat'));
        assert.match(stdout, /exercised: ERC-20 and ERC-721/);
      });
      describeExamples(() => devnetFor('examples'));
    });
    describeViem(() => devnetFor('viem'));
    describeEthers(() => devnetFor('ethers'));
    describeCast(() => devnetFor('cast'));
  });
});
