// coppice node: runs one node from its data directory until it is told to stop, its parent goes away, or it fails.
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { CoppiceError, isError } from '../core/primitives/errors.ts';
import { CONFIG_SETTINGS, environmentName, type NodeConfig, resolveConfig } from '../node/config.ts';
import { dataDirectoryAt } from '../storage/data-directory.ts';
import { printNotice } from './print.ts';
import { nextStopSignal } from './stop-signal.ts';

/** What a node tells the process that started it, when there is a channel to it. */
export interface NodeReady {
  readonly kind: 'ready';
  readonly rpcUrl: string;
}

/** Says that `coppice devnet` started the process: what can be set is set there. */
export const OF_DEVNET_FLAG = '--of-devnet';

/** Adds the command. */
export function addNodeCommand(program: Command): void {
  const command = program
    .command('node')
    .description('run a node from its data directory')
    .requiredOption('--data-dir <folder>', 'data directory that coppice init made')
    .addOption(new Option(OF_DEVNET_FLAG, 'coppice devnet started it').hideHelp())
    .addHelpText('after', '\nA flag stands over its environment variable (COPPICE_RPC_PORT for --rpc-port), and that over config.json.');
  for (const { flag, kind, describe } of CONFIG_SETTINGS) {
    command.option(kind === 'switch' ? `--${flag}` : `--${flag} <value>`, `${describe} (${environmentName(flag)})`);
  }
  command.action(runNode);
}

async function runNode(options: Readonly<Record<string, string | boolean | undefined>>): Promise<void> {
  const dataDirectory = String(options['dataDir']);
  const config = loadConfig(dataDirectory, options);
  const stopping = nextStopSignal();
  // Loaded only here: the network's libraries take a second, and every other command does without.
  const { startNode } = await import('../node/start-node.ts');
  const node = await startNode({ dataDirectory, config }).catch((error: unknown) => {
    throw options['ofDevnet'] === true ? withDevnet(error) : error;
  });
  const ready: NodeReady = { kind: 'ready', rpcUrl: node.rpcUrl };
  process.send?.(ready);
  const failure = await Promise.race([stopping.then(() => undefined), node.failed]);
  await node.stop();
  if (failure !== undefined) throw failure;
  printNotice('stopped');
  process.exit(0);
}

function loadConfig(dataDirectory: string, options: Readonly<Record<string, string | boolean | undefined>>): NodeConfig {
  const { configFile } = dataDirectoryAt(dataDirectory);
  let text: string;
  try {
    text = readFileSync(configFile, 'utf8');
  } catch {
    throw new CoppiceError('data-directory/missing', { path: configFile, advice: 'make it with coppice init' });
  }
  const flags = Object.fromEntries(CONFIG_SETTINGS.map(({ flag }) => [flag, options[camelCase(flag)]]));
  return resolveConfig({ path: configFile, text }, process.env, flags);
}

function withDevnet(error: unknown): unknown {
  if (!isError(error, 'node/cannot-listen')) return error;
  return new CoppiceError('node/cannot-listen', { ...error.facts, isOfDevnet: true }, { cause: error });
}

// As commander names the value of an option.
function camelCase(flag: string): string {
  return flag.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());
}
