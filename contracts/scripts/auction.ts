// What `hardhat run` runs: an auction with bids of an account and of a contract, each of another family.
import assert from 'node:assert/strict';
import { network } from 'hardhat';
import { eventually } from './eventually.ts';

const { ethers } = await network.create();
const [seller, alice, carol] = await ethers.getSigners();
assert.ok(seller !== undefined && alice !== undefined && carol !== undefined);

const auction = await ethers.deployContract('Auction', [], seller);
const bidder = await ethers.deployContract('Bidder', [], carol);
await Promise.all([auction.waitForDeployment(), bidder.waitForDeployment()]);
const [auctionAddress, bidderAddress] = await Promise.all([auction.getAddress(), bidder.getAddress()]);
const highest = async () => (await auction.getFunction('highestBid')()) as bigint;
const balanceOf = (address: string) => () => ethers.provider.getBalance(address);
const bids = async () => (await auction.queryFilter('Bid')).length;

// An account bids by a transaction, whose call is a message to the auction's family.
await (await auction.connect(alice).getFunction('bid')({ value: 1_000n })).wait();
await eventually('the bid of an account', highest, (bid) => bid === 1_000n);

// A contract bids by the messenger; whoever is outbid has the coins again without asking.
const before = await balanceOf(alice.address)();
await (await bidder.getFunction('place')(auctionAddress, { value: 2_000n })).wait();
await eventually('the bid of a contract', highest, (bid) => bid === 2_000n);
await eventually('the refund', balanceOf(alice.address), (balance) => balance === before + 1_000n);
await eventually(
  'the reply',
  () => bidder.queryFilter('Accepted'),
  (events) => events.length === 1,
);

// A bid that is too low fails in the auction's family: its value comes back, and the hook hears of it.
await (await bidder.getFunction('place')(auctionAddress, { value: 1_500n })).wait();
await eventually(
  'the refusal',
  () => bidder.queryFilter('Refused'),
  (events) => events.length === 1,
);
await eventually('the value', balanceOf(bidderAddress), (balance) => balance === 1_500n);
assert.equal(await bids(), 2);

// A contract that takes no refunds does not hold the auction up: what it is owed is kept for it.
await (await bidder.getFunction('takeRefunds')(false)).wait();
await (await auction.connect(alice).getFunction('bid')({ value: 3_000n })).wait();
await eventually('the next bid', highest, (bid) => bid === 3_000n);
const owed = async () => (await auction.getFunction('owed')(bidderAddress)) as bigint;
await eventually('the refund that came back', owed, (amount) => amount === 2_000n);
await (await bidder.getFunction('takeRefunds')(true)).wait();
await (await auction.getFunction('withdraw')(bidderAddress)).wait();
await eventually('the refund', balanceOf(bidderAddress), (balance) => balance === 3_500n);
assert.equal(await owed(), 0n);

await (await auction.getFunction('close')()).wait();
await eventually('the end', balanceOf(auctionAddress), (balance) => balance === 0n);
console.log(`auctioned: ${await bids()} bids, won by ${(await auction.getFunction('highestBidder')()) as string}`);
