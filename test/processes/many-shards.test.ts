// Devnets of as many shards as genesis permits, and of validators whose stakes differ: real processes, that run all shards at once.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connectRpc, type RpcClient } from '../../bench/devnet/json-rpc-client.ts';
import { areStateRootsEqual } from '../../bench/devnet/measurement.ts';
import { type Sender, signNext, transferTo } from '../../bench/devnet/transactions.ts';
import { placeAccounts } from '../../bench/shards/transfer-mix.ts';
import { mnemonicAccounts } from '../../src/cli/mnemonic-accounts.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { type Devnet, type DevnetOptions, startDevnet } from '../system/devnet-fixture.ts';

const { secp256k1 } = selectCrypto({ disableNative: false });
/** Enough that each shard has some of them. */
const ACCOUNTS = 200;
/** Idle chains cost most here: they may be slow. */
const SLOW = { idleIntervalMs: 3_000, beaconBlockIntervalMsMin: 1_000 };
/** Of each shard's account to those of the next shards. */
const TRANSFERS_EACH = 5;
const FINAL_MS_MAX = 120_000;
const POLL_MS = 100;

interface Case {
  readonly name: string;
  readonly options: DevnetOptions;
  readonly layout: readonly number[];
  readonly stakes: readonly number[];
}

const CASES: readonly Case[] = [
  {
    name: 'eight uneven shards and two validators',
    options: { layout: [16, 17, 9, 10, 11, 6, 14, 15], validators: 2 },
    layout: [16, 17, 9, 10, 11, 6, 14, 15],
    stakes: [1, 1],
  },
  {
    name: 'sixteen shards and four validators of unequal stakes',
    options: { shards: 16, validators: 4, seats: [1, 2, 2, 4] },
    layout: Array.from({ length: 16 }, (_unused, index) => 16 + index),
    stakes: [1, 2, 2, 4],
  },
];

interface Receipt {
  readonly status: string;
  readonly gasUsed: string;
  readonly effectiveGasPrice: string;
}

interface Member {
  readonly validator: string;
  readonly seats: string;
}

async function untilFinal(node: RpcClient, hashes: readonly string[]): Promise<readonly Receipt[]> {
  const endMs = performance.now() + FINAL_MS_MAX;
  for (;;) {
    const receipts = (await node.callMany(
      'eth_getTransactionReceipt',
      hashes.map((hash) => [hash]),
    )) as readonly (Receipt | null)[];
    const final = receipts.filter((receipt) => receipt !== null);
    if (final.length === hashes.length) return final;
    assert.ok(performance.now() < endMs, `${hashes.length - final.length} transfers are not final`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

for (const { name, options, layout, stakes } of CASES) {
  describe(`a devnet of ${name}`, () => {
    let devnet: Devnet | undefined;
    let nodes: readonly RpcClient[] = [];
    after(async () => {
      for (const node of nodes) node.close();
      await devnet?.remove();
    });

    it('makes transfers from each shard to others final, on all nodes alike, by committees that have seats by stake', async () => {
      devnet = await startDevnet({ ...options, loadAccounts: ACCOUNTS, overrides: SLOW });
      nodes = devnet.rpc.map(connectRpc);
      const [entry] = nodes as [RpcClient, ...RpcClient[]];
      const { shards } = (await entry.call('coppice_getLayout', [])) as { readonly shards: readonly string[] };
      assert.deepEqual(shards.map(Number), layout);
      const seatsOf = async (chain: number): Promise<ReadonlyMap<number, number>> => {
        const committee = (await entry.call('coppice_getCommittee', [`0x${chain.toString(16)}`, '0x0'])) as readonly Member[];
        return new Map(committee.map(({ validator, seats }) => [Number(validator), Number(seats)]));
      };
      assert.deepEqual([...(await seatsOf(0))].sort(), [...stakes.entries()], 'the beacon is everybody');
      for (const shard of layout) {
        const seats = await seatsOf(shard);
        const all = [...seats.values()].reduce((sum, each) => sum + each, 0);
        assert.equal(all, stakes.length, `seats of shard ${shard}: as many as validators, whatever their stakes`);
        for (const [validator, own] of seats) assert.ok(own <= (stakes[validator] ?? 0), `validator ${validator} in shard ${shard}`);
      }
      const users = placeAccounts(mnemonicAccounts(1, 0, ACCOUNTS, secp256k1), layout, 1, 0).map(({ senders }) => senders[0] as Sender);
      const balances = async (node: RpcClient): Promise<readonly bigint[]> => {
        const found = await node.callMany(
          'eth_getBalance',
          users.map(({ address }) => [address, 'latest']),
        );
        return found.map((balance) => BigInt(String(balance)));
      };
      const before = await balances(entry);
      const expected = [...before];
      const signed = users.flatMap((user, place) =>
        Array.from({ length: TRANSFERS_EACH }, (_unused, count) => {
          const to = (place + 1 + count) % users.length;
          const valueWei = 10n ** BigInt(6 + count) + BigInt(place);
          expected[place] = (expected[place] as bigint) - valueWei;
          expected[to] = (expected[to] as bigint) + valueWei;
          const shape = { ...transferTo(users[to]?.address ?? ''), valueWei };
          return { place, ...signNext(user, shape, Number(devnet?.chainId), secp256k1) };
        }),
      );
      assert.deepEqual(new Set(await entry.sendRaw(signed.map(({ raw }) => raw))), new Set([undefined]));
      const receipts = await untilFinal(
        nodes.at(-1) as RpcClient,
        signed.map(({ hash }) => hash),
      );
      for (const [index, { status, gasUsed, effectiveGasPrice }] of receipts.entries()) {
        assert.equal(status, '0x1');
        const { place } = signed[index] as (typeof signed)[number];
        expected[place] = (expected[place] as bigint) - BigInt(gasUsed) * BigInt(effectiveGasPrice);
      }
      assert.deepEqual(await balances(nodes.at(-1) as RpcClient), expected, 'every wei is where it was sent');
      assert.ok(await areStateRootsEqual(nodes), 'all nodes came to the same');
    });
  });
}
