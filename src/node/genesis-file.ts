// genesis.json and its presets: from text to a checked `Genesis`, and back. A genesis file names a preset and overrides what it
// likes; amounts are decimal strings, bytes are 0x-prefixed hexadecimal.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { BlsScheme } from '../core/crypto/bls.ts';
import { compareBytes, hex } from '../core/primitives/bytes.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import { ROOT_SHARD } from '../core/primitives/ids.ts';
import { checkGenesis, GENESIS_ACCOUNTS_MAX, GENESIS_SLOTS_MAX, type Genesis, type GenesisAccount } from '../core/protocol/genesis.ts';
import { COMMITTEE_MEMBERS_MAX, SHARDS_MAX } from '../core/protocol/limits.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import { describeIssues } from './config.ts';
import './errors.ts';

const bytesOf = (length: number) =>
  z.string().regex(new RegExp(`^0x[0-9a-fA-F]{${2 * length}}$`), `must be 0x and ${length} bytes of hexadecimal`);
const Bytes = z.string().regex(/^0x([0-9a-fA-F]{2})*$/, 'must be 0x and whole bytes of hexadecimal');
const Amount = z.string().regex(/^\d{1,78}$/, 'must be a decimal string');
const Count = z.number().int().min(0);

const Parameters = z.strictObject({
  evmChainId: Count,
  blockGasLimit: Count,
  inboxGasShare: Count,
  inboxBytesShare: Count,
  transactionGasLimitMax: Count,
  bodyBytesMax: Count,
  transactionBytesMax: Count,
  roundTimeoutMs: Count,
  roundTimeoutMsMax: Count,
  roundTimeoutGrowthPercent: Count,
  resendIntervalMs: Count,
  blockIntervalMsMin: Count,
  idleIntervalMs: Count,
  leaderWindow: Count,
  baseFeePerGasWeiMin: Amount,
  committeeSeats: Count,
  clockToleranceMs: Count,
  mempoolTransactionsMax: Count,
  mempoolBytesMax: Count,
  mempoolTransactionsPerSenderMax: Count,
  fullHistoryBlocks: Count,
  epochBlocks: Count,
  takeoverGraceBlocks: Count,
  beaconBlockIntervalMsMin: Count,
});

const Account = z.strictObject({
  address: bytesOf(20),
  balanceWei: Amount.default('0'),
  nonce: Count.default(0),
  code: Bytes.default('0x'),
  storage: z.record(bytesOf(32), bytesOf(32)).default({}),
});

const Validator = z.strictObject({
  blsPublicKey: bytesOf(48),
  vrfPublicKey: bytesOf(32),
  peerKey: bytesOf(32),
  rewardAddress: bytesOf(20),
  seats: Count,
  proofOfPossession: bytesOf(96),
});

const GenesisFile = z.strictObject({
  version: z.literal(1),
  preset: z.enum(['devnet', 'mainnet']),
  overrides: Parameters.partial().default({}),
  timestampMs: Count,
  seed: bytesOf(32),
  validators: z.array(Validator).max(COMMITTEE_MEMBERS_MAX),
  accounts: z.array(Account).max(GENESIS_ACCOUNTS_MAX),
  /** One shard where the file says nothing. */
  layout: z.array(Count).max(SHARDS_MAX).default([ROOT_SHARD]),
});

/** The JSON of a genesis file, as the program writes it. */
export type GenesisFileContent = z.input<typeof GenesisFile>;
/** One validator in a genesis file. */
export type GenesisFileValidator = z.input<typeof Validator>;
/** One account in a genesis file. */
export type GenesisFileAccount = z.input<typeof Account>;

/** Reads and checks a genesis file; throws `genesis/invalid` or `data-directory/missing`. */
export function readGenesisFile(path: string, bls: BlsScheme): Genesis {
  return parseGenesis(path, readText(path), bls);
}

/** A checked genesis from the text of a file; `path` is for the error. */
export function parseGenesis(path: string, text: string, bls: BlsScheme): Genesis {
  const file = parseJson(GenesisFile, path, text);
  const { baseFeePerGasWeiMin, ...overrides } = definedOnly(file.overrides);
  const baseFee = baseFeePerGasWeiMin === undefined ? {} : { baseFeePerGasWeiMin: BigInt(baseFeePerGasWeiMin) };
  const verdict = checkGenesis(
    {
      parameters: { ...readPreset(file.preset), ...overrides, ...baseFee },
      validators: file.validators.map((validator) => ({
        blsPublicKey: hex(validator.blsPublicKey),
        vrfPublicKey: hex(validator.vrfPublicKey),
        peerKey: hex(validator.peerKey),
        rewardAddress: hex(validator.rewardAddress),
        seats: validator.seats,
        proofOfPossession: hex(validator.proofOfPossession),
      })),
      accounts: file.accounts.map(accountOf).sort((a, b) => compareBytes(a.address, b.address)),
      timestampMs: file.timestampMs,
      seed: hex(file.seed),
      layout: file.layout,
    },
    bls,
  );
  if (verdict.ok) return verdict.value;
  throw new CoppiceError('genesis/invalid', { path, detail: `${verdict.reason}: ${verdict.detail}` });
}

/** The parameters of a preset. */
export function readPreset(name: z.output<typeof GenesisFile>['preset']): NetworkParameters {
  const preset = parseJson(Parameters, `preset ${name}`, readShippedFile(`presets/${name}.json`));
  return { ...preset, baseFeePerGasWeiMin: BigInt(preset.baseFeePerGasWeiMin) };
}

/** The contracts that every network has from the start: CREATE2 proxy, Multicall3, sixteen commons factories. */
export function predeployedAccounts(): readonly GenesisFileAccount[] {
  const Predeployed = z.array(z.object({ address: bytesOf(20), code: Bytes }));
  const contracts = parseJson(Predeployed, 'predeployed.json', readShippedFile('predeployed.json'));
  // Nonce 1, as EIP-161 gives to a contract: so its own CREATE cannot take an address twice.
  return contracts.map(({ address, code }) => ({ address, code, nonce: 1 }));
}

// Most accounts have neither code nor storage: they share these, or a hundred thousand would hold as many empty arrays.
const NO_CODE = new Uint8Array(0);
const NO_STORAGE: GenesisAccount['storage'] = [];

function accountOf(account: z.output<typeof Account>): GenesisAccount {
  const storage = Object.entries(account.storage).map(([slot, value]) => ({ slot: hex(slot), value: hex(value) }));
  return {
    address: hex(account.address),
    balanceWei: BigInt(account.balanceWei),
    nonce: BigInt(account.nonce),
    code: account.code === '0x' ? NO_CODE : hex(account.code),
    storage: storage.length === 0 ? NO_STORAGE : storage.slice(0, GENESIS_SLOTS_MAX + 1).sort((a, b) => compareBytes(a.slot, b.slot)),
  };
}

function parseJson<T extends z.ZodType>(type: T, path: string, text: string): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CoppiceError('genesis/invalid', { path, detail: error instanceof Error ? error.message : String(error) });
  }
  const checked = type.safeParse(value);
  if (checked.success) return checked.data;
  throw new CoppiceError('genesis/invalid', { path, detail: describeIssues(checked.error) });
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new CoppiceError('data-directory/missing', { path, advice: `run coppice init first (${detail})` });
  }
}

// `genesis` stands beside `src`, and beside `dist` in the package.
function readShippedFile(name: string): string {
  return readText(fileURLToPath(new URL(`../../genesis/${name}`, import.meta.url)));
}

function definedOnly<T extends object>(overrides: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
