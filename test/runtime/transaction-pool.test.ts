import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { encodeTransactionBatches } from '../../src/core/mempool/gossip-batch.ts';
import { Mempool } from '../../src/core/mempool/pool.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { refuse } from '../../src/core/primitives/verdict.ts';
import { addressOfPublicKey } from '../../src/core/protocol/decode-transaction.ts';
import type { Transaction } from '../../src/core/protocol/transaction.ts';
import type { ForwardDecision, GossipHandler } from '../../src/network/ports.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { createSignatureVerifier, type SignatureVerifier } from '../../src/runtime/signature-verifier.ts';
import { REMEMBERED_BYTES_MAX, TransactionDirectory } from '../../src/runtime/transaction-directory.ts';
import { TransactionPool } from '../../src/runtime/transaction-pool.ts';
import { TransactionRouter } from '../../src/runtime/transaction-router.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { signTransfer } from '../../src/simulation/workload.ts';
import { MemoryState } from '../core/execution/memory-state.ts';
import { crypto } from './signed-chain.ts';

const parameters = readPreset('devnet');
const { secp256k1 } = crypto;
const KEY = new Uint8Array(32).fill(5);
const SENDER = addressOfPublicKey(secp256k1.publicKeyOf(KEY));
const TOPIC = 'transactions';

function transfer(nonce: number, chainId = parameters.evmChainId): Uint8Array {
  return signTransfer({ secretKey: KEY, nonce: BigInt(nonce), to: SENDER, valueWei: 1n, chainId }, secp256k1);
}

describe('the pool at work', () => {
  let clock: VirtualClock;
  let pool: TransactionPool;
  let router: TransactionRouter;
  let published: Uint8Array[];
  let counted: string[];
  let admitted: Map<string, number>;
  let pending: string[];
  let recoveries: number;
  let isMeshFull: boolean;
  let handler: GossipHandler;

  before(() => initialiseKeccak());

  beforeEach(() => {
    clock = new VirtualClock(0);
    admitted = new Map();
    [published, counted, pending, recoveries, isMeshFull] = [[], [], [], 0, false];
    const verifier = createSignatureVerifier({ workerCount: 0, disableNative: false });
    const counting: Pick<SignatureVerifier, 'recoverSenders'> = {
      recoverSenders: (requests) => {
        recoveries += requests.length;
        return verifier.recoverSenders(requests);
      },
    };
    const mempool = new Mempool(parameters);
    const directory = new TransactionDirectory(counting, parameters.evmChainId);
    const metrics = {
      count: (_name: string, labels: Readonly<Record<string, string>> = {}, by = 1) => {
        counted.push(labels['reason'] ?? 'admitted');
        const source = labels['source'] ?? '';
        if (labels['reason'] === undefined) admitted.set(source, (admitted.get(source) ?? 0) + by);
      },
      gauge: () => undefined,
      observe: () => undefined,
    };
    pool = new TransactionPool(
      {
        shard: ROOT_SHARD,
        pool: mempool,
        directory,
        pubSub: {
          publish: async (_topic, data) => {
            published.push(data);
            return { recipients: 1 };
          },
          subscribe: (_topic, subscribed) => {
            handler = subscribed;
          },
          unsubscribe: () => undefined,
        },
        topic: TOPIC,
        clock,
        logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
        metrics,
        isMeshFull: () => isMeshFull,
        onPending: ({ hashHex }) => pending.push(hashHex),
      },
      MemoryState.of([{ address: SENDER, balanceWei: 10n ** 20n }]),
    );
    router = new TransactionRouter(directory, metrics, async () => refuse('shard-not-followed'));
    router.add(ROOT_SHARD, { pool, mempool });
  });

  async function gossip(raws: readonly Uint8Array[]): Promise<ForwardDecision> {
    const [batch] = encodeTransactionBatches(raws);
    return handler({ from: 'peer', topic: TOPIC, data: batch ?? new Uint8Array(0) });
  }

  it('takes a transaction of a client once, and hands those that come together on in one batch', async () => {
    for (const nonce of [0, 1, 2]) assert.ok((await router.submit(transfer(nonce))).ok);
    const again = await router.submit(transfer(1));
    assert.ok(!again.ok);
    assert.deepEqual(published, []);
    await clock.run(50);
    assert.deepEqual(published.map(bytesToHex), encodeTransactionBatches([0, 1, 2].map((nonce) => transfer(nonce))).map(bytesToHex));
    assert.equal(pool.pendingNonce(SENDER, bytesToHex(SENDER)), 3n);
    assert.equal(pending.length, 3);
    assert.equal(recoveries, 3, 'each signature is recovered once');
  });

  it('tells whoever waits for transactions when one could go into a block', async () => {
    let woken = 0;
    pool.onWaiting(() => woken++);
    await router.submit(transfer(1));
    assert.equal(woken, 0, 'a gap is before it');
    await router.submit(transfer(0));
    assert.equal(woken, 1);
    assert.equal(pending.length, 2);
  });

  it('tells whoever waits once of all that came together', async () => {
    let woken = 0;
    pool.onWaiting(() => woken++);
    await gossip([0, 1, 2].map((nonce) => transfer(nonce)));
    assert.equal(woken, 1);
    await Promise.all([3, 4, 5].map((nonce) => router.submit(transfer(nonce))));
    assert.equal(woken, 2);
    assert.equal(pending.length, 6);
  });

  it('counts all that it takes, by where it came from', async () => {
    await gossip([transfer(0), transfer(1), transfer(1)]);
    await router.submit(transfer(2));
    assert.deepEqual(
      ['gossip', 'rpc'].map((source) => admitted.get(source)),
      [2, 1],
    );
  });

  it('hands on news only, and nothing where everyone hears everyone', async () => {
    assert.equal(await gossip([transfer(0)]), 'accept');
    assert.equal(await gossip([transfer(0)]), 'ignore');
    isMeshFull = true;
    assert.equal(await gossip([transfer(1)]), 'ignore');
    assert.equal(pool.pendingNonce(SENDER, bytesToHex(SENDER)), 2n);
    assert.equal(published.length, 0);
  });

  it('ignores what only our state refuses, since an honest peer may know another one', async () => {
    assert.equal(
      await gossip([
        signTransfer({ secretKey: KEY, nonce: 0n, to: SENDER, valueWei: 10n ** 21n, chainId: parameters.evmChainId }, secp256k1),
      ]),
      'ignore',
    );
    assert.equal(pending.length, 0);
  });

  const offences: readonly [string, () => readonly Uint8Array[]][] = [
    ['malformed', () => [Uint8Array.of(2, 0xc0)]],
    ['wrong-chain-id', () => [transfer(0, 1)]],
    ['unsupported-type', () => [Uint8Array.of(4, ...transfer(0).subarray(1))]],
    ['unsupported-type', () => [Uint8Array.of(3, ...transfer(0).subarray(1))]],
  ];
  for (const [reason, raws] of offences) {
    it(`rejects a batch with what no honest peer hands on: ${reason}`, async () => {
      assert.equal(await gossip(raws()), 'reject');
      assert.ok(counted.includes(reason), counted.join());
      assert.equal(pending.length, 0);
    });
  }

  it('rejects bytes that are no batch', async () => {
    assert.equal(await handler({ from: 'peer', topic: TOPIC, data: Uint8Array.of(1, 2, 3, 4, 5) }), 'reject');
  });

  it('counts what it refuses of clients', async () => {
    assert.ok(!(await router.submit(Uint8Array.of(2, 0xc0))).ok);
    assert.deepEqual(counted, ['malformed']);
  });
});

