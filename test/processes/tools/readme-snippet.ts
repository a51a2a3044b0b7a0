// The commands and programs that the README shows, for a devnet on other ports.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invariant } from '../../../src/core/primitives/errors.ts';
import type { DevnetReady } from '../../system/devnet-fixture.ts';

/** Where the README lies, and where a reader saves what it shows. */
export const PROJECT = join(import.meta.dirname, '../../..');
const PORT = 8545;

/** The block of this language that holds `what`, every port of the default devnet made that of the validator that it means. */
export function readmeSnippet(language: string, what: string, { rpc }: DevnetReady): string {
  const text = readFileSync(join(PROJECT, 'README.md'), 'utf8');
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block);
  const found = blocks.filter((block) => block.includes(what));
  const [snippet] = found;
  invariant(snippet !== undefined && found.length === 1, `the README shows ${what} once`);
  return snippet.replace(/http:\/\/127\.0\.0\.1:(\d+)/g, (_url, port) => rpc[Number(port) - PORT] ?? 'no such validator');
}
