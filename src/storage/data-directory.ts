// A node's folder: `LOCK config.json genesis.json keys/ signing/ db/ era/ log/`. Two processes with one validator's keys could sign two
// conflicting things, so the folder belongs to one process at a time.
//
// The lock is the kernel's (fcntl, through SQLite, the only lock that Node offers without native code): it falls with the process,
// also at `kill -9`, and so needs no guess about which process ids are still alive. LOCK itself stays an empty file; who holds it
// stands beside it in LOCK.holder, for the message only.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CoppiceError } from '../core/primitives/errors.ts';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const SQLITE_BUSY = 5;

/** Where things lie in a node's folder. */
export interface DataDirectoryLayout {
  readonly root: string;
  readonly lock: string;
  readonly config: string;
  readonly genesis: string;
  readonly keys: string;
  readonly signing: string;
  readonly database: string;
  readonly era: string;
  readonly log: string;
}

/** A folder that this process holds. */
export interface DataDirectory {
  readonly layout: DataDirectoryLayout;
  /** Lets the next process in. The kernel does it when the process ends in any other way. */
  release(): void;
}

/** The paths of the folder at `path`, whether or not it exists. */
export function dataDirectoryLayout(path: string): DataDirectoryLayout {
  const root = resolve(path);
  return {
    root,
    lock: join(root, 'LOCK'),
    config: join(root, 'config.json'),
    genesis: join(root, 'genesis.json'),
    keys: join(root, 'keys'),
    signing: join(root, 'signing'),
    database: join(root, 'db'),
    era: join(root, 'era'),
    log: join(root, 'log'),
  };
}

/** Makes what is missing of the folder and takes its lock; throws `storage/locked` when another holds it, without changing anything. */
export function openDataDirectory(path: string): DataDirectory {
  const layout = dataDirectoryLayout(path);
  try {
    mkdirSync(layout.root, { recursive: true, mode: FOLDER_MODE });
  } catch (error) {
    throw unavailable(layout.root, error);
  }
  const lock = takeLock(layout);
  try {
    writeFileSync(`${layout.lock}.holder`, `process ${process.pid}\n`, { mode: FILE_MODE });
    for (const folder of [layout.keys, layout.signing, layout.database, layout.era, layout.log])
      mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  } catch (error) {
    lock.close();
    throw unavailable(layout.root, error);
  }
  return { layout, release: () => lock.close() };
}

function takeLock(layout: DataDirectoryLayout): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(layout.lock, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) {
      throw new CoppiceError('storage/locked', { path: layout.root, holder: readHolder(layout) }, { cause: error });
    }
    throw unavailable(layout.lock, error);
  }
}

function readHolder(layout: DataDirectoryLayout): string {
  try {
    return readFileSync(`${layout.lock}.holder`, 'utf8').trim();
  } catch {
    return 'another process';
  }
}

function unavailable(path: string, error: unknown): CoppiceError<'storage/unavailable'> {
  return new CoppiceError(
    'storage/unavailable',
    { path, detail: error instanceof Error ? error.message : String(error) },
    { cause: error },
  );
}
