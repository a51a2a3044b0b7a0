// coppice_getSupply: each term of conservation after a block (protocol, section 1, property 4). genesisSupply and issuedRewards sum to
// the others, to the wei.
import { finalBlockOf, LATEST, readBlockSelector } from '../block-selector.ts';
import { headerNotFound, supplyUnavailable } from '../errors.ts';
import { data, quantity } from '../json.ts';
import { defineMethod } from '../method.ts';
import { optional } from '../parameter.ts';

/** See the file's head. */
export const getSupply = defineMethod('coppice_getSupply', [optional('block', readBlockSelector, LATEST)], async ({ ports }, selector) => {
  const block = await finalBlockOf(selector, ports);
  if (block === undefined) return headerNotFound();
  const supply = await ports.view.supplyAt(block.header.number);
  if (supply === undefined) return supplyUnavailable(block.header.number);
  return {
    blockNumber: quantity(block.header.number),
    blockHash: data(block.hash),
    genesisSupply: quantity(supply.genesisSupplyWei),
    issuedRewards: quantity(supply.issuedRewardsWei),
    balances: quantity(supply.balancesWei),
    stake: quantity(supply.stakeWei),
    accruedRewards: quantity(supply.accruedRewardsWei),
    undeliveredValue: quantity(supply.undeliveredValueWei),
    undeliveredPriorityFees: quantity(supply.undeliveredPriorityFeesWei),
    burned: quantity(supply.burnedWei),
  };
});
