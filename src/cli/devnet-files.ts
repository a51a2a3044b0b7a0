// The folder of a devnet: one data directory a validator, and devnet.json, which marks the folder as ours to reset and is written
// last, so that a half-made one is not taken for whole.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { hex } from '../core/primitives/bytes.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import type { ChainId } from '../core/primitives/ids.ts';
import { peerNameOfPublicKey } from '../network/peer-name.ts';
import { makeConfig, type NodeConfig } from '../node/config.ts';
import { initialiseDataDirectory, makeGenesisText, writeConfig } from '../node/create-network.ts';
import type { GenesisFileValidator } from '../node/genesis-file.ts';
import { createSeedFile, genesisEntryOf, readValidatorKeys } from '../node/validator-seed.ts';
import type { CryptoSelection } from '../runtime/native/select-crypto.ts';
import { type DataDirectory, dataDirectoryAt, lockDataDirectory } from '../storage/data-directory.ts';
import { mnemonicAccounts } from './mnemonic-accounts.ts';
import { DEVNET_SHARDS_MAX, DEVNET_VALIDATORS_MAX } from './parse-option.ts';

/** Accounts of the mnemonic that people use. */
export const DEVNET_ACCOUNTS = 10;
/** What each account of the mnemonic has. */
const ACCOUNT_BALANCE_WEI = 10_000n * 10n ** 18n;

const P2P_PORT_OFFSET = 1_000;
const METRICS_PORT_OFFSET = 2_000;

const OWN_NAME = /^(devnet\.json|validator-\d+)$/;

const Marker = z.strictObject({
  version: z.literal(1),
  validators: z.number().int().min(1).max(DEVNET_VALIDATORS_MAX),
  loadAccounts: z.number().int().min(0),
  shards: z.number().int().min(1).max(DEVNET_SHARDS_MAX).default(1),
  /** Of so many shards. Undefined: all of one size. */
  layout: z.array(z.number().int().min(1)).max(DEVNET_SHARDS_MAX).optional(),
  /** Undefined: a seat for each validator. */
  committeeSeats: z.number().int().min(1).max(DEVNET_VALIDATORS_MAX).optional(),
});

type DevnetMarker = z.output<typeof Marker>;

/** What a devnet is made with. */
export interface DevnetChoice {
  readonly folder: string;
  /** Undefined: as the folder has it, or four. */
  readonly validators: number | undefined;
  /** Undefined: as the folder has it, or none. */
  readonly loadAccounts: number | undefined;
  /** Undefined: as the folder has it, or one. */
  readonly shards?: number | undefined;
  /** Instead of `shards`, left to right. */
  readonly layout?: readonly ChainId[] | undefined;
  /** Of each shard's committee. Undefined: as the folder has it, or one for each validator. */
  readonly committeeSeats?: number | undefined;
  readonly basePort: number;
  readonly logLevel: NodeConfig['log']['level'];
  readonly crypto: CryptoSelection;
}

/**
 * Throws `storage/locked` when a process runs on one of the devnet's data directories: to be asked before anything in them is removed or
 * written, since that process would go on with what it has in memory, and come back to something else.
 */
export function refuseRunning(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).sort()) {
    const directory = dataDirectoryAt(join(folder, name));
    if (OWN_NAME.test(name) && existsSync(directory.lockFile)) lockDataDirectory(directory).release();
  }
}

/** Removes the folder of a devnet, whole or half-made; throws `data-directory/exists` for one that holds anything else. */
export function removeDevnet(folder: string): void {
  if (!existsSync(folder)) return;
  if (!readdirSync(folder).every((name) => OWN_NAME.test(name))) throw new CoppiceError('data-directory/exists', { path: folder });
  rmSync(folder, { recursive: true });
}

