// Arguments of the simulator's commands, read strictly: an option that is not known, lacks its value, or is given twice where one value is
// taken, ends the command before anything runs. Node's own reader takes the last of two, and a run of other seeds than one believes is worse
// than none.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** Options that make no sense. */
export class UsageError extends Error {}

/** The values of the options; throws `UsageError`. */
export function readArguments<const T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  const { values, tokens } = parse(args, options);
  const given = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option' || token.value === undefined || options[token.name]?.multiple === true) continue;
    if (given.has(token.name)) throw new UsageError(`--${token.name} is given twice: it takes one value, so say it once`);
    given.add(token.name);
  }
  return values;
}

function parse<const T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, tokens: true });
  } catch (error) {
    // What follows tells how to pass a word that begins with a dash; no command here takes words.
    throw new UsageError((error as Error).message.split('. To specify')[0]);
  }
}
