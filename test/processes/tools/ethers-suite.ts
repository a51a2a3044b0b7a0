// Unmodified ethers 6 against a devnet.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Contract, ContractFactory, JsonRpcProvider, NonceManager, parseEther, Wallet, WebSocketProvider } from 'ethers';
import type { Devnet } from '../../system/devnet-fixture.ts';
import { compileContract } from './compile.ts';
import { assertInEachShard } from './four-shards.ts';

const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
contract Purse {
  event Received(address indexed from, uint256 value);
  receive() external payable { emit Received(msg.sender, msg.value); }
  function refuse() external pure { revert("not today"); }
}`;

/** Its suite, on a devnet whose first accounts, one in each shard, are nobody else's. */
export function describeEthers(devnetOf: () => Devnet): void {
  describe('ethers', { concurrency: 1 }, () => {
    let provider: JsonRpcProvider;
    let reader: JsonRpcProvider;
    before(() => {
      const devnet = devnetOf();
      provider = new JsonRpcProvider(devnet.rpc[0], undefined, { pollingInterval: 50 });
      reader = new JsonRpcProvider(devnet.rpc[3], undefined, { pollingInterval: 50 });
    });
    after(() => {
      provider?.destroy();
      reader?.destroy();
    });

    const wallet = (number: number): NonceManager => new NonceManager(new Wallet(devnetOf().accounts[number]?.privateKey ?? '', provider));

    const ofEachShard = <T>(work: (user: number) => Promise<T>): Promise<readonly T[]> =>
      Promise.all(devnetOf().accounts.map((_account, user) => work(user)));

    it('sends several transactions of an account of every shard at once, and reads their receipts from another node', async () => {
      const to = `0x${'6a'.repeat(20)}`;
      await ofEachShard(async (user) => {
        const sender = wallet(user);
        const sent = [];
        for (let i = 0; i < 3; i++) sent.push(await sender.sendTransaction({ to, value: parseEther('1') }));
        for (const { hash } of sent) assert.equal((await reader.waitForTransaction(hash, 1, 20_000))?.status, 1);
        assert.equal(await reader.getTransactionCount(devnetOf().accounts[user]?.address ?? ''), 3);
      });
      assert.equal(await reader.getBalance(to), parseEther('12'));
    });

    it('deploys a contract in every shard, pays it from another, and reads its events and the reason of a revert', async () => {
      const { abi, bytecode } = compileContract('Purse', SOURCE);
      const addresses = await ofEachShard(async (user) => {
        const deployed = await new ContractFactory(abi as never, bytecode, wallet(user)).deploy();
        await deployed.waitForDeployment();
        return deployed.getAddress();
      });
      await assertInEachShard(devnetOf(), addresses);
      await ofEachShard(async (user) => {
        const address = addresses[(user + 1) % addresses.length] ?? '';
        assert.notEqual(await reader.getCode(address), '0x');
        const receipt = await (await wallet(user).sendTransaction({ to: address, value: 9n })).wait();
        assert.equal(receipt?.status, 1);
        const purse = new Contract(address, abi as never, provider);
        const events = await purse.queryFilter('Received', receipt?.blockNumber);
        assert.equal(events.length, 1);
        await assert.rejects(purse.getFunction('refuse').staticCall(), /not today/);
        assert.equal(await provider.getBalance(address), 9n);
      });
    });

    it('hears of new blocks, pending transactions and logs over WebSocket', async () => {
      const socket = new WebSocketProvider((devnetOf().rpc[2] ?? '').replace('http', 'ws'));
      const block = await new Promise<number>((resolve) => void socket.once('block', resolve));
      assert.ok(block >= 1);
      const { abi, bytecode } = compileContract('Purse', SOURCE);
      const owner = wallet(2);
      const deployed = await new ContractFactory(abi as never, bytecode, owner).deploy();
      await deployed.waitForDeployment();
      const address = await deployed.getAddress();
      const pending = new Set<string>();
      await socket.on('pending', (hash: string) => void pending.add(hash));
      const heard = new Promise<string>((resolve) => {
        void socket.on({ address }, (log: { readonly transactionHash: string }) => resolve(log.transactionHash));
      });
      await socket.getBlockNumber(); // The subscriptions are asked for before this, on the same socket.
      const { hash } = await owner.sendTransaction({ to: address, value: 5n });
      assert.equal(await heard, hash);
      assert.ok(pending.has(hash), 'it was heard of before it was mined');
      await socket.destroy();
    });

    it('tells the errors that it knows apart', async () => {
      const poor = Wallet.createRandom().connect(provider);
      await assert.rejects(poor.sendTransaction({ to: poor.address, value: 1n }), { code: 'INSUFFICIENT_FUNDS' });
      const signer = new Wallet(devnetOf().accounts[0]?.privateKey ?? '', provider);
      await (await signer.sendTransaction({ to: signer.address })).wait();
      await assert.rejects(signer.sendTransaction({ to: signer.address, nonce: 0 }), { code: 'NONCE_EXPIRED' });
    });
  });
}
