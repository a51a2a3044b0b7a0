// No decoder is forgotten: what the source exports under a decoder's name, what takes the bytes of a row or a file, every SSZ type and every
// file that reads by a schema is run by a target or excepted by name; and each target has a corpus.
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, it } from 'node:test';
import { CORPUS_FOLDER, readCorpus } from './corpus.ts';
import { EXCEPTIONS, TARGETS } from './registry.ts';

const SOURCE = join(import.meta.dirname, '../../src');
const EXPORT = /^export (?:async )?(?:function\*? |const |class )(\w+)(.*)$/gm;
const DECODER = /^(?:decode|parse|read|unpack|deserialize|verify|recover|resolve|open)[A-Z]\w*$|^unpack$|(?:Splitter|Meter)$/;
/** A function that is given the bytes of a row, of a file or of something encoded, whatever its name; a writer's are those that it fills. */
const TAKES_STORED = /^(?:<[^>]*>)?\((?:[^()]*, )?(?:row|stored|file|encoded): Uint8Array/;
const READS_ROW_KEY = /Of[A-Z]\w*Row$/;
const WRITER = /^(?:write|encode)[A-Z]/;
const SCHEMA_IMPORT = "from 'zod'";
const SSZ_TYPE = /^(?:: [^=]+)? = new (?:Container|List|Vector|Bit)\w*Type\(/;

/** Everything that the source exports, as `file#export`, with what stands after the name. */
function exportsOf(text: string, file: string): readonly { readonly name: string; readonly id: string; readonly rest: string }[] {
  return [...text.replace(/\(\n\s+/g, '(').matchAll(EXPORT)].map(([, name = '', rest = '']) => ({ name, id: `${file}#${name}`, rest }));
}

function isDecoder({ name, rest }: { readonly name: string; readonly rest: string }): boolean {
  if (WRITER.test(name)) return false;
  return DECODER.test(name) || READS_ROW_KEY.test(name) || TAKES_STORED.test(rest) || SSZ_TYPE.test(rest);
}

const sources = globSync('**/*.ts', { cwd: SOURCE }).map((path) => ({
  file: path.split(sep).join('/').replace(/\.ts$/, ''),
  text: readFileSync(join(SOURCE, path), 'utf8'),
}));
const exported = sources.flatMap(({ file, text }) => exportsOf(text, file));
const covered = new Set(TARGETS.flatMap(({ covers }) => covers));

describe('the targets of fuzzing', () => {
  it('run every decoder that the source exports, or it is excepted with a reason', () => {
    const decoders = exported.filter(isDecoder).map(({ id }) => id);
    assert.ok(decoders.length > 60, `${decoders.length} decoders found`);
    assert.deepEqual(
      decoders.filter((id) => !covered.has(id) && !EXCEPTIONS.has(id)),
      [],
    );
  });

  it('would miss a new one, whatever it is called', () => {
    const found = exportsOf(
      [
        'export function decodeThing(bytes: Uint8Array) {}',
        'export const Thing = new ContainerType({});',
        'export function thingIn(file: Uint8Array): Thing | undefined {',
        'export function thingOf(instance: Instance, encoded: Uint8Array): Thing {',
        'export function longer(\n  row: Uint8Array,\n): Thing {',
        'export function shardOfThingRow(key: Uint8Array): ChainId {',
        'export function makeThing() {}',
        'export function writeThing(row: Uint8Array) {}',
      ].join('\n'),
      'a/b',
    );
    assert.deepEqual(
      found.filter(isDecoder).map(({ name }) => name),
      ['decodeThing', 'Thing', 'thingIn', 'thingOf', 'longer', 'shardOfThingRow'],
    );
  });

  it('run what reads by a schema, in each file that has one', () => {
    const withSchema = sources.filter(({ text }) => text.includes(SCHEMA_IMPORT)).map(({ file }) => file);
    assert.ok(withSchema.length >= 5, `${withSchema.length} files with schemas found`);
    const judged = new Set([...covered, ...EXCEPTIONS.keys()].map((id) => id.split('#')[0]));
    assert.deepEqual(
      withSchema.filter((file) => !judged.has(file)),
      [],
    );
  });

  it('have a corpus each, which begins with valid encodings, and no corpus is left of a target that is gone', () => {
    const without = TARGETS.filter(({ name }) => readCorpus(name).length === 0).map(({ name }) => name);
    assert.deepEqual(without, [], `npm run fuzz --${without.map((name) => ` --target ${name}`).join('')} makes them`);
    const names = new Set(TARGETS.map(({ name }) => name));
    assert.deepEqual(
      readdirSync(CORPUS_FOLDER).filter((name) => !names.has(name)),
      [],
    );
  });

  it('and the exceptions name what there is, and no target covers what is excepted', () => {
    const ids = new Set(exported.map(({ id }) => id));
    assert.deepEqual(
      [...covered, ...EXCEPTIONS.keys()].filter((id) => !ids.has(id)),
      [],
    );
    assert.deepEqual(
      [...EXCEPTIONS.keys()].filter((id) => covered.has(id)),
      [],
    );
    for (const reason of EXCEPTIONS.values()) assert.ok(reason.length > 20);
  });

  it('have names of their own', () => {
    assert.equal(new Set(TARGETS.map(({ name }) => name)).size, TARGETS.length);
  });
});
