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
import { makeFolder } from './make-folder.ts';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const SQLITE_BUSY = 5;

/** Where things lie in a node's folder. Operators back up `keys` and `signing`, and may delete everything else. */
export interface DataDirectory {
  readonly path: string;
  readonly lockFile: string;
  readonly configFile: string;
  readonly genesisFile: string;
  /** The one secret, from which all keys of a validator derive. */
  readonly seedFile: string;
  readonly keysFolder: string;
  readonly signingFolder: string;
  readonly databaseFolder: string;
  /** The database's log as a start found it, until the database has proved whole (kept-log.ts). */
  readonly keptLogFolder: string;
  readonly eraFolder: string;
  readonly logFolder: string;
}

/** The hold of this process on a folder. */
export interface DataDirectoryLock {
  /** Lets the next process in. The kernel does it when the process ends in any other way. */
  release(): void;
}

/** The layout under `path`; touches nothing. */
export function dataDirectoryAt(path: string): DataDirectory {
  const root = resolve(path);
  return {
    path: root,
    lockFile: join(root, 'LOCK'),
    configFile: join(root, 'config.json'),
    genesisFile: join(root, 'genesis.json'),
    seedFile: join(root, 'keys', 'validator.seed'),
    keysFolder: join(root, 'keys'),
    signingFolder: join(root, 'signing'),
    databaseFolder: join(root, 'db'),
    keptLogFolder: join(root, 'db-before'),
    eraFolder: join(root, 'era'),
    logFolder: join(root, 'log'),
  };
}

/** Makes what is missing of the folder and takes its lock; throws `storage/locked` when another holds it, without changing anything. */
export function lockDataDirectory(directory: DataDirectory): DataDirectoryLock {
  const { path, lockFile, keysFolder, signingFolder, databaseFolder, eraFolder, logFolder } = directory;
  try {
    makeFolder(path, FOLDER_MODE);
  } catch (error) {
    throw unavailable(path, error);
  }
  const lock = takeLock(directory);
  try {
    writeFileSync(`${lockFile}.holder`, `process ${process.pid}\n`, { mode: FILE_MODE });
    for (const folder of [keysFolder, signingFolder, databaseFolder, eraFolder, logFolder])
      mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
  } catch (error) {
    lock.close();
    throw unavailable(path, error);
  }
  return { release: () => lock.close() };
}

function takeLock(directory: DataDirectory): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(directory.lockFile, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    // The low byte is the code; what stands above it tells kinds of the same apart.
    if (error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY) {
      throw new CoppiceError('storage/locked', { path: directory.path, holder: readHolder(directory) }, { cause: error });
    }
    throw unavailable(directory.lockFile, error);
  }
}

function readHolder({ lockFile }: DataDirectory): string {
  try {
    return readFileSync(`${lockFile}.holder`, 'utf8').trim();
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
