import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { REFERENCE_AGE_MAX } from '../../src/core/shard/voting-rules.ts';
import type { ExecutedBeaconOutcome } from '../../src/runtime/beacon-logic.ts';
import { ChainRunner } from '../../src/runtime/chain-runner.ts';
import { CommitWriter } from '../../src/runtime/commit-writer.ts';
import { decodeConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { PendingBlocks } from '../../src/runtime/pending-blocks.ts';
import type { CancelTimer } from '../../src/runtime/ports.ts';
import { certify, createSignedChain, type MadeBlock, pointOf, type SignedChain, START_MS } from './signed-chain.ts';

const MAILBOX_MAX = 8_192;
/** Of the event loop: far more than validating an empty block takes. */
const TURNS = 50;
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const UNCOUNTED = { count: () => undefined, gauge: () => undefined, observe: () => undefined };

interface Bench {
  readonly runner: ChainRunner;
  /** Kinds of what was broadcast. */
  readonly said: string[];
  readonly faults: unknown[];
  /** What happened, in order: signing records and words. */
  readonly order: string[];
  readonly timers: (() => void)[];
  /** Heights of the blocks that were asked for. */
  readonly asked: number[];
  /** A block of round 1 by its leader. */
  readonly first: MadeBlock;
}

/** A runner of one validator that does not lead, whose timers fire when the test says so. */
async function createBench(chain: SignedChain, write: () => Promise<void>): Promise<Bench> {
  const bench = { said: [] as string[], faults: [] as unknown[], order: [] as string[], timers: [] as (() => void)[] };
  const asked: number[] = [];
  const onFault = (fault: unknown): void => void bench.faults.push(fault);
  const pending = new PendingBlocks([]);
  const commits = new CommitWriter({
    ...chain.stores,
    instance: chain.instance,
    blocks: chain.blocks,
    rows: chain.rows(() => undefined),
    pending,
    onFault,
  });
  const first = await chain.extend(chain.start, { round: 1 });
  const self = (first.proposal.header.proposer + 1) % 4;
  const runner = new ChainRunner({
    start: {
      instance: chain.instance,
      parameters: chain.genesis.parameters,
      self,
      record: undefined,
      committed: undefined,
      closed: undefined,
      storedBlocks: [],
    },
    blocks: chain.blocks,
    commits,
    signer: chain.signers[self],
    payloads: undefined,
    signingRecord: {
      write: async () => {
        bench.order.push('record');
        await write();
        bench.order.push('recorded');
      },
    },
    store: chain.store,
    blockStore: chain.stores.blockStore,
    pending,
    clock: {
      nowMs: () => START_MS + 1_000,
      schedule: (_delayMs, callback): CancelTimer => {
        bench.timers.push(callback);
        return () => undefined;
      },
    },
    clockToleranceMs: 500,
    logger: SILENT,
    metrics: UNCOUNTED,
    aggregateTimeouts: () => assert.fail('one validator is no quorum'),
    broadcast: (message) => {
      const decoded = decodeConsensusMessage(message);
      assert.ok(decoded.ok);
      bench.said.push(decoded.value.kind);
      bench.order.push(decoded.value.kind);
    },
    sendTo: () => undefined,
    countOwnVote: () => undefined,
    blame: () => undefined,
    onFork: () => undefined,
    onRoundEntered: () => undefined,
    requestBlock: ({ height }) => void asked.push(height),
    onFault,
  });
  return { ...bench, runner, asked, first };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the runner of a chain', () => {
  before(() => initialiseKeccak());

  it('refuses what peers cause above the bound of its mailbox, and never its own timers', async () => {
    const { runner, said, timers, faults } = await createBench(await createSignedChain(), async () => undefined);
    runner.start();
    await settled();
    assert.equal(timers.length, 1, 'the timer of the round runs');
    let taken = 0;
    for (let count = 0; count < 10 * MAILBOX_MAX; count++) if (runner.post({ kind: 'old-message-seen', from: 'peer' })) taken++;
    assert.equal(taken, MAILBOX_MAX);
    assert.equal(runner.mailboxLength, MAILBOX_MAX);
    for (const fire of timers.slice()) fire();
    await settled();
    assert.equal(runner.mailboxLength, 0);
    assert.ok(said.includes('timeout'), 'the round is given up in spite of the flood');
    assert.deepEqual(faults, []);
    await runner.stop();
  });

  it('says nothing before its record is on disk', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { runner, order, timers } = await createBench(await createSignedChain(), () => held);
    runner.start();
    await settled();
    for (const fire of timers.slice()) fire();
    await settled();
    assert.deepEqual(order, ['record']);
    release();
    await settled();
    assert.deepEqual(order.slice(0, 3), ['record', 'recorded', 'timeout']);
    await runner.stop();
  });

  it('votes for a valid block, and not for one that a rule of its chain holds back', async () => {
    for (const [beaconHeight, votes] of [
      [0, 1],
      [REFERENCE_AGE_MAX, 1],
      [REFERENCE_AGE_MAX + 1, 0],
    ] as const) {
      const chain = await createSignedChain();
      const { runner, said, first, faults } = await createBench(chain, async () => undefined);
      runner.start();
      await settled();
      const state = { ...chain.beaconState, height: beaconHeight };
      chain.window.extend({ state, applied: { anchoredOutboxes: [] } } as unknown as ExecutedBeaconOutcome);
      runner.post({ kind: 'proposal-received', hash: first.hash, header: first.proposal.header });
      for (let turn = 0; turn < TURNS; turn++) await settled();
      assert.equal(said.filter((kind) => kind === 'vote').length, votes, `the beacon is at ${beaconHeight}, the block refers to 0`);
      assert.deepEqual(faults, []);
      await runner.stop();
    }
  });

  it('asks again for a block that was discarded just before the engine wanted it validated', async () => {
    const chain = await createSignedChain();
    const { runner, asked, faults, first } = await createBench(chain, async () => undefined);
    const { header } = first.proposal;
    runner.start();
    await settled();
    chain.blocks.discard([first.hash]);
    runner.post({ kind: 'block-fetched', hash: first.hash, header });
    runner.post({ kind: 'quorum-certificate-received', certificate: certify(chain, pointOf(first)) });
    await settled();
    assert.deepEqual(asked, [1]);
    assert.equal(runner.state.blocks.size, 0);
    assert.deepEqual(faults, []);
    await runner.stop();
  });

  it('stops for good when its record cannot be written, and says nothing', async () => {
    const { runner, said, timers, faults } = await createBench(await createSignedChain(), async () => {
      throw new Error('the disk is full');
    });
    runner.start();
    await settled();
    for (const fire of timers.slice()) fire();
    await settled();
    assert.match(String(faults[0]), /the disk is full/);
    assert.deepEqual(said, []);
    assert.equal(runner.post({ kind: 'old-message-seen', from: 'peer' }), false);
  });
});
