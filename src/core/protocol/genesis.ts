// Genesis: everything a network is decided by before its first block, as a checked value. Reading it from a file is the node's
// business (node/genesis-file.ts); what it means is here.
//
// The rule upheld: one network, one root. `genesisRoot` commits every parameter, validator and account; it is in the domain of all
// that is signed, in topics and in databases, so nodes of networks that differ in anything cannot take each other for their own.
import { ContainerType, ListBasicType, ListCompositeType } from '@chainsafe/ssz';
import type { BlsScheme } from '../crypto/bls.ts';
import { domainRoot, SIGNATURE_KIND, signingRoot } from '../crypto/domains.ts';
import { sha256 } from '../crypto/sha256.ts';
import { isEdwardsPublicKey } from '../crypto/vrf.ts';
import { bytesToHex, compareBytes, ZERO_32 } from '../primitives/bytes.ts';
import { type Address, type Bytes32, type ChainId, ROOT_SHARD, type Seats, type TimestampMs, type Wei } from '../primitives/ids.ts';
import { accept, refuse, type Verdict } from '../primitives/verdict.ts';
import type { Committee, StartRecord } from './committee.ts';
import { CODE_BYTES_MAX } from './gas.ts';
import { checkLayout } from './layout.ts';
import { COMMITTEE_MEMBERS_MAX, SHARDS_MAX, TRANSACTION_BYTES_MAX } from './limits.ts';
import type { NetworkParameters } from './parameters.ts';
import { Bytes20, Bytes32Type, Bytes48, Bytes96, byteList, Uint64, Uint64Bigint, Uint256 } from './ssz.ts';

/** Accounts of one genesis: some millions are imported by a snapshot instead. */
export const GENESIS_ACCOUNTS_MAX = 2 ** 21;
/** Storage slots of one genesis account. */
export const GENESIS_SLOTS_MAX = 2 ** 16;
/** Seats of one validator, and of all: far above any committee, and products of it stay exact. */
export const SEATS_MAX = 2 ** 20;
/** Beacon blocks of an epoch at least: a first, the one with the transition, the last, and one between. */
export const EPOCH_BLOCKS_MIN = 4;
/** Epochs that the grace before a takeover may last: so long committees of open instances are kept. */
export const TAKEOVER_GRACE_EPOCHS_MAX = 8;

/** Who a validator is: what its proof of possession signs. */
export interface ValidatorIdentity {
  /** BLS12-381 G1, compressed. */
  readonly blsPublicKey: Uint8Array;
  /** edwards25519. */
  readonly vrfPublicKey: Bytes32;
  /** ed25519: its name in the network. */
  readonly peerKey: Bytes32;
  readonly rewardAddress: Address;
}

/** A validator of the first committee. Its place in the list is its validator index. */
export interface GenesisValidator extends ValidatorIdentity {
  readonly seats: Seats;
  /** Signature by the BLS key over the identity: without it a rogue key could forge aggregates. */
  readonly proofOfPossession: Uint8Array;
}

/** An account that exists from the start. Its family is its own address. */
export interface GenesisAccount {
  readonly address: Address;
  readonly nonce: bigint;
  readonly balanceWei: Wei;
  readonly code: Uint8Array;
  /** In ascending order of slots; no zero values. */
  readonly storage: readonly { readonly slot: Bytes32; readonly value: Bytes32 }[];
}

/** See the file's head. */
export interface Genesis {
  readonly parameters: NetworkParameters;
  readonly validators: readonly GenesisValidator[];
  /** In ascending order of addresses. */
  readonly accounts: readonly GenesisAccount[];
  readonly timestampMs: TimestampMs;
  /** The first input of leader draws. */
  readonly seed: Bytes32;
  /** The shards of the first epochs, from left to right. */
  readonly layout: readonly ChainId[];
}

const Identity = new ContainerType(
  { blsPublicKey: Bytes48, vrfPublicKey: Bytes32Type, peerKey: Bytes32Type, rewardAddress: Bytes20 },
  { typeName: 'ValidatorIdentity', jsonCase: 'eth2' },
);

