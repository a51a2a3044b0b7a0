// Every mutant type-checks: one run of the compiler over all patched files, each beside the unpatched rest of the source. A patched file may not
// change what it declares either, so that whatever imports it checks as before.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, parse } from 'node:path';
import { type Mutant, patched } from './mutant.ts';

const COMPILER = 'node_modules/typescript/bin/tsc';
const TIMEOUT_MS = 120_000;

/** What the compiler says against the mutants, nothing if all is well. `root` is the project's folder; throws where a patch does not fit. */
export function typeFaultsOf(mutants: readonly Mutant[], root: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-mutants-'));
  try {
    return check(mutants, root, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// The compiler takes the folders of `rootDirs` for one: an import that a mutant's folder does not have is found in the project.
function check(mutants: readonly Mutant[], root: string, folder: string): readonly string[] {
  const folders = mutants.map(({ name }) => join(folder, 'mutants', name));
  const files = mutants.map((mutant, index) => {
    const path = join(folders[index] as string, mutant.file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, patched(mutant, readFileSync(join(root, mutant.file), 'utf8')));
    return path;
  });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  const outDir = join(folder, 'declarations');
  const rootDir = parse(root).root;
  const compilerOptions = { rootDirs: [root, ...folders], rootDir, outDir, noEmit: false, declaration: true, emitDeclarationOnly: true };
  // The rest of the source too: what a room adds to a type of another counts everywhere.
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [join(root, 'src'), ...folders] };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [join(root, COMPILER), '-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  if (error !== undefined) throw error;
  if (status !== 0) return `${stdout}${stderr}`.trim().split('\n');
  const declarationOf = (path: string): string => readFileSync(join(outDir, path.slice(rootDir.length).replace(/\.ts$/, '.d.ts')), 'utf8');
  return mutants.flatMap(({ name, file }, index) =>
    declarationOf(files[index] as string) === declarationOf(join(root, file))
      ? []
      : [`${name}: ${file} declares other types than without the patch`],
  );
}
