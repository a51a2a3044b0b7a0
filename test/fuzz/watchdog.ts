// Watches from a thread of its own that no input takes for ever or all memory, which the thread that is busy with it could not tell: it
// writes the input to standard error and ends the process.
import { Worker } from 'node:worker_threads';
import { INPUT_BYTES_MAX } from './mutate.ts';

/** An input may take so long before it counts as endless. */
const ENDLESS_MS = 15_000;
/** The process may grow by so much. */
export const GROWTH_BYTES_MAX = 1024 * 1024 * 1024;

const NAME_BYTES_MAX = 64;
/** Two 32-bit words: the number of the input under way, 0 between two, and its length; then the target's name, and the input. */
export const WATCH_LAYOUT = { nameAt: 8, inputAt: 8 + NAME_BYTES_MAX, bytes: 8 + NAME_BYTES_MAX + INPUT_BYTES_MAX } as const;

/** Told of each input before and after it is judged. */
export interface Watch {
  begin(target: string, input: Uint8Array): void;
  end(): void;
  stop(): Promise<void>;
}

/** What the thread is given. */
export interface WatchTask {
  readonly shared: SharedArrayBuffer;
  readonly endlessMs: number;
}

/** Begins to watch this process. */
export function startWatch(endlessMs = ENDLESS_MS): Watch {
  const shared = new SharedArrayBuffer(WATCH_LAYOUT.bytes);
  const words = new Int32Array(shared, 0, 2);
  const bytes = new Uint8Array(shared);
  const worker = new Worker(new URL('./watchdog-worker.ts', import.meta.url), { workerData: { shared, endlessMs } satisfies WatchTask });
  worker.unref();
  let number = 0;
  return {
    begin(target, input) {
      bytes.fill(0, WATCH_LAYOUT.nameAt, WATCH_LAYOUT.inputAt);
      bytes.set(new TextEncoder().encode(target).subarray(0, NAME_BYTES_MAX), WATCH_LAYOUT.nameAt);
      bytes.set(input.subarray(0, INPUT_BYTES_MAX), WATCH_LAYOUT.inputAt);
      Atomics.store(words, 1, Math.min(input.length, INPUT_BYTES_MAX));
      number = (number % 0x7fff_ffff) + 1;
      Atomics.store(words, 0, number);
    },
    end: () => {
      Atomics.store(words, 0, 0);
    },
    stop: async () => {
      await worker.terminate();
    },
  };
}
