// The load hook of a process that runs mutants, one after the other. What schedules are made of is loaded once as it stands; for each mutant its
// file is loaded again with its patch, and so is whatever imports that file, directly or through others. The rest is shared: no schedule
// leaves anything in a module. Whatever the checks import of production code is loaded as modules of their own, which no
// patch reaches, so that no check runs on what it judges.
import { registerHooks } from 'node:module';
import { MUTANTS } from './catalogue.ts';
import { type Mutant, patched } from './mutant.ts';

const SOURCE = new URL('../../', import.meta.url).href;
const CHECKS = new URL('../checks/', import.meta.url).href;
const ENTRY = new URL('./run-task.ts', import.meta.url).href;
/** In the address of a module that the checks have for themselves, and of one that is loaded for a mutant. */
const PRISTINE = '?pristine';
const OF_MUTANT = '?mutant=';

/** What is loaded again for a mutant. */
interface Reloaded {
  readonly mutant: Mutant;
  readonly file: string;
  readonly addresses: ReadonlySet<string>;
}

/** By address, who imports a module, as everything was loaded without a patch. */
const importersOf = new Map<string, Set<string>>();
const reloadedFor = new Map<string, Reloaded>();

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    const { url } = resolved;
    const parent = context.parentURL ?? '';
    if (!url.startsWith(SOURCE) || !url.endsWith('.ts')) return resolved;
    if (parent.startsWith(CHECKS) || parent.endsWith(PRISTINE))
      return url.startsWith(CHECKS) ? resolved : { ...resolved, url: url + PRISTINE };
    const { mutant: name } = partsOf(parent);
    if (name === undefined) {
      importersOf.set(url, (importersOf.get(url) ?? new Set()).add(parent));
      return resolved;
    }
    return reloadedFor.get(name)?.addresses.has(url) === true ? { ...resolved, url: addressFor(name, url) } : resolved;
  },
  load(url, context, nextLoad) {
    const { mutant: name, address } = partsOf(url);
    const loaded = nextLoad(address, context);
    const reloaded = name === undefined ? undefined : reloadedFor.get(name);
    if (reloaded === undefined || reloaded.file !== address) return loaded;
    if (loaded.source === undefined || loaded.source === null) throw new Error(`${address} was loaded without its source`);
    return { ...loaded, source: patched(reloaded.mutant, textOf(loaded.source)) };
  },
});

/** What runs the tasks of the mutant of this name, or of none where it is empty. */
export async function loadFor(name: string): Promise<typeof import('./run-task.ts')> {
  const asItStands = (await import(ENTRY)) as typeof import('./run-task.ts');
  if (name === '') return asItStands;
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined) throw new Error(`no mutant is named ${name}`);
  const file = new URL(`../../../${mutant.file}`, import.meta.url).href;
  const addresses = new Set([file]);
  for (const address of addresses) for (const importer of importersOf.get(address) ?? []) addresses.add(importer);
  if (!addresses.has(ENTRY)) throw new Error(`no schedule imports ${mutant.file}, which ${name} patches`);
  reloadedFor.set(name, { mutant, file, addresses });
  return (await import(addressFor(name, ENTRY))) as typeof import('./run-task.ts');
}

function addressFor(name: string, address: string): string {
  return address + OF_MUTANT + name;
}

function partsOf(url: string): { readonly address: string; readonly mutant: string | undefined } {
  const [address = url, mutant] = url.split(OF_MUTANT);
  return { address, mutant };
}

function textOf(source: string | ArrayBuffer | NodeJS.TypedArray): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source);
}
