// The `coppice` command: parses, calls, prints. Whatever goes wrong is one clear line on standard error and exit code 1.
import './compile-cache.ts';
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { explainError, explainUsage } from './explain-error.ts';
import { printNotice } from './print.ts';
import { requireFolder } from './require-folder.ts';

/** Each is loaded when it is asked for, or when help is: what one command needs costs the others nothing. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  committees: async () => (await import('./committees.ts')).addCommitteesCommand,
  devnet: async () => (await import('./devnet.ts')).addDevnetCommand,
  evidence: async () => (await import('./evidence.ts')).addEvidenceCommand,
  init: async () => (await import('./init.ts')).addInitCommand,
  keys: async () => (await import('./keys.ts')).addKeysCommand,
  node: async () => (await import('./node.ts')).addNodeCommand,
  status: async () => (await import('./status.ts')).addStatusCommand,
};

function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}

const program = new Command('coppice')
  .description('A sharded, proof-of-stake chain that runs Ethereum transactions')
  .version(packageVersion())
  // One line as for every other fault, where the library would write up to three.
  .configureOutput({ outputError: (text, write) => write(`coppice: ${explainUsage(text)}\n`) });
const asked = Object.entries(COMMANDS).filter(([name]) => name === process.argv[2]);
for (const [, load] of asked.length > 0 ? asked : Object.entries(COMMANDS)) (await load())(program);
program.hook('preAction', (_program, command) => {
  const { dataDir } = command.opts<{ dataDir?: string }>();
  if (dataDir !== undefined) requireFolder(dataDir, '--data-dir');
});

try {
  await program.parseAsync();
} catch (error) {
  if (process.env['COPPICE_TRACE'] === '1') console.error(error);
  printNotice(`coppice: ${explainError(error)}`);
  process.exit(1);
}