const Validator = new ContainerType(
  { identity: Identity, seats: Uint64, proofOfPossession: Bytes96 },
  { typeName: 'GenesisValidator', jsonCase: 'eth2' },
);

const Slot = new ContainerType({ slot: Bytes32Type, value: Bytes32Type }, { typeName: 'GenesisSlot', jsonCase: 'eth2' });

const Account = new ContainerType(
  {
    address: Bytes20,
    nonce: Uint64Bigint,
    balanceWei: Uint256,
    code: byteList(CODE_BYTES_MAX),
    storage: new ListCompositeType(Slot, GENESIS_SLOTS_MAX),
  },
  { typeName: 'GenesisAccount', jsonCase: 'eth2' },
);

// `satisfies` stops whoever adds a parameter and forgets to commit it.
const Parameters = new ContainerType(
  {
    evmChainId: Uint64,
    blockGasLimit: Uint64,
    inboxGasShare: Uint64,
    inboxBytesShare: Uint64,
    transactionGasLimitMax: Uint64,
    bodyBytesMax: Uint64,
    transactionBytesMax: Uint64,
    roundTimeoutMs: Uint64,
    roundTimeoutMsMax: Uint64,
    roundTimeoutGrowthPercent: Uint64,
    resendIntervalMs: Uint64,
    blockIntervalMsMin: Uint64,
    idleIntervalMs: Uint64,
    leaderWindow: Uint64,
    baseFeePerGasWeiMin: Uint256,
    committeeSeats: Uint64,
    clockToleranceMs: Uint64,
    mempoolTransactionsMax: Uint64,
    mempoolBytesMax: Uint64,
    mempoolTransactionsPerSenderMax: Uint64,
    fullHistoryBlocks: Uint64,
    epochBlocks: Uint64,
    takeoverGraceBlocks: Uint64,
    beaconBlockIntervalMsMin: Uint64,
  } satisfies Readonly<Record<keyof NetworkParameters, typeof Uint64 | typeof Uint256>>,
  { typeName: 'NetworkParameters', jsonCase: 'eth2' },
);

/** Accounts are committed by hash: a tree over 100,000 contents would take seconds, over their hashes it takes 20 ms. */
const GenesisCommitment = new ContainerType(
  {
    parameters: Parameters,
    validators: new ListCompositeType(Validator, COMMITTEE_MEMBERS_MAX),
    accountHashes: new ListCompositeType(Bytes32Type, GENESIS_ACCOUNTS_MAX),
    timestampMs: Uint64,
    seed: Bytes32Type,
    layout: new ListBasicType(Uint64, SHARDS_MAX),
  },
  { typeName: 'GenesisCommitment', jsonCase: 'eth2' },
);

// A genesis never changes, and its root is asked for by everyone who signs, stores or names a topic: of 100,000 accounts it takes a second.
const rootOf = new WeakMap<Genesis, Bytes32>();

/** The name of the network: the root of all that genesis says. */
export function genesisRoot(genesis: Genesis): Bytes32 {
  const known = rootOf.get(genesis);
  if (known !== undefined) return known;
  const root = computeRoot(genesis);
  rootOf.set(genesis, root);
  return root;
}

/**
 * The same genesis, by the same name, without its accounts. Once they are in the state nobody needs them, and whoever keeps a large network's genesis
 * as long as a node runs keeps them all: 100,000 take 50 MB, which every collection of garbage goes through.
 */
export function withoutAccounts(genesis: Genesis): Genesis {
  const rest: Genesis = { ...genesis, accounts: [] };
  rootOf.set(rest, genesisRoot(genesis));
  return rest;
}

function computeRoot(genesis: Genesis): Bytes32 {
  return GenesisCommitment.hashTreeRoot({
    parameters: genesis.parameters,
    validators: genesis.validators.map((validator) => ({
      identity: validator,
      seats: validator.seats,
      proofOfPossession: validator.proofOfPossession,
    })),
    accountHashes: genesis.accounts.map(accountHash),
    timestampMs: genesis.timestampMs,
    seed: genesis.seed,
    layout: [...genesis.layout],
  });
}

