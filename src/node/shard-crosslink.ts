// The crosslink of a shard's instance that this node can make, from the blocks that it has committed (protocol, section 6).
import type { BeaconConstants } from '../core/beacon/constants.ts';
import { instanceOfRecord } from '../core/beacon/instance.ts';
import { type CommittedHeader, type InstanceEnd, makeCrosslink } from '../core/beacon/make-crosslink.ts';
import { crosslinkBytesMaxOf } from '../core/beacon/pack-body.ts';
import type { BeaconState, RecordEntry } from '../core/beacon/state.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import type { Bytes32, ChainId, Height } from '../core/primitives/ids.ts';
import { Block, BlockCertificates } from '../core/protocol/certified-block.ts';
import type { Crosslink } from '../core/protocol/crosslink.ts';
import type { OutboxSummary } from '../core/protocol/outbox.ts';
import { storedValue } from '../core/protocol/ssz.ts';
import { decodeInstanceEnd } from '../runtime/instance-end.ts';
import type { BlockStore } from '../storage/block-store.ts';

/** Where what goes into a crosslink is found. */
export interface CrosslinkSources {
  readonly blockStore: BlockStore;
  readonly constants: BeaconConstants;
  /** The summary of what a shard's block sent. */
  readonly outboxAt: (shard: ChainId, height: Height) => OutboxSummary;
}

/** See the file's head, of so many headers at most; undefined where there is nothing new of the record's instance. */
export async function makeShardCrosslink(
  { blockStore, constants, outboxAt }: CrosslinkSources,
  state: BeaconState,
  entry: RecordEntry,
  headersMax: number,
): Promise<Crosslink | undefined> {
  const { instanceId, chain } = instanceOfRecord(constants, state, entry.record);
  const from = { chain, instanceId, height: entry.progress.height + 1 };
  const stored = await blockStore.readRange(from, headersMax);
  // Of another branch than the anchored one there is nothing to say.
  const [first] = stored;
  if (first !== undefined && !bytesEqual(storedValue(Block, first.block).header.parentHash, entry.progress.hash)) return undefined;
  const committed = stored.map(({ block, certificates }): CommittedHeader => {
    const { quorumCertificate, commitCertificate } = storedValue(BlockCertificates, certificates);
    return { header: storedValue(Block, block).header, quorumCertificate, commitCertificate: commitCertificate[0] };
  });
  return makeCrosslink({
    entry,
    beaconHeight: state.height,
    committed,
    outboxAt: (height) => outboxAt(chain, height),
    end: endOfInstance(blockStore, instanceId),
    bytesMax: crosslinkBytesMaxOf(constants),
    childRoots: [],
  });
}

function endOfInstance(blockStore: BlockStore, instanceId: Bytes32): InstanceEnd | undefined {
  const stored = blockStore.getEnd(instanceId);
  if (stored === undefined) return undefined;
  const { carriers, proof } = decodeInstanceEnd(stored.end);
  return { closingHeight: proof.quorumCertificate.point.height, carriers, ...proof };
}
