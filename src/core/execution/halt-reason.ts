// Why code ended before it was done. Consensus sees only that all gas is gone: the reason is for whoever simulates a call, and no receipt,
// hash or stored row has it.

/** See the file's head. */
export const HALT_REASONS = [
  'out-of-gas',
  /** An offset or length that no 64-bit number holds. */
  'gas-overflow',
  'invalid-opcode',
  'invalid-jump',
  'stack-underflow',
  'stack-overflow',
  'write-protection',
  'return-data-out-of-bounds',
  'initcode-too-large',
  'address-collision',
  'code-too-large',
  'code-deposit-out-of-gas',
  'code-begins-with-ef',
  'precompile-failed',
] as const;

/** See the file's head. */
export type HaltReason = (typeof HALT_REASONS)[number];

/** A reason with its facts. */
export type Halt =
  | { readonly reason: 'invalid-opcode'; readonly opcode: number }
  | { readonly reason: 'stack-underflow'; readonly have: number; readonly need: number }
  | { readonly reason: Exclude<HaltReason, 'invalid-opcode' | 'stack-underflow'> };
