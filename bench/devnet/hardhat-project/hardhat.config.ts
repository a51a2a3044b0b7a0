// Hardhat's node as it comes, but with as many funded accounts as the load has senders, and a gas limit that is never the bound.
import { defineConfig } from 'hardhat/config';

const { BASELINE_MNEMONIC: mnemonic = '', BASELINE_ACCOUNTS: count = '20' } = process.env;

export default defineConfig({
  networks: {
    node: {
      type: 'edr-simulated',
      chainType: 'l1',
      chainId: 31_337,
      blockGasLimit: 1_000_000_000,
      accounts: { mnemonic, count: Number(count) },
    },
  },
});
