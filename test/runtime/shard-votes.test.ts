// What a node of a shard votes for, with its own window onto the beacon and its own bundles: not for a valid block whose leader leaves out what there
// was room for and the node has held for eight beacon blocks, nor for one that refers too far back.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { genesisBeaconState } from '../../src/core/beacon/genesis-state.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { createOwnLoopExecutor } from '../../src/core/execution/evm/own-loop-executor.ts';
import type { DecodedBlock } from '../../src/core/execution/executed-block.ts';
import type { HeldBundle } from '../../src/core/messaging/held-bundle.ts';
import type { AnchoredOutbox } from '../../src/core/messaging/lane-view.ts';
import { HELD_BEACON_BLOCKS } from '../../src/core/messaging/skipped-item.ts';
import { bytesToHex, uint64ToBytes } from '../../src/core/primitives/bytes.ts';
import { type BlockHeader, blockHashOf } from '../../src/core/protocol/block.ts';
import { makeShardInstance } from '../../src/core/shard/beacon-view.ts';
import { buildShardBlock } from '../../src/core/shard/build-shard-block.ts';
import { REFERENCE_AGE_MAX } from '../../src/core/shard/voting-rules.ts';
import { createStateDatabase } from '../../src/core/state/state-database.ts';
import { instancesOfGenesis } from '../../src/node/genesis-instances.ts';
import { writeGenesisShards } from '../../src/node/genesis-shards.ts';
import type { ExecutedBeaconOutcome } from '../../src/runtime/beacon-logic.ts';
import { BeaconWindow } from '../../src/runtime/beacon-window.ts';
import { createShardBlockLogic, shardStartOutcome } from '../../src/runtime/shard-block-logic.ts';
import { createBeaconStore } from '../../src/storage/beacon-store.ts';
import { createMemoryStore } from '../../src/storage/memory-store.ts';
import { sourceOf } from '../core/messaging/anchored-lanes.ts';
import { familiesIn, messageTo } from '../core/messaging/messages.ts';
import { createSignedChain, START_MS } from './signed-chain.ts';

const [OURS, THEIRS] = [2, 3] as const;
const ANCHORED_AT = 4;
const NEWEST = 20;
const [family] = familiesIn(OURS, 1) as [Uint8Array];
const SENT = sourceOf(THEIRS, 2, [{ height: 1, layout: [OURS, THEIRS], messages: [messageTo(family, 1)], anchoredAt: ANCHORED_AT }]);

interface Voter {
  /** The first block of the shard, by a leader that holds so much. */
  block(held: ReadonlyMap<string, HeldBundle>): DecodedBlock;
  /** Whether the node, which has held its bundles since a beacon block, votes for it. */
  votes(block: DecodedBlock, heldSince: number | undefined): Promise<boolean>;
  /** The beacon goes on, and anchors nothing. */
  go(height: number): void;
}

