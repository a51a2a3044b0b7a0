import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SignatureSet } from '../../src/core/consensus/signature-sets.ts';
import type { BlsScheme } from '../../src/core/crypto/bls.ts';
import { nobleSecp256k1 } from '../../src/core/crypto/secp256k1-noble.ts';
import { bigintToBytes, hex } from '../../src/core/primitives/bytes.ts';
import { CoppiceError, isError } from '../../src/core/primitives/errors.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { BatchingSignatureVerifier, createSignatureVerifier, type SignatureVerifier } from '../../src/runtime/signature-verifier.ts';
import { runTask, type SenderRequest, verifyJobs } from '../../src/runtime/signature-verifier-tasks.ts';
import { ThreadWorkerPool, type WorkerPool } from '../../src/runtime/worker-pool.ts';

const crypto = selectCrypto({ disableNative: false });
const { bls } = crypto;
const ENTRY = new URL('../../src/runtime/signature-verifier-worker.ts', import.meta.url);
const MESSAGE = new Uint8Array(32).fill(1);
const OTHER_MESSAGE = new Uint8Array(32).fill(2);
const SENDER_KEY = hex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
const SENDER = hex('f39fd6e51aad88f6f4ce6ab8827279cfffb92266');

const keys = Array.from({ length: 20 }, (_unused, index) => bigintToBytes(BigInt(index + 1_000), 32));
const votes = keys.map((key): SignatureSet => vote(key, MESSAGE));
const badVote: SignatureSet = { ...vote(keys[0] as Uint8Array, MESSAGE), message: OTHER_MESSAGE } as SignatureSet;
const certificate: SignatureSet = {
  kind: 'fast-aggregate',
  publicKeys: keys.slice(0, 3).map((key) => bls.publicKeyOf(key)),
  message: MESSAGE,
  signature: aggregate([MESSAGE, MESSAGE, MESSAGE]),
};
const timeoutCertificate: SignatureSet = {
  kind: 'aggregate',
  publicKeys: keys.slice(0, 3).map((key) => bls.publicKeyOf(key)),
  messages: [MESSAGE, OTHER_MESSAGE, MESSAGE],
  signature: aggregate([MESSAGE, OTHER_MESSAGE, MESSAGE]),
};
const badCertificates: readonly SignatureSet[] = [
  { ...certificate, publicKeys: certificate.publicKeys.slice(1) },
  { ...timeoutCertificate, messages: timeoutCertificate.messages.toReversed().slice(1) },
];

function vote(key: Uint8Array, message: Uint8Array): SignatureSet {
  return { kind: 'single', publicKey: bls.publicKeyOf(key), message, signature: bls.sign(key, message) };
}

function aggregate(messages: readonly Uint8Array[]): Uint8Array {
  return bls.aggregate(messages.map((message, index) => bls.sign(keys[index] as Uint8Array, message))) as Uint8Array;
}

function senderRequests(count: number): readonly SenderRequest[] {
  return Array.from({ length: count }, (_unused, index) => {
    const messageHash = new Uint8Array(32).fill((index % 7) + 1);
    return { messageHash, ...crypto.secp256k1.sign(SENDER_KEY, messageHash) };
  });
}

// Counts the calls that reach BLS, to see what was checked together.
function countingBls(): BlsScheme & { batches: number[] } {
  const batches: number[] = [];
  const verifyBatch = (sets: Parameters<BlsScheme['verifyBatch']>[0]): boolean => {
    batches.push(sets.length);
    return bls.verifyBatch(sets);
  };
  return { ...bls, verifyBatch, batches };
}

function inlineVerifier(scheme: BlsScheme = bls): SignatureVerifier {
  const pool = new ThreadWorkerPool({ size: 0, tasksMax: 1, entry: ENTRY, workerData: {}, runInline: (bytes) => bytes });
  return new BatchingSignatureVerifier({ crypto: { ...crypto, bls: scheme }, pool });
}

function brokenPool(error: () => Error): WorkerPool {
  return { size: 1, taskCount: 0, run: () => Promise.reject(error()), close: () => Promise.resolve() };
}

