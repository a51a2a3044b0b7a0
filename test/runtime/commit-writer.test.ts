import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import type { Commit } from '../../src/core/consensus/effects.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { ecvrf } from '../../src/core/crypto/vrf.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { loadInstance } from '../../src/node/load-instance.ts';
import { CommitWriter } from '../../src/runtime/commit-writer.ts';
import { PendingBlocks } from '../../src/runtime/pending-blocks.ts';
import type { ExecutedShardBlockOutcome, ShardBlockOutcome } from '../../src/runtime/shard-block-logic.ts';
import { certify, createSignedChain, type MadeBlock, pointOf, type SignedChain } from './signed-chain.ts';

describe('the writer of commits', () => {
  let chain: SignedChain;
  let made: readonly MadeBlock[];
  let committed: ExecutedShardBlockOutcome[];
  let faults: unknown[];
  let writer: CommitWriter<ShardBlockOutcome, ExecutedShardBlockOutcome>;
  let pending: PendingBlocks;

  before(() => initialiseKeccak());

  beforeEach(async () => {
    chain = await createSignedChain();
    const first = await chain.extend(chain.start, { round: 1 });
    const second = await chain.extend(first.point, { round: 2, justify: certify(chain, pointOf(first)) });
    made = [first, second];
    committed = [];
    faults = [];
    pending = new PendingBlocks([]);
    writer = new CommitWriter({
      ...chain.stores,
      instance: chain.instance,
      blocks: chain.blocks,
      pending,
      rows: chain.rows((block) => committed.push(block)),
      onFault: (fault) => faults.push(fault),
    });
  });

  function commitOf(block: MadeBlock): Commit {
    return {
      kind: 'commit',
      hash: block.hash,
      header: block.proposal.header,
      quorumCertificate: certify(chain, pointOf(block)),
      commitCertificate: certify(chain, pointOf(block), 'commit-vote'),
      point: block.point,
      closed: undefined,
    };
  }

  const place = (height: number) => ({ chain: chain.instance.chain, instanceId: chain.instance.instanceId, height });

  it('writes blocks in their order, each with all that a restart needs', async () => {
    for (const block of made) writer.enqueue(commitOf(block));
    assert.equal(writer.waiting, 2);
    await writer.settled();
    assert.equal(writer.waiting, 0);
    assert.deepEqual(faults, []);
    assert.deepEqual(
      committed.map(({ hash }) => bytesToHex(hash)),
      made.map(({ hash }) => bytesToHex(hash)),
    );
    const found: unknown[] = [];
    const loaded = await loadInstance<ShardBlockOutcome>({ ...chain.stores, vrf: ecvrf }, chain.instance, {
      roleOf: () => 'ordinary',
      start: () => assert.fail('the instance has begun'),
      newest: ({ hash, record }) => {
        found.push(hash, record.commitment);
        return committed[1] as ExecutedShardBlockOutcome;
      },
    });
    assert.deepEqual(found, [made[1]?.hash, committed[1]?.commitment]);
    assert.deepEqual(loaded.engineStart.committed?.point, made[1]?.point);
    assert.equal(chain.states.committed().height, 2);
  });

  it('applies a block wholly or not at all: one batch, and nothing in memory before it', async () => {
    const rows = chain.store.rowCount;
    const root = bytesToHex(chain.states.committed().root);
    chain.store.failNextWrite();
    writer.enqueue(commitOf(made[0] as MadeBlock));
    await writer.settled();
    assert.match(String(faults[0]), /made to fail/);
    assert.equal(chain.store.rowCount, rows);
    assert.equal(bytesToHex(chain.states.committed().root), root);
    assert.equal(chain.blocks.committed.facts.height, 0);
    assert.equal(chain.stores.blockStore.getByHeight(place(1)), undefined);
    assert.deepEqual(committed, []);
  });

  it('commits nothing on a block that it could not write', async () => {
    chain.store.failNextWrite();
    for (const block of made) writer.enqueue(commitOf(block));
    await writer.settled();
    assert.equal(faults.length, 2);
    assert.match(String(faults[1]), /in order/);
    assert.equal(chain.blocks.committed.facts.height, 0);
  });

  it('forgets blocks that were stored for voting up to the height that is final, whatever became of them', async () => {
    const [first] = made;
    assert.ok(first !== undefined);
    const { blockStore } = chain.stores;
    const rivals = [1, 2].map((height) => ({ height, hash: new Uint8Array(32).fill(height) }));
    for (const stored of [{ height: 1, hash: first.hash }, ...rivals]) {
      await chain.store.write(blockStore.putPending(place(stored.height), stored.hash, new Uint8Array(4)), { sync: true });
      pending.stored(stored);
    }
    writer.enqueue(commitOf(first));
    await writer.settled();
    const left = await blockStore.readPending(place(1).chain, place(1).instanceId);
    assert.deepEqual(
      left.map(({ height, hash }) => ({ height, hash })),
      [rivals[1]],
    );
  });

  it('forgets what an earlier commit left on disk, too', async () => {
    const left = { height: 1, hash: new Uint8Array(32).fill(7) };
    await chain.store.write(chain.stores.blockStore.putPending(place(1), left.hash, new Uint8Array(4)), { sync: true });
    pending.stored(left);
    for (const block of made) writer.enqueue(commitOf(block));
    await writer.settled();
    const loaded = await loadInstance<ShardBlockOutcome>({ ...chain.stores, vrf: ecvrf }, chain.instance, {
      roleOf: () => 'ordinary',
      start: () => assert.fail('the instance has begun'),
      newest: () => committed[1] as ExecutedShardBlockOutcome,
    });
    assert.deepEqual(loaded.pendingPlaces, []);
  });
});
