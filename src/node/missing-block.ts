// Refuses a database that has lost blocks. When LevelDB opens and meets a damaged part of its write-ahead log, it skips that part
// without a word: whole batches are gone, and the node would run on with holes in its chains and its state. Each block is one batch,
// so a lost batch is a height whose rows are missing. Only what the log held can go so; tables have checksums of ours in each row.
//
// A lost end of a chain is no hole: it is as if the node had stopped earlier, and it catches up.
import type { BeaconState } from '../core/beacon/state.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import { BEACON_CHAIN, type ChainId, type Height } from '../core/primitives/ids.ts';
import { VIEW_RANGE_MAX } from '../storage/view-store.ts';
import type { NodeStores } from './node-stores.ts';
import '../storage/errors.ts';

/** Newest blocks that a start looks for: more than the log and the one before it hold, 16 MiB each at some 3 KB a block. */
export const CHECKED_BLOCKS_MAX = 16_384;

/** Throws `storage/incomplete` when a beacon block or a block of an instance that runs is missing among the newest. */
export function refuseMissingBlocks(
  stores: Pick<NodeStores, 'beaconStore' | 'blockStore'>,
  state: Pick<BeaconState, 'height' | 'instances'>,
): void {
  refuseHoles(BEACON_CHAIN, 0, state.height, (height) => stores.beaconStore.getPoint(height) !== undefined);
  for (const { instanceId, record } of state.instances) {
    const { shard: chain, height: first } = record;
    const head = chain === BEACON_CHAIN ? undefined : stores.blockStore.getHead(chain, instanceId);
    if (head === undefined) continue;
    refuseHoles(chain, first + 1, head.height, (height) => stores.blockStore.getResult({ chain, instanceId, height }) !== undefined);
  }
}

/** Throws `storage/partial` when the node has followed its own shards since its newest view block: nobody gives it what it did not see of the others. */
export function refusePartialView({ viewStore }: Pick<NodeStores, 'viewStore'>, { height }: Pick<BeaconState, 'height'>): void {
  const newest = viewStore.getHead();
  const isWhole = newest !== undefined && (newest >= height || viewStore.getAnchor(newest + 1) !== undefined);
  if (!isWhole) throw new CoppiceError('storage/partial', { height });
}

/** Throws `storage/incomplete` when a view block is missing among the newest. */
export async function refuseMissingViews({ viewStore }: Pick<NodeStores, 'viewStore'>): Promise<void> {
  const newest = viewStore.getHead() ?? 0;
  if (viewStore.getHeader(0) === undefined) throw new CoppiceError('storage/incomplete', { missing: 0, newest });
  const first = Math.max(0, newest - CHECKED_BLOCKS_MAX + 1);
  for (let from = first; from <= newest; from += VIEW_RANGE_MAX) {
    const to = Math.min(newest, from + VIEW_RANGE_MAX - 1);
    const headers = await viewStore.readHeaders(from, to);
    if (headers.length === to - from + 1) continue;
    const hole = headers.findIndex(({ number }, index) => number !== from + index);
    throw new CoppiceError('storage/incomplete', { missing: from + (hole === -1 ? headers.length : hole), newest });
  }
}

function refuseHoles(chain: ChainId, first: Height, newest: Height, isThere: (height: Height) => boolean): void {
  for (let height = Math.max(first, newest - CHECKED_BLOCKS_MAX + 1); height <= newest; height++)
    if (!isThere(height)) throw new CoppiceError('storage/incomplete', { missing: height, newest, chain });
}
