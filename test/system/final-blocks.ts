// What a node still has of the blocks that were final once: each is compared, and what is missing or different is counted, not assumed.
import { isDeepStrictEqual } from 'node:util';

/** A block as clients saw it when it was final. */
export interface FinalBlock {
  readonly hash: string;
  readonly stateRoot: string;
  readonly transactions: readonly string[];
}

/** A node that is asked; each gives undefined for what the node does not have. */
export interface FinalReader {
  block(number: number): Promise<FinalBlock | undefined>;
  receipt(hash: string): Promise<{ readonly blockHash: string; readonly status: string } | undefined>;
}

/** What came of it. */
export interface Comparison {
  readonly blocks: number;
  readonly transactions: number;
  readonly receipts: number;
  /** Blocks and receipts that are missing or different. */
  readonly lost: number;
  /** The first of them, in words. */
  readonly losses: readonly string[];
}

const LOSSES_MAX = 5;

/**
 * Compares every block of `seen` with what the node has, and the receipts of its newest transactions, `receiptsMax` at most. Whether a transaction succeeded or failed
 * is what `statuses` says of it, where it was read before; that is put there where not.
 */
export async function compareFinal(
  seen: ReadonlyMap<number, FinalBlock>,
  node: FinalReader,
  receiptsMax: number,
  statuses: Map<string, string> = new Map(),
): Promise<Comparison> {
  let [blocks, transactions, lost] = [0, 0, 0];
  const losses: string[] = [];
  const lose = (what: string): void => {
    lost++;
    if (losses.length < LOSSES_MAX) losses.push(what);
  };
  for (const [number, block] of seen) {
    const found = await node.block(number);
    blocks++;
    transactions += block.transactions.length;
    if (found === undefined) lose(`block ${number} is missing`);
    else if (!isDeepStrictEqual(found, block)) lose(`block ${number} was ${JSON.stringify(block)} and is ${JSON.stringify(found)}`);
  }
  const sent = [...seen.values()].flatMap((block) => block.transactions.map((hash) => ({ hash, block })));
  const newest = sent.slice(Math.max(0, sent.length - receiptsMax));
  for (const { hash, block } of newest) {
    const receipt = await node.receipt(hash);
    if (receipt === undefined) lose(`the receipt of ${hash} is missing`);
    else if (receipt.blockHash !== block.hash || receipt.status !== (statuses.get(hash) ?? receipt.status))
      lose(`the receipt of ${hash} is ${JSON.stringify(receipt)}, its status was ${statuses.get(hash)}`);
    else statuses.set(hash, receipt.status);
  }
  return { blocks, transactions, receipts: newest.length, lost, losses };
}
