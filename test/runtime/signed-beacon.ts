// A beacon whose four validators are all in the test's hand, in an epoch in which shard 2 is split: it makes a block that has one of everything
// that a beacon block holds. Keys are stand-ins, which refuse every forgery as real ones do.
import { ed25519 } from '@noble/curves/ed25519.js';
import { NO_EXECUTION } from '../../src/core/beacon/header-fields.ts';
import { beaconStartRecord, instanceOfRecord } from '../../src/core/beacon/instance.ts';
import { stateRootOf } from '../../src/core/beacon/state-root.ts';
import { applyBeaconBlock } from '../../src/core/beacon/transition.ts';
import { joinedRoot } from '../../src/core/beacon/world-root.ts';
import { certificateOf, signerBitsOf, timeoutCertificateOf } from '../../src/core/consensus/certificates.ts';
import { type Evidence, encodeEvidence, proposalPairOf, votePairOf } from '../../src/core/consensus/evidence/evidence.ts';
import { roundBranchOf } from '../../src/core/consensus/evidence/round-branch.ts';
import { type ChainPoint, leaderOf, pointAfter, seedAfter, vrfAlphaOf } from '../../src/core/consensus/leader.ts';
import { areValid } from '../../src/core/consensus/signature-sets.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { deriveValidatorKeys } from '../../src/core/crypto/validator-keys.ts';
import { ZERO_32 } from '../../src/core/primitives/bytes.ts';
import type { Bytes32 } from '../../src/core/primitives/ids.ts';
import { type BlockBody, type BlockHeader, blockHashOf, bodyRootOf, EMPTY_BODY } from '../../src/core/protocol/block.ts';
import { type BlockPoint, type QuorumCertificate, SCHEME_BLS, type TimeoutCertificate } from '../../src/core/protocol/certificate.ts';
import type { Instance } from '../../src/core/protocol/committee.ts';
import { Crosslink } from '../../src/core/protocol/crosslink.ts';
import type { Proposal, Timeout } from '../../src/core/protocol/vote.ts';
import { type BeaconOutcome, beaconStartOutcome, createBeaconLogic, type ExecutedBeaconOutcome } from '../../src/runtime/beacon-logic.ts';
import { ChainBlocks } from '../../src/runtime/chain-blocks.ts';
import { createSigner, type Signer } from '../../src/runtime/signer.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import * as fixture from '../core/beacon/fixture.ts';
import { PARAMETERS } from '../core/execution/block-setup.ts';

const SPLIT: readonly number[] = [4, 10, 11, 3];
const CHILDREN = [
  { shard: 4, stateRoot: fixture.rootOf('left') },
  { shard: 10, stateRoot: ZERO_32 },
  { shard: 11, stateRoot: ZERO_32 },
];
const { leaderWindow: LEADER_WINDOW } = PARAMETERS;
/** The last block of the epoch before that of the split. */
const RECORD_HEIGHT = 16;
/** Who signs a QC or CC: three of four, so that a flipped bit still leaves a quorum, or adds one who did not sign. */
const QUORUM = [1, 2, 3];

/** A block with what a child of it needs. */
export interface MadeBeaconBlock {
  readonly proposal: Proposal;
  readonly point: ChainPoint;
}

/** What a block is made of beside its parent. */
export interface BeaconBlockOptions {
  readonly round: number;
  readonly justify?: QuorumCertificate;
  readonly timeoutCertificate?: TimeoutCertificate;
  readonly body?: BlockBody;
}

/** See the file's head. */
export interface SignedBeacon {
  readonly bls: ReturnType<typeof standInCrypto>['bls'];
  readonly instance: Instance;
  readonly signers: readonly Signer[];
  readonly blocks: ChainBlocks<BeaconOutcome, ExecutedBeaconOutcome>;
  readonly start: ChainPoint;
  /** A block of the right leader, which is valid; held and validated in `blocks`. */
  extend(parent: ChainPoint, options: BeaconBlockOptions): Promise<MadeBeaconBlock>;
  quorumOf(point: BlockPoint): QuorumCertificate;
  /** Of all four, who have this QC. */
  giveUp(round: number, highest: QuorumCertificate): TimeoutCertificate;
  /** The crosslink that closes shard 2 on a beacon block of the present epoch, with all that it can hold. */
  crosslinkOn(reference: ChainPoint): Crosslink;
  /** One piece of each kind, each against somebody else. */
  readonly evidence: readonly Evidence[];
}

