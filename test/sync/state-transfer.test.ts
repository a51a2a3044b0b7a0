// A shard's state goes from nodes that have it to one that has not, over requests: through restarts, pruning and lies.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import { CHUNK_BYTES_MAX, hasCode, StateChunk } from '../../src/core/state/state-chunk.ts';
import { createStateDatabase } from '../../src/core/state/state-database.ts';
import type { StateDatabase } from '../../src/core/state/state-version.ts';
import type { PeerName, RequestHandler } from '../../src/network/ports.ts';
import { linksUnder, quietConditions } from '../../src/simulation/links.ts';
import { createMemoryNetwork, type MemoryNetwork } from '../../src/simulation/memory-network.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../src/storage/memory-store.ts';
import {
  ANSWER_CHUNKS_MAX,
  decodeStateFrame,
  encodeStateFrame,
  encodeStateRequest,
  STATE_PROTOCOL,
  type StateAnswer,
  type StateName,
} from '../../src/sync/state-protocol.ts';
import { anchoredStateOf } from '../../src/sync/state-source.ts';
import { StateTransfer } from '../../src/sync/state-transfer.ts';
import { advance, advanceTo, beaconOf, chainOf, crosslinkOf, encoded, entryOf, extend, smallGenesis } from '../core/beacon/fixture.ts';
import { HEIGHT, makeServedState, serving } from './served-state.ts';

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const NEWCOMER = 'newcomer';

let full: MemoryStore;
let wanted: StateName;
let chunks: readonly Uint8Array[];

before(async () => {
  ({ full, wanted, chunks } = await makeServedState());
  assert.ok(chunks.some((chunk) => StateChunk.deserialize(chunk).continues));
});

interface World {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly offences: string[];
  /** Questions that each peer was asked, as it answered them. */
  readonly asked: PeerName[];
  readonly store: MemoryStore;
  readonly transfer: StateTransfer;
  readonly database: StateDatabase;
  fetch(): ReturnType<StateTransfer['fetch']>;
}

type Peer = 'honest' | 'without' | 'silent' | RequestHandler;

const servingIt = (clock: VirtualClock): RequestHandler => serving(clock, createStateDatabase(full, 2));

/** A peer that answers as this makes of what an honest one says. */
function altering(
  clock: VirtualClock,
  alter: (answer: StateAnswer, question: number, frame: number) => readonly StateAnswer[],
): RequestHandler {
  const honest = servingIt(clock);
  let question = 0;
  return async function* (peer, body) {
    let frame = 0;
    for await (const bytes of honest(peer, body)) {
      const decoded = decodeStateFrame(bytes);
      assert.ok(decoded.ok);
      for (const answer of alter(decoded.value, question, frame++)) yield encodeStateFrame(answer);
    }
    question++;
  };
}

function worldOf(peers: Readonly<Record<PeerName, (clock: VirtualClock) => Peer>>, stateBytesMax?: number): World {
  const clock = new VirtualClock(0);
  const links = linksUnder(quietConditions(5), new SeededRandom(1, 'links'));
  const network = createMemoryNetwork({ names: [NEWCOMER, ...Object.keys(peers)], links, clock });
  const own = network.networks.get(NEWCOMER);
  assert.ok(own !== undefined);
  const offences: string[] = [];
  const asked: PeerName[] = [];
  for (const [name, make] of Object.entries(peers)) {
    const peer = make(clock);
    if (peer === 'silent') continue;
    const handler =
      peer === 'honest' ? servingIt(clock) : peer === 'without' ? serving(clock, createStateDatabase(createMemoryStore(), 2)) : peer;
    network.networks.get(name)?.request.handle(STATE_PROTOCOL, (from, body) => {
      asked.push(name);
      return handler(from, body);
    });
  }
  const store = createMemoryStore();
  const database = createStateDatabase(store, 2);
  const watched = {
    ...own,
    self: own.self,
    request: own.request,
    peers: {
      ...own.peers,
      misbehaved: (peer: PeerName, reason: string, weight: number) => {
        offences.push(`${peer} ${reason}`);
        own.peers.misbehaved(peer, reason, weight);
      },
    },
  };
  const transfer = new StateTransfer({
    network: watched as typeof own,
    statesOf: () => database,
    write: (operations) => store.write(operations, { sync: false }),
    peersOf: () => [],
    clock,
    logger: SILENT,
    ...(stateBytesMax === undefined ? {} : { stateBytesMax }),
  });
  return { clock, network, offences, asked, store, transfer, database, fetch: () => clock.drive(transfer.fetch(wanted)) };
}

async function assertTaken(world: World): Promise<void> {
  const verdict = await world.fetch();
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.reason);
  await world.store.write(world.database.commit(verdict.value), { sync: false });
  world.database.adopted(verdict.value);
  const again = createStateDatabase(world.store, 2);
  assert.equal(bytesToHex(again.committed().root), bytesToHex(wanted.root));
  assert.equal(again.committed().height, HEIGHT);
}

