// What the frames of one item share.
import type { Address } from '../../primitives/ids.ts';
import type { ExecutionContext, Message } from '../../protocol/message.ts';
import type { Halt } from '../halt-reason.ts';
import type { ItemState } from '../item-state.ts';
import { COINBASE_ADDRESS } from '../system-addresses.ts';
import type { EthereumRules } from './ethereum-rules.ts';
import type { Frame, FrameStart } from './frame.ts';

/** Why the loop left a frame. */
export type Signal =
  /** STOP, RETURN, or the end of the code. */
  | 'done'
  | 'revert'
  | 'halt'
  /** `machine.child` is to run; its end is the result of the frame's call or creation. */
  | 'child'
  /** `machine.precompile` is to be awaited. */
  | 'precompile'
  /** The host's turn; then the same frame goes on. */
  | 'pause';

/** A precompile's answer. */
export interface PrecompileResult {
  readonly success: boolean;
  /** There when it failed. */
  readonly reason: 'out-of-gas' | 'precompile-failed' | undefined;
  readonly gasUsed: number;
  readonly output: Uint8Array;
}

/** A precompile that answers later (the library declares some as asynchronous that are not), and the call that waits for it. */
export interface PendingPrecompile {
  readonly result: Promise<PrecompileResult>;
  readonly start: FrameStart;
}

/** What code can ask about block and chain besides its message and context. Words are made when asked for: most items never do. */
export interface Environment {
  readonly coinbase: Address;
  readonly gasLimit: number;
  readonly chainId: number;
  readonly blobBaseFee: bigint;
}

/** See the file's head. One for each item. */
export interface Machine {
  readonly rules: EthereumRules;
  readonly state: ItemState;
  readonly message: Message;
  readonly context: ExecutionContext;
  readonly environment: Environment;
  readonly mayPause: boolean;
  /** Work after which the host gets its turn. */
  readonly pauseWork: number;
  /** Most gas that one precompile may use: it runs at a stretch, without a turn for the host. Infinite but in simulations. */
  readonly precompileGasMax: number;
  /** Work since the host last had its turn, in steps; heavy opcodes count for more. */
  work: number;
  /** Why the item's first frame halted. */
  halt: Halt | undefined;
  child: Frame | undefined;
  precompile: PendingPrecompile | undefined;
}

/** Blob transactions do not exist here, so their price stays the least that EIP-4844 knows. */
const BLOB_BASE_FEE_MIN = 1n;

/** The environment of an item. */
export function environmentOf({ pretended }: ExecutionContext, chainId: number, gasLimitSeenByCode: number): Environment {
  return {
    coinbase: pretended?.coinbase ?? COINBASE_ADDRESS,
    gasLimit: pretended?.gasLimit ?? gasLimitSeenByCode,
    chainId,
    blobBaseFee: pretended?.blobBaseFeeWei ?? BLOB_BASE_FEE_MIN,
  };
}
