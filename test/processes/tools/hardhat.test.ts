// Unmodified Hardhat 3, its command line in a project like any other: compiles, deploys and tests an ERC-20 and an ERC-721.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type Devnet, startDevnet } from '../../system/devnet-fixture.ts';

const PROJECT = join(import.meta.dirname, 'hardhat-project');
const HARDHAT = join(dirname(createRequire(import.meta.url).resolve('hardhat/package.json')), 'dist/src/cli.js');

describe('hardhat', () => {
  let devnet: Devnet;
  before(async () => {
    devnet = await startDevnet();
  });
  after(() => devnet?.remove());

  it('deploys and exercises an ERC-20 and an ERC-721 of OpenZeppelin', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [HARDHAT, 'run', 'exercise.ts', '--network', 'coppice'], {
      cwd: PROJECT,
      timeout: 120_000,
      env: {
        ...process.env,
        HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true',
        HARDHAT_BUILD_FOLDER: join(devnet.folder, 'hardhat'),
        COPPICE_RPC_URL: devnet.rpc[0] ?? '',
        COPPICE_PRIVATE_KEYS: devnet.accounts.map(({ privateKey }) => privateKey).join(','),
      },
    });
    assert.match(stdout, /exercised: ERC-20 and ERC-721/);
  });
});
