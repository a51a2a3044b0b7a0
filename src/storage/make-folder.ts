// Making a folder with those above it. Node's own way (`recursive: true`) goes round for ever where a folder is there and nothing can be
// made in it for being what it is, such as /proc: the operator would see a command that hangs.
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Makes what is missing of the path; throws what the system says of the first folder that cannot be made. */
export function makeFolder(path: string, mode: number): void {
  const missing: string[] = [];
  let folder = resolve(path);
  while (statSync(folder, { throwIfNoEntry: false }) === undefined) {
    missing.push(folder);
    folder = dirname(folder);
  }
  for (const each of missing.reverse()) {
    try {
      mkdirSync(each, { mode });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // Somebody else made it meanwhile.
    }
  }
}
