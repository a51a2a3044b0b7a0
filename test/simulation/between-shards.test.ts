// What is checked of messages between shards: nothing is found where each is taken once and in its turn, and everything that was planted.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { createOwnLoopExecutor } from '../../src/core/execution/evm/own-loop-executor.ts';
import type { BlockResult } from '../../src/core/execution/executed-block.ts';
import { placementOfFamily } from '../../src/core/messaging/placement.ts';
import type { Message } from '../../src/core/protocol/message.ts';
import { isUnder } from '../../src/core/protocol/shard-id.ts';
import { Lanes } from '../../src/simulation/checks/lanes.ts';
import { excessOfBlock } from '../../src/simulation/checks/money.ts';
import type { Property } from '../../src/simulation/checks/violation.ts';
import { brokenWaves, type ExecutedWaves } from '../../src/simulation/checks/wave-order.ts';
import { addressOf, ETHER, PARAMETERS, runBlock, transactionOf } from '../core/execution/block-setup.ts';
import { MemoryState } from '../core/execution/memory-state.ts';
import { prepareHashes } from './hashes.ts';

const executor = createOwnLoopExecutor(PARAMETERS.evmChainId);
const isLeft = (family: Uint8Array): boolean => isUnder(placementOfFamily(family), 2);

/** Accounts of one half of the tree, by their names. */
function accountsIn(shard: 2 | 3): Uint8Array[] {
  const all = Array.from({ length: 40 }, (_unused, place) => addressOf(`account ${place}`));
  return all.filter((address) => isLeft(address) === (shard === 2));
}

interface Sent {
  readonly transactions: ReturnType<typeof transactionOf>[];
  readonly result: BlockResult;
}

/** A block of shard 2 in which one account sends coins to three of shard 3 and one of its own. */
async function sentByShard2(): Promise<Sent> {
  const [sender, own] = accountsIn(2) as [Uint8Array, Uint8Array];
  const targets = [...accountsIn(3).slice(0, 3), own];
  const state = MemoryState.of([{ address: sender, balanceWei: 10n * ETHER }]);
  const transactions = targets.map((to, nonce) => transactionOf({ sender, to, valueWei: 5n, nonce: BigInt(nonce), gasLimit: 23_000 }));
  const result = await runBlock(state, transactions, { evm: executor, isOwnFamily: isLeft, outboxRootOf: () => sha256() });
  return { transactions, result };
}

describe('lanes between shards', () => {
  before(() => prepareHashes());

  const found: Property[] = [];
  const lanesWith = async (): Promise<{ readonly lanes: Lanes; readonly sent: readonly Message[] }> => {
    found.length = 0;
    const { result } = await sentByShard2();
    const lanes = new Lanes([2, 3], (property) => found.push(property));
    lanes.anchored(2, 7, [], result.outbox);
    return { lanes, sent: result.outbox };
  };

  it('are in order where each message is taken once, in its turn, by the shard that it is for', async () => {
    const { lanes, sent } = await lanesWith();
    assert.equal(sent.length, 3);
    assert.deepEqual({ ...lanes.underWay(), tipsWei: 0n }, { valueWei: 15n, tipsWei: 0n, oldest: 7 });
    lanes.taken(3, 'block 1', 7, sent.slice(0, 2));
    assert.equal(lanes.underWay().valueWei, 15n, 'what is taken and not final is still under way');
    lanes.anchored(3, 8, sent.slice(0, 2), []);
    assert.equal(lanes.underWay().valueWei, 5n);
    lanes.taken(3, 'block 2', 9, sent.slice(2));
    lanes.anchored(3, 10, sent.slice(2), []);
    assert.deepEqual(lanes.underWay(), { valueWei: 0n, tipsWei: 0n, oldest: undefined });
    assert.deepEqual(found, []);
  });

  const planted: readonly (readonly [string, Property, (lanes: Lanes, sent: readonly Message[]) => void])[] = [
    ['out of its turn', 'exactly-once', (lanes, sent) => lanes.taken(3, 'block 1', 7, sent.slice(1))],
    ['twice', 'exactly-once', (lanes, sent) => lanes.taken(3, 'block 1', 7, [...sent.slice(0, 1), ...sent.slice(0, 1)])],
    ['by another shard', 'exactly-once', (lanes, sent) => lanes.taken(2, 'block 1', 7, sent.slice(0, 1))],
    ['before its reference knows of it', 'validity', (lanes, sent) => lanes.taken(3, 'block 1', 6, sent.slice(0, 1))],
    [
      'that nobody sent',
      'exactly-once',
      (lanes, sent) =>
        lanes.taken(
          3,
          'block 1',
          7,
          sent.map((message) => ({ ...message, hop: 9 })),
        ),
    ],
  ];
  for (const [what, property, plant] of planted)
    it(`show a message that is taken ${what}`, async () => {
      const { lanes, sent } = await lanesWith();
      plant(lanes, sent);
      assert.equal(found[0], property);
    });
});

describe('the waves of a block of one of two shards', () => {
  before(() => prepareHashes());

  const wavesOf = ({ transactions, result }: Sent): ExecutedWaves => ({ shard: 2, inbox: [], transactions, result });

  it('are what was emitted, and what left was for others; nothing is lost or made', async () => {
    const sent = await sentByShard2();
    assert.deepEqual(brokenWaves(wavesOf(sent)), []);
    assert.equal(excessOfBlock([], sent.result), 0n);
  });

  it('show what is lost, added, in another order, or at home elsewhere', async () => {
    const { transactions, result } = await sentByShard2();
    const [first, ...others] = result.outbox;
    assert.ok(first !== undefined);
    const wrong: readonly Pick<BlockResult, 'messages' | 'outbox'>[] = [
      { ...result, outbox: others },
      { ...result, outbox: [first, ...result.outbox] },
      { ...result, outbox: result.outbox.toReversed() },
      { ...result, messages: [] },
      { ...result, messages: [...result.messages, ...result.messages] },
    ];
    for (const [place, each] of wrong.entries())
      assert.ok(brokenWaves({ shard: 2, inbox: [], transactions, result: each }).length > 0, `wrong ${place}`);
    assert.ok(brokenWaves({ shard: 3, inbox: [], transactions, result }).length > 0, 'all is of the other shard');
    assert.ok(brokenWaves({ shard: 2, inbox: [first], transactions, result }).length > 0, 'the inbox was executed');
  });

  it('show a wei that was lost or made', async () => {
    const { result } = await sentByShard2();
    assert.equal(excessOfBlock([], { ...result, burnedFeesWei: result.burnedFeesWei + 1n }), 1n);
    assert.ok(excessOfBlock([], { ...result, outbox: result.outbox.slice(1) }) < 0n);
    assert.ok(excessOfBlock(result.outbox, result) < 0n);
  });
});
