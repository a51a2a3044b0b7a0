// The transaction object of `eth_call` and `eth_estimateGas` (execution-apis, "GenericTransaction"). Nobody signs it, so almost every
// field may be absent; what is there must fit together.
import { bytesEqual } from '../core/primitives/bytes.ts';
import type { Address } from '../core/primitives/ids.ts';
import { accept, refuse } from '../core/primitives/verdict.ts';
import type { AccessListEntry } from '../core/protocol/transaction.ts';
import {
  expected,
  isObject,
  type Read,
  readAddress,
  readBigQuantity,
  readData,
  readHash,
  readList,
  readMembers,
  readQuantity,
} from './parameter.ts';
import type { CallRequest } from './ports.ts';

/** Who calls when nobody is named. */
const ZERO_ADDRESS: Address = new Uint8Array(20);
const ACCESS_LIST_MAX = 1024;
const STORAGE_KEYS_MAX = 4096;

const readAccessListEntry: Read<AccessListEntry> = (value) => {
  if (!isObject(value)) return expected('an access list entry', value);
  const members = readMembers(value, { address: readAddress, storageKeys: readList(readHash, STORAGE_KEYS_MAX) });
  if (!members.ok) return members;
  const { address, storageKeys } = members.value;
  if (address === undefined) return refuse('invalid', 'an access list entry needs an address');
  return accept({ address, storageKeys: storageKeys ?? [] });
};

const CALL_MEMBERS = {
  from: readAddress,
  to: readAddress,
  gas: readQuantity,
  gasPrice: readBigQuantity,
  maxFeePerGas: readBigQuantity,
  maxPriorityFeePerGas: readBigQuantity,
  value: readBigQuantity,
  nonce: readBigQuantity,
  data: readData,
  input: readData,
  accessList: readList(readAccessListEntry, ACCESS_LIST_MAX),
};

/** See the file's head. */
export const readCallRequest: Read<CallRequest> = (value) => {
  if (!isObject(value)) return expected('a transaction object', value);
  const members = readMembers(value, CALL_MEMBERS);
  if (!members.ok) return members;
  const call = members.value;
  if (call.data !== undefined && call.input !== undefined && !bytesEqual(call.data, call.input))
    return refuse('invalid', 'both "data" and "input" are set and not equal. Please use "input" to pass transaction call data');
  if (call.gasPrice !== undefined && (call.maxFeePerGas !== undefined || call.maxPriorityFeePerGas !== undefined))
    return refuse('invalid', 'both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified');
  if (call.maxFeePerGas !== undefined && call.maxPriorityFeePerGas !== undefined && call.maxPriorityFeePerGas > call.maxFeePerGas)
    return refuse('invalid', `maxFeePerGas (${call.maxFeePerGas}) < maxPriorityFeePerGas (${call.maxPriorityFeePerGas})`);
  return accept({
    from: call.from ?? ZERO_ADDRESS,
    to: call.to,
    gasLimit: call.gas,
    gasPriceWei: call.gasPrice ?? call.maxFeePerGas,
    valueWei: call.value ?? 0n,
    data: call.input ?? call.data ?? new Uint8Array(0),
    nonce: call.nonce,
    accessList: call.accessList ?? [],
  });
};