async function newVoter(): Promise<Voter> {
  const { genesis: one, directory } = await createSignedChain();
  const genesis = { ...one, layout: [OURS, THEIRS] };
  const { parameters } = genesis;
  const store = createMemoryStore();
  const beaconStore = createBeaconStore(store);
  const roots = await writeGenesisShards(genesis, store);
  const first = genesisBeaconState(genesis, (shard) => roots.get(shard) as Uint8Array);
  const window = await BeaconWindow.open({ parameters, beaconStore }, first);
  for (let height = 0; height <= NEWEST + REFERENCE_AGE_MAX + 1; height++) {
    const point = { hash: sha256(uint64ToBytes(height)), timestampMs: START_MS + height, seed: sha256(uint64ToBytes(height)) };
    await store.write(beaconStore.putPoint(height, point), { sync: false });
  }
  const sources = first.sources.map((source) => (source.shard === THEIRS ? { ...source, anchoredHeight: 2, lastBundleHeight: 1 } : source));
  const go = (height: number, outboxes: readonly AnchoredOutbox[] = []): void => {
    const anchoredOutboxes = outboxes.map(({ anchor, ...outbox }) => ({ source: THEIRS, ...anchor, ...outbox }));
    // Of what a beacon block came to the window takes the state and what was anchored.
    window.extend({ state: { ...first, height, sources }, applied: { anchoredOutboxes } } as unknown as ExecutedBeaconOutcome);
  };
  go(NEWEST, SENT.source.outboxes);
  const record = (await instancesOfGenesis(genesis)).map(({ startRecord }) => startRecord).find(({ shard }) => shard === OURS);
  assert.ok(record !== undefined);
  const instance = makeShardInstance(record, new Set(genesis.layout), []);
  const states = createStateDatabase(store, OURS);
  const start = shardStartOutcome(instance, states.committed());
  const evm = createOwnLoopExecutor(parameters.evmChainId);
  let heldSince: number | undefined;
  const held = () => new Map([...SENT.held].flatMap(([name, bundle]) => (heldSince === undefined ? [] : [[name, { bundle, heldSince }]])));
  const logic = createShardBlockLogic({ instance, parameters, states, directory, evm, window, held, pause: undefined });
  return {
    go,
    block: (leaderHolds) => {
      const view = window.viewAt(NEWEST);
      assert.ok(view !== undefined);
      const context = { instance, parent: start.asParent, parentExecution: start.commitment, parentState: start.version, view, parameters };
      const content = { held: leaderHolds, transactions: [], pointerProofOf: () => undefined, nowMs: START_MS + 1_000 };
      const { transactions, body, ...fields } = buildShardBlock({ ...context, ...content });
      const place = { instanceId: instance.recordRoot, height: 1, round: 1, parentHash: start.hash, justify: [], timeoutCertificate: [] };
      const header: BlockHeader = { ...fields, ...place, proposer: 0, vrfProof: new Uint8Array(80) };
      const hash = blockHashOf(header);
      return { hash, hashHex: bytesToHex(hash), header, body, transactions };
    },
    votes: async (block, since) => {
      heldSince = since;
      const verdict = await logic.validate({ block, parent: start, seed: start.seed, ancestorHash: () => undefined });
      assert.ok(verdict.ok, 'the rule is none of validity');
      return logic.mayVoteFor(block);
    },
  };
}

describe('a node of a shard', () => {
  before(() => initialiseKeccak());

  it('does not vote for a block that leaves out what it has held for eight beacon blocks', async () => {
    const voter = await newVoter();
    const lazy = voter.block(new Map());
    assert.equal(lazy.body.inbox.length, 0);
    assert.equal(await voter.votes(lazy, NEWEST - HELD_BEACON_BLOCKS), false);
    assert.equal(await voter.votes(lazy, NEWEST - HELD_BEACON_BLOCKS + 1), true, 'held for less, it is nobody’s fault');
    assert.equal(await voter.votes(lazy, undefined), true, 'nobody misses what it does not have');
  });

  it('votes for one that takes it', async () => {
    const voter = await newVoter();
    const diligent = voter.block(SENT.held);
    assert.equal(diligent.body.inbox.length, 1);
    assert.equal(await voter.votes(diligent, 0), true);
  });

  it('comes to miss it as the beacon goes on', async () => {
    const voter = await newVoter();
    const lazy = voter.block(new Map());
    assert.equal(await voter.votes(lazy, NEWEST - 1), true);
    voter.go(NEWEST + HELD_BEACON_BLOCKS - 1);
    assert.equal(await voter.votes(lazy, NEWEST - 1), false);
  });

  it('does not vote for a block that refers more than sixteen beacon blocks back', async () => {
    const voter = await newVoter();
    const block = voter.block(SENT.held);
    voter.go(NEWEST + REFERENCE_AGE_MAX);
    assert.equal(await voter.votes(block, 0), true);
    voter.go(NEWEST + REFERENCE_AGE_MAX + 1);
    assert.equal(await voter.votes(block, 0), false);
  });
});
