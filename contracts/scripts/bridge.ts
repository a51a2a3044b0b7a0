// What `hardhat run` runs: coins cross from one family to another and back, and some that cannot arrive are claimed back.
import assert from 'node:assert/strict';
import { network } from 'hardhat';
import { eventually } from './eventually.ts';

const { ethers } = await network.create();
const [alice, bob] = await ethers.getSigners();
assert.ok(alice !== undefined && bob !== undefined);

// Whoever deploys is the family: these two contracts can talk by messages only.
const here = await ethers.deployContract('BridgedToken', [1_000n], alice);
const there = await ethers.deployContract('BridgedToken', [0n], bob);
await Promise.all([here.waitForDeployment(), there.waitForDeployment()]);
const [hereAddress, thereAddress] = await Promise.all([here.getAddress(), there.getAddress()]);
const coinsOf = (token: typeof here, owner: { readonly address: string }) => async () =>
  (await token.getFunction('balanceOf')(owner.address)) as bigint;
await (await here.getFunction('setTwin')(thereAddress)).wait();

// The twin does not know this contract yet, so what is sent fails there, and comes back.
const early = await (await here.getFunction('cross')(bob.address, 40n)).wait();
const [crossing] = await here.queryFilter('Crossing', early?.blockNumber);
const id = crossing?.topics[1] ?? '';
await eventually(
  'the bounce',
  () => here.queryFilter('Returned', early?.blockNumber),
  (events) => events.some(({ topics }) => topics[1] === id),
);
assert.equal(await coinsOf(here, alice)(), 960n);
await (await here.getFunction('reclaim')(id)).wait();
assert.equal(await coinsOf(here, alice)(), 1_000n);
await assert.rejects(here.getFunction('reclaim').staticCall(id), 'what was claimed back is gone');
console.log('40 coins did not arrive, and were claimed back');

await (await there.getFunction('setTwin')(hereAddress)).wait();
await (await here.getFunction('cross')(bob.address, 250n)).wait();
await eventually('the coins', coinsOf(there, bob), (coins) => coins === 250n);
await eventually(
  'the reply',
  () => here.queryFilter('Crossed', early?.blockNumber),
  (events) => events.length === 1,
);
await (await there.connect(bob).getFunction('cross')(alice.address, 100n)).wait();
await eventually('the coins', coinsOf(here, alice), (coins) => coins === 850n);
assert.equal(await coinsOf(there, bob)(), 150n);
const supplies = await Promise.all([here, there].map(async (token) => (await token.getFunction('totalSupply')()) as bigint));
assert.equal(
  supplies.reduce((sum, supply) => sum + supply, 0n),
  1_000n,
);

// Nobody but the twin can make coins, and nobody but the messenger can say what became of a message.
await assert.rejects(there.connect(bob).getFunction('arrive').staticCall(bob.address, 1n));
await assert.rejects(here.getFunction('onCoppiceBounce').staticCall(id, thereAddress, 0n));
console.log('bridged: 250 coins there, 100 back');
