// Conservation: what all accounts hold, what is inside messages that are under way, what proposers are owed, what was burned and what is staked sum to
// the supply at genesis, to the wei, after every view block and in every block of a shard. Accounts and messages are scanned; no sum of the node's
// own is asked.
import type { BeaconState } from '../../core/beacon/state.ts';
import type { BlockResult } from '../../core/execution/executed-block.ts';
import { placementOfFamily } from '../../core/messaging/placement.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Address, ChainId, Hex, Wei } from '../../core/primitives/ids.ts';
import type { Genesis } from '../../core/protocol/genesis.ts';
import type { Message } from '../../core/protocol/message.ts';
import { isUnder, type Placement } from '../../core/protocol/shard-id.ts';
import type { ChangeSet } from '../../core/state/change-set.ts';
import type { StateVersion } from '../../core/state/state-version.ts';
import type { SupplyTotals } from '../../core/view/supply.ts';
import type { WorldState } from '../../core/view/world-state.ts';
import type { UnderWay } from './lanes.ts';

const WEI_PER_GWEI = 10n ** 9n;

interface Place {
  readonly family: Address;
  readonly address: Address;
  readonly placement: Placement;
}

/** What a version was found to hold, when so many accounts were known. */
interface Scanned {
  readonly places: number;
  readonly sumWei: Wei;
}

/** Every account that anybody had or touched. */
export class Accounts {
  readonly #places = new Map<Hex, Place>();
  /** A version is of one block and never changes: it is scanned again only for accounts that came since. */
  readonly #scanned = new WeakMap<StateVersion, Scanned>();

  constructor({ accounts }: Genesis) {
    for (const { address } of accounts) this.#touch({ family: address, address });
  }

  /** A block has changed these. */
  changed({ accounts }: ChangeSet): void {
    for (const change of accounts) this.#touch(change);
  }

  /** What they hold in a state of the world. */
  balancesIn({ versions }: WorldState): Wei {
    let sumWei = 0n;
    for (const [shard, version] of versions) sumWei += this.#balancesIn(shard, version);
    return sumWei;
  }

  #balancesIn(shard: ChainId, version: StateVersion): Wei {
    const known = this.#scanned.get(version);
    if (known?.places === this.#places.size) return known.sumWei;
    let sumWei = 0n;
    for (const { family, address, placement } of this.#places.values())
      if (isUnder(placement, shard)) sumWei += version.getAccount(family, address)?.balanceWei ?? 0n;
    this.#scanned.set(version, { places: this.#places.size, sumWei });
    return sumWei;
  }

  #touch({ family, address }: Pick<Place, 'family' | 'address'>): void {
    const name = bytesToHex(family) + bytesToHex(address);
    if (!this.#places.has(name)) this.#places.set(name, { family, address, placement: placementOfFamily(family) });
  }
}

/** All money of a network when it begins: of accounts, and staked. */
export function genesisSupplyWei({ accounts }: Genesis, genesisState: BeaconState): Wei {
  return accounts.reduce((sum, { balanceWei }) => sum + balanceWei, stakedWei(genesisState));
}

/** The terms beside balances, from the beacon's state and the messages under way. */
export function totalsOf(state: BeaconState, genesisStakeWei: Wei, { valueWei, tipsWei }: UnderWay): SupplyTotals {
  const stakeWei = stakedWei(state);
  return {
    burnedWei: state.burnedFeesWei + genesisStakeWei - stakeWei,
    accruedRewardsWei: state.rewardsWei.reduce((sum, wei) => sum + wei, 0n),
    stakeWei,
    undeliveredValueWei: valueWei,
    undeliveredPriorityFeesWei: tipsWei,
  };
}

/** All that is staked. */
export function stakedWei({ validators }: Pick<BeaconState, 'validators'>): Wei {
  return validators.reduce((sum, { stakeGwei }) => sum + stakeGwei * WEI_PER_GWEI, 0n);
}

/** How much more there is than at genesis: 0. */
export function excessWei(supplyWei: Wei, balancesWei: Wei, totals: SupplyTotals): Wei {
  return Object.values(totals).reduce((sum, wei) => sum + wei, balancesWei) - supplyWei;
}

/** How much more a block of a shard left than it found and took: 0. */
export function excessOfBlock(inbox: readonly Message[], { changeSet, burnedFeesWei, proposerFeesWei, outbox }: BlockResult): Wei {
  const gainedWei = changeSet.accounts.reduce((sum, { before, after }) => sum + (after?.balanceWei ?? 0n) - (before?.balanceWei ?? 0n), 0n);
  return gainedWei + burnedFeesWei + proposerFeesWei + insideOf(outbox) - insideOf(inbox);
}

function insideOf(messages: readonly Message[]): Wei {
  return messages.reduce((sum, { valueWei, travellingTipWei }) => sum + valueWei + travellingTipWei, 0n);
}
