// Quint for one process that asks many things of the same files: its own command line, run in one process that reads and checks each file once.
// That takes seconds, and most explorations less than one. Started by quint.ts: arguments in, what the tool printed out, one after the other.
import { createRequire } from 'node:module';

/** A stage of the tool: what it knows of a file, and the arguments of the command. */
interface Stage {
  readonly args: unknown;
  readonly path: string;
}
type Step = (stage: Stage) => Promise<Checked>;
/** The tool's Either. */
interface Checked {
  map(change: (stage: Stage) => Stage): Checked;
}

const require = createRequire(import.meta.url);
const CLI = require.resolve('@informalsystems/quint/dist/src/cli.js');
const commands = require('@informalsystems/quint/dist/src/cliCommands.js') as Record<'parse' | 'typecheck', Step>;
commands.parse = oncePerFile(commands.parse);
commands.typecheck = oncePerFile(commands.typecheck);

/** Of the command under way, while there is one. */
let printed: string | undefined;

for (const stream of [process.stdout, process.stderr])
  stream.write = (text: string | Uint8Array): boolean => {
    if (printed !== undefined) printed += typeof text === 'string' ? text : new TextDecoder().decode(text);
    return true;
  };
const end = process.exit.bind(process);
// How the tool ends each command.
process.exit = ((): void => answer()) as typeof process.exit;
process.on('unhandledRejection', (error) => {
  if (printed !== undefined) printed += `error: ${String(error)}`;
  answer();
});
process.on('disconnect', () => end());
process.on('message', (args: readonly string[]) => {
  printed = '';
  process.argv = [process.argv0, CLI, ...args];
  // It runs when it is loaded.
  delete require.cache[CLI];
  require(CLI);
});

function answer(): void {
  if (printed !== undefined) process.send?.(printed);
  printed = undefined;
}

// With the arguments of the command under way.
function oncePerFile(step: Step): Step {
  const done = new Map<string, Promise<Checked>>();
  return async (stage) => {
    const { path, args } = stage;
    const known = done.get(path) ?? step(stage);
    done.set(path, known);
    return (await known).map((checked) => ({ ...checked, args }));
  };
}
