// Whether a world has recovered from its faults: every chain of every honest node has gone on by some blocks, and so has what clients see. And if it
// has not, where it stands.
import { BEACON_CHAIN, type ChainId, type Height } from '../core/primitives/ids.ts';
import type { Node } from '../node/create-node.ts';
import { chainsOf } from './chains-of.ts';
import { BEACON_BLOCKS_AFTER, BLOCKS_AFTER } from './liveness-bound.ts';
import { chainName } from './timeline/story.ts';
import type { World } from './world.ts';

/** Where the chains were when the last fault was over. */
export interface Healed {
  readonly heights: ReadonlyMap<ChainId, Height>;
  readonly view: number;
}

/** Whether a node has gone on from there. */
export function hasGoneOn(node: Node, { heights, view }: Healed): boolean {
  if (shownBy(node) < view + BEACON_BLOCKS_AFTER) return false;
  return chainsOf(node).every(({ instance: { chain }, blocks }) => {
    const wanted = (heights.get(chain) ?? 0) + (chain === BEACON_CHAIN ? BEACON_BLOCKS_AFTER : BLOCKS_AFTER);
    return blocks.committed.facts.height >= wanted;
  });
}

// Whoever has no view knows as much from the beacon.
function shownBy({ view, beacon }: Node): number {
  return view?.head.block.header.number ?? beacon.state.height;
}

/** What has not; `oldestUnderWay` is the view block whose executions sent the oldest message between shards. */
export function describeStall(world: World, { heights, view }: Healed, oldestUnderWay: number | undefined): string {
  const since = [...heights].map(([chain, height]) => `${chainName(chain)} ${height}`);
  const where = world.nodes.map((node, index) => {
    const chains = chainsOf(node).map(
      ({ instance, runner, blocks }) =>
        `${chainName(instance.chain)} in epoch ${instance.epoch} at height ${blocks.committed.facts.height}, round ${runner.state.round}`,
    );
    return `${world.names[index]} ${world.isUp(index) ? 'up' : 'down'}, view block ${shownBy(node)}, ${chains.join(', ')}`;
  });
  const oldest = oldestUnderWay === undefined ? 'none' : `of view block ${oldestUnderWay}`;
  return `not all have gone on from ${since.join(', ')}, view block ${view}; the oldest message under way is ${oldest}: ${where.join('; ')}`;
}
