// Documents rot silently: every link between them, and from them into the code, must lead somewhere.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { CONFIG_SETTINGS, environmentName } from '../../src/node/config.ts';
import { METRICS } from '../../src/node/metrics.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

const documents = globSync(['*.md', 'docs/**/*.md', 'devnet/**/*.md'], { cwd: PROJECT }).sort();

/** The anchors that headings of a Markdown text get. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Links of a document that lead nowhere. */
function brokenLinks(document: string): string[] {
  const text = readFileSync(join(PROJECT, document), 'utf8').replace(/```[\s\S]*?```/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link ?? '')
    .filter((link) => !/^https?:/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? join(PROJECT, document) : join(PROJECT, dirname(document), path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
    })
    .map((link) => `${document}: ${link}`);
}

describe('the documents', () => {
  it('link only to what exists', () => {
    assert.ok(documents.length >= 8, `only ${documents.length} documents`);
    assert.deepEqual(documents.flatMap(brokenLinks), []);
  });

  it('exist where the source sends its reader', () => {
    const missing = globSync('{src,test,bench,scripts}/**/*.{ts,mjs}', { cwd: PROJECT }).flatMap((file) =>
      (readFileSync(join(PROJECT, file), 'utf8').match(/\bdocs\/[\w/-]+\.md\b/g) ?? [])
        .filter((document) => !existsSync(join(PROJECT, document)))
        .map((document) => `${file}: ${document}`),
    );
    assert.deepEqual(missing, []);
  });

  it('follow a transaction through every step of the code', () => {
    const text = readFileSync(join(PROJECT, 'docs/a-transaction.md'), 'utf8');
    const links = [...text.matchAll(/\]\(\.\.\/(src\/[^)#]+)\)/g)].map(([, file]) => file ?? '');
    assert.ok(links.length >= 12, `only ${links.length} links into src`);
  });

  it('name every room of the source in the README', () => {
    const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
    const rooms = [...globSync('src/*/', { cwd: PROJECT }), ...globSync('src/core/*/', { cwd: PROJECT })].map((room) =>
      room.replace(/\/$/, ''),
    );
    assert.deepEqual(
      rooms.filter((room) => room !== 'src/core' && !readme.includes(`(${room})`) && !readme.includes(`(${room}/)`)),
      [],
    );
  });

  it('tell operators every setting and every metric', () => {
    const text = readFileSync(join(PROJECT, 'docs/operators.md'), 'utf8');
    const settings = CONFIG_SETTINGS.flatMap(({ flag }) => [`--${flag}`, environmentName(flag)]);
    assert.deepEqual(
      [...settings, ...Object.keys(METRICS)].filter((name) => !text.includes(`\`${name}\``)),
      [],
    );
  });
});
