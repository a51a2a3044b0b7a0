// A Hardhat 3 project as anyone would have it, but for two things: the compiler is npm's solc, so that none is downloaded, and what is built
// goes where the environment says.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import hardhatEthers from '@nomicfoundation/hardhat-ethers';
import { defineConfig } from 'hardhat/config';

const buildFolder = process.env['HARDHAT_BUILD_FOLDER'] ?? join(import.meta.dirname, 'build');
/** The first four that `coppice devnet` prints, known to everybody. */
const DEVNET_KEYS = [
  '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80',
  '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d',
  '0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a',
  '0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6',
].join(',');
const privateKeys = (process.env['COPPICE_PRIVATE_KEYS'] ?? DEVNET_KEYS).split(',');

export default defineConfig({
  plugins: [hardhatEthers],
  // In full: Hardhat takes the nearest package.json for the root of the project, which is that of the whole repository.
  paths: {
    sources: { solidity: ['coppice', 'examples'].map((folder) => join(import.meta.dirname, folder)) },
    tests: { solidity: join(import.meta.dirname, 'tests') },
    artifacts: join(buildFolder, 'artifacts'),
    cache: join(buildFolder, 'cache'),
  },
  solidity: {
    version: '0.8.37',
    path: createRequire(import.meta.url).resolve('solc/soljson.js'),
    settings: { optimizer: { enabled: true, runs: 200 } },
  },
  networks: {
    coppice: { type: 'http', url: process.env['COPPICE_RPC_URL'] ?? 'http://127.0.0.1:8545', accounts: privateKeys },
  },
});
