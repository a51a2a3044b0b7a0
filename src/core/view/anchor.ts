// What a view block takes of the beacon block that it stands for: a beacon block makes executions final, in an order, and says where all state is then
// (protocol, section 7). Written with the beacon block, and read when the executions are here.
import { ContainerType, ListCompositeType, type ValueOf } from '@chainsafe/ssz';
import { type AnchoredExecutions, stateHeightOf } from '../beacon/anchoring.ts';
import type { BeaconState } from '../beacon/state.ts';
import { worldRootOf } from '../beacon/world-root.ts';
import { invariant } from '../primitives/errors.ts';
import type { Bytes32, Wei } from '../primitives/ids.ts';
import { CROSSLINKS_PER_BODY_MAX, SHARDS_MAX } from '../protocol/limits.ts';
import { Bytes32Type, decodeCanonical, Uint64, Uint256 } from '../protocol/ssz.ts';

/** Stakes are counted in Gwei. */
export const WEI_PER_GWEI = 10n ** 9n;

/** How far the executions of a shard are final. */
export const ShardHeight = new ContainerType({ shard: Uint64, height: Uint64 }, { typeName: 'ShardHeight', jsonCase: 'eth2' });
export type ShardHeight = ValueOf<typeof ShardHeight>;

/** The states of a view block's world, left to right. */
export const ShardHeights = new ListCompositeType(ShardHeight, SHARDS_MAX);

/** Executions of a shard, from a height to a height. */
const ExecutionRange = new ContainerType(
  { shard: Uint64, fromHeight: Uint64, toHeight: Uint64, lastHash: Bytes32Type },
  { typeName: 'ExecutionRange', jsonCase: 'eth2' },
);

const StateOfShard = new ContainerType(
  { shard: Uint64, height: Uint64, stateRoot: Bytes32Type },
  { typeName: 'StateOfShard', jsonCase: 'eth2' },
);

const Anchor = new ContainerType(
  {
    /** Beacon height. */
    number: Uint64,
    /** Of the beacon block: shown as `parentBeaconBlockRoot`. */
    hash: Bytes32Type,
    timestampMs: Uint64,
    /** The beacon's seed: shown as `mixHash`. */
    prevRandao: Bytes32Type,
    /** The root of all state after the anchored executions: shown as `stateRoot`. */
    worldRoot: Bytes32Type,
    /** What a gas costs in the dearest shard. */
    baseFeePerGasWei: Uint256,
    /** In the order of the crosslinks. */
    executions: new ListCompositeType(ExecutionRange, CROSSLINKS_PER_BODY_MAX),
    /** For each shard the execution after which its state is that of the world root. */
    states: new ListCompositeType(StateOfShard, SHARDS_MAX),
    burnedWei: Uint256,
    accruedRewardsWei: Uint256,
    stakeWei: Uint256,
  },
  { typeName: 'ViewAnchor', jsonCase: 'eth2' },
);

/** See the file's head. */
export type Anchor = Readonly<ValueOf<typeof Anchor>>;

/** Of the beacon block after which `state` is the state. `genesisStakeWei` is what was staked at first: what is gone of it was slashed. */
export function anchorOf(
  { hash, seed }: { readonly hash: Bytes32; readonly seed: Bytes32 },
  state: BeaconState,
  executions: readonly AnchoredExecutions[],
  genesisStakeWei: Wei,
): Anchor {
  const stakeWei = stakeOf(state);
  return {
    number: state.height,
    hash,
    timestampMs: state.timestampMs,
    prevRandao: seed,
    worldRoot: worldRootOf(state),
    baseFeePerGasWei: highestOf(state.records.map(({ progress }) => progress.baseFeePerGasWei)),
    executions: [...executions],
    states: state.records.map((entry) => {
      const { record, progress } = entry;
      return { shard: record.shard, height: stateHeightOf(entry), stateRoot: progress.stateRoot };
    }),
    burnedWei: state.burnedFeesWei + genesisStakeWei - stakeWei,
    accruedRewardsWei: state.rewardsWei.reduce((sum, rewardWei) => sum + rewardWei, 0n),
    stakeWei,
  };
}

function highestOf(prices: readonly Wei[]): Wei {
  let highest = 0n;
  for (const price of prices) if (price > highest) highest = price;
  return highest;
}

/** All that is staked. */
function stakeOf({ validators }: Pick<BeaconState, 'validators'>): Wei {
  return validators.reduce((sum, { stakeGwei }) => sum + stakeGwei, 0n) * WEI_PER_GWEI;
}

/** The row's value. */
export function encodeAnchor(anchor: Anchor): Uint8Array {
  return Anchor.serialize(anchor);
}

/** Reads a row of our own. */
export function decodeAnchor(bytes: Uint8Array): Anchor {
  const decoded = decodeCanonical(Anchor, bytes);
  invariant(decoded.ok, 'a stored anchor decodes');
  return decoded.value;
}
