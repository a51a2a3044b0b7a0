// From stake to whole seats (protocol, section 6, "Committees": all seats, by stake): each validator gets its exact share rounded down, and
// the seats left over go, one each, to the largest remainders.
//
// The rule upheld: integers only, and no choice left to anyone, so that every node makes the same seats of the same stakes. Nobody is further
// than one seat from its exact share; who has less than that may end with none, and is then in no committee.
import { invariant } from '../primitives/errors.ts';
import type { Seats, ValidatorIndex } from '../primitives/ids.ts';
import type { SeatHolder } from './committees.ts';

/** What a validator has at stake. */
export interface ValidatorStake {
  readonly validator: ValidatorIndex;
  readonly stakeGwei: bigint;
}

interface Share {
  readonly validator: ValidatorIndex;
  readonly wholeSeats: Seats;
  /** Of the division by the total stake: what `wholeSeats` falls short of. */
  readonly remainder: bigint;
}

/** Divides all seats by stake, in the order of validators; empty where nobody has a stake. See the file's head. */
export function apportionSeats(stakes: readonly ValidatorStake[], totalSeats: Seats): readonly SeatHolder[] {
  invariant(Number.isSafeInteger(totalSeats) && totalSeats >= 1, 'there are seats to give');
  invariant(
    stakes.every(({ stakeGwei }) => stakeGwei >= 0n),
    'no stake is negative',
  );
  const totalStakeGwei = stakes.reduce((sum, { stakeGwei }) => sum + stakeGwei, 0n);
  if (totalStakeGwei === 0n) return [];
  const shares = stakes.map((stake) => shareOf(stake, totalSeats, totalStakeGwei));
  const seatsLeft = totalSeats - shares.reduce((sum, { wholeSeats }) => sum + wholeSeats, 0);
  return shares
    .sort(byRemainder)
    .map(({ validator, wholeSeats }, rank) => ({ validator, seats: wholeSeats + (rank < seatsLeft ? 1 : 0) }))
    .filter(({ seats }) => seats > 0)
    .sort((a, b) => a.validator - b.validator);
}

function shareOf({ validator, stakeGwei }: ValidatorStake, totalSeats: Seats, totalStakeGwei: bigint): Share {
  const product = stakeGwei * BigInt(totalSeats);
  return { validator, wholeSeats: Number(product / totalStakeGwei), remainder: product % totalStakeGwei };
}

/** The largest remainder first, and of equal ones the lowest validator index. Who has no stake comes last, below the seats that are left. */
function byRemainder(a: Share, b: Share): number {
  if (a.remainder !== b.remainder) return a.remainder > b.remainder ? -1 : 1;
  return a.validator - b.validator;
}
