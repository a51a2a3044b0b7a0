// What package.json promises: commands that exist, versions that stand still, and a lock file that `npm ci` takes everywhere.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Lockfile, missingPlatformPackages, optionalPackagesWithEngines } from '../../scripts/complete-lockfile.ts';
import { PARTS } from '../../scripts/run-tests.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

interface Manifest {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as Manifest;

describe('package.json', () => {
  it('has the commands that the documents name', () => {
    const documented = [
      'check',
      'test',
      'test:unit',
      'test:conformance',
      'test:processes',
      'test:system',
      'devnet',
      'build',
      'bench',
      'bench:devnet',
      'soak:kill9',
      'soak:epochs',
    ];
    assert.deepEqual(
      documented.filter((name) => manifest.scripts[name] === undefined),
      [],
    );
  });

  it('names only files that exist', () => {
    const commands = [...Object.values(manifest.scripts), ...Object.values(manifest.bin)].join(' ');
    const files = commands.match(/[\w./-]+\.(?:ts|mjs)\b/g) ?? [];
    assert.ok(files.length > 0);
    assert.deepEqual(
      files.filter((file) => !existsSync(join(PROJECT, file))),
      [],
    );
  });

  it('pins every dependency to one version', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    assert.deepEqual(
      Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)),
      [],
    );
  });

  it('has a line for every dependency in docs/dependencies.md', () => {
    const text = readFileSync(join(PROJECT, 'docs/dependencies.md'), 'utf8');
    const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    assert.deepEqual(
      names.filter((name) => !text.includes(`\`${name}\``)),
      [],
    );
  });

  it('has its version in the change log', () => {
    assert.ok(readFileSync(join(PROJECT, 'CHANGELOG.md'), 'utf8').includes(`## ${manifest.version}`));
  });

  it('has a lock file with the packages of every platform', () => {
    const lockfile = JSON.parse(readFileSync(join(PROJECT, 'package-lock.json'), 'utf8')) as Lockfile;
    assert.deepEqual(Object.keys(missingPlatformPackages(lockfile)), [], 'run node scripts/complete-lockfile.ts');
    assert.deepEqual(optionalPackagesWithEngines(lockfile), [], 'run node scripts/complete-lockfile.ts');
  });
});

describe('the test suite', () => {
  it('is run by npm test in all its parts', () => {
    assert.equal(manifest.scripts['test'], `node scripts/run-tests.ts ${Object.keys(PARTS).join(' ')}`);
  });

  it('runs every test file in exactly one part', () => {
    const files = globSync('test/**/*.test.ts', { cwd: PROJECT }).sort();
    const inParts = Object.values(PARTS)
      .flatMap((part) => globSync(part.pattern, { cwd: PROJECT }))
      .sort();
    assert.deepEqual(inParts, files);
  });
});
