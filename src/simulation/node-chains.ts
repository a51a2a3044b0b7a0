// The chains of a node, whichever they are: what acts in every chain alike, or asks something of all of them, looks at them here.
import { bytesEqual } from '../core/primitives/bytes.ts';
import type { Bytes32 } from '../core/primitives/ids.ts';
import type { Chain } from '../node/create-chain.ts';
import type { Node } from '../node/create-node.ts';

/** The beacon's chain and those of all shards, each in the instance that runs now. */
export function chainsOf({ beacon, shards }: Node): readonly Chain[] {
  return [beacon.chain, ...shards.chains.values()];
}

/** The chain that runs in this instance; undefined where it has ended, or has not begun. */
export function chainOf(node: Node, instanceId: Bytes32): Chain | undefined {
  return chainsOf(node).find(({ instance }) => bytesEqual(instance.instanceId, instanceId));
}
