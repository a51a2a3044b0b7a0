// What a committed shard block writes: its state and its view block, with the sums of fees after it.
//
// View block N is stored with block N and becomes visible when block N + 1, whose header commits N's execution, is on disk.
import { invariant } from '../core/primitives/errors.ts';
import type { NetworkParameters } from '../core/protocol/parameters.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import type { StateDatabase } from '../core/state/state-version.ts';
import { deriveViewBlock } from '../core/view/derive-block.ts';
import { decodeSupplyTotals, encodeSupplyTotals, supplyTotalsAfter } from '../core/view/supply.ts';
import type { ViewBlock } from '../core/view/view-block.ts';
import { encodeViewBlock } from '../core/view/view-block-codec.ts';
import type { ViewStore } from '../storage/view-store.ts';
import type { CommitRows } from './chain-logic.ts';
import type { ExecutedShardOutcome, ShardOutcome } from './shard-logic.ts';

/** What is told when a block is on disk. */
export interface CommittedBlock {
  readonly outcome: ExecutedShardOutcome;
  /** Stored, visible with the next block. */
  readonly viewBlock: ViewBlock;
}

/** What writing a shard's commits needs of its node. */
export interface ShardCommitsDependencies {
  readonly parameters: NetworkParameters;
  readonly states: StateDatabase;
  readonly viewStore: ViewStore;
  /** The newest committed block, or the start record. */
  readonly committed: ShardOutcome;
  /** Its view block. */
  readonly lastViewBlock: Pick<ViewBlock, 'hash' | 'header'>;
  readonly onCommitted: (committed: CommittedBlock) => void;
}

/** See the file's head. Blocks come in order, and each is written before the next is asked for. */
export class ShardCommits implements CommitRows<ExecutedShardOutcome> {
  readonly #dependencies: ShardCommitsDependencies;
  #lastViewBlock: Pick<ViewBlock, 'hash' | 'header'>;
  #parent: ShardOutcome;
  #writing: ViewBlock | undefined;

  constructor(dependencies: ShardCommitsDependencies) {
    this.#dependencies = dependencies;
    this.#lastViewBlock = dependencies.lastViewBlock;
    this.#parent = dependencies.committed;
  }

  rowsOf(outcome: ExecutedShardOutcome): readonly RowOperation[] {
    const { states, viewStore } = this.#dependencies;
    const viewBlock = this.#viewOf(outcome);
    this.#writing = viewBlock;
    return [
      ...states.commit(outcome.version),
      ...viewStore.putBlock(
        viewBlock.header.number,
        viewBlock.hash,
        encodeViewBlock(viewBlock),
        viewBlock.transactions.map(({ transaction }) => transaction.hash),
      ),
      ...this.#supplyOperations(outcome),
    ];
  }

  written(outcome: ExecutedShardOutcome): void {
    const viewBlock = this.#writing;
    invariant(viewBlock !== undefined, 'what is written was asked for');
    const { states, onCommitted } = this.#dependencies;
    states.adopted(outcome.version);
    this.#parent = outcome;
    this.#lastViewBlock = viewBlock;
    this.#writing = undefined;
    onCommitted({ outcome, viewBlock });
  }

  // A database begun by a version that kept no sums has none for later blocks either.
  #supplyOperations({ executed, facts: { height } }: ExecutedShardOutcome): readonly RowOperation[] {
    const { viewStore } = this.#dependencies;
    const before = viewStore.getSupplyTotals(height - 1);
    if (before === undefined) return [];
    return viewStore.putSupplyTotals(height, encodeSupplyTotals(supplyTotalsAfter(decodeSupplyTotals(before), executed.result)));
  }

  #viewOf({ executed, version, seed, facts }: ExecutedShardOutcome): ViewBlock {
    const { header, hash } = executed.block;
    return deriveViewBlock(
      {
        number: header.height,
        hash,
        timestampMs: facts.timestampMs,
        prevRandao: seed,
        worldRoot: version.root,
        baseFeePerGasWei: this.#parent.facts.baseFeePerGasWei,
      },
      this.#lastViewBlock,
      [executed],
      this.#dependencies.parameters,
    );
  }
}
