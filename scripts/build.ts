// Makes the publishable package's dist/: JavaScript and type declarations from src, relative imports rewritten from .ts to .js.
// Nothing is bundled, so a stack trace in production names the same files as the source.
import { spawnSync } from 'node:child_process';
import { constants, copyFileSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

function main(): void {
  if (process.argv.includes('--help')) {
    console.log('usage: node scripts/build.ts\n\nCompiles src to dist for `npm pack`.');
    return;
  }
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`the compiler ended with ${status}`);
  // What the source reads at run time beside modules: looks and script of a page. None may have the name of a compiled module.
  for (const asset of globSync('**/*.{css,js}', { cwd: join(root, 'src') }))
    copyFileSync(join(root, 'src', asset), join(root, 'dist', asset), constants.COPYFILE_EXCL);
  console.log(`dist: ${globSync('dist/**/*.js', { cwd: root }).length} files`);
}

main();
