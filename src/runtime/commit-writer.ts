// Commits: when a CC covers a block, everything that the block changes is written in one synced batch: block and certificates, state,
// view rows, and what a restart needs. A block is applied wholly or not at all (protocol, section 4), one after the other in order
// of heights, while consensus goes on.
//
// View block N is stored with block N and becomes visible when block N + 1, whose header commits N's execution, is on disk.
import type { Commit } from '../core/consensus/effects.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import { Block, BlockCertificates } from '../core/protocol/certified-block.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import { deriveViewBlock } from '../core/view/derive-block.ts';
import { decodeSupplyTotals, encodeSupplyTotals, supplyTotalsAfter } from '../core/view/supply.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import { encodeViewBlock } from '../core/view/view-block-codec.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import type { ViewStore } from '../storage/view-store.ts';
import type { ChainBlocks, ExecutedOutcome } from './chain-blocks.ts';
import { encodeCommittedRecord } from './committed-record.ts';

/** Commits that wait for execution or disk; consensus cannot run further ahead, since a child's vote waits for its parent's result. */
const WAITING_COMMITS_MAX = 4096;

/** What is told when a block is on disk. */
export interface CommittedBlock {
  readonly outcome: ExecutedOutcome;
  /** Stored, visible with the next block. */
  readonly viewBlock: ViewBlock;
}

/** What committing needs of its node. */
export interface CommitWriterDependencies {
  readonly instance: Instance;
  readonly parameters: NetworkParameters;
  readonly blocks: ChainBlocks;
  readonly states: StateDatabase;
  readonly store: KeyValueStore;
  readonly blockStore: BlockStore;
  readonly viewStore: ViewStore;
  /** The view block of the newest committed block. */
  readonly lastViewBlock: Pick<ViewBlock, 'hash' | 'header'>;
  readonly onCommitted: (committed: CommittedBlock) => void;
  /** A commit that cannot be carried out: the chain must stop. */
  readonly onFault: (fault: unknown) => void;
}

/** See the file's head. */
export class CommitWriter {
  readonly #dependencies: CommitWriterDependencies;
  #lastViewBlock: Pick<ViewBlock, 'hash' | 'header'>;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(dependencies: CommitWriterDependencies) {
    this.#dependencies = dependencies;
    this.#lastViewBlock = dependencies.lastViewBlock;
  }

  /** How many commits wait: a metric. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Queues the commit of one block; blocks come in order of heights. */
  enqueue(commit: Commit): void {
    invariant(this.#waiting < WAITING_COMMITS_MAX, 'consensus does not run ahead of execution');
    this.#waiting++;
    this.#last = this.#last
      .then(() => this.#write(commit))
      .catch(this.#dependencies.onFault)
      .finally(() => {
        this.#waiting--;
      });
  }

  /** Resolves when everything queued so far is on disk. */
  settled(): Promise<void> {
    return this.#last;
  }

  async #write(commit: Commit): Promise<void> {
    const { blocks, states, store, blockStore, viewStore, onCommitted } = this.#dependencies;
    const outcome = await blocks.executedOutcomeOf(commit.hash);
    invariant(
      bytesToHex(commit.header.parentHash) === bytesToHex(blocks.committed.hash),
      'blocks are committed in order, each on the one before',
    );
    const viewBlock = this.#viewOf(outcome);
    const place = { ...this.#chain(), height: commit.header.height };
    const { header, body, hash } = outcome.executed.block;
    const certificates = BlockCertificates.serialize({
      quorumCertificate: commit.quorumCertificate,
      commitCertificate: commit.commitCertificate === undefined ? [] : [commit.commitCertificate],
    });
    const operations = [
      ...blockStore.putCommitted({ place, hash, block: Block.serialize({ header, body }), certificates }),
      ...blockStore.putResult(place, encodeCommittedRecord({ commitment: outcome.commitment, point: commit.point })),
      ...states.commit(outcome.version),
      ...viewStore.putBlock(
        viewBlock.header.number,
        viewBlock.hash,
        encodeViewBlock(viewBlock),
        viewBlock.transactions.map(({ transaction }) => transaction.hash),
      ),
      ...this.#supplyOperations(outcome),
      ...(await blockStore.dropPending(place.chain, place.instanceId, place.height)),
    ];
    await store.write(operations, { sync: true });
    states.adopted(outcome.version);
    blocks.adopt(outcome);
    this.#lastViewBlock = viewBlock;
    onCommitted({ outcome, viewBlock });
  }

  // A database begun by a version that kept no sums has none for later blocks either.
  #supplyOperations({ executed, facts: { height } }: ExecutedOutcome): readonly RowOperation[] {
    const { viewStore } = this.#dependencies;
    const before = viewStore.getSupplyTotals(height - 1);
    if (before === undefined) return [];
    return viewStore.putSupplyTotals(height, encodeSupplyTotals(supplyTotalsAfter(decodeSupplyTotals(before), executed.result)));
  }

  #chain(): { readonly chain: number; readonly instanceId: Uint8Array } {
    const { chain, instanceId } = this.#dependencies.instance;
    return { chain, instanceId };
  }

  #viewOf({ executed, version, seed, facts }: ExecutedOutcome): ViewBlock {
    const { header, hash } = executed.block;
    const parent = this.#dependencies.blocks.committed;
    return deriveViewBlock(
      {
        number: header.height,
        hash,
        timestampMs: facts.timestampMs,
        prevRandao: seed,
        worldRoot: version.root,
        baseFeePerGasWei: parent.facts.baseFeePerGasWei,
      },
      this.#lastViewBlock,
      [executed],
      this.#dependencies.parameters,
    );
  }
}
