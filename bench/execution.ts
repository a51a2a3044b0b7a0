// Times execution: `node bench/execution.ts [--json]`. µs per plain transfer and per ERC-20 transfer (OpenZeppelin) in whole blocks, and
// per 66 kgas of loop, on the own loop and on the library's as the baseline: CPU time of the process, so that a busy machine does not
// blur it. Signatures, decoding and the tree are other parts' times.
import { parseArgs } from 'node:util';
import { initialiseKeccak } from '../src/core/crypto/keccak.ts';
import { createOwnLoopExecutor } from '../src/core/execution/evm/own-loop-executor.ts';
import type { ItemExecutor } from '../src/core/execution/item-executor.ts';
import { concatBytes, hex } from '../src/core/primitives/bytes.ts';
import type { Address } from '../src/core/primitives/ids.ts';
import type { Transaction } from '../src/core/protocol/transaction.ts';
import { installHashtree } from '../src/runtime/native/ssz-hashtree.ts';
import { addressOf, ETHER, PARAMETERS, runBlock, transactionOf } from '../test/core/execution/block-setup.ts';
import { MemoryState } from '../test/core/execution/memory-state.ts';
import { createStockLoopExecutor } from '../test/core/execution/stock-loop-executor.ts';
import { forever } from '../test/core/execution/worst-blocks.ts';
import { compileLoadToken, encodeGive } from './devnet/load-token.ts';

const SENDERS = 700;
const TOKEN_GAS = 60_000;
const TRANSFER_SELECTOR = hex('a9059cbb');
const LOOP_KGAS = 66;
const SAMPLES = 15;
const GIVEN_AT_ONCE = 100;

/** One operation's cost. */
export interface ExecutionTiming {
  readonly operation: string;
  readonly microsecondsMin: number;
  readonly microsecondsMedian: number;
}

interface Workload {
  readonly operation: string;
  readonly state: MemoryState;
  readonly transactions: readonly Transaction[];
  /** What one block's time is divided by. */
  readonly operations: number;
}

const people = Array.from({ length: SENDERS }, (_unused, index) => addressOf(`person ${index}`));
const neighbourOf = (index: number): Address => people[(index + 1) % SENDERS] as Address;

function plainTransfers(): Workload {
  const state = MemoryState.of(people.map((address) => ({ address, balanceWei: ETHER })));
  const transactions = people.map((sender, index) => transactionOf({ sender, to: neighbourOf(index), valueWei: 1n }));
  return { operation: 'plain transfer', state, transactions, operations: SENDERS };
}

async function tokenTransfers(): Promise<Workload> {
  const owner = addressOf('owner');
  let state = MemoryState.of([...people, owner].map((address) => ({ address, balanceWei: ETHER })));
  const deployment = await runBlock(state, [transactionOf({ sender: owner, data: compileLoadToken(), gasLimit: 4_000_000 })]);
  const token = deployment.messages[0]?.createdAddress;
  if (token === undefined) throw new Error('the token was not deployed');
  state = state.after(deployment.changeSet);
  for (let given = 0; given < SENDERS; given += GIVEN_AT_ONCE) {
    const some = people.slice(given, given + GIVEN_AT_ONCE).map((address) => `0x${Buffer.from(address).toString('hex')}`);
    const nonce = state.getAccount(owner, owner)?.nonce ?? 0n;
    const giving = await runBlock(state, [
      transactionOf({ sender: owner, nonce, to: token, data: encodeGive(some, 1_000n), gasLimit: 8_000_000 }),
    ]);
    if (giving.messages.at(-1)?.outcome !== 'success') throw new Error('the tokens were not given');
    state = state.after(giving.changeSet);
  }
  const transactions = people.slice(0, Math.floor(PARAMETERS.blockGasLimit / TOKEN_GAS)).map((sender, index) => {
    const data = concatBytes(TRANSFER_SELECTOR, new Uint8Array(12), neighbourOf(index), new Uint8Array(31), Uint8Array.of(1));
    return transactionOf({ sender, to: token, data, gasLimit: TOKEN_GAS });
  });
  return { operation: 'ERC-20 transfer', state, transactions, operations: transactions.length };
}

function loops(): Workload {
  const contract = addressOf('loop');
  const code = forever([0], [1, 'ADD', 'DUP1', 'DUP1', 'MUL', 'POP']);
  const sender = people[0] as Address;
  const state = MemoryState.of([
    { address: sender, balanceWei: ETHER },
    { address: contract, nonce: 1n, code },
  ]);
  const gasLimit = 4_000_000;
  return {
    operation: `loop of ${LOOP_KGAS} kgas`,
    state,
    transactions: [transactionOf({ sender, to: contract, gasLimit })],
    operations: gasLimit / 1_000 / LOOP_KGAS,
  };
}

async function time(workload: Workload, evm: ItemExecutor): Promise<ExecutionTiming> {
  const samples: number[] = [];
  for (let sample = -2; sample < SAMPLES; sample++) {
    const start = process.cpuUsage();
    const { messages } = await runBlock(workload.state, workload.transactions, { evm });
    const { user, system } = process.cpuUsage(start);
    const microseconds = (user + system) / workload.operations;
    if (sample >= 0) samples.push(microseconds);
    if (messages.length < workload.transactions.length) throw new Error('a main call is missing');
  }
  samples.sort((a, b) => a - b);
  const rounded = (value: number | undefined): number => Number((value ?? 0).toPrecision(3));
  return {
    operation: `${workload.operation}, ${evm.name}`,
    microsecondsMin: rounded(samples[0]),
    microsecondsMedian: rounded(samples[SAMPLES >> 1]),
  };
}

/** All timings. */
export async function runExecutionBench(): Promise<readonly ExecutionTiming[]> {
  await initialiseKeccak();
  await installHashtree();
  const executors = [createOwnLoopExecutor(PARAMETERS.evmChainId), createStockLoopExecutor(PARAMETERS.evmChainId)];
  const timings: ExecutionTiming[] = [];
  for (const workload of [plainTransfers(), await tokenTransfers(), loops()]) {
    for (const evm of executors) timings.push(await time(workload, evm));
  }
  return timings;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const timings = await runExecutionBench();
  for (const { operation, microsecondsMin, microsecondsMedian } of timings) {
    console.log(`${operation.padEnd(40)} ${String(microsecondsMin).padStart(9)} µs (median ${microsecondsMedian})`);
  }
  if (values.json) console.log(JSON.stringify({ benchmark: 'execution', unit: 'µs per operation', timings }));
}

await main();
