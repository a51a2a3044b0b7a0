// A devnet whose shards are not of one size: each takes transactions, and gets what the others send.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createPublicClient, createWalletClient, defineChain, type Hex, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { placementOfFamily } from '../../src/core/messaging/placement.ts';
import { hex } from '../../src/core/primitives/bytes.ts';
import { shardOfPlacement } from '../../src/core/protocol/shard-id.ts';
import { type Devnet, startDevnet } from '../system/devnet-fixture.ts';

const LAYOUT = [4, 5, 3];

interface LayoutMethod {
  readonly Method: 'coppice_getLayout';
  readonly Parameters: [];
  readonly ReturnType: { readonly shards: readonly Hex[] };
}

describe('a devnet with two quarters of the state and a half', () => {
  let devnet: Devnet;
  before(async () => {
    devnet = await startDevnet({ layout: LAYOUT, validators: 2 });
  });
  after(() => devnet?.remove());

  it('makes what every shard sends to every other final', async () => {
    const [url] = devnet.rpc;
    const chain = defineChain({
      id: Number(devnet.chainId),
      name: 'Coppice devnet',
      nativeCurrency: { name: 'Coin', symbol: 'COIN', decimals: 18 },
      rpcUrls: { default: { http: [url ?? ''] } },
    });
    const reader = createPublicClient({ chain, transport: http(url), pollingInterval: 50 });
    const { shards } = await reader.request<LayoutMethod>({ method: 'coppice_getLayout', params: [] });
    assert.deepEqual(shards.map(Number), LAYOUT);
    const byShard = LAYOUT.map((shard) => {
      const known = devnet.accounts.find(({ address }) => shardOfPlacement(new Set(LAYOUT), placementOfFamily(hex(address))) === shard);
      assert.ok(known !== undefined, `an account of the devnet is in shard ${shard}`);
      return privateKeyToAccount(known.privateKey);
    });
    const before = await Promise.all(byShard.map(({ address }) => reader.getBalance({ address })));
    const hashes: Hex[] = [];
    for (const [place, account] of byShard.entries()) {
      const wallet = createWalletClient({ chain, account, transport: http(url) });
      for (const [other, { address }] of byShard.entries())
        if (other !== place) hashes.push(await wallet.sendTransaction({ to: address, value: 10n ** BigInt(15 + place) }));
    }
    const receipts = await Promise.all(hashes.map((hash) => reader.waitForTransactionReceipt({ hash })));
    assert.deepEqual(new Set(receipts.map(({ status }) => status)), new Set(['success']));
    const after = await Promise.all(byShard.map(({ address }) => reader.getBalance({ address })));
    for (const [place, { address }] of byShard.entries()) {
      const paidWei = receipts
        .filter(({ from }) => from === address.toLowerCase())
        .reduce((sum, { gasUsed, effectiveGasPrice }) => sum + gasUsed * effectiveGasPrice, 0n);
      const sentWei = 2n * 10n ** BigInt(15 + place);
      const gotWei = byShard.reduce((sum, _account, other) => (other === place ? sum : sum + 10n ** BigInt(15 + other)), 0n);
      assert.equal(after[place], (before[place] ?? 0n) - paidWei - sentWei + gotWei, `what the account of shard ${LAYOUT[place]} has`);
    }
  });
});
