// The replay of single families: finds nothing where execution keeps families apart, and everything that was planted; and clients of the
// simulation give it more to replay than transfers.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createOwnLoopExecutor } from '../../src/core/execution/evm/own-loop-executor.ts';
import type { BlockResult } from '../../src/core/execution/executed-block.ts';
import type { ItemExecutor } from '../../src/core/execution/item-executor.ts';
import { concatBytes } from '../../src/core/primitives/bytes.ts';
import type { MessageResult } from '../../src/core/protocol/message.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { PLAIN_SHAPE } from '../../src/simulation/chain-shape.ts';
import { type ReplayedBlock, replayFamilies } from '../../src/simulation/checks/family-replay.ts';
import { CONTRACTS } from '../../src/simulation/contracts.ts';
import { runSchedule } from '../../src/simulation/schedule.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { addressOf, BASE_FEE_WEI, CONTEXT, ETHER, PARAMETERS, runBlock, transactionOf } from '../core/execution/block-setup.ts';
import { MemoryState } from '../core/execution/memory-state.ts';
import { prepareHashes } from './hashes.ts';

const [alice, bob, owner] = [addressOf('alice'), addressOf('bob'), addressOf('owner')];
const [counter, sender] = [addressOf('counter'), addressOf('sender')];
const executor = createOwnLoopExecutor(PARAMETERS.evmChainId);

function stateBefore(): MemoryState {
  const state = MemoryState.of([
    { address: alice, balanceWei: 10n * ETHER },
    { address: bob, balanceWei: 10n * ETHER },
    { address: counter, family: owner, code: CONTRACTS.counter, nonce: 1n },
    { address: sender, family: owner, code: CONTRACTS.sender, nonce: 1n },
  ]);
  return state;
}

async function executed(evm: ItemExecutor = executor): Promise<ReplayedBlock> {
  const word = concatBytes(new Uint8Array(12), bob);
  const transactions = [
    transactionOf({ sender: alice, to: counter, data: new Uint8Array(32), gasLimit: 200_000 }),
    transactionOf({ sender: bob, to: sender, data: word, valueWei: 5n, gasLimit: 200_000 }),
    transactionOf({ sender: alice, to: bob, valueWei: 7n, nonce: 1n }),
    transactionOf({ sender: bob, to: counter, data: new Uint8Array(32), gasLimit: 22_000, valueWei: 3n, nonce: 1n }),
  ];
  const parentState = stateBefore();
  const result = await runBlock(parentState, transactions, { evm });
  return {
    transactions,
    result,
    parentState,
    parentBaseFeePerGasWei: BASE_FEE_WEI,
    context: CONTEXT,
    gasLimitSeenByCode: PARAMETERS.transactionGasLimitMax,
  };
}

function withMessages(block: ReplayedBlock, change: (result: MessageResult) => MessageResult): ReplayedBlock {
  const result: BlockResult = { ...block.result, messages: block.result.messages.map(change) };
  return { ...block, result };
}

describe('families replayed alone', () => {
  before(() => prepareHashes());

  it('come to what their block made of them', async () => {
    const block = await executed();
    assert.ok(new Set(block.result.messages.map(({ outcome }) => outcome)).size >= 2);
    assert.deepEqual(await replayFamilies(block, executor), []);
  });

  it('show a result that is not theirs', async () => {
    const block = await executed();
    const planted: ((result: MessageResult) => MessageResult)[] = [
      (result) => ({ ...result, logs: [] }),
      (result) => ({ ...result, executionGasUsed: result.executionGasUsed + (result.wave === 2 ? 1 : 0) }),
      (result) => ({ ...result, emitted: [] }),
      (result) => ({ ...result, outcome: 'success' }),
    ];
    for (const [place, change] of planted.entries()) {
      const found = await replayFamilies(withMessages(block, change), executor);
      assert.ok(found.length > 0, `wrong ${place} is seen`);
    }
  });

  it('show a message that is not what was emitted, one that nobody emitted, and one that is missing', async () => {
    const block = await executed();
    const late = block.result.messages.findLast(({ wave }) => wave > 1)?.message;
    assert.ok(late !== undefined);
    const other = withMessages(block, (result) =>
      result.message === late ? { ...result, message: { ...late, gasPriceWei: late.gasPriceWei + 1n } } : result,
    );
    const more = { ...block, result: { ...block.result, outbox: [{ ...late, hop: late.hop + 1 }] } };
    const fewer = { ...block, result: { ...block.result, messages: block.result.messages.filter(({ message }) => message !== late) } };
    for (const [planted, expected] of [
      [other, /^message [0-9a-f]{64}\/\d+ is /],
      [more, /nobody emits it$/],
      [fewer, /is neither executed nor in the outbox$/],
    ] as const) {
      const found = await replayFamilies(planted, executor);
      assert.ok(
        found.some((line) => expected.test(line)),
        found.join('\n'),
      );
    }
  });

  it('show fees that are not what was bought', async () => {
    const block = await executed();
    const found = await replayFamilies(
      { ...block, result: { ...block.result, proposerFeesWei: block.result.proposerFeesWei + 1n } },
      executor,
    );
    assert.match(found.join(), /^\d+ wei are burned or the proposer's, alone \d+$/);
  });

  it('show a change to a family that none of its items made', async () => {
    const block = await executed();
    const [first, ...rest] = block.result.changeSet.accounts;
    assert.ok(first?.after !== undefined);
    const richer = { ...first, after: { ...first.after, balanceWei: first.after.balanceWei + 1n } };
    const changeSet = { ...block.result.changeSet, accounts: [richer, ...rest] };
    const found = await replayFamilies({ ...block, result: { ...block.result, changeSet } }, executor);
    assert.equal(found.length, 1);
    assert.match(found[0] ?? '', /^family [0-9a-f]{40}: changes /);
  });

  it('show code that looks at another family', async () => {
    const peeping: ItemExecutor = {
      name: 'peeping',
      isPrecompile: (address) => executor.isPrecompile(address),
      execute: (call) => {
        const { overlay } = call.state;
        overlay.account(overlay.family(alice), alice);
        return executor.execute(call);
      },
    };
    const found = await replayFamilies(await executed(peeping), peeping);
    assert.ok(
      found.some((line) => line.includes('reads of family')),
      found.join('\n'),
    );
  });

  it('are of more than transfers in a schedule', async () => {
    const kinds = new Map<string, number>();
    for (const [seed, layout] of [
      [1, PLAIN_SHAPE.layout],
      [2, PLAIN_SHAPE.layout],
      [3, PLAIN_SHAPE.layout],
      [4, [2, 3]],
    ] as const) {
      const crypto = standInCrypto();
      const preset = readPreset('devnet');
      const shape = { ...PLAIN_SHAPE, layout };
      const { items, violation } = await runSchedule({
        seed,
        nodes: 4,
        crypto,
        preset,
        faults: [],
        dishonest: [],
        shape,
        transactionsPerSecond: 40,
      });
      assert.equal(violation, undefined);
      for (const [item, count] of Object.entries(items)) kinds.set(item, (kinds.get(item) ?? 0) + count);
    }
    for (const item of [
      'main-call forwarded',
      'main-call revert',
      'main-call failure',
      'pointer success',
      'bounce success',
      'value-send success',
      'credit success',
      'call success',
      'call revert',
      'reply success',
    ])
      assert.ok((kinds.get(item) ?? 0) > 0, `${item}: ${JSON.stringify([...kinds])}`);
  });
});
