// What the database's log was before it was opened. Opening it, LevelDB replays the log into tables, leaves out what does not check, and
// removes it: of a damaged log it destroys what could still be read. So the log's files are linked under another name first, which costs
// nothing, and the links go when the database has proved whole.
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const LOG_FILE = /^(\d+\.log|MANIFEST-\d+|CURRENT)$/;

/** Links the log of the database in `folder` into `kept`. What is kept from an earlier start, which did not come so far, stays. */
export function keepLog(folder: string, kept: string): void {
  if (existsSync(kept) || !existsSync(folder)) return;
  const names = readdirSync(folder).filter((name) => LOG_FILE.test(name));
  if (names.length === 0) return;
  mkdirSync(kept, { mode: 0o700 });
  for (const name of names) link(join(folder, name), join(kept, name));
}

/** The database is whole: nobody needs its old log. */
export function forgetLog(kept: string): void {
  rmSync(kept, { recursive: true, force: true });
}

// Not every file system has links; a log is at most some megabytes.
function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
