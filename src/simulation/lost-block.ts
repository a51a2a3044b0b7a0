// A block that is gone for ever: it has a QC, which forbids to build beside it, and no honest node has it any more. That takes more data lost than a
// chain can bear: some of those who voted for it were put on old copies of their databases, and the others were dishonest. Where so many were, a chain
// that stands still at such a block breaks no promise.
import type { Certificate } from '../core/protocol/certificate.ts';
import { createBlockStore } from '../storage/block-store.ts';
import { chainsOf } from './chains-of.ts';
import type { World } from './world.ts';

type QuorumCertificate = Readonly<ReturnType<typeof Certificate.defaultValue>>;

/** What whoever looks for lost blocks knows of its schedule. */
export interface Losses {
  readonly isHonest: (index: number) => boolean;
  /** Honest nodes whose database was replaced by an older one, or by none. */
  readonly withoutData: ReadonlySet<number>;
  readonly dishonest: number;
  /** Validators of the smallest committee. */
  readonly nodes: number;
}

/** Whether some chain stands at a block that is gone, and so much was lost that it may. */
export function standsAtLostBlock(world: World, { isHonest, withoutData, dishonest, nodes }: Losses): boolean {
  const faultyMax = Math.floor((nodes - 1) / 3);
  if (withoutData.size + dishonest <= faultyMax) return false;
  const honest = world.nodes.flatMap((node, index) =>
    isHonest(index) && world.isUp(index) ? [{ node, rows: world.disks[index]?.rows }] : [],
  );
  const newest = new Map<string, QuorumCertificate>();
  for (const { node } of honest)
    for (const { instance, runner } of chainsOf(node)) {
      const [certificate] = runner.state.record.highestQuorumCertificate;
      const name = `${instance.chain}/${instance.epoch}`;
      if (certificate !== undefined && certificate.point.round > (newest.get(name)?.point.round ?? 0)) newest.set(name, certificate);
    }
  return [...newest.values()].some(
    ({ point: { blockHash } }) =>
      !honest.some(
        ({ node, rows }) =>
          chainsOf(node).some(({ blocks }) => blocks.get(blockHash) !== undefined) ||
          (rows !== undefined && createBlockStore(rows).getByHash(blockHash) !== undefined),
      ),
  );
}
