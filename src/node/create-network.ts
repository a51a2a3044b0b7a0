// Makes the files that nodes start from: a genesis from a preset, validators and accounts, and data directories that hold it.
// Nothing that exists is overwritten, but for config.json of a devnet, whose ports may change from start to start.

import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import type { BlsScheme } from '../core/crypto/bls.ts';
import { bytesToPrefixedHex } from '../core/primitives/bytes.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import { type ChainId, ROOT_SHARD, type TimestampMs } from '../core/primitives/ids.ts';
import { type DataDirectory, dataDirectoryAt, lockDataDirectory } from '../storage/data-directory.ts';
import { makeFolder } from '../storage/make-folder.ts';
import type { NodeConfig } from './config.ts';
import {
  type GenesisFileAccount,
  type GenesisFileContent,
  type GenesisFileValidator,
  parseGenesis,
  predeployedAccounts,
} from './genesis-file.ts';
import './errors.ts';

/** What a new network is made of. */
export interface NetworkChoice {
  readonly preset: GenesisFileContent['preset'];
  readonly overrides: NonNullable<GenesisFileContent['overrides']>;
  readonly validators: readonly GenesisFileValidator[];
  /** Beside the predeployed contracts, which every network has. */
  readonly accounts: readonly GenesisFileAccount[];
  readonly timestampMs: TimestampMs;
  /** Left to right; one shard when absent. */
  readonly layout?: readonly ChainId[];
}

/** The text of a new genesis file, checked by reading it back; throws `genesis/invalid`. */
export function makeGenesisText(choice: NetworkChoice, bls: BlsScheme): string {
  const content: GenesisFileContent = {
    version: 1,
    preset: choice.preset,
    overrides: choice.overrides,
    timestampMs: choice.timestampMs,
    seed: bytesToPrefixedHex(randomBytes(32)),
    layout: [...(choice.layout ?? [ROOT_SHARD])],
    validators: [...choice.validators],
    accounts: [...predeployedAccounts(), ...choice.accounts],
  };
  const text = `${stringifyByLines(content)}\n`;
  parseGenesis('the new genesis', text, bls);
  return text;
}

/** Throws `storage/locked` when a process runs on the data directory, `data-directory/exists` when there is more than keys in it. */
export function requireUninitialised(directory: DataDirectory): void {
  if (existsSync(directory.lockFile)) lockDataDirectory(directory).release();
  for (const file of [directory.genesisFile, directory.configFile, directory.databaseFolder]) {
    if (existsSync(file)) throw new CoppiceError('data-directory/exists', { path: file });
  }
}

/** Puts genesis and configuration into a data directory; keys may be there already, the rest must not. */
export function initialiseDataDirectory(path: string, genesisText: string, config: NodeConfig): DataDirectory {
  const directory = dataDirectoryAt(path);
  requireUninitialised(directory);
  makeFolder(path, 0o700);
  writeFileSync(directory.genesisFile, genesisText, { flag: 'wx' });
  writeConfig(directory, config);
  return directory;
}

/** Writes config.json as it is now. */
export function writeConfig({ configFile }: DataDirectory, config: NodeConfig): void {
  writeFileSync(configFile, `${JSON.stringify(config, undefined, 2)}\n`);
}

// One account a line: a hundred thousand of them stay readable, and take half the space.
function stringifyByLines({ accounts, ...rest }: GenesisFileContent): string {
  const head = JSON.stringify(rest, undefined, 2).slice(0, -2);
  return `${head},\n  "accounts": [\n    ${accounts.map((account) => JSON.stringify(account)).join(',\n    ')}\n  ]\n}`;
}
