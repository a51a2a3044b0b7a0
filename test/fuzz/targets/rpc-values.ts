// Requests as wallets make them, and as nobody should: each method with values that fit its parameters, and with such that do not.
import { bytesToPrefixedHex } from '../../../src/core/primitives/bytes.ts';
import { METHODS, REFUSED_METHODS } from '../../../src/rpc/methods.ts';
import type { SeededRandom } from '../../../src/simulation/random.ts';
import { alice, bob, type ChainFixture } from '../../rpc/chain-fixture.ts';
import { jsonValue, spoiledJson } from './json-values.ts';
import { signedTransaction } from './transaction-targets.ts';
import { bytesOf, integerOf } from './values.ts';

const TAGS = ['latest', 'pending', 'earliest', 'safe', 'finalized'];
const QUANTITIES = [
  '0x0',
  '0x1',
  '0x2',
  '0x00',
  '0x5208',
  '0x7a1200',
  '0x1fffffffffffff',
  '0x20000000000000',
  '0xffffffffffffffff',
  `0x${'f'.repeat(64)}`,
];
const NAMES = [...METHODS.keys(), ...REFUSED_METHODS.keys(), 'eth_none', '__proto__', 'constructor', ''];
const CODES = [
  '0x',
  '0x00',
  '0x60006000fd',
  '0x5b600056',
  '0x6000546001016000556000f3',
  '0xfe',
  '0x3d3d3d3d3d3d3d3d',
  '0x60ff60005260206000f3',
  '0x3033ff',
  '0x4143444546484a5f5260205ff3',
];

/** A body: a request, a batch of some, or a spoiled one. */
export function requestBody(random: SeededRandom, chain: ChainFixture): string {
  const requests = random.chance(0.85)
    ? request(random, chain)
    : Array.from({ length: random.integer(0, 5) }, () => request(random, chain));
  return JSON.stringify(random.chance(0.3) ? spoiledJson(requests, random) : requests);
}

function request(random: SeededRandom, chain: ChainFixture): Record<string, unknown> {
  const method = random.chance(0.25)
    ? random.pick(['eth_call', 'eth_estimateGas'])
    : random.pick(random.chance(0.95) ? [...METHODS.keys()] : NAMES);
  const kinds = METHODS.get(method)?.parameters.map(({ name }) => name) ?? [];
  const given = random.chance(0.9) ? kinds : kinds.slice(0, random.integer(0, kinds.length + 1));
  const params = given.map((name) => (random.chance(0.93) ? fitting(kindOf(method, name), random, chain) : jsonValue(random)));
  return { jsonrpc: '2.0', id: random.pick([1, 'a', null, 0.5]), method, params };
}

// Some names stand for two kinds of values.
function kindOf(method: string, name: string): string {
  if (name === 'transaction' && method.startsWith('eth_sendRaw')) return 'raw';
  return name === 'filter' && /Filter(?:Changes|Logs)$|uninstall/.test(method) ? 'id' : name;
}

// By the name of the parameter; what has no row here gets anything.
function fitting(name: string, random: SeededRandom, chain: ChainFixture): unknown {
  switch (name) {
    case 'address':
      return address(random, chain);
    case 'block':
    case 'newestBlock':
      return block(random, chain);
    case 'transaction':
      return call(random, chain);
    case 'raw':
      return bytesToPrefixedHex(signedTransaction(random));
    case 'filter':
      return filter(random, chain);
    case 'stateOverrides':
      return overrides(random, chain);
    case 'blockOverrides':
      return blockOverrides(random, chain);
    case 'rewardPercentiles':
      return random.pick([[], [0, 50, 100], [50, 10], Array(101).fill(1)]);
    case 'slots':
      return Array.from({ length: random.integer(0, 3) }, () => random.pick(QUANTITIES));
    case 'hash':
    case 'transactionHash':
      return hash(random, chain);
    case 'index':
    case 'shard':
    case 'epoch':
      return random.chance(0.7) ? `0x${random.integer(0, 3)}` : quantity(random);
    case 'id':
      return `0x${random.integer(1, 200).toString(16)}`;
    case 'hydrated':
      return random.chance(0.5);
    case 'kind':
      return random.pick(['newHeads', 'logs', 'newPendingTransactions', 'syncing', 'none']);
    default:
      return random.pick([
        () => quantity(random),
        () => hash(random, chain),
        () => block(random, chain),
        () => address(random, chain),
        () => data(random),
      ])();
  }
}

