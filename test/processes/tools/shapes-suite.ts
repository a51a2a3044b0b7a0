// The same check of shapes as test/conformance/rpc-shapes.test.ts, on a live devnet of four processes: transactions go to one node, the checker asks
// another.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { createPublicClient, createWalletClient, defineChain, type Hex, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { runShapeChecker, SHAPE_CHECKER, SHAPES_DOCUMENT } from '../../conformance/rpc-shapes-checker.ts';
import { LOGGER_INIT_CODE, SENDER_INIT_CODE } from '../../rpc/chain-fixture.ts';
import type { Devnet } from '../../system/devnet-fixture.ts';

const isThere = existsSync(SHAPE_CHECKER) && existsSync(SHAPES_DOCUMENT);
const GAS_PRICE_WEI = 10n ** 10n;

/** Its suite, on a devnet whose first account is nobody else's; the checker asks what the newest blocks have, so nobody else should be at work. */
export function describeShapes(devnetOf: () => Devnet): void {
  describe("a live devnet's answers", { concurrency: 1, skip: isThere ? false : `the checker is not at ${SHAPE_CHECKER}` }, () => {
    before(() => makeSamples(devnetOf()));

    it('have the shapes that the OpenRPC document gives them', async () => {
      const report = await runShapeChecker(devnetOf().rpc[1] as string);
      assert.deepEqual(
        report.unmet,
        [],
        JSON.stringify(
          report.rows.filter((row) => report.unmet.includes(row.method)),
          null,
          1,
        ),
      );
      const byHash = report.rows.find((row) => row.method === 'eth_getTransactionByHash');
      assert.ok(
        byHash !== undefined && byHash.calls >= 7,
        'creations, transfers and calls of each type, and a system transaction, were seen',
      );
    });
  });
}

/** A transfer and a call of each type, contracts, a log, and a payment from a contract to another family. */
async function makeSamples({ chainId, rpc, accounts }: Devnet): Promise<void> {
  const chain = defineChain({
    id: Number(chainId),
    name: 'devnet',
    nativeCurrency: { name: 'Coppice', symbol: 'COP', decimals: 18 },
    rpcUrls: { default: { http: [rpc[0] as string] } },
  });
  const account = privateKeyToAccount(accounts[0]?.privateKey as Hex);
  const wallet = createWalletClient({ account, chain, transport: http() });
  const client = createPublicClient({ chain, transport: http(rpc[1]), pollingInterval: 100 });
  const final = async (hash: Hex) => {
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: 30_000 });
    assert.equal(receipt.status, 'success');
    return receipt;
  };
  const deploy = (data: Hex) => wallet.sendTransaction({ data, gas: 1_000_000n });
  const deployments = [await deploy(LOGGER_INIT_CODE), await deploy(SENDER_INIT_CODE)];
  const [logger, sender] = (await Promise.all(deployments.map(final))).map(({ contractAddress }) => contractAddress as Hex);
  const to = accounts[1]?.address as Hex;
  const sent: Hex[] = [];
  for (const fees of [
    { type: 'legacy', gasPrice: GAS_PRICE_WEI } as const,
    { type: 'eip2930', gasPrice: GAS_PRICE_WEI, accessList: [{ address: to, storageKeys: [] }] } as const,
    { type: 'eip1559', maxFeePerGas: GAS_PRICE_WEI, maxPriorityFeePerGas: 1n } as const,
  ]) {
    sent.push(await wallet.sendTransaction({ ...fees, to, value: 1n, gas: 30_000n }));
    sent.push(await wallet.sendTransaction({ ...fees, to: logger as Hex, data: `0x${'ab'.repeat(32)}`, gas: 200_000n }));
  }
  sent.push(await wallet.sendTransaction({ to: sender as Hex, value: 5n, gas: 300_000n, data: `0x${'00'.repeat(12)}${'99'.repeat(20)}` }));
  await Promise.all(sent.map(final));
}
