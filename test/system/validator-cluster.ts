// Validators whose processes the test itself starts and kills, one by one: a devnet's folder, with `coppice node` on each of
// its data directories.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRpc, type RpcClient } from '../../bench/devnet/json-rpc-client.ts';
import type { Sender } from '../../bench/devnet/transactions.ts';
import { prepareDevnet } from '../../src/cli/devnet-files.ts';
import { mnemonicAccounts } from '../../src/cli/mnemonic-accounts.ts';
import { VALIDATOR_V8_FLAGS } from '../../src/cli/validator-process.ts';
import { hex } from '../../src/core/primitives/bytes.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import type { DataDirectory } from '../../src/storage/data-directory.ts';
import { freeBasePort, MAIN_FILE, overrideGenesis, ROOM_AT_ONCE } from './devnet-fixture.ts';

/** Handles on the processes; validators are named by index. */
export interface ValidatorCluster {
  readonly size: number;
  /** Validators that follow all shards. */
  readonly whole: readonly number[];
  readonly chainId: number;
  readonly senders: readonly Sender[];
  rpc(validator: number): RpcClient;
  /** Starts it, and waits until its RPC is up. */
  start(validator: number): Promise<void>;
  /** `kill -9`, and waits until it is gone. */
  kill(validator: number): Promise<void>;
  isRunning(validator: number): boolean;
  readonly folder: string;
  dataDirOf(validator: number): string;
  remove(): Promise<void>;
}

const SENDERS = 10;
const START_MS_MAX = 60_000;

/** What differs from four validators of one shard. */
export interface ClusterOptions {
  readonly validators?: number;
  readonly shards?: number;
  /** Of each committee: the first validator follows all shards then, and the others their own. */
  readonly committeeSeats?: number;
  /** The configuration of each names the first one only, instead of all. */
  readonly namesFirstOnly?: boolean;
  /** Of the genesis, beside the preset. */
  readonly overrides?: Readonly<Record<string, number>>;
}

/** Makes the network and starts all of it. */
export async function startCluster(options: ClusterOptions = {}): Promise<ValidatorCluster> {
  const { validators: size = 4, shards = 1, committeeSeats, namesFirstOnly = false, overrides } = options;
  const folder = mkdtempSync(join(tmpdir(), 'coppice-cluster-'));
  const basePort = await freeBasePort();
  const crypto = selectCrypto({ disableNative: false });
  const directories = prepareDevnet({
    folder,
    validators: size,
    shards,
    committeeSeats,
    loadAccounts: 0,
    basePort,
    logLevel: 'debug',
    crypto,
  });
  if (overrides !== undefined) overrideGenesis(folder, overrides);
  if (namesFirstOnly)
    for (const { configFile } of directories)
      changeConfig(configFile, ({ p2p }) => {
        p2p.peers = p2p.peers.filter((address) => address.includes(`/tcp/${firstPeerPort(directories)}/`));
      });
  const children: (ChildProcess | undefined)[] = directories.map(() => undefined);
  const clients = directories.map((_directory, validator) => connectRpc(`http://127.0.0.1:${basePort + validator}`));
  const client = (validator: number): RpcClient => clients[validator] as RpcClient;
  const start = async (validator: number): Promise<void> => {
    children[validator] = await startNodeProcess(directories[validator] as DataDirectory);
  };
  const kill = async (validator: number): Promise<void> => {
    const child = children[validator];
    children[validator] = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  const remove = async (): Promise<void> => {
    await Promise.all(directories.map((_directory, validator) => kill(validator)));
    for (const each of clients) each.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    await Promise.all(directories.map((_directory, validator) => start(validator)));
    const chainId = Number(await client(0).call('eth_chainId', []));
    const accounts = mnemonicAccounts(0, 0, SENDERS, crypto.secp256k1);
    const senders = accounts.map(({ address, privateKey }) => ({ address, secretKey: hex(privateKey), nonce: 0 }));
    const dataDirOf = (validator: number): string => (directories[validator] as DataDirectory).path;
    const isRunning = (validator: number): boolean => children[validator] !== undefined;
    const all = directories.map((_directory, validator) => validator);
    const whole = committeeSeats === undefined || committeeSeats >= size ? all : all.slice(0, 1);
    return { size, whole, chainId, senders, rpc: client, start, kill, isRunning, folder, dataDirOf, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** What tests change of a node's configuration. */
interface ChangedConfig {
  readonly p2p: { port: number; peers: string[] };
}

/** Changes config.json of a node that does not run. */
export function changeConfig(configFile: string, change: (config: ChangedConfig) => void): void {
  const config = JSON.parse(readFileSync(configFile, 'utf8')) as ChangedConfig;
  change(config);
  writeFileSync(configFile, JSON.stringify(config));
}

function firstPeerPort(directories: readonly DataDirectory[]): number {
  return (JSON.parse(readFileSync((directories[0] as DataDirectory).configFile, 'utf8')) as ChangedConfig).p2p.port;
}

async function startNodeProcess(directory: DataDirectory): Promise<ChildProcess> {
  mkdirSync(directory.logFolder, { recursive: true });
  const log = openSync(join(directory.logFolder, 'process.log'), 'a');
  const child = spawn(process.execPath, [...VALIDATOR_V8_FLAGS, ROOM_AT_ONCE, MAIN_FILE, 'node', '--data-dir', directory.path], {
    stdio: ['ignore', log, log, 'ipc'],
  });
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${directory.path} did not start in time`)), START_MS_MAX);
    child.once('message', () => {
      clearTimeout(timer);
      resolve();
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`${directory.path} ended with exit code ${code} before it was ready`));
    });
  });
  await ready;
  return child;
}
