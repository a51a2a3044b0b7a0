// coppice init: puts a genesis and a configuration into a data directory. The genesis is the network's, or a new one made of a
// preset, the validators' entries (coppice keys prints them) and funded accounts.
import { existsSync, readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { CoppiceError } from '../core/primitives/errors.ts';
import { peerNameOfSeed } from '../network/peer-name.ts';
import { makeConfig } from '../node/config.ts';
import { initialiseDataDirectory, makeGenesisText, requireUninitialised } from '../node/create-network.ts';
import type { GenesisFileAccount, GenesisFileValidator } from '../node/genesis-file.ts';
import { parseGenesis } from '../node/genesis-file.ts';
import { readValidatorKeys } from '../node/validator-seed.ts';
import { selectCrypto } from '../runtime/native/select-crypto.ts';
import { dataDirectoryAt } from '../storage/data-directory.ts';
import { collect, collectPeer } from './parse-option.ts';
import { printLine, printNotice } from './print.ts';

interface InitOptions {
  readonly dataDir: string;
  readonly genesis: string | undefined;
  readonly preset: 'devnet' | 'mainnet';
  readonly validator: readonly string[];
  readonly account: readonly string[];
  readonly peer: readonly string[];
}

const WEI_OF_COIN = 10n ** 18n;

/** Adds the command. */
export function addInitCommand(program: Command): void {
  program
    .command('init')
    .description('make a data directory: genesis.json and config.json')
    .requiredOption('--data-dir <folder>', 'data directory to make; keys may be in it already')
    .option('--genesis <file>', "the network's genesis.json; without it a new network is made")
    .addOption(new Option('--preset <name>', 'parameters of a new network').choices(['devnet', 'mainnet']).default('devnet'))
    .option('--validator <file>', 'entry of a validator of a new network, as coppice keys prints it (repeat)', collect, [])
    .option('--account <address=coins>', 'funded account of a new network (repeat)', collect, [])
    .option('--peer <multiaddress>', 'peer to connect to: /ip4/…/tcp/…/p2p/… (repeat)', collectPeer, [])
    .action(runInit);
}

async function runInit(options: InitOptions): Promise<void> {
  const { bls } = selectCrypto({ disableNative: false });
  const directory = dataDirectoryAt(options.dataDir);
  requireUninitialised(directory); // Before what the options would make of it: nothing else matters then.
  const text = options.genesis === undefined ? newGenesisText(options) : readText(options.genesis);
  if (options.genesis !== undefined) parseGenesis(options.genesis, text, bls);
  const config = makeConfig({ version: 1, p2p: { peers: [...options.peer] } });
  const keys = existsSync(directory.seedFile) ? readValidatorKeys(directory) : undefined;
  initialiseDataDirectory(options.dataDir, text, config);
  printLine(`made ${directory.genesisFile} and ${directory.configFile}`);
  if (keys === undefined)
    printNotice(`${directory.seedFile} is not there yet: a node starts only with the keys of a validator of the genesis`);
  else printLine(`peer id ${await peerNameOfSeed(keys.peerSeed)}`);
}

function newGenesisText({ preset, validator, account }: InitOptions): string {
  const { bls } = selectCrypto({ disableNative: false });
  const validators = validator.map((path) => parseValidator(path, readText(path)));
  const seats = validators.reduce((sum, each) => sum + each.seats, 0);
  const overrides = { committeeSeats: Math.max(1, seats) };
  return makeGenesisText({ preset, overrides, validators, accounts: account.map(parseAccount), timestampMs: Date.now() }, bls);
}

// The genesis as a whole is checked afterwards: here only that there is an object with seats.
function parseValidator(path: string, text: string): GenesisFileValidator {
  try {
    return z.looseObject({ seats: z.number() }).parse(JSON.parse(text)) as unknown as GenesisFileValidator;
  } catch {
    throw new CoppiceError('genesis/invalid', { path, detail: 'not an entry that coppice keys prints' });
  }
}

function parseAccount(text: string): GenesisFileAccount {
  const match = /^(0x[0-9a-fA-F]{40})=(\d{1,12})$/.exec(text);
  if (match === null) throw new InvalidArgumentError(`--account ${text}: it must be an address, = and whole coins`);
  return { address: match[1] as string, balanceWei: (BigInt(match[2] as string) * WEI_OF_COIN).toString() };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CoppiceError('data-directory/missing', { path, advice: error instanceof Error ? error.message : String(error) });
  }
}
