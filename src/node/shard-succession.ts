// Which instance of a shard this node is to run: the newest one whose start it has. Instances follow each other in one of two ways (protocol, section 6). A
// closing block ends one: who has committed it is where the next record begins. Or the beacon takes one over, at its last crosslinked header: who has
// committed that has to undo its body, and all that it committed above, before it can begin.
import { type EpochLength, epochOfHeight } from '../core/beacon/epochs.ts';
import type { BeaconState, KnownInstance } from '../core/beacon/state.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, ChainId, Height } from '../core/primitives/ids.ts';
import { Block } from '../core/protocol/certified-block.ts';
import { StartRecord } from '../core/protocol/committee.ts';
import { storedValue } from '../core/protocol/ssz.ts';
import type { BlockStore } from '../storage/block-store.ts';

/** What a node has of a shard. */
export interface ShardPosition {
  readonly blockStore: BlockStore;
  /** Of the committed state. */
  readonly committed: { readonly height: Height; readonly root: Bytes32 };
  readonly parameters: EpochLength;
}

/** What comes next. */
export type Succession =
  | { readonly kind: 'run'; readonly known: KnownInstance; readonly successor: StartRecord | undefined }
  /** The beacon took the instance over, and made `successor` of what was left. */
  | { readonly kind: 'undo'; readonly known: KnownInstance; readonly successor: StartRecord };

/** See the file's head. `instances` are those of the shard that the beacon knows, by epoch; undefined where this node has the start of none. */
export function successionOf(position: ShardPosition, instances: readonly KnownInstance[]): Succession | undefined {
  let place = startingPlace(position, instances);
  for (let known = instances[place]; known !== undefined; known = instances[++place]) {
    const successor = instances[place + 1]?.record;
    if (successor === undefined) return { kind: 'run', known, successor };
    const end = endOf(position, known, successor);
    if (end === 'taken-over') return { kind: 'undo', known, successor };
    if (end === 'open') return { kind: 'run', known, successor };
  }
  return undefined;
}

/** The instances of a shard that the beacon knows, by epoch, ascending. */
export function instancesOf({ instances }: Pick<BeaconState, 'instances'>, shard: ChainId): readonly KnownInstance[] {
  return instances.filter(({ record }) => record.shard === shard).sort((a, b) => a.record.epoch - b.record.epoch);
}

/** The header at which a record goes on from the instance before: its last one. While the layout is fixed there is one such instance. */
export function lastHeaderOf({ closingHeaders, height }: StartRecord): { readonly hash: Bytes32; readonly height: Height } {
  const [hash] = closingHeaders;
  invariant(hash !== undefined && closingHeaders.length === 1, 'where the layout is fixed, one instance goes on from one');
  return { hash, height };
}

// The newest in which something is committed; before the first block, the one on whose start the state is. A state that came from others is of a later
// one, and of what came between there is nothing.
function startingPlace({ blockStore, committed }: ShardPosition, instances: readonly KnownInstance[]): number {
  const begun = instances.findLastIndex(({ instanceId, record }) => blockStore.getHead(record.shard, instanceId) !== undefined);
  const start = instances.findIndex(
    ({ record: { height, stateRoot } }, place) => place > begun && height === committed.height && bytesEqual(stateRoot, committed.root),
  );
  const record = instances[start]?.record;
  if (record === undefined) return begun < 0 ? instances.length : begun;
  const isOwn = begun >= 0 && blockStore.has(lastHeaderOf(record).hash);
  return isOwn ? begun : start;
}

// `over`: what is committed is where the next one starts. `open`: the node has not come so far, or is on another branch.
function endOf(
  { blockStore, parameters }: ShardPosition,
  { instanceId, record }: KnownInstance,
  successor: StartRecord,
): 'open' | 'over' | 'taken-over' {
  if (blockStore.getTakenOver(instanceId) !== undefined) return 'over';
  const { hash, height } = lastHeaderOf(successor);
  if (height === record.height) return bytesEqual(hash, StartRecord.hashTreeRoot(record)) ? 'taken-over' : 'open';
  const stored = blockStore.getByHeight({ chain: record.shard, instanceId, height });
  if (stored === undefined || !bytesEqual(stored.hash, hash)) return 'open';
  const { beaconReference } = storedValue(Block, stored.block).header;
  return epochOfHeight(beaconReference.height, parameters) > record.epoch ? 'over' : 'taken-over';
}
