// Users and contracts of a devnet with four shards: who lives where. A user is in the shard that has its natural place, a contract in that of its
// deployer's family, wherever its own address is.
import assert from 'node:assert/strict';
import { type DevnetAccount, mnemonicAccounts } from '../../../src/cli/mnemonic-accounts.ts';
import { placementOfFamily } from '../../../src/core/messaging/placement.ts';
import { hex } from '../../../src/core/primitives/bytes.ts';
import { shardOfPlacement } from '../../../src/core/protocol/shard-id.ts';
import { selectCrypto } from '../../../src/runtime/native/select-crypto.ts';
import type { DevnetReady } from '../../system/devnet-fixture.ts';

/** The shards of `devnet --shards 4`, left to right. */
export const SHARDS: readonly number[] = [4, 5, 6, 7];
/** Funded beside the well-known ten, so that there are enough in each shard. */
export const MORE_ACCOUNTS = 64;
const BITS_OF_PLACE = 16;

/** The further accounts, by shard in the order of `SHARDS`. */
function accountsByShard(): readonly (readonly DevnetAccount[])[] {
  const all = mnemonicAccounts(1, 0, MORE_ACCOUNTS, selectCrypto({ disableNative: false }).secp256k1);
  return SHARDS.map((shard) => all.filter(({ address }) => shardOfPlacement(new Set(SHARDS), placementOfFamily(hex(address))) === shard));
}

/** So many quartets of accounts, each with one in every shard, in the order of `SHARDS`; no account is in two. */
export function quartets(count: number): readonly (readonly DevnetAccount[])[] {
  const byShard = accountsByShard();
  return Array.from({ length: count }, (_unused, place) =>
    byShard.map((accounts, index) => {
      const account = accounts[place];
      assert.ok(account !== undefined, `${MORE_ACCOUNTS} accounts have ${count} in shard ${SHARDS[index]}`);
      return account;
    }),
  );
}

/** In which shard the account of an address lies, by the layout and the place in the state that the first node proves. */
export async function shardOf(devnet: Pick<DevnetReady, 'rpc'>, address: string): Promise<number> {
  const { shards } = await ask<{ readonly shards: readonly string[] }>(devnet, 'coppice_getLayout', []);
  const { accountProof } = await ask<{ readonly accountProof: { readonly key: string; readonly leaf: { readonly key: string } | null } }>(
    devnet,
    'coppice_getProof',
    [address, []],
  );
  assert.equal(accountProof.leaf?.key, accountProof.key, `there is an account of ${address}`);
  const placement = Number(BigInt(accountProof.key) >> BigInt(256 - BITS_OF_PLACE));
  return shardOfPlacement(new Set(shards.map(Number)), placement) ?? 0;
}

/** Holds that the accounts of these addresses lie one in each shard, in the order of `SHARDS`. */
export async function assertInEachShard(devnet: Pick<DevnetReady, 'rpc'>, addresses: readonly string[]): Promise<void> {
  assert.deepEqual(await Promise.all(addresses.map((address) => shardOf(devnet, address))), SHARDS);
}

async function ask<T>({ rpc }: Pick<DevnetReady, 'rpc'>, method: string, params: readonly unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await fetch(rpc[0] ?? '', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const { result, error } = (await response.json()) as { readonly result: T; readonly error?: unknown };
  assert.equal(error, undefined, JSON.stringify(error));
  return result;
}
