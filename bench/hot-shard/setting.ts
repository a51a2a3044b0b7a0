// The stage: contracts in the hot shard and in another, what each kind of transaction buys, addresses that receive and had nothing before.

import { keccak256 } from '../../src/core/crypto/keccak.ts';
import type { Secp256k1 } from '../../src/core/crypto/secp256k1.ts';
import { bytesToPrefixedHex, uint64ToBytes } from '../../src/core/primitives/bytes.ts';
import type { SeededRandom } from '../../src/simulation/random.ts';
import type { RpcClient } from '../devnet/json-rpc-client.ts';
import { type Sender, type SignedTransaction, signNext, type TransactionShape } from '../devnet/transactions.ts';
import { compileHotContract, encodeCall, encodeWork } from './contracts.ts';
import { drawWish, type HotKind } from './demand.ts';

/** See the file's head. */
export interface Setting {
  readonly hotSpot: string;
  /** Takes nothing. */
  readonly refuser: string;
  /** Creation code of what transactions create. */
  readonly child: Uint8Array;
  readonly counter: string;
  readonly sinks: readonly string[];
  readonly gasOf: Readonly<Record<HotKind, number>>;
  readonly signWish: (user: Sender) => SignedTransaction & { readonly kind: HotKind };
}

/** What the contracts say at the end, and what was received. */
export interface Settled {
  readonly told: number;
  readonly arrived: number;
  readonly created: number;
  readonly paid: number;
  readonly bounced: number;
  readonly receivedWei: number;
}

const SINKS = 64;
/** Slots that are written for the first time, and a block that is priced otherwise. */
const GAS_TO_SPARE = 25_000;
const RECEIPT_MS_MAX = 60_000;
const POLL_MS = 50;

/** Deploys the contracts, each by an account of its shard, and asks what transactions need. */
export async function prepareSetting(
  entry: RpcClient,
  {
    hotOwner,
    otherOwner,
    chainId,
    secp256k1,
    random,
  }: {
    readonly hotOwner: Sender;
    readonly otherOwner: Sender;
    readonly chainId: number;
    readonly secp256k1: Secp256k1;
    readonly random: SeededRandom;
  },
): Promise<Setting> {
  const child = compileHotContract('Child');
  const create = (owner: Sender, data: Uint8Array): Promise<string> => deploy(entry, owner, data, chainId, secp256k1);
  const [hotSpot, counter, refuser] = await Promise.all([
    create(hotOwner, compileHotContract('HotSpot')),
    create(otherOwner, compileHotContract('Counter')),
    create(otherOwner, compileHotContract('Refuser')),
  ]);
  const sinks = Array.from({ length: SINKS }, (_unused, place) =>
    bytesToPrefixedHex(keccak256(uint64ToBytes(1_000_000 + place)).slice(12)),
  );
  const from = otherOwner.address;
  const gasOfWork = (creates: boolean): Promise<number> =>
    estimate(entry, { from, to: hotSpot, value: '0x1', data: bytesToPrefixedHex(encodeWork(counter, sinks[0] as string, creates)) });
  const [call, creatingCall, creation] = await Promise.all([
    gasOfWork(false),
    gasOfWork(true),
    estimate(entry, { from, data: bytesToPrefixedHex(child) }),
  ]);
  const gasOf = {
    transfer: 21_000,
    call: call + GAS_TO_SPARE,
    'bouncing call': call + GAS_TO_SPARE,
    'creating call': creatingCall + GAS_TO_SPARE,
    creation,
  };
  const shapeOf = (kind: HotKind): TransactionShape => {
    const sink = random.pick(sinks);
    const gasLimit = gasOf[kind];
    if (kind === 'transfer') return { to: sink, valueWei: 1n, gasLimit, data: new Uint8Array(0) };
    if (kind === 'creation') return { to: undefined, valueWei: 0n, gasLimit, data: child };
    const to = kind === 'bouncing call' ? refuser : sink;
    return { to: hotSpot, valueWei: 1n, gasLimit, data: encodeWork(counter, to, kind === 'creating call') };
  };
  const signWish: Setting['signWish'] = (user) => {
    const { kind, ...fees } = drawWish(random);
    return { kind, ...signNext(user, { ...shapeOf(kind), fees }, chainId, secp256k1) };
  };
  return { hotSpot, refuser, child, counter, sinks, gasOf, signWish };
}

/** Creates a contract; its address. */
export async function deploy(entry: RpcClient, owner: Sender, data: Uint8Array, chainId: number, secp256k1: Secp256k1): Promise<string> {
  const gasLimit = await estimate(entry, { from: owner.address, data: bytesToPrefixedHex(data) });
  const { raw, hash } = signNext(owner, { to: undefined, valueWei: 0n, gasLimit, data }, chainId, secp256k1);
  await entry.call('eth_sendRawTransaction', [raw]);
  return (await receiptOf(entry, hash)).contractAddress;
}

/** What a contract of the load has counted. */
export async function countAt(node: RpcClient, contract: string, name: Parameters<typeof encodeCall>[0]): Promise<number> {
  return Number(await node.call('eth_call', [{ to: contract, data: encodeCall(name) }, 'latest']));
}

/** Asks a node how everything stands. */
export async function readSettled(node: RpcClient, { hotSpot, counter, sinks }: Setting): Promise<Settled> {
  const [told, paid, created, bounced, arrived] = await Promise.all([
    countAt(node, hotSpot, 'told'),
    countAt(node, hotSpot, 'paid'),
    countAt(node, hotSpot, 'created'),
    countAt(node, hotSpot, 'bounced'),
    countAt(node, counter, 'count'),
  ]);
  const balances = await Promise.all(sinks.map(async (sink) => Number(await node.call('eth_getBalance', [sink, 'latest']))));
  // The four begin at 1, so that the first call costs no more than the others.
  return {
    told: told - 1,
    paid: paid - 1,
    created: created - 1,
    bounced: bounced - 1,
    arrived,
    receivedWei: balances.reduce((sum, each) => sum + each, 0),
  };
}

async function estimate(entry: RpcClient, request: object): Promise<number> {
  return Number(await entry.call('eth_estimateGas', [request]));
}

async function receiptOf(entry: RpcClient, hash: string): Promise<{ readonly contractAddress: string }> {
  const endMs = performance.now() + RECEIPT_MS_MAX;
  for (;;) {
    const receipt = (await entry.call('eth_getTransactionReceipt', [hash])) as { status: string; contractAddress: string } | null;
    if (receipt?.status === '0x1') return receipt;
    if (receipt !== null || performance.now() > endMs) throw new Error('a contract of the load could not be deployed');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
