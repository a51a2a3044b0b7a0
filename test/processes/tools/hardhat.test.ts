// Unmodified Hardhat 3, its command line in a project like any other: compiles, deploys and tests an ERC-20 and an ERC-721.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Devnet, startDevnet } from '../../system/devnet-fixture.ts';
import { runHardhat } from './run-hardhat.ts';

const PROJECT = join(import.meta.dirname, 'hardhat-project');

describe('hardhat', () => {
  let devnet: Devnet;
  before(async () => {
    devnet = await startDevnet({ shards: 4 });
  });
  after(() => devnet?.remove());

  it('deploys and exercises an ERC-20 and an ERC-721 of OpenZeppelin', async () => {
    const stdout = await runHardhat(PROJECT, 'exercise.ts', devnet);
    assert.match(stdout, /exercised: ERC-20 and ERC-721/);
  });
});
