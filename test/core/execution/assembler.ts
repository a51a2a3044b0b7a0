// Just enough of an assembler to write test contracts readably: mnemonics become opcodes, numbers and hexadecimal become pushes.
import { bytesToHex, concatBytes, hex } from '../../../src/core/primitives/bytes.ts';

const OPCODES: Readonly<Record<string, number>> = {
  STOP: 0x00,
  ADD: 0x01,
  MUL: 0x02,
  SUB: 0x03,
  DIV: 0x04,
  EXP: 0x0a,
  LT: 0x10,
  GT: 0x11,
  EQ: 0x14,
  ISZERO: 0x15,
  AND: 0x16,
  NOT: 0x19,
  SHL: 0x1b,
  SHR: 0x1c,
  KECCAK256: 0x20,
  ADDRESS: 0x30,
  BALANCE: 0x31,
  ORIGIN: 0x32,
  CALLER: 0x33,
  CALLVALUE: 0x34,
  CALLDATALOAD: 0x35,
  CALLDATASIZE: 0x36,
  CALLDATACOPY: 0x37,
  CODESIZE: 0x38,
  CODECOPY: 0x39,
  GASPRICE: 0x3a,
  EXTCODESIZE: 0x3b,
  EXTCODECOPY: 0x3c,
  RETURNDATASIZE: 0x3d,
  RETURNDATACOPY: 0x3e,
  EXTCODEHASH: 0x3f,
  BLOCKHASH: 0x40,
  COINBASE: 0x41,
  TIMESTAMP: 0x42,
  NUMBER: 0x43,
  PREVRANDAO: 0x44,
  GASLIMIT: 0x45,
  CHAINID: 0x46,
  SELFBALANCE: 0x47,
  BASEFEE: 0x48,
  POP: 0x50,
  MLOAD: 0x51,
  MSTORE: 0x52,
  MSTORE8: 0x53,
  SLOAD: 0x54,
  SSTORE: 0x55,
  JUMP: 0x56,
  JUMPI: 0x57,
  PC: 0x58,
  MSIZE: 0x59,
  GAS: 0x5a,
  JUMPDEST: 0x5b,
  TLOAD: 0x5c,
  TSTORE: 0x5d,
  MCOPY: 0x5e,
  DUP1: 0x80,
  DUP2: 0x81,
  DUP3: 0x82,
  SWAP1: 0x90,
  SWAP2: 0x91,
  LOG0: 0xa0,
  LOG1: 0xa1,
  LOG2: 0xa2,
  CREATE: 0xf0,
  CALL: 0xf1,
  CALLCODE: 0xf2,
  RETURN: 0xf3,
  DELEGATECALL: 0xf4,
  CREATE2: 0xf5,
  STATICCALL: 0xfa,
  REVERT: 0xfd,
  INVALID: 0xfe,
  SELFDESTRUCT: 0xff,
};

/** A mnemonic, a number or bytes to push, or `{ raw }` code as it is. */
export type Part = string | number | bigint | Uint8Array | { readonly raw: Uint8Array };

/** Code of the parts. */
export function assemble(...parts: readonly Part[]): Uint8Array {
  return concatBytes(...parts.map(bytesOf));
}

function bytesOf(part: Part): Uint8Array {
  if (typeof part === 'string') {
    const opcode = OPCODES[part];
    if (opcode === undefined) throw new Error(`no opcode ${part}`);
    return Uint8Array.of(opcode);
  }
  if (typeof part === 'object' && 'raw' in part) return part.raw;
  const digits = typeof part === 'object' ? bytesToHex(part) : part.toString(16);
  const bytes = hex(digits.length % 2 === 0 ? digits : `0${digits}`);
  return concatBytes(Uint8Array.of(0x5f + bytes.length), bytes);
}

/** Writes the bytes to memory, from 0 on. */
export function storing(bytes: Uint8Array): Part[] {
  const writes: Part[] = [];
  for (let at = 0; at < bytes.length; at += 32)
    writes.push(concatBytes(bytes.slice(at, at + 32), new Uint8Array(Math.max(0, at + 32 - bytes.length))), at, 'MSTORE');
  return writes;
}

/** Initcode that deploys `runtime`. */
export function deploying(runtime: Uint8Array): Uint8Array {
  const size = runtime.length;
  // PUSH2 size, DUP1, PUSH1 offset, PUSH0, CODECOPY, PUSH0, RETURN
  return concatBytes(hex(`61${size.toString(16).padStart(4, '0')}80600a5f395ff3`), runtime);
}
