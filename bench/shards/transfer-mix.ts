// The transfers of the benchmarks of shards: who sends and who receives, so that of each hundred as many go to another shard as was asked for,
// and each shard sends and receives as much as any other.
import type { DevnetAccount } from '../../src/cli/mnemonic-accounts.ts';
import type { Secp256k1 } from '../../src/core/crypto/secp256k1.ts';
import { placementOfFamily } from '../../src/core/messaging/placement.ts';
import { hex } from '../../src/core/primitives/bytes.ts';
import type { ChainId } from '../../src/core/primitives/ids.ts';
import { shardOfPlacement } from '../../src/core/protocol/shard-id.ts';
import { type Sender, type SignedTransaction, signNext, transferTo } from '../devnet/transactions.ts';

/** The accounts of a shard that take part. */
export interface ShardAccounts {
  readonly shard: ChainId;
  readonly senders: readonly Sender[];
  readonly recipients: readonly string[];
}

/** A transfer, by the places of its accounts. */
export interface PlannedTransfer {
  /** Places among the shards. */
  readonly from: number;
  readonly to: number;
  /** Places among the senders and recipients there, before the number of these is taken into account. */
  readonly sender: number;
  readonly recipient: number;
}

/** Of each shard of the layout the first so many of the accounts as senders, and the next as recipients. Throws where there are too few. */
export function placeAccounts(
  accounts: readonly DevnetAccount[],
  layout: readonly ChainId[],
  sendersEach: number,
  recipientsEach: number,
): ShardAccounts[] {
  const shards = new Set(layout);
  const byShard = new Map<ChainId, DevnetAccount[]>(layout.map((shard) => [shard, []]));
  for (const account of accounts) byShard.get(shardOfPlacement(shards, placementOfFamily(hex(account.address))) ?? 0)?.push(account);
  return layout.map((shard) => {
    const own = byShard.get(shard) ?? [];
    const wanted = sendersEach + recipientsEach;
    if (own.length < wanted)
      throw new Error(`shard ${shard} has ${own.length} funded accounts, ${wanted} are wanted: fund more with --accounts`);
    return {
      shard,
      senders: own.slice(0, sendersEach).map(({ address, privateKey }) => ({ address, secretKey: hex(privateKey), nonce: 0 })),
      recipients: own.slice(sendersEach, wanted).map(({ address }) => address),
    };
  });
}

/** The `number`-th transfer: shards send in turn, and of those of one shard `crossPercent` in a hundred, evenly spread, go to the others in turn. */
export function plannedTransfer(number: number, shards: number, crossPercent: number): PlannedTransfer {
  const from = number % shards;
  const ofShard = Math.floor(number / shards);
  const crossBefore = Math.floor((ofShard * crossPercent) / 100);
  const isCross = shards > 1 && Math.floor(((ofShard + 1) * crossPercent) / 100) > crossBefore;
  const to = isCross ? (from + 1 + (crossBefore % (shards - 1))) % shards : from;
  return { from, to, sender: ofShard, recipient: ofShard };
}

/** `count` signed transfers of one wei. */
export function signTransfers(
  count: number,
  accounts: readonly ShardAccounts[],
  crossPercent: number,
  chainId: number,
  secp256k1: Secp256k1,
): SignedTransaction[] {
  return Array.from({ length: count }, (_unused, number) => {
    const { from, to, sender, recipient } = plannedTransfer(number, accounts.length, crossPercent);
    const { senders } = accounts[from] as ShardAccounts;
    const { recipients } = accounts[to] as ShardAccounts;
    const account = senders[sender % senders.length] as Sender;
    return signNext(account, transferTo(recipients[recipient % recipients.length] as string), chainId, secp256k1);
  });
}
