// Who runs which shard in an epoch (protocol, section 6, "Committees"): all seats are shuffled once with the seed, and the shards, from left to
// right in the tree, each take the next `committeeSeats` of them, going round at the end.
//
// The rule upheld: every seat serves as often as any other, but for one, and no seat twice in one committee, so a committee is a draw without
// replacement and committee-risk.ts is exact about it. Where there are fewer seats in all than a committee has, each committee is all of them.
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, ChainId, Seats, ValidatorIndex } from '../primitives/ids.ts';
import { isLeftOf } from '../protocol/layout.ts';
import { shuffledOrder } from './shuffle.ts';

/** A validator and how many seats it has: of all, or in one committee. */
export interface SeatHolder {
  readonly validator: ValidatorIndex;
  readonly seats: Seats;
}

/** The validators that run one shard in one epoch. */
export interface ShardCommittee {
  readonly shard: ChainId;
  /** In order of validator index, each with at least one seat. */
  readonly members: readonly SeatHolder[];
}

/** What a draw depends on, and all of it. */
export interface CommitteeDraw {
  readonly seed: Bytes32;
  /** The layout of the epoch, left to right. */
  readonly shards: readonly ChainId[];
  /** All seats, in order of validator index, each with at least one. */
  readonly holders: readonly SeatHolder[];
  readonly committeeSeats: Seats;
}

/** The committee of each shard, in the order of `shards`. See the file's head. */
export function drawCommittees({ seed, shards, holders, committeeSeats }: CommitteeDraw): readonly ShardCommittee[] {
  invariant(areInOrder(shards), 'shards stand left to right, none within another');
  invariant(areHolders(holders), 'seats are held in order of validator index, at least one each');
  invariant(Number.isSafeInteger(committeeSeats) && committeeSeats >= 1, 'a committee has seats');
  const holderOfSeat = holders.flatMap(({ seats }, holder) => new Array<number>(seats).fill(holder));
  const order = shuffledOrder(holderOfSeat.length, seed);
  const size = Math.min(committeeSeats, order.length);
  return shards.map((shard, position) => {
    const seatsOf = new Uint32Array(holders.length);
    for (let taken = 0; taken < size; taken++) {
      const seat = order[(position * size + taken) % order.length] as number;
      const holder = holderOfSeat[seat] as number;
      seatsOf[holder] = (seatsOf[holder] as number) + 1;
    }
    return { shard, members: membersOf(holders, seatsOf) };
  });
}

function membersOf(holders: readonly SeatHolder[], seatsOf: Uint32Array): readonly SeatHolder[] {
  return holders.map(({ validator }, holder) => ({ validator, seats: seatsOf[holder] as number })).filter(({ seats }) => seats > 0);
}

function areInOrder(shards: readonly ChainId[]): boolean {
  return shards.every((shard, index) => index === 0 || isLeftOf(shards[index - 1] as ChainId, shard));
}

function areHolders(holders: readonly SeatHolder[]): boolean {
  const ascend = holders.every(({ validator }, index) => index === 0 || (holders[index - 1] as SeatHolder).validator < validator);
  return holders.length > 0 && ascend && holders.every(({ seats }) => Number.isSafeInteger(seats) && seats >= 1);
}
