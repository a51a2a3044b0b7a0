// Where all money is: the terms of conservation (protocol, section 1, property 4) after a view block. What was burned, what is owed to proposers and
// what is staked stands in the beacon's state; of what is under way between shards this keeps the sums, execution by execution, so that no question
// scans accounts or bundles. (Tests do scan them.)
import { ContainerType } from '@chainsafe/ssz';
import { invariant } from '../primitives/errors.ts';
import type { Wei } from '../primitives/ids.ts';
import type { Message } from '../protocol/message.ts';
import { decodeCanonical, Uint256 } from '../protocol/ssz.ts';

/** What one execution sent to other shards, and took of what others had sent. */
export interface SentSums {
  readonly sentValueWei: Wei;
  /** Travelling halves of priority fees. */
  readonly sentTipsWei: Wei;
  readonly takenValueWei: Wei;
  readonly takenTipsWei: Wei;
}

/** Of an execution without messages between shards. */
export const NOTHING_SENT: SentSums = { sentValueWei: 0n, sentTipsWei: 0n, takenValueWei: 0n, takenTipsWei: 0n };

/** What the beacon's state says. */
export interface BeaconSums {
  /** Base fees, what contracts held that were created and destroyed in one message, and slashed stake. */
  readonly burnedWei: Wei;
  /** Owed to proposers and not yet paid. */
  readonly accruedRewardsWei: Wei;
  readonly stakeWei: Wei;
}

/** Sums after a view block. */
export interface SupplyTotals extends BeaconSums {
  /** Value inside messages that are not delivered yet. */
  readonly undeliveredValueWei: Wei;
  /** Travelling halves of priority fees inside such messages. */
  readonly undeliveredPriorityFeesWei: Wei;
}

/** The terms: those of `genesisSupplyWei` and `issuedRewardsWei` sum to all others. */
export interface Supply extends SupplyTotals {
  /** Balances and stake of genesis. */
  readonly genesisSupplyWei: Wei;
  readonly issuedRewardsWei: Wei;
  /** What all accounts hold. */
  readonly balancesWei: Wei;
}

const Totals = new ContainerType(
  { burnedWei: Uint256, accruedRewardsWei: Uint256, stakeWei: Uint256, undeliveredValueWei: Uint256, undeliveredPriorityFeesWei: Uint256 },
  { typeName: 'SupplyTotals', jsonCase: 'eth2' },
);

/** The sums of one execution, from what it emitted to other shards and what came from them. */
export function sentSumsOf(sent: readonly Message[], taken: readonly Message[]): SentSums {
  if (sent.length === 0 && taken.length === 0) return NOTHING_SENT;
  return {
    sentValueWei: sumOf(sent, ({ valueWei }) => valueWei),
    sentTipsWei: sumOf(sent, ({ travellingTipWei }) => travellingTipWei),
    takenValueWei: sumOf(taken, ({ valueWei }) => valueWei),
    takenTipsWei: sumOf(taken, ({ travellingTipWei }) => travellingTipWei),
  };
}

/** At genesis, when all money is in accounts and stakes. */
export function genesisTotals(stakeWei: Wei): SupplyTotals {
  return { burnedWei: 0n, accruedRewardsWei: 0n, stakeWei, undeliveredValueWei: 0n, undeliveredPriorityFeesWei: 0n };
}

/** The sums with one more view block. */
export function supplyTotalsAfter(before: SupplyTotals, beacon: BeaconSums, executions: readonly SentSums[]): SupplyTotals {
  let { undeliveredValueWei, undeliveredPriorityFeesWei } = before;
  for (const { sentValueWei, sentTipsWei, takenValueWei, takenTipsWei } of executions) {
    undeliveredValueWei += sentValueWei - takenValueWei;
    undeliveredPriorityFeesWei += sentTipsWei - takenTipsWei;
  }
  // What is taken was anchored before.
  invariant(undeliveredValueWei >= 0n && undeliveredPriorityFeesWei >= 0n, 'no more arrives than was sent');
  return { ...beacon, undeliveredValueWei, undeliveredPriorityFeesWei };
}

/** Every term. Balances are what the others leave: tests hold that accounts sum to them. */
export function supplyOf(genesisSupplyWei: Wei, totals: SupplyTotals): Supply {
  const { burnedWei, accruedRewardsWei, stakeWei, undeliveredValueWei, undeliveredPriorityFeesWei } = totals;
  const elsewhereWei = burnedWei + accruedRewardsWei + stakeWei + undeliveredValueWei + undeliveredPriorityFeesWei;
  return { ...totals, genesisSupplyWei, issuedRewardsWei: 0n, balancesWei: genesisSupplyWei - elsewhereWei };
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

function sumOf(messages: readonly Message[], of: (message: Message) => Wei): Wei {
  return messages.reduce((sum, message) => sum + of(message), 0n);
}
