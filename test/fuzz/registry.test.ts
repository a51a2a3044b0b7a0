// No decoder is forgotten: what the source exports under a decoder's name, and every SSZ type, is run by a target or excepted by name.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, it } from 'node:test';
import { EXCEPTIONS, TARGETS } from './registry.ts';

const SOURCE = join(import.meta.dirname, '../../src');
const EXPORT = /^export (?:async )?(?:function\*? |const |class )(\w+)(.*)$/gm;
const DECODER = /^(?:decode|parse|read|unpack|deserialize|verify|recover|resolve|open)[A-Z]\w*$|^unpack$|(?:Splitter|Meter)$/;
const SSZ_TYPE = /^(?:: [^=]+)? = new (?:Container|List|Vector|Bit)\w*Type\(/;

/** Everything that the source exports, as `file#export`, with what stands after the name. */
function exportsOf(text: string, file: string): readonly { readonly name: string; readonly id: string; readonly rest: string }[] {
  return [...text.matchAll(EXPORT)].map(([, name = '', rest = '']) => ({ name, id: `${file}#${name}`, rest }));
}

function isDecoder({ name, rest }: { readonly name: string; readonly rest: string }): boolean {
  return DECODER.test(name) || SSZ_TYPE.test(rest);
}

const exported = globSync('**/*.ts', { cwd: SOURCE }).flatMap((path) => {
  const file = path.split(sep).join('/').replace(/\.ts$/, '');
  return exportsOf(readFileSync(join(SOURCE, path), 'utf8'), file);
});
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

  it('would miss a new one', () => {
    const found = exportsOf(
      'export function decodeThing(bytes: Uint8Array) {}\nexport const Thing = new ContainerType({});\nexport function makeThing() {}',
      'a/b',
    );
    assert.deepEqual(
      found.filter(isDecoder).map(({ id }) => id),
      ['a/b#decodeThing', 'a/b#Thing'],
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
