// The corpus: inputs that are tried first at each run, one small file each, in a folder of the target's name. Its files are valid encodings
// of our own making, inputs that reached something new, and each input that found a fault.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import type { SeededRandom } from '../../src/simulation/random.ts';
import type { FuzzTarget } from './target.ts';

/** Where corpora lie. */
export const CORPUS_FOLDER = join(import.meta.dirname, 'corpus');

/** Files of one target, and bytes of one file, that a long run leaves behind at most; what found a fault is added beyond. */
const ENTRIES_MAX = 16;
const ENTRY_BYTES_MAX = 2_048;
const NAME_DIGITS = 12;
/** Valid encodings that a corpus begins with, and tries to make one that is not too long. */
const VALID_ENTRIES = 2;
const VALID_TRIES_MAX = 256;

/** A file of the corpus. */
export interface CorpusEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The corpus of a target in order of names; none where there is no folder. */
export function readCorpus(target: string): readonly CorpusEntry[] {
  const folder = join(CORPUS_FOLDER, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }));
}

/** Begins the corpus of a target that has none, with valid encodings of its own making. Says how many: none where each try is too long. */
export async function beginCorpus(target: FuzzTarget, random: SeededRandom): Promise<number> {
  const { name } = target;
  if (readCorpus(name).length > 0) return 0;
  let added = 0;
  for (let tries = 0; tries < VALID_TRIES_MAX && added < VALID_ENTRIES; tries++) {
    const input = await target.generate(random);
    if (input.length > ENTRY_BYTES_MAX) continue;
    write(name, `valid-${added}`, input);
    added++;
  }
  return added;
}

/** Adds an input that was news, unless it is there, too long, or the corpus is full. Says whether it was added. */
export function addNews(target: string, input: Uint8Array): boolean {
  if (input.length > ENTRY_BYTES_MAX || readCorpus(target).length >= ENTRIES_MAX) return false;
  return writeNew(target, nameOf('news', input), input);
}

/** Adds an input that found a fault; gives the path of its file. */
export function addFound(target: string, input: Uint8Array): string {
  const name = nameOf('found', input);
  writeNew(target, name, input);
  return join(CORPUS_FOLDER, target, name);
}

function writeNew(target: string, name: string, input: Uint8Array): boolean {
  if (existsSync(join(CORPUS_FOLDER, target, name))) return false;
  write(target, name, input);
  return true;
}

function write(target: string, name: string, input: Uint8Array): void {
  mkdirSync(join(CORPUS_FOLDER, target), { recursive: true });
  writeFileSync(join(CORPUS_FOLDER, target, name), input);
}

function nameOf(kind: string, input: Uint8Array): string {
  return `${kind}-${bytesToHex(sha256(input)).slice(0, NAME_DIGITS)}`;
}
