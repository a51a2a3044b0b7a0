// Mutants of what a node promises, writes and shows, and of how it catches up: the record, the database, the view, sync.
import type { Fault } from '../faults.ts';
import type { Mutant } from './mutant.ts';
import { BRISK, CALM, PLAIN, seedFirst, swarm, type Trial, underSeeds } from './trial.ts';

const DURABLE = 'src/core/consensus/durable.ts';
const RUNNER = 'src/runtime/chain-runner.ts';
const WRITER = 'src/runtime/commit-writer.ts';
const STATE = 'src/core/consensus/state.ts';
const CHAIN = 'src/node/create-chain.ts';

const QUIET = [CALM, ...underSeeds(1, 2, { faults: [], dishonest: [] })];

/** Nodes that end while they write, one after the other. */
const WHILE_WRITING: readonly Trial[] = underSeeds(2, 20, {
  faults: [0, 1, 2, 3].map((node) => crash(node, 1_000 + 1_400 * node, 'while-writing')),
  dishonest: [],
});
/** All lose power at once. */
const ALL_AT_ONCE: readonly Trial[] = underSeeds(2, 20, {
  faults: [0, 1, 2, 3].map((node) => crash(node, 2_500, 'at-once')),
  dishonest: [],
});
const ONE_RESTART: readonly Trial[] = underSeeds(1, 10, {
  faults: [crash(1, 2_000, 'at-once'), crash(2, 4_500, 'at-once')],
  dishonest: [],
});
/** All lose power at once, and chains are slow: one that stands still is soon overdue. */
const ALL_SOON: readonly Trial[] = underSeeds(14, 8, {
  faults: [0, 1, 2, 3].map((node) => ({ ...crash(node, 1_200, 'at-once'), forMs: 400 })),
  faultsUntilMs: 1_700,
  dishonest: [],
  parameters: BRISK,
  transactionsPerSecond: 4,
  shape: { ...PLAIN, beaconIntervalMs: 1_000 },
});
/** The same of one node. */
const ONE_SOON: readonly Trial[] = underSeeds(5, 8, {
  faults: [{ ...crash(1, 800, 'at-once'), forMs: 500 }],
  faultsUntilMs: 1_500,
  dishonest: [],
  parameters: BRISK,
  transactionsPerSecond: 2,
  shape: { ...PLAIN, beaconIntervalMs: 1_000 },
});
/** So many epochs that the first are forgotten. */
const MANY_EPOCHS: readonly Trial[] = underSeeds(1, 3, {
  faults: [],
  dishonest: [],
  shape: { layout: [2, 3], epochBlocks: 2, beaconIntervalMs: 250 },
});
/** Node 2 is away, and has to catch up. */
const ONE_BEHIND: readonly Trial[] = underSeeds(8, 10, {
  faults: [
    { fromMs: 600, forMs: 1_200, what: { kind: 'crash', node: 2, end: 'killed', trigger: 'at-once' } },
    { fromMs: 1_900, forMs: 1_200, what: { kind: 'crash', node: 1, end: 'killed', trigger: 'at-once' } },
  ],
  faultsUntilMs: 3_200,
  dishonest: [],
  forger: 'lying-server',
  shape: PLAIN,
});

function crash(node: number, fromMs: number, trigger: 'at-once' | 'while-writing'): Fault {
  return { fromMs, forMs: 700, what: { kind: 'crash', node, end: 'power-lost', trigger } };
}

