// What the work of a validator costs on this machine, measured before the model runs: the crypto by the production schemes on real keys, what
// comes in by the production decoders, the vote pool and the engine at the size of the committee. Of several samples the fastest counts:
// others share the machine, and the fastest says what the code costs.
import { BitArray } from '@chainsafe/ssz';
import { step } from '../../src/core/consensus/engine.ts';
import { initialState } from '../../src/core/consensus/state.ts';
import { addVote, emptyVotePool, voteBoundsOf } from '../../src/core/consensus/vote-pool.ts';
import type { BlsSignatureSet } from '../../src/core/crypto/bls.ts';
import { vrfProve, vrfPublicKeyOf, vrfVerify } from '../../src/core/crypto/vrf.ts';
import { bigintToBytes } from '../../src/core/primitives/bytes.ts';
import { blockHashOf } from '../../src/core/protocol/block.ts';
import { type Instance, isQuorum } from '../../src/core/protocol/committee.ts';
import { unpackMessages } from '../../src/network/coalesce.ts';
import { decodeConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { MAINNET } from './committee.ts';
import { proposalExample, timeoutExample, unpacked, voteExample, wireBytes } from './messages.ts';

/** Milliseconds of one core. */
export interface Costs {
  readonly sign: number;
  /** Of so many single signatures together. */
  readonly verifyBatch: (count: number) => number;
  /** Sum of a quorum's signatures. */
  readonly aggregate: number;
  /** A certificate of a quorum: one message, one aggregate. */
  readonly verifyCertificate: number;
  /** An aggregate of part of the committee over one message, by its number of signers. */
  readonly verifyPartial: (signers: number) => number;
  /** A TC of a quorum: a message for each signer. */
  readonly verifyTimeoutCertificate: number;
  readonly vrfProve: number;
  readonly vrfVerify: number;
  /** Taking in one vote: frame, encoding, vote pool. */
  readonly takeVote: number;
  /** Taking in one timeout, its signature aside: frame, encoding, a step of the engine. */
  readonly takeTimeout: number;
  /** Taking in a proposal, signatures and VRF aside: frame, encoding, the header's root. */
  readonly takeProposal: number;
  /** A gossiped frame in libp2p. */
  readonly frame: number;
}

/** What a gossiped frame costs wherever it lands: the lower of the figures measured for src/network/coalesce.ts. */
const FRAME_MS = 0.08;
const SAMPLES = 7;
const SAMPLE_MS = 4;
const BATCHES = [1, 4, 16, 64] as const;

/** Smallest number of equal seats that is a quorum. */
export function quorumOf({ committee }: Instance): number {
  let seats = 0;
  while (!isQuorum(seats, committee)) seats++;
  return seats;
}

/** See the file's head. A second or two for a small committee, several for a large one. */
export function measureCosts(instance: Instance): Costs {
  const { bls } = selectCrypto({ disableNative: false });
  const quorum = quorumOf(instance);
  const secretKeys = Array.from({ length: Math.max(quorum, 64) }, (_unused, index) => bigintToBytes(BigInt(index + 1_000), 32));
  const message = new Uint8Array(32).fill(1);
  const votes: readonly BlsSignatureSet[] = secretKeys.map((key) => ({
    publicKey: bls.publicKeyOf(key),
    message,
    signature: bls.sign(key, message),
  }));
  const ofQuorum = votes.slice(0, quorum);
  const publicKeys = ofQuorum.map(({ publicKey }) => publicKey);
  const sum = bls.aggregate(ofQuorum.map(({ signature }) => signature)) as Uint8Array;
  // Timeouts of a round sign few different messages: who was there for the newest QC, and who was not.
  const timeoutMessages = ofQuorum.map((_vote, index) => new Uint8Array(32).fill(index % 10 === 0 ? 3 : 2));
  const timeoutSum = bls.aggregate(timeoutMessages.map((each, index) => bls.sign(secretKeys[index] as Uint8Array, each))) as Uint8Array;
  // Distinct messages: timeouts of one round may be, and the cost differs little.
  const distinct = votes.slice(0, 64).map(({ publicKey }, index): BlsSignatureSet => {
    const own = new Uint8Array(32).fill(index);
    return { publicKey, message: own, signature: bls.sign(secretKeys[index] as Uint8Array, own) };
  });
  const batches = BATCHES.map((count) => ({ count, ms: timed(() => holds(bls.verifyBatch(distinct.slice(0, count)))) }));
  const one = timed(() => holds(bls.fastAggregateVerify(publicKeys.slice(0, 1), message, votes[0]?.signature as Uint8Array)));
  const verifyCertificate = timed(() => holds(bls.fastAggregateVerify(publicKeys, message, sum)));
  const seed = new Uint8Array(32).fill(3);
  const vrfKey = vrfPublicKeyOf(seed);
  const alpha = new Uint8Array(104).fill(4);
  const proof = vrfProve(seed, alpha);
  return {
    sign: timed(() => bls.sign(secretKeys[0] as Uint8Array, message)),
    verifyBatch: (count) => batchMs(batches, count),
    aggregate: timed(() => bls.aggregate(ofQuorum.map(({ signature }) => signature))),
    verifyCertificate,
    verifyPartial: (signers) => one + ((verifyCertificate - one) * Math.max(0, signers - 1)) / Math.max(1, quorum - 1),
    verifyTimeoutCertificate: timed(() => holds(bls.aggregateVerify(publicKeys, timeoutMessages, timeoutSum))),
    vrfProve: timed(() => vrfProve(seed, alpha)),
    vrfVerify: timed(() => holds(vrfVerify(vrfKey, alpha, proof) !== undefined)),
    ...intakeCosts(instance),
    frame: FRAME_MS,
  };
}

function intakeCosts(instance: Instance): Pick<Costs, 'takeVote' | 'takeTimeout' | 'takeProposal'> {
  const start = { instance, parameters: MAINNET, self: 0, record: undefined, committed: undefined, closed: undefined, storedBlocks: [] };
  const state = step(initialState(start), { kind: 'started' }).state;
  const half = instance.committee.members.slice(0, Math.floor(quorumOf(instance) / 2));
  let pool = emptyVotePool(instance, voteBoundsOf(state));
  for (const { validator } of half) pool = addVote(pool, 'vote', voteExample(instance, validator), { from: '', isVerified: false }).pool;
  let beforeHalf = state;
  for (const { validator } of half.slice(0, Math.floor(instance.committee.members.length / 3) - 1)) {
    beforeHalf = step(beforeHalf, { kind: 'timeout-received', timeout: timeoutExample(instance, validator), from: '' }).state;
  }
  const last = instance.committee.members.length - 1;
  const lastVote = voteExample(instance, last);
  const lastTimeout = timeoutExample(instance, last);
  const voteFrame = wireBytes({ kind: 'vote', vote: lastVote });
  const timeoutFrame = wireBytes({ kind: 'timeout', timeout: lastTimeout });
  const proposal = proposalExample(
    instance,
    new BitArray(new Uint8Array(Math.ceil(instance.committee.members.length / 8)), instance.committee.members.length),
  );
  const proposalFrame = wireBytes({ kind: 'proposal', proposal });
  const decode = (frame: Uint8Array): void => {
    const messages = unpackMessages(unpacked(frame), 1);
    if (!messages.ok || !decodeConsensusMessage(messages.value[0] as Uint8Array).ok) throw new Error('an example does not decode');
  };
  return {
    takeVote: FRAME_MS + timed(() => decode(voteFrame)) + timed(() => addVote(pool, 'vote', lastVote, { from: '', isVerified: false })),
    takeTimeout:
      FRAME_MS +
      timed(() => decode(timeoutFrame)) +
      timed(() => step(beforeHalf, { kind: 'timeout-received', timeout: lastTimeout, from: '' })),
    takeProposal: FRAME_MS + timed(() => decode(proposalFrame)) + timed(() => blockHashOf(proposal.header)),
  };
}

// Between the sizes that were measured, in proportion; the verifier takes no larger batch.
function batchMs(batches: readonly { readonly count: number; readonly ms: number }[], count: number): number {
  let before = { count: 0, ms: 0 };
  for (const batch of batches) {
    if (count <= batch.count) return before.ms + ((batch.ms - before.ms) * (count - before.count)) / (batch.count - before.count);
    before = batch;
  }
  return before.ms * (count / before.count);
}

/** Milliseconds of a core that a call takes: the fastest of several samples. */
export function timed(run: () => unknown): number {
  let calls = 1;
  while (msOf(run, calls) < SAMPLE_MS && calls < 4_096) calls *= 2;
  let fastest = Number.POSITIVE_INFINITY;
  for (let sample = 0; sample < SAMPLES; sample++) fastest = Math.min(fastest, msOf(run, calls) / calls);
  return fastest;
}

// What is refused early costs less than what it stands for.
function holds(isValid: boolean): void {
  if (!isValid) throw new Error('what is measured is a valid signature');
}

// Of the processor, not of the clock: others share the machine.
function msOf(run: () => unknown, calls: number): number {
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call++) run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
