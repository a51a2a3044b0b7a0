// How a frame ends before its code does. The reason itself is thrown: a constant, so that nothing is made for it (an error string for each
// invalid JUMP hashed the whole code in the library). Its facts are read from the frame, and only where somebody may ask for them.
import { HALT_REASONS, type Halt, type HaltReason } from '../halt-reason.ts';
import type { Frame } from './frame.ts';

const REASONS: ReadonlySet<unknown> = new Set(HALT_REASONS);

/** Ends the frame: all its gas is gone. Caught by the loop alone. */
export function halt(reason: HaltReason): never {
  throw reason;
}

/**
 * The reason of what was thrown; undefined for a fault of the node. The library's arithmetic throws errors of its own at a stack underflow
 * or overflow.
 */
export function haltReasonOf(thrown: unknown): HaltReason | undefined {
  if (REASONS.has(thrown)) return thrown as HaltReason;
  const isLibraryError = typeof thrown === 'object' && thrown !== null && 'errorType' in thrown && thrown.errorType === 'EVMError';
  return isLibraryError ? 'stack-underflow' : undefined;
}

/** The reason with its facts, while the frame is as it was when it halted. */
export function describeHalt(reason: HaltReason, { code, programCounter, stack }: Frame): Halt {
  switch (reason) {
    case 'invalid-opcode':
      return { reason, opcode: code[programCounter - 1] as number };
    case 'stack-underflow':
      return { reason, have: stack.length, need: stack.needed };
    default:
      return { reason };
  }
}
