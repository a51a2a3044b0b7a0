// Mutants of the rules of consensus: votes, timeouts, certificates, leaders.
import type { Fault } from '../faults.ts';
import type { Mutant } from './mutant.ts';
import { BRISK, CALM, PLAIN, SOON_MS, swarm, type Trial, underSeeds } from './trial.ts';

const VOTE = 'src/core/consensus/vote.ts';
const COMMIT_VOTE = 'src/core/consensus/commit-vote.ts';
const COMMIT = 'src/core/consensus/commit.ts';
const HEADER = 'src/core/consensus/header-rules.ts';
const CLAIMS = 'src/core/consensus/signature-sets.ts';
const CERTIFICATES = 'src/core/consensus/certificates.ts';
const COMMITTEE = 'src/core/protocol/committee.ts';
const TIMEOUT = 'src/core/consensus/timeout.ts';
const LEADER = 'src/core/consensus/leader.ts';
const ADOPT = 'src/core/consensus/adopt.ts';
const DETECTOR = 'src/core/consensus/evidence/detector.ts';
const PROPOSAL = 'src/core/consensus/proposal.ts';

/** Links so slow that rounds end before their votes are there. */
const SLOW = { faults: [{ fromMs: 1_000, forMs: 5_000, what: { kind: 'slow-links', latencyMs: 420 } }], dishonest: [] } as const;
const LOSSY = { faults: [{ fromMs: 1_000, forMs: 5_500, what: { kind: 'loss', share: 0.35 } }], dishonest: [] } as const;
const VERY_LOSSY = { faults: [{ fromMs: 1_000, forMs: 5_000, what: { kind: 'loss', share: 0.4 } }], dishonest: [] } as const;
const ALONE_WITH_ONE = {
  faults: [{ fromMs: 1_000, forMs: 3_000, what: { kind: 'partition', minority: [0, 1], isSeen: true } }],
  dishonest: [],
} as const;

const QUIET: readonly Trial[] = [CALM, ...underSeeds(1, 3, { faults: [], dishonest: [] })];
/** Timers and blocks such that a stuck network is soon seen to be stuck. */
const BRISK_LIES = {
  faults: [],
  faultsUntilMs: 1_500,
  dishonest: [],
  parameters: { ...BRISK, idleIntervalMs: 250 },
  transactionsPerSecond: 2,
  shape: { ...PLAIN, beaconIntervalMs: 300 },
} as const;
/** So many messages are lost that every round is stuck until something is said again. */
const NOTHING_ARRIVES = {
  faults: [{ fromMs: 300, forMs: 2_000, what: { kind: 'loss', share: 0.7 } }],
  faultsUntilMs: 2_300,
  dishonest: [],
  parameters: BRISK,
  transactionsPerSecond: 2,
  shape: { ...PLAIN, beaconIntervalMs: 1_000 },
} as const;

/** Nodes that end as they speak, and are back before the round is over. */
const ENDED_SPEAKING: readonly Trial[] = underSeeds(1, 20, {
  faults: Array.from({ length: 16 }, (_unused, place): Fault => {
    const what = { kind: 'crash', node: place % 4, end: 'killed', trigger: 'while-sending' } as const;
    return { fromMs: 800 + 350 * place, forMs: 150, what };
  }),
  dishonest: [],
});

