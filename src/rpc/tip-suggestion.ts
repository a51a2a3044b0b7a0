// Which tip to propose to a wallet: the median of what the newest blocks' transactions paid, and never less than a tenth of the least
// base fee, so that a proposer has a reason to take the transaction.
import type { Wei } from '../core/primitives/ids.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import type { RpcPorts } from './ports.ts';

const BLOCKS_SAMPLED = 8;
const TRANSACTIONS_SAMPLED_PER_BLOCK = 32;
const LEAST_TIP_DIVISOR = 10n;

/** See the file's head. */
export async function suggestTipWei(ports: RpcPorts): Promise<Wei> {
  const tips: Wei[] = [];
  const head = ports.view.head().header.number;
  for (let number = head; number > head - BLOCKS_SAMPLED && number >= ports.view.oldestNumber(); number--) {
    const block = await ports.view.blockByNumber(number);
    if (block !== undefined) tips.push(...tipsOf(block).slice(0, TRANSACTIONS_SAMPLED_PER_BLOCK));
  }
  tips.sort(ascending);
  const median = tips[Math.floor(tips.length / 2)] ?? 0n;
  const least = ports.node.baseFeePerGasWeiMin / LEAST_TIP_DIVISOR;
  return median > least ? median : least;
}

/** What each account transaction of a block paid per gas above the block's base fee. */
export function tipsOf(block: ViewBlock): readonly Wei[] {
  const tips: Wei[] = [];
  block.receipts.forEach((receipt, index) => {
    if (block.transactions[index]?.kind === 'account') tips.push(tipOf(receipt.effectiveGasPriceWei, block));
  });
  return tips;
}

/** Above the base fee of the header; a transaction that paid less, at another shard's price, shows no tip. */
export function tipOf(effectiveGasPriceWei: Wei, block: ViewBlock): Wei {
  const tip = effectiveGasPriceWei - block.header.baseFeePerGasWei;
  return tip > 0n ? tip : 0n;
}

/** Order of amounts. */
export function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
