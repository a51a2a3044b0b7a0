// Lies to whoever asks it for something: where it stands, blocks by range, a block by its hash. The answers are well-formed where a liar
// would gain by it (blocks with one field wrong, certificates of other blocks, blocks of other heights, ranges with pieces cut out), or
// garbage, or never end, or never begin. It also asks for what nobody would ask, and hands out certificates that do not hold together.
import type { CompositeType } from '@chainsafe/ssz';
import { Block, CertifiedBlock } from '../../core/protocol/certified-block.ts';
import { decodeCanonical } from '../../core/protocol/ssz.ts';
import type { Network, RequestHandler } from '../../network/ports.ts';
import { CERTIFICATES_PROTOCOL } from '../../runtime/instance-switch.ts';
import { BLOCK_PROTOCOLS, BlocksByRangeRequest, Status } from '../../sync/block-protocol.ts';
import type { SeededRandom } from '../random.ts';
import { damaged, noise } from './babbling.ts';
import { sayingOnConsensus } from './speech.ts';
import type { Adversary } from './strategy.ts';
import { mutationsOf } from './wrong-fields.ts';

const TRUE_SHARE = 0.15;
/** Beside each frame that it publishes. */
const BAD_REQUEST_SHARE = 0.02;
const SHIFT_MAX = 70;
const REQUEST_TIMEOUT_MS = 1_000;
/** The largest frame of an endless answer. */
const ENDLESS_BYTES_MAX = 2 ** 20;

type Handled = Parameters<RequestHandler>;
type Liar = (frames: readonly Uint8Array[], random: SeededRandom) => readonly Uint8Array[];

/** See the file's head. */
export const lyingInSync: Adversary = (own, { random }) => {
  const speaking = sayingOnConsensus(own, (topic, data) => {
    for (const peer of own.peers.connected()) if (random.chance(BAD_REQUEST_SHARE)) askNonsense(own, peer, data, random);
    return own.pubSub.publish(topic, data);
  });
  return {
    ...speaking,
    request: {
      request: (peer, protocol, body, limits) => own.request.request(peer, protocol, body, limits),
      handle: (protocol, handler) => own.request.handle(protocol, (peer, body) => lies(protocol, handler, [peer, body], random)),
    },
  };
};

async function* lies(protocol: string, handler: RequestHandler, asked: Handled, random: SeededRandom): AsyncGenerator<Uint8Array> {
  if (protocol === CERTIFICATES_PROTOCOL || random.chance(TRUE_SHARE)) return yield* handler(...asked);
  switch (random.pick(['silence', 'endless', 'nothing', 'garbage', 'well-formed', 'well-formed', 'well-formed'] as const)) {
    case 'silence':
      return await new Promise<never>(() => undefined);
    case 'endless': {
      const frame = new Uint8Array(random.pick([1, 100, ENDLESS_BYTES_MAX]));
      for (;;) yield frame;
    }
    case 'nothing':
      return;
    case 'garbage':
      yield noise(random);
      return;
    case 'well-formed':
      yield* await wellFormedLie(protocol, handler, asked, random);
  }
}

async function wellFormedLie(
  protocol: string,
  handler: RequestHandler,
  [peer, body]: Handled,
  random: SeededRandom,
): Promise<readonly Uint8Array[]> {
  if (protocol === BLOCK_PROTOCOLS.status) return (await framesOf(handler, [peer, body])).map((frame) => wrongStatus(frame, random));
  if (protocol === BLOCK_PROTOCOLS.blockByHash) {
    const [frame] = await framesOf(handler, [peer, body]);
    return frame === undefined ? [noise(random)] : [wrongIn(Block, frame, random)];
  }
  const asked = decodeCanonical(BlocksByRangeRequest, body);
  if (!asked.ok || protocol !== BLOCK_PROTOCOLS.blocksByRange) return [];
  if (random.chance(0.2)) {
    const fromHeight = Math.max(1, asked.value.fromHeight + random.integer(-SHIFT_MAX, SHIFT_MAX));
    return framesOf(handler, [peer, BlocksByRangeRequest.serialize({ ...asked.value, fromHeight })]);
  }
  return random.pick(RANGE_LIES)(await framesOf(handler, [peer, body]), random);
}

/** What a range of blocks can be made into. */
const RANGE_LIES: readonly Liar[] = [
  (frames) => frames.slice(1),
  (frames, random) => frames.slice(0, random.integer(0, frames.length + 1)),
  (frames, random) => frames.toSpliced(random.integer(0, frames.length + 1), 1),
  (frames) => frames.toReversed(),
  (frames, random) => frames.flatMap((frame) => Array.from({ length: random.integer(1, 4) }, () => frame)),
  (frames, random) => replacedAt(frames, random, (frame) => wrongIn(CertifiedBlock, frame, random)),
  (frames, random) => replacedAt(frames, random, (frame) => damaged(random, frame)),
  (frames) => withOthersCertificates(frames),
];

function replacedAt(frames: readonly Uint8Array[], random: SeededRandom, change: (frame: Uint8Array) => Uint8Array): readonly Uint8Array[] {
  const place = random.integer(0, Math.max(1, frames.length));
  return frames.map((frame, index) => (index === place ? change(frame) : frame));
}

// Each block with the certificates of the one before it.
function withOthersCertificates(frames: readonly Uint8Array[]): readonly Uint8Array[] {
  const blocks = frames.flatMap((frame) => {
    const decoded = decodeCanonical(CertifiedBlock, frame);
    return decoded.ok ? [decoded.value] : [];
  });
  return blocks.map(({ block }, place) => {
    const { certificates } = blocks[Math.max(0, place - 1)] as CertifiedBlock;
    return CertifiedBlock.serialize({ block, certificates });
  });
}

/** The value with one of its fields wrong. */
function wrongIn<T>(type: CompositeType<T, unknown, unknown>, frame: Uint8Array, random: SeededRandom): Uint8Array {
  const decoded = decodeCanonical(type, frame);
  return decoded.ok ? type.serialize(random.pick(mutationsOf(type, decoded.value)).value) : damaged(random, frame);
}

function wrongStatus(frame: Uint8Array, random: SeededRandom): Uint8Array {
  const decoded = decodeCanonical(Status, frame);
  if (!decoded.ok) return frame;
  const { committedHeight, round } = decoded.value;
  const further = random.integer(0, 1_000_000);
  return Status.serialize({ ...decoded.value, committedHeight: committedHeight + further, round: round + further });
}

async function framesOf(handler: RequestHandler, asked: Handled): Promise<readonly Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for await (const frame of handler(...asked)) frames.push(frame);
  return frames;
}

// Whoever is asked counts it as an offence, or answers with nothing: what comes back is of no interest.
function askNonsense(own: Network, peer: string, frame: Uint8Array, random: SeededRandom): void {
  const protocol = random.pick([...Object.values(BLOCK_PROTOCOLS), CERTIFICATES_PROTOCOL]);
  const body = random.chance(0.5) ? noise(random) : frame;
  own.request.request(peer, protocol, body, { timeoutMs: REQUEST_TIMEOUT_MS, responseBytesMax: ENDLESS_BYTES_MAX }).catch(() => undefined);
}
