// Well-formed frames with consensus messages that no honest peer sends, told over libp2p to one validator of a real devnet by a thief's
// process: each is counted by its reason, none is handed on (a listener beside every validator hears none), the thief is
// scored and refused, and the chain goes on.
//
// So that a negative shows something, each bad message shares its frame with a good one of the thief's, which by itself is handed on:
// a frame goes on whole or not at all. And the same frames with a good message in place of the bad one are seen to be handed on.
//
// One validator is held meanwhile: without it there is no quorum, so that height and round stay where they are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { signerBitsOf } from '../../src/core/consensus/certificates.ts';
import { encodeEvidence, votePairOf } from '../../src/core/consensus/evidence/evidence.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes } from '../../src/core/primitives/bytes.ts';
import { blockHashOf } from '../../src/core/protocol/block.ts';
import { type BlockPoint, type QuorumCertificate, SCHEME_BLS } from '../../src/core/protocol/certificate.ts';
import { type CertificateBundle, type Proposal, Proposal as ProposalType, type Vote } from '../../src/core/protocol/vote.ts';
import { type ConsensusMessage, encodeConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { mutationsOf } from '../../src/simulation/adversaries/wrong-fields.ts';
import { type AttackedDevnet, frameOf, RUNNING, startAttackedDevnet, TARGET, THIEF, type Told } from './consensus-attack-fixture.ts';
import { pause } from './network-fixture.ts';

const HELD = 4;
const GARBAGE_96 = new Uint8Array(96).fill(0xc1);
/** The thief gives up rounds so far away that nobody joins it. */
const GIVEN_UP_FROM = 10_000;
const FREEZES_MAX = 30;
/** By then a leader that is there has proposed (an idle chain waits for a second), and all that was under way has arrived. */
const FREEZE_MS = 1_500;
const WAIT_MS_MAX = 30_000;
const RSS_BYTES_MAX = 700 * 1024 * 1024;

/** One thing wrong, and the labels under which the attacked validator counts it. */
interface Bad {
  readonly what: string;
  readonly kind: string;
  readonly reason: string;
  readonly message: ConsensusMessage;
  /** It is of the beacon's instance, and told on its topic. */
  readonly isOfBeacon?: boolean;
  /** Not beside a good message, with which it would be handed on: it is well signed, and bad only in that the thief does not lead, or is ahead. */
  readonly isAlone?: boolean;
}

/** Counted, and nobody is blamed: it may be over, or about to begin. */
const UNKNOWN_INSTANCE = 'unknown-instance';
/** What refuses a proposal with this field wrong; every other field is covered by the proposer's signature. */
const REFUSED_ON_ITS_FACE: Readonly<Record<string, string>> = {
  'header.instanceId': UNKNOWN_INSTANCE,
  'header.height': 'wrong-parent',
  'header.round': 'not-admitted',
  'header.parentHash': 'wrong-parent',
  'header.justify-': 'wrong-start',
  'header.justify.0.point.round': 'not-admitted',
  'header.justify.0.point.blockHash': 'wrong-parent',
  'header.justify.0.scheme': 'unknown-scheme',
  'header.justify.0.signers': 'no-quorum', // Five of seven have signed: one fewer is none.
  'header.justify.0.signers+': 'wrong-bitmap',
  'header.timeoutCertificate+': 'not-admitted',
};
/** Their signature is good, and the header's is not theirs. */
const REFUSED_BODY = 'wrong-body-root';
/** Signed again by the thief, these are wrong all the same. */
const REFUSED_WHOEVER_SIGNS: Readonly<Record<string, string>> = {
  ...REFUSED_ON_ITS_FACE,
  'header.justify.0.point.height': 'bad-signature', // At the height of its parent it would be a carrier.
  'header.justify.0.signature': 'bad-signature',
  'header.proposer': 'bad-signature', // The next validator's key is not the thief's.
};

describe('a validator that is told over libp2p what no honest peer tells', () => {
  let attacked: AttackedDevnet;
  let proposal: Proposal;
  let fresh = 0;

  before(async () => {
    await initialiseKeccak();
    attacked = await startAttackedDevnet();
    proposal = await frozenAtProposal();
  });

  after(async () => {
    release();
    await attacked?.remove();
  });

  function hold(): void {
    process.kill(attacked.devnet.validators[HELD]?.pid ?? 0, 'SIGSTOP');
  }

  function release(): void {
    if (attacked !== undefined) process.kill(attacked.devnet.validators[HELD]?.pid ?? 0, 'SIGCONT');
  }

  // Holds the chain at a moment at which the listener has heard the block of the round: its leader may be away.
  async function frozenAtProposal(): Promise<Proposal> {
    for (let attempt = 0; attempt < FREEZES_MAX; attempt++) {
      hold();
      await pause(FREEZE_MS);
      const newest = attacked.newestProposal();
      const height = await attacked.heightOf(TARGET);
      const isUsable = newest !== undefined && newest.header.timeoutCertificate.length === 0 && newest.header.justify.length === 1;
      if (isUsable && newest.header.height > height && newest.header.justify[0]?.signers.getTrueBitIndexes().length === RUNNING.length)
        return newest;
      release();
      await pause(500 + 100 * attempt);
    }
    assert.fail(`no block was left open in ${FREEZES_MAX} attempts`);
  }

  // A good message of the thief's that nobody has heard yet, and that changes nothing.
  function good(isOfBeacon = false): ConsensusMessage {
    const round = GIVEN_UP_FROM + fresh++;
    const { instanceId } = isOfBeacon ? attacked.beaconInstance : attacked.instance;
    const signature = (isOfBeacon ? attacked.thiefOfBeacon : attacked.thief).signTimeout(round, 0);
    return { kind: 'timeout', timeout: { instanceId, round, highestQuorumCertificate: [], validator: THIEF, signature } };
  }

  function pointFor(name: string): BlockPoint {
    const { height, round } = proposal.header;
    return { height, round, blockHash: sha256(new TextEncoder().encode(name)) };
  }

  function vote(wrong: Partial<Vote>): Vote {
    return { instanceId: attacked.instance.instanceId, point: pointFor('bad'), validator: THIEF, signature: GARBAGE_96, ...wrong };
  }

  function certificate(wrong: Partial<QuorumCertificate> = {}): QuorumCertificate {
    const point = { height: 9_000, round: 9_000, blockHash: sha256(uint64ToBytes(1)) };
    const signers = signerBitsOf(attacked.instance.committee, [0, 1, 2, 3, 4]);
    return { point, scheme: SCHEME_BLS, signers, signature: GARBAGE_96, ...wrong };
  }

  function bundle(wrong: Partial<CertificateBundle>): ConsensusMessage {
    const nothing = { highestQuorumCertificate: [], commitCertificate: [], commitQuorumCertificate: [], timeoutCertificate: [], nonce: 1 };
    return { kind: 'certificates', certificates: { instanceId: attacked.instance.instanceId, ...nothing, ...wrong } };
  }

  function timeout(round: number, signedFor: number, highest: readonly QuorumCertificate[], validator = THIEF): ConsensusMessage {
    const signature = attacked.thief.signTimeout(round, signedFor);
    const { instanceId } = attacked.instance;
    return { kind: 'timeout', timeout: { instanceId, round, highestQuorumCertificate: [...highest], validator, signature } };
  }

  function goodByThemselves(): readonly ConsensusMessage[] {
    const point = { ...pointFor('good, alone'), round: proposal.header.round + 2 };
    return [
      { kind: 'vote', vote: vote({ point, signature: attacked.thief.signVote(point) }) },
      { kind: 'commit-vote', vote: vote({ point, signature: attacked.thief.signCommitVote(point) }) },
      good(),
    ];
  }

  /** Of use or not: the block is known, its leader is a neighbour of everyone, and the certificate is no news. */
  function goodOfEachKind(): readonly ConsensusMessage[] {
    const [point, commitPoint] = [pointFor('good'), pointFor('good commit')];
    return [
      { kind: 'vote', vote: vote({ point, signature: attacked.thief.signVote(point) }) },
      { kind: 'commit-vote', vote: vote({ point: commitPoint, signature: attacked.thief.signCommitVote(commitPoint) }) },
      timeout(9_999, 0, []),
      bundle({ highestQuorumCertificate: proposal.header.justify }),
      { kind: 'proposal', proposal },
    ];
  }

  function badMessages(): readonly Bad[] {
    const other = sha256(uint64ToBytes(2));
    // Beside a good vote of its own round, a forged one would be looked at twice.
    const nextPoint = { ...pointFor('forged'), round: proposal.header.round + 1 };
    const of = (kind: 'vote' | 'commit-vote', wrong: Partial<Vote>): ConsensusMessage => ({ kind, vote: vote(wrong) });
    const stranger = attacked.instance.committee.members.length;
    const rows: readonly [string, string, ConsensusMessage][] = [
      ['a vote of a stranger', 'not-a-member', of('vote', { validator: 99 })],
      ['a commit vote of a stranger', 'not-a-member', of('commit-vote', { validator: stranger })],
      ['a vote of another chain', UNKNOWN_INSTANCE, of('vote', { instanceId: other })],
      ['a commit vote of another chain', UNKNOWN_INSTANCE, of('commit-vote', { instanceId: other })],
      ['a vote with a bad signature', 'bad-signature', of('vote', { point: nextPoint })],
      ['a commit vote with a bad signature', 'bad-signature', of('commit-vote', { point: nextPoint })],
      ['a vote forged in the name of a neighbour', 'bad-signature', of('vote', { validator: 1, point: nextPoint })],
      [
        'an old vote forged in the name of a neighbour',
        'bad-signature',
        of('vote', { validator: 1, point: { ...pointFor('old'), round: 1 } }),
      ],
      ['a timeout far away', 'far-round', timeout(2_000_000_000, 0, [])],
      ['a timeout of another chain', UNKNOWN_INSTANCE, inAnotherInstance(timeout(20_000, 0, []), other)],
      ['a timeout of a stranger', 'not-a-member', timeout(20_001, 0, [], stranger)],
      ['a timeout in the name of another', 'bad-signature', timeout(20_002, 0, [], 2)],
      ['a timeout whose certificate is missing', 'bad-signature', timeout(20_003, 20_002, [])],
      ['a timeout with a forged certificate', 'bad-signature', timeout(9_001, 9_000, [certificate()])],
      ['a timeout with a certificate of its own round', 'wrong-round', timeout(9_000, 9_000, [certificate()])],
      ['certificates of another chain', UNKNOWN_INSTANCE, bundle({ instanceId: other })],
      ['a forged certificate', 'bad-signature', bundle({ highestQuorumCertificate: [certificate()] })],
      [
        'an old forged certificate',
        'bad-signature',
        bundle({ highestQuorumCertificate: [certificate({ point: { ...pointFor('old'), round: 1 } })] }),
      ],
      ['a certificate of another scheme', 'unknown-scheme', bundle({ highestQuorumCertificate: [certificate({ scheme: 2 })] })],
      [
        'a certificate of too few',
        'no-quorum',
        bundle({ highestQuorumCertificate: [certificate({ signers: signerBitsOf(attacked.instance.committee, [0, 1, 2, 3]) })] }),
      ],
      ['a commit certificate without its pair', 'certificate-without-pair', bundle({ commitCertificate: [certificate()] })],
    ];
    const farPoint = { ...pointFor('far'), round: 1_000_000 };
    const far = of('vote', { point: farPoint, signature: attacked.thief.signVote(farPoint) });
    return [
      ...rows.map(([what, reason, message]) => ({ what, kind: message.kind, reason, message })),
      { what: 'a vote for a round far away', kind: 'vote', reason: 'far-round', message: far, isAlone: true },
    ];
  }

  /** Of each kind one or two in the beacon's instance, whose rules are the same. */
  function badMessagesOfBeacon(): readonly Bad[] {
    const { instanceId, committee } = attacked.beaconInstance;
    const point = { ...pointFor('of the beacon'), round: 1 };
    const of = (wrong: Partial<Vote>): Vote => vote({ instanceId, point, ...wrong });
    const [far, unnamed] = [attacked.thiefOfBeacon.signTimeout(2_000_000_000, 0), attacked.thiefOfBeacon.signTimeout(20_002, 0)];
    const nothing = { instanceId, highestQuorumCertificate: [] };
    const few = certificate({ signers: signerBitsOf(committee, [0, 1, 2, 3]) });
    const rows: readonly [string, string, ConsensusMessage][] = [
      ['a vote of a stranger', 'not-a-member', { kind: 'vote', vote: of({ validator: 99 }) }],
      ['a vote forged in the name of a neighbour', 'bad-signature', { kind: 'vote', vote: of({ validator: 1 }) }],
      ['a commit vote forged in the name of a neighbour', 'bad-signature', { kind: 'commit-vote', vote: of({ validator: 1 }) }],
      [
        'a timeout far away',
        'far-round',
        { kind: 'timeout', timeout: { ...nothing, round: 2_000_000_000, validator: THIEF, signature: far } },
      ],
      [
        'a timeout in the name of another',
        'bad-signature',
        { kind: 'timeout', timeout: { ...nothing, round: 20_002, validator: 2, signature: unnamed } },
      ],
      ['a forged certificate', 'bad-signature', bundle({ instanceId, highestQuorumCertificate: [certificate()] })],
      ['a certificate of too few', 'no-quorum', bundle({ instanceId, highestQuorumCertificate: [few] })],
    ];
    return rows.map(([what, reason, message]) => ({
      what: `the beacon's: ${what}`,
      kind: message.kind,
      reason,
      message,
      isOfBeacon: true,
    }));
  }

  /** What proves nothing, on both topics of evidence. */
  function falseEvidence(): readonly (Told & { readonly what: string; readonly reason: string })[] {
    const { topics, instance, beaconInstance, thief, thiefOfBeacon } = attacked;
    return [
      { topic: topics.evidence, of: instance, by: thief },
      { topic: topics.beaconEvidence, of: beaconInstance, by: thiefOfBeacon },
    ].flatMap(({ topic, of, by }) => {
      const one = (name: string, round: number, signature?: Uint8Array): QuorumCertificate => {
        const point = { ...pointFor(name), round };
        return { point, scheme: SCHEME_BLS, signers: signerBitsOf(of.committee, [THIEF]), signature: signature ?? by.signVote(point) };
      };
      const pair = (second: QuorumCertificate): Uint8Array =>
        encodeEvidence(votePairOf('conflicting-votes', of.instanceId, one('one', 7), second));
      return [
        { topic, what: 'evidence of no kind', reason: 'unknown-kind', frame: Uint8Array.of(77, 1, 2) },
        { topic, what: 'evidence that ends early', reason: 'malformed', frame: pair(one('other', 7)).subarray(0, 90) },
        { topic, what: 'two votes of two rounds', reason: 'no-evidence', frame: pair(one('other', 8)) },
        { topic, what: 'two votes of which one is forged', reason: 'no-evidence', frame: pair(one('other', 7, one('else', 7).signature)) },
      ];
    });
  }

  function toldOn(messages: readonly ConsensusMessage[], isOfBeacon = false): Told {
    return { topic: isOfBeacon ? attacked.topics.beaconConsensus : attacked.topics.consensus, frame: frameOf(messages) };
  }

  /** The leader's own block as somebody hands it on who changed one thing. */
  function changedBlocks(): readonly Bad[] {
    return mutationsOf(ProposalType, proposal).map(({ path, value }) => {
      const onItsFace = path.startsWith('body.') ? REFUSED_BODY : REFUSED_ON_ITS_FACE[path];
      const message = { kind: 'proposal', proposal: value } as const;
      return { what: `the leader's block with another ${path}`, kind: 'proposal', reason: onItsFace ?? 'bad-signature', message };
    });
  }

  /** The same blocks, proposed and signed by the thief, who does not lead: the rest of what is wrong about them needs no look. */
  function stolenBlocks(): readonly Bad[] {
    const own: Proposal = { ...proposal, header: { ...proposal.header, proposer: THIEF } };
    return mutationsOf(ProposalType, own)
      .filter(({ path }) => path !== 'signature')
      .map(({ path, value: { header, body } }) => {
        const reason = REFUSED_WHOEVER_SIGNS[path] ?? 'not-the-leader';
        const signature = attacked.thief.signProposal(blockHashOf(header));
        const message = { kind: 'proposal', proposal: { header, body, signature } } as const;
        return { what: `the thief's block with another ${path}`, kind: 'proposal', reason, message, isAlone: reason === 'not-the-leader' };
      });
  }

  function wasHeard(message: ConsensusMessage): boolean {
    return attacked.heard.has(bytesToHex(encodeConsensusMessage(message)));
  }

  it('hands on what is good, by itself and beside another: the listener hears what the thief says', async () => {
    const alone = goodByThemselves();
    const together = goodOfEachKind().map((message) => ({ message, beside: good() }));
    const frames = [...alone.map((message) => [message]), ...together.map(({ message, beside }) => [beside, message])];
    const ofBeacon = good(true);
    const { connections } = await attacked.attack([...frames.map((frame) => toldOn(frame)), toldOn([ofBeacon], true)]);
    assert.equal(connections, 1, 'and is not thrown out for it');
    await eventually(async () => [...frames.flat(), ofBeacon].every(wasHeard));
    assert.ok(wasHeard(ofBeacon), 'what is told of the beacon too');
    for (const frame of frames) {
      assert.ok(frame.every(wasHeard), `a frame with ${frame.map(({ kind }) => kind).join(' and ')} is handed on`);
    }
    assert.doesNotMatch(await attacked.metricsOf(TARGET), /^coppice_gossip_refused_total\{/m);
  });

  it('hands on no bad one, counts each by its reason, and throws the thief out', async () => {
    const all = [...badMessages(), ...badMessagesOfBeacon(), ...changedBlocks(), ...stolenBlocks()];
    const bad = all.map((each) => ({ ...each, beside: good(each.isOfBeacon) }));
    const evidence = falseEvidence();
    assert.ok((await attacked.heightOf(TARGET)) < proposal.header.height, 'the block is open still');
    const told = bad.map(({ message, beside, isAlone, isOfBeacon }) =>
      toldOn(isAlone === true ? [message] : [beside, message], isOfBeacon),
    );
    await attacked.attack([...told, ...evidence]);

    const expected = new Map<string, number>();
    for (const { kind, reason } of [...bad, ...evidence.map(({ reason }) => ({ kind: 'evidence', reason }))])
      expected.set(`${kind} ${reason}`, (expected.get(`${kind} ${reason}`) ?? 0) + 1);
    let counted = new Map<string, number>();
    await eventually(async () => {
      counted = refusedOf(await attacked.metricsOf(TARGET));
      return sum(counted) >= sum(expected);
    });
    assert.deepEqual([...counted].sort(), [...expected].sort());

    await pause(500);
    for (const { what, message, beside } of bad) {
      assert.ok(!wasHeard(message) && !wasHeard(beside), `${what} is not handed on`);
    }
    for (const { what, frame } of evidence) assert.ok(!attacked.heard.has(bytesToHex(frame)), `${what} is not handed on`);
    const metrics = await attacked.metricsOf(TARGET);
    const blamed = [...bad, ...evidence].filter(({ reason }) => reason !== UNKNOWN_INSTANCE);
    for (const { reason } of blamed) assert.match(metrics, new RegExp(`^coppice_network_misbehaviour\\{reason="${reason}"\\} [1-9]`, 'm'));
    const log = readFileSync(join(attacked.devnet.validators[TARGET]?.dataDir ?? '', 'log/node.log'), 'utf8').split('\n');
    assert.ok(
      log.some((line) => line.includes('peer-refused') && line.includes(attacked.thiefName)),
      'the thief is refused',
    );
    const rss = Number(/^process_resident_memory_bytes (\S+)/m.exec(metrics)?.[1]);
    assert.ok(rss < RSS_BYTES_MAX, `${Math.round(rss / 1024 / 1024)} MiB`);
  });

  it('goes on with the chain, and no honest validator has scored another', async () => {
    release();
    const target = proposal.header.height + 2;
    for (const validator of RUNNING) {
      const goesOn = await eventually(async () => (await attacked.heightOf(validator)) >= target);
      assert.ok(goesOn, `validator ${validator} sees block ${target}`);
    }
    for (const validator of RUNNING.filter((each) => each !== TARGET)) {
      assert.doesNotMatch(await attacked.metricsOf(validator), /^coppice_network_misbehaviour\{/m, `validator ${validator}`);
    }
  });
});

function inAnotherInstance(message: ConsensusMessage, instanceId: Uint8Array): ConsensusMessage {
  assert.ok(message.kind === 'timeout');
  return { kind: 'timeout', timeout: { ...message.timeout, instanceId } };
}

function refusedOf(metrics: string): Map<string, number> {
  const counted = new Map<string, number>();
  for (const [, kind, reason, count] of metrics.matchAll(/^coppice_gossip_refused_total\{kind="([^"]+)",reason="([^"]+)"\} (\d+)/gm)) {
    counted.set(`${kind} ${reason}`, Number(count));
  }
  return counted;
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

/** True as soon as it holds; false when it does not in time, for the caller to say what is missing. */
async function eventually(holds: () => Promise<boolean>): Promise<boolean> {
  const deadlineMs = performance.now() + WAIT_MS_MAX;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) return false;
    await pause(50);
  }
  return true;
}
