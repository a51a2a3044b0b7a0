// Mutants of the beacon's rules: its blocks, crosslinks, epochs and instances, what is owed and punished.
import type { Mutant } from './mutant.ts';
import { BRISK, CALM, SHARDED, SOON_MS, seedFirst, type Trial, TURNING, underSeeds } from './trial.ts';

const VALIDATE = 'src/core/beacon/validate-block.ts';
const TRANSITION = 'src/core/beacon/transition.ts';
const CROSSLINK = 'src/core/beacon/crosslink.ts';
const CHAIN = 'src/core/beacon/crosslink-chain.ts';
const ANCHORING = 'src/core/beacon/anchoring.ts';
const RECORDS = 'src/core/beacon/start-records.ts';

const QUIET = [CALM, ...underSeeds(1, 3, { faults: [], dishonest: [], shape: SHARDED })];
/** Through a turn of the epoch. */
const EPOCHS = underSeeds(1, 4, { faults: [], faultsUntilMs: 3_500, dishonest: [], shape: TURNING });
/**
 * Links so slow that rounds are given up where instances end, so that closing blocks need carriers. Epochs so long that no takeover helps within
 * the bound.
 */
const SLOW_EPOCHS = seedFirst(
  6,
  underSeeds(4, 5, {
    faults: [{ fromMs: 10_000, forMs: 30_000, what: { kind: 'slow-links', latencyMs: 420 } }],
    faultsUntilMs: 40_000,
    dishonest: [],
    shape: { ...TURNING, epochBlocks: 40, beaconIntervalMs: 250 },
  }),
);
/** All nodes end, and come back in the midst of an epoch that is not the first. */
const RESTARTS_AFTER_EPOCHS = underSeeds(16, 8, {
  faults: [0, 1, 2, 3].map((node) => ({
    fromMs: 2_900,
    forMs: 400,
    what: { kind: 'crash', node, end: 'power-lost', trigger: 'at-once' } as const,
  })),
  faultsUntilMs: 3_400,
  dishonest: [],
  parameters: BRISK,
  transactionsPerSecond: 1,
  shape: { layout: [1], epochBlocks: 4, beaconIntervalMs: 300 },
});

function lies(forger: NonNullable<Trial['forger']>, shape = SHARDED): readonly Trial[] {
  const trial = { faults: [], dishonest: [], forger, shape };
  return [...underSeeds(1, 8, { ...trial, faultsUntilMs: SOON_MS }), ...underSeeds(1, 8, trial)];
}

