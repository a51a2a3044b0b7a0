// The Ethereum state tests of the shared data folder as items: all accounts of `pre` as one family, fees left out (gas bought is gas paid
// here). Read in place; see the README beside the data.
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { intrinsicGas } from '../../src/core/execution/intrinsic-gas.ts';
import { messageIdOf } from '../../src/core/messaging/message-id.ts';
import { bigintToBytes, hex } from '../../src/core/primitives/bytes.ts';
import type { ExecutionContext, Message } from '../../src/core/protocol/message.ts';
import { type AccountSetup, MemoryState } from '../core/execution/memory-state.ts';

const FILE = new URL('../../../shared/data/state-tests.ndjson.gz', import.meta.url);

export interface StateTestLine {
  readonly folder: string;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  readonly pre: Readonly<Record<string, { balance: string; code: string; nonce: string; storage: Readonly<Record<string, string>> }>>;
  readonly transaction: {
    readonly accessLists?: readonly (readonly { address: string; storageKeys: readonly string[] }[] | null)[];
    readonly data: readonly string[];
    readonly gasLimit: readonly string[];
    readonly value: readonly string[];
    readonly sender: string;
    readonly to: string;
    readonly nonce: string;
    readonly gasPrice?: string;
    readonly maxFeePerGas?: string;
    readonly maxPriorityFeePerGas?: string;
    readonly secretKey: string;
  };
  readonly post: readonly {
    readonly indexes: { readonly data: number; readonly gas: number; readonly value: number };
    readonly hash: string;
    readonly logs: string;
    readonly expectException?: string;
  }[];
}

/** One choice of data, gas and value. */
export interface StateTestCase {
  readonly name: string;
  readonly state: MemoryState;
  readonly message: Message;
  readonly context: ExecutionContext;
}

/** The lines of the file, or undefined where the checkout has none. */
export function readStateTests(): readonly StateTestLine[] | undefined {
  if (!existsSync(FILE)) return undefined;
  const lines = gunzipSync(readFileSync(FILE)).toString('utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as StateTestLine);
}

/** The case of one post entry; undefined where the transaction could not be included here. */
export function caseOf(line: StateTestLine, index: number, gasLimitMax: number): StateTestCase | undefined {
  const post = line.post[index];
  if (post === undefined || post.expectException !== undefined) return undefined;
  const { transaction, env } = line;
  const sender = hex(transaction.sender);
  const data = hex(transaction.data[post.indexes.data] ?? '');
  const wantedGas = BigInt(transaction.gasLimit[post.indexes.gas] ?? '0');
  const gas = wantedGas > BigInt(gasLimitMax) ? gasLimitMax : Number(wantedGas);
  const valueWei = BigInt(transaction.value[post.indexes.value] ?? '0');
  const to = transaction.to === '' ? undefined : hex(transaction.to);
  const listed = transaction.accessLists?.[post.indexes.data] ?? [];
  const accessList = listed.map((entry) => ({ address: hex(entry.address), storageKeys: entry.storageKeys.map((key) => hex(key)) }));
  const gasLimit = gas - intrinsicGas({ to, data, accessList });
  const senderSetup = line.pre[transaction.sender];
  if (gasLimit < 0 || senderSetup === undefined || BigInt(senderSetup.balance) < valueWei || BigInt(senderSetup.nonce) >= 2n ** 64n - 1n)
    return undefined;
  const nonce = BigInt(senderSetup.nonce);
  const accounts = Object.entries(line.pre).map(([address, setup]) => accountOf(address, setup, sender, transaction.sender, valueWei));
  const id = messageIdOf(new Uint8Array(32), index);
  return {
    name: `${line.folder}/${line.name}#${index}`,
    state: MemoryState.of(accounts.filter((account) => account !== undefined)),
    message: {
      kind: 'main-call',
      id,
      originTransactionHash: id,
      emitterId: id,
      sender,
      senderFamily: sender,
      originAddress: sender,
      originFamily: sender,
      target: to,
      targetFamily: sender,
      valueWei,
      data,
      gasLimit,
      reservedGas: 0,
      replySelector: new Uint8Array(4),
      gasPriceWei: BigInt(transaction.gasPrice ?? transaction.maxFeePerGas ?? '0'),
      baseFeePerGasWei: BigInt(env['currentBaseFee'] ?? '0'),
      travellingTipWei: 0n,
      creationNonce: nonce,
      accessList,
      hop: 0,
      pointerFamily: undefined,
    },
    context: contextOf(env),
  };
}

function accountOf(
  address: string,
  setup: StateTestLine['pre'][string],
  family: Uint8Array,
  senderHex: string,
  valueWei: bigint,
): AccountSetup | undefined {
  const isSender = address === senderHex;
  const storage: Record<string, Uint8Array> = {};
  for (const [slot, value] of Object.entries(setup.storage)) {
    if (BigInt(value) === 0n) continue;
    storage[BigInt(slot).toString(16).padStart(64, '0')] = bigintToBytes(BigInt(value), 32);
  }
  const nonce = BigInt(setup.nonce) + (isSender ? 1n : 0n);
  const balanceWei = BigInt(setup.balance) - (isSender ? valueWei : 0n);
  const code = hex(setup.code);
  if (nonce === 0n && balanceWei === 0n && code.length === 0) return undefined;
  return { address: hex(address), family, balanceWei, nonce, code, storage };
}

function contextOf(env: StateTestLine['env']): ExecutionContext {
  const number = BigInt(env['currentNumber'] ?? '1');
  return {
    referenceHeight: Number(number),
    referenceTimestampMs: Number(BigInt(env['currentTimestamp'] ?? '0')) * 1000,
    prevRandao: bigintToBytes(BigInt(env['currentRandom'] ?? '0'), 32),
    blockHash: (height) => bigintToBytes(BigInt(height + 1), 32),
  };
}
