// Whether a world has recovered from its faults: every chain of every honest node has gone on by some blocks, and so has what clients see. And if it
// has not, where it stands. That is asked within the bound (liveness-bound.ts) after the last fault, and after each time before in which for so
// long no other fault begins; windows that follow each other sooner are one to it.
import { BEACON_CHAIN, type ChainId, type Height } from '../core/primitives/ids.ts';
import type { Node } from '../node/create-node.ts';
import { chainsOf } from './chains-of.ts';
import type { Fault } from './faults.ts';
import { BEACON_BLOCKS_AFTER, BLOCKS_AFTER } from './liveness-bound.ts';
import { chainName } from './timeline/story.ts';
import type { Watch } from './watch.ts';
import type { World } from './world.ts';

/** Where the chains were when a fault was over. */
export interface Healed {
  readonly heights: ReadonlyMap<ChainId, Height>;
  readonly view: number;
}

/** Whether a node has gone on from there. */
function hasGoneOn(node: Node, { heights, view }: Healed): boolean {
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

/** The moments, from the start, at which a fault ends and no other strikes for `boundMs`: what came before must be over by then. */
export function quietMoments(faults: readonly Fault[], boundMs: number): readonly number[] {
  const ends = [...new Set(faults.map(({ fromMs, forMs }) => fromMs + forMs))].sort((a, b) => a - b);
  const lastMs = ends.at(-1);
  return ends.filter(
    (endMs) => endMs !== lastMs && !faults.some(({ fromMs, forMs }) => fromMs < endMs + boundMs && fromMs + forMs > endMs),
  );
}

/** What recovering is judged with. */
export interface RecoveryDependencies {
  readonly world: World;
  readonly watch: Watch;
  readonly isHonest: (index: number) => boolean;
  readonly boundMs: number;
  /** A chain stands still where it may: asked when one does. */
  readonly isExcused: () => boolean;
}

/** See the file's head. */
export class Recovery {
  readonly #dependencies: RecoveryDependencies;

  constructor(dependencies: RecoveryDependencies) {
    this.#dependencies = dependencies;
  }

  /** Where the chains are now that faults are over. */
  healed(): Healed {
    const { watch } = this.#dependencies;
    return { heights: new Map(watch.heights), view: watch.viewHeight };
  }

  /** Whether every honest node runs and has gone on, and all that was under way has arrived. */
  isBack(healed: Healed): boolean {
    const { world, watch, isHonest } = this.#dependencies;
    return (
      world.nodes.every((node, index) => !isHonest(index) || (world.isUp(index) && hasGoneOn(node, healed))) &&
      (watch.oldestUnderWay ?? Number.POSITIVE_INFINITY) > healed.view
    );
  }

  /** The bound is over: what is not back by now is a violation, unless it is excused. */
  demand(healed: Healed): void {
    const { world, watch, boundMs, isExcused } = this.#dependencies;
    if (watch.violation !== undefined || this.isBack(healed) || isExcused()) return;
    watch.report('liveness', undefined, `within ${boundMs} ms ${describeStall(world, healed, watch.oldestUnderWay)}`);
  }

  /** Demands it after each of these moments, from the start of the world, too. */
  demandAfter(momentsMs: readonly number[], startMs: number): void {
    const { world, boundMs } = this.#dependencies;
    for (const momentMs of momentsMs)
      world.clock.schedule(startMs + momentMs - world.clock.exactMs, () => {
        const healed = this.healed();
        world.clock.schedule(boundMs, () => this.demand(healed));
      });
  }
}

/** What has not; `oldestUnderWay` is the view block whose executions sent the oldest message between shards. */
function describeStall(world: World, { heights, view }: Healed, oldestUnderWay: number | undefined): string {
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
