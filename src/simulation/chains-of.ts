// The chains that a node runs now: the beacon, then the shards. Each is an object of one instance, and gives way to that of the next at the turn of
// an epoch; what looks at nodes over time keeps account by chain, or by instance.
import { bytesEqual } from '../core/primitives/bytes.ts';
import type { Bytes32 } from '../core/primitives/ids.ts';
import type { Chain } from '../node/create-chain.ts';
import type { Node } from '../node/create-node.ts';

interface Known {
  readonly beacon: Chain;
  readonly chains: readonly Chain[];
}

// Asked for after every event, and new only at the turn of an epoch.
const known = new WeakMap<Node['shards']['chains'], Known>();

/** See the file's head. */
export function chainsOf({ beacon, shards }: Pick<Node, 'beacon' | 'shards'>): readonly Chain[] {
  const before = known.get(shards.chains);
  if (before?.beacon === beacon.chain) return before.chains;
  const chains = [beacon.chain, ...shards.chains.values()];
  known.set(shards.chains, { beacon: beacon.chain, chains });
  return chains;
}

/** The one that runs in this instance; undefined where it has ended, or has not begun. */
export function chainOf(node: Pick<Node, 'beacon' | 'shards'>, instanceId: Bytes32): Chain | undefined {
  return chainsOf(node).find(({ instance }) => bytesEqual(instance.instanceId, instanceId));
}
