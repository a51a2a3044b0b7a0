// Changed blocks of the beacon, made whole again: its header carries the root of the state after the block, so whoever says another one must
// know what state that leads to. A shard's block commits nothing of itself, and stays as it is.
import { beaconConstantsOf } from '../../core/beacon/constants.ts';
import { stateRootOf } from '../../core/beacon/state-root.ts';
import { applyBeaconBlock } from '../../core/beacon/transition.ts';
import { seedAfter } from '../../core/consensus/leader.ts';
import type { VrfScheme } from '../../core/crypto/vrf.ts';
import { bytesEqual } from '../../core/primitives/bytes.ts';
import { isError } from '../../core/primitives/errors.ts';
import type { Bytes32, Height } from '../../core/primitives/ids.ts';
import type { Genesis } from '../../core/protocol/genesis.ts';
import type { Proposal } from '../../core/protocol/vote.ts';
import { type BeaconChain, sameLayout } from '../../node/create-beacon.ts';
import type { Node } from '../../node/create-node.ts';

/** A block without its signature. */
export type UnsignedBlock = Pick<Proposal, 'header' | 'body'>;

/** Who changes it, with what. */
export interface Changing {
  readonly node: () => Node | undefined;
  readonly genesis: () => Genesis | undefined;
  readonly vrf: VrfScheme;
}

/** The block with the root of the state to which it leads; undefined where it leads to none, or its parent is not there any more. */
export async function withPostState(block: UnsignedBlock, changing: Changing): Promise<UnsignedBlock | undefined> {
  const [node, genesis] = [changing.node(), changing.genesis()];
  if (node === undefined || genesis === undefined) return undefined;
  const { instanceId } = block.header;
  if ([...node.shards.chains.values()].some(({ instance }) => bytesEqual(instance.instanceId, instanceId))) return block;
  const { chain } = node.beacon;
  return bytesEqual(instanceId, chain.instance.instanceId) ? ofBeacon(block, node, genesis, changing.vrf) : undefined;
}

async function ofBeacon({ header, body }: UnsignedBlock, node: Node, genesis: Genesis, vrf: VrfScheme): Promise<UnsignedBlock | undefined> {
  const parent = await outcomeOf(node.beacon.chain, header.parentHash);
  if (parent === undefined) return undefined;
  const { height, timestampMs } = header;
  const applied = applyBeaconBlock({
    constants: beaconConstantsOf(genesis),
    state: parent.state,
    block: { height, timestampMs, seed: seedAfter(parent.seed, vrf.output(header.vrfProof)) },
    body,
    beaconHashAt: (wanted) => (wanted === parent.facts.height ? parent.hash : hashAt(node, wanted)),
    nextLayout: sameLayout,
  });
  return applied.ok ? { header: { ...header, postStateRoot: stateRootOf(applied.value.state) }, body } : undefined;
}

async function outcomeOf({ blocks }: BeaconChain, hash: Bytes32): Promise<BeaconChain['blocks']['committed'] | undefined> {
  try {
    return await blocks.outcomeOf(hash);
  } catch (error) {
    if (isError(error, 'chain-blocks/not-held')) return undefined; // Committed past it meanwhile.
    throw error;
  }
}

// What shards refer to is committed.
function hashAt({ window }: Node, height: Height): Bytes32 | undefined {
  return window.viewAt(window.newest.height)?.hashAt(height);
}
