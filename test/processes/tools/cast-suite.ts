// Unmodified cast, Foundry's command line, against a devnetOf().
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { Devnet } from '../../system/devnet-fixture.ts';
import { assertInEachShard } from './four-shards.ts';

const CAST = join(dirname(createRequire(import.meta.url).resolve('@foundry-rs/cast/package.json')), 'bin.mjs');
const MULTICALL3 = '0xcA11bde05977b3631167028862bE2a173976CA11';

/** Init code that returns one byte: STOP. */
const ONE_BYTE_OF_CODE = '6001600c60003960016000f300';

interface ShownReceipt {
  readonly status: string;
  readonly transactionHash: string;
  readonly contractAddress: string | null;
}

function receiptIn(printed: string): ShownReceipt {
  return JSON.parse(printed) as ShownReceipt;
}

/** Its suite, on a devnet whose first accounts, one in each shard, are nobody else's. */
export function describeCast(devnetOf: () => Devnet): void {
  describe('cast', { concurrency: 1 }, () => {
    const cast = async (command: string, ...args: readonly string[]): Promise<string> => {
      const { stdout } = await promisify(execFile)(process.execPath, [CAST, command, '--rpc-url', devnetOf().rpc[0] ?? '', ...args], {
        timeout: 60_000,
      });
      return stdout.trim();
    };
    const key = (user = 0): string => devnetOf().accounts[user]?.privateKey ?? '';
    const ofEachShard = <T>(work: (user: number) => Promise<T>): Promise<readonly T[]> =>
      Promise.all(devnetOf().accounts.map((_account, user) => work(user)));

    it('reads the chain, its blocks and its accounts', async () => {
      assert.equal(await cast('chain-id'), String(Number(devnetOf().chainId)));
      assert.ok(Number(await cast('block-number')) >= 1);
      assert.match(await cast('client'), /coppice/i);
      assert.equal(await cast('balance', devnetOf().accounts[1]?.address ?? ''), (10_000n * 10n ** 18n).toString());
      assert.match(await cast('block', '1'), /baseFeePerGas/);
      assert.ok(BigInt(await cast('gas-price')) >= 100_000_000n);
    });

    it('sends coins from every shard, and shows the transaction and its receipt', async () => {
      const to = `0x${'7a'.repeat(20)}`;
      const [sent] = await ofEachShard(async (user) => {
        const receipt = receiptIn(await cast('send', to, '--value', '1ether', '--private-key', key(user), '--json'));
        assert.equal(receipt.status, '0x1');
        return receipt;
      });
      assert.equal(await cast('balance', to, '--ether'), '4.000000000000000000');
      assert.match(await cast('tx', sent?.transactionHash ?? ''), /blockNumber/);
      assert.match(await cast('receipt', sent?.transactionHash ?? ''), /status\s+1/);
    });

    it('deploys a contract in every shard', async () => {
      const deployed = await ofEachShard(async (user) => {
        const { contractAddress } = receiptIn(
          await cast('send', '--private-key', key(user), '--json', '--create', `0x${ONE_BYTE_OF_CODE}`),
        );
        return contractAddress ?? '';
      });
      await assertInEachShard(devnetOf(), deployed);
      assert.equal(await cast('code', deployed[1] ?? ''), '0x00');
    });

    it('deploys through the CREATE2 proxy, and calls a predeployed contract', async () => {
      const proxy = '0x4e59b44847b379578588920cA78FbF26c0B4956C';
      const salt = '00'.repeat(32);
      const initcode = ONE_BYTE_OF_CODE;
      const { stdout } = await promisify(execFile)(process.execPath, [
        CAST,
        'create2',
        '--salt',
        `0x${salt}`,
        '--init-code',
        `0x${initcode}`,
      ]);
      const [address] = /0x[0-9a-fA-F]{40}/.exec(stdout) ?? [];
      assert.ok(address !== undefined, stdout);
      const sent = receiptIn(await cast('send', proxy, `0x${salt}${initcode}`, '--private-key', key(1), '--json', '--gas-limit', '200000'));
      assert.equal(sent.status, '0x1');
      assert.equal(await cast('code', address), '0x00');
      assert.equal(await cast('call', MULTICALL3, 'getChainId()(uint256)'), `${Number(devnetOf().chainId)} [1.131e9]`);
      assert.ok(Number(await cast('estimate', MULTICALL3, 'getBlockNumber()')) > 21_000);
    });
  });
}
