// What waited for each shard, as the shards' own headers say, in weight: the most of it.
import { readBlocks } from '../shards/stored-blocks.ts';

/** By shard. The devnet has stopped. */
export async function readBacklogs(dataDir: string): Promise<Readonly<Record<string, number>>> {
  const most = new Map<number, number>();
  await readBlocks(dataDir, ({ chain, block }) => {
    const { backlog } = block.header.parentExecution.load.whole;
    if (chain !== 0) most.set(chain, Math.max(most.get(chain) ?? 0, backlog));
  });
  return Object.fromEntries(most);
}
