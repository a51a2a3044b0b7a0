// Carries out what a node undoes of a shard (shard-rollback.ts), and tells everybody who had it: the mempool gets its transactions back, bundles that
// were sent are sent no more, operators read why. A fork is an alarm: what the certificates of both branches prove is kept first.
import type { KnownInstance } from '../core/beacon/state.ts';
import { evidenceOfFork } from '../core/consensus/evidence/fork.ts';
import { CoppiceError } from '../core/primitives/errors.ts';
import type { ChainId, Epoch, Height } from '../core/primitives/ids.ts';
import { Block, BlockCertificates, type CertifiedBlock } from '../core/protocol/certified-block.ts';
import type { Instance, StartRecord } from '../core/protocol/committee.ts';
import { storedValue } from '../core/protocol/ssz.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import { decodeViewHeader } from '../core/view/view-header-codec.ts';
import type { BundleShelf } from '../runtime/bundle-shelf.ts';
import type { EvidenceKeeper } from '../runtime/evidence-keeper.ts';
import type { TransactionSource } from '../runtime/shard-payloads.ts';
import type { TransactionDirectory } from '../runtime/transaction-directory.ts';
import { BLOCK_RANGE_MAX } from '../storage/block-store.ts';
import type { AnchoredAbove } from './anchored-headers.ts';
import type { NodePorts } from './create-node.ts';
import type { NodeStores } from './node-stores.ts';
import { type Undone, undoLosingBranch, undoTakenOver } from './shard-rollback.ts';

declare module '../core/primitives/errors.ts' {
  interface ErrorFacts {
    /** What the beacon has anchored leaves this node's chain below what the node has shown to clients as final: no fork of a shard can do that. */
    'shards/final-history-contradicted': { shard: ChainId; epoch: Epoch; sharedHeight: Height; finalHeight: Height };
  }
}

/** What undoing needs of its node. */
export interface ShardUndoingDependencies extends NodePorts, NodeStores {
  readonly directory: TransactionDirectory;
  readonly shelf: BundleShelf;
  readonly statesOf: (shard: ChainId) => StateDatabase;
  /** The mempool of a shard's senders. */
  readonly poolOf: (shard: ChainId, undone: Undone) => Pick<TransactionSource, 'onVoid'>;
  /** Who else had it. */
  readonly onVoid: (shard: ChainId, undone: Undone) => void;
}

/** See the file's head. */
export class ShardUndoing {
  readonly #dependencies: ShardUndoingDependencies;

  constructor(dependencies: ShardUndoingDependencies) {
    this.#dependencies = dependencies;
  }

  /** The beacon has closed an instance, which does not run any more, without its committee. */
  async takeOver(known: KnownInstance, successor: StartRecord): Promise<void> {
    const { logger, metrics } = this.#dependencies;
    const { shard, epoch } = known.record;
    const undone = await undoTakenOver(this.#rollbackOf(shard), known, successor);
    this.#tell(shard, undone);
    logger.warn({ ...factsOf(shard, epoch, undone), nextEpoch: successor.epoch }, 'instance taken over by the beacon');
    metrics.count('coppice_shard_takeovers_total', { chain: String(shard) });
    metrics.count('coppice_shard_blocks_voided_total', { chain: String(shard), reason: 'takeover' }, undone.blocks);
  }

  /** What both branches prove of those who made them. To be kept before the losing one goes. */
  async keepEvidence(instance: Instance, anchored: AnchoredAbove, evidence: Pick<EvidenceKeeper, 'report'>): Promise<void> {
    const { chain, instanceId } = instance;
    const from = { chain, instanceId, height: anchored.sharedHeight + 1 };
    const ours = (await this.#dependencies.blockStore.readRange(from, BLOCK_RANGE_MAX)).map(
      ({ block, certificates }): CertifiedBlock => ({
        block: storedValue(Block, block),
        certificates: storedValue(BlockCertificates, certificates),
      }),
    );
    for (const found of evidenceOfFork(instance, ours, anchored.certified)) await evidence.report(found);
  }

  /** An instance, which does not run now, has forked, and the beacon has made the other branch final. */
  async leaveLosingBranch(known: KnownInstance, { sharedHeight }: AnchoredAbove): Promise<void> {
    const { logger, metrics } = this.#dependencies;
    const { shard, epoch } = known.record;
    const finalHeight = this.#finalHeightOf(shard);
    if (sharedHeight < finalHeight)
      throw new CoppiceError('shards/final-history-contradicted', { shard, epoch, sharedHeight, finalHeight });
    const undone = await undoLosingBranch(this.#rollbackOf(shard), known, sharedHeight);
    this.#tell(shard, undone);
    logger.error(
      factsOf(shard, epoch, undone),
      'shard has forked: more than a third of its committee is dishonest; left the losing branch',
    );
    metrics.count('coppice_shard_forks_total', { chain: String(shard) });
    metrics.count('coppice_shard_blocks_voided_total', { chain: String(shard), reason: 'fork' }, undone.blocks);
  }

  // The execution up to which clients were shown the shard.
  #finalHeightOf(shard: ChainId): Height {
    const { viewStore } = this.#dependencies;
    const number = viewStore.getHead();
    const header = number === undefined ? undefined : viewStore.getHeader(number);
    const heights = header === undefined ? [] : decodeViewHeader(header).heights;
    return heights.find((each) => each.shard === shard)?.height ?? 0;
  }

  #rollbackOf(shard: ChainId): Parameters<typeof undoTakenOver>[0] {
    return { ...this.#dependencies, states: this.#dependencies.statesOf(shard) };
  }

  #tell(shard: ChainId, undone: Undone): void {
    const { shelf, poolOf, onVoid } = this.#dependencies;
    shelf.forgetAbove(shard, undone.height);
    poolOf(shard, undone).onVoid(undone.transactions, undone.version, undone.baseFeePerGasWei);
    onVoid(shard, undone);
  }
}

function factsOf(shard: ChainId, epoch: Epoch, { height, blocks, transactions }: Undone): Readonly<Record<string, unknown>> {
  return { chain: shard, epoch, height, voidBlocks: blocks, transactionsWaitingAgain: transactions.length };
}
