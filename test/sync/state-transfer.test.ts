// A shard's state goes from nodes that have it to one that has not, over requests: through restarts, pruning and lies.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes } from '../../src/core/primitives/bytes.ts';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import { type ChainId, ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { changeLayout } from '../../src/core/state/change-layout.ts';
import { buildGenesisState } from '../../src/core/state/genesis-state.ts';
import { CHUNK_BYTES_MAX, hasCode, StateChunk } from '../../src/core/state/state-chunk.ts';
import { createStateDatabase } from '../../src/core/state/state-database.ts';
import type { StateDatabase } from '../../src/core/state/state-version.ts';
import type { PeerName, RequestHandler } from '../../src/network/ports.ts';
import { linksUnder, quietConditions } from '../../src/simulation/links.ts';
import { createMemoryNetwork, type MemoryNetwork } from '../../src/simulation/memory-network.ts';
import { SeededRandom } from '../../src/simulation/random.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { createMemoryStore, type MemoryStore } from '../../src/storage/memory-store.ts';
import { type ByteRates, ByteRation } from '../../src/sync/byte-ration.ts';
import {
  ANSWER_CHUNKS_MAX,
  decodeStateFrame,
  decodeStateRequest,
  encodeStateFrame,
  encodeStateRequest,
  STATE_ANSWER_BYTES_MAX,
  STATE_PROTOCOL,
  type StateAnswer,
  type StateName,
} from '../../src/sync/state-protocol.ts';
import { anchoredStateOf } from '../../src/sync/state-source.ts';
import { StateTransfer } from '../../src/sync/state-transfer.ts';
import { STATE_ANSWERS_AT_ONCE_MAX, serveStates } from '../../src/sync/state-transfer-server.ts';
import { advance, advanceTo, beaconOf, chainOf, crosslinkOf, encoded, entryOf, extend, smallGenesis } from '../core/beacon/fixture.ts';
import { familiesIn } from '../core/messaging/messages.ts';

const HEIGHT = 9;
/** Of shard 2, with a few of its neighbour. */
const ACCOUNTS = 240;
/** Of one contract, at a place where a chunk ends within them. */
const LARGE = 81;
const SLOTS = 900;
/** So many have large code, so that there are two answers of little work. */
const CONTRACTS = 24;
const CODE_BYTES = 24_000;
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const NEWCOMER = 'newcomer';

let full: MemoryStore;
let wanted: StateName;
let chunks: readonly Uint8Array[];

