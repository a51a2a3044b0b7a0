// Block overrides of `eth_call` and `eth_estimateGas`: what a call sees of its block otherwise than it is, with geth's names. As with geth,
// `difficulty` has no effect (there is none since Ethereum's merge), members of other names are passed over, and the two that only
// `eth_simulateV1` takes are refused by name.
import { accept } from '../core/primitives/verdict.ts';
import { blockOverrideUnsupported, type RpcError } from './errors.ts';
import { expected, isObject, type Read, readAddress, readBigQuantity, readHash, readMembers, readQuantity } from './parameter.ts';
import type { BlockOverrides } from './ports.ts';

/** In milliseconds it still is an exact number. */
const TIME_SECONDS_MAX = Math.floor(Number.MAX_SAFE_INTEGER / 1000);

const readTime: Read<number> = (value) => {
  const seconds = readQuantity(value);
  return seconds.ok && seconds.value > TIME_SECONDS_MAX ? expected(`a quantity of at most ${TIME_SECONDS_MAX} seconds`, value) : seconds;
};

const OVERRIDE_MEMBERS = {
  number: readQuantity,
  difficulty: readBigQuantity,
  time: readTime,
  gasLimit: readQuantity,
  feeRecipient: readAddress,
  prevRandao: readHash,
  baseFeePerGas: readBigQuantity,
  blobBaseFee: readBigQuantity,
};
const UNSUPPORTED_MEMBERS = ['beaconRoot', 'withdrawals'] as const;

/** What the parameter reads to: an override that geth refuses too is found only when the call is made. */
export interface GivenBlockOverrides extends BlockOverrides {
  readonly unsupported: string | undefined;
}

/** The block as it is. */
export const NO_BLOCK_OVERRIDES: GivenBlockOverrides = {
  number: undefined,
  timeSeconds: undefined,
  gasLimit: undefined,
  feeRecipient: undefined,
  prevRandao: undefined,
  baseFeePerGasWei: undefined,
  blobBaseFeeWei: undefined,
  unsupported: undefined,
};

/** See the file's head. */
export const readBlockOverrides: Read<GivenBlockOverrides> = (value) => {
  if (!isObject(value)) return expected('an object of block overrides', value);
  const members = readMembers(value, OVERRIDE_MEMBERS);
  if (!members.ok) return members;
  const { number, time, gasLimit, feeRecipient, prevRandao, baseFeePerGas, blobBaseFee } = members.value;
  return accept({
    number,
    timeSeconds: time,
    gasLimit,
    feeRecipient,
    prevRandao,
    baseFeePerGasWei: baseFeePerGas,
    blobBaseFeeWei: blobBaseFee,
    unsupported: UNSUPPORTED_MEMBERS.find((name) => Object.hasOwn(value, name) && value[name] !== null),
  });
};

/** Why these overrides cannot be had; undefined when they can. */
export function refusalOf({ unsupported }: GivenBlockOverrides): RpcError | undefined {
  return unsupported === undefined ? undefined : blockOverrideUnsupported(unsupported);
}