for (const workerCount of [0, 1]) {
  describe(`a signature verifier with ${workerCount} workers`, () => {
    it('answers each caller for its own claims, however they are mixed', async () => {
      const verifier = createSignatureVerifier({ workerCount, disableNative: false });
      const claims = [...votes.map((set) => [set]), [certificate], [timeoutCertificate], [certificate, timeoutCertificate, votes[0]], []];
      const bad = [[badVote], ...badCertificates.map((set) => [set]), [votes[0], badVote, certificate]];
      const verdicts = await Promise.all([...claims, ...bad].map((sets) => verifier.verify(sets as SignatureSet[], 1)));
      assert.deepEqual(verdicts, [...claims.map(() => true), ...bad.map(() => false)]);
      await verifier.close();
    });

    it('recovers senders in order, and none where the signature has none', async () => {
      const verifier = createSignatureVerifier({ workerCount, disableNative: false });
      const requests = [...senderRequests(300)];
      const [first] = requests as [SenderRequest, ...SenderRequest[]];
      requests[7] = { ...first, s: new Uint8Array(32).fill(255) };
      requests[200] = { ...first, r: new Uint8Array(5) };
      requests[299] = { ...first, yParity: 27 };
      const expected = requests.map((_unused, index) => ([7, 200, 299].includes(index) ? undefined : SENDER));
      assert.deepEqual(await verifier.recoverSenders(requests), expected);
      assert.deepEqual(await verifier.recoverSenders([first]), [SENDER]);
      assert.deepEqual(await verifier.recoverSenders([]), []);
      await verifier.close();
    });
  });
}

describe('a signature verifier without native libraries', () => {
  it('gives the same verdicts, in a worker too', async () => {
    const verifier = createSignatureVerifier({ workerCount: 1, disableNative: true });
    const verdicts = await Promise.all([verifier.verify(votes.slice(0, 16), 1), verifier.verify([certificate, timeoutCertificate], 1)]);
    assert.deepEqual(verdicts, [true, true]);
    await verifier.close();
  });
});

describe('claims that arrive in one turn of the loop', () => {
  it('are checked together', async () => {
    const scheme = countingBls();
    const verifier = inlineVerifier(scheme);
    await Promise.all(votes.map((set) => verifier.verify([set], 1)));
    assert.deepEqual(scheme.batches, [votes.length]);
  });

  it('are checked in groups, then alone where a group fails', async () => {
    const scheme = countingBls();
    const verifier = inlineVerifier(scheme);
    const verdicts = await Promise.all([...votes.slice(0, 8), badVote].map((set) => verifier.verify([set], 1)));
    assert.deepEqual(verdicts, [...Array(8).fill(true), false]);
    assert.deepEqual(scheme.batches, [9, 3, 3, 3, 1, 1, 1]);
  });

  it('are checked in several turns when they are many', async () => {
    const scheme = countingBls();
    const verifier = inlineVerifier(scheme);
    const many = Array.from({ length: 100 }, (_unused, index) => votes[index % votes.length] as SignatureSet);
    await Promise.all(many.map((set) => verifier.verify([set], 1)));
    assert.deepEqual(scheme.batches, [64, 36]);
  });

  it('are refused when more wait than a bound allows, and those that wait are answered', async () => {
    const verifier = inlineVerifier({ ...bls, verifyBatch: () => true });
    const crowd = Array.from({ length: 4_096 }, () => verifier.verify([badVote], 1));
    await assert.rejects(verifier.verify([badVote], 1), (error) => isError(error, 'signature-verifier/overloaded'));
    const ofAnother = verifier.verify([badVote], 2);
    assert.equal((await Promise.all([...crowd, ofAnother])).every(Boolean), true);
  });

  it('of one chain are in the next batch, however many of another wait', async () => {
    const scheme = countingBls();
    const verifier = inlineVerifier(scheme);
    let flooded = 0;
    const flood = Array.from({ length: 640 }, (_unused, index) =>
      verifier.verify([votes[index % votes.length] as SignatureSet], 1).then(() => flooded++),
    );
    await verifier.verify([badVote], 2);
    assert.ok(flooded < 64, `${flooded} of the flood were before it`);
    await Promise.all(flood);
  });

  it('run on the schedule that the simulator gives', async () => {
    const steps: (() => void)[] = [];
    const pool = new ThreadWorkerPool({ size: 0, tasksMax: 1, entry: ENTRY, workerData: {}, runInline: (bytes) => bytes });
    const verifier = new BatchingSignatureVerifier({ crypto, pool, schedule: (step) => void steps.push(step) });
    const verdict = verifier.verify([certificate], 1);
    assert.equal(steps.length, 1);
    steps.shift()?.();
    assert.equal(await verdict, true);
    assert.equal(steps.length, 0);
  });
});

