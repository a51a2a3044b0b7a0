import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { MultiaddrConnection, Stream, StreamMuxer } from '@libp2p/interface';
import { multiaddrConnectionPair } from '@libp2p/utils';
import { yamux } from '@libp2p/yamux';
import { windowUpdateIn, withHeldWindowUpdates } from '../../src/network/window-updates.ts';

const MESSAGE_BYTES = 300;
/** Of yamux: what every stream may send before it is given some back. */
const FIRST_WINDOW_BYTES = 256 * 1024;

describe('window updates that wait for company', () => {
  it('cost nothing as long as little was read, and go with the next frame', async () => {
    const { sender, receiver, framesBack } = await streamBetween();
    const read = bytesRead(receiver.stream);
    for (let count = 0; count < 20; count++) sender.stream.send(new Uint8Array(MESSAGE_BYTES));
    await read.atLeast(20 * MESSAGE_BYTES);
    assert.equal(framesBack(), 0);
    const heard = bytesRead(sender.stream);
    receiver.stream.send(Uint8Array.of(1));
    await heard.atLeast(1);
    assert.equal(framesBack(), 1);
  });

  it('come in time: however much is sent, in small messages or large, all of it arrives', async () => {
    for (const messageBytes of [MESSAGE_BYTES, 40_000, FIRST_WINDOW_BYTES]) {
      const { sender, receiver, framesBack } = await streamBetween();
      const read = bytesRead(receiver.stream);
      const count = Math.ceil((5 * FIRST_WINDOW_BYTES) / messageBytes);
      for (let index = 0; index < count; index++) sender.stream.send(new Uint8Array(messageBytes));
      await read.atLeast(count * messageBytes);
      assert.ok(framesBack() <= 4 * 5 + 2, `${framesBack()} frames back`);
    }
  });

  it('come in time to a reader who pauses', async () => {
    const { sender, receiver } = await streamBetween();
    const read = bytesRead(receiver.stream);
    const count = Math.ceil((3 * FIRST_WINDOW_BYTES) / MESSAGE_BYTES);
    for (let index = 0; index < count; index++) {
      sender.stream.send(new Uint8Array(MESSAGE_BYTES));
      if (index % 100 === 0) receiver.stream.pause();
      if (index % 100 === 50) receiver.stream.resume();
    }
    receiver.stream.resume();
    await read.atLeast(count * MESSAGE_BYTES);
  });
});

describe('a window update', () => {
  it('is known by its head, and only where it says nothing else', () => {
    const frame = Uint8Array.of(0, 1, 0, 0, 0, 0, 1, 2, 0, 1, 0, 3);
    assert.deepEqual(windowUpdateIn(frame), { stream: 258, bytes: 65_539 });
    assert.equal(windowUpdateIn(frame.with(1, 0)), undefined); // Data.
    assert.equal(windowUpdateIn(frame.with(3, 4)), undefined); // The end of the stream.
    assert.equal(windowUpdateIn(frame.with(2, 1)), undefined); // A flag that nobody knows yet.
    assert.equal(windowUpdateIn(frame.subarray(1)), undefined);
  });
});

interface End {
  readonly muxer: StreamMuxer;
  readonly stream: Stream;
}

// Both ends as they run in a node; `framesBack` counts what the receiver's connection sent since the stream was there.
async function streamBetween(): Promise<{ sender: End; receiver: End; framesBack: () => number }> {
  const [outbound, inbound] = multiaddrConnectionPair();
  const create = withHeldWindowUpdates(yamux({ enableKeepAlive: false, streamOptions: { maxStreamWindowSize: FIRST_WINDOW_BYTES } }))();
  const sent = countSent(inbound);
  const sender = create.createStreamMuxer(outbound);
  const receiver = create.createStreamMuxer(inbound);
  const arrived = once(receiver as unknown as EventTarget, 'stream');
  const stream = await sender.createStream();
  stream.send(Uint8Array.of(0));
  const [event] = (await arrived) as [{ detail: Stream }];
  const first = bytesRead(event.detail);
  await first.atLeast(1);
  const before = sent.count();
  return {
    sender: { muxer: sender, stream },
    receiver: { muxer: receiver, stream: event.detail },
    framesBack: () => sent.count() - before,
  };
}

function countSent(connection: MultiaddrConnection): { count: () => number } {
  let count = 0;
  const send = connection.send.bind(connection);
  connection.send = (data) => {
    count++;
    return send(data);
  };
  return { count: () => count };
}

function bytesRead(stream: Stream): { atLeast: (bytes: number) => Promise<void> } {
  let read = 0;
  let onRead = (): void => undefined;
  stream.addEventListener('message', ({ data }) => {
    read += data.byteLength;
    onRead();
  });
  return {
    atLeast: (bytes) =>
      new Promise((resolve) => {
        onRead = () => {
          if (read >= bytes) resolve();
        };
        onRead();
      }),
  };
}
