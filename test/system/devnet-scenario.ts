// What a devnet is for, from end to end, as one scenario for whatever a devnet runs on: coins and a contract through different nodes,
// receipts and state read from the others, one validator killed and started again, its votes needed. Tests run it with native crypto
// and without.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createPublicClient, createWalletClient, defineChain, type Hex, http, parseEther } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { compileContract } from '../processes/tools/compile.ts';
import { type Devnet, MAIN_FILE, tailOfLogs } from './devnet-fixture.ts';
import { pause } from './network-fixture.ts';

const RECEIPT_MS_MAX = 60_000;
const POLL_MS = 50;
const ALL = [0, 1, 2, 3];
/** Killed and started again. */
const RESTARTED = 3;
/** Killed after that: with it gone, the chain needs the vote of the restarted one. */
const GONE = 2;

const COUNTER = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
contract Counter {
  event Counted(address indexed by, uint256 count);
  uint256 public count;
  function add(uint256 more) external { count += more; emit Counted(msg.sender, count); }
}`;

/** What was seen on the way. */
export interface DevnetScenarioReport {
  /** Blocks whose hash and state root were the same on all four. */
  readonly blocksCompared: number;
}

/** Runs it on a fresh devnet of four; throws at the first broken promise. Two of its processes are gone afterwards. */
export async function runDevnetScenario(devnet: Devnet): Promise<DevnetScenarioReport> {
  const nodes = ALL.map((validator) => nodeOf(devnet, validator));
  const node = (validator: number): ReturnType<typeof nodeOf> => nodes[validator] as ReturnType<typeof nodeOf>;
  let restarted: ChildProcess | undefined;
  // Sends through one node, and gives what every reader tells, which must be the same.
  const finalised = async (hash: Hex, readers: readonly number[]): Promise<{ readonly blockNumber: bigint; readonly address: Hex }> => {
    const receipts = await Promise.all(
      readers.map((reader) => node(reader).reader.waitForTransactionReceipt({ hash, timeout: RECEIPT_MS_MAX })),
    );
    const [first] = receipts;
    assert.ok(first !== undefined);
    for (const receipt of receipts) assert.deepEqual([receipt.status, receipt.blockHash], ['success', first.blockHash]);
    return { blockNumber: first.blockNumber, address: first.contractAddress ?? '0x' };
  };
  try {
    const recipient = `0x${'5a'.repeat(20)}` as const;
    const send = (entry: number): Promise<Hex> => node(entry).wallet.sendTransaction({ to: recipient, value: parseEther('1') });
    await finalised(await send(0), ALL);
    for (const { reader } of nodes) assert.equal(await reader.getBalance({ address: recipient }), parseEther('1'));

    const { abi, bytecode } = compileContract('Counter', COUNTER);
    const { address } = await finalised(await node(1).wallet.deployContract({ abi, bytecode }), ALL);
    const called = await finalised(await node(2).wallet.writeContract({ address, abi, functionName: 'add', args: [5n] }), ALL);
    for (const { reader } of nodes) {
      assert.equal(await reader.readContract({ address, abi, functionName: 'count' }), 5n);
      const logs = await reader.getContractEvents({ address, abi, eventName: 'Counted', fromBlock: called.blockNumber });
      assert.equal(logs.length, 1);
    }

    process.kill(devnet.validators[RESTARTED]?.pid ?? 0, 'SIGKILL');
    const absent = await send(0);
    await finalised(
      absent,
      ALL.filter((validator) => validator !== RESTARTED),
    );
    restarted = await startAgain(devnet, RESTARTED);
    const { blockNumber } = await finalised(absent, ALL);
    const blocksCompared = await compareBlocks(nodes, blockNumber);

    process.kill(devnet.validators[GONE]?.pid ?? 0, 'SIGKILL');
    await finalised(
      await send(RESTARTED),
      ALL.filter((validator) => validator !== GONE),
    );
    return { blocksCompared };
  } catch (error) {
    throw new Error(`${String(error)}\n${tailOfLogs(devnet.folder)}`, { cause: error });
  } finally {
    await ended(restarted);
  }
}

function nodeOf(devnet: Devnet, validator: number) {
  const url = devnet.rpc[validator] ?? '';
  const chain = defineChain({
    id: Number(devnet.chainId),
    name: 'devnet',
    nativeCurrency: { name: 'coin', symbol: 'COIN', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  const account = privateKeyToAccount(devnet.accounts[0]?.privateKey as Hex);
  const options = { chain, transport: http(url), pollingInterval: POLL_MS };
  return { reader: createPublicClient(options), wallet: createWalletClient({ ...options, account }) };
}

/** Every block up to `newest` is the same on all nodes, down to its state; gives how many they are. */
async function compareBlocks(nodes: readonly ReturnType<typeof nodeOf>[], newest: bigint): Promise<number> {
  for (let blockNumber = 0n; blockNumber <= newest; blockNumber++) {
    const blocks = await Promise.all(nodes.map(({ reader }) => reader.getBlock({ blockNumber })));
    const facts = blocks.map(({ hash, stateRoot, receiptsRoot }) => ({ hash, stateRoot, receiptsRoot }));
    for (const each of facts) assert.deepEqual(each, facts[0], `block ${blockNumber}`);
  }
  return Number(newest) + 1;
}

/** `coppice node` on the data directory of a validator that was killed; resolves when its RPC answers. */
async function startAgain(devnet: Devnet, validator: number): Promise<ChildProcess> {
  const args = [MAIN_FILE, 'node', '--data-dir', devnet.validators[validator]?.dataDir ?? ''];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const { reader } = nodeOf(devnet, validator);
  const deadlineMs = performance.now() + RECEIPT_MS_MAX;
  while (!(await reader.getBlockNumber().then(Boolean, () => false))) {
    if (performance.now() > deadlineMs || child.exitCode !== null) {
      await ended(child);
      throw new Error(`validator ${validator} did not start again`);
    }
    await pause(POLL_MS);
  }
  return child;
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
