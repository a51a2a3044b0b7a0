// Hardhat's own command line in a project, against a devnet.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Devnet } from '../../system/devnet-fixture.ts';

const HARDHAT = join(dirname(createRequire(import.meta.url).resolve('hardhat/package.json')), 'dist/src/cli.js');
const RUN_MS_MAX = 120_000;

/** Runs a script of the project with the devnet's accounts; what it printed. */
export async function runHardhat(project: string, script: string, { folder, rpc, accounts }: Devnet): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [HARDHAT, 'run', script, '--network', 'coppice'], {
    cwd: project,
    timeout: RUN_MS_MAX,
    env: {
      ...process.env,
      HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true',
      HARDHAT_BUILD_FOLDER: join(folder, `hardhat-${basename(project)}`),
      COPPICE_RPC_URL: rpc[0] ?? '',
      COPPICE_PRIVATE_KEYS: accounts.map(({ privateKey }) => privateKey).join(','),
    },
  });
  return stdout;
}
