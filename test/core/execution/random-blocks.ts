// Random blocks for the property tests: contracts of three families that call, send, create and destroy each other and themselves, strangers,
// precompiles and what is yet to be created, and transactions that set them off.
import fc from 'fast-check';
import { createdAddressOf } from '../../../src/core/execution/created-address.ts';
import { COINBASE_ADDRESS, MESSENGER_ADDRESS } from '../../../src/core/execution/system-addresses.ts';
import { encodeSend } from '../../../src/core/messaging/messenger-interface.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { assemble, deploying, type Part, storing } from './assembler.ts';
import { addressOf, ETHER, GWEI, transactionOf } from './block-setup.ts';
import { MemoryState } from './memory-state.ts';

/** Externally owned accounts, of which each has two contracts; each in a quarter of the tree of its own. */
export const FAMILIES = [addressOf('family 0'), addressOf('family 1'), addressOf('family 3')] as const;
const CONTRACTS = FAMILIES.flatMap((family, index) =>
  [0, 1].map((place) => ({ family, address: addressOf(`contract ${index} ${place}`) })),
);
const PRECOMPILES = [1, 2, 4, 6, 9, 11].map((last) => new Uint8Array(20).fill(last, 19));
/** The zero address, and one in each quarter of the tree where nothing is until somebody sends something there. */
const STRANGERS = [new Uint8Array(20), ...['nobody', 'stranger', 'passer-by', 'no one'].map(addressOf)];
/** Where the first contracts of an account and of a contract will be, if they create one. */
const UNMADE = [...FAMILIES, ...CONTRACTS.map(({ address }) => address)].map((address) => createdAddressOf(address, 1n));

const target = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...FAMILIES, ...CONTRACTS.map(({ address }) => address)) },
  { weight: 1, arbitrary: fc.constantFrom(...PRECOMPILES) },
  { weight: 1, arbitrary: fc.constantFrom(...STRANGERS, ...UNMADE) },
  { weight: 1, arbitrary: fc.constantFrom(MESSENGER_ADDRESS, COINBASE_ADDRESS) },
);
const small = fc.nat(4);
const wordPart: fc.Arbitrary<Part> = fc.oneof(
  small,
  fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
  fc.constantFrom<Part>(
    'GAS',
    'CALLVALUE',
    'SELFBALANCE',
    'CALLER',
    'ADDRESS',
    'TIMESTAMP',
    'MSIZE',
    'RETURNDATASIZE',
    'CODESIZE',
    'BASEFEE',
  ),
);
const binary = fc.constantFrom<Part>(
  'ADD',
  'MUL',
  'SUB',
  'DIV',
  'LT',
  'GT',
  'EQ',
  'AND',
  'SHL',
  'SHR',
  'EXP',
  { raw: Uint8Array.of(0x05) },
  { raw: Uint8Array.of(0x07) },
  { raw: Uint8Array.of(0x0b) },
  { raw: Uint8Array.of(0x1d) },
);
const offset = fc.oneof(fc.nat(96), fc.constant(5_000));
const length = fc.oneof(fc.constant(0), fc.nat(80));
const value = fc.oneof(fc.constant(0), fc.constant(0), fc.nat(1_000), fc.constant(ETHER));
const gas = fc.oneof(fc.constant<Part>('GAS'), fc.nat(40_000));

const calling: fc.Arbitrary<Part[]> = fc
  .tuple(fc.constantFrom('CALL', 'CALL', 'CALLCODE', 'DELEGATECALL', 'STATICCALL'), target, value, length, length, gas)
  .map(([opcode, to, sent, input, output, given]) => {
    const valuePart: Part[] = opcode === 'CALL' || opcode === 'CALLCODE' ? [sent] : [];
    return [
      output,
      64,
      input,
      0,
      ...valuePart,
      to,
      given,
      opcode,
      7,
      'SSTORE',
      'RETURNDATASIZE',
      'DUP1',
      0,
      32,
      'RETURNDATACOPY',
      6,
      'SSTORE',
    ];
  });

