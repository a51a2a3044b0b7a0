// Pruning beside commits, on a memory disk and virtual time: what is kept, what is never touched, how much is done at once, and that it
// can be broken off anywhere.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { createStateDatabase } from '../../src/core/state/state-database.ts';
import type { StateDatabase, StateVersion } from '../../src/core/state/state-version.ts';
import { HistoryPruner, STATE_BLOCKS_MIN } from '../../src/runtime/history-pruner.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../src/storage/memory-store.ts';
import { addressOf, applyWrites, type ModelState, type ModelWrite } from '../core/state/model-state.ts';

/** Versions that may be there beside the window: those in grace, and those that wait until a pruning is worth it. */
const BESIDE_WINDOW_MAX = 64 + 16;
/** Enough to prune for some commits. */
const UNPRUNED_BLOCKS = 310;
const ACCOUNTS = 60;
const WRITES_PER_BLOCK = 24;
const BATCH_OPERATIONS_MAX = 512;
const BATCHES_PER_COMMIT_MAX = 24;

interface PrunerChoice {
  readonly stateBlocks?: number;
  readonly neededFrom?: () => number;
}

/** A state that goes on block by block, with a pruner that can be stopped and started. */
class PrunedState {
  readonly clock = new VirtualClock(0);
  readonly faults: unknown[] = [];
  readonly batches: { readonly operations: number; readonly sync: boolean }[] = [];
  readonly counted: number[] = [];
  store: MemoryStore;
  states: StateDatabase;
  /** The content after the block of a height. */
  readonly #models = new Map<number, ModelState>([[-1, new Map()]]);