const honest = (): Peer => 'honest';
const changed = (chunk: Uint8Array, change: (value: ReturnType<typeof StateChunk.deserialize>) => void): StateAnswer => {
  const value = StateChunk.deserialize(chunk);
  change(value);
  return { kind: 'chunk', chunk: StateChunk.serialize(value) };
};
/** Accounts that are not there: nothing shows it but the root. */
const withoutOne = (clock: VirtualClock): Peer =>
  altering(clock, (answer) => {
    if (answer.kind !== 'chunk') return [answer];
    return [
      changed(answer.chunk, ({ leaves }) => {
        const index = leaves.slice(0, -1).findLastIndex(({ slots }) => slots.length === 0);
        if (index >= 0) leaves.splice(index, 1);
      }),
    ];
  });

/** So that it ends where it ended: nothing shows but that there was room for more. */
const lastLeafOf = (chunk: Uint8Array): StateAnswer =>
  changed(chunk, (value) => {
    const isWhole = value.leaves.length === 1;
    value.leaves.splice(0, value.leaves.length - 1);
    if (!isWhole) value.continues = false;
    value.codes.splice(0, value.codes.length - (!value.continues && value.leaves.some(hasCode) ? 1 : 0));
  });

describe('a state that is fetched', () => {
  it('is the one that was asked for, in answers of bounded size', async () => {
    const world = worldOf({ a: honest });
    await assertTaken(world);
    assert.equal(world.asked.length, Math.floor(chunks.length / ANSWER_CHUNKS_MAX) + 1);
    assert.deepEqual(world.offences, []);
  });

  it('comes from the likeliest peer, and the others are not asked', async () => {
    const world = worldOf({ a: honest, b: honest });
    const { clock, network, store, database } = world;
    const own = network.networks.get(NEWCOMER);
    assert.ok(own !== undefined);
    const write = (operations: Parameters<MemoryStore['write']>[0]) => store.write(operations, { sync: false });
    const transfer = new StateTransfer({ network: own, statesOf: () => database, write, peersOf: () => ['c', 'b'], clock, logger: SILENT });
    assert.ok((await clock.drive(transfer.fetch(wanted))).ok);
    assert.deepEqual(new Set(world.asked), new Set(['b']));
  });

  it('goes on at another peer where one goes away in the middle', async () => {
    const world = worldOf({ a: honest, b: honest });
    const fetched = world.transfer.fetch(wanted);
    while (world.asked.length < 2) await world.clock.run(world.clock.nowMs() + 1);
    world.network.setUp('a', false);
    assert.ok((await world.clock.drive(fetched)).ok);
    assert.equal(world.asked.filter((peer) => peer === 'a').length, 2);
    assert.ok(
      world.asked.length <= Math.floor(chunks.length / ANSWER_CHUNKS_MAX) + 2,
      'nothing is fetched twice but the answer that was lost',
    );
    assert.deepEqual(world.offences, []);
  });

  it('stays with the peer that answers', async () => {
    const world = worldOf({ a: () => () => [], b: honest });
    await assertTaken(world);
    assert.deepEqual(world.asked.slice(0, 2), ['a', 'b']);
    assert.equal(world.asked.filter((peer) => peer === 'a').length, 1);
  });

  it('goes on at another peer where the version is pruned in the middle', async () => {
    const pruning = (clock: VirtualClock): Peer => {
      const states = createStateDatabase(full, 2);
      let chunksLeft = 3;
      const exportVersion: StateDatabase['exportVersion'] = async function* (version, chunkBytes, after) {
        for await (const chunk of states.exportVersion(version, chunkBytes, after)) {
          if (chunksLeft-- === 0) throw new CoppiceError('state/missing-node', { version: HEIGHT, key: '' });
          yield chunk;
        }
      };
      return serving(clock, { at: (height: number) => states.at(height), exportVersion } as StateDatabase);
    };
    const world = worldOf({ a: pruning, b: honest });
    await assertTaken(world);
    assert.equal(world.asked.filter((peer) => peer === 'a').length, 1);
    assert.ok(world.clock.nowMs() < 250, 'nobody waits for who has said that it is not there');
    assert.deepEqual(world.offences, []);
  });

  it('waits for a peer that has too much to do', async () => {
    const busyAtFirst = (clock: VirtualClock): Peer => {
      const serve = servingIt(clock);
      return (peer, body) => (clock.nowMs() < 2_000 ? [encodeStateFrame({ kind: 'busy' })] : serve(peer, body));
    };
    await assertTaken(worldOf({ a: busyAtFirst }));
  });

  it('is not there where nobody has it, nobody answers, or nobody is connected', async () => {
    const cases = [
      [{ a: () => 'without' as const, b: () => 'without' as const }, 'not-held'],
      [{ a: () => 'silent' as const }, 'no-answer'],
      [{}, 'no-answer'],
    ] as const;
    for (const [peers, reason] of cases) {
      const verdict = await worldOf(peers).fetch();
      assert.equal(verdict.ok ? '' : verdict.reason, reason);
    }
  });

  it('is larger than what this node takes: nobody is blamed, and nothing is there', async () => {
    const world = worldOf({ a: honest, b: honest }, 3 * CHUNK_BYTES_MAX);
    const verdict = await world.fetch();
    assert.equal(verdict.ok ? '' : verdict.reason, 'too-large');
    assert.deepEqual(world.offences, []);
    assert.equal(createStateDatabase(world.store, 2).committed().height, -1);
  });

  it('is given up when the node stops', async () => {
    const world = worldOf({ a: honest });
    const fetched = world.transfer.fetch(wanted);
    await world.clock.run(15);
    world.transfer.stop();
    const verdict = await world.clock.drive(fetched);
    assert.equal(verdict.ok ? '' : verdict.reason, 'stopped');
  });
});

