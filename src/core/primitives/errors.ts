// The three kinds of failure. Foreign input that is wrong gives a verdict (verdict.ts). A fault that a caller is expected to
// handle is a `CoppiceError`: a stable `code` to branch on and `facts` to log; nobody parses a message. A broken promise of our
// own code is an `invariant`: it stops the chain rather than let it go on from a wrong state.

/**
 * Each error code and the facts that a report of it must carry. Every room adds rows by declaration merging, beside the code
 * that raises them, so that a new error touches one folder.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the rooms fill it in.
export interface ErrorFacts {}

/** Every code that some room has declared. */
export type ErrorCode = keyof ErrorFacts;

/** An operational fault that a caller may handle by its code. */
export class CoppiceError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'CoppiceError';
  readonly code: C;
  readonly facts: ErrorFacts[C];

  constructor(code: C, facts: ErrorFacts[C], options?: ErrorOptions) {
    super(`${String(code)} ${describeFacts(facts)}`, options);
    this.code = code;
    this.facts = facts;
  }
}

/** Narrows an unknown error to one code, so that `facts` has that code's type. */
export function isError<C extends ErrorCode>(error: unknown, code: C): error is CoppiceError<C> {
  return error instanceof CoppiceError && error.code === code;
}

/** Asserts a promise of our own code; throws a plain `Error`, which nobody catches but the process's last line of defence. */
export function invariant(holds: boolean, promise: string): asserts holds {
  if (!holds) throw new Error(`invariant broken: ${promise}`);
}

function describeFacts(facts: unknown): string {
  return JSON.stringify(facts, (_key, value) => (typeof value === 'bigint' ? value.toString() : value)) ?? '';
}
