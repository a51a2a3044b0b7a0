// Unmodified viem against a devnet: what a dapp does with it in ordinary work.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { createPublicClient, createWalletClient, defineChain, type Hex, http, parseEther, parseGwei, webSocket } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Devnet } from '../../system/devnet-fixture.ts';
import { compileContract } from './compile.ts';
import { assertInEachShard } from './four-shards.ts';

const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
contract Counter {
  event Counted(address indexed by, uint256 count);
  error TooMany(uint256 asked);
  uint256 public count;
  function add(uint256 more) external { if (more > 100) revert TooMany(more); count += more; emit Counted(msg.sender, count); }
}`;

/** Its suite, on a devnet whose first accounts, one in each shard, are nobody else's. */
export function describeViem(devnetOf: () => Devnet): void {
  describe('viem', { concurrency: 1 }, () => {
    let counter: ReturnType<typeof compileContract>;
    before(() => {
      counter = compileContract('Counter', SOURCE);
    });

    const clients = (node = 0, user = 0) => {
      const devnet = devnetOf();
      const url = devnet.rpc[node] ?? '';
      const chain = defineChain({
        id: Number(devnet.chainId),
        name: 'Coppice devnet',
        nativeCurrency: { name: 'Coin', symbol: 'COIN', decimals: 18 },
        rpcUrls: { default: { http: [url] } },
        contracts: { multicall3: { address: '0xcA11bde05977b3631167028862bE2a173976CA11' } },
      });
      const account = privateKeyToAccount(devnet.accounts[user]?.privateKey as Hex);
      const options = { chain, transport: http(url), pollingInterval: 50 };
      return { chain, account, reader: createPublicClient(options), wallet: createWalletClient({ ...options, account }) };
    };

    const ofEachShard = <T>(work: (user: number) => Promise<T>): Promise<readonly T[]> =>
      Promise.all(devnetOf().accounts.map((_account, user) => work(user)));

    it('sends coins of every shard through one node, and reads receipts and the balance from another', async () => {
      const { reader } = clients(2);
      const to = `0x${'5a'.repeat(20)}` as const;
      await ofEachShard(async (user) => {
        const { wallet } = clients(0, user);
        const hash = await wallet.sendTransaction({ to, value: parseEther('1.5') });
        const receipt = await reader.waitForTransactionReceipt({ hash });
        assert.equal(receipt.status, 'success');
        assert.equal(receipt.gasUsed, (await reader.getTransaction({ hash })).gas, 'gas bought is gas paid');
        const block = await reader.getBlock({ blockHash: receipt.blockHash, includeTransactions: true });
        assert.ok(block.transactions.some((transaction) => transaction.hash === hash));
      });
      assert.equal(await reader.getBalance({ address: to }), parseEther('6'));
    });

    it('sends all three types of transaction', async () => {
      const { wallet, reader } = clients(0, 1);
      const to = `0x${'5b'.repeat(20)}` as const;
      const gasPrice = parseGwei('2');
      for (const [type, fields] of [
        ['legacy', { gasPrice }],
        ['eip2930', { gasPrice, accessList: [{ address: to, storageKeys: [] }] }],
        ['eip1559', { maxFeePerGas: gasPrice, maxPriorityFeePerGas: 1n }],
      ] as const) {
        const hash = await wallet.sendTransaction({ to, value: 1n, type, ...fields } as Parameters<typeof wallet.sendTransaction>[0]);
        const receipt = await reader.waitForTransactionReceipt({ hash });
        assert.deepEqual([receipt.status, receipt.type], ['success', type]);
      }
    });

    it('deploys a contract in every shard, writes from another, reads, filters its logs and decodes its errors', async () => {
      const { reader } = clients();
      const deployed = await ofEachShard(async (user) => {
        const deployment = await reader.waitForTransactionReceipt({ hash: await clients(0, user).wallet.deployContract(counter) });
        assert.ok(deployment.contractAddress);
        return { address: deployment.contractAddress, abi: counter.abi } as const;
      });
      await assertInEachShard(
        devnetOf(),
        deployed.map(({ address }) => address),
      );
      await ofEachShard(async (user) => {
        const { wallet, account } = clients(0, user);
        const contract = deployed[(user + 1) % deployed.length] as (typeof deployed)[number];
        const { request } = await reader.simulateContract({ ...contract, functionName: 'add', args: [5n], account });
        const receipt = await reader.waitForTransactionReceipt({ hash: await wallet.writeContract(request) });
        assert.equal(receipt.status, 'success');
        assert.equal(await reader.readContract({ ...contract, functionName: 'count' }), 5n);
        const logs = await reader.getContractEvents({ ...contract, eventName: 'Counted', fromBlock: receipt.blockNumber });
        assert.equal(logs.length, 1);
        assert.deepEqual((logs[0] as unknown as { args: unknown }).args, { by: account.address, count: 5n });
        await assert.rejects(reader.simulateContract({ ...contract, functionName: 'add', args: [101n], account }), /TooMany/);
      });
      const counts = await reader.multicall({ contracts: deployed.map((each) => ({ ...each, functionName: 'count' })) });
      assert.deepEqual(
        counts.map(({ result }) => result),
        deployed.map(() => 5n),
      );
    });

    it('watches blocks, pending transactions and logs over WebSocket, and reads fees', async () => {
      const { chain, reader, wallet } = clients(0, 3);
      const watcher = createPublicClient({ chain, transport: webSocket((devnetOf().rpc[1] ?? '').replace('http', 'ws')) });
      const stops: (() => void)[] = [];
      const next = <T>(watch: (onNext: (value: T) => void, onError: (error: Error) => void) => () => void): Promise<T> =>
        new Promise((resolve, reject) => void stops.push(watch(resolve, reject)));
      const first = next<bigint>((onBlockNumber, onError) => watcher.watchBlockNumber({ onBlockNumber, onError }));
      assert.ok((await first) >= 1n);
      const deployed = await reader.waitForTransactionReceipt({ hash: await wallet.deployContract(counter) });
      const address = deployed.contractAddress;
      assert.ok(address);
      const logs = next<readonly { readonly transactionHash: Hex | null }[]>((onLogs, onError) =>
        watcher.watchContractEvent({ address, abi: counter.abi, eventName: 'Counted', onLogs, onError, poll: false }),
      );
      const pending = new Set<Hex>();
      stops.push(
        watcher.watchPendingTransactions({ onTransactions: (hashes) => hashes.forEach((hash) => void pending.add(hash)), poll: false }),
      );
      await watcher.getChainId(); // Both subscriptions are asked for before this, on the same socket.
      const hash = await wallet.writeContract({ address, abi: counter.abi, functionName: 'add', args: [3n] } as never);
      assert.deepEqual(
        (await logs).map(({ transactionHash }) => transactionHash),
        [hash],
      );
      assert.ok(pending.has(hash), 'it was heard of before it was mined');
      for (const stop of stops) stop();
      (await watcher.transport.getRpcClient()).close(); // Or it would reconnect for ever.
      const fees = await reader.estimateFeesPerGas();
      assert.ok(fees.maxFeePerGas >= parseGwei('0.1'));
      const history = await reader.getFeeHistory({ blockCount: 4, rewardPercentiles: [50] });
      assert.ok(history.baseFeePerGas.length >= 2);
    });
  });
}
