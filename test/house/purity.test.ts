// Real time, randomness and the disk live in adapters only; everything else gets them through ports, so that a simulator can
// run it. And no word of our own escapes the house rules on names. The lists below are the whole of the exceptions.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { describe, it } from 'node:test';

const PROJECT = join(import.meta.dirname, '..', '..');

/** Source files that may touch the machine directly: each the beginning of a path. */
const ADAPTERS = [
  'src/cli/',
  'src/network/',
  'src/node/',
  'src/rpc/server',
  'src/runtime/clock.ts',
  'src/runtime/random.ts',
  'src/runtime/worker-pool.ts',
  'src/simulation/command-line.ts',
  'src/simulation/crew.ts',
  'src/simulation/failure-files.ts',
  'src/simulation/main.ts',
  'src/simulation/twins/main.ts',
  'src/simulation/mutants/main.ts',
  'src/simulation/mutants/mutant-crew.ts',
  'src/simulation/mutants/type-check.ts',
  'src/storage/data-directory.ts',
  'src/storage/kept-log.ts',
  'src/storage/level-store.ts',
  'src/storage/make-folder.ts',
  'src/storage/node-file-store.ts',
];

/** What only adapters may say. Types and injected functions of the same name are matched by none of these. */
const FORBIDDEN: readonly (readonly [string, RegExp])[] = [
  ['real time', /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bprocess\.(?:hrtime|uptime)\b/],
  // setImmediate only gives others their turn.
  ['a real timer', /(?<![.\w])(?:setTimeout|setInterval)\(|import \{(?! setImmediate \})[^}]*\} from 'node:timers/],
  ['randomness', /\bMath\.random\(|\brandomBytes\(|\brandomUUID\(|\bgetRandomValues\(/],
  ['the disk', /\bfrom 'node:fs(?:\/promises)?'/],
  ['a socket', /\bfrom 'node:(?:net|http|https|dgram|tls)'/],
];

/** Names that say nothing about the subject of a file. */
const EMPTY_NAMES = ['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'manager', 'index'];

const LINES_MAX = 400;

function filesUnder(pattern: string): string[] {
  return globSync(pattern, { cwd: PROJECT, exclude: ['node_modules/**', 'dist/**'] })
    .map((file) => file.split(sep).join('/'))
    .sort();
}

/** The text of a file without comments, so that a rule may be named where it is explained. */
function codeOf(file: string): string {
  return readFileSync(join(PROJECT, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** Each forbidden thing that a file says. */
function impurities(code: string): string[] {
  return FORBIDDEN.filter(([, pattern]) => pattern.test(code)).map(([what]) => what);
}

describe('the source', () => {
  const sources = filesUnder('src/**/*.ts');

  it('touches clock, timers, randomness, disk and sockets in the adapters only', () => {
    assert.ok(sources.length > 0);
    const found = sources
      .filter((file) => !ADAPTERS.some((adapter) => file.startsWith(adapter)))
      .flatMap((file) => impurities(codeOf(file)).map((what) => `${file}: ${what}`));
    assert.deepEqual(found, []);
  });

  it('would be caught doing so', () => {
    assert.deepEqual(impurities('const now = Date.now();'), ['real time']);
    assert.deepEqual(impurities('setTimeout(() => stop(), 5);'), ['a real timer']);
    assert.deepEqual(impurities('clock.setTimeout(stop, 5);'), []);
    assert.deepEqual(impurities('const r = Math.random();'), ['randomness']);
    assert.deepEqual(impurities("import { readFileSync } from 'node:fs';"), ['the disk']);
    assert.deepEqual(impurities("import { createServer } from 'node:net';"), ['a socket']);
  });

  it('names each file by its subject, in kebab-case', () => {
    const badly = [...sources, ...filesUnder('{test,bench,scripts}/**/*.ts')].filter((file) => {
      const words = file.replace(/(?:\.test|\.config)?\.ts$/, '').split('/');
      return words.some((word) => EMPTY_NAMES.includes(word)) || !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(words.at(-1) ?? '');
    });
    assert.deepEqual(badly, []);
  });

  it(`keeps each file within ${LINES_MAX} lines, opened by a comment on what it is`, () => {
    const badly = sources.flatMap((file) => {
      const text = readFileSync(join(PROJECT, file), 'utf8');
      const lines = text.split('\n').length - 1;
      return [...(lines > LINES_MAX ? [`${file}: ${lines} lines`] : []), ...(/^(?:\/\/|\/\*)/.test(text) ? [] : [`${file}: no comment`])];
    });
    assert.deepEqual(badly, []);
  });

  it('promises nothing for later', () => {
    const marks = /\b(?:TODO|FIXME|XXX|HACK)\b/;
    const files = [...sources, ...filesUnder('{test,bench,scripts}/**/*.ts')].filter((file) => basename(file) !== 'purity.test.ts');
    assert.deepEqual(
      files.filter((file) => marks.test(readFileSync(join(PROJECT, file), 'utf8'))),
      [],
    );
  });
});
