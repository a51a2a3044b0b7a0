// The corpus: inputs that are tried first at each run, one small file each, in a folder of the target's name. Its files are valid encodings
// of our own making, inputs that reached something new, and each input that found a fault.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';

/** Where corpora lie. */
export const CORPUS_FOLDER = join(import.meta.dirname, 'corpus');

/** Files of one target, and bytes of one file, that a long run leaves behind at most; what found a fault is added beyond. */
const ENTRIES_MAX = 16;
const ENTRY_BYTES_MAX = 2_048;
const NAME_DIGITS = 12;

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

/** Adds an input that was news, unless it is there, too long, or the corpus is full. Says whether it was added. */
export function addNews(target: string, input: Uint8Array): boolean {
  if (input.length > ENTRY_BYTES_MAX || readCorpus(target).length >= ENTRIES_MAX) return false;
  return write(target, 'news', input);
}

/** Adds an input that found a fault; gives the path of its file. */
export function addFound(target: string, input: Uint8Array): string {
  write(target, 'found', input);
  return pathOf(target, 'found', input);
}

function write(target: string, kind: string, input: Uint8Array): boolean {
  const path = pathOf(target, kind, input);
  if (existsSync(path)) return false;
  mkdirSync(join(CORPUS_FOLDER, target), { recursive: true });
  writeFileSync(path, input);
  return true;
}

function pathOf(target: string, kind: string, input: Uint8Array): string {
  return join(CORPUS_FOLDER, target, `${kind}-${bytesToHex(sha256(input)).slice(0, NAME_DIGITS)}`);
}
