// How a frame ends before its code does. One preallocated object is thrown for every exceptional halt: what was wrong is nothing that
// consensus may see, so no text is made for it (an error string for each invalid JUMP hashed the whole code in the library).

/** Thrown by opcodes; caught by the loop alone. */
export const EXCEPTIONAL_HALT: unique symbol = Symbol('exceptional halt');

/** Ends the frame: all its gas is gone. */
export function halt(): never {
  throw EXCEPTIONAL_HALT;
}

/** True for what the library's arithmetic throws at a stack underflow or overflow. Anything else is a fault of the node. */
export function isHalt(thrown: unknown): boolean {
  if (thrown === EXCEPTIONAL_HALT) return true;
  return typeof thrown === 'object' && thrown !== null && 'errorType' in thrown && thrown.errorType === 'EVMError';
}
