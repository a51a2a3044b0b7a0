// What messages owe each other: nothing is found in what execution makes of random blocks, and everything that was planted.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { createOwnLoopExecutor } from '../../src/core/execution/evm/own-loop-executor.ts';
import type { Message, MessageResult } from '../../src/core/protocol/message.ts';
import { brokenMessageRules } from '../../src/simulation/checks/message-rules.ts';
import { CONTRACTS } from '../../src/simulation/contracts.ts';
import { addressOf, ETHER, PARAMETERS, runBlock, transactionOf } from '../core/execution/block-setup.ts';
import { MemoryState } from '../core/execution/memory-state.ts';
import { randomBlock, talkativeBlock } from '../core/execution/random-blocks.ts';
import { prepareHashes } from './hashes.ts';

const [alice, bob, owner] = [addressOf('alice'), addressOf('bob'), addressOf('owner')];
const [asker, counter, refuser] = [addressOf('asker'), addressOf('counter'), addressOf('refuser')];
const executor = createOwnLoopExecutor(PARAMETERS.evmChainId);

function wordOf(address: Uint8Array): Uint8Array {
  return new Uint8Array([...new Uint8Array(12), ...address]);
}

/** A call that is answered and one that comes back. */
async function results(): Promise<readonly MessageResult[]> {
  const state = MemoryState.of([
    { address: alice, balanceWei: 10n * ETHER },
    { address: asker, family: owner, code: CONTRACTS.asker, nonce: 1n },
    { address: counter, family: bob, code: CONTRACTS.counter, nonce: 1n },
    { address: refuser, family: bob, code: CONTRACTS.refuser, nonce: 1n },
  ]);
  const body = [counter, refuser].map((to, nonce) =>
    transactionOf({ sender: alice, nonce: BigInt(nonce), to: asker, data: wordOf(to), valueWei: 5n, gasLimit: 200_000 }),
  );
  const { messages } = await runBlock(state, body, { evm: executor });
  const ended = messages.filter(({ outcome }) => outcome !== 'forwarded').map(({ message, outcome }) => `${message.kind} ${outcome}`);
  assert.deepEqual(ended.slice(2), ['call success', 'call revert', 'reply success', 'bounce success']);
  return messages;
}

const withMessage =
  (kind: Message['kind'], change: (message: Message) => Partial<Message>) =>
  (all: readonly MessageResult[]): readonly MessageResult[] =>
    all.map((one) => (one.message.kind === kind ? { ...one, message: { ...one.message, ...change(one.message) } } : one));

const withResult =
  (kind: Message['kind'], change: Partial<MessageResult>) =>
  (all: readonly MessageResult[]): readonly MessageResult[] =>
    all.map((one) => (one.message.kind === kind && one.outcome !== 'forwarded' ? { ...one, ...change } : one));

const PLANTED: Readonly<Record<string, (all: readonly MessageResult[]) => readonly MessageResult[]>> = {
  'a bounce to another account': withMessage('bounce', () => ({ target: bob })),
  'a bounce to another family': withMessage('bounce', () => ({ targetFamily: bob })),
  'a bounce with too little value': withMessage('bounce', ({ valueWei }) => ({ valueWei: valueWei - 1n })),
  'a bounce without the gas of its hook': withMessage('bounce', () => ({ gasLimit: 0 })),
  'a bounce that did not credit': withResult('bounce', { outcome: 'revert' }),
  'a failure without a bounce': (all) => all.map((one) => (one.outcome === 'revert' ? { ...one, emitted: [] } : one)),
  'a success that bounces': (all) => all.map((one) => (one.outcome === 'revert' ? { ...one, outcome: 'success' as const } : one)),
  'a reply to a failure': withResult('call', { outcome: 'failure' }),
  'a reply that nobody wanted': withMessage('call', () => ({ replySelector: new Uint8Array(4) })),
  'a reply from somebody else': withMessage('reply', () => ({ sender: bob })),
  'a reply to another account': withMessage('reply', () => ({ target: bob })),
  'a reply with value': withMessage('reply', () => ({ valueWei: 1n })),
  'a reply with more gas than was reserved': withMessage('reply', ({ gasLimit }) => ({ gasLimit: gasLimit + 1 })),
  'a message that nobody paid for': withMessage('call', ({ gasLimit }) => ({ gasLimit: gasLimit + 200_000 })),
  'a reservation that nobody paid for': withMessage('call', () => ({ reservedGas: 1_000_000 })),
  'more gas used than there was': withResult('reply', { executionGasUsed: 45_001 }),
};

describe('what messages owe each other', () => {
  before(() => prepareHashes());

  it('is there in what execution makes of random blocks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(randomBlock, talkativeBlock), async ({ state, transactions }) => {
        assert.deepEqual(brokenMessageRules((await runBlock(state, transactions)).messages), []);
      }),
      { numRuns: 150 },
    );
  });

  it('shows whatever does not hold', async () => {
    const all = await results();
    assert.deepEqual(brokenMessageRules(all), []);
    for (const [what, plant] of Object.entries(PLANTED)) {
      const found = brokenMessageRules(plant(all));
      assert.ok(found.length > 0, what);
      assert.match(found[0]?.detail ?? '', /^(main-call|call|bounce|reply) [0-9a-f]{64}/);
    }
  });
});
