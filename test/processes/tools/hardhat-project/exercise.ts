// What `hardhat run` runs: deploys an ERC-20 and an ERC-721 of OpenZeppelin and asserts what they do.
import assert from 'node:assert/strict';
import { network } from 'hardhat';

/** The selector of a custom error stands in the data of the node's answer, or in its message. */
const revertsWith = (selector: string) => (error: { message?: string; data?: unknown }) =>
  `${error.message} ${JSON.stringify(error.data)}`.includes(selector);

const { ethers } = await network.create();
const [owner, friend] = await ethers.getSigners();
assert.ok(owner !== undefined && friend !== undefined);

const coins = await ethers.deployContract('Coins', [1_000n]);
await coins.waitForDeployment();
assert.equal(await coins.getFunction('balanceOf')(owner.address), 1_000n);
const transfer = await (await coins.getFunction('transfer')(friend.address, 250n)).wait();
assert.equal(transfer?.status, 1);
assert.equal(transfer?.logs.length, 1);
assert.equal(await coins.getFunction('balanceOf')(friend.address), 250n);
assert.equal((await coins.queryFilter('Transfer', transfer?.blockNumber)).length, 1);
await assert.rejects(coins.getFunction('transfer').staticCall(friend.address, 10_000n), revertsWith('0xe450d38c'));
await (await coins.getFunction('approve')(friend.address, 100n)).wait();
await (await coins.connect(friend).getFunction('transferFrom')(owner.address, friend.address, 100n)).wait();
assert.equal(await coins.getFunction('balanceOf')(friend.address), 350n);

const leaves = await ethers.deployContract('Leaves');
await leaves.waitForDeployment();
await (await leaves.getFunction('mint')(owner.address, 7n)).wait();
assert.equal(await leaves.getFunction('ownerOf')(7n), owner.address);
await (await leaves.getFunction('transferFrom')(owner.address, friend.address, 7n)).wait();
assert.equal(await leaves.getFunction('ownerOf')(7n), friend.address);
await assert.rejects(leaves.connect(friend).getFunction('mint').staticCall(friend.address, 8n), revertsWith('0x118cdaa7'));
await assert.rejects(leaves.getFunction('ownerOf')(9n), revertsWith('0x7e273289'));

console.log('exercised: ERC-20 and ERC-721');
