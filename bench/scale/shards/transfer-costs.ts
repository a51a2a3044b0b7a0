// What a value transfer costs a member of a shard's committee, measured on this machine with the production functions on a real state (rows in
// memory): blocks of one shard in which all is local, and blocks of two shards in which every transfer goes to the other, so that the sender's
// and the receiver's halves are measured apart. Of several blocks the cheapest counts, as in costs.ts.
import { mnemonicAccounts } from '../../../src/cli/mnemonic-accounts.ts';
import { initialiseKeccak } from '../../../src/core/crypto/keccak.ts';
import { placementOfFamily } from '../../../src/core/messaging/placement.ts';
import { hex } from '../../../src/core/primitives/bytes.ts';
import type { ChainId } from '../../../src/core/primitives/ids.ts';
import { isUnder } from '../../../src/core/protocol/shard-id.ts';
import type { Transaction } from '../../../src/core/protocol/transaction.ts';
import { selectCrypto } from '../../../src/runtime/native/select-crypto.ts';
import { createSignatureVerifier } from '../../../src/runtime/signature-verifier.ts';
import { TransactionDirectory } from '../../../src/runtime/transaction-directory.ts';
import { PARAMETERS } from '../../../test/core/execution/block-setup.ts';
import {
  blockOn,
  makeBeaconBlock,
  makeBlock,
  newWorld,
  type ShardWorld,
  shardAt,
  submit,
  type WorldShard,
} from '../../../test/core/shard/shard-world.ts';
import { type Sender, signNext, transferTo } from '../../devnet/transactions.ts';
import { timed } from '../costs.ts';

/** Milliseconds of a core and bytes, of one transfer. */
export interface TransferCosts {
  /** Taking in a transaction: decoding, hashes, and recovering its sender (in `recoverMs` alone). */
  readonly intakeMs: number;
  readonly recoverMs: number;
  /** A leader's part, beside what all do. */
  readonly buildMs: number;
  /** Validating, executing and committing a transfer within the shard: both its items. */
  readonly localMs: number;
  /** The sender's item, and what goes into the outbox. */
  readonly sendMs: number;
  /** The message: its proof and its item. */
  readonly receiveMs: number;
  readonly transactionBytes: number;
  readonly inboxItemBytes: number;
}

const TRANSFERS = 700;
const BLOCKS = 5;
const ACCOUNTS = 1_400;
const newest = (below: number): number => below - 1;

/** See the file's head; some seconds. */
export async function measureTransferCosts(): Promise<TransferCosts> {
  await initialiseKeccak();
  const { secp256k1 } = selectCrypto({ disableNative: false });
  const accounts = mnemonicAccounts(1, 0, ACCOUNTS, secp256k1);
  const addresses = accounts.map(({ address }) => hex(address));
  const senders = accounts.map(({ address, privateKey }): Sender => ({ address, secretKey: hex(privateKey), nonce: 0 }));
  const sendersIn = (shard: ChainId): Sender[] => senders.filter(({ address }) => isUnder(placementOfFamily(hex(address)), shard));
  const verifier = createSignatureVerifier({ workerCount: 0, disableNative: false });
  const directory = new TransactionDirectory(verifier, PARAMETERS.evmChainId);
  let [intakeMs, transactionBytes] = [Number.POSITIVE_INFINITY, 0];
  const transfers = async (from: readonly Sender[], to: readonly Sender[]): Promise<Transaction[]> => {
    const raws = Array.from({ length: TRANSFERS }, (_unused, i) => {
      const recipient = to[(i * 31 + 7) % to.length] as Sender;
      return hex(signNext(from[i % from.length] as Sender, transferTo(recipient.address), PARAMETERS.evmChainId, secp256k1).raw);
    });
    transactionBytes = (raws[0] as Uint8Array).length;
    const startMs = threadMs();
    const decoded = await directory.decode(raws);
    intakeMs = Math.min(intakeMs, (threadMs() - startMs) / TRANSFERS);
    return decoded.map((each) => (each.ok ? each.value : fail(each.reason)));
  };
  const whole = await newWorld([1], addresses);
  const local = await cheapest(async () => {
    for (const transaction of await transfers(senders, senders)) submit(whole, transaction);
    const timed = await timedBlock(whole, shardAt(whole, 1));
    anchorAll(whole);
    return timed;
  });
  for (const sender of senders) sender.nonce = 0;
  const divided = await newWorld([2, 3], addresses);
  const [source, target] = [shardAt(divided, 2), shardAt(divided, 3)];
  const received: Timed[] = [];
  let inboxItemBytes = 0;
  const sent = await cheapest(async () => {
    for (const transaction of await transfers(sendersIn(2), sendersIn(3))) submit(divided, transaction);
    const timed = await timedBlock(divided, source);
    await makeBlock(divided, source, newest); // Its header commits what was sent.
    anchorAll(divided);
    const inbox = await timedBlock(divided, target);
    inboxItemBytes = inbox.inboxBytes / Math.max(1, inbox.items);
    if (inbox.items > TRANSFERS / 2) received.push(inbox);
    while (divided.underWay.size > 0) {
      await makeBlock(divided, target, newest);
      anchorAll(divided);
    }
    return timed;
  });
  await verifier.close();
  const message = new Uint8Array(32).fill(5);
  const { r, s, yParity } = secp256k1.sign((senders[0] as Sender).secretKey, message);
  const receive = leastOf(received);
  return {
    intakeMs,
    recoverMs: timed(() => secp256k1.recoverPublicKey(message, r, s, yParity)),
    buildMs: local.buildMs / TRANSFERS,
    localMs: local.voterMs / TRANSFERS,
    sendMs: sent.voterMs / TRANSFERS,
    receiveMs: receive.voterMs / receive.items,
    transactionBytes,
    inboxItemBytes,
  };
}

/** Milliseconds of this thread for a whole block. */
interface Timed {
  readonly buildMs: number;
  readonly voterMs: number;
  /** Messages that the block took, and their bytes with proofs. */
  readonly items: number;
  readonly inboxBytes: number;
}

// What is built twice is the same block: the time of the second building is known and taken away.
async function timedBlock(world: ShardWorld, shard: WorldShard): Promise<Timed> {
  const view = world.views.at(-1) ?? fail('a world has a beginning');
  const startMs = threadMs();
  const { block } = blockOn(world, shard, view, world.bundles);
  const buildMs = threadMs() - startMs;
  const madeFromMs = threadMs();
  await makeBlock(world, shard, newest);
  const { inbox } = block.body;
  return {
    buildMs,
    voterMs: Math.max(0, threadMs() - madeFromMs - buildMs),
    items: inbox.length,
    inboxBytes: inbox.reduce((sum, { length }) => sum + length, 0),
  };
}

function anchorAll(world: ShardWorld): void {
  makeBeaconBlock(
    world,
    [...world.shards.values()].map((shard) => [shard, shard.pending.length]),
  );
}

async function cheapest(run: () => Promise<Timed>): Promise<Timed> {
  const all: Timed[] = [];
  for (let block = 0; block < BLOCKS; block++) all.push(await run());
  return leastOf(all);
}

function leastOf(all: readonly Timed[]): Timed {
  return all.reduce((least, next) => (next.voterMs < least.voterMs ? next : least), all[0] ?? fail('something was timed'));
}

// Of this thread: other processes do not count.
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function fail(why: string): never {
  throw new Error(`what is measured is valid: ${why}`);
}
