// Unmodified tools against one devnet of four shards. First the checker of shapes, alone; then at the same time Hardhat 3, its command line in a project
// like any other, which compiles, deploys and tests an ERC-20 and an ERC-721; viem, ethers 6 and cast; the Solidity examples, the tutorial and what the
// README shows. Each has a file of its own, and users in all four shards. Nobody spends from an account of another's, so that none sees what the others do.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Devnet, startDevnet } from '../../system/devnet-fixture.ts';
import { describeCast } from './cast-suite.ts';
import { describeEthers } from './ethers-suite.ts';
import { assertInEachShard, MORE_ACCOUNTS, quartets } from './four-shards.ts';
import { describeExamples, describeTutorial } from './messenger-suite.ts';
import { describeReadme } from './readme-suite.ts';
import { runHardhat } from './run-hardhat.ts';
import { describeShapes } from './shapes-suite.ts';
import { describeViem } from './viem-suite.ts';

const HARDHAT_PROJECT = join(import.meta.dirname, 'hardhat-project');
describe('tools that know nothing of Coppice', { concurrency: 1 }, () => {
  let devnet: Devnet;
  before(async () => {
    devnet = await startDevnet({ shards: 4, loadAccounts: MORE_ACCOUNTS });
  });
  after(() => devnet?.remove());

  // The well-known accounts are the tutorial's, and the README's after it.
  const users = quartets(7);
  const [shapes, viem, ethers, cast, owners, friends, examples] = users;
  const devnetWith = (...accounts: readonly (Devnet['accounts'] | undefined)[]): Devnet => ({
    ...devnet,
    accounts: accounts.flatMap((each) => each ?? []),
  });

  it('have users in every shard', async () => {
    for (const quartet of users)
      await assertInEachShard(
        devnet,
        quartet.map(({ address }) => address),
      );
  });

  describeShapes(() => devnetWith(shapes));
  describe('at the same time', { concurrency: 4 }, () => {
    describe('in the name of the first accounts', { concurrency: 1 }, () => {
      describeTutorial(() => devnet);
      describeReadme(() => devnet);
    });
    describe('hardhat', { concurrency: 1 }, () => {
      it('deploys and exercises ERC-20s and ERC-721s of OpenZeppelin, one of either in every shard', async () => {
        const stdout = await runHardhat(HARDHAT_PROJECT, 'exercise.ts', devnetWith(owners, friends));
        const exercised = [...stdout.matchAll(/^exercised: (ERC-\d+) (0x\w{40})$/gm)];
        assert.deepEqual(new Set(exercised.map(([, kind]) => kind)), new Set(['ERC-20', 'ERC-721']));
        await assertInEachShard(
          devnet,
          exercised.map(([, , address = '']) => address),
        );
      });
      describeExamples(() => devnetWith(examples?.slice(0, 3)));
    });
    describeViem(() => devnetWith(viem));
    describeEthers(() => devnetWith(ethers));
    describeCast(() => devnetWith(cast));
  });
});
