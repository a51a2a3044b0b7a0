// The worst blocks known: each fills the block's gas with two transactions, each of the most gas that one may buy, calling a contract that
// does one expensive thing until its gas is gone. Each must execute within a quarter of the round timer's cap, alone on one core.
import { concatBytes, hex } from '../../../src/core/primitives/bytes.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { assemble, type Part } from './assembler.ts';
import { addressOf, ETHER, PARAMETERS, transactionOf } from './block-setup.ts';
import { type AccountSetup, MemoryState } from './memory-state.ts';

export interface WorstBlock {
  readonly name: string;
  readonly state: MemoryState;
  readonly transactions: readonly Transaction[];
}

const OWNER = addressOf('owner');
const MAIN = addressOf('main');
const HELPER = addressOf('helper');
const SENDERS = [addressOf('sender 0'), addressOf('sender 1')] as const;

/** `before`, then `body` again and again until the gas is gone. */
export function forever(before: readonly Part[], body: readonly Part[]): Uint8Array {
  const start = assemble(...before).length;
  return assemble(...before, 'JUMPDEST', ...body, start, 'JUMP');
}

/** As `forever`, with `body` written out many times for each jump. */
function unrolled(before: readonly Part[], body: readonly Part[], times = 200): Uint8Array {
  return forever(before, Array.from({ length: times }, () => body).flat());
}

function member(address: Uint8Array, code: Uint8Array, more: Partial<AccountSetup> = {}): AccountSetup {
  return { address, family: OWNER, nonce: 1n, code, balanceWei: ETHER, ...more };
}

function blockOf(name: string, code: Uint8Array, others: readonly AccountSetup[] = [], data: Uint8Array = new Uint8Array(0)): WorstBlock {
  const senders = SENDERS.map((address) => ({ address, balanceWei: 1_000n * ETHER }));
  const state = MemoryState.of([...senders, { address: OWNER, nonce: 1n, balanceWei: ETHER }, member(MAIN, code), ...others]);
  const gasLimit = PARAMETERS.transactionGasLimitMax;
  const transactions = SENDERS.map((sender) => transactionOf({ sender, to: MAIN, gasLimit, data }));
  return { name, state, transactions };
}

/** A precompile called again and again with the input that `input` stands for, from memory. */
function precompileBlock(name: string, address: number, input: Uint8Array): WorstBlock {
  const load: Part[] = [input.length, CODE_DATA_OFFSET, 0, 'CODECOPY'];
  const body: Part[] = [0, 0, input.length, 0, address, 'GAS', 'STATICCALL', 'POP'];
  const code = unrolled(load, body, 20);
  if (code.length > CODE_DATA_OFFSET) throw new Error('code runs into its data');
  return blockOf(name, concatBytes(code, new Uint8Array(CODE_DATA_OFFSET - code.length), input));
}

const CODE_DATA_OFFSET = 0x0800;

const BN254_G1 = concatBytes(word(1n), word(2n));
const BN254_G2 = hex(
  '198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c21800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa',
);
const BLS_G1 = hex(
  '0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1',
);
const BLS_G2 = hex(
  '00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb80000000000000000000000000000000013e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e000000000000000000000000000000000ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801000000000000000000000000000000000606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be',
);

function word(value: bigint): Uint8Array {
  return hex(value.toString(16).padStart(64, '0'));
}

function times(bytes: Uint8Array, count: number): Uint8Array {
  return concatBytes(...Array.from({ length: count }, () => bytes));
}

const ECRECOVER_INPUT = concatBytes(
  word(0x456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3n),
  word(28n),
  word(0x9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac8038825608n),
  word(0x4f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852adan),
);
const P256_INPUT = hex(
  'bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca6050232ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e184cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd762927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e',
);
const BLAKE2_INPUT = concatBytes(hex('00000c00'), new Uint8Array(208), hex('01'));

