import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { makeOutbox } from '../../src/core/messaging/outbox.ts';
import type { Height } from '../../src/core/primitives/ids.ts';
import type { Message } from '../../src/core/protocol/message.ts';
import { messagesUnderWay } from '../../src/node/messages-under-way.ts';
import type { MessagesUnderWay } from '../../src/rpc/ports.ts';
import { BundleShelf } from '../../src/runtime/bundle-shelf.ts';
import { familiesIn, messageTo } from '../core/messaging/messages.ts';
import { nothingOnDisk } from '../runtime/nothing-on-disk.ts';

const LAYOUT = [4, 5, 6, 7];
const [OURS, OTHERS] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

describe('messages under way', () => {
  let shelf: BundleShelf;
  let headNumber: number;
  let rests: number;
  /** By height of the block of shard 7 that sent. */
  let anchors: Map<Height, Height>;

  before(() => initialiseKeccak());
  beforeEach(() => {
    shelf = new BundleShelf(nothingOnDisk);
    headNumber = 20;
    rests = 0;
    anchors = new Map();
  });

  /** Shard 7 sends in a block, which a beacon block anchors. */
  const send = (height: Height, anchor: Height | undefined, messages: readonly Message[]): void => {
    shelf.put(7, height, makeOutbox(7, height, messages, new Set(LAYOUT)), 'stored', anchor);
    if (anchor !== undefined) anchors.set(height, anchor);
  };
  const look = (onRest: () => void = () => undefined): Promise<MessagesUnderWay> =>
    messagesUnderWay(
      {
        headNumber: () => headNumber,
        anchoredBundles: () => shelf.anchoredBundles(),
        isKept: (source, height) => shelf.isKept(source, height),
        anchorHeight: (_source, height) => anchors.get(height),
      },
      OURS,
      async () => {
        rests += 1;
        onRest();
      },
    );
  const shown = ({ messages }: MessagesUnderWay): readonly (readonly [bigint, number, number])[] =>
    messages.map(({ message, toShard, sentInBlock }) => [message.valueWei, toShard, sentInBlock]);
  const to = (shard: number, salt: number, originTransactionHash: Uint8Array): Message =>
    messageTo(familiesIn(shard, 1)[0] as Uint8Array, salt, { originTransactionHash });
  const state = (height: Height, passed: Height): Parameters<BundleShelf['forgetRead']>[0] =>
    ({
      height,
      records: LAYOUT.map((shard) => ({
        record: { shard },
        progress: { cursors: [{ source: 7, prefix: shard, height: passed, index: 0 }] },
      })),
    }) as unknown as Parameters<BundleShelf['forgetRead']>[0];

  it('are those of the transaction, wherever they go, in the order in which their sending became final', async () => {
    send(4, 12, [to(5, 1, OTHERS), to(6, 2, OURS)]);
    send(3, 11, [to(4, 3, OURS), to(4, 4, OTHERS)]);
    const found = await look();
    assert.equal(found.asOfBlock, 20);
    assert.deepEqual(shown(found), [
      [3n, 4, 11],
      [2n, 6, 12],
    ]);
    assert.equal(rests, 2, 'it rests between outboxes');
  });

  it('are none of what is not final where it was sent, as of the newest view block', async () => {
    send(3, 20, [to(4, 1, OURS)]);
    send(4, 21, [to(4, 2, OURS)]);
    send(5, undefined, [to(4, 3, OURS)]);
    assert.deepEqual(shown(await look()), [[1n, 4, 20]]);
    headNumber = 21;
    assert.equal((await look()).messages.length, 2);
  });

  it('are none of what a takeover has made void', async () => {
    send(3, 11, [to(4, 1, OURS)]);
    send(4, undefined, [to(4, 2, OURS)]);
    shelf.forgetAbove(7, 3);
    shelf.anchored(7, 4, shelf.summaryAt(7, 4), 13);
    assert.deepEqual(shown(await look()), [[1n, 4, 11]]);
  });

  it('are there until what read them is shown', async () => {
    send(3, 11, [to(4, 1, OURS)]);
    assert.deepEqual(shelf.forgetRead(state(21, 5), headNumber), [], 'read in beacon block 21, which clients do not see yet');
    assert.deepEqual(shown(await look()), [[1n, 4, 11]]);
    headNumber = 21;
    assert.equal(shelf.forgetRead(state(22, 5), headNumber).length, 1);
    assert.deepEqual(shown(await look()), []);
  });

  it('are those as of one block, also where chains go on while they are looked for', async () => {
    send(3, 11, [to(4, 1, OURS)]);
    send(4, 12, [to(4, 2, OURS)]);
    const goOn = (): void => {
      if (headNumber === 21) return;
      headNumber = 21;
      shelf.forgetRead(state(20, 4), headNumber);
      send(5, 21, [to(6, 3, OURS)]);
    };
    const found = await look(goOn);
    assert.equal(found.asOfBlock, 21);
    assert.deepEqual(shown(found), [
      [2n, 4, 12],
      [3n, 6, 21],
    ]);
  });

  it('are let go of when they are read where clients are shown a chain far behind', () => {
    send(3, 11, [to(4, 1, OURS)]);
    assert.equal(shelf.forgetRead(state(500, 5), headNumber).length, 1);
  });
});
