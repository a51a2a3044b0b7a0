// A data directory that cannot be one: asked for all commands before they begin, because each would fail somewhere else in it.
import { existsSync, readlinkSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CoppiceError } from '../core/primitives/errors.ts';

/** Throws `config/invalid` when the path, or what it lies below, is there and is no folder, or is a link to nothing. */
export function requireFolder(path: string, flag: string): void {
  const fault = (detail: string): CoppiceError => new CoppiceError('config/invalid', { source: `${flag} ${path}`, detail });
  let existing = resolve(path);
  // A link to nothing counts as not there for `existsSync`, and nothing can be made in its place.
  while (!existsSync(existing) && dirname(existing) !== existing) {
    const target = linkTarget(existing);
    if (target !== undefined) throw fault(`${existing} is a link to ${target}, which is not there; make that folder, or name another`);
    existing = dirname(existing);
  }
  if (!statSync(existing).isDirectory()) throw fault(`${existing} is a file, not a folder; name another`);
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // No link, or nothing at all.
  }
}
