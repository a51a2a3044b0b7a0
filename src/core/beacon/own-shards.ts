// Which shards a validator runs (protocol, section 6, "Committees"): those in whose committees it sits, of the instances that are in force and of the
// epochs that are decided. Committees are drawn two epochs ahead, so whoever enters one has a whole epoch to get its shard's state and to follow
// its blocks.
import type { ChainId, Epoch, ValidatorIndex } from '../primitives/ids.ts';
import { intersects } from '../protocol/shard-id.ts';
import type { SeatHolder } from './committees.ts';
import { type BeaconState, layoutOfEpoch, type RecordEntry } from './state.ts';

type Members = Pick<BeaconState, 'layouts' | 'records'>;

/** See the file's head: the shards of the records in force, at the epoch of the newest beacon block. */
export function ownShards(state: Members, epoch: Epoch, self: ValidatorIndex): ReadonlySet<ChainId> {
  const ahead = state.layouts
    .filter((layout) => layout.epoch >= epoch)
    .flatMap(({ shards }) => shards.filter(({ members }) => isMember(members, self)).map(({ shard }) => shard));
  const own = state.records.filter(
    ({ record }) =>
      isMember(committeeOf(state, record.epoch, record.shard), self) || ahead.some((shard) => intersects(shard, record.shard)),
  );
  return new Set(own.map(({ record }) => record.shard));
}

/** Whether every validator of the beacon runs a record's instance: then nobody has to be told or given anything of it. */
export function isRunByAll(state: Pick<BeaconState, 'layouts'>, { record }: Pick<RecordEntry, 'record'>): boolean {
  const everybody = layoutOfEpoch(state, record.epoch)?.beaconMembers.length ?? 0;
  return committeeOf(state, record.epoch, record.shard).length >= everybody;
}

/** Validators that should have what a shard has: its committee in force, and those of the epochs that are decided. */
export function followersOf(state: Members, epoch: Epoch, shard: ChainId): readonly ValidatorIndex[] {
  const inForce = state.records
    .filter(({ record }) => record.shard === shard)
    .flatMap(({ record }) => committeeOf(state, record.epoch, shard));
  const ahead = state.layouts.filter((layout) => layout.epoch >= epoch).flatMap((layout) => committeeOf(state, layout.epoch, shard));
  return [...new Set([...inForce, ...ahead].map(({ validator }) => validator))];
}

function committeeOf(state: Pick<BeaconState, 'layouts'>, epoch: Epoch, shard: ChainId): readonly SeatHolder[] {
  return layoutOfEpoch(state, epoch)?.shards.find((one) => one.shard === shard)?.members ?? [];
}

function isMember(members: readonly SeatHolder[], self: ValidatorIndex): boolean {
  return members.some(({ validator }) => validator === self);
}