/** A CALL to the messenger, most often one that it takes: what it returns goes to slots 3 and 4. */
const sending: fc.Arbitrary<Part[]> = fc
  .record({
    to: target,
    gas: fc.oneof(fc.nat(60_000), fc.constant(0)),
    hasReply: fc.boolean(),
    replyGas: fc.nat(60_000),
    data: fc.uint8Array({ maxLength: 40 }),
    sent: value,
    cut: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -32, max: 200 }) }),
  })
  .map(({ to, gas, hasReply, replyGas, data, sent, cut }) => {
    const replySelector = new Uint8Array(4).fill(hasReply ? 0xcd : 0);
    const callData = encodeSend({ to, gas: BigInt(gas), replySelector, replyGas: BigInt(replyGas), data });
    return [
      ...storing(callData),
      // The id goes to 1: the library takes what a creation reverts with for deployed code, and refuses it where it begins with 0xef.
      ...[32, 1, Math.max(0, callData.length - cut), 0, sent, MESSENGER_ADDRESS, 'GAS', 'CALL', 4, 'SSTORE', 1, 'MLOAD', 3, 'SSTORE'],
    ];
  });

const simple: fc.Arbitrary<Part[]> = fc.oneof(
  fc.tuple(wordPart, wordPart, binary, small).map(([a, b, operation, slot]) => [a, b, operation, slot, 'SSTORE']),
  fc.tuple(small, small).map(([from, to]) => [from, 'SLOAD', 1, 'ADD', to, 'SSTORE']),
  fc.tuple(small, wordPart, small).map(([slot, stored, to]) => [stored, slot, 'TSTORE', slot, 'TLOAD', to, 'SSTORE']),
  fc.tuple(wordPart, offset).map(([stored, at]) => [stored, at, 'MSTORE', at, 'MLOAD', 'POP']),
  fc.tuple(length, offset, small).map(([size, at, slot]) => [size, at, 'KECCAK256', slot, 'SSTORE']),
  fc.tuple(length, offset, offset).map(([size, from, to]) => [size, from, to, 'MCOPY']),
  fc.tuple(length, offset, offset).map(([size, from, to]) => [size, from, to, 'CALLDATACOPY']),
  fc.tuple(length, offset).map(([size, at]) => [9, size, at, 'LOG1']),
  fc
    .tuple(target, fc.constantFrom<Part>('BALANCE', 'EXTCODESIZE', 'EXTCODEHASH'), small)
    .map(([of, opcode, slot]) => [of, opcode, slot, 'SSTORE']),
  fc.tuple(fc.nat(1_200), small).map(([height, slot]) => [height, 'BLOCKHASH', slot, 'SSTORE']),
);

const ending: fc.Arbitrary<Part[]> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Part[]>([]) },
  { weight: 1, arbitrary: target.map<Part[]>((to) => [to, 'SELFDESTRUCT']) },
  { weight: 1, arbitrary: length.map<Part[]>((size) => [size, 0, 'REVERT']) },
  { weight: 1, arbitrary: length.map<Part[]>((size) => [size, 0, 'RETURN']) },
  { weight: 1, arbitrary: fc.constantFrom<Part[]>(['INVALID'], [3, 'JUMP'], ['POP'], ['CALLER', 'SELFDESTRUCT']) },
);

function programOf(steps: fc.Arbitrary<Part[]>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(fc.array(steps, { maxLength: 6 }), ending).map(([body, end]) => assemble(...body.flat(), ...end));
}

const leafProgram = programOf(fc.oneof(simple, calling, sending));

/** CREATE or CREATE2 of a contract that is deployed, or that its initcode ends otherwise. */
const creating: fc.Arbitrary<Part[]> = fc
  .tuple(leafProgram, fc.boolean(), fc.boolean(), value, small)
  .map(([program, isDeployed, isSalted, sent, salt]) => {
    const initcode = isDeployed ? deploying(program) : program;
    const create: Part[] = isSalted ? [salt, initcode.length, 0, sent, 'CREATE2'] : [initcode.length, 0, sent, 'CREATE'];
    return [...storing(initcode), ...create, 'DUP1', 5, 'SSTORE', 0, 0, 0, 0, 3, { raw: Uint8Array.of(0x85) }, 'GAS', 'CALL', 'POP'];
  });

