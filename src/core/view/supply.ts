// Where all money is: the terms of conservation (protocol, section 1, property 4) after a block. Headers carry what each block burned and
// what it owes to its proposer; this keeps their sums from genesis on, so that no question scans accounts.
//
// Of the terms that need a beacon or a second shard, each has the one value that it can have until then: there is no stake, nothing is
// issued, and every message is executed in the block that emits it, so none is under way between two blocks.
import { ContainerType } from '@chainsafe/ssz';
import { invariant } from '../primitives/errors.ts';
import type { Wei } from '../primitives/ids.ts';
import type { ExecutionCommitment } from '../protocol/block.ts';
import { decodeCanonical, Uint256 } from '../protocol/ssz.ts';

/** Sums over all blocks since genesis. */
export interface SupplyTotals {
  /** Base fees, and what contracts held that were created and destroyed in one message. */
  readonly burnedWei: Wei;
  /** Priority fees, both halves: owed to proposers, paid out when there is a beacon. */
  readonly accruedRewardsWei: Wei;
}

/** The terms: those of `genesisSupplyWei` and `issuedRewardsWei` sum to all others. */
export interface Supply extends SupplyTotals {
  readonly genesisSupplyWei: Wei;
  readonly issuedRewardsWei: Wei;
  /** What all accounts hold. */
  readonly balancesWei: Wei;
  readonly stakeWei: Wei;
  /** Value inside messages that are not delivered yet. */
  readonly undeliveredValueWei: Wei;
  /** Travelling halves of priority fees inside such messages. */
  readonly undeliveredPriorityFeesWei: Wei;
}

const Totals = new ContainerType({ burnedWei: Uint256, accruedRewardsWei: Uint256 }, { typeName: 'SupplyTotals', jsonCase: 'eth2' });

/** At genesis. */
export const NO_SUPPLY_TOTALS: SupplyTotals = { burnedWei: 0n, accruedRewardsWei: 0n };

/** The sums with one more block, from what the header that commits its execution says. */
export function supplyTotalsAfter(
  before: SupplyTotals,
  { burnedFeesWei, proposerFeesWei }: Pick<ExecutionCommitment, 'burnedFeesWei' | 'proposerFeesWei'>,
): SupplyTotals {
  return { burnedWei: before.burnedWei + burnedFeesWei, accruedRewardsWei: before.accruedRewardsWei + proposerFeesWei };
}

/** Every term. Balances are what the others leave: tests hold that accounts sum to them. */
export function supplyOf(genesisSupplyWei: Wei, { burnedWei, accruedRewardsWei }: SupplyTotals): Supply {
  const nothingYet = { issuedRewardsWei: 0n, stakeWei: 0n, undeliveredValueWei: 0n, undeliveredPriorityFeesWei: 0n };
  return { ...nothingYet, genesisSupplyWei, balancesWei: genesisSupplyWei - burnedWei - accruedRewardsWei, burnedWei, accruedRewardsWei };
}

/** The row's value. */
export function encodeSupplyTotals(totals: SupplyTotals): Uint8Array {
  return Totals.serialize(totals);
}

/** Reads a row of our own. */
export function decodeSupplyTotals(bytes: Uint8Array): SupplyTotals {
  const decoded = decodeCanonical(Totals, bytes);
  invariant(decoded.ok, 'stored totals decode');
  return decoded.value;
}