  constructor(store: MemoryStore = createMemoryStore(), from?: PrunedState) {
    this.store = store;
    this.states = createStateDatabase(store, ROOT_SHARD);
    for (const [height, model] of from === undefined ? [] : from.#models) this.#models.set(height, model);
  }

  /** A copy as it is found after a crash that kept so many of the batches that were not synced. */
  afterCrash(keptBatches: number): PrunedState {
    return new PrunedState(this.store.afterPowerLoss(keptBatches), this);
  }

  startPruner(choice: PrunerChoice = {}): HistoryPruner {
    const { store, states, clock } = this;
    const silent = (): void => undefined;
    return new HistoryPruner({
      states,
      store: {
        ...store,
        write: (batch, options) => {
          this.batches.push({ operations: batch.length, sync: options.sync });
          return store.write(batch, options);
        },
      },
      clock,
      logger: { debug: silent, info: silent, warn: silent, error: silent },
      metrics: { count: (_name, _labels, by = 1) => this.counted.push(by), gauge: silent, observe: silent },
      stateBlocks: choice.stateBlocks ?? STATE_BLOCKS_MIN,
      neededFrom: choice.neededFrom ?? (() => states.committed().height - 1),
      chain: 1,
      onFault: (fault) => this.faults.push(fault),
    });
  }

  get height(): number {
    return this.states.committed().height;
  }

  async commit(): Promise<void> {
    const parent = this.states.committed();
    const height = parent.height + 1;
    const { state, changes } = applyWrites(this.#models.get(parent.height) as ModelState, writesOf(height), parent);
    const version = this.states.extend(parent, height, changes);
    await this.store.write(this.states.commit(version), { sync: true });
    this.states.adopted(version);
    this.#models.set(height, state);
  }

  /** Blocks, each with the time that pruning takes. */
  async commitMany(count: number, pruner: HistoryPruner): Promise<void> {
    for (let block = 0; block < count; block++) {
      await this.commit();
      pruner.onCommitted();
      await this.pass();
    }
  }

  /** A second passes. */
  async pass(): Promise<void> {
    await this.clock.run(this.clock.nowMs() + 1_000);
  }

  checkReads(height: number): void {
    const version = this.states.at(height) as StateVersion;
    assert.ok(version !== undefined, `the state at ${height} is kept`);
    const model = this.#models.get(height) as ModelState;
    for (let address = 1; address <= ACCOUNTS; address++) {
      const balanceWei = version.getAccount(addressOf(address), addressOf(address))?.balanceWei;
      assert.equal(balanceWei, model.get(`${address}/${address}`)?.balanceWei);
    }
  }
}

function writesOf(height: number): ModelWrite[] {
  return Array.from({ length: WRITES_PER_BLOCK }, (_unused, index) => {
    const number = 1 + ((height * 37 + index * 11) % ACCOUNTS);
    return {
      family: number,
      address: number,
      balanceWei: BigInt(1 + height),
      recreated: false,
      slots: index % 6 === 0 ? [{ slot: index, value: height + 1 }] : [],
    };
  });
}

/** All rows of old and new states, as one number that tells them apart. */
async function digestOf(store: MemoryStore): Promise<string> {
  const digest = createHash('sha256');
  for await (const { key, value } of store.iterate({ gte: Uint8Array.of(0x10), lt: Uint8Array.of(0x20), limit: 1e9 }))
    digest.update(`${key.length} `).update(key).update(`${value.length} `).update(value);
  return digest.digest('hex');
}

async function versionsOn(store: MemoryStore): Promise<number> {
  let count = 0;
  for await (const _row of store.iterate({ gte: Uint8Array.of(0x14), lt: Uint8Array.of(0x15), limit: 1e9 })) count++;
  return count;
}

describe('the pruner of old states', () => {
  let unpruned: PrunedState;

  before(async () => {
    await initialiseKeccak();
    unpruned = new PrunedState();
    for (let block = 0; block < UNPRUNED_BLOCKS; block++) await unpruned.commit();
  });

  it('keeps a window of versions, all readable, and forgets what is older', async () => {
    const chain = new PrunedState();
    const pruner = chain.startPruner();
    await chain.commitMany(STATE_BLOCKS_MIN + BESIDE_WINDOW_MAX, pruner);
    assert.equal(chain.batches.length, 0, 'nothing before the window is full');
    const rowsOfFullWindow = chain.store.rowCount;
    await chain.commitMany(60, pruner);
    assert.equal(pruner.servedFrom, chain.height - STATE_BLOCKS_MIN);
    assert.ok(chain.states.oldest() <= pruner.servedFrom && chain.states.oldest() > chain.height - STATE_BLOCKS_MIN - BESIDE_WINDOW_MAX);
    assert.ok((await versionsOn(chain.store)) <= STATE_BLOCKS_MIN + BESIDE_WINDOW_MAX);
    assert.ok(chain.store.rowCount <= 1.2 * rowsOfFullWindow, `${chain.store.rowCount} rows, ${rowsOfFullWindow} of a full window`);
    for (const height of [chain.states.oldest(), pruner.servedFrom, chain.height - 1, chain.height]) chain.checkReads(height);
    assert.equal(chain.states.at(chain.states.oldest() - 1), undefined);
    assert.ok(chain.counted.reduce((sum, by) => sum + by, 0) > 1_000);
    assert.deepEqual(chain.faults, []);
    await pruner.stop();
  });

  it('forgets nothing of an archive', async () => {
    const chain = unpruned.afterCrash(0);
    const pruner = chain.startPruner({ stateBlocks: Number.POSITIVE_INFINITY });
    await chain.commitMany(20, pruner);
    assert.equal(pruner.servedFrom, 0);
    assert.deepEqual([chain.batches.length, chain.states.oldest(), await versionsOn(chain.store)], [0, 0, UNPRUNED_BLOCKS + 20]);
    chain.checkReads(0);
    await pruner.stop();
  });

  it('keeps at least what the node itself reads, however short the window', async () => {
    const chain = unpruned.afterCrash(0);
    const pruner = chain.startPruner({ stateBlocks: 1 });
    await chain.commitMany(3, pruner);
    assert.ok(chain.states.oldest() > 0);
    assert.equal(pruner.servedFrom, chain.height - STATE_BLOCKS_MIN);
    chain.checkReads(pruner.servedFrom);
    await pruner.stop();
  });

  it('leaves what the chain may still go back to', async () => {
    const chain = unpruned.afterCrash(0);
    const pruner = chain.startPruner({ neededFrom: () => 30 });
    await chain.commitMany(3, pruner);
    assert.equal(chain.states.oldest(), 30);
    assert.equal(chain.states.at(29), undefined);
    await pruner.stop();
    const { version, operations } = await chain.states.rollbackTo(30);
    await chain.store.write(operations, { sync: true });
    chain.states.adopted(version);
    chain.checkReads(30);
  });

  it('does a bounded share for each commit, in small batches that wait for no disk', async () => {
    const chain = unpruned.afterCrash(0);
    const pruner = chain.startPruner();
    await chain.commitMany(1, pruner);
    assert.equal(chain.batches.length, BATCHES_PER_COMMIT_MAX);
    await chain.pass();
    assert.equal(chain.batches.length, BATCHES_PER_COMMIT_MAX, 'more only with the next commit');
    await chain.commitMany(3, pruner);
    assert.ok(chain.batches.length > BATCHES_PER_COMMIT_MAX);
    assert.ok(chain.batches.every(({ operations, sync }) => operations <= BATCH_OPERATIONS_MAX && !sync));
    assert.ok((await versionsOn(chain.store)) <= STATE_BLOCKS_MIN + BESIDE_WINDOW_MAX, 'in the end all is done');
    await pruner.stop();
  });

  it('lets everything else run between two batches', async () => {
    const chain = unpruned.afterCrash(0);
    const pruner = chain.startPruner();
    await chain.commit();
    pruner.onCommitted();
    await chain.clock.run(chain.clock.nowMs());
    assert.equal(chain.batches.length, 1);
    await chain.clock.run(chain.clock.nowMs() + 30);
    assert.ok(chain.batches.length > 1 && chain.batches.length <= 4, `${chain.batches.length} batches in 30 ms`);
    const written = chain.batches.length;
    await pruner.stop();
    await chain.pass();
    assert.equal(chain.batches.length, written, 'none after the stop');
  });

  it('goes on where it was broken off, whatever a crash leaves of its batches', async () => {
    const whole = unpruned.afterCrash(0);
    for (let block = 0; block < 21; block++) await whole.commit();
    for (const [stoppedAfter, kept] of [
      [1, 0],
      [9, 7],
    ] as const) {
      const first = unpruned.afterCrash(0);
      const broken = first.startPruner();
      await first.commit();
      broken.onCommitted();
      while (first.batches.length < stoppedAfter) await first.clock.run(first.clock.nowMs() + 1);
      await broken.stop();
      assert.equal(first.batches.length, stoppedAfter);
      const second = first.afterCrash(kept);
      second.checkReads(second.height);
      second.checkReads(second.height - STATE_BLOCKS_MIN);
      const pruner = second.startPruner();
      await second.commitMany(20, pruner);
      await pruner.stop();
      // The same blocks, pruned in one go to the same version.
      const expected = whole.afterCrash(0);
      for await (const batch of expected.states.prune(second.states.oldest())) await expected.store.write(batch, { sync: false });
      assert.equal(await digestOf(second.store), await digestOf(expected.store), `stopped after ${stoppedAfter}, ${kept} kept`);
    }
  });

  it('says so when the disk fails, once', async () => {
    const chain = unpruned.afterCrash(0);
    const pruner = chain.startPruner();
    await chain.commit();
    chain.store.failNextWrite();
    pruner.onCommitted();
    await chain.pass();
    assert.equal(chain.faults.length, 1);
    assert.match(String(chain.faults[0]), /made to fail/);
    await pruner.stop();
  });
});