before(async () => {
  await initialiseKeccak();
  full = createMemoryStore();
  const addresses = [...familiesIn(2, ACCOUNTS), ...familiesIn(3, 20)];
  const accounts = addresses.map((address, n) => {
    const isContract = n % (ACCOUNTS / CONTRACTS) === 1;
    const slots = Array.from({ length: n === LARGE ? SLOTS : isContract ? 3 : 0 }, (_unused, slot) => ({
      slot: sha256(uint64ToBytes(slot)),
      value: sha256(uint64ToBytes(n), uint64ToBytes(slot)),
    }));
    const code = isContract ? new Uint8Array(CODE_BYTES).fill(n) : new Uint8Array();
    return { address, family: address, balanceWei: BigInt(n), nonce: 1n, code, storage: slots };
  });
  const database = createStateDatabase(full, ROOT_SHARD);
  const version = await database.writeFirst(HEIGHT, buildGenesisState(accounts), (operations) => full.write(operations, { sync: false }));
  await full.write(database.commit(version), { sync: false });
  database.adopted(version);
  const { operations } = await changeLayout(full, [database], [2, 3]);
  await full.write(operations, { sync: false });
  const shard = createStateDatabase(full, 2);
  wanted = { shard: 2, height: HEIGHT, root: shard.committed().root };
  const exported: Uint8Array[] = [];
  for await (const chunk of shard.exportVersion(shard.committed())) exported.push(chunk);
  chunks = exported;
  assert.ok(chunks.length > ANSWER_CHUNKS_MAX + 1, `${chunks.length} chunks`);
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

function serving(clock: VirtualClock, states = createStateDatabase(full, 2), rates?: ByteRates): RequestHandler {
  let handler: RequestHandler | undefined;
  const handle = (_protocol: string, given: RequestHandler): void => {
    handler = given;
  };
  const statesOf = (shard: ChainId) => (shard === 2 ? states : undefined);
  const onBadRequest = (_peer: PeerName, reason: string): void => assert.fail(reason);
  const more = rates === undefined ? {} : { rates };
  serveStates({ handle, request: async () => [] }, { statesOf, clock, pause: undefined, onBadRequest, ...more });
  return handler as RequestHandler;
}

/** A peer that answers as this makes of what an honest one says. */
function altering(
  clock: VirtualClock,
  alter: (answer: StateAnswer, question: number, frame: number) => readonly StateAnswer[],
): RequestHandler {
  const honest = serving(clock);
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
      peer === 'honest' ? serving(clock) : peer === 'without' ? serving(clock, createStateDatabase(createMemoryStore(), 2)) : peer;
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
      const serve = serving(clock);
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
        const serve = serving(clock);
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
      const serve = serving(clock);
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

describe('a server of states', () => {
  const frames = async (handler: RequestHandler, body: Uint8Array): Promise<readonly StateAnswer[]> => {
    const answers: StateAnswer[] = [];
    for await (const frame of handler('peer', body)) {
      const decoded = decodeStateFrame(frame);
      assert.ok(decoded.ok);
      answers.push(decoded.value);
    }
    return answers;
  };
  const kinds = (answers: readonly StateAnswer[]): readonly string[] => answers.map(({ kind }) => kind);

  it('gives a part of bounded size, from behind the position that was asked for', async () => {
    const answers = await frames(serving(new VirtualClock(0)), encodeStateRequest(wanted, undefined));
    assert.deepEqual(
      answers,
      chunks.slice(0, ANSWER_CHUNKS_MAX).map((chunk) => ({ kind: 'chunk', chunk })),
    );
    assert.ok(answers.reduce((sum, answer) => sum + encodeStateFrame(answer).length, 0) <= STATE_ANSWER_BYTES_MAX);
  });

  it('has the state of a height also for the next one, whose block changed nothing', async () => {
    const answers = await frames(serving(new VirtualClock(0)), encodeStateRequest({ ...wanted, height: HEIGHT + 1 }, undefined));
    assert.deepEqual(answers[0], { kind: 'chunk', chunk: chunks[0] });
  });

  it('has no other root, height or shard', async () => {
    const serve = serving(new VirtualClock(0));
    for (const name of [
      { ...wanted, root: new Uint8Array(32) },
      { ...wanted, height: HEIGHT + 2 },
      { ...wanted, height: HEIGHT - 1 },
      { ...wanted, shard: 3 },
    ])
      assert.deepEqual(kinds(await frames(serve, encodeStateRequest(name, undefined))), ['not-held']);
  });

  it('serves so many bytes at once, and more after a while', async () => {
    const clock = new VirtualClock(0);
    const rate = { perSecond: CHUNK_BYTES_MAX, burst: 2 * CHUNK_BYTES_MAX };
    const serve = serving(clock, undefined, { ofPeer: rate, inAll: rate });
    const ask = async () => kinds(await frames(serve, encodeStateRequest(wanted, undefined)));
    assert.deepEqual(await ask(), ['chunk', 'chunk']);
    assert.deepEqual(await ask(), ['busy']);
    await clock.run(1_000);
    assert.deepEqual(await ask(), ['chunk']);
  });

  it('makes so many answers at once', async () => {
    const serve = serving(new VirtualClock(0));
    const open = Array.from({ length: STATE_ANSWERS_AT_ONCE_MAX }, () =>
      (serve('peer', encodeStateRequest(wanted, undefined)) as AsyncIterable<Uint8Array>)[Symbol.asyncIterator](),
    );
    for (const answer of open) await answer.next();
    assert.deepEqual(kinds(await frames(serve, encodeStateRequest(wanted, undefined))), ['busy']);
    await open[0]?.return?.();
    assert.equal((await frames(serve, encodeStateRequest(wanted, undefined))).length, ANSWER_CHUNKS_MAX);
  });

  it('blames whoever asks for what is no shard, or in no language', async () => {
    const reasons: string[] = [];
    let handler: RequestHandler = () => [];
    const handle = (_protocol: string, given: RequestHandler): void => {
      handler = given;
    };
    const onBadRequest = (_peer: PeerName, reason: string): void => void reasons.push(reason);
    serveStates(
      { handle, request: async () => [] },
      { statesOf: () => undefined, clock: new VirtualClock(0), pause: undefined, onBadRequest },
    );
    for (const body of [encodeStateRequest({ ...wanted, shard: 0 }, undefined), Uint8Array.of(1)])
      assert.deepEqual(await frames(handler, body), []);
    assert.deepEqual(reasons, ['bad-state-request', 'bad-state-request']);
  });

  it('reads the question that was asked', () => {
    for (const after of [undefined, { key: wanted.root, slot: undefined }, { key: wanted.root, slot: sha256() }])
      assert.deepEqual(decodeStateRequest(encodeStateRequest(wanted, after)), { ok: true, value: { name: wanted, after } });
  });
});

describe('the ration of what is served', () => {
  const rates: ByteRates = { ofPeer: { perSecond: 10, burst: 20 }, inAll: { perSecond: 30, burst: 50 } };

  it('is each peer’s own, and that of all', () => {
    const ration = new ByteRation(new VirtualClock(0), rates);
    assert.deepEqual(
      ['a', 'a', 'a', 'b', 'b', 'c'].map((peer) => ration.admits(peer, 10)),
      [true, true, false, true, true, true],
    );
    assert.equal(ration.admits('d', 1), false);
  });

  it('counts nothing that is not served, and fills again', async () => {
    const clock = new VirtualClock(0);
    const ration = new ByteRation(clock, rates);
    assert.equal(ration.admits('a', 21), false);
    assert.equal(ration.admits('a', 20), true);
    await clock.run(1_000);
    assert.equal(ration.admits('a', 11), false);
    assert.equal(ration.admits('a', 10), true);
  });

  it('is remembered of so many peers, the latest ones', () => {
    const ration = new ByteRation(new VirtualClock(0), { ofPeer: rates.ofPeer, inAll: { perSecond: 0, burst: 1_000_000 } });
    assert.equal(ration.admits('a', 20), true);
    for (let n = 0; n < 1_023; n++) ration.admits(`peer ${n}`, 1);
    assert.equal(ration.admits('a', 1), false);
    ration.admits('one more', 1);
    assert.equal(ration.admits('a', 1), true);
  });
});
