// A data directory that cannot be one: asked for all commands before they begin, because each would fail somewhere else in it.
import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CoppiceError } from '../core/primitives/errors.ts';

/** Throws `config/invalid` when the path, or what it lies below, is there and is no folder. */
export function requireFolder(path: string, flag: string): void {
  let existing = resolve(path);
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  if (statSync(existing).isDirectory()) return;
  throw new CoppiceError('config/invalid', { source: `${flag} ${path}`, detail: `${existing} is a file, not a folder; name another` });
}
