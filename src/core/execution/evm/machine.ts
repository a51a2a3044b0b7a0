// What the frames of one item share.
import type { ExecutionContext, Message } from '../../protocol/message.ts';
import type { ItemState } from '../item-state.ts';
import type { EthereumRules } from './ethereum-rules.ts';
import type { Frame, FrameStart } from './frame.ts';
import { wordOf } from './words.ts';

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
  readonly gasUsed: number;
  readonly output: Uint8Array;
}

/** A precompile that answers later (the library declares some as asynchronous that are not), and the call that waits for it. */
export interface PendingPrecompile {
  readonly result: Promise<PrecompileResult>;
  readonly start: FrameStart;
}

/** Words of the block and the message that code can ask for. */
export interface Environment {
  readonly origin: bigint;
  readonly gasPrice: bigint;
  readonly coinbase: bigint;
  readonly timestamp: bigint;
  readonly number: number;
  readonly prevRandao: bigint;
  readonly gasLimit: bigint;
  readonly chainId: bigint;
  readonly baseFee: bigint;
}

/** See the file's head. One for each item. */
export interface Machine {
  readonly rules: EthereumRules;
  readonly state: ItemState;
  readonly message: Message;
  readonly context: ExecutionContext;
  readonly environment: Environment;
  readonly mayPause: boolean;
  /** Work since the host last had its turn, in steps; heavy opcodes count for more. */
  work: number;
  child: Frame | undefined;
  precompile: PendingPrecompile | undefined;
}

/** The environment of a message. */
export function environmentOf(
  message: Message,
  context: ExecutionContext,
  coinbase: Uint8Array,
  chainId: number,
  gasLimitSeenByCode: number,
): Environment {
  return {
    origin: wordOf(message.originAddress),
    gasPrice: message.gasPriceWei,
    coinbase: wordOf(coinbase),
    timestamp: BigInt(Math.floor(context.referenceTimestampMs / 1000)),
    number: context.referenceHeight,
    prevRandao: wordOf(context.prevRandao),
    gasLimit: BigInt(gasLimitSeenByCode),
    chainId: BigInt(chainId),
    baseFee: message.baseFeePerGasWei,
  };
}
