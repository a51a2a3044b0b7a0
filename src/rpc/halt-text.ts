// What geth says of code that ended before it was done: tools show it, and some decide by it.
import type { Halt, HaltReason } from '../core/execution/halt-reason.ts';

/** Opcodes that are not defined here and have a name all the same, most of them of the object format (EIP-7692). */
const UNDEFINED_OPCODE_NAMES: ReadonlyMap<number, string> = new Map([
  [0x4b, 'SLOTNUM'],
  [0xd0, 'DATALOAD'],
  [0xd1, 'DATALOADN'],
  [0xd2, 'DATASIZE'],
  [0xd3, 'DATACOPY'],
  [0xe0, 'RJUMP'],
  [0xe1, 'RJUMPI'],
  [0xe2, 'RJUMPV'],
  [0xe3, 'CALLF'],
  [0xe4, 'RETF'],
  [0xe5, 'JUMPF'],
  [0xe6, 'DUPN'],
  [0xe7, 'SWAPN'],
  [0xe8, 'EXCHANGE'],
  [0xec, 'EOFCREATE'],
  [0xee, 'RETURNCONTRACT'],
  [0xf7, 'RETURNDATALOAD'],
  [0xf8, 'EXTCALL'],
  [0xf9, 'EXTDELEGATECALL'],
  [0xfb, 'EXTSTATICCALL'],
  [0xfe, 'INVALID'],
]);

const TEXTS: Readonly<Record<Exclude<HaltReason, 'invalid-opcode' | 'stack-underflow'>, string>> = {
  'out-of-gas': 'out of gas',
  'gas-overflow': 'gas uint64 overflow',
  'invalid-jump': 'invalid jump destination',
  'stack-overflow': 'stack limit reached 1024 (1023)',
  'write-protection': 'write protection',
  'return-data-out-of-bounds': 'return data out of bounds',
  'initcode-too-large': 'max initcode size exceeded',
  'address-collision': 'contract address collision',
  'code-too-large': 'max code size exceeded',
  'code-deposit-out-of-gas': 'contract creation code storage out of gas',
  'code-begins-with-ef': 'invalid code: must not begin with 0xef',
  // geth has a text for each contract and mistake; the library that runs them here does not.
  'precompile-failed': 'a precompiled contract refused its input',
};

/** See the file's head. */
export function haltText(halt: Halt): string {
  switch (halt.reason) {
    case 'invalid-opcode':
      return `invalid opcode: ${UNDEFINED_OPCODE_NAMES.get(halt.opcode) ?? `opcode 0x${halt.opcode.toString(16)} not defined`}`;
    case 'stack-underflow':
      return `stack underflow (${halt.have} <=> ${halt.need})`;
    default:
      return TEXTS[halt.reason];
  }
}
