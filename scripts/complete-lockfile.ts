// Adds to package-lock.json the platform packages that npm left out. npm writes only those optional packages that the registry
// answered for while it resolved (and, from an installed node_modules, only this machine's); `npm ci` then refuses the lock file
// as out of step. Run it after every change of dependencies: node scripts/complete-lockfile.ts [--check]
//
// An entry made here carries the exact version that its parent pins, and the platform read off its name; it has no integrity
// hash, because nothing was downloaded. npm fills that in when it installs the package on such a platform.
//
// And it takes `engines` away from optional packages: npm leaves out, without a word, an optional package that does not name the
// Node that npm runs on, though all of this runs on the Node that comes as a package. Hardhat then lacks its native part on Node 20.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

type LockedPackage = {
  readonly version?: string;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
};

/** The part of package-lock.json (version 3) that matters here. */
export type Lockfile = { readonly packages: Readonly<Record<string, LockedPackage>> };

const OPERATING_SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS: Readonly<Record<string, string>> = {
  amd64: 'x64',
  x64: 'x64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
};

/** The platform packages that the lock file's packages name and that it has no entry for, ready to be added. */
export function missingPlatformPackages(lockfile: Lockfile): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {};
  for (const parent of Object.values(lockfile.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      const platform = platformOf(name);
      if (platform === undefined || lockfile.packages[path] !== undefined) continue;
      missing[path] = { version, ...platform, ...(parent.dev === true ? { dev: true } : {}), optional: true };
    }
  }
  return missing;
}

/** Paths of optional packages that npm would leave out on an older Node. */
export function optionalPackagesWithEngines(lockfile: Lockfile): string[] {
  return Object.entries(lockfile.packages)
    .filter(([, { optional, engines }]) => optional === true && engines?.['node'] !== undefined)
    .map(([path]) => path);
}

/** The `os`, `cpu` and `libc` that a name like `binding-linux-arm64-musl` stands for; `undefined` for other names. */
function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> | undefined {
  const words = name.split('-');
  const system = words.find((word) => OPERATING_SYSTEMS.includes(word.split('/').at(-1) ?? ''));
  const processor = words.map((word) => PROCESSORS[word]).find((word) => word !== undefined);
  if (system === undefined || processor === undefined) return undefined;
  const libc = words.includes('musl') ? 'musl' : words.includes('gnu') ? 'glibc' : undefined;
  return { os: [system], cpu: [processor], ...(libc === undefined ? {} : { libc: [libc] }) };
}

function withoutEngines({ engines: _engines, ...rest }: LockedPackage): LockedPackage {
  return rest;
}

function main(): void {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    console.log('usage: node scripts/complete-lockfile.ts [--check]\n\nAdds the platform packages that npm left out of package-lock.json.');
    return;
  }
  const file = join(import.meta.dirname, '..', 'package-lock.json');
  const lockfile: Lockfile = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingPlatformPackages(lockfile);
  const names = Object.keys(missing);
  console.log(`${names.length} platform packages missing from package-lock.json${names.length > 0 ? `: ${names.join(', ')}` : ''}`);
  const restricted = optionalPackagesWithEngines(lockfile);
  console.log(
    `${restricted.length} optional packages ask for a Node of their own${restricted.length > 0 ? `: ${restricted.join(', ')}` : ''}`,
  );
  if (values.check) {
    process.exitCode = names.length + restricted.length > 0 ? 1 : 0;
    return;
  }
  const packages = Object.fromEntries(
    Object.entries({ ...lockfile.packages, ...missing })
      .map(([path, locked]) => [path, restricted.includes(path) ? withoutEngines(locked) : locked] as const)
      .sort(([a], [b]) => (a < b ? -1 : Number(a > b))),
  );
  writeFileSync(file, `${JSON.stringify({ ...lockfile, packages }, null, 2)}\n`);
}

if (import.meta.main) main();
