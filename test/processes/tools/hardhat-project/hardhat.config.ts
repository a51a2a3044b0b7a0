// A Hardhat 3 project as anyone would have it, but for two things: the compiler is npm's solc, so that none is downloaded, and
// what is built goes to a folder of the test.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import hardhatEthers from '@nomicfoundation/hardhat-ethers';
import { defineConfig } from 'hardhat/config';

const buildFolder = process.env['HARDHAT_BUILD_FOLDER'] ?? 'build';
const privateKeys = (process.env['COPPICE_PRIVATE_KEYS'] ?? '').split(',');

export default defineConfig({
  plugins: [hardhatEthers],
  // In full: Hardhat takes the nearest package.json for the root of the project, which is that of the whole repository.
  paths: {
    sources: join(import.meta.dirname, 'contracts'),
    tests: { solidity: join(import.meta.dirname, 'tests') },
    artifacts: join(buildFolder, 'artifacts'),
    cache: join(buildFolder, 'cache'),
  },
  solidity: { version: '0.8.37', path: createRequire(import.meta.url).resolve('solc/soljson.js') },
  networks: {
    coppice: { type: 'http', url: process.env['COPPICE_RPC_URL'] ?? 'http://127.0.0.1:8545', accounts: privateKeys },
  },
});
