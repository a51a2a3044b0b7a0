// The Solidity side of messages between families, as a project of Hardhat: the examples are compiled, deployed by different accounts, and
// exercised on a devnet. Every effect is waited for, as in a network where families lie in different shards.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Devnet, startDevnet } from '../../system/devnet-fixture.ts';
import { runHardhat } from './run-hardhat.ts';

const PROJECT = join(import.meta.dirname, '../../../contracts');

describe('contracts of different families', () => {
  let devnet: Devnet;
  before(async () => {
    devnet = await startDevnet({ shards: 4 });
  });
  after(() => devnet?.remove());

  it('move a token there and back and lose none that does not arrive, and take bids and pay whoever is outbid', async () => {
    const stdout = await runHardhat(PROJECT, 'scripts/all.ts', devnet);
    assert.match(stdout, /40 coins did not arrive, and were claimed back/);
    assert.match(stdout, /bridged: 250 coins there, 100 back/);
    assert.match(stdout, /auctioned: 3 bids/);
  });
});