describe('a signature verifier whose workers fail', () => {
  const faults: readonly (() => Error)[] = [
    () => new CoppiceError('worker-pool/full', { tasksMax: 1 }),
    () => new CoppiceError('worker-pool/closed', { size: 1 }),
    () => new CoppiceError('worker-pool/task-failed', { reason: 'test' }),
    () => new CoppiceError('worker-pool/worker-lost', { reason: 'test', replacementsLeft: 0 }),
  ];

  it('does the work itself', async () => {
    for (const fault of faults) {
      const verifier = new BatchingSignatureVerifier({ crypto, pool: brokenPool(fault) });
      const verdicts = await Promise.all([...votes, badVote].map((set) => verifier.verify([set], 1)));
      assert.deepEqual(verdicts, [...votes.map(() => true), false]);
      assert.deepEqual(await verifier.recoverSenders(senderRequests(200)), Array(200).fill(SENDER));
    }
  });

  it('passes on what is no fault of the pool', async () => {
    const verifier = new BatchingSignatureVerifier({ crypto, pool: brokenPool(() => new Error('invariant broken: test')) });
    const verdicts = await Promise.allSettled(votes.map((set) => verifier.verify([set], 1)));
    assert.equal(
      verdicts.every(({ status }) => status === 'rejected'),
      true,
    );
  });
});

describe('a task for a worker', () => {
  it('comes to the same verdicts as the check here, whatever bytes the sets hold', () => {
    const anyBytes = fc.uint8Array({ maxLength: 100 });
    const anySet: fc.Arbitrary<SignatureSet> = fc.oneof(
      fc.constantFrom(...votes, badVote, certificate, timeoutCertificate, ...badCertificates),
      fc.record({ kind: fc.constant('single' as const), publicKey: anyBytes, message: anyBytes, signature: anyBytes }),
      fc.record({
        kind: fc.constant('aggregate' as const),
        publicKeys: fc.array(anyBytes),
        messages: fc.array(anyBytes),
        signature: anyBytes,
      }),
    );
    const anyJobs = fc.array(fc.array(anySet, { maxLength: 2 }), { minLength: 1, maxLength: 3 });
    const options = { crypto, pool: poolOfOneStep() };
    return fc.assert(
      fc.asyncProperty(anyJobs, async (jobs) => {
        const verifier = new BatchingSignatureVerifier(options);
        const padded = [...jobs, votes.slice(0, 16)];
        const verdicts = await Promise.all(padded.map((sets) => verifier.verify(sets, 1)));
        assert.deepEqual(verdicts, verifyJobs(bls, padded));
      }),
      { numRuns: 15 },
    );
  });

  it('recovers what the portable implementation recovers', async () => {
    const verifier = new BatchingSignatureVerifier({ crypto: { bls, secp256k1: nobleSecp256k1 }, pool: poolOfOneStep() });
    assert.deepEqual(await verifier.recoverSenders(senderRequests(130)), Array(130).fill(SENDER));
  });
});

// A pool that claims a thread, and runs the encoded task at once: the way through the codec without the thread.
function poolOfOneStep(): WorkerPool {
  return { size: 1, taskCount: 0, run: (task) => Promise.resolve(runTask(crypto, task)), close: () => Promise.resolve() };
}