const program = fc.oneof(
  {
    weight: 8,
    arbitrary: programOf(
      fc.oneof(
        { weight: 4, arbitrary: simple },
        { weight: 5, arbitrary: calling },
        { weight: 4, arbitrary: sending },
        { weight: 2, arbitrary: creating },
      ),
    ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
);

/** A state and the transactions of a block upon it. */
export interface RandomBlock {
  readonly state: MemoryState;
  readonly transactions: readonly Transaction[];
}

const transactionFields = fc.record({
  sender: fc.nat(FAMILIES.length - 1),
  to: fc.option(target, { nil: undefined, freq: 5 }),
  valueWei: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: ETHER })),
  dataLength: fc.nat(8),
  initcode: leafProgram,
  gasLimit: fc.integer({ min: 90_000, max: 900_000 }),
  tip: fc.bigInt({ min: 0n, max: 3n * GWEI }),
});

/** What a talkative contract does: it counts in a slot, sends, calls, creates. Few of them fail. */
const saying: fc.Arbitrary<Part[]> = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(small, small).map<Part[]>(([from, to]) => [from, 'SLOAD', 1, 'ADD', to, 'SSTORE']) },
  { weight: 4, arbitrary: sending },
  {
    weight: 2,
    arbitrary: fc.tuple(target, fc.nat(1_000)).map<Part[]>(([to, sent]) => [0, 0, 0, 0, sent, to, 'GAS', 'CALL', 7, 'SSTORE']),
  },
  { weight: 1, arbitrary: fc.constant<Part[]>([0, 0, 0, 'CREATE', 5, 'SSTORE']) },
);
/** What replies and hooks run: a count, and nothing that could cost more than they have. */
const listening = assemble(0, 'SLOAD', 1, 'ADD', 0, 'SSTORE', 'STOP');
const unlessMessenger = assemble('CALLER', MESSENGER_ADDRESS, 'EQ', 'ISZERO');
const listeningFirst = assemble(
  { raw: unlessMessenger },
  unlessMessenger.length + 3 + listening.length,
  'JUMPI',
  { raw: listening },
  'JUMPDEST',
);
const talkativeProgram = fc
  .tuple(
    fc.constantFrom(true, true, false),
    fc.array(saying, { minLength: 1, maxLength: 4 }),
    fc.constantFrom<Part[]>([], [], [], [32, 0, 'RETURN'], [8, 0, 'REVERT']),
  )
  .map(([isListening, body, end]) => assemble(...(isListening ? [{ raw: listeningFirst }] : []), ...body.flat(), ...end));
const contractAddress = fc.constantFrom(...CONTRACTS.map(({ address }) => address));

/** Blocks of one to four transactions. */
export const randomBlock = blockOf(program, transactionFields);

/** The same with much gas, to contracts that talk across families. */
export const talkativeBlock = blockOf(
  talkativeProgram,
  fc
    .tuple(transactionFields, contractAddress, fc.integer({ min: 300_000, max: 3_000_000 }))
    .map(([fields, to, gasLimit]) => ({ ...fields, to, gasLimit })),
);

type TransactionFields = typeof transactionFields extends fc.Arbitrary<infer T> ? T : never;

function blockOf(programs: fc.Arbitrary<Uint8Array>, fields: fc.Arbitrary<TransactionFields>): fc.Arbitrary<RandomBlock> {
  const contracts = fc.array(programs, { minLength: CONTRACTS.length, maxLength: CONTRACTS.length });
  return fc.tuple(contracts, fc.array(fields, { minLength: 1, maxLength: 4 })).map(([codes, body]) => blockFrom(codes, body));
}

function blockFrom(programs: readonly Uint8Array[], body: readonly TransactionFields[]): RandomBlock {
  const contracts = CONTRACTS.map(({ family, address }, index) => ({
    family,
    address,
    nonce: 1n,
    balanceWei: ETHER,
    code: programs[index] as Uint8Array,
    storage: { ['00'.repeat(32)]: new Uint8Array(32).fill(1, 31) },
  }));
  const state = MemoryState.of([...FAMILIES.map((address) => ({ address, balanceWei: 100n * ETHER, nonce: 1n })), ...contracts]);
  const nonces = FAMILIES.map(() => 1n);
  const transactions = body.map(({ sender, to, valueWei, dataLength, initcode, gasLimit, tip }) => {
    const nonce = nonces[sender] as bigint;
    nonces[sender] = nonce + 1n;
    const data = to === undefined ? initcode : new Uint8Array(dataLength).fill(0xab);
    return transactionOf({ sender: FAMILIES[sender] as Uint8Array, nonce, to, valueWei, data, gasLimit, maxPriorityFeePerGasWei: tip });
  });
  return { state, transactions };
}
