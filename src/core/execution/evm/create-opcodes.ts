// CREATE, CREATE2, and the creation that is a transaction's main call. A created contract is of its creator contract's family, whoever
// sent the message (protocol, section 4), and each creation has paid for its pointer.
import { keccak256 } from '../../crypto/keccak.ts';
import { bytesToHex } from '../../primitives/bytes.ts';
import { CODE_BYTES_MAX, INITCODE_BYTES_MAX } from '../../protocol/gas.ts';
import { EMPTY_CODE_HASH } from '../account-value.ts';
import { createdAddressOf } from '../created-address.ts';
import type { AccountEntry, FamilyEntry } from '../state-overlay.ts';
import { Frame } from './frame.ts';
import {
  CALL_DEPTH_MAX,
  CODE_DEPOSIT_BYTE_GAS,
  CREATE_OPCODE_GAS,
  INITCODE_WORD_GAS,
  KECCAK_WORD_GAS,
  KEPT_GAS_DIVISOR,
} from './gas-costs.ts';
import { halt } from './halt.ts';
import type { Machine, Signal } from './machine.ts';
import { bytes32Of, toOffset } from './words.ts';

const NO_DATA = new Uint8Array(0);
/** EIP-3541. */
const RESERVED_FIRST_BYTE = 0xef;
/** EIP-2681. */
const NONCE_MAX = 2n ** 64n - 1n;

/** CREATE and CREATE2. */
export function createContract(machine: Machine, frame: Frame, isSalted: boolean): Signal | undefined {
  if (frame.start.isStatic) halt('write-protection');
  const { stack } = frame;
  stack.need(isSalted ? 4 : 3);
  const valueWei = stack.pop();
  const offsetWord = stack.pop();
  const length = toOffset(stack.pop());
  const salt = isSalted ? bytes32Of(stack.pop()) : undefined;
  if (length > INITCODE_BYTES_MAX) halt('initcode-too-large');
  const offset = length === 0 ? 0 : toOffset(offsetWord);
  const words = Math.ceil(length / 32);
  frame.useGas(frame.memoryGas(offset, length));
  frame.useGas(CREATE_OPCODE_GAS + words * (INITCODE_WORD_GAS + (isSalted ? KECCAK_WORD_GAS : 0)));
  frame.returnData = NO_DATA;
  const { self } = frame;
  const value = self.value ?? halt('out-of-gas');
  const gasLimit = frame.gasLeft - Math.floor(frame.gasLeft / KEPT_GAS_DIVISOR);
  if (frame.start.depth >= CALL_DEPTH_MAX || value.balanceWei < valueWei || value.nonce >= NONCE_MAX) {
    stack.push(0n);
    return undefined;
  }
  const initcode = frame.memory.copy(offset, length);
  const { state } = machine;
  state.setAccount(self, { nonce: value.nonce + 1n, balanceWei: value.balanceWei, codeHash: value.codeHash });
  const address = createdAddressOf(self.address, value.nonce, salt === undefined ? undefined : { salt, initcode });
  frame.gasLeft -= gasLimit;
  const child = beginCreation(machine, {
    creator: self,
    address,
    initcode,
    valueWei,
    family: frame.start.family,
    depth: frame.start.depth + 1,
    gasLimit,
  });
  if (child === undefined) {
    stack.push(0n);
    return undefined;
  }
  machine.child = child;
  return 'child';
}

/** What a creation needs to begin. */
export interface CreationStart {
  /** Undefined at depth 0: there the value was debited where the message was sent. */
  readonly creator: AccountEntry | undefined;
  readonly address: Uint8Array;
  readonly initcode: Uint8Array;
  readonly valueWei: bigint;
  readonly family: FamilyEntry;
  readonly depth: number;
  readonly gasLimit: number;
}

/** Why code is not stored. */
export type CodeRefusal = 'code-too-large' | 'code-begins-with-ef' | 'code-deposit-out-of-gas';

/** The frame of a creation; undefined at a collision, which takes all its gas. */
export function beginCreation(machine: Machine, creation: CreationStart): Frame | undefined {
  const { state } = machine;
  const { address, family, valueWei, creator } = creation;
  const addressHex = bytesToHex(address);
  state.warmAddress(addressHex);
  const entry = state.account(address, addressHex, family);
  const before = entry.value;
  const hasCode = state.overlay.code(entry).length > 0;
  if (hasCode || (before !== undefined && before.nonce !== 0n) || state.overlay.hasStorage(entry)) return undefined;
  const checkpoint = state.checkpoint();
  state.markCreated(address, addressHex);
  if (creator !== undefined) state.addBalance(creator, -valueWei);
  state.setAccount(entry, { nonce: 1n, balanceWei: (before?.balanceWei ?? 0n) + valueWei, codeHash: EMPTY_CODE_HASH });
  return new Frame({
    self: entry,
    family,
    caller: creator?.address ?? machine.message.sender,
    callData: NO_DATA,
    valueWei,
    code: creation.initcode,
    isCreation: true,
    isStatic: false,
    depth: creation.depth,
    gasLimit: creation.gasLimit,
    checkpoint,
    outputOffset: 0,
    outputLength: 0,
  });
}

/** Stores what the initcode returned, if its gas pays for it; undefined then, else a failure that takes all gas. */
export function depositCode(machine: Machine, frame: Frame): CodeRefusal | undefined {
  const code = frame.output;
  if (code.length > CODE_BYTES_MAX) return 'code-too-large';
  if (code[0] === RESERVED_FIRST_BYTE) return 'code-begins-with-ef';
  const gas = CODE_DEPOSIT_BYTE_GAS * code.length;
  if (gas > frame.gasLeft) return 'code-deposit-out-of-gas';
  frame.gasLeft -= gas;
  if (code.length > 0) machine.state.setCode(frame.self, keccak256(code), code);
  return undefined;
}
