// The `coppice` command: parses, calls, prints. Whatever goes wrong is one clear line on standard error and exit code 1.
import './compile-cache.ts';
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addCommitteesCommand } from './committees.ts';
import { addDevnetCommand } from './devnet.ts';
import { addEvidenceCommand } from './evidence.ts';
import { explainError, explainUsage } from './explain-error.ts';
import { addInitCommand } from './init.ts';
import { addKeysCommand } from './keys.ts';
import { addNodeCommand } from './node.ts';
import { printNotice } from './print.ts';
import { requireFolder } from './require-folder.ts';
import { addStatusCommand } from './status.ts';

function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}

const program = new Command('coppice')
  .description('A sharded, proof-of-stake chain that runs Ethereum transactions')
  .version(packageVersion())
  // One line as for every other fault, where the library would write up to three.
  .configureOutput({ outputError: (text, write) => write(`coppice: ${explainUsage(text)}\n`) });
addCommitteesCommand(program);
addDevnetCommand(program);
addEvidenceCommand(program);
addInitCommand(program);
addKeysCommand(program);
addNodeCommand(program);
addStatusCommand(program);
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