/** Opcodes and calls. */
export function opcodeBlocks(): readonly WorstBlock[] {
  const reverting = member(HELPER, assemble(0, 0, 'REVERT'));
  const empty = member(HELPER, assemble('STOP'));
  const large = member(HELPER, concatBytes(assemble(24_560, 'JUMP'), new Uint8Array(24_570).fill(0x5b)));
  const callHelper: Part[] = [0, 0, 0, 0, 0, HELPER, 'GAS', 'CALL', 'POP'];
  const invalidJump = member(HELPER, concatBytes(assemble(0xffff, 'JUMP'), new Uint8Array(24_000).fill(0x5b)));
  const selfCall = forever([], [0, 0, 0, 0, 0, 'ADDRESS', 'GAS', 'CALL', 'POP']);
  return [
    blockOf(
      'alternating successful and reverting calls',
      unrolled([], [...callHelper, 0, 0, 0, 0, 0, addressOf('empty'), 'GAS', 'CALL', 'POP'], 50),
      [reverting, member(addressOf('empty'), assemble(1, 'SLOAD', 'POP', 0, 0, 'LOG0', 'STOP'))],
    ),
    blockOf('calls of a large callee', unrolled([], callHelper, 50), [large]),
    blockOf('invalid jumps in a large callee', unrolled([], [0, 0, 0, 0, 0, HELPER, 100, 'CALL', 'POP'], 50), [invalidJump]),
    blockOf('empty calls', unrolled([], [0, 0, 0, 0, 0, HELPER, 'GAS', 'CALL', 'POP'], 50), [empty]),
    blockOf('recursive calls', selfCall),
    blockOf('dirty stores', unrolled([1, 0, 'SSTORE', 1], [0x01, 'ADD', 'DUP1', 0, 'SSTORE'], 200)),
    blockOf('fresh stores', unrolled([0], [0x01, 'ADD', 'DUP1', 'DUP1', 'SSTORE'], 200)),
    blockOf('cold loads', unrolled([0], [0x01, 'ADD', 'DUP1', 'SLOAD', 'POP'], 200)),
    blockOf('transient stores', unrolled([0], [0x01, 'ADD', 'DUP1', 'DUP1', 'TSTORE'], 200)),
    blockOf('cold balances', unrolled([0], [0x01, 'ADD', 'DUP1', 'BALANCE', 'POP'], 200)),
    blockOf('foreign calls with data', unrolled([], [0, 0, 32, 0, 0, addressOf('stranger'), 'GAS', 'CALL', 'POP'], 50)),
    blockOf('value sends', unrolled([0], [0x01, 'ADD', 0, 0, 0, 0, 1, { raw: hex('85') }, 'GAS', 'CALL', 'POP'], 50)),
    blockOf('logs', unrolled([], [0, 0, 'LOG0'])),
    blockOf('hashes of short data', unrolled([], [32, 0, 'KECCAK256', 'POP'])),
    blockOf('hashes of long data', unrolled([], [100_000, 0, 'KECCAK256', 'POP'], 50)),
    blockOf('long memory copies', unrolled([], [100_000, 0, 1, 'MCOPY'])),
    blockOf('arithmetic loop', forever([0], [0x01, 'ADD', 'DUP1', 'DUP1', 'MUL', 'POP'])),
    blockOf(
      'large exponentiations',
      unrolled([], [{ raw: hex(`7f${'ff'.repeat(32)}`) }, { raw: hex(`7f${'ff'.repeat(32)}`) }, 'EXP', 'POP'], 20),
    ),
    blockOf('divisions', unrolled([{ raw: hex(`7f${'ff'.repeat(32)}`) }], [{ raw: hex(`6f${'fe'.repeat(16)}`) }, 'DUP2', 'DIV', 'POP'])),
    blockOf(
      'jump destinations',
      forever(
        [],
        Array.from({ length: 10_000 }, () => 'JUMPDEST'),
      ),
    ),
    blockOf('creations of large initcode', unrolled([], [49_152, 0, 0, 'CREATE', 'POP'], 50)),
    blockOf('failed precompile calls with a megabyte of input', unrolled([], [0, 0, 1_000_000, 0, 1, 1, 'STATICCALL', 'POP'], 50)),
    blockOf('calls after many self-destructions', forever([], [...callHelper]), [member(HELPER, assemble(MAIN, 'SELFDESTRUCT'))]),
  ];
}

/** Pairings, as much else on curves, cost a multiple of Ethereum's gas for this. */
export function pairingBlocks(): readonly WorstBlock[] {
  return [
    precompileBlock('bn254 pairing of 1', 8, concatBytes(BN254_G1, BN254_G2)),
    precompileBlock('bn254 pairing of 20', 8, times(concatBytes(BN254_G1, BN254_G2), 20)),
    precompileBlock('bls12-381 pairing of 1', 0x0f, concatBytes(BLS_G1, BLS_G2)),
    precompileBlock('bls12-381 pairing of 8', 0x0f, times(concatBytes(BLS_G1, BLS_G2), 8)),
  ];
}

/** The other precompiles; the name says the input. */
export function precompileBlocks(): readonly WorstBlock[] {
  const modexp = (length: number, exponentBytes: number): Uint8Array =>
    concatBytes(
      word(BigInt(length)),
      word(BigInt(exponentBytes)),
      word(BigInt(length)),
      new Uint8Array(length).fill(0xfe),
      new Uint8Array(exponentBytes).fill(0xff),
      new Uint8Array(length).fill(0xff),
    );
  return [
    precompileBlock('ecrecover', 1, ECRECOVER_INPUT),
    precompileBlock('sha256 of 8 KiB', 2, new Uint8Array(8_192)),
    precompileBlock('ripemd160 of 8 KiB', 3, new Uint8Array(8_192)),
    precompileBlock('identity of 8 KiB', 4, new Uint8Array(8_192)),
    precompileBlock('modexp of 32 bytes', 5, modexp(32, 32)),
    precompileBlock('modexp of 256 bytes', 5, modexp(256, 256)),
    precompileBlock('modexp of 1,024 bytes, short exponent', 5, modexp(1_024, 1)),
    precompileBlock('modexp of 8 bytes', 5, modexp(8, 1)),
    precompileBlock('bn254 addition', 6, concatBytes(BN254_G1, BN254_G1)),
    precompileBlock('bn254 multiplication', 7, concatBytes(BN254_G1, word((1n << 256n) - 1n))),
    precompileBlock('blake2f of 3,072 rounds', 9, BLAKE2_INPUT),
    precompileBlock('bls12-381 g1 addition', 0x0b, concatBytes(BLS_G1, BLS_G1)),
    precompileBlock('bls12-381 g1 msm of 1', 0x0c, concatBytes(BLS_G1, word((1n << 256n) - 1n))),
    precompileBlock('bls12-381 g1 msm of 16', 0x0c, times(concatBytes(BLS_G1, word((1n << 255n) - 19n)), 16)),
    precompileBlock('bls12-381 g2 addition', 0x0d, concatBytes(BLS_G2, BLS_G2)),
    precompileBlock('bls12-381 g2 msm of 1', 0x0e, concatBytes(BLS_G2, word((1n << 256n) - 1n))),
    precompileBlock('bls12-381 map to g1', 0x10, concatBytes(new Uint8Array(16), new Uint8Array(48).fill(7))),
    precompileBlock('bls12-381 map to g2', 0x11, times(concatBytes(new Uint8Array(16), new Uint8Array(48).fill(7)), 2)),
    precompileBlock('p256 verification', 0x100, P256_INPUT),
  ];
}
