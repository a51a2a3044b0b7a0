// What the users of the hot shard want: a mix of transfers, calls that send messages, and creations, at prices that differ by three orders of
// magnitude, so that a rising base fee sends more and more of them away.
import type { SeededRandom } from '../../src/simulation/random.ts';

/** Kinds of transactions of the hot shard's users. */
export const HOT_KINDS = ['transfer', 'call', 'bouncing call', 'creating call', 'creation'] as const;
export type HotKind = (typeof HOT_KINDS)[number];

/** Of a hundred: 35 call a contract that sends two messages, 5 of them one that comes back, and 25 create one, by a call or directly. */
export const KIND_PERCENT: Readonly<Record<HotKind, number>> = {
  transfer: 50,
  call: 20,
  'bouncing call': 5,
  'creating call': 10,
  creation: 15,
};

const GWEI = 10n ** 9n;
const BID_GWEI_MIN = 1;
const BID_GWEI_MAX = 2_000;

/** What one user wants next. */
export interface Wish {
  readonly kind: HotKind;
  readonly maxFeeWei: bigint;
  readonly tipWei: bigint;
}

/** Draws a wish: kinds by their share, bids evenly over the logarithm, a tenth of the bid for the proposer. */
export function drawWish(random: SeededRandom): Wish {
  let rest = random.next() * 100;
  const kind = HOT_KINDS.find((each) => {
    rest -= KIND_PERCENT[each];
    return rest < 0;
  });
  const bidGwei = BID_GWEI_MIN * (BID_GWEI_MAX / BID_GWEI_MIN) ** random.next();
  const maxFeeWei = BigInt(Math.floor(bidGwei * 1_000)) * (GWEI / 1_000n);
  return { kind: kind ?? 'transfer', maxFeeWei, tipWei: maxFeeWei / 10n };
}

/** Gas of the average wish. */
export function meanGas(gasOf: Readonly<Record<HotKind, number>>): number {
  return HOT_KINDS.reduce((sum, kind) => sum + (gasOf[kind] * KIND_PERCENT[kind]) / 100, 0);
}
