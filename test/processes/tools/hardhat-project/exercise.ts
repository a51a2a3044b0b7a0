// What `hardhat run` runs: deploys ERC-20s and ERC-721s of OpenZeppelin and asserts what they do. The first half of the accounts own such contracts, each
// one of one kind, and has a friend in the other half, who lives in the next shard.
import assert from 'node:assert/strict';
import { network } from 'hardhat';

/** The selector of a custom error stands in the data of the node's answer, or in its message. */
const revertsWith = (selector: string) => (error: { message?: string; data?: unknown }) =>
  `${error.message} ${JSON.stringify(error.data)}`.includes(selector);

const { ethers } = await network.create();
type Signer = Awaited<ReturnType<typeof ethers.getSigners>>[number];

async function exerciseCoins(owner: Signer, friend: Signer): Promise<string> {
  const coins = await ethers.deployContract('Coins', [1_000n], owner);
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
  return `exercised: ERC-20 ${await coins.getAddress()}`;
}

async function exerciseLeaves(owner: Signer, friend: Signer): Promise<string> {
  const leaves = await ethers.deployContract('Leaves', [], owner);
  await leaves.waitForDeployment();
  await (await leaves.getFunction('mint')(owner.address, 7n)).wait();
  assert.equal(await leaves.getFunction('ownerOf')(7n), owner.address);
  await (await leaves.getFunction('transferFrom')(owner.address, friend.address, 7n)).wait();
  assert.equal(await leaves.getFunction('ownerOf')(7n), friend.address);
  await assert.rejects(leaves.connect(friend).getFunction('mint').staticCall(friend.address, 8n), revertsWith('0x118cdaa7'));
  await assert.rejects(leaves.getFunction('ownerOf')(9n), revertsWith('0x7e273289'));
  return `exercised: ERC-721 ${await leaves.getAddress()}`;
}

const signers = await ethers.getSigners();
const owners = signers.slice(0, signers.length / 2);
const friends = signers.slice(owners.length);
const exercised = owners.map((owner, place) => {
  const friend = friends[(place + 1) % friends.length] as Signer;
  return place % 2 === 0 ? exerciseCoins(owner, friend) : exerciseLeaves(owner, friend);
});
// In the order of the owners.
for (const line of await Promise.all(exercised)) console.log(line);