/** The first committee: every genesis validator, with its seats. */
export function committeeOf(genesis: Genesis): Committee {
  return {
    members: genesis.validators.map(({ seats, blsPublicKey, vrfPublicKey }, validator) => ({
      validator,
      seats,
      blsPublicKey,
      vrfPublicKey,
    })),
    totalSeats: genesis.validators.reduce((sum, { seats }) => sum + seats, 0),
  };
}

/** From where the one shard starts: height 0, the root of the genesis accounts, the least base fee. */
export function startRecordOf(genesis: Genesis, stateRoot: Bytes32): StartRecord {
  return {
    shard: ROOT_SHARD,
    epoch: 0,
    beaconHeight: 0,
    closingHeaders: [],
    stateRoot,
    height: 0,
    timestampMs: genesis.timestampMs,
    baseFeePerGasWei: genesis.parameters.baseFeePerGasWeiMin,
    seed: genesis.seed,
  };
}

/** What a proof of possession signs: the identity, in a domain with zeros for network and instance, for it is valid in all. */
export function possessionSigningRoot(identity: ValidatorIdentity): Bytes32 {
  return signingRoot(Identity.hashTreeRoot(identity), domainRoot(SIGNATURE_KIND.possession, ZERO_32, ZERO_32));
}

/** Why a genesis is not one. */
export type GenesisRefusal = 'parameters' | 'validators' | 'accounts' | 'layout';

/** Everything that must hold of a genesis; the one way to a `Genesis` from outside. */
export function checkGenesis(genesis: Genesis, bls: BlsScheme): Verdict<Genesis, GenesisRefusal> {
  const parameters = parameterFault(genesis.parameters);
  if (parameters !== undefined) return refuse('parameters', parameters);
  const validators = validatorFault(genesis.validators, bls);
  if (validators !== undefined) return refuse('validators', validators);
  const layout = layoutFault(genesis.layout);
  if (layout !== undefined) return refuse('layout', layout);
  const accounts = accountFault(genesis.accounts);
  return accounts === undefined ? accept(genesis) : refuse('accounts', accounts);
}

function accountHash(account: GenesisAccount): Bytes32 {
  return sha256(Account.serialize({ ...account, storage: [...account.storage] }));
}

function parameterFault(parameters: NetworkParameters): string | undefined {
  const { baseFeePerGasWeiMin, ...numbers } = parameters;
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isSafeInteger(value) || value < 1) return `${name} is ${value}, not a positive whole number`;
  }
  if (baseFeePerGasWeiMin < 1n || baseFeePerGasWeiMin >= 2n ** 128n) return `baseFeePerGasWeiMin is ${baseFeePerGasWeiMin}`;
  const rules: readonly (readonly [boolean, string])[] = [
    [parameters.transactionGasLimitMax <= parameters.inboxGasShare, 'transactionGasLimitMax is above inboxGasShare'],
    [parameters.inboxGasShare <= parameters.blockGasLimit, 'inboxGasShare is above blockGasLimit'],
    [parameters.transactionBytesMax <= TRANSACTION_BYTES_MAX, `transactionBytesMax is above the format's ${TRANSACTION_BYTES_MAX}`],
    [parameters.transactionBytesMax <= parameters.bodyBytesMax, 'transactionBytesMax is above bodyBytesMax'],
    [parameters.transactionBytesMax <= parameters.mempoolBytesMax, 'transactionBytesMax is above mempoolBytesMax'],
    [parameters.roundTimeoutMs <= parameters.roundTimeoutMsMax, 'roundTimeoutMs is above roundTimeoutMsMax'],
    [parameters.roundTimeoutGrowthPercent > 100, 'roundTimeoutGrowthPercent does not grow'],
    [parameters.blockIntervalMsMin <= parameters.idleIntervalMs, 'blockIntervalMsMin is above idleIntervalMs'],
    [parameters.epochBlocks >= EPOCH_BLOCKS_MIN, `epochBlocks is below ${EPOCH_BLOCKS_MIN}`],
    [
      parameters.takeoverGraceBlocks <= TAKEOVER_GRACE_EPOCHS_MAX * parameters.epochBlocks,
      `takeoverGraceBlocks is above ${TAKEOVER_GRACE_EPOCHS_MAX} epochs`,
    ],
  ];
  return rules.find(([holds]) => !holds)?.[1];
}

