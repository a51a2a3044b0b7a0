// Which inputs reach code of `src` that no input before them reached: V8's own counts of blocks, taken after each run of inputs and, where there
// is something new, again while the inputs behind it are searched for. Makes a run some ten times slower, so only the first turns of
// long runs do it.
import { Session } from 'node:inspector/promises';
import type { FuzzOptions } from './engine.ts';

/** Inputs that are looked for in one run of them at most, and for how long. */
const COVERING_MAX = 8;
const SEARCH_MS = 1_000;

const SOURCE = new URL('../../src/', import.meta.url).href;

/** Watches this process from now on. */
export interface Coverage {
  readonly find: NonNullable<FuzzOptions['findCovering']>;
  /** Blocks of code that ran so far. */
  readonly blocks: number;
  stop(): Promise<void>;
}

/** Begins to count. */
export async function startCoverage(): Promise<Coverage> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const seen = new Set<string>();

  /** Blocks that ran since the last call, and never before it. */
  const take = async (): Promise<readonly string[]> => {
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const fresh: string[] = [];
    for (const { url, functions } of result) {
      if (!url.startsWith(SOURCE)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          const block = `${url} ${startOffset} ${endOffset}`;
          if (count > 0 && !seen.has(block)) fresh.push(block);
        }
      }
    }
    return fresh;
  };

  return {
    get blocks() {
      return seen.size;
    },
    async find(inputs, run) {
      const fresh = new Set(await take());
      const covering: Uint8Array[] = [];
      const endMs = performance.now() + SEARCH_MS;
      // Half by half: a look at the counts costs more than a hundred inputs.
      const search = async (among: readonly Uint8Array[]): Promise<void> => {
        const middle = among.length >>> 1;
        for (const half of [among.slice(0, middle), among.slice(middle)]) {
          if (half.length === 0 || fresh.size === 0 || covering.length === COVERING_MAX || performance.now() > endMs) continue;
          for (const input of half) await run(input);
          const reached = (await take()).filter((block) => fresh.has(block));
          if (reached.length === 0) continue;
          if (half.length > 1) {
            await search(half);
            continue;
          }
          covering.push(...half);
          for (const block of reached) {
            fresh.delete(block);
            seen.add(block);
          }
        }
      };
      await search(inputs);
      for (const block of fresh) seen.add(block);
      return covering;
    },
    async stop() {
      await session.post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}
