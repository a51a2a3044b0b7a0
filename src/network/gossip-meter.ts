// Reads along with what a peer sends on its gossip stream, before gossipsub does. gossipsub drops a frame that does not decode
// without a word, and an oversized one silences the peer for good while its connection stays up; here both are seen and
// attributed. It walks the outermost layer only (a varint length, then protobuf fields 1 to 3, each with a length; the
// gossipsub specification's `RPC`) and keeps a few numbers, never bytes: 1 MiB costs a handful of steps.
//
// Whatever it objects to, no honest node of ours can send.
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';

/** Why a gossip stream is not one. */
export type GossipFault = 'gossip-frame-too-large' | 'gossip-frame-malformed';

const VARINT_BYTES_MAX = 5;
/** Field 2 of `RPC`: a published message. */
const TAG_MESSAGE = 0x12;
/** Fields 1 (subscriptions), 2 (messages) and 3 (control), all with a length. */
const TAGS: ReadonlySet<number> = new Set([0x0a, TAG_MESSAGE, 0x1a]);

type Expected = 'frame-length' | 'tag' | 'field-length' | 'field';

/** Follows one inbound gossip stream. */
export class GossipMeter {
  readonly #frameBytesMax: number;
  #expected: Expected = 'frame-length';
  #frameLeft = 0;
  #fieldLeft = 0;
  #varint = 0;
  #varintBytes = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Follows the next bytes; says how many frames and messages began in them, which is what a rate limit counts. */
  feed(chunk: Uint8Array): Verdict<number, GossipFault> {
    let items = 0;
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#expected === 'field') {
        const taken = Math.min(this.#fieldLeft, chunk.length - offset);
        offset += taken;
        this.#fieldLeft -= taken;
        if (this.#fieldLeft === 0) this.#expected = this.#frameLeft === 0 ? 'frame-length' : 'tag';
        continue;
      }
      const step = this.#step(chunk[offset] as number);
      if (!step.ok) return step;
      items += step.value;
      offset++;
    }
    return accept(items);
  }

  #step(byte: number): Verdict<number, GossipFault> {
    if (this.#expected === 'tag') {
      this.#frameLeft--;
      if (!TAGS.has(byte) || this.#frameLeft === 0) return refuse('gossip-frame-malformed', `tag ${byte}`);
      this.#expected = 'field-length';
      return accept(byte === TAG_MESSAGE ? 1 : 0);
    }
    if (this.#expected === 'field-length') this.#frameLeft--;
    if (this.#varintBytes === VARINT_BYTES_MAX) return refuse('gossip-frame-malformed', 'an endless length');
    this.#varint += (byte & 0x7f) * 2 ** (7 * this.#varintBytes);
    this.#varintBytes++;
    if (byte > 0x7f) {
      return this.#expected === 'field-length' && this.#frameLeft === 0 ? refuse('gossip-frame-malformed', 'a cut length') : accept(0);
    }
    const length = this.#varint;
    this.#varint = 0;
    this.#varintBytes = 0;
    return this.#expected === 'field-length' ? this.#beginField(length) : this.#beginFrame(length);
  }

  #beginFrame(length: number): Verdict<number, GossipFault> {
    if (length > this.#frameBytesMax) return refuse('gossip-frame-too-large', `${length} bytes of at most ${this.#frameBytesMax}`);
    this.#frameLeft = length;
    this.#expected = length === 0 ? 'frame-length' : 'tag';
    return accept(1);
  }

  #beginField(length: number): Verdict<number, GossipFault> {
    if (length > this.#frameLeft) return refuse('gossip-frame-malformed', `a field of ${length} bytes, ${this.#frameLeft} left`);
    this.#frameLeft -= length;
    this.#fieldLeft = length;
    this.#expected = length > 0 ? 'field' : this.#frameLeft === 0 ? 'frame-length' : 'tag';
    return accept(0);
  }
}
