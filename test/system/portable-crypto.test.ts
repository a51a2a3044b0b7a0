// The whole devnet with every native crypto library switched off: the portable implementations carry consensus, transactions and
// hashing, only slower.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createPublicClient, createWalletClient, defineChain, http, parseEther } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { type Devnet, startDevnet } from './devnet-fixture.ts';

describe('a devnet without native crypto', () => {
  let devnet: Devnet;
  before(async () => {
    devnet = await startDevnet({ environment: { COPPICE_PORTABLE_CRYPTO: '1' } });
  });
  after(() => devnet?.remove());

  it('says in its log which implementations are in use, none of them native', () => {
    for (const { dataDir } of devnet.validators) {
      const line = readFileSync(join(dataDir, 'log', 'node.log'), 'utf8')
        .split('\n')
        .find((text) => text.includes('cryptography in use'));
      const facts = JSON.parse(line ?? '{}') as Record<string, string>;
      assert.equal(facts['bls'], '@noble/curves', line);
      assert.match(facts['secp256k1'] ?? '', /noble/, line);
      assert.doesNotMatch(facts['sha256'] ?? '', /hashtree/, line);
    }
  });

  it('finalises a transfer that another node shows', async () => {
    const [entry, , other] = devnet.rpc;
    const [from, to] = devnet.accounts;
    assert.ok(entry !== undefined && other !== undefined && from !== undefined && to !== undefined);
    const chain = defineChain({
      id: Number(devnet.chainId),
      name: 'devnet',
      nativeCurrency: { name: 'coin', symbol: 'C', decimals: 18 },
      rpcUrls: { default: { http: [entry] } },
    });
    const wallet = createWalletClient({ account: privateKeyToAccount(from.privateKey), chain, transport: http(entry) });
    const hash = await wallet.sendTransaction({ to: to.address, value: parseEther('3') });
    const receipt = await createPublicClient({ chain, transport: http(other), pollingInterval: 50 }).waitForTransactionReceipt({
      hash,
      timeout: 60_000,
    });
    assert.equal(receipt.status, 'success');
  });
});
