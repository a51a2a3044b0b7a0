// "Durable before spoken", seen from outside the process: `kill -9` spares the page cache, so only the order of system calls shows that
// the signing record is on the medium before a signature leaves. strace records them; for every consensus message this test finds
// the record that covers it, and that its fdatasync had returned before the message's first byte was handed to the socket.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SigningRecord } from '../../src/core/consensus/record.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { BlockHeader } from '../../src/core/protocol/block.ts';
import { unpackMessages } from '../../src/network/coalesce.ts';
import { decodeConsensusMessage, instanceIdOf } from '../../src/runtime/consensus-codec.ts';
import { FRAME_MESSAGES_MAX } from '../../src/runtime/gossip-outbox.ts';

const VALIDATOR = join(import.meta.dirname, 'signing-order-validator.ts');
const RECORD_HEAD_BYTES = 48;
const MESSAGES_WANTED = 120;
const RUN_MS_MAX = 60_000;
const SYSTEM_CALLS = 'write,writev,sendto,sendmsg,pwrite64,pwritev,fdatasync,fsync';

const hasStrace = spawnSync('strace', ['--version']).status === 0;

describe('a signature', { skip: hasStrace ? false : 'strace is not installed: apt-get install strace' }, () => {
  it('enters a socket only after the fdatasync of the signing record that promises it has returned', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coppice-order-'));
    try {
      const trace = join(folder, 'trace');
      await traceValidator(join(folder, 'signing'), trace);
      const seen = checkOrder(readFileSync(trace, 'latin1').split('\n'));
      for (const kind of ['proposal', 'vote', 'commit-vote', 'timeout']) {
        assert.ok(
          (seen.get(kind) ?? 0) >= 3,
          `only ${seen.get(kind) ?? 0} messages of kind ${kind} were sent: ${JSON.stringify([...seen])}`,
        );
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

// Runs the validator under strace until it has sent enough, or for a minute.
async function traceValidator(signingFolder: string, trace: string): Promise<void> {
  const sockets = new Set<Socket>();
  let messages = 0;
  let enough: () => void = () => undefined;
  const sent = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', () => {
      messages++;
      if (messages >= MESSAGES_WANTED) enough();
    });
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = String((server.address() as AddressInfo).port);
  const args = ['-f', '-qq', '-yy', '-xx', '-s', '140000', '-e', `trace=${SYSTEM_CALLS}`, '-o', trace];
  const child = spawn('strace', [...args, process.execPath, VALIDATOR, signingFolder, port], { stdio: ['ignore', 'ignore', 'inherit'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const timer = setTimeout(enough, RUN_MS_MAX);
  await Promise.race([sent, gone]);
  clearTimeout(timer);
  for (const socket of sockets) socket.destroy();
  server.close();
  await gone;
}

interface Promised {
  readonly record: ReturnType<typeof SigningRecord.deserialize>;
}

// Follows the trace in order; strace writes a call that another thread interrupts in two lines, its beginning and its end.
function checkOrder(lines: readonly string[]): ReadonlyMap<string, number> {
  const seen = new Map<string, number>();
  const stream = new FrameStream();
  /** By file: each instance has its own. */
  const written = new Map<string, Promised>();
  const syncing = new Map<string, Promised | undefined>();
  /** By instance. */
  const durable = new Map<string, Promised>();
  const synced = (promised: Promised | undefined): void => {
    if (promised !== undefined) durable.set(bytesToHex(promised.record.instanceId), promised);
  };
  for (const line of lines) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const begin = callIn(rest);
    const resumed = /^<\.\.\. (\w+) resumed>.*= (-?\d+)/.exec(rest);
    const promised = begin?.name === 'pwrite64' && begin.file.includes('/signing/') ? recordIn(rest) : undefined;
    if (begin !== undefined && promised !== undefined) written.set(begin.file, promised);
    if (begin?.name === 'fdatasync' && begin.file.includes('/signing/')) {
      if (rest.endsWith('<unfinished ...>')) syncing.set(thread, written.get(begin.file));
      else if (rest.endsWith('= 0')) synced(written.get(begin.file));
    }
    if (resumed?.[1] === 'fdatasync' && syncing.has(thread)) {
      if (resumed[2] === '0') synced(syncing.get(thread));
      syncing.delete(thread);
    }
    if (begin?.file.startsWith('TCP:')) {
      for (const message of stream.push(bytesIn(rest)).flatMap(messagesOf)) {
        const kind = assertPromised(message, durable);
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      }
    }
  }
  return seen;
}

// Name of a call and the file of its first argument, which strace writes as 23<path>, the path in hexadecimal.
function callIn(text: string): { readonly name: string; readonly file: string } | undefined {
  const [, name, file = ''] = /^(\w+)\(\d+<((?:[^>]|->)*)>/.exec(text) ?? [];
  if (name === undefined) return undefined;
  return { name, file: file.startsWith('\\x') ? Buffer.from(file.replaceAll('\\x', ''), 'hex').toString() : file };
}

function messagesOf(frame: Uint8Array): readonly Uint8Array[] {
  const messages = unpackMessages(frame, FRAME_MESSAGES_MAX);
  assert.ok(messages.ok, 'what enters the socket is a frame of messages');
  return messages.value;
}

// The record on the medium must name this very message, or a later one of its kind.
function assertPromised(data: Uint8Array, durable: ReadonlyMap<string, Promised>): string {
  const decoded = decodeConsensusMessage(data);
  assert.ok(decoded.ok, 'what enters the socket is a consensus message');
  const message = decoded.value;
  if (message.kind === 'certificates') return message.kind;
  const record = durable.get(bytesToHex(instanceIdOf(message)))?.record;
  assert.ok(record !== undefined, `a ${message.kind} left before any record was on the medium`);
  if (message.kind === 'timeout') {
    assert.ok(record.lastTimeoutRound >= message.timeout.round, `the timeout of round ${message.timeout.round} was not on the medium`);
    return message.kind;
  }
  const [round, hash] =
    message.kind === 'proposal'
      ? [message.proposal.header.round, BlockHeader.hashTreeRoot(message.proposal.header)]
      : [message.vote.point.round, message.vote.point.blockHash];
  const [promisedRound, promisedHash] =
    message.kind === 'proposal'
      ? [record.lastProposedRound, record.lastProposedHash]
      : message.kind === 'vote'
        ? [record.lastVotedRound, record.lastVotedHash]
        : [record.lastCommitVotedRound, record.lastCommitVotedHash];
  assert.ok(promisedRound >= round, `the ${message.kind} of round ${round} left when the medium knew of round ${promisedRound} only`);
  if (promisedRound === round) assert.equal(bytesToHex(promisedHash), bytesToHex(hash));
  return message.kind;
}

function recordIn(call: string): Promised | undefined {
  const slot = bytesIn(call);
  const length = new DataView(slot.buffer).getUint32(4);
  return length === 0 ? undefined : { record: SigningRecord.deserialize(slot.slice(RECORD_HEAD_BYTES, RECORD_HEAD_BYTES + length)) };
}

// All string arguments of a call, which strace writes as "\x00\x01…".
function bytesIn(call: string): Uint8Array {
  const hexadecimal = [...call.matchAll(/"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?/g)].map(([, text = '', cut]) => {
    assert.equal(cut, undefined, 'strace kept every byte');
    return text.replaceAll('\\x', '');
  });
  return Uint8Array.from(Buffer.from(hexadecimal.join(''), 'hex'));
}

/** Cuts the stream into frames. A frame is written by one call, so its first byte enters the socket with its last. */
class FrameStream {
  #waiting = new Uint8Array(0);

  push(bytes: Uint8Array): Uint8Array[] {
    this.#waiting = Uint8Array.from([...this.#waiting, ...bytes]);
    const messages: Uint8Array[] = [];
    for (;;) {
      if (this.#waiting.length < 4) return messages;
      const length = new DataView(this.#waiting.buffer).getUint32(0);
      if (this.#waiting.length < 4 + length) return messages;
      messages.push(this.#waiting.slice(4, 4 + length));
      this.#waiting = this.#waiting.slice(4 + length);
    }
  }
}