function validatorFault(validators: readonly GenesisValidator[], bls: BlsScheme): string | undefined {
  if (validators.length === 0 || validators.length > COMMITTEE_MEMBERS_MAX) return `${validators.length} validators`;
  const seen = new Set<string>();
  let totalSeats = 0;
  for (const [index, validator] of validators.entries()) {
    const { blsPublicKey, vrfPublicKey, peerKey, seats, proofOfPossession } = validator;
    if (!Number.isSafeInteger(seats) || seats < 1) return `validator ${index} has ${seats} seats`;
    totalSeats += seats;
    for (const key of [`bls ${bytesToHex(blsPublicKey)}`, `vrf ${bytesToHex(vrfPublicKey)}`, `peer ${bytesToHex(peerKey)}`]) {
      if (seen.has(key)) return `validator ${index} has the ${key} of another`;
      seen.add(key);
    }
    // Else its holder could lead no round, or reach nobody, and the first to notice would be the others.
    for (const [name, key] of [
      ['VRF', vrfPublicKey],
      ['peer', peerKey],
    ] as const) {
      if (!isEdwardsPublicKey(key)) return `validator ${index}: its ${name} key ${bytesToHex(key)} is no key of edwards25519`;
    }
    if (!bls.verify(blsPublicKey, possessionSigningRoot(validator), proofOfPossession)) {
      return `validator ${index} does not prove possession of its BLS key`;
    }
  }
  return totalSeats > SEATS_MAX ? `${totalSeats} seats in all, at most ${SEATS_MAX}` : undefined;
}

function layoutFault(layout: readonly ChainId[]): string | undefined {
  const checked = checkLayout(layout);
  if (!checked.ok) return `${checked.reason}: ${checked.detail}`;
  return checked.value.every((shard, index) => shard === layout[index]) ? undefined : 'shards are not in order from left to right';
}

function accountFault(accounts: readonly GenesisAccount[]): string | undefined {
  if (accounts.length > GENESIS_ACCOUNTS_MAX) return `${accounts.length} accounts, at most ${GENESIS_ACCOUNTS_MAX}`;
  let supplyWei = 0n;
  for (const [index, account] of accounts.entries()) {
    const name = `account ${bytesToHex(account.address)}`;
    const before = accounts[index - 1];
    if (before !== undefined && compareBytes(before.address, account.address) >= 0) return `${name} is out of order, or there twice`;
    if (account.balanceWei < 0n || account.nonce < 0n || account.nonce >= 2n ** 64n - 1n) return `${name}: balance or nonce out of range`;
    if (account.nonce === 0n && account.balanceWei === 0n && account.code.length === 0) return `${name} is empty`;
    if (account.code.length > CODE_BYTES_MAX) return `${name}: ${account.code.length} bytes of code`;
    supplyWei += account.balanceWei;
    const storage = storageFault(account);
    if (storage !== undefined) return `${name}: ${storage}`;
  }
  return supplyWei < 2n ** 128n ? undefined : `a supply of ${supplyWei} wei`;
}

function storageFault({ code, storage }: GenesisAccount): string | undefined {
  if (storage.length > 0 && code.length === 0) return 'storage without code';
  if (storage.length > GENESIS_SLOTS_MAX) return `${storage.length} slots`;
  for (const [index, { slot, value }] of storage.entries()) {
    const before = storage[index - 1];
    if (before !== undefined && compareBytes(before.slot, slot) >= 0) return 'slots are out of order, or there twice';
    if (compareBytes(value, ZERO_32) === 0) return 'a zero value is stored';
  }
  return undefined;
}
