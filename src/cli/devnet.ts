// coppice devnet: a whole network on this machine, one process a validator, made on the first start and kept between starts.
import { dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { initialiseKeccak } from '../core/crypto/keccak.ts';
import type { ChainId } from '../core/primitives/ids.ts';
import type { NodeConfig } from '../node/config.ts';
import { selectCrypto } from '../runtime/native/select-crypto.ts';
import { DEVNET_ACCOUNTS, prepareDevnet, refuseRunning, removeDevnet } from './devnet-files.ts';
import { askRpc, askShards, askStatus, type NodeStatus, type ShardStatus } from './json-rpc.ts';
import { DEVNET_MNEMONIC, type DevnetAccount, mnemonicAccounts } from './mnemonic-accounts.ts';
import { parseBasePort, parseDevnetLayout, parseDevnetShards, parseNumber, parseValidators } from './parse-option.ts';
import { printLine, printNotice } from './print.ts';
import { nextStopSignal } from './stop-signal.ts';
import { startValidator, type ValidatorProcess } from './validator-process.ts';

interface DevnetOptions {
  readonly validators: number | undefined;
  readonly loadAccounts: number | undefined;
  readonly shards: number | undefined;
  readonly layout: readonly ChainId[] | undefined;
  readonly committeeSeats: number | undefined;
  readonly basePort: number;
  readonly dataDir: string;
  readonly logLevel: NodeConfig['log']['level'];
  readonly reset: boolean;
  readonly makeOnly: boolean;
  readonly json: boolean;
}

/** From the start of the processes to the first final block. */
const READY_MS_MAX = 60_000;
const READY_POLL_MS = 50;
const STATUS_MS = 1_000;
/** Where lines are not written over: in a log they are kept. */
const LOGGED_STATUS_MS = 30_000;

/** Adds the command. */
export function addDevnetCommand(program: Command): void {
  program
    .command('devnet')
    .description('run a whole network on this machine')
    .option('--validators <number>', 'processes, one validator each, at most 32 (4)', parseValidators)
    .option('--shards <number>', 'parts that the state is divided into: 1, 2, 4, 8 or 16 (1)', parseDevnetShards)
    .addOption(
      new Option('--layout <ids>', 'the same by the ids of the parts, left to right, also uneven ones: 4,5,3 is two quarters and a half')
        .argParser(parseDevnetLayout)
        .conflicts('shards'),
    )
    .option(
      '--committee-seats <number>',
      'validators of each shard; the first follows all shards, others their own (all validators)',
      parseValidators,
    )
    .option('--base-port <port>', 'JSON-RPC of validator i is at this port + i, p2p 1000 above, metrics 2000 above', parseBasePort, 8545)
    .option('--data-dir <folder>', 'where the network is kept between starts', '.devnet')
    .option('--load-accounts <number>', "fund so many more accounts, m/44'/60'/1'/0/i, for load generators (0)", parseNumber)
    .addOption(new Option('--log-level <level>', 'of validator-*/log/node.log').choices(['error', 'warn', 'info', 'debug']).default('info'))
    .option('--reset', 'forget the network in the folder, and make a new one', false)
    .option('--make-only', 'make the data directories and start nothing: each is for a coppice node of its own', false)
    .option('--json', 'print one line of JSON when ready, and nothing else', false)
    .action(runDevnet);
}

async function runDevnet(options: DevnetOptions): Promise<void> {
  const stopping = nextStopSignal();
  await initialiseKeccak();
  const crypto = selectCrypto({ disableNative: false });
  const folder = resolve(options.dataDir);
  refuseRunning(folder);
  if (options.reset) removeDevnet(folder);
  const { validators: count, loadAccounts, shards, layout, committeeSeats, basePort, logLevel } = options;
  const directories = prepareDevnet({
    folder,
    validators: count,
    loadAccounts,
    shards,
    layout,
    committeeSeats,
    basePort,
    logLevel,
    crypto,
  });
  if (options.makeOnly) {
    for (const { path } of directories) printLine(path);
    process.exit(0); // The channel to the launcher, listened to for its end, would keep this process.
  }
  const mainFile = process.argv[1] ?? '';
  const validators = directories.map((directory) => startValidator(directory, mainFile));
  try {
    const urls = await Promise.race([untilReady(validators), stopping.then(() => undefined)]);
    if (urls !== undefined) {
      const accounts = mnemonicAccounts(0, 0, DEVNET_ACCOUNTS, crypto.secp256k1);
      await announce(options.json, urls, accounts, validators);
      await showStatus(options.json, urls, validators, stopping);
    }
  } finally {
    await Promise.all(validators.map((validator) => validator.stop()));
  }
  process.exit(0);
}

// Ready means: every validator is up, and its RPC has seen a final block.
async function untilReady(validators: readonly ValidatorProcess[]): Promise<readonly string[]> {
  const urls = await Promise.all(
    validators.map(({ ready }, index) =>
      ready.catch((error: unknown) => {
        throw new Error(`validator ${index}: ${error instanceof Error ? error.message : String(error)}`);
      }),
    ),
  );
  const deadline = Date.now() + READY_MS_MAX;
  for (const [index, url] of urls.entries()) {
    while (!(Number((await askRpc(url, 'eth_blockNumber')) ?? 0) >= 1)) {
      const end = validators[index]?.ended();
      if (end !== undefined) throw new Error(`validator ${index}: ${end}`);
      if (Date.now() > deadline) throw new Error(`validator ${index} has no final block after ${READY_MS_MAX / 1_000} s; see its log`);
      await sleep(READY_POLL_MS);
    }
  }
  return urls;
}

async function announce(
  asJson: boolean,
  urls: readonly string[],
  accounts: readonly DevnetAccount[],
  validators: readonly ValidatorProcess[],
): Promise<void> {
  const chainId = String(await askRpc(urls[0] ?? '', 'eth_chainId'));
  if (asJson) {
    const processes = validators.map(({ pid, directory }) => ({ pid, dataDir: directory.path }));
    printLine(JSON.stringify({ ready: true, chainId, rpc: urls, accounts, validators: processes }));
    return;
  }
  const [first, ...others] = urls;
  printLine(`JSON-RPC  ${first}${others.length === 0 ? '' : `  (others: ${others.join(', ')})`}`);
  printLine(`Chain id  ${Number(chainId)} (${chainId})`);
  printLine(`Accounts  10,000 coins each, keys known to everybody (mnemonic: ${DEVNET_MNEMONIC})`);
  for (const { address, privateKey } of accounts) printLine(`  ${address}  ${privateKey}`);
  printLine('Ctrl-C stops the network; the next start goes on with it, --reset makes a new one.');
}

// A line a validator and a shard: on a terminal once a second, written over; elsewhere now and then, and when a validator goes.
async function showStatus(
  isQuiet: boolean,
  urls: readonly string[],
  validators: readonly ValidatorProcess[],
  stopping: Promise<void>,
): Promise<void> {
  let stopped = false;
  const stop = stopping.then(() => {
    stopped = true;
  });
  const reported = new Set<number>();
  const { isTTY } = process.stdout;
  let lines = 0;
  let nextMs = Date.now();
  while (!stopped) {
    for (const [index, validator] of validators.entries()) {
      const end = validator.ended();
      if (end === undefined || reported.has(index)) continue;
      reported.add(index);
      printNotice(`validator ${index} has stopped: ${end}`);
    }
    if (reported.size === validators.length) throw new Error(allStopped(validators));
    if (!isQuiet && Date.now() >= nextMs) {
      nextMs = Date.now() + (isTTY ? 0 : LOGGED_STATUS_MS);
      const statuses = await Promise.all(urls.map(askStatus));
      const shards = await askShards(urls.find((_url, index) => statuses[index] !== undefined) ?? '');
      if (isTTY) {
        process.stdout.moveCursor(0, -lines);
        process.stdout.clearScreenDown();
      }
      lines = validators.length + shards.length;
      for (const [index, status] of statuses.entries()) printLine(statusLine(index, status, validators[index]?.pid ?? 0));
      for (const shard of shards) printLine(shardLine(shard));
    }
    await Promise.race([sleep(STATUS_MS), stop]);
  }
}

function allStopped(validators: readonly ValidatorProcess[]): string {
  const [first] = validators;
  const where = first === undefined ? '' : ` (${join(dirname(first.directory.path), 'validator-*', 'log')})`;
  return `all ${validators.length} validators have stopped: see above and their logs${where}, then start again`;
}

function statusLine(index: number, status: NodeStatus | undefined, pid: number): string {
  const name = `validator ${index} (process ${pid})`;
  if (status === undefined) return `${name}: does not answer`;
  const { blockNumber, peers, pendingTransactions, syncing } = status;
  return `${name}: block ${blockNumber}, ${peers} peers, ${pendingTransactions} transactions waiting${syncing ? ', catching up' : ''}`;
}

function shardLine({ shard, height, finalizedHeight, epoch }: ShardStatus): string {
  return `shard ${shard} (epoch ${epoch}): block ${height}, final to ${finalizedHeight}`;
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, delayMs));
}
