// Commits: when a CC covers a block, everything that the block changes is written in one synced batch: block and certificates, what a restart
// needs, and the rows of its kind of chain (state, view). A block is applied wholly or not at all (protocol, section 4), one after the other
// in order of heights, while consensus goes on.
import type { Commit } from '../core/consensus/effects.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import { Block, BlockCertificates } from '../core/protocol/certified-block.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { KeyValueStore } from '../storage/key-value-store.ts';
import type { ChainBlocks } from './chain-blocks.ts';
import type { CommitRows, Outcome } from './chain-logic.ts';
import { encodeCommittedRecord } from './committed-record.ts';
import { encodeInstanceEnd } from './instance-end.ts';
import type { PendingBlocks } from './pending-blocks.ts';

/** Commits that wait for execution or disk; consensus cannot run further ahead, since a child's vote waits for its parent's result. */
export const WAITING_COMMITS_MAX = 4096;

/** What committing needs of its node. */
export interface CommitWriterDependencies<Start extends Outcome, Executed extends Start> {
  readonly instance: Instance;
  readonly blocks: ChainBlocks<Start, Executed>;
  readonly rows: CommitRows<Executed>;
  readonly store: KeyValueStore;
  readonly blockStore: BlockStore;
  readonly pending: PendingBlocks;
  /** A commit that cannot be carried out: the chain must stop. */
  readonly onFault: (fault: unknown) => void;
}

/** See the file's head. */
export class CommitWriter<Start extends Outcome = Outcome, Executed extends Start = Start> {
  readonly #dependencies: CommitWriterDependencies<Start, Executed>;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(dependencies: CommitWriterDependencies<Start, Executed>) {
    this.#dependencies = dependencies;
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
    const { instance, blocks, rows, store, blockStore, pending } = this.#dependencies;
    const outcome = await blocks.executedOutcomeOf(commit.hash);
    invariant(
      bytesToHex(commit.header.parentHash) === bytesToHex(blocks.committed.hash),
      'blocks are committed in order, each on the one before',
    );
    const block = blocks.get(commit.hash);
    invariant(block !== undefined, 'a block is held until it is committed');
    const { header, body, hash } = block;
    const place = { chain: instance.chain, instanceId: instance.instanceId, height: header.height };
    const certificates = BlockCertificates.serialize({
      quorumCertificate: commit.quorumCertificate,
      commitCertificate: commit.commitCertificate === undefined ? [] : [commit.commitCertificate],
    });
    const operations = [
      ...blockStore.putCommitted({ place, hash, block: Block.serialize({ header, body }), certificates }),
      ...blockStore.putResult(place, encodeCommittedRecord({ commitment: outcome.commitment, point: commit.point })),
      ...(commit.closed === undefined ? [] : blockStore.putEnd(place.chain, place.instanceId, encodeInstanceEnd(commit.closed))),
      ...rows.rowsOf(outcome),
      ...pending.takeUpTo(place.height).map((other) => blockStore.dropPending({ ...place, height: other.height }, other.hash)),
    ];
    await store.write(operations, { sync: true });
    blocks.adopt(outcome);
    rows.written(outcome);
  }
}
