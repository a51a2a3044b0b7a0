// The engine finds what is there to be found, and finds it again from the same seed: an engine that finds nothing would pass for clean code.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FuzzFailure, fuzz } from './engine.ts';
import { type FuzzTarget, judgeCanonical, judgeRow } from './target.ts';

const EXECUTIONS = 3_000;

/** Four bytes of length, little-endian, and so many bytes; `judge` is what a test gets wrong. */
function lengthPrefixed(judge: FuzzTarget['judge']): FuzzTarget {
  return {
    name: 'length-prefixed',
    covers: [],
    executions: EXECUTIONS,
    generate: (random) => {
      const length = random.integer(0, 40);
      return Uint8Array.of(length, 0, 0, 0, ...new Uint8Array(length).fill(7));
    },
    judge,
  };
}

function lengthOf(bytes: Uint8Array): number {
  return bytes.length < 4 ? Number.NaN : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

async function failureOf(target: FuzzTarget, seed = 1): Promise<FuzzFailure> {
  try {
    await fuzz(target, { seed, corpus: [], executions: EXECUTIONS });
  } catch (error) {
    assert.ok(error instanceof FuzzFailure);
    return error;
  }
  return assert.fail('nothing was found');
}

describe('the engine', () => {
  it('finds an encoding that is not canonical: bytes after the end', async () => {
    const target = lengthPrefixed((bytes) => {
      const length = lengthOf(bytes);
      const value = length + 4 <= bytes.length ? length : undefined;
      const verdict = value === undefined ? ({ ok: false, reason: 'short', detail: '' } as const) : ({ ok: true, value } as const);
      return judgeCanonical(bytes, verdict, (count) => Uint8Array.of(count, 0, 0, 0, ...bytes.subarray(4, 4 + count)));
    });
    const failure = await failureOf(target);
    assert.match(failure.message, /re-encodes to the same bytes/);
    assert.ok(failure.input.length <= 8, 'made small');
    assert.deepEqual((await failureOf(target)).input, failure.input, 'the same seed finds the same');
    assert.match(failure.message, /seed 1, input \d+/);
  });

  it('finds an error of the language, and takes a broken promise for none', async () => {
    const crash = lengthPrefixed((bytes) =>
      judgeRow(
        bytes,
        (row) => new DataView(row.buffer, row.byteOffset, lengthOf(row)),
        () => bytes,
      ),
    );
    assert.match((await failureOf(crash)).message, /RangeError: Invalid DataView length/);
    const promise = lengthPrefixed((bytes) =>
      judgeRow(
        bytes,
        () => {
          throw new Error('invariant broken: it is so');
        },
        () => bytes,
      ),
    );
    const report = await fuzz(promise, { seed: 1, corpus: [], executions: 100 });
    assert.deepEqual([...report.outcomes.keys()], ['refused invariant: invariant broken: it is so']);
  });

  it('finds an input that takes too long', async () => {
    const slow = lengthPrefixed((bytes) => {
      const end = performance.now() + (lengthOf(bytes) > 2 ** 31 ? 60 : 0);
      while (performance.now() < end);
      return 'done';
    });
    assert.match((await failureOf({ ...slow, slowestMs: 50 })).message, /took \d+ ms/);
  });

  it('tries the corpus first', async () => {
    const corpus = [{ name: 'found', bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) }];
    const target = lengthPrefixed((bytes) => (bytes.length === 9 && bytes[8] === 9 ? assert.fail('there it is') : 'fine'));
    await assert.rejects(fuzz(target, { seed: 1, corpus, executions: 0 }), /input 1: AssertionError.*there it is/s);
  });

  it('is ended from outside by an input that never ends', { timeout: 60_000 }, () => {
    const { status, signal, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'endless-process.ts')], {
      encoding: 'utf8',
      timeout: 40_000,
    });
    assert.equal(status, null);
    assert.equal(signal, 'SIGKILL');
    assert.match(stderr, /fuzz: endless takes more than \d+ ms on the input 0a0b\n/);
  });
});