/** The data directories of the devnet, made when there are none, with configurations for these ports. */
export function prepareDevnet(choice: DevnetChoice): readonly DataDirectory[] {
  const { folder, validators, loadAccounts, layout, committeeSeats } = choice;
  const shards = layout?.length ?? choice.shards;
  if (!existsSync(markerOf(folder))) {
    if (existsSync(folder) && readdirSync(folder).length > 0) throw new CoppiceError('data-directory/exists', { path: folder });
    const counts = { validators: validators ?? 4, loadAccounts: loadAccounts ?? 0, shards: shards ?? 1, committeeSeats };
    makeDevnet(choice, { version: 1, ...counts, ...(layout === undefined ? {} : { layout: [...layout] }) });
  }
  const marker = readMarker(folder);
  const wantedLayout = layout ?? (shards === undefined ? undefined : evenLayout(shards));
  for (const [name, wanted, found] of [
    ['validators', validators, marker.validators],
    ['load-accounts', loadAccounts, marker.loadAccounts],
    [layout === undefined ? 'shards' : 'layout', wantedLayout?.join(), layoutOf(marker).join()],
    ['committee-seats', committeeSeats, marker.committeeSeats ?? marker.validators],
  ] as const) {
    if (wanted === undefined || wanted === found) continue;
    throw new CoppiceError('config/invalid', { source: `--${name}`, detail: `${folder} was made with ${found}; --reset makes it anew` });
  }
  const directories = directoriesOf(folder, marker.validators);
  const peerNames = directories.map((directory) => peerNameOf(directory, choice.crypto));
  for (const [index, directory] of directories.entries()) writeConfig(directory, configOf(choice, marker, index, peerNames));
  return directories;
}

function makeDevnet({ folder, basePort, logLevel, crypto }: DevnetChoice, marker: DevnetMarker): void {
  const { validators, loadAccounts, committeeSeats } = marker;
  const directories = directoriesOf(folder, validators);
  for (const directory of directories) createSeedFile(directory);
  const accounts = [
    ...mnemonicAccounts(0, 0, DEVNET_ACCOUNTS, crypto.secp256k1),
    ...mnemonicAccounts(1, 0, loadAccounts, crypto.secp256k1),
  ];
  const genesisText = makeGenesisText(
    {
      preset: 'devnet',
      overrides: { committeeSeats: committeeSeats ?? validators },
      validators: directories.map((directory, index) => genesisEntry(directory, accounts[index % DEVNET_ACCOUNTS]?.address ?? '', crypto)),
      accounts: accounts.map(({ address }) => ({ address, balanceWei: ACCOUNT_BALANCE_WEI.toString() })),
      timestampMs: Date.now(),
      layout: layoutOf(marker),
    },
    crypto.bls,
  );
  const config = makeConfig({ version: 1, rpc: { port: basePort }, log: { level: logLevel } });
  for (const { path } of directories) initialiseDataDirectory(path, genesisText, config);
  writeFileSync(markerOf(folder), `${JSON.stringify(marker)}\n`);
}

function layoutOf({ layout, shards }: DevnetMarker): ChainId[] {
  return layout ?? evenLayout(shards);
}

// So many shards, a power of two, are one level of the tree, left to right.
function evenLayout(shards: number): ChainId[] {
  return Array.from({ length: shards }, (_unused, index) => shards + index);
}

function genesisEntry(directory: DataDirectory, rewardAddress: string, { bls }: CryptoSelection): GenesisFileValidator {
  return genesisEntryOf(readValidatorKeys(directory), rewardAddress, 1, bls);
}

function peerNameOf(directory: DataDirectory, crypto: CryptoSelection): string {
  return peerNameOfPublicKey(hex(genesisEntry(directory, `0x${'0'.repeat(40)}`, crypto).peerKey));
}

// The first validator answers JSON-RPC for the whole network; where not everybody runs every shard, the others follow their own.
function configOf({ basePort, logLevel }: DevnetChoice, marker: DevnetMarker, index: number, peerNames: readonly string[]): NodeConfig {
  const { validators, shards, committeeSeats = validators } = marker;
  const peers = peerNames.map((name, peer) => `/ip4/127.0.0.1/tcp/${basePort + P2P_PORT_OFFSET + peer}/p2p/${name}`);
  return makeConfig({
    version: 1,
    follow: index === 0 || shards === 1 || committeeSeats >= validators ? 'all' : 'own',
    rpc: { port: basePort + index },
    p2p: { port: basePort + P2P_PORT_OFFSET + index, peers: peers.filter((_peer, peer) => peer !== index) },
    metrics: { port: basePort + METRICS_PORT_OFFSET + index },
    log: { level: logLevel },
    portableCrypto: process.env['COPPICE_PORTABLE_CRYPTO'] === '1',
  });
}

function directoriesOf(folder: string, validators: number): readonly DataDirectory[] {
  return Array.from({ length: validators }, (_unused, index) => dataDirectoryAt(join(folder, `validator-${index}`)));
}

function readMarker(folder: string): DevnetMarker {
  try {
    return Marker.parse(JSON.parse(readFileSync(markerOf(folder), 'utf8')));
  } catch {
    throw new CoppiceError('config/invalid', { source: markerOf(folder), detail: 'not what coppice devnet writes; --reset makes it anew' });
  }
}

function markerOf(folder: string): string {
  return join(folder, 'devnet.json');
}
