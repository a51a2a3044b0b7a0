// One frame: a call or a creation. Frames lie on a list and not on JavaScript's stack, so that 1,024 of them cannot overflow it, and the
// loop needs no `await` but for the host's turn.
import type { Address, Hex } from '../../primitives/ids.ts';
import type { Checkpoint } from '../item-state.ts';
import type { AccountEntry, FamilyEntry } from '../state-overlay.ts';
import { MEMORY_QUADRATIC_DIVISOR, MEMORY_WORD_GAS } from './gas-costs.ts';
import { halt } from './halt.ts';
import { type JumpAnalysis, jumpAnalysisOf } from './jump-analysis.ts';
import { Memory } from './memory.ts';
import { Stack } from './stack.ts';

const NO_DATA = new Uint8Array(0);

/** What a frame starts with. */
export interface FrameStart {
  /** The account whose storage and balance the code has. */
  readonly self: AccountEntry;
  readonly family: FamilyEntry;
  readonly caller: Address;
  readonly callData: Uint8Array;
  readonly valueWei: bigint;
  readonly code: Uint8Array;
  readonly isCreation: boolean;
  readonly isStatic: boolean;
  readonly depth: number;
  readonly gasLimit: number;
  /** State before the frame's value transfer: where a failure goes back to. */
  readonly checkpoint: Checkpoint;
  /** Where the caller wants the output. */
  readonly outputOffset: number;
  readonly outputLength: number;
}

/** Stacks and memories of frames that have ended: making them anew is a tenth of a small call. */
const WORKSPACES_KEPT_MAX = 16;
const keptWorkspaces: { readonly stack: Stack; readonly memory: Memory }[] = [];

/** See the file's head. */
export class Frame {
  readonly start: FrameStart;
  readonly self: AccountEntry;
  readonly addressHex: Hex;
  readonly code: Uint8Array;
  readonly analysis: JumpAnalysis;
  readonly stack: Stack;
  readonly memory: Memory;
  programCounter = 0;
  gasLeft: number;
  /** Words that gas has paid for: MSIZE. */
  memoryWords = 0;
  #memoryGas = 0;
  /** RETURNDATA of the last call or creation. */
  returnData: Uint8Array = NO_DATA;
  /** What RETURN or REVERT gave. */
  output: Uint8Array = NO_DATA;

  constructor(start: FrameStart) {
    this.start = start;
    this.self = start.self;
    this.addressHex = start.self.addressHex;
    this.code = start.code;
    this.analysis = jumpAnalysisOf(start.code);
    this.gasLeft = start.gasLimit;
    const workspace = keptWorkspaces.pop();
    this.stack = workspace?.stack ?? new Stack();
    this.memory = workspace?.memory ?? new Memory();
  }

  /** Gives stack and memory to a later frame, when this one has ended: nobody holds views of its memory then but who it called. */
  release(): void {
    if (keptWorkspaces.length >= WORKSPACES_KEPT_MAX) return;
    this.stack.clear();
    this.memory.clear();
    keptWorkspaces.push({ stack: this.stack, memory: this.memory });
  }

  useGas(gas: number): void {
    this.gasLeft -= gas;
    if (this.gasLeft < 0) halt('out-of-gas');
  }

  /** Gas of extending memory to `offset + length`; the memory counts as extended from here on. */
  memoryGas(offset: number, length: number): number {
    if (length === 0) return 0;
    const words = Math.ceil((offset + length) / 32);
    if (words <= this.memoryWords) return 0;
    const total = words * MEMORY_WORD_GAS + Math.floor((words * words) / MEMORY_QUADRATIC_DIVISOR);
    const gas = total - this.#memoryGas;
    // Not paid for yet: if it cannot be, the frame ends here.
    if (gas > this.gasLeft) halt('out-of-gas');
    this.#memoryGas = total;
    this.memoryWords = words;
    return gas;
  }
}
