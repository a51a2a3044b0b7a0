// Effects in another family come with messages of their own: whoever wants to see one looks until it is there.
import { setTimeout as wait } from 'node:timers/promises';

const POLL_MS = 50;
const WAIT_MS_MAX = 30_000;

/** Waits until `read` gives something that `isThere`; throws with what it gave last. */
export async function eventually<T>(what: string, read: () => Promise<T>, isThere: (value: T) => boolean): Promise<T> {
  const endMs = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const value = await read();
    if (isThere(value)) return value;
    if (performance.now() > endMs) throw new Error(`${what} did not come; the last look gave ${String(value)}`);
    await wait(POLL_MS);
  }
}
