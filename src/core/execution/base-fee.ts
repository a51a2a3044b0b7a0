// The price of gas from block to block (protocol, section 5, "Fees"): base × u × m, u how far the load is from the target, clipped to
// ±1, m = min(1/8, Δt / 50 s), so that fast blocks do not make the price faster. Integers only: every node computes the same wei.
import type { Wei } from '../primitives/ids.ts';

/** The base fee moves by at most an eighth a block, and by at most the whole in this time. */
const FULL_MOVE_MS = 50_000;
const ELAPSED_MS_MAX = FULL_MOVE_MS / 8;
/** A backlog counts for an eighth: it is worked off over several blocks. */
const BACKLOG_DIVISOR = 8;

/** What the price of the child follows from. */
export interface BaseFeeInput {
  /** The parent header's price: what the transactions of this block pay. */
  readonly baseFeePerGasWei: Wei;
  readonly baseFeePerGasWeiMin: Wei;
  readonly gasBought: number;
  readonly inboxGas: number;
  readonly backlog: number;
  /** This block's timestamp less its parent's. */
  readonly elapsedMs: number;
  readonly blockGasLimit: number;
}

/** The price that a block's header sets for its child. Empty and closing blocks move it too. */
export function nextBaseFee(input: BaseFeeInput): Wei {
  const target = Math.floor(input.blockGasLimit / 2);
  const load = input.gasBought + input.inboxGas + Math.floor(input.backlog / BACKLOG_DIVISOR);
  const excess = Math.max(-target, Math.min(target, load - target));
  const elapsedMs = Math.max(0, Math.min(ELAPSED_MS_MAX, input.elapsedMs));
  const move = (input.baseFeePerGasWei * BigInt(excess) * BigInt(elapsedMs)) / (BigInt(target) * BigInt(FULL_MOVE_MS));
  const next = input.baseFeePerGasWei + move;
  return next < input.baseFeePerGasWeiMin ? input.baseFeePerGasWeiMin : next;
}
