// An empty block on another parent than that of a block which is there, as valid as one: what a leader says who passes something over.
import { layoutOfEpoch, shardsOf } from '../../core/beacon/state.ts';
import { isCarrier } from '../../core/consensus/block-role.ts';
import { bytesEqual } from '../../core/primitives/bytes.ts';
import { isError } from '../../core/primitives/errors.ts';
import { type BlockHeader, bodyRootOf, EMPTY_BODY } from '../../core/protocol/block.ts';
import type { NetworkParameters } from '../../core/protocol/parameters.ts';
import { makeShardInstance, type ShardInstance } from '../../core/shard/beacon-view.ts';
import { buildShardBlock } from '../../core/shard/build-shard-block.ts';
import type { Node } from '../../node/create-node.ts';
import type { ShardChain } from '../../node/create-shards.ts';
import { type Changing, type UnsignedBlock, withPostState } from './post-state.ts';

/** What consensus says of the other block. */
export type Place = Pick<BlockHeader, 'height' | 'parentHash' | 'justify' | 'timeoutCertificate' | 'vrfProof'>;

/** The block at that place with the model's time and reference, and nothing in it; undefined where none can be made. */
export async function emptyBlockAt(place: Place, model: BlockHeader, changing: Changing): Promise<UnsignedBlock | undefined> {
  const [node, genesis] = [changing.node(), changing.genesis()];
  if (node === undefined || genesis === undefined || isCarrier(model)) return undefined;
  const header = { ...model, ...place };
  const shard = [...node.shards.chains.values()].find(({ instance }) => bytesEqual(instance.instanceId, model.instanceId));
  if (shard !== undefined) return ofShard(header, shard, node, genesis.parameters);
  return withPostState({ header: { ...header, bodyRoot: bodyRootOf(EMPTY_BODY, []) }, body: EMPTY_BODY }, changing);
}

async function ofShard(
  header: BlockHeader,
  chain: ShardChain,
  node: Node,
  parameters: NetworkParameters,
): Promise<UnsignedBlock | undefined> {
  const parent = await parentOf(chain, header);
  const view = node.window.viewAt(header.beaconReference.height);
  if (parent === undefined || view === undefined || parent.asParent.closes || view.height < parent.asParent.referenceHeight)
    return undefined;
  const {
    body,
    transactions: _none,
    ...fields
  } = buildShardBlock({
    instance: shardInstanceOf(chain, node),
    parent: parent.asParent,
    parentExecution: parent.commitment,
    parentState: parent.version,
    view,
    parameters,
    held: new Map(),
    transactions: [],
    pointerProofOf: () => undefined,
    nowMs: header.timestampMs,
  });
  return { header: { ...header, ...fields }, body };
}

/** What rules about blocks need of a shard's instance; the cursors of its record are in the outcome of its start. */
export function shardInstanceOf({ instance: { startRecord, epoch } }: ShardChain, { window }: Node): ShardInstance {
  const layout = layoutOfEpoch(window.newest, epoch);
  return makeShardInstance(startRecord, new Set(layout === undefined ? [startRecord.shard] : shardsOf(layout)), []);
}

async function parentOf({ blocks }: ShardChain, { parentHash }: BlockHeader): Promise<ShardChain['blocks']['committed'] | undefined> {
  try {
    return await blocks.outcomeOf(parentHash);
  } catch (error) {
    if (isError(error, 'chain-blocks/not-held')) return undefined; // Committed past it meanwhile.
    throw error;
  }
}
