// coppice keys: makes a validator's secret, or shows what it publishes: the entry that the network's genesis needs, and the peer id that
// the others' configurations name.
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { peerNameOfSeed } from '../network/peer-name.ts';
import { createSeedFile, genesisEntryOf, readValidatorKeys } from '../node/validator-seed.ts';
import { selectCrypto } from '../runtime/native/select-crypto.ts';
import { dataDirectoryAt } from '../storage/data-directory.ts';
import { parseAddress, parseCount } from './parse-option.ts';
import { printLine, printNotice } from './print.ts';

interface KeysOptions {
  readonly dataDir: string;
  readonly rewardAddress: string;
  readonly seats: number;
  readonly peerId: boolean;
}

/** Adds the command. */
export function addKeysCommand(program: Command): void {
  program
    .command('keys')
    .description("make a validator's keys, or show those that are there, as an entry for genesis")
    .requiredOption('--data-dir <folder>', 'data directory; the secret is made in its keys/ folder when there is none')
    .option('--reward-address <address>', 'account that rewards are paid to', parseAddress, `0x${'0'.repeat(40)}`)
    .option('--seats <number>', 'seats in the committee', parseCount, 1)
    .option('--peer-id', 'print nothing but the peer id', false)
    .addHelpText('after', '\nThe secret is keys/validator.seed, 32 bytes: the one thing to back up. Never run two nodes with one secret.')
    .action(runKeys);
}

async function runKeys({ dataDir, rewardAddress, seats, peerId: isPeerIdOnly }: KeysOptions): Promise<void> {
  const directory = dataDirectoryAt(dataDir);
  if (existsSync(directory.seedFile)) {
    if (!isPeerIdOnly) printNotice(`showing the keys in ${directory.seedFile}`);
  } else {
    createSeedFile(directory);
    printNotice(`made ${directory.seedFile}: back it up, and keep it secret`);
  }
  const keys = readValidatorKeys(directory);
  const peerId = await peerNameOfSeed(keys.peerSeed);
  if (isPeerIdOnly) return printLine(peerId);
  printNotice(`peer id ${peerId}: others reach this validator at /ip4/<its address>/tcp/9545/p2p/${peerId}`);
  const { bls } = selectCrypto({ disableNative: false });
  printLine(JSON.stringify(genesisEntryOf(keys, rewardAddress, seats, bls), undefined, 2));
}