/** See the file's head. */
export const BEACON_MUTANTS: readonly Mutant[] = [
  {
    name: 'beacon-pace-unchecked',
    rule: "a beacon block's timestamp keeps the pace of the beacon",
    violates: ['validity'],
    file: VALIDATE,
    find: 'return header.timestampMs >= earliestMs ? PASSED',
    replace: 'return header.timestampMs >= earliestMs - 1e9 ? PASSED',
    trials: lies('wrong-beacon-timestamp'),
  },
  {
    name: 'beacon-state-unchecked',
    rule: 'a beacon block commits the state after it',
    violates: ['validity'],
    file: VALIDATE,
    find: 'return bytesEqual(stateRootOf(applied.value.state), postStateRoot) ? applied',
    replace: 'return bytesEqual(stateRootOf(applied.value.state), postStateRoot) || applied.ok ? applied',
    trials: lies('wrong-beacon-post-state'),
  },
  {
    name: 'beacon-fields-unchecked',
    rule: 'a beacon block says nothing in the fields of shards',
    violates: ['validity'],
    file: VALIDATE,
    find: 'if (header.gasBought !== 0) return',
    replace: 'if (header.gasBought < 0) return',
    trials: lies('wrong-beacon-gas'),
  },
  {
    name: 'last-block-with-body',
    rule: 'the last beacon block of an epoch has no body',
    violates: ['validity'],
    file: TRANSITION,
    find: '|| crosslinks.length + evidence.length === 0)',
    replace: '|| crosslinks.length + evidence.length >= 0)',
    trials: seedFirst(5, lies('wrong-last-block-body', TURNING)),
  },
  {
    name: 'slander-believed',
    rule: 'evidence counts only if its signatures verify',
    violates: ['validity', 'accountability'],
    file: TRANSITION,
    find: '    claims.push(...slashing.value.claims);\n',
    replace: '',
    trials: lies('wrong-slander'),
  },
  {
    name: 'punished-twice',
    rule: 'a validator is punished once for one instance',
    violates: ['validity'],
    file: 'src/core/beacon/slashing.ts',
    find: 'const slashed = guilty.filter((validator) => !isConvicted(state, known.instanceId, validator));',
    replace: 'const slashed = guilty.filter((validator) => validator >= 0);',
    trials: lies('wrong-confession'),
  },
  {
    name: 'crosslink-unverified',
    rule: 'the certificates of a crosslink are verified',
    violates: ['validity'],
    file: TRANSITION,
    find: '    claims.push(...judged.value.claims);\n',
    replace: '',
    trials: lies('wrong-crosslink-signature'),
  },
  {
    name: 'crosslink-beyond-its-certificate',
    rule: 'the QC and CC of a crosslink are of its last block',
    violates: ['validity', 'agreement'],
    file: CROSSLINK,
    find: 'return isOfLast ? accept(undefined)',
    replace: 'return isOfLast || point.height < header.height ? accept(undefined)',
    trials: lies('wrong-crosslink-beyond'),
  },
  {
    name: 'crosslink-with-a-gap',
    rule: 'a crosslink goes on from the last header that is crosslinked',
    violates: ['validity'],
    file: CHAIN,
    find: '  followEachOther,\n  rise,\n  carryCertificatesOfParents,\n',
    replace: '',
    trials: seedFirst(2, lies('wrong-crosslink-gap')),
  },
  {
    name: 'outbox-summaries-unchecked',
    rule: 'the summaries in a crosslink are of the outboxes that its headers commit',
    violates: ['validity'],
    file: CHAIN,
    find: '  haveOutboxes,\n',
    replace: '',
    trials: lies('wrong-crosslink-outboxes'),
  },
  {
    name: 'closing-unseen',
    rule: 'a header whose reference is of a later epoch closes its instance',
    violates: ['validity', 'liveness'],
    file: CHAIN,
    find: 'return epochOfHeight(beaconReference.height, parameters) > epoch;',
    replace: 'return epochOfHeight(beaconReference.height, parameters) > epoch + 1;',
    trials: EPOCHS,
  },
  {
    name: 'carriers-left-out',
    rule: 'a crosslink of a closing block brings the carriers that brought it its CC',
    violates: ['liveness'],
    file: 'src/core/beacon/make-crosslink.ts',
    find: '    carriers: [...carriers],',
    replace: '    carriers: [...carriers].slice(0, 0),',
    trials: SLOW_EPOCHS,
  },
  {
    name: 'instance-end-forgotten',
    rule: 'what ended an instance is kept until its record is closed',
    violates: ['liveness'],
    file: 'src/node/shard-crosslink.ts',
    find: '    end: endOfInstance(blockStore, instanceId),',
    replace: '    end: instanceId.length > 0 ? undefined : endOfInstance(blockStore, instanceId),',
    trials: SLOW_EPOCHS,
  },
  {
    name: 'fees-to-another-proposer',
    rule: 'fees are owed to the proposer of the block that earned them',
    violates: ['validity'],
    file: ANCHORING,
    find: 'const { proposer } = headers[index - 1]?.header ?? before;',
    replace: 'const { proposer } = headers[index]?.header ?? before;',
    trials: QUIET,
  },
  {
    name: 'burned-fees-uncounted',
    rule: 'the beacon counts what is burned',
    violates: ['validity', 'conservation'],
    file: ANCHORING,
    find: '    burnedFeesWei += burnedWei;',
    replace: '    burnedFeesWei += burnedWei - burnedWei;',
    trials: QUIET,
  },
  {
    name: 'anchored-too-far',
    rule: 'an outbox is anchored by the header that commits it',
    violates: ['validity', 'exactly-once'],
    file: ANCHORING,
    find: 'withAnchored(source, last.header.height - 1, outboxes.at(-1)?.height)',
    replace: 'withAnchored(source, last.header.height, outboxes.at(-1)?.height)',
    trials: QUIET,
  },
  {
    name: 'record-of-another-seed',
    rule: "a record's seed follows from the seed of its epoch",
    violates: ['validity'],
    file: RECORDS,
    find: 'seed: recordSeedOf(seedOfEpoch(state, epoch), shard, epoch),',
    replace: 'seed: recordSeedOf(seedOfEpoch(state, epoch), shard, epoch - 1),',
    trials: EPOCHS,
  },
  {
    name: 'cursors-forgotten-by-the-record',
    rule: 'a record starts with the cursors of what it replaces',
    violates: ['validity', 'exactly-once'],
    file: 'src/node/shard-instance.ts',
    find: '  return makeShardInstance(startRecord, new Set(shardsOf(layout)), cursorsOfRecord(sources, state, startRecord));',
    replace:
      '  return makeShardInstance(startRecord, new Set(shardsOf(layout)), cursorsOfRecord(sources, state, startRecord).slice(0, 0));',
    trials: EPOCHS,
  },
  {
    name: 'next-instance-forgotten',
    rule: "the beacon's next instance is on disk with the block that ends the one before",
    violates: ['durability', 'liveness', 'agreement'],
    file: 'src/runtime/beacon-commits.ts',
    find: '        ...(isLastOfEpoch(height, constants.parameters)\n',
    replace: '        ...(isLastOfEpoch(height, constants.parameters) && height === constants.parameters.epochBlocks\n',
    trials: seedFirst(19, RESTARTS_AFTER_EPOCHS),
  },
];
