// The load hook of a mutated process: `--import` this file with the mutant's name in COPPICE_MUTANT. Production code is loaded with the
// mutant's patch; whatever the checks import of it is loaded a second time as it stands, as modules of their own, so that
// no check runs on what it judges. Without a name nothing is patched, and the checks have their own modules all the same.
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { MUTANTS } from './catalogue.ts';
import { type Mutant, patched } from './mutant.ts';

const SOURCE = new URL('../../', import.meta.url).href;
const CHECKS = new URL('../checks/', import.meta.url).href;
/** In the address of a module that the checks have for themselves. */
const PRISTINE = '?pristine';

const name = process.env['COPPICE_MUTANT'] ?? '';
const mutant = MUTANTS.find((each) => each.name === name);
if (name !== '' && mutant === undefined) throw new Error(`no mutant is named ${name}`);
install(mutant);

function install(chosen: Mutant | undefined): void {
  const target = chosen === undefined ? undefined : new URL(`../../../${chosen.file}`, import.meta.url).href;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const parent = context.parentURL ?? '';
      const isOfChecks = parent.startsWith(CHECKS) || parent.endsWith(PRISTINE);
      const isOurs = resolved.url.startsWith(SOURCE) && !resolved.url.startsWith(CHECKS) && resolved.url.endsWith('.ts');
      return isOfChecks && isOurs ? { ...resolved, url: resolved.url + PRISTINE } : resolved;
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (chosen === undefined || url !== target) return loaded;
      if (loaded.source === undefined || loaded.source === null) throw new Error(`${fileURLToPath(url)} was loaded without its source`);
      return { ...loaded, source: patched(chosen, textOf(loaded.source)) };
    },
  });
}

function textOf(source: string | ArrayBuffer | NodeJS.TypedArray): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source);
}
