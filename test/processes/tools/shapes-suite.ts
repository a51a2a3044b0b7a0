// The same check of shapes as test/conformance/rpc-shapes.test.ts, on a live devnet of four processes and four shards: users of every shard send their
// transactions to one node, the checker asks another.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { createPublicClient, createWalletClient, defineChain, type Hex, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { runShapeChecker, SHAPE_CHECKER, SHAPES_DOCUMENT } from '../../conformance/rpc-shapes-checker.ts';
import { LOGGER_INIT_CODE, SENDER_INIT_CODE } from '../../rpc/chain-fixture.ts';
import type { Devnet } from '../../system/devnet-fixture.ts';
import { assertInEachShard } from './four-shards.ts';

const isThere = existsSync(SHAPE_CHECKER) && existsSync(SHAPES_DOCUMENT);
const GAS_PRICE_WEI = 10n ** 10n;

/** Its suite, on a devnet whose first accounts, one in each shard, are nobody else's; the checker asks what the newest blocks have, so nobody else should be at work. */
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

/** In each shard a user who deploys, and calls what the one of the next shard has deployed. */
async function makeSamples(devnet: Devnet): Promise<void> {
  const users = devnet.accounts.map(({ privateKey }) => samplesOf(devnet, privateKey as Hex));
  const deployed = await Promise.all(users.map(({ deploy }) => deploy()));
  await assertInEachShard(
    { rpc: devnet.rpc.slice(1) }, // It has the blocks whose receipts it gave.
    deployed.map(({ logger }) => logger),
  );
  await Promise.all(users.map(({ send }, place) => send(deployed[(place + 1) % deployed.length] as Contracts)));
}

interface Contracts {
  readonly logger: Hex;
  readonly sender: Hex;
}

/** A user's contracts; and a transfer and a call of each type, a log, and a payment from a contract to another family. */
function samplesOf({ chainId, rpc, accounts }: Devnet, privateKey: Hex) {
  const chain = defineChain({
    id: Number(chainId),
    name: 'devnet',
    nativeCurrency: { name: 'Coppice', symbol: 'COP', decimals: 18 },
    rpcUrls: { default: { http: [rpc[0] as string] } },
  });
  const account = privateKeyToAccount(privateKey);
  const wallet = createWalletClient({ account, chain, transport: http() });
  const client = createPublicClient({ chain, transport: http(rpc[1]), pollingInterval: 100 });
  const final = async (hash: Hex) => {
    const receipt = await client.waitForTransactionReceipt({ hash, timeout: 30_000 });
    assert.equal(receipt.status, 'success');
    return receipt;
  };
  const deploy = async (): Promise<Contracts> => {
    const hashes: Hex[] = [];
    for (const data of [LOGGER_INIT_CODE, SENDER_INIT_CODE] as const) hashes.push(await wallet.sendTransaction({ data, gas: 1_000_000n }));
    const [logger, sender] = (await Promise.all(hashes.map(final))).map(({ contractAddress }) => contractAddress as Hex);
    assert.ok(logger !== undefined && sender !== undefined);
    return { logger, sender };
  };
  const send = async ({ logger, sender }: Contracts): Promise<void> => {
    const to = accounts[3]?.address as Hex;
    const sent: Hex[] = [];
    for (const fees of [
      { type: 'legacy', gasPrice: GAS_PRICE_WEI } as const,
      { type: 'eip2930', gasPrice: GAS_PRICE_WEI, accessList: [{ address: to, storageKeys: [] }] } as const,
      { type: 'eip1559', maxFeePerGas: GAS_PRICE_WEI, maxPriorityFeePerGas: 1n } as const,
    ]) {
      sent.push(await wallet.sendTransaction({ ...fees, to, value: 1n, gas: 30_000n }));
      sent.push(await wallet.sendTransaction({ ...fees, to: logger, data: `0x${'ab'.repeat(32)}`, gas: 200_000n }));
    }
    sent.push(await wallet.sendTransaction({ to: sender, value: 5n, gas: 300_000n, data: `0x${'00'.repeat(12)}${'99'.repeat(20)}` }));
    await Promise.all(sent.map(final));
  };
  return { deploy, send };
}