describe('the directory of transactions', () => {
  it('forgets the oldest when it holds too many bytes', async () => {
    await initialiseKeccak();
    let recoveries = 0;
    const directory = new TransactionDirectory(
      {
        recoverSenders: async (requests) => {
          recoveries += requests.length;
          return requests.map(() => SENDER);
        },
      },
      parameters.evmChainId,
    );
    const data = new Uint8Array(125_000);
    const template = signTransfer({ secretKey: KEY, nonce: 0n, to: SENDER, valueWei: 1n, chainId: parameters.evmChainId, data }, secp256k1);
    // Another transaction by two bytes in the midst of its data; nobody looks at its signature here.
    const raw = (number: number): Uint8Array => {
      const bytes = template.slice();
      bytes[1_000] = number >>> 8;
      bytes[1_001] = number & 0xff;
      return bytes;
    };
    const count = Math.ceil(REMEMBERED_BYTES_MAX / data.length) + 10;
    const [first, last] = [raw(0), raw(count - 1)];
    for (let number = 0; number < count; number++) await directory.decode([raw(number)]);
    assert.equal(recoveries, count);
    await directory.decode([last]);
    assert.equal(recoveries, count, 'the newest is remembered');
    await directory.decode([first]);
    assert.equal(recoveries, count + 1, 'the oldest is not');
  });

  it('keeps of what is committed the sender, and recovers it no second time', async () => {
    await initialiseKeccak();
    let recoveries = 0;
    const verifier = createSignatureVerifier({ workerCount: 0, disableNative: false });
    const counting: Pick<SignatureVerifier, 'recoverSenders'> = {
      recoverSenders: (requests) => {
        recoveries += requests.length;
        return verifier.recoverSenders(requests);
      },
    };
    const directory = new TransactionDirectory(counting, parameters.evmChainId);
    const decodeOne = async (raw: Uint8Array): Promise<Transaction> => {
      const [decoded] = await directory.decode([raw]);
      assert.ok(decoded?.ok);
      return decoded.value;
    };
    const [committed, waiting] = [await decodeOne(transfer(0)), await decodeOne(transfer(1))];
    directory.committed([committed]);
    const again = await decodeOne(transfer(0));
    assert.notEqual(again, committed);
    assert.deepEqual(again, committed);
    assert.equal(await decodeOne(transfer(1)), waiting);
    assert.equal(recoveries, 2);
  });
});