/** See the file's head. */
export const DURABILITY_MUTANTS: readonly Mutant[] = [
  {
    name: 'record-not-written',
    rule: 'the signing record is written before what it covers is said',
    violates: ['durability'],
    file: DURABLE,
    find: 'const mustPersist = spoken.length > 0 && state.durableRecord !== state.record;',
    replace: 'const mustPersist = spoken.length > 1 && state.durableRecord !== state.record;',
    trials: QUIET,
  },
  {
    name: 'said-before-written',
    rule: 'nothing is said before the record is on disk',
    violates: ['durability'],
    file: RUNNER,
    find: "        if (effect.kind !== 'persist' && effect.kind !== 'store-block' && this.#durable.length > 0) await this.#untilDurable();\n",
    replace: '        if (this.#stopped) await this.#untilDurable();\n',
    trials: QUIET,
  },
  {
    name: 'record-forgotten-at-restart',
    rule: 'a node resumes from its signing record',
    violates: ['durability'],
    file: CHAIN,
    find: '    start: { instance, parameters, self: options.self, record: readRecord(options.signingRecord), ...loaded.engineStart },',
    replace:
      '    start: { instance, parameters, self: options.self, record: readRecord(options.signingRecord) && undefined, ...loaded.engineStart },',
    trials: ONE_RESTART,
  },
  {
    name: 'locked-qc-forgotten-at-restart',
    rule: 'the highest QC outlives a restart',
    violates: ['durability', 'accountability'],
    file: STATE,
    find: '  if (committedCertificate === undefined || committedCertificate.point.round <= highestRoundOf(record)) return record;',
    replace:
      '  if (committedCertificate === undefined || committedCertificate.point.round <= highestRoundOf(record)) return { ...record, highestQuorumCertificate: [] };',
    trials: ONE_RESTART,
  },
  {
    name: 'timeouts-forgotten-at-restart',
    rule: 'a round given up stays given up over a restart',
    violates: ['durability'],
    file: STATE,
    find: '  const record = from.record ?? emptyRecord(from.instance.instanceId);',
    replace:
      '  const record = from.record === undefined ? emptyRecord(from.instance.instanceId) : { ...from.record, lastTimeoutRound: 0 };',
    trials: seedFirst(15, swarm(3, 30)),
  },
  {
    name: 'commit-not-synced',
    rule: 'what is committed is synced before anything tells of it',
    violates: ['durability'],
    file: WRITER,
    find: '    await store.write(operations, { sync: true });',
    replace: '    await store.write(operations, { sync: false });',
    trials: ALL_AT_ONCE,
  },
  {
    name: 'block-in-two-batches',
    rule: 'a block is applied wholly or not at all',
    violates: ['durability', 'liveness', 'agreement', 'determinism'],
    file: WRITER,
    find: '    await store.write(operations, { sync: true });',
    replace: '    await store.write(operations.slice(0, 6), { sync: true });\n    await store.write(operations.slice(6), { sync: true });',
    trials: seedFirst(4, WHILE_WRITING),
  },
  {
    name: 'block-not-stored-before-its-vote',
    rule: 'a block is on disk before the vote for it',
    violates: ['durability', 'liveness'],
    file: RUNNER,
    find: '    await store.write(blockStore.putPending(place, hash, Block.serialize({ header, body: block.body })), { sync: true });',
    replace:
      '    if (place.height < 0) await store.write(blockStore.putPending(place, hash, Block.serialize({ header, body: block.body })), { sync: true });',
    trials: [...ALL_SOON, ...ALL_AT_ONCE],
  },
  {
    name: 'shown-before-written',
    rule: 'clients see a block when it is on disk',
    violates: ['durability'],
    file: WRITER,
    find: `    await store.write(operations, { sync: true });
    blocks.adopt(outcome);
    rows.written(outcome);`,
    replace: `    blocks.adopt(outcome);
    rows.written(outcome);
    await store.write(operations, { sync: true });`,
    trials: [CALM, ...WHILE_WRITING],
  },
  {
    name: 'sync-without-certificates',
    rule: 'what comes by sync is believed for its QC and CC only',
    violates: ['validity', 'agreement'],
    file: 'src/runtime/message-intake.ts',
    find: "    const judgement = claims.ok ? await this.#judge(claims.value) : 'invalid';",
    replace: "    const judgement: ClaimsJudgement = claims.ok ? 'valid' : 'invalid';",
    trials: ONE_BEHIND,
  },
  {
    name: 'no-catching-up',
    rule: 'a node fetches the blocks that a certificate names and it lacks',
    violates: ['liveness'],
    file: CHAIN,
    find: 'forkInquiry.suspect() : catchUp.request(request)),',
    replace: 'forkInquiry.suspect() : undefined),',
    trials: [...ONE_SOON, ...ONE_RESTART],
  },
  {
    name: 'signing-records-kept-for-good',
    rule: 'a signing record goes when nobody can be accused by what it promises',
    violates: ['bounds'],
    file: 'src/node/signing-records.ts',
    find: '    if (gone.length === 0) return;\n',
    replace: '    if (gone.length >= 0) return;\n',
    trials: MANY_EPOCHS,
  },
];
