// Where a node keeps what: one folder a node, which one process holds at a time (LOCK). Names are part of the interface for
// operators, who back up `keys` and `signing` and may delete everything else.
import { join } from 'node:path';

/** The files and folders of a data directory. */
export interface DataDirectory {
  readonly path: string;
  readonly lockFile: string;
  readonly configFile: string;
  readonly genesisFile: string;
  /** Mode 0600: the one secret, from which all keys of a validator derive. */
  readonly seedFile: string;
  readonly signingFolder: string;
  readonly databaseFolder: string;
  readonly logFolder: string;
}

/** The layout under `path`; touches nothing. */
export function dataDirectoryAt(path: string): DataDirectory {
  return {
    path,
    lockFile: join(path, 'LOCK'),
    configFile: join(path, 'config.json'),
    genesisFile: join(path, 'genesis.json'),
    seedFile: join(path, 'keys', 'validator.seed'),
    signingFolder: join(path, 'signing'),
    databaseFolder: join(path, 'db'),
    logFolder: join(path, 'log'),
  };
}