/** Makes the beacon, up to the record of its instance. */
export function createSignedBeacon(): SignedBeacon {
  const { bls, vrf } = standInCrypto();
  const keys = Array.from({ length: 4 }, (_unused, index) => deriveValidatorKeys(sha256(Uint8Array.of(index))));
  const plain = fixture.smallGenesis({ layout: [2, 3] });
  const validators = keys.map(({ blsSecretKey, vrfSeed, peerSeed }, index) => ({
    ...(plain.validators[index] as (typeof plain.validators)[number]),
    blsPublicKey: bls.publicKeyOf(blsSecretKey),
    vrfPublicKey: vrf.publicKeyOf(vrfSeed),
    peerKey: ed25519.getPublicKey(peerSeed),
  }));
  const beacon = fixture.beaconOf({ ...plain, validators });
  const signersIn = (instance: Instance): readonly Signer[] =>
    keys.map((secrets, validator) => createSigner({ bls, vrf }, { validator, ...secrets }, instance));
  const sumOf = (signatures: readonly Uint8Array[]): Uint8Array => bls.aggregate(signatures) as Uint8Array;

  fixture.advanceTo(beacon, 3);
  const chain = fixture.chainOf(beacon, fixture.entryOf(beacon, 2).record);
  fixture.extend(beacon, chain);
  fixture.advance(beacon, { crosslinks: [fixture.encoded(fixture.crosslinkOf(chain))] });
  fixture.advanceTo(beacon, 6);
  fixture.advance(beacon, {}, { nextLayout: () => SPLIT });
  fixture.advanceTo(beacon, RECORD_HEIGHT);
  const { constants, state } = beacon;
  const instance = instanceOfRecord(constants, state, beaconStartRecord(constants, state, beacon.hashes[RECORD_HEIGHT] as Bytes32));
  const signers = signersIn(instance);
  const nextLayout = fixture.sameLayout(beacon);
  const hashBefore = (height: number): Bytes32 | undefined => beacon.hashes[height];
  const logic = createBeaconLogic({ constants, instance, hashBefore, nextLayout, verify: async (sets) => areValid(bls, sets) });
  const blocks = new ChainBlocks<BeaconOutcome, ExecutedBeaconOutcome>(
    { logic, vrf, committedHash: hashBefore },
    beaconStartOutcome(instance, state),
  );
  const certified = (
    signedBy: readonly Signer[],
    of: Instance,
    point: BlockPoint,
    kind: 'signVote' | 'signCommitVote',
    by: readonly number[],
  ) => certificateOf(of.committee, point, by, sumOf(by.map((index) => (signedBy[index] as Signer)[kind](point))));

  const { height, seed } = instance.startRecord;
  return {
    bls,
    instance,
    signers,
    blocks,
    start: { hash: instance.startRecordRoot, height, round: 0, seed, anchors: [] },
    evidence: evidenceOf(),
    quorumOf: (point) => certified(signers, instance, point, 'signVote', QUORUM),
    giveUp: (round, highest) => {
      const timeouts = signers.map(
        ({ validator, signTimeout }): Timeout => ({
          instanceId: instance.instanceId,
          round,
          highestQuorumCertificate: [highest],
          validator,
          signature: signTimeout(round, highest.point.round),
        }),
      );
      return timeoutCertificateOf(instance.committee, timeouts, sumOf(timeouts.map(({ signature }) => signature)));
    },
    crosslinkOn,
    extend: async (parent, { round, justify, timeoutCertificate, body = EMPTY_BODY }) => {
      const proposer = leaderOf(instance, parent, round);
      const signer = signers[proposer] as Signer;
      const outcome = await blocks.outcomeOf(parent.hash);
      const alpha = vrfAlphaOf(instance, parent.seed, round);
      const { proof, output } = signer.proveLeader(alpha);
      const place = { height: parent.height + 1, timestampMs: outcome.facts.timestampMs + constants.parameters.beaconBlockIntervalMsMin };
      const applied = applyBeaconBlock({
        constants,
        state: outcome.state,
        block: { ...place, seed: seedAfter(parent.seed, output) },
        body,
        beaconHashAt: (at) => (at === parent.height && at > RECORD_HEIGHT ? parent.hash : hashBefore(at)),
        nextLayout,
      });
      if (!applied.ok) throw new Error(`${applied.reason}: ${applied.detail}`);
      const header: BlockHeader = {
        ...{ instanceId: instance.instanceId, ...place, round, parentHash: parent.hash, proposer, vrfProof: proof },
        justify: justify === undefined ? [] : [justify],
        timeoutCertificate: timeoutCertificate === undefined ? [] : [timeoutCertificate],
        beaconReference: { height: 0, hash: ZERO_32 },
        bodyRoot: bodyRootOf(body, []),
        gasBought: 0,
        baseFeePerGasWei: 0n,
        parentExecution: NO_EXECUTION,
        postStateRoot: stateRootOf(applied.value.state),
      };
      const hash = blockHashOf(header);
      const added = await blocks.add(hash, header, body);
      if (!added.ok) throw new Error(added.reason);
      const valid = await blocks.validate(hash, instance.committee.members[proposer]?.vrfPublicKey ?? hash, alpha);
      if (!valid.ok) throw new Error(`${valid.reason}: ${valid.detail}`);
      const point = pointAfter(parent, { hash, height: header.height, round }, output, LEADER_WINDOW);
      return { proposal: { header, body, signature: signer.signProposal(hash) }, point };
    },
  };

  // A header after a timeout that reads and sends, the closing one, and a carrier of it.
  function crosslinkOn({ hash, height: referenceHeight }: ChainPoint): Crosslink {
    const own: fixture.FakeChain = { instance: chain.instance, headers: [...chain.headers], hashes: [...chain.hashes] };
    const inShard = signersIn(own.instance);
    const sent = fixture.outboxTo(3);
    const justify = fixture.certificateOf(own.instance, fixture.pointOf(own, 0));
    const timeoutCertificate = {
      ...{ round: 2, scheme: SCHEME_BLS, signers: signerBitsOf(own.instance.committee, [0, 1, 2, 3]), signature: new Uint8Array(96) },
      highestQuorumCertificateRounds: [1, 1, 1, 1],
      highestQuorumCertificate: [justify],
    };
    const reads = [{ source: 3, prefix: 4, height: 1, index: 0 }];
    fixture.extend(beacon, own, {
      round: 3,
      timeoutCertificate: [timeoutCertificate],
      beaconReference: { height: 5, hash: beacon.hashes[5] as Bytes32 },
      execution: { ...fixture.emitting(sent), cursors: reads },
    });
    fixture.extend(beacon, own, {
      beaconReference: { height: referenceHeight, hash },
      execution: { stateRoot: joinedRoot(2, CHILDREN) },
    });
    fixture.extendByCarrier(own);
    const point = fixture.pointOf(own, 3);
    return fixture.crosslinkOf(own, {
      from: 1,
      carriers: 1,
      outboxes: new Map([[1, sent]]),
      change: {
        quorumCertificate: certified(inShard, own.instance, point, 'signVote', QUORUM),
        commitCertificate: certified(inShard, own.instance, point, 'signCommitVote', QUORUM),
        childStateRoots: CHILDREN.map(({ stateRoot }) => stateRoot),
      },
    });
  }

  function evidenceOf(): readonly Evidence[] {
    const accused = fixture.chainOf(beacon, fixture.entryOf(beacon, 3).record);
    const { instance: of } = accused;
    const { instanceId, committee } = of;
    const by = signersIn(of);
    const pointOf = (name: string, round = 5): BlockPoint => ({ height: 1, round, blockHash: fixture.rootOf(name) });
    const one = (index: number, name: string, kind: 'signVote' | 'signCommitVote') => certified(by, of, pointOf(name), kind, [index]);
    const header = fixture.extend(beacon, accused);
    const witness = (timestampMs: number) => {
      const made = { ...header, timestampMs };
      return { branch: roundBranchOf(made), signature: (by[2] as Signer).signProposal(blockHashOf(made)) };
    };
    const timeouts = {
      ...{ round: 6, scheme: SCHEME_BLS, signers: signerBitsOf(committee, [3]), highestQuorumCertificateRounds: [4] },
      signature: (by[3] as Signer).signTimeout(6, 4),
    };
    // Of the round of its own QC: nobody may vote for it. Against a validator of another instance, whom the others do not name there.
    const against = { ...(chain.headers[0] as BlockHeader), justify: [fixture.certificateOf(chain.instance, pointOf('parent', 1))] };
    const point = { height: against.height, round: against.round, blockHash: blockHashOf(against) };
    return [
      votePairOf('conflicting-votes', instanceId, one(0, 'a', 'signVote'), one(0, 'b', 'signVote')),
      votePairOf('conflicting-commit-votes', instanceId, one(1, 'a', 'signCommitVote'), one(1, 'b', 'signCommitVote')),
      proposalPairOf(instanceId, { validator: 2, round: header.round }, witness(1), witness(2)),
      { kind: 'broken-timeout', instanceId, commitVotes: one(3, 'a', 'signCommitVote'), timeouts },
      {
        kind: 'vote-against-rules',
        instanceId: chain.instance.instanceId,
        votes: certified(signersIn(chain.instance), chain.instance, point, 'signVote', [0]),
        header: against,
      },
    ];
  }
}

/** As a body carries them. */
export function bodyWith(crosslink: Crosslink, evidence: readonly Evidence[]): BlockBody {
  return { ...EMPTY_BODY, crosslinks: [Crosslink.serialize(crosslink)], evidence: evidence.map(encodeEvidence) };
}
