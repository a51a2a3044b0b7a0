// Times the cryptography: `node bench/crypto.ts [--json]`. Prints µs per operation, the fastest and the median of several samples (other
// processes share the machine; the fastest says what the code costs). With --json the last line is one JSON object.
import { parseArgs } from 'node:util';
import type { BlsScheme, BlsSignatureSet } from '../src/core/crypto/bls.ts';
import { nobleBls } from '../src/core/crypto/bls-noble.ts';
import { initialiseKeccak, keccak256, keccak256Portable } from '../src/core/crypto/keccak.ts';
import type { Secp256k1 } from '../src/core/crypto/secp256k1.ts';
import { nobleSecp256k1 } from '../src/core/crypto/secp256k1-noble.ts';
import { hash64, hashPairs, sha256 } from '../src/core/crypto/sha256.ts';
import { deriveValidatorKeys } from '../src/core/crypto/validator-keys.ts';
import { vrfProve, vrfPublicKeyOf, vrfVerify } from '../src/core/crypto/vrf.ts';
import { bigintToBytes } from '../src/core/primitives/bytes.ts';
import { blstBls, blstLoads } from '../src/runtime/native/bls-blst.ts';
import { nativeSecp256k1 } from '../src/runtime/native/secp256k1-native.ts';
import { installHashtree } from '../src/runtime/native/ssz-hashtree.ts';

/** One operation's cost. */
export interface CryptoTiming {
  readonly operation: string;
  readonly implementation: string;
  readonly microsecondsMin: number;
  readonly microsecondsMedian: number;
}

interface Operation {
  readonly operation: string;
  readonly implementation: string;
  /** Operations that one call of `run` does. */
  readonly perCall?: number;
  readonly run: () => unknown;
}

const SAMPLES = 9;
const SAMPLE_MS = 20;
const BATCH = 64;
const COMMITTEE = 100;

/** Times everything; about twenty seconds, most of them the portable BLS. */
export async function runCryptoBench(): Promise<readonly CryptoTiming[]> {
  const timings: CryptoTiming[] = [];
  for (const disableNative of [true, false]) {
    const implementation = await installHashtree({ disableNative });
    timings.push(...treeHashes(implementation).map(time));
  }
  await initialiseKeccak();
  timings.push(...otherHashes().map(time));
  const native = nativeSecp256k1();
  for (const scheme of native === undefined ? [nobleSecp256k1] : [native, nobleSecp256k1]) timings.push(...accounts(scheme).map(time));
  for (const scheme of blstLoads() ? [blstBls, nobleBls] : [nobleBls]) timings.push(...consensusSignatures(scheme).map(time));
  timings.push(...leaderDraw().map(time));
  return timings;
}

function treeHashes(implementation: string): readonly Operation[] {
  const hash = new Uint8Array(32).fill(1);
  const level = new Uint8Array(64 * BATCH);
  const parents = new Uint8Array(32 * BATCH);
  return [
    { operation: 'SHA-256 of a pair', implementation, run: () => hash64(hash, hash) },
    { operation: `SHA-256 of a pair, ${BATCH} at once`, implementation, perCall: BATCH, run: () => hashPairs(level, parents) },
  ];
}

function otherHashes(): readonly Operation[] {
  const tag = Uint8Array.of(1);
  const hash = new Uint8Array(32).fill(1);
  const kilobyte = new Uint8Array(1_024);
  return [
    { operation: 'SHA-256 of a leaf, 65 bytes', implementation: '@chainsafe/as-sha256', run: () => sha256(tag, hash, hash) },
    { operation: 'SHA-256 of 1 KiB', implementation: '@chainsafe/as-sha256', run: () => sha256(kilobyte) },
    { operation: 'Keccak-256 of 32 bytes', implementation: 'hash-wasm', run: () => keccak256(hash) },
    { operation: 'Keccak-256 of 32 bytes', implementation: '@noble/hashes', run: () => keccak256Portable(hash) },
    { operation: 'Keccak-256 of 1 KiB', implementation: 'hash-wasm', run: () => keccak256(kilobyte) },
    { operation: 'Keccak-256 of 1 KiB', implementation: '@noble/hashes', run: () => keccak256Portable(kilobyte) },
  ];
}

function accounts(scheme: Secp256k1): readonly Operation[] {
  const secretKey = new Uint8Array(32).fill(7);
  const messageHash = new Uint8Array(32).fill(9);
  const { r, s, yParity } = scheme.sign(secretKey, messageHash);
  const implementation = scheme.name;
  return [
    { operation: 'secp256k1 sign', implementation, run: () => scheme.sign(secretKey, messageHash) },
    { operation: 'secp256k1 recover', implementation, run: () => scheme.recoverPublicKey(messageHash, r, s, yParity) },
  ];
}

