// What the users of the other shards send: transfers within and between their shards, and as in every load a third of calls whose contracts send messages, some of
// which come back, and of creations. Nobody of them has to do with the hot shard.
import type { Secp256k1 } from '../../src/core/crypto/secp256k1.ts';
import type { RpcClient } from '../devnet/json-rpc-client.ts';
import { type Sender, type SignedTransaction, signNext, type TransactionShape, transferTo } from '../devnet/transactions.ts';
import { plannedTransfer, type ShardAccounts } from '../shards/transfer-mix.ts';
import { compileHotContract, encodeWork } from './contracts.ts';
import type { HotKind } from './demand.ts';
import { countAt, deploy, type Setting } from './setting.ts';

/** What each user sends, in turn. */
const TURNS: readonly HotKind[] = [
  'transfer',
  'call',
  'transfer',
  'creation',
  'transfer',
  'transfer',
  'call',
  'transfer',
  'transfer',
  'bouncing call',
  'transfer',
  'creating call',
  'transfer',
  'call',
  'transfer',
  'transfer',
  'creation',
  'transfer',
  'transfer',
  'transfer',
];
const CROSS_PERCENT = 50;

/** Of a hundred transactions so many are no plain transfers. */
export const NEIGHBOUR_CALLS_PERCENT = (100 * TURNS.filter((kind) => kind !== 'transfer').length) / TURNS.length;

/** The contracts of the other shards. */
export interface NeighbourMix {
  /** The next so many, all nonces from where the accounts stand. */
  readonly sign: (count: number) => SignedTransaction[];
  /** What was sent by the contracts, and what arrived of it. */
  readonly settled: (node: RpcClient) => Promise<{ readonly told: number; readonly arrived: number }>;
}

/** Deploys a contract in each of the other shards, and where its messages go to. */
export async function prepareNeighbours(
  entry: RpcClient,
  shards: readonly ShardAccounts[],
  { refuser, child, gasOf }: Setting,
  chainId: number,
  secp256k1: Secp256k1,
): Promise<NeighbourMix> {
  const create = (owner: Sender, data: Uint8Array): Promise<string> => deploy(entry, owner, data, chainId, secp256k1);
  const owners = shards.map(({ senders }) => senders[0] as Sender);
  const counter = await create(owners.at(-1) as Sender, compileHotContract('Counter'));
  const spots = await Promise.all(owners.map((owner) => create(owner, compileHotContract('HotSpot'))));
  const shapeOf = (kind: HotKind, from: number, recipient: string): TransactionShape => {
    if (kind === 'transfer') return transferTo(recipient);
    if (kind === 'creation') return { to: undefined, valueWei: 0n, gasLimit: gasOf.creation, data: child };
    const sink = kind === 'bouncing call' ? refuser : recipient;
    return { to: spots[from], valueWei: 1n, gasLimit: gasOf[kind], data: encodeWork(counter, sink, kind === 'creating call') };
  };
  const sign = (count: number): SignedTransaction[] =>
    Array.from({ length: count }, (_unused, number) => {
      const { from, to, sender, recipient } = plannedTransfer(number, shards.length, CROSS_PERCENT);
      const [source, target] = [shards[from], shards[to]] as [ShardAccounts, ShardAccounts];
      const kind = TURNS[Math.floor(number / shards.length) % TURNS.length] as HotKind;
      const shape = shapeOf(kind, from, target.recipients[recipient % target.recipients.length] as string);
      return signNext(source.senders[sender % source.senders.length] as Sender, shape, chainId, secp256k1);
    });
  const settled: NeighbourMix['settled'] = async (node) => {
    const told = await Promise.all(spots.map((spot) => countAt(node, spot, 'told')));
    // Each begins at 1.
    return { told: told.reduce((sum, each) => sum + each - 1, 0), arrived: await countAt(node, counter, 'count') };
  };
  return { sign, settled };
}