function address(random: SeededRandom, chain: ChainFixture): string {
  const created = chain.blocks.flatMap(({ receipts }) => receipts.flatMap(({ contractAddress }) => contractAddress ?? []));
  const known = [alice.address, bob.address, ...created.map(bytesToPrefixedHex), `0x${'00'.repeat(19)}0${random.integer(1, 10)}`];
  return random.chance(0.8) ? random.pick(known) : bytesToPrefixedHex(bytesOf(random, 20));
}

function hash(random: SeededRandom, chain: ChainFixture): string {
  const one = random.pick(chain.blocks);
  const known = [one.hash, ...one.transactions.map(({ transaction }) => transaction.hash)];
  return bytesToPrefixedHex(random.chance(0.8) ? random.pick(known) : bytesOf(random, 32));
}

function quantity(random: SeededRandom): string {
  return random.chance(0.7) ? random.pick(QUANTITIES) : `0x${integerOf(random, 256).toString(16)}`;
}

function data(random: SeededRandom): string {
  return random.chance(0.5) ? random.pick(CODES) : bytesToPrefixedHex(bytesOf(random, random.integer(0, 70)));
}

function block(random: SeededRandom, chain: ChainFixture): unknown {
  const simple = random.pick([
    () => random.pick(TAGS),
    () => quantity(random),
    () => `0x${random.integer(0, 6).toString(16)}`,
    () => hash(random, chain),
  ])();
  if (random.chance(0.8)) return simple;
  return random.chance(0.5) ? { blockNumber: simple } : { blockHash: hash(random, chain), requireCanonical: random.chance(0.5) };
}

function call(random: SeededRandom, chain: ChainFixture): Record<string, unknown> {
  const price = random.chance(0.8)
    ? { gasPrice: () => quantity(random) }
    : { maxFeePerGas: () => quantity(random), maxPriorityFeePerGas: () => quantity(random) };
  return some(random, {
    from: () => address(random, chain),
    to: () => address(random, chain),
    gas: () => (random.chance(0.7) ? random.pick(['0x0', '0x5208', '0xffff', '0x7a1200', '0x1fffffffffffff']) : quantity(random)),
    ...price,
    value: () => quantity(random),
    nonce: () => quantity(random),
    [random.pick(['data', 'input'])]: () => data(random),
    accessList: () => [{ address: address(random, chain), storageKeys: [hash(random, chain)] }],
  });
}

function filter(random: SeededRandom, chain: ChainFixture): Record<string, unknown> {
  return some(random, {
    fromBlock: () => block(random, chain),
    toBlock: () => block(random, chain),
    blockHash: () => hash(random, chain),
    address: () => (random.chance(0.5) ? address(random, chain) : [address(random, chain), null]),
    topics: () => [null, [hash(random, chain), null], hash(random, chain), []].slice(0, random.integer(0, 5)),
  });
}

function overrides(random: SeededRandom, chain: ChainFixture): Record<string, unknown> {
  const slots = () => ({ [hash(random, chain)]: hash(random, chain) });
  const entries = Array.from({ length: random.integer(0, 3) }, () => [
    address(random, chain),
    some(random, {
      balance: () => quantity(random),
      nonce: () => quantity(random),
      code: () => data(random),
      state: slots,
      stateDiff: slots,
    }),
  ]);
  return Object.fromEntries(entries);
}

function blockOverrides(random: SeededRandom, chain: ChainFixture): Record<string, unknown> {
  const numbers = ['number', 'difficulty', 'time', 'gasLimit', 'baseFeePerGas', 'blobBaseFee'];
  const members = Object.fromEntries(numbers.map((name) => [name, () => quantity(random)]));
  return some(random, { ...members, feeRecipient: () => address(random, chain), prevRandao: () => hash(random, chain) });
}

// Few of the members, so that they seldom contradict one another.
function some(random: SeededRandom, members: Readonly<Record<string, () => unknown>>): Record<string, unknown> {
  const chosen = Object.entries(members).filter(() => random.chance(0.3));
  return Object.fromEntries(chosen.map(([name, make]) => [name, make()]));
}
