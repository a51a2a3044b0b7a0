// What a runner publishes on its consensus topic. Messages that come in one go travel in one frame: a gossiped frame costs hundreds
// of microseconds wherever it lands, whatever its size.
import { packedSize, packMessages } from '../network/coalesce.ts';
import type { PubSub } from '../network/ports.ts';

/** Bytes of one frame; larger single messages go alone. */
const FRAME_BYTES_MAX = 256 * 1024;
/** Messages of one frame. */
export const FRAME_MESSAGES_MAX = 256;

/** See the file's head. */
export class GossipOutbox {
  readonly #pubSub: PubSub;
  readonly #topic: string;
  readonly #onFault: (fault: unknown) => void;
  readonly #onSilence: () => void;
  #queued: Uint8Array[] = [];

  /** `onSilence`: nobody heard a frame. `onFault`: it could not be published. */
  constructor(pubSub: PubSub, topic: string, listeners: { readonly onFault: (fault: unknown) => void; readonly onSilence: () => void }) {
    this.#pubSub = pubSub;
    this.#topic = topic;
    this.#onFault = listeners.onFault;
    this.#onSilence = listeners.onSilence;
  }

  /** Publishes with whatever else is sent before the next turn of the event loop. */
  send(message: Uint8Array): void {
    this.#queued.push(message);
    if (this.#queued.length === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    const messages = this.#queued;
    this.#queued = [];
    let frame: Uint8Array[] = [];
    let frameBytes = 0;
    for (const message of messages) {
      const bytes = packedSize(message);
      if (frame.length > 0 && (frameBytes + bytes > FRAME_BYTES_MAX || frame.length >= FRAME_MESSAGES_MAX)) {
        this.#publish(frame);
        frame = [];
        frameBytes = 0;
      }
      frame.push(message);
      frameBytes += bytes;
    }
    if (frame.length > 0) this.#publish(frame);
  }

  #publish(frame: readonly Uint8Array[]): void {
    this.#pubSub.publish(this.#topic, packMessages(frame)).then(({ recipients }) => {
      if (recipients === 0) this.#onSilence();
    }, this.#onFault);
  }
}
