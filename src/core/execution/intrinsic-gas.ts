// What a transaction's gas limit must cover before any code runs, for types 0, 1 and 2: Ethereum's intrinsic gas (yellow paper,
// EIP-2028, EIP-2930, EIP-3860) and the floor for data (EIP-7623). The floor is checked and never charged: gas bought is gas paid, so
// there is no gas used that it could raise.
import { TRANSACTION_GAS } from '../protocol/gas.ts';
import type { Transaction } from '../protocol/transaction.ts';

/** EIP-2: a creation; the gas of the pointer is charged during execution and not here. */
const CREATION_GAS = 32_000;
/** EIP-2028. */
const ZERO_BYTE_GAS = 4;
const NON_ZERO_BYTE_GAS = 16;
/** EIP-7623. */
const FLOOR_GAS_PER_TOKEN = 10;
/** EIP-2930. */
const ACCESS_LIST_ADDRESS_GAS = 2_400;
const ACCESS_LIST_SLOT_GAS = 1_900;
/** EIP-3860. */
const INITCODE_WORD_GAS = 2;

/** The part of a transaction that its intrinsic gas depends on. */
export type IntrinsicInput = Pick<Transaction, 'to' | 'data' | 'accessList'>;

/** Gas that is spent by being included: 21,000, data, access list, creation and its initcode. */
export function intrinsicGas(transaction: IntrinsicInput): number {
  const { zeros, nonZeros } = countBytes(transaction.data);
  let gas = TRANSACTION_GAS + zeros * ZERO_BYTE_GAS + nonZeros * NON_ZERO_BYTE_GAS;
  for (const entry of transaction.accessList) gas += ACCESS_LIST_ADDRESS_GAS + entry.storageKeys.length * ACCESS_LIST_SLOT_GAS;
  if (transaction.to === undefined) gas += CREATION_GAS + INITCODE_WORD_GAS * Math.ceil(transaction.data.length / 32);
  return gas;
}

/** EIP-7623: the least gas limit for this much data. */
export function dataFloorGas(data: Uint8Array): number {
  const { zeros, nonZeros } = countBytes(data);
  return TRANSACTION_GAS + FLOOR_GAS_PER_TOKEN * (zeros + 4 * nonZeros);
}

/** The least gas limit with which a transaction may be included. */
export function minimumGasLimit(transaction: IntrinsicInput): number {
  if (transaction.data.length === 0 && transaction.to !== undefined) return intrinsicGas(transaction);
  return Math.max(intrinsicGas(transaction), dataFloorGas(transaction.data));
}

function countBytes(data: Uint8Array): { zeros: number; nonZeros: number } {
  let zeros = 0;
  for (let i = 0; i < data.length; i++) if (data[i] === 0) zeros++;
  return { zeros, nonZeros: data.length - zeros };
}
