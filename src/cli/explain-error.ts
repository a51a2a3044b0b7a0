// One clear line for whatever ends a command. People read the sentence; scripts read the exit code.
import { CoppiceError, type ErrorFacts } from '../core/primitives/errors.ts';
import '../node/errors.ts';
import '../storage/errors.ts';

/** Digits of a key that tell validators apart for people. */
const KEY_DIGITS = 16;
const IN_USE = /\bEADDRINUSE\b/;
/** What the operating system says of an address that it does not listen on; libp2p hands it on within its own words only. */
const LISTEN_FAULTS: readonly (readonly [RegExp, string])[] = [
  [/\bEADDRNOTAVAIL\b/, 'the host is no address of this machine'],
  [/\bENOTFOUND\b/, 'no name server knows the host'],
  [/\bEAI_AGAIN\b/, 'the name of the host cannot be looked up now'],
  [/\bEACCES\b/, 'this user may not use the port'],
];

type Explanation<C extends keyof ErrorFacts> = (facts: ErrorFacts[C]) => string;

const EXPLANATIONS: { readonly [C in keyof ErrorFacts]?: Explanation<C> } = {
  'config/invalid': ({ source, detail }) => `${source} is not a valid configuration: ${detail}`,
  'genesis/invalid': ({ path, detail }) => `${path} is not a valid genesis: ${detail}`,
  'data-directory/missing': ({ path, advice }) => `${path} is missing: ${advice}`,
  'data-directory/exists': ({ path }) => `${path} exists already; nothing was overwritten`,
  'keys/invalid': ({ path, detail }) => `${path} holds no validator key: ${detail}`,
  'keys/foreign': ({ path, detail }) => `${path} is of no validator of this genesis: ${detail}`,
  'signing-record/missing': ({ path, height }) =>
    `the signing record of this validator (${path}) is missing while its database is at height ${height}: starting would risk signing ` +
    'twice, which is slashable; restore the signing folder, or make a new validator',
  'signing-record/foreign': ({ path, expected, found }) =>
    `${path} is of the validator with BLS key ${found.slice(0, KEY_DIGITS)}…, and keys/validator.seed is of ${expected.slice(0, KEY_DIGITS)}…: ` +
    "put that validator's seed back, or give this one a data directory of its own, with its own signing folder if it ever signed",
  'evidence/unreadable': ({ path, detail }) => `${path} holds no evidence: ${detail}`,
  'node/cannot-listen': explainNotListening,
  'storage/locked': ({ path, holder }) => `${path} is in use by another process${holder === undefined ? '' : ` (${holder})`}`,
  'storage/corrupt': ({ path, detail }) => `${path} is corrupt: ${detail}`,
  'storage/incomplete': ({ missing, newest, chain }) =>
    `the database is damaged: block ${missing}${chain === undefined ? '' : ` of chain ${chain}`} is missing, though block ${newest} is there; keep keys/ and signing/, and ` +
    'put in place a copy of db/ from before the damage, or delete db/ to fetch everything again from the other nodes; ' +
    'the log of the database as this start found it is in db-before/',
  'storage/partial': ({ height }) =>
    `the database is of a node that followed its own shards only, so it cannot show the chain up to block ${height}: start with --follow own, or keep keys/ ` +
    'and signing/ and delete db/ to fetch everything from nodes that follow all',
  'storage/foreign': ({ path, expected, found }) => `${path} is of something else: expected ${expected}, found ${found}`,
  'storage/unavailable': ({ path, detail }) => `${path} cannot be used: ${detail}`,
};

/** Bound of the chain of causes that is looked through. */
const CAUSES_MAX = 16;

/** Characters of an explanation at most: it quotes what it found in files of any length. */
const LINE_CHARACTERS_MAX = 1_000;

/** See the file's head. */
export function explainError(error: unknown): string {
  return asOneLine(explain(error));
}

/** What commander says of a command line, which may be several lines, as one with where help is. */
export function explainUsage(text: string): string {
  const said = asOneLine(text.replace(/^error: /, '').trim()).replace(/\.$/, '');
  return `${said} (coppice --help, or coppice <command> --help, says what there is)`;
}

// What it quotes is shown and not obeyed: no character of it ends the line or controls the terminal.
function asOneLine(text: string): string {
  const line = text
    .replace(/\s+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return line.length > LINE_CHARACTERS_MAX ? `${line.slice(0, LINE_CHARACTERS_MAX)}…` : line;
}

function explain(error: unknown): string {
  const causes = causesOf(error);
  for (const cause of causes) {
    if (!(cause instanceof CoppiceError)) continue;
    const explanation = (EXPLANATIONS as Readonly<Record<string, (facts: unknown) => string>>)[String(cause.code)];
    if (explanation !== undefined) return explanation(cause.facts);
  }
  const inUse = portInUse(causes);
  if (inUse !== undefined) return inUse;
  const [first] = causes;
  return oneLine(first instanceof Error ? first.message : String(first));
}

function portInUse(causes: readonly unknown[]): string | undefined {
  for (const cause of causes) {
    const { code, port, message } = cause as { code?: unknown; port?: unknown; message?: unknown };
    if (code === 'EADDRINUSE' || (typeof message === 'string' && IN_USE.test(message))) {
      const number = port ?? /:(\d+)\b/.exec(String(message))?.[1];
      return number === undefined ? 'a port is in use by another process' : `port ${String(number)} is in use by another process`;
    }
    if (code === 'EACCES' && port !== undefined) return `port ${String(port)} may not be used by this user`;
  }
  return undefined;
}

// The error, its causes and, of an AggregateError, its parts: libraries wrap what the operating system said.
function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [error];
  for (let i = 0; i < causes.length && causes.length < CAUSES_MAX; i++) {
    const each = causes[i];
    if (typeof each !== 'object' || each === null) continue;
    const { cause, errors } = each as { cause?: unknown; errors?: unknown };
    if (cause !== undefined) causes.push(cause);
    if (Array.isArray(errors)) causes.push(...errors.slice(0, CAUSES_MAX));
  }
  return causes.filter((each) => each !== null && each !== undefined);
}

// A devnet writes the configuration of its validators anew at every start: they have no ports of their own to set.
function explainNotListening({ service, host, port, detail, isOfDevnet = false }: ErrorFacts['node/cannot-listen']): string {
  if (IN_USE.test(detail)) {
    const otherwise = isOfDevnet ? 'choose other ports with --base-port' : `set ${service}.port in config.json, or --${service}-port`;
    return `port ${port} is in use by another process: end that one, or ${otherwise}`;
  }
  const otherwise = isOfDevnet
    ? 'choose other ports with --base-port'
    : `set ${service}.host and ${service}.port in config.json, or --${service}-host and --${service}-port`;
  return `${service} cannot listen on host ${host}, port ${port}: ${whyNotListening(detail)}; ${otherwise}`;
}

function whyNotListening(detail: string): string {
  return LISTEN_FAULTS.find(([pattern]) => pattern.test(detail))?.[1] ?? oneLine(detail);
}

function oneLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
