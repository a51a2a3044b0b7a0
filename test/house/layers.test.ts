// The layer check itself is checked here: a checker that cannot read the files also reports no violation.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { checkLayers } from '../../scripts/check-layers.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

const folders: string[] = [];

/** Lays a project of the given files into a temporary folder. */
function project(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'coppice-layers-'));
  folders.push(root);
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const number = 'export const one: number = 1;\n';

describe('the layer rules', () => {
  after(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  it('hold for the whole source, every file of it read', async () => {
    const report = await checkLayers(PROJECT);
    assert.deepEqual(report.violations, []);
    assert.ok(report.sourceFiles > 0);
    assert.equal(report.modulesRead, report.sourceFiles);
  });

  it('pass imports that go down', async () => {
    const root = project({
      'src/core/state/tree.ts': "import { one } from '../primitives/ids.ts';\nexport const two = one + 1;\n",
      'src/core/primitives/ids.ts': number,
    });
    assert.deepEqual((await checkLayers(root)).violations, []);
  });

  it('pass a cycle of types alone within a room', async () => {
    const root = project({
      'src/core/state/tree.ts': "import type { B } from './proof.ts';\nexport type A = { readonly b?: B };\n",
      'src/core/state/proof.ts': "import { type A } from './tree.ts';\nexport type B = { readonly a?: A };\n",
    });
    assert.deepEqual((await checkLayers(root)).violations, []);
  });

  const planted: readonly (readonly [string, string, Readonly<Record<string, string>>])[] = [
    [
      'an import that goes up',
      'core-primitives-imports-down-only',
      {
        'src/core/primitives/ids.ts': "import { one } from '../state/tree.ts';\nexport const two = one + 1;\n",
        'src/core/state/tree.ts': number,
      },
    ],
    [
      'an import of a type only that goes up',
      'core-state-imports-down-only',
      {
        'src/core/state/tree.ts': "import type { Level } from '../../storage/level-store.ts';\nexport type Tree = Level;\n",
        'src/storage/level-store.ts': 'export type Level = number;\n',
      },
    ],
    [
      'an import beside: beacon and shard',
      'core-shard-imports-down-only',
      {
        'src/core/shard/load.ts': "import { one } from '../beacon/transition.ts';\nexport const two = one;\n",
        'src/core/beacon/transition.ts': number,
      },
    ],
    [
      'consensus reaching for the state',
      'core-consensus-imports-down-only',
      {
        'src/core/consensus/vote.ts': "import { one } from '../state/tree.ts';\nexport const two = one;\n",
        'src/core/state/tree.ts': number,
      },
    ],
    [
      'node in the core',
      'core-imports-pure-packages-only',
      { 'src/core/state/tree.ts': "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n" },
    ],
    [
      'a cycle',
      'no-cycles',
      {
        'src/core/state/tree.ts': "import { b } from './proof.ts';\nexport const a: number = b;\n",
        'src/core/state/proof.ts': "import { a } from './tree.ts';\nexport const b: number = a;\n",
      },
    ],
    ['a room that nobody has heard of', 'rooms-are-known', { 'src/cli/main.ts': "import '../attic/x.ts';\n", 'src/attic/x.ts': number }],
  ];

  for (const [what, rule, files] of planted) {
    it(`find ${what}`, async () => {
      const { violations } = await checkLayers(project(files));
      assert.ok(
        violations.some((violation) => violation.startsWith(`${rule}: `)),
        `${rule} not among ${JSON.stringify(violations)}`,
      );
    });
  }
});