function consensusSignatures(scheme: BlsScheme): readonly Operation[] {
  const implementation = scheme.name;
  const secretKeys = Array.from({ length: COMMITTEE }, (_unused, index) => bigintToBytes(BigInt(index + 1_000), 32));
  const message = new Uint8Array(32).fill(1);
  const votes = secretKeys.map((key) => ({ publicKey: scheme.publicKeyOf(key), message, signature: scheme.sign(key, message) }));
  const distinct = secretKeys.slice(0, BATCH).map((key, index): BlsSignatureSet => {
    const own = new Uint8Array(32).fill(index);
    return { publicKey: scheme.publicKeyOf(key), message: own, signature: scheme.sign(key, own) };
  });
  const [first] = votes as [BlsSignatureSet, ...BlsSignatureSet[]];
  const publicKeys = votes.map((vote) => vote.publicKey);
  const signatures = votes.map((vote) => vote.signature);
  const sum = scheme.aggregate(signatures) as Uint8Array;
  let count = 0;
  // A new message each time: the portable form remembers the points of messages.
  const signNew = (): Uint8Array => scheme.sign(secretKeys[0] as Uint8Array, bigintToBytes(BigInt(++count), 32));
  return [
    { operation: 'BLS sign', implementation, run: signNew },
    { operation: 'BLS verify', implementation, run: () => scheme.verify(first.publicKey, message, first.signature) },
    { operation: `BLS aggregate of ${COMMITTEE}`, implementation, run: () => scheme.aggregate(signatures) },
    {
      operation: `BLS fast-aggregate-verify of ${COMMITTEE}`,
      implementation,
      run: () => scheme.fastAggregateVerify(publicKeys, message, sum),
    },
    { operation: 'BLS batch of 4, one message', implementation, run: () => scheme.verifyBatch(votes.slice(0, 4)) },
    { operation: `BLS batch of ${BATCH}, one message`, implementation, run: () => scheme.verifyBatch(votes.slice(0, BATCH)) },
    { operation: `BLS batch of ${BATCH}, distinct messages`, implementation, run: () => scheme.verifyBatch(distinct) },
  ];
}

function leaderDraw(): readonly Operation[] {
  const seed = new Uint8Array(32).fill(3);
  const alpha = new Uint8Array(40).fill(4);
  const publicKey = vrfPublicKeyOf(seed);
  const proof = vrfProve(seed, alpha);
  const implementation = '@noble/curves';
  return [
    { operation: 'VRF prove', implementation, run: () => vrfProve(seed, alpha) },
    { operation: 'VRF verify', implementation, run: () => vrfVerify(publicKey, alpha, proof) },
    { operation: 'validator keys from a seed', implementation, run: () => deriveValidatorKeys(seed) },
  ];
}

function time({ operation, implementation, perCall = 1, run }: Operation): CryptoTiming {
  const calls = callsPerSample(run);
  const samples = Array.from({ length: calls === 1 ? 3 : SAMPLES }, () => microsecondsOf(run, calls) / (calls * perCall)).sort(
    (a, b) => a - b,
  );
  return {
    operation,
    implementation,
    microsecondsMin: rounded(samples[0] as number),
    microsecondsMedian: rounded(samples[samples.length >> 1] as number),
  };
}

// Doubles until a sample takes long enough, which warms the code up as well.
function callsPerSample(run: () => unknown): number {
  let calls = 1;
  while (microsecondsOf(run, calls) < SAMPLE_MS * 1_000) calls *= 2;
  return calls;
}

function microsecondsOf(run: () => unknown, calls: number): number {
  const start = process.hrtime.bigint();
  for (let call = 0; call < calls; call++) run();
  return Number(process.hrtime.bigint() - start) / 1_000;
}

function rounded(microseconds: number): number {
  return Number(microseconds.toPrecision(3));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  const timings = await runCryptoBench();
  for (const { operation, implementation, microsecondsMin, microsecondsMedian } of timings) {
    console.log(
      `${operation.padEnd(38)} ${implementation.padEnd(22)} ${String(microsecondsMin).padStart(9)} µs (median ${microsecondsMedian})`,
    );
  }
  if (values.json) console.log(JSON.stringify({ benchmark: 'crypto', unit: 'µs per operation', timings }));
}
