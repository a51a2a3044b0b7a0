// What storage itself defines: rows of blocks and of the view by way of their stores, the order of keys on disk, the signing record and whose it
// is; and requests for blocks, served from such rows.
import assert from 'node:assert/strict';
import { bytesEqual, bytesToHex, concatBytes, uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import { isError } from '../../../src/core/primitives/errors.ts';
import type { RowOperation } from '../../../src/core/state/state-rows.ts';
import type { RequestHandler } from '../../../src/network/ports.ts';
import { decodeEndedInstances, encodeEndedInstances } from '../../../src/node/ended-instances.ts';
import { claimSigningFolder } from '../../../src/node/signing-owner.ts';
import { createBlockStore } from '../../../src/storage/block-store.ts';
import { createMemoryFileStore } from '../../../src/storage/memory-file-store.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';
import { historySectionOf, keyOfStored, STORED_KEY_EXTRA_BYTES, writeStoredKey } from '../../../src/storage/row-order.ts';
import { ROW_FAMILY } from '../../../src/storage/schema.ts';
import { openSigningRecord, SIGNING_RECORD_BYTES_MAX, signingRecordIn } from '../../../src/storage/signing-record.ts';
import { createViewStore } from '../../../src/storage/view-store.ts';
import {
  BLOCK_PROTOCOLS,
  BlockByHashRequest,
  BlocksByRangeRequest,
  RANGE_BLOCKS_MAX,
  Status,
  StatusRequest,
} from '../../../src/sync/block-protocol.ts';
import { type BlockServerSource, decodeCertifiedBlock, serveBlocks } from '../../../src/sync/block-server.ts';
import { assertSameBytes, type FuzzTarget, ownFault } from '../target.ts';
import { joinParts, splitParts } from './parts.ts';
import { stateRowsOf } from './state-rows.ts';
import { bytesOf, sszValue } from './values.ts';

const PLACE = { chain: 1, instanceId: new Uint8Array(32).fill(3), height: 7 };
const HASH = new Uint8Array(32).fill(5);
const SENDER = new Uint8Array(20).fill(6);

/** Rows of a stored block, each of which is put in place of what was written; the first byte says which. */
const blockRows: FuzzTarget = {
  name: 'block-rows',
  covers: ['storage/block-store#createBlockStore'],
  executions: 4_000,
  generate: (random) => {
    const writes = createBlockStore(createMemoryStore()).putCommitted({
      place: PLACE,
      hash: HASH,
      block: bytesOf(random, random.integer(0, 200)),
      certificates: bytesOf(random, random.integer(0, 200)),
    });
    const which = random.integer(0, 3);
    const operation = writes[which];
    return concatBytes(Uint8Array.of(which), operation?.type === 'put' ? operation.value : new Uint8Array(0));
  },
  async judge(bytes) {
    const store = createMemoryStore();
    const blocks = createBlockStore(store);
    const whole = { place: PLACE, hash: HASH, block: Uint8Array.of(1, 2), certificates: Uint8Array.of(3) };
    const writes = blocks.putCommitted(whole);
    const which = (bytes[0] ?? 0) % 3;
    const damaged = (writes[which] as RowOperation).key;
    const value = bytes.slice(1);
    await store.write([...writes, { type: 'put', key: damaged, value }], { sync: false });
    try {
      const byHeight = blocks.getByHeight(PLACE);
      const head = blocks.getHead(PLACE.chain, PLACE.instanceId);
      const byHash = blocks.getByHash(HASH);
      if (which === 0) {
        assert.deepEqual(await blocks.readRange(PLACE, 4), [byHeight]);
        assert.ok(byHeight !== undefined);
        const again = blocks.putCommitted(byHeight)[0];
        assertSameBytes(again?.type === 'put' ? again.value : new Uint8Array(0), value, 'a stored block is what its row says');
      }
      return `read, row ${which}${head === undefined ? '' : ', a head'}${byHash === undefined ? '' : ', a block'}`;
    } catch (error) {
      return ownFault(error);
    }
  },
};

const viewRows: FuzzTarget = {
  name: 'view-rows',
  covers: ['storage/view-store#createViewStore'],
  executions: 4_000,
  generate(random) {
    const hash = bytesOf(random, 32);
    const number = random.integer(0, 2 ** 50);
    const views = createViewStore(createMemoryStore());
    const block = { number, hash, header: hash, totals: hash, transactionHashes: [hash], originsElsewhere: [hash] };
    const writes = [
      ...views.putBlock(block).slice(2),
      ...views.putAwaited(hash, { count: random.integer(1, 9), shard: 4, height: 7, index: 0 }),
      ...views.putMinedLate(SENDER, number, BigInt(random.integer(0, 2 ** 50)) * 1_024n),
    ];
    const operation = random.pick(writes);
    return operation.type === 'put' ? operation.value : new Uint8Array(0);
  },
  async judge(bytes) {
    const store = createMemoryStore();
    const view = createViewStore(store);
    const keys = [Uint8Array.of(ROW_FAMILY.viewHead), concatBytes(Uint8Array.of(ROW_FAMILY.viewNumberByHash), HASH)];
    const place = concatBytes(Uint8Array.of(ROW_FAMILY.transactionPlace), HASH);
    const awaited = concatBytes(Uint8Array.of(ROW_FAMILY.awaitedPointers), HASH);
    const minedLate = concatBytes(Uint8Array.of(ROW_FAMILY.minedLate), SENDER, uint64ToBytes(7));
    await store.write(
      [...keys, place, awaited, minedLate].map((key) => ({ type: 'put', key, value: bytes })),
      { sync: false },
    );
    const reads = [
      () => view.getHead(),
      () => view.getNumberByHash(HASH),
      () => view.getTransactionPlace(HASH),
      () => view.getAwaited(HASH)?.count,
    ];
    const labels = reads.map((read) => {
      try {
        for (const number of Object.values({ number: read() } as object).flatMap((found) =>
          typeof found === 'object' ? Object.values(found) : [found],
        ))
          assert.ok(Number.isSafeInteger(number));
        return 'read';
      } catch (error) {
        return ownFault(error);
      }
    });
    const nonce = await view.readMinedLate(SENDER, 6).then(() => 'read', ownFault);
    return [...labels, nonce].join('; ');
  },
};

const storedKeys: FuzzTarget = {
  name: 'stored-keys',
  covers: ['storage/row-order#keyOfStored', 'storage/row-order#writeStoredKey', 'storage/row-order#historySectionOf'],
  executions: 15_000,
  generate: (random) => random.pick(stateRowsOf()).key,
  judge(bytes) {
    // Keys are made by this program and begin with a room's byte; of others only that the way to disk and back changes nothing.
    const key = bytes.length === 0 || bytes[0] === 1 || bytes.length > 120 ? Uint8Array.of(0x10) : bytes;
    const target = new Uint8Array(key.length + STORED_KEY_EXTRA_BYTES);
    const stored = target.subarray(0, writeStoredKey(key, target));
    assert.ok(bytesEqual(keyOfStored(stored), key), 'a key comes back from disk as it went');
    if (stored.length === key.length) return 'in place';
    const section = historySectionOf(key, concatBytes(key.subarray(0, sectionBytesOf(key[0] as number)), new Uint8Array(8).fill(0xff)));
    assert.ok(section !== undefined && section.compare(stored) === 0, 'a row of history lies in its section');
    return 'history';
  },
};

function sectionBytesOf(family: number): number {
  if (family === ROW_FAMILY.committedBlock || family === ROW_FAMILY.blockResult) return 41;
  return family === ROW_FAMILY.shownTransactions || family === ROW_FAMILY.shownReceipts ? 9 : 1;
}

/** Both slots of the file, without the zeros after them. */
const signingRecord: FuzzTarget = {
  name: 'signing-record',
  covers: ['storage/signing-record#openSigningRecord', 'storage/signing-record#signingRecordIn'],
  executions: 400,
  async generate(random) {
    const files = createMemoryFileStore();
    const record = await openSigningRecord(files, 'a.record');
    const contents = Array.from({ length: random.integer(0, 4) }, () => bytesOf(random, random.integer(0, 300)));
    for (const content of contents) await record.write(content);
    const reopened = await openSigningRecord(files, 'a.record');
    assert.deepEqual(reopened.read(), contents.at(-1));
    const file = (await files.read('a.record')) as Uint8Array;
    const half = file.length / 2;
    return joinParts([withoutZeros(file.subarray(0, half)), withoutZeros(file.subarray(half))]);
  },
  async judge(bytes) {
    const files = createMemoryFileStore();
    await openSigningRecord(files, 'a.record');
    const length = ((await files.read('a.record')) as Uint8Array).length;
    const file = new Uint8Array(length);
    for (const [at, slot] of splitParts(bytes, 2).entries()) file.set(slot.subarray(0, length / 2), (at * length) / 2);
    await files.replaceSynced('a.record', file);
    try {
      const record = await openSigningRecord(files, 'a.record');
      const content = record.read();
      assert.ok(content === undefined || content.length <= SIGNING_RECORD_BYTES_MAX);
      assert.deepEqual(signingRecordIn(file), content, 'what is looked into without opening it reads as what is opened');
      await record.write(Uint8Array.of(9));
      assert.deepEqual((await openSigningRecord(files, 'a.record')).read(), Uint8Array.of(9), 'what is written last is read first');
      return content === undefined ? 'fresh' : 'read';
    } catch (error) {
      return ownFault(error);
    }
  },
};

const signingOwner: FuzzTarget = {
  name: 'signing-owner',
  covers: ['node/signing-owner#claimSigningFolder'],
  executions: 2_000,
  generate: (random) => new TextEncoder().encode(`${bytesToHex(random.chance(0.5) ? OWNER : bytesOf(random, 48))}\n`),
  async judge(bytes) {
    const files = createMemoryFileStore();
    await files.replaceSynced('owner', bytes);
    try {
      await claimSigningFolder(files, 'signing', OWNER);
      assertSameBytes(bytes, new TextEncoder().encode(`${bytesToHex(OWNER)}\n`), 'a folder has one owner');
      return 'own';
    } catch (error) {
      assert.ok(isError(error, 'storage/corrupt') || isError(error, 'signing-record/foreign'), String(error));
      return `refused ${error.code}`;
    }
  },
};

const endedInstances: FuzzTarget = {
  name: 'ended-instances',
  covers: ['node/ended-instances#decodeEndedInstances'],
  executions: 2_000,
  generate: (random) =>
    encodeEndedInstances(
      new Map(Array.from({ length: random.integer(0, 5) }, () => [random.integer(0, 2_000), random.integer(0, 2 ** 40)])),
    ),
  async judge(bytes) {
    try {
      const ended = decodeEndedInstances(bytes, 'ended');
      assertSameBytes(bytes, encodeEndedInstances(ended), 'one form only');
      return `read ${ended.size}`;
    } catch (error) {
      return ownFault(error);
    }
  },
};

const OWNER = new Uint8Array(48).fill(0xa5);

/** The first byte says by which protocol. */
const blockRequests: FuzzTarget = {
  name: 'block-requests',
  covers: ['sync/block-server#serveBlocks'],
  executions: 3_000,
  generate(random) {
    const kind = random.integer(0, 3);
    const instanceId = random.chance(0.8) ? PLACE.instanceId : bytesOf(random, 32);
    if (kind === 0) return concatBytes(Uint8Array.of(kind), StatusRequest.serialize({ instanceId }));
    if (kind === 1) {
      const fromHeight = random.chance(0.5) ? random.integer(0, 12) : sszValue(BlocksByRangeRequest, random).fromHeight;
      return concatBytes(
        Uint8Array.of(kind),
        BlocksByRangeRequest.serialize({ instanceId, fromHeight, count: random.pick([0, 1, 64, 2 ** 32 - 1]) }),
      );
    }
    return concatBytes(
      Uint8Array.of(kind),
      BlockByHashRequest.serialize({ instanceId, hash: random.chance(0.5) ? HASH : bytesOf(random, 32) }),
    );
  },
  async judge(bytes) {
    const { handlers, offences } = await served;
    const offencesBefore = offences.count;
    const protocol = [BLOCK_PROTOCOLS.status, BLOCK_PROTOCOLS.blocksByRange, BLOCK_PROTOCOLS.blockByHash][(bytes[0] ?? 0) % 3] as string;
    const frames: Uint8Array[] = [];
    for await (const frame of (handlers.get(protocol) as RequestHandler)('peer', bytes.subarray(1))) frames.push(frame);
    const blamed = offences.count > offencesBefore;
    assert.ok(frames.length <= RANGE_BLOCKS_MAX, 'an answer is bounded');
    assert.ok(!blamed || frames.length === 0, 'a bad request has no answer');
    if (protocol === BLOCK_PROTOCOLS.status) for (const frame of frames) assert.doesNotThrow(() => Status.deserialize(frame));
    if (protocol === BLOCK_PROTOCOLS.blocksByRange) for (const frame of frames) assert.equal(decodeCertifiedBlock(frame).ok, false);
    return `${protocol.split('/').at(-2)}, ${blamed ? 'blamed' : frames.length === 0 ? 'nothing' : 'answered'}`;
  },
};

const served = serve();

async function serve(): Promise<{ readonly handlers: ReadonlyMap<string, RequestHandler>; readonly offences: { count: number } }> {
  const store = createMemoryStore();
  const blocks = createBlockStore(store);
  for (let height = 1; height <= 10; height++) {
    const hash = height === PLACE.height ? HASH : new Uint8Array(32).fill(height + 100);
    const stored = { place: { ...PLACE, height }, hash, block: new Uint8Array(50).fill(height), certificates: new Uint8Array(9) };
    await store.write(blocks.putCommitted(stored), { sync: false });
  }
  const handlers = new Map<string, RequestHandler>();
  const offences = { count: 0 };
  const source: BlockServerSource = {
    chain: PLACE.chain,
    instanceId: PLACE.instanceId,
    status: () => ({ instanceId: PLACE.instanceId, committedHeight: 10, committedHash: HASH, round: 11 }),
    readRange: (height, count) => blocks.readRange({ ...PLACE, height }, count),
    readByHash: (hash) => blocks.getByHash(hash)?.block,
  };
  serveBlocks(
    { request: () => assert.fail('nobody is asked'), handle: (protocol, handler) => handlers.set(protocol, handler) },
    (instanceId) => (Buffer.compare(instanceId, PLACE.instanceId) === 0 ? source : undefined),
    () => {
      offences.count++;
    },
  );
  return { handlers, offences };
}

/** See the file's head. */
export const STORAGE_TARGETS: readonly FuzzTarget[] = [
  blockRows,
  viewRows,
  storedKeys,
  signingRecord,
  signingOwner,
  endedInstances,
  blockRequests,
];

function withoutZeros(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.slice(0, end);
}
