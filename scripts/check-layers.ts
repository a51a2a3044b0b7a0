// Checks the layer rules of layer-rules.ts. The cruiser says "no violations" when it could not read a single file (for
// want of a TypeScript parser), so this first asserts that it read every source file, then prints each forbidden import.
import { existsSync, globSync } from 'node:fs';
import { join, sep } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { cruiseOptions, layerRules } from './layer-rules.ts';

/** What a check of the layers found. */
export type LayerReport = {
  /** Source files on disk, and those of them that the cruiser parsed. */
  readonly sourceFiles: number;
  readonly modulesRead: number;
  /** One line for each forbidden import. */
  readonly violations: readonly string[];
};

/** Cruises `src` of the project at `root` under the rules; files that were not read are violations too. */
export async function checkLayers(root: string): Promise<LayerReport> {
  const files = globSync('src/**/*.ts', { cwd: root })
    .map((file) => file.split(sep).join('/'))
    .sort();
  const settings = { ...cruiseOptions, baseDir: root, ruleSet: { forbidden: layerRules }, validate: true };
  const { output } = await cruise(['src'], settings);
  if (typeof output === 'string') throw new Error(`dependency-cruiser reported text: ${output}`);
  const result: ICruiseResult = output;
  const read = new Set(result.modules.map((module) => module.source));
  const unread = files.filter((file) => !read.has(file)).map((file) => `not-read: ${file}`);
  const broken = result.summary.violations.map((violation) => `${violation.rule.name}: ${violation.from} → ${violation.to}`);
  return { sourceFiles: files.length, modulesRead: files.length - unread.length, violations: [...unread, ...broken] };
}

async function main(): Promise<void> {
  const root = join(import.meta.dirname, '..');
  if (!existsSync(join(root, 'src'))) throw new Error(`no source in ${root}`);
  const { sourceFiles, modulesRead, violations } = await checkLayers(root);
  for (const violation of violations) console.error(violation);
  console.log(`layers: ${modulesRead} of ${sourceFiles} source files read, ${violations.length} violations`);
  process.exitCode = sourceFiles > 0 && violations.length === 0 ? 0 : 1;
}

if (import.meta.main) await main();
