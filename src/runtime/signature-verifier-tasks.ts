// What checking signatures computes, as pure functions of bytes: the same on the caller's thread and in a worker.
//
// A batch holds jobs of several callers. If all are valid, one combined check says so; if not, groups of the square root of their
// number are checked, and one by one the jobs of groups that fail: a bad signature costs others time but never their verdict. (Of 64
// votes: 10 ms if all are good, about 35 with one bad, 85 with all bad, which halving would make 165.)
import type { SignatureSet } from '../core/consensus/signature-sets.ts';
import type { BlsScheme } from '../core/crypto/bls.ts';
import type { Secp256k1 } from '../core/crypto/secp256k1.ts';
import { invariant } from '../core/primitives/errors.ts';
import type { Address } from '../core/primitives/ids.ts';
import { addressOfPublicKey } from '../core/protocol/decode-transaction.ts';
import { BytesReader, BytesWriter } from './signature-verifier-codec.ts';

/** A transaction's signature, from which its sender follows. */
export interface SenderRequest {
  readonly messageHash: Uint8Array;
  readonly r: Uint8Array;
  readonly s: Uint8Array;
  readonly yParity: number;
}

/** What both kinds of task need. */
export interface TaskCrypto {
  readonly bls: BlsScheme;
  readonly secp256k1: Secp256k1;
}

const TASK_VERIFY = 1;
const TASK_RECOVER = 2;
const KINDS: readonly SignatureSet['kind'][] = ['single', 'fast-aggregate', 'aggregate'];
const NO_SENDER = 0;

/** Carries out one encoded task. */
export function runTask(crypto: TaskCrypto, task: Uint8Array): Uint8Array {
  const reader = new BytesReader(task);
  const kind = reader.number();
  invariant(kind === TASK_VERIFY || kind === TASK_RECOVER, 'a task is one of the two kinds');
  return kind === TASK_VERIFY ? verifyTask(crypto.bls, reader) : recoverTask(crypto.secp256k1, reader);
}

/** One verdict for each job: true if all of its sets are valid (and for a job without sets). */
export function verifyJobs(bls: BlsScheme, jobs: readonly (readonly SignatureSet[])[]): readonly boolean[] {
  if (areAllValid(bls, jobs.flat())) return jobs.map(() => true);
  if (jobs.length === 1) return [false];
  const groupSize = Math.ceil(Math.sqrt(jobs.length));
  const verdicts: boolean[] = [];
  for (let start = 0; start < jobs.length; start += groupSize) {
    const group = jobs.slice(start, start + groupSize);
    const isGroupValid = areAllValid(bls, group.flat());
    verdicts.push(...group.map((job) => isGroupValid || (group.length > 1 && areAllValid(bls, job))));
  }
  return verdicts;
}

/** The address of each signer, or `undefined` where the signature has none. */
export function recoverAll(secp256k1: Secp256k1, requests: readonly SenderRequest[]): readonly (Address | undefined)[] {
  return requests.map(({ messageHash, r, s, yParity }) => {
    if (yParity !== 0 && yParity !== 1) return undefined;
    const publicKey = secp256k1.recoverPublicKey(messageHash, r, s, yParity);
    return publicKey === undefined ? undefined : addressOfPublicKey(publicKey);
  });
}

/** The task that asks for `verifyJobs`. */
export function encodeVerifyTask(jobs: readonly (readonly SignatureSet[])[]): Uint8Array {
  const writer = new BytesWriter();
  writer.number(TASK_VERIFY);
  writer.list(jobs, (job) => writer.list(job, (set) => writeSet(writer, set)));
  return writer.bytes();
}

/** The task that asks for `recoverAll`. */
export function encodeRecoverTask(requests: readonly SenderRequest[]): Uint8Array {
  const writer = new BytesWriter();
  writer.number(TASK_RECOVER);
  writer.list(requests, ({ messageHash, r, s, yParity }) => {
    for (const part of [messageHash, r, s]) writer.chunk(part);
    writer.number(yParity === 0 || yParity === 1 ? yParity : 2); // Whatever else it was, there is no such parity.
  });
  return writer.bytes();
}

/** The answer to a verify task. */
export function decodeVerdicts(result: Uint8Array): readonly boolean[] {
  return Array.from(result, (byte) => byte === 1);
}

/** The answer to a recover task. */
export function decodeSenders(result: Uint8Array): readonly (Address | undefined)[] {
  const reader = new BytesReader(result);
  return reader.list(() => {
    const address = reader.chunk();
    return address.length === NO_SENDER ? undefined : address.slice();
  });
}

function areAllValid(bls: BlsScheme, sets: readonly SignatureSet[]): boolean {
  const combinable = sets.filter((set) => set.kind !== 'aggregate');
  if (!bls.verifyBatch(combinable)) return false;
  return sets.every((set) => set.kind !== 'aggregate' || bls.aggregateVerify(set.publicKeys, set.messages, set.signature));
}

function verifyTask(bls: BlsScheme, reader: BytesReader): Uint8Array {
  const jobs = reader.list(() => reader.list(() => readSet(reader)));
  return Uint8Array.from(verifyJobs(bls, jobs), (isValid) => (isValid ? 1 : 0));
}

function recoverTask(secp256k1: Secp256k1, reader: BytesReader): Uint8Array {
  const requests = reader.list(() => ({ messageHash: reader.chunk(), r: reader.chunk(), s: reader.chunk(), yParity: reader.number() }));
  const writer = new BytesWriter();
  writer.list(recoverAll(secp256k1, requests), (address) => writer.chunk(address ?? new Uint8Array(NO_SENDER)));
  return writer.bytes();
}

function writeSet(writer: BytesWriter, set: SignatureSet): void {
  writer.number(KINDS.indexOf(set.kind));
  writer.list(set.kind === 'single' ? [set.publicKey] : set.publicKeys, (key) => writer.chunk(key));
  writer.list(set.kind === 'aggregate' ? set.messages : [set.message], (message) => writer.chunk(message));
  writer.chunk(set.signature);
}

function readSet(reader: BytesReader): SignatureSet {
  const kind = KINDS[reader.number()];
  const publicKeys = reader.list(() => reader.chunk());
  const messages = reader.list(() => reader.chunk());
  const signature = reader.chunk();
  if (kind === 'aggregate') return { kind, publicKeys, messages, signature };
  const [publicKey] = publicKeys;
  const [message] = messages;
  invariant(kind !== undefined && publicKey !== undefined && message !== undefined, 'a set was written whole');
  return kind === 'single' ? { kind, publicKey, message, signature } : { kind, publicKeys, message, signature };
}
