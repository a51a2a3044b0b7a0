// The Solidity side of messages between families, as a project of Hardhat: the examples are compiled, deployed by different accounts, and
// exercised on a devnet. Every effect is waited for, as in a network where families lie in different shards.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type Devnet, startDevnet } from '../../system/devnet-fixture.ts';

const PROJECT = join(import.meta.dirname, '../../../contracts');
const HARDHAT = join(dirname(createRequire(import.meta.url).resolve('hardhat/package.json')), 'dist/src/cli.js');
const RUN_MS_MAX = 120_000;

describe('contracts of different families', () => {
  let devnet: Devnet;
  before(async () => {
    devnet = await startDevnet();
  });
  after(() => devnet?.remove());

  it('move a token there and back and lose none that does not arrive, and take bids and pay whoever is outbid', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [HARDHAT, 'run', 'scripts/all.ts', '--network', 'coppice'], {
      cwd: PROJECT,
      timeout: RUN_MS_MAX,
      env: {
        ...process.env,
        HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true',
        HARDHAT_BUILD_FOLDER: join(devnet.folder, 'hardhat'),
        COPPICE_RPC_URL: devnet.rpc[0] ?? '',
        COPPICE_PRIVATE_KEYS: devnet.accounts.map(({ privateKey }) => privateKey).join(','),
      },
    });
    assert.match(stdout, /40 coins did not arrive, and were claimed back/);
    assert.match(stdout, /bridged: 250 coins there, 100 back/);
    assert.match(stdout, /auctioned: 3 bids/);
  });
});
