// Where an instance stands on disk: nothing yet, or its newest committed block with what running on from it takes, the blocks above it that were
// voted for, and its end, if it has ended.
import type { BlockRole } from '../core/consensus/block-role.ts';
import type { StoredBlock as EngineBlock, StartingPoint } from '../core/consensus/state.ts';
import type { VrfScheme } from '../core/crypto/vrf.ts';
import { compareBytes } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Bytes32, Height } from '../core/primitives/ids.ts';
import type { BlockHeader } from '../core/protocol/block.ts';
import { Block, BlockCertificates } from '../core/protocol/certified-block.ts';
import type { Instance } from '../core/protocol/committee.ts';
import { storedValue } from '../core/protocol/ssz.ts';
import type { Outcome } from '../runtime/chain-logic.ts';
import { type CommittedRecord, decodeCommittedRecord } from '../runtime/committed-record.ts';
import { decodeInstanceEnd } from '../runtime/instance-end.ts';
import type { PendingPlace } from '../runtime/pending-blocks.ts';
import type { BlockStore, PendingBlock } from '../storage/block-store.ts';

/** See the file's head. */
export interface LoadedInstance<Start extends Outcome = Outcome> {
  readonly instance: Instance;
  /** Of the newest committed block, or of the start record. */
  readonly committed: Start;
  readonly engineStart: Pick<StartingPoint, 'committed' | 'closed' | 'storedBlocks'>;
  /** Blocks that were voted for and are not committed, in the order of `engineStart.storedBlocks`. */
  readonly pending: readonly Block[];
  /** Of all such blocks that are on disk, also of those that a commit should have forgotten. */
  readonly pendingPlaces: readonly PendingPlace[];
}

/** The newest committed block of an instance, as it is stored. */
export interface NewestBlock {
  readonly hash: Bytes32;
  readonly block: Block;
  readonly record: CommittedRecord;
}

/** What a kind of chain says of its blocks. */
export interface InstanceReading<Start extends Outcome> {
  readonly roleOf: (header: BlockHeader) => BlockRole;
  /** The outcome of the start record. */
  readonly start: () => Start;
  /** The outcome of the newest committed block. */
  readonly newest: (newest: NewestBlock) => Start;
}

/** See the file's head. */
export async function loadInstance<Start extends Outcome>(
  { blockStore, vrf }: { readonly blockStore: BlockStore; readonly vrf: VrfScheme },
  instance: Instance,
  reading: InstanceReading<Start>,
): Promise<LoadedInstance<Start>> {
  const { chain, instanceId } = instance;
  const head = blockStore.getHead(chain, instanceId);
  const height = head?.height ?? instance.startRecord.height;
  const rows = await blockStore.readPending(chain, instanceId);
  const pendingPlaces = rows.map(({ height, hash }) => ({ height, hash }));
  const pending = readPending(rows, vrf, height, reading.roleOf);
  const storedBlocks = pending.map(({ engine }) => engine);
  const blocks = pending.map(({ block }) => block);
  if (head === undefined) {
    return {
      instance,
      committed: reading.start(),
      engineStart: { committed: undefined, closed: undefined, storedBlocks },
      pending: blocks,
      pendingPlaces,
    };
  }
  const place = { chain, instanceId, height };
  const stored = blockStore.getByHeight(place);
  const result = blockStore.getResult(place);
  invariant(stored !== undefined && result !== undefined, 'the newest committed block is stored with its result');
  const record = decodeCommittedRecord(result);
  const certificates = storedValue(BlockCertificates, stored.certificates);
  const [commitCertificate] = certificates.commitCertificate;
  const proof = commitCertificate === undefined ? undefined : { commitCertificate, quorumCertificate: certificates.quorumCertificate };
  const end = blockStore.getEnd(instanceId);
  return {
    instance,
    committed: reading.newest({ hash: stored.hash, block: storedValue(Block, stored.block), record }),
    engineStart: {
      committed: { point: record.point, proof },
      closed: end === undefined ? undefined : decodeInstanceEnd(end.end),
      storedBlocks,
    },
    pending: blocks,
    pendingPlaces,
  };
}

function readPending(
  rows: readonly PendingBlock[],
  vrf: VrfScheme,
  committedHeight: Height,
  roleOf: (header: BlockHeader) => BlockRole,
): readonly { readonly engine: EngineBlock; readonly block: Block }[] {
  return rows
    .filter(({ height }) => height > committedHeight)
    .map(({ hash, block: bytes }) => {
      const block = storedValue(Block, bytes);
      const { header } = block;
      return { engine: { hash, header, vrfOutput: vrf.output(header.vrfProof), role: roleOf(header) }, block };
    })
    .sort(({ engine: a }, { engine: b }) => byHeightAndRound(a.header, b.header) || compareBytes(a.hash, b.hash));
}

// Parents come first: a carrier is at the height of its parent, and of a later round.
function byHeightAndRound(a: BlockHeader, b: BlockHeader): number {
  return a.height - b.height || a.round - b.round;
}
