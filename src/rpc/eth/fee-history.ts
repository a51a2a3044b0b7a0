// eth_feeHistory: base fees, fill and tips of a run of blocks. The extra last base fee is what the next block's transactions will pay.
import { accept } from '../../core/primitives/verdict.ts';
import type { EthereumHeader } from '../../core/view/ethereum-header.ts';
import type { ViewBlock } from '../../core/view/view-block.ts';
import { numberOf, readBlockNumberOrTag } from '../block-selector.ts';
import { beyondHead, headerNotFound, invalidParams } from '../errors.ts';
import { type JsonValue, quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { expected, optional, type Read, readCount, readList, required } from '../parameter.ts';
import { ascending, tipOf } from '../tip-suggestion.ts';

const PERCENTILES_MAX = 100;

const readPercentile: Read<number> = (value) =>
  typeof value === 'number' && value >= 0 && value <= 100 ? accept(value) : expected('a percentile from 0 to 100', value);

/** See the file's head. */
export const feeHistory = defineMethod(
  'eth_feeHistory',
  [
    required('blockCount', readCount),
    required('newestBlock', readBlockNumberOrTag),
    optional('rewardPercentiles', readList(readPercentile, PERCENTILES_MAX), []),
  ],
  async ({ ports, limits, turns }, blockCount, newestBlock, percentiles) => {
    if (percentiles.some((percentile, index) => index > 0 && percentile < (percentiles[index - 1] as number)))
      return invalidParams('invalid argument 2 (rewardPercentiles): percentiles must ascend');
    const head = ports.view.head().header.number;
    const newest = newestBlock.kind === 'pending' ? head : await numberOf(newestBlock, ports);
    if (newest === undefined) return headerNotFound();
    if (newest > head) return beyondHead(newest, head);
    const blocksMax = percentiles.length > 0 ? limits.feeHistoryRewardBlocksMax : limits.feeHistoryBlocksMax;
    const oldest = Math.max(newest - Math.min(blockCount, blocksMax) + 1, ports.view.oldestNumber());
    if (oldest > newest) return { oldestBlock: '0x0', baseFeePerGas: [], gasUsedRatio: [] };
    const headers: EthereumHeader[] = [];
    const reward: JsonValue[] = [];
    for (let number = oldest; number <= newest; number++) {
      await turns.rest();
      const block = percentiles.length > 0 ? await ports.view.blockByNumber(number) : undefined;
      if (block !== undefined) reward.push(rewardsOf(block, percentiles));
      const header = block?.header ?? (await ports.view.headerByNumber(number))?.header;
      if (header === undefined) return headerNotFound();
      headers.push(header);
    }
    const next =
      newest === head ? ports.node.nextBaseFeePerGasWei() : (await ports.view.headerByNumber(newest + 1))?.header.baseFeePerGasWei;
    return {
      oldestBlock: quantity(oldest),
      baseFeePerGas: [...headers.map((header) => header.baseFeePerGasWei), next ?? 0n].map(quantity),
      gasUsedRatio: headers.map((header) => header.gasUsed / header.gasLimit),
      baseFeePerBlobGas: Array<string>(headers.length + 1).fill('0x0'),
      blobGasUsedRatio: Array<number>(headers.length).fill(0),
      ...(percentiles.length > 0 && { reward }),
    };
  },
);

// The tip at each percentile of the block's gas, cheapest first; zeros for a block without transactions.
function rewardsOf(block: ViewBlock, percentiles: readonly number[]): JsonValue {
  const paid = block.receipts
    .filter((receipt) => receipt.gasUsed > 0)
    .map((receipt) => ({ tipWei: tipOf(receipt.effectiveGasPriceWei, block), gasUsed: receipt.gasUsed }))
    .sort((a, b) => ascending(a.tipWei, b.tipWei));
  let index = 0;
  let gasSoFar = paid[0]?.gasUsed ?? 0;
  return percentiles.map((percentile) => {
    const wanted = (block.header.gasUsed * percentile) / 100;
    while (gasSoFar < wanted && index < paid.length - 1) gasSoFar += paid[++index]?.gasUsed ?? 0;
    return quantity(paid[index]?.tipWei ?? 0n);
  });
}