describe('a peer that lies about a state', () => {
  const shortEnd = (clock: VirtualClock): Peer =>
    altering(clock, (answer, question, frame) => (question === 0 ? [answer] : frame === 0 ? [{ kind: 'end' }] : []));
  const lies: Readonly<Record<string, readonly [(clock: VirtualClock) => Peer, string]>> = {
    'with no frames of the protocol': [() => () => [Uint8Array.of(9, 9)], 'bad-state-answer'],
    'with no chunks': [() => () => [encodeStateFrame({ kind: 'chunk', chunk: new Uint8Array(40).fill(1) })], 'bad-state-answer'],
    'with leaves of a neighbour': [
      () => {
        const states = createStateDatabase(full, 3);
        return async function* () {
          for await (const chunk of states.exportVersion(states.committed())) {
            yield encodeStateFrame({ kind: 'chunk', chunk });
            return;
          }
        };
      },
      'bad-state-answer',
    ],
    'with the first leaves again': [
      (clock) => {
        const serve = servingIt(clock);
        return (peer) => serve(peer, encodeStateRequest(wanted, undefined));
      },
      'bad-state-answer',
    ],
    'with a leaf at a time': [
      (clock) => altering(clock, (answer) => [answer.kind === 'chunk' ? lastLeafOf(answer.chunk) : answer]),
      'bad-state-answer',
    ],
    'with more after the end': [(clock) => altering(clock, (answer) => [{ kind: 'end' }, answer]), 'bad-state-answer'],
    'with a leaf missing': [withoutOne, 'wrong-state'],
    'with an end that comes too early': [shortEnd, 'wrong-state'],
    'with nothing at all': [() => () => [encodeStateFrame({ kind: 'end' })], 'wrong-state'],
  };
  for (const [name, [make, reason]] of Object.entries(lies)) {
    it(`${name} is found out, and an honest one asked`, async () => {
      const world = worldOf({ a: make, b: honest });
      await assertTaken(world);
      assert.deepEqual(world.offences, [`a ${reason}`]);
    });
  }

  it('after an honest one has given its part is found out, and the honest one is not blamed', async () => {
    const once = (clock: VirtualClock): Peer => {
      const serve = servingIt(clock);
      let questions = 0;
      return (peer, body) => {
        if (questions++ === 1) throw new Error('a hiccup');
        return serve(peer, body);
      };
    };
    const world = worldOf({ a: once, b: withoutOne });
    await assertTaken(world);
    assert.ok(world.asked.includes('b'));
    assert.ok(world.offences.every((offence) => offence.startsWith('b ')));
  });

  it('as all others do is blamed, and nothing is there', async () => {
    const world = worldOf({ a: withoutOne, b: withoutOne });
    const verdict = await world.fetch();
    assert.equal(verdict.ok ? '' : verdict.reason, 'wrong-state');
    assert.deepEqual(world.offences, ['a wrong-state', 'b wrong-state']);
    assert.equal(createStateDatabase(world.store, 2).committed().height, -1);
  });
});

describe('the newest final state of a shard', () => {
  it('is that of its record, then what the last crosslinked header commits: the result of the block before', () => {
    const beacon = beaconOf(smallGenesis({}));
    advanceTo(beacon, 3);
    const { record } = entryOf(beacon, 1);
    assert.deepEqual(anchoredStateOf(entryOf(beacon, 1)), { shard: 1, height: 0, root: record.stateRoot });
    const chain = chainOf(beacon, record);
    for (let block = 0; block < 3; block++) extend(beacon, chain);
    advance(beacon, { crosslinks: [encoded(crosslinkOf(chain))] });
    const root = chain.headers[2]?.parentExecution.stateRoot;
    assert.deepEqual(anchoredStateOf(entryOf(beacon, 1)), { shard: 1, height: 2, root });
  });
});
