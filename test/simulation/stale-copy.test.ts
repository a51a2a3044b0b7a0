// A validator that is started on an old copy of its database, with the signing record that it had: it must sign nothing that
// contradicts what it signed before, and catch up.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { blockHashOf } from '../../src/core/protocol/block.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import type { ConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { createWorld, type World, type WorldOptions } from '../../src/simulation/world.ts';
import { createMemoryStore, type MemoryStore } from '../../src/storage/memory-store.ts';
import { lying } from './liar.ts';

const START_MS = 1_700_000_000_000;
const RESTARTED = 2;

/** Everything that one validator ever signed: at most one block for each kind and round, or it is a crime. */
class SignedWords {
  readonly #words = new Map<string, string>();
  readonly conflicts: string[] = [];
  /** Rounds given up: nothing may be voted for in them afterwards. */
  #lastTimeoutRound = 0;
  count = 0;

  hear(message: ConsensusMessage): void {
    switch (message.kind) {
      case 'proposal':
        return this.#note('proposal', message.proposal.header.round, bytesToHex(blockHashOf(message.proposal.header)));
      case 'vote':
      case 'commit-vote': {
        const { round, blockHash } = message.vote.point;
        const isNew = !this.#words.has(`${message.kind} ${round}`);
        if (isNew && round <= this.#lastTimeoutRound) this.conflicts.push(`${message.kind} in round ${round}, given up`);
        return this.#note(message.kind, round, bytesToHex(blockHash));
      }
      case 'timeout':
        this.#lastTimeoutRound = Math.max(this.#lastTimeoutRound, message.timeout.round);
        return;
      case 'certificates':
        return;
    }
  }

  #note(kind: string, round: number, hashHex: string): void {
    const key = `${kind} ${round}`;
    const before = this.#words.get(key);
    if (before !== undefined && before !== hashHex) this.conflicts.push(`${key}: ${before} and ${hashHex}`);
    this.#words.set(key, hashHex);
    this.count++;
  }
}

function options(seed: number, words: SignedWords): WorldOptions {
  return {
    crypto: selectCrypto({ disableNative: false }),
    seed,
    nodes: 4,
    startMs: START_MS,
    latencyMs: 20,
    lossShare: 0.05,
    parameters: { ...readPreset('devnet'), idleIntervalMs: 500 },
    accounts: [],
    interpose: (name, own) => {
      if (name !== `node-${RESTARTED}`) return own;
      return lying(own, (message) => {
        words.hear(message);
        return [message];
      });
    },
  };
}

async function restartOn(seed: number, storeOf: (copy: MemoryStore) => MemoryStore): Promise<void> {
  const words = new SignedWords();
  const world: World = await createWorld(options(seed, words));
  const run = (ms: number): Promise<number> => world.clock.run(world.clock.nowMs() + ms);
  const heightOf = (index: number): number => world.nodes[index]?.chain.blocks.committed.facts.height ?? -1;
  await run(4_000);
  const disk = world.disks[RESTARTED];
  assert.ok(disk !== undefined);
  const copy = disk.backup();
  const copiedAt = heightOf(RESTARTED);
  await run(8_000);
  const before = heightOf(RESTARTED);
  assert.ok(before > copiedAt, `${before} after ${copiedAt}`);
  const spoken = words.count;
  world.end(RESTARTED, 'killed');
  disk.restore(storeOf(copy));
  await world.start(RESTARTED);
  assert.ok(heightOf(RESTARTED) <= copiedAt, 'the database is the old one');
  await run(20_000);
  assert.deepEqual(words.conflicts, []);
  assert.ok(words.count > spoken, 'it signs again');
  const heights = [0, 1, 2, 3].map(heightOf);
  assert.ok(heights[RESTARTED] !== undefined && heights[RESTARTED] > before, heights.join());
  assert.ok(Math.max(...heights) - Math.min(...heights) <= 2, heights.join());
  await world.stop();
}

describe('a validator on an old copy of its database', () => {
  before(() => initialiseKeccak());

  for (const seed of [31, 32]) {
    it(`signs nothing twice, and catches up (seed ${seed})`, () => restartOn(seed, (copy) => copy));
  }

  it('does the same on no database at all', () => restartOn(33, () => createMemoryStore()));
});