/** See the file's head. */
export const CONSENSUS_MUTANTS: readonly Mutant[] = [
  {
    name: 'vote-twice-in-a-round',
    rule: 'a node votes once in a round',
    violates: ['durability', 'agreement'],
    file: VOTE,
    find: 'header.round > record.lastVotedRound && ',
    replace: '',
    trials: underSeeds(1, 10, { faults: [], faultsUntilMs: SOON_MS, dishonest: [], forger: 'two-blocks' }),
  },
  {
    name: 'vote-in-a-round-given-up',
    rule: 'no vote in a round that was given up, or below',
    violates: ['durability'],
    file: VOTE,
    find: 'header.round > record.lastTimeoutRound && ',
    replace: '',
    trials: [...swarm(5, 20), ...underSeeds(1, 6, SLOW)],
  },
  {
    name: 'commit-vote-after-timeout',
    rule: 'no commit vote in a round that was given up, or below',
    violates: ['durability', 'agreement'],
    file: COMMIT_VOTE,
    find: 'record.lastTimeoutRound < point.round && ',
    replace: '',
    trials: [...underSeeds(1, 6, SLOW), ...swarm(1, 20)],
  },
  {
    name: 'justify-below-timeout-certificate',
    rule: 'a block after a timeout builds on the highest QC that its TC reports',
    violates: ['validity', 'agreement'],
    file: HEADER,
    find: 'return justifyRound < header.round && justifyRound >= Math.max(...timeoutCertificate.highestQuorumCertificateRounds);',
    replace: 'return justifyRound < header.round;',
    trials: underSeeds(15, 24, { ...VERY_LOSSY, forger: 'old-justify' }),
  },
  {
    name: 'quorum-of-two-f',
    rule: 'a quorum is more than two thirds of the seats',
    violates: ['agreement', 'validity'],
    file: COMMITTEE,
    find: 'return seats * 3 > committee.totalSeats * 2;',
    replace: 'return seats * 2 >= committee.totalSeats;',
    trials: [CALM, ...underSeeds(1, 10, ALONE_WITH_ONE)],
  },
  {
    name: 'signer-counted-twice',
    rule: 'each signer of a certificate counts once',
    violates: ['validity', 'agreement'],
    file: CERTIFICATES,
    find: '  for (const member of members) seats += member.seats;',
    replace: '  for (const member of [...members, ...members.slice(0, 1)]) seats += member.seats;',
    trials: underSeeds(1, 10, { ...ALONE_WITH_ONE, forger: 'short-certificates' }),
  },
  {
    name: 'domain-without-kind',
    rule: 'a signature is good for one kind of object only',
    violates: ['validity'],
    file: 'src/core/crypto/domains.ts',
    find: '  kindChunk[0] = kind;',
    replace: '  kindChunk[0] = kind === 3 ? 2 : kind;',
    trials: QUIET,
  },
  {
    name: 'domain-without-instance',
    rule: 'a signature is good in one instance only',
    violates: ['validity'],
    file: 'src/core/crypto/domains.ts',
    find: 'return hash64(hash64(kindChunk, genesisRoot), hash64(instanceId, ZERO_32));',
    replace: 'return hash64(hash64(kindChunk, genesisRoot), hash64(ZERO_32, ZERO_32));',
    trials: QUIET,
  },
  {
    name: 'certificate-unverified',
    rule: 'the signature of a certificate is verified',
    violates: ['validity', 'agreement'],
    file: CLAIMS,
    find: "  return accept([{ kind: 'fast-aggregate', publicKeys, message, signature: certificate.signature }]);",
    replace: '  return accept(publicKeys.length > 0 && message.length > 0 ? [] : []);',
    trials: underSeeds(1, 10, { ...LOSSY, forger: 'unsigned-certificates' }),
  },
  {
    name: 'timeout-unverified-certificate',
    rule: 'the QC beside a timeout is verified',
    violates: ['liveness', 'validity'],
    file: CLAIMS,
    find: "  return joined(own, ...timeout.highestQuorumCertificate.map((certificate) => certificateClaims(instance, 'vote', certificate)));",
    replace: '  return own;',
    trials: [
      ...underSeeds(21, 4, { ...BRISK_LIES, forger: 'unsigned-timeouts' }),
      ...underSeeds(1, 10, { faults: [], dishonest: [], forger: 'unsigned-timeouts' }),
    ],
  },
  {
    name: 'timeout-certificate-without-its-qc',
    rule: 'a TC carries the highest QC that it reports',
    violates: ['liveness', 'accountability', 'validity'],
    file: CERTIFICATES,
    find: '    highestQuorumCertificate: highest.highestQuorumCertificate,',
    replace: '    highestQuorumCertificate: highest.highestQuorumCertificate.slice(0, 0),',
    trials: [...underSeeds(1, 6, LOSSY), ...swarm(1, 20)],
  },
  {
    name: 'commit-without-qc',
    rule: 'a CC counts only beside the QC of its block',
    violates: ['validity'],
    file: COMMIT,
    find: `  if (pending === undefined || pending.quorumCertificate === undefined) return unchanged(state);
  return commitBy(state, { commitCertificate: pending.commitCertificate, quorumCertificate: pending.quorumCertificate });`,
    replace: `  if (pending === undefined) return unchanged(state);
  const { commitCertificate, quorumCertificate } = pending;
  return commitBy(state, { commitCertificate, quorumCertificate: quorumCertificate ?? commitCertificate });`,
    trials: [...underSeeds(4, 12, LOSSY), ...swarm(1, 10)],
  },
  {
    name: 'commit-with-qc-of-another-block',
    rule: 'a CC and the QC beside it are of one block',
    violates: ['validity'],
    file: CLAIMS,
    find: "  if (!bytesEqual(a, b)) return refuse('certificate-without-pair', 'the QC is of another block');\n",
    replace: '',
    trials: [
      ...underSeeds(2, 14, { ...LOSSY, forger: 'mismatched-pair', shape: { ...PLAIN, beaconIntervalMs: 1_000 } }),
      ...underSeeds(2, 14, { ...LOSSY, forger: 'mismatched-pair' }),
    ],
  },
  {
    name: 'leader-of-no-draw',
    rule: 'leaders are drawn from the seed of an ancestor',
    violates: ['validity'],
    file: LEADER,
    find: '  return anchor?.seed ?? instance.startRecord.seed;',
    replace: '  return anchor === undefined ? instance.startRecord.seed : parent.seed;',
    trials: QUIET,
  },
  {
    name: 'seed-without-vrf',
    rule: 'the next seed follows from the VRF output of the block',
    violates: ['validity'],
    file: LEADER,
    find: '  return sha256(parentSeed, vrfOutput);',
    replace: '  return sha256(parentSeed, vrfOutput.subarray(0, 0));',
    trials: QUIET,
  },
  {
    name: 'propose-twice-in-a-round',
    rule: 'a leader proposes once in a round, over all its lives',
    violates: ['durability'],
    file: PROPOSAL,
    find: 'record.lastProposedRound >= round || ',
    replace: '',
    trials: ENDED_SPEAKING,
  },
  {
    name: 'highest-qc-goes-back',
    rule: 'the highest QC that a node holds never becomes lower',
    violates: ['durability', 'validity', 'agreement'],
    file: ADOPT,
    find: '  if (round <= highestRoundOf(state.record)) return',
    replace: '  if (round === highestRoundOf(state.record)) return',
    trials: swarm(2, 20),
  },
  {
    name: 'no-resending',
    rule: 'while a round is stuck, what was said is said again',
    violates: ['liveness'],
    file: TIMEOUT,
    find: '  const effects: Effect[] = [resendTimer(state)];\n  if (self === undefined) return { state, effects };',
    replace: '  const effects: Effect[] = [resendTimer(state)];\n  if (self !== undefined) return { state, effects };',
    trials: [...underSeeds(39, 4, NOTHING_ARRIVES), ...swarm(7, 30)],
  },
  {
    name: 'late-commit-vote-unnoticed',
    rule: 'who commit-votes in a round that he has given up is found out',
    violates: ['accountability'],
    file: DETECTOR,
    find: '  if (timeouts.round < point.round) return false;',
    replace: '  if (timeouts.round >= point.round) return false;',
    trials: underSeeds(1, 4, { dishonest: [{ validator: 1, strategy: 'late-committing' }] }),
  },
];
