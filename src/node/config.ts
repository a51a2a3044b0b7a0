// A node's configuration: what an operator may choose without leaving the network. A flag stands over an environment variable, that
// over config.json, that over the default. What the whole network must agree on is in genesis instead.
import { z } from 'zod';
import { CoppiceError } from '../core/primitives/errors.ts';
import { ADDRESS_BYTES_MAX, ADDRESSES_MAX } from '../core/protocol/address-record.ts';
import { STATE_BLOCKS_MIN } from '../runtime/history-pruner.ts';
import './errors.ts';
import { FOLLOW_CHOICES } from './followed-shards.ts';
import { faultOfAnnouncedAddress, faultOfPeerAddress } from './peer-address.ts';

/** Peers that a node dials by itself; the others dial it. */
const PEERS_MAX = 1024;
/** Blocks of a window of old states: more is an archive. */
const STATE_BLOCKS_MAX = 1_000_000_000;

const Port = z.number().int().min(0).max(65_535);
const Host = z.string().min(1).max(255);
const PeerAddress = z
  .string()
  .max(512)
  .superRefine((address, context) => {
    const fault = faultOfPeerAddress(address);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

const AnnouncedAddress = z
  .string()
  .max(ADDRESS_BYTES_MAX)
  .superRefine((address, context) => {
    const fault = faultOfAnnouncedAddress(address);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });

const ConfigFile = z.strictObject({
  version: z.literal(1),
  rpc: z.strictObject({ host: Host.default('127.0.0.1'), port: Port.default(8545) }).prefault({}),
  p2p: z
    .strictObject({
      host: Host.default('127.0.0.1'),
      port: Port.default(9545),
      /** Multiaddresses with the peer id: `/ip4/…/tcp/…/p2p/…`. */
      peers: z.array(PeerAddress).max(PEERS_MAX).default([]),
      /** Multiaddresses at which others reach this validator, which it signs and tells; without any, host and port. */
      announce: z.array(AnnouncedAddress).max(ADDRESSES_MAX).default([]),
    })
    .prefault({}),
  metrics: z.strictObject({ host: Host.default('127.0.0.1'), port: Port.default(10_545) }).prefault({}),
  /** `all`: every shard, so that the node shows the whole chain by JSON-RPC; `own`: those whose committees its validator is in. */
  follow: z.enum(FOLLOW_CHOICES).default('all'),
  history: z
    .strictObject({
      /** `full`: the state of a window of blocks; `archive`: of all. */
      mode: z.enum(['full', 'archive']).default('full'),
      /** The window of `full`; without it, what genesis says. */
      stateBlocks: z.number().int().min(STATE_BLOCKS_MIN).max(STATE_BLOCKS_MAX).optional(),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['silent', 'error', 'warn', 'info', 'debug', 'trace']).default('info') }).prefault({}),
  /** Use no native crypto library, also where one works: for comparison, and for platforms where one misbehaves. */
  portableCrypto: z.boolean().default(false),
});

/** See the file's head. */
export type NodeConfig = z.infer<typeof ConfigFile>;

interface Setting {
  /** `--rpc-port` of `coppice node`, and `COPPICE_RPC_PORT`. */
  readonly flag: string;
  readonly path: readonly [string, string?];
  readonly kind: 'text' | 'number' | 'switch' | 'list';
  readonly describe: string;
}

/** What flags and environment variables can set; the CLI makes its options from this table. */
export const CONFIG_SETTINGS: readonly Setting[] = [
  { flag: 'rpc-host', path: ['rpc', 'host'], kind: 'text', describe: 'address that JSON-RPC listens on' },
  { flag: 'rpc-port', path: ['rpc', 'port'], kind: 'number', describe: 'port of JSON-RPC, HTTP and WebSocket' },
  { flag: 'p2p-host', path: ['p2p', 'host'], kind: 'text', describe: 'address that peers connect to' },
  { flag: 'p2p-port', path: ['p2p', 'port'], kind: 'number', describe: 'port that peers connect to' },
  { flag: 'peers', path: ['p2p', 'peers'], kind: 'list', describe: 'multiaddresses of peers, separated by commas' },
  { flag: 'announce', path: ['p2p', 'announce'], kind: 'list', describe: 'multiaddresses at which others reach this validator' },
  { flag: 'metrics-host', path: ['metrics', 'host'], kind: 'text', describe: 'address of /metrics and /health' },
  { flag: 'metrics-port', path: ['metrics', 'port'], kind: 'number', describe: 'port of /metrics and /health' },
  { flag: 'follow', path: ['follow'], kind: 'text', describe: "shards: all (and answer all of JSON-RPC) or own (the validator's)" },
  { flag: 'history', path: ['history', 'mode'], kind: 'text', describe: 'old states: full (a window of blocks) or archive (all)' },
  { flag: 'history-blocks', path: ['history', 'stateBlocks'], kind: 'number', describe: 'blocks whose state a full node keeps' },
  { flag: 'log-level', path: ['log', 'level'], kind: 'text', describe: 'silent, error, warn, info, debug or trace' },
  { flag: 'portable-crypto', path: ['portableCrypto'], kind: 'switch', describe: 'use no native crypto library' },
];

/** `--rpc-port` → `COPPICE_RPC_PORT`. */
export function environmentName(flag: string): string {
  return `COPPICE_${flag.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * The configuration from its sources, checked as a whole. `flags` holds the flags that were given, by name without dashes.
 * Throws `config/invalid` naming the source and the field.
 */
export function resolveConfig(
  file: { readonly path: string; readonly text: string },
  environment: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string | boolean | undefined>>,
): NodeConfig {
  let merged = parseJsonObject(file.path, file.text);
  merged = checkConfig(file.path, merged);
  for (const setting of CONFIG_SETTINGS) {
    const fromEnvironment = environment[environmentName(setting.flag)];
    const given = flags[setting.flag] ?? (fromEnvironment === '' ? undefined : fromEnvironment);
    if (given === undefined) continue;
    const source = flags[setting.flag] === undefined ? environmentName(setting.flag) : `--${setting.flag}`;
    merged = checkConfig(source, withSetting(merged, setting, settingValue(setting, given, source)));
  }
  return checkConfig(file.path, merged);
}

/** Checks a configuration that the program itself puts together, and fills in defaults. */
export function makeConfig(parts: z.input<typeof ConfigFile>): NodeConfig {
  return checkConfig('the configuration', parts);
}

function parseJsonObject(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CoppiceError('config/invalid', { source: path, detail: error instanceof Error ? error.message : String(error) });
  }
}

function checkConfig(source: string, value: unknown): NodeConfig {
  const checked = ConfigFile.safeParse(value);
  if (checked.success) return checked.data;
  throw new CoppiceError('config/invalid', { source, detail: describeIssues(checked.error) });
}

/** One line for what zod found: path and message of each issue. */
export function describeIssues(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'the whole'}: ${issue.message}`).join('; ');
}

function settingValue(setting: Setting, given: string | boolean, source: string): unknown {
  if (setting.kind === 'switch') {
    if (given === true || given === '1' || given === 'true') return true;
    if (given === '0' || given === 'false') return false;
    throw new CoppiceError('config/invalid', { source, detail: `${String(given)} is neither 1 nor 0` });
  }
  const text = String(given);
  if (setting.kind === 'list') return text.split(',').filter((part) => part !== '');
  if (setting.kind === 'text') return text;
  if (!/^\d{1,9}$/.test(text)) throw new CoppiceError('config/invalid', { source, detail: `${text} is not a number` });
  return Number(text);
}

function withSetting(config: unknown, { path: [section, key] }: Setting, value: unknown): unknown {
  const whole = config as Record<string, Record<string, unknown>>;
  return key === undefined ? { ...whole, [section]: value } : { ...whole, [section]: { ...whole[section], [key]: value } };
}
