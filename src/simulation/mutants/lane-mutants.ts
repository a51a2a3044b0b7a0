// Mutants of what shards take of the beacon and of each other: references, closing, lanes, cursors, rations, prices.
import type { Mutant } from './mutant.ts';
import { BRISK, CALM, FOUR, SHARDED, SOON_MS, seedFirst, type Trial, TURNING, underSeeds } from './trial.ts';

const VALIDATE = 'src/core/shard/validate-shard-block.ts';
const EXECUTE = 'src/core/shard/execute-shard-block.ts';
const WAVES = 'src/core/execution/execute-block.ts';
const INBOX = 'src/core/messaging/inbox.ts';
const SHELF = 'src/runtime/bundle-shelf.ts';

const QUIET = [CALM, ...underSeeds(1, 4, { faults: [], dishonest: [], shape: SHARDED })];
/** Through a turn of the epoch. */
const EPOCHS = underSeeds(1, 4, { faults: [], faultsUntilMs: 3_500, dishonest: [], shape: TURNING });
/** Few messages, and slow chains: one that does not arrive is soon overdue. */
const FEW = { faults: [], faultsUntilMs: 3_000, dishonest: [], parameters: BRISK, transactionsPerSecond: 0.7 };
const OVERDUE = underSeeds(16, 4, { ...FEW, shape: { ...SHARDED, beaconIntervalMs: 800 } });
/** The same where the beacon is ahead of the shards. */
const OVERDUE_AT_BEACON = underSeeds(33, 4, { ...FEW, shape: SHARDED });
/** So many beacon blocks that what was sent at first is long read. */
const LONG = underSeeds(1, 4, { faults: [], dishonest: [], shape: { ...SHARDED, beaconIntervalMs: 250 }, transactionsPerSecond: 6 });
/** Blocks of four transfers and more clients than they have room for, so that prices move apart. */
const BUSY = underSeeds(1, 6, {
  faults: [],
  faultsUntilMs: SOON_MS,
  dishonest: [],
  parameters: { blockGasLimit: 84_000 },
  transactionsPerSecond: 80,
  shape: SHARDED,
});
/** The same, and inboxes of a message: prices move while something waits. */
const BUSY_AND_NARROW = underSeeds(1, 6, {
  faults: [],
  faultsUntilMs: 3_000,
  dishonest: [],
  parameters: { blockGasLimit: 84_000, inboxBytesShare: 600 },
  transactionsPerSecond: 60,
  shape: SHARDED,
});
/** Inboxes of a few messages, so that they are full. */
const NARROW = underSeeds(1, 4, { faults: [], dishonest: [], parameters: { inboxBytesShare: 2_500 }, shape: SHARDED });
const NARROW_LIES = underSeeds(1, 6, {
  faults: [],
  dishonest: [],
  parameters: { inboxBytesShare: 2_500 },
  forger: 'wrong-inbox-share',
  shape: SHARDED,
});
/** References that last long, and queues that are full soon: rations run out. */
const CROWDED = underSeeds(1, 6, {
  faults: [],
  faultsUntilMs: 4_000,
  dishonest: [],
  parameters: { inboxGasShare: 210_000, transactionGasLimitMax: 210_000 },
  transactionsPerSecond: 60,
  shape: { ...SHARDED, beaconIntervalMs: 2_500 },
});
/** All lose power at once, while messages are under way. */
const ALL_AT_ONCE = underSeeds(24, 8, {
  faults: [0, 1, 2, 3].map((node) => ({
    fromMs: 1_200,
    forMs: 400,
    what: { kind: 'crash', node, end: 'power-lost', trigger: 'at-once' } as const,
  })),
  faultsUntilMs: 1_700,
  dishonest: [],
  parameters: BRISK,
  transactionsPerSecond: 4,
  shape: { ...SHARDED, beaconIntervalMs: 800 },
});

/** A beacon that is far ahead with each block of a shard: what a leader leaves out was held for long, and its parent's reference is old. */
const SLOW_SHARDS = {
  faults: [],
  faultsUntilMs: 4_500,
  dishonest: [],
  parameters: { blockIntervalMsMin: 1_500, idleIntervalMs: 40, roundTimeoutMs: 3_000 },
  transactionsPerSecond: 4,
  shape: { ...SHARDED, epochBlocks: 400, beaconIntervalMs: 40 },
};

function lies(forger: NonNullable<Trial['forger']>, shape = SHARDED): readonly Trial[] {
  const trial = { faults: [], dishonest: [], forger, shape };
  return [...underSeeds(1, 8, { ...trial, faultsUntilMs: SOON_MS }), ...underSeeds(1, 8, trial)];
}

/** See the file's head. */
export const LANE_MUTANTS: readonly Mutant[] = [
  {
    name: 'reference-goes-back',
    rule: "a block's reference is not before its parent's",
    violates: ['validity'],
    file: VALIDATE,
    find: '  goesOnFromParentsReference,\n',
    replace: '',
    trials: lies('wrong-reference-back'),
  },
  {
    name: 'old-reference-voted-for',
    rule: 'no vote for a block that refers to a beacon block of long ago',
    violates: ['validity'],
    file: 'src/core/shard/voting-rules.ts',
    find: '  return newestHeight - height <= REFERENCE_AGE_MAX ? PASSED',
    replace: '  return newestHeight - height <= REFERENCE_AGE_MAX * 1_000 ? PASSED',
    trials: underSeeds(1, 8, { ...SLOW_SHARDS, forger: 'wrong-reference-old' }),
  },
  {
    name: 'skipping-voted-for',
    rule: 'no vote for a block that leaves out what the voter has held for long',
    violates: ['validity'],
    file: 'src/core/shard/voting-rules.ts',
    find: '  const skipped = closes ? undefined : skippedThoughHeld(inbox, input);',
    replace: '  const skipped = closes || input.newestBeaconHeight >= 0 ? undefined : skippedThoughHeld(inbox, input);',
    trials: underSeeds(1, 8, { ...SLOW_SHARDS, forger: 'wrong-lazy' }),
  },
  {
    name: 'closing-block-with-a-body',
    rule: 'the block that closes an instance has no body',
    violates: ['validity'],
    file: VALIDATE,
    find: '  closesWithoutBody,\n',
    replace: '',
    trials: lies('wrong-closing-body', TURNING),
  },
  {
    name: 'closing-an-epoch-late',
    rule: 'the first block whose reference is of a later epoch closes the instance',
    violates: ['validity', 'liveness'],
    file: 'src/core/shard/beacon-view.ts',
    find: 'return epoch > instance.epoch;',
    replace: 'return epoch > instance.epoch + 1;',
    trials: EPOCHS,
  },
  {
    name: 'cursor-not-advanced',
    rule: 'a message that is taken is behind the cursor',
    violates: ['exactly-once', 'validity', 'determinism'],
    file: INBOX,
    find: '  const after = closeLanes(lanes);',
    replace: '  const after = messages.length > 0 ? cursors : closeLanes(lanes);',
    trials: QUIET,
  },
  {
    name: 'inbox-executed-twice',
    rule: 'what a block takes is executed once',
    violates: ['exactly-once', 'determinism', 'conservation', 'validity'],
    file: EXECUTE,
    find: '    inbox: judged.inbox.messages,',
    replace: '    inbox: [...judged.inbox.messages, ...judged.inbox.messages],',
    trials: QUIET,
  },
  {
    name: 'inbox-not-executed',
    rule: 'what a block takes is executed',
    violates: ['exactly-once', 'determinism', 'conservation', 'validity'],
    file: EXECUTE,
    find: '    inbox: judged.inbox.messages,',
    replace: '    inbox: judged.inbox.messages.slice(1),',
    trials: QUIET,
  },
  {
    name: 'inbox-with-a-gap',
    rule: 'of a lane the next message is taken, and none is skipped',
    violates: ['validity', 'exactly-once'],
    file: INBOX,
    find: "  return isNext ? PASSED : refuse('item-not-next'",
    replace: "  return isNext || unread !== undefined ? PASSED : refuse('item-not-next'",
    trials: lies('wrong-inbox-gap'),
  },
  {
    name: 'inbox-out-of-order',
    rule: 'messages are taken in the order in which they became final',
    violates: ['validity', 'exactly-once'],
    file: INBOX,
    find: '  const follows = lastKey === undefined || compareTakeKeys(lastKey, key) < 0;',
    replace: '  const follows = lastKey === undefined || compareTakeKeys(lastKey, key) !== 0;',
    trials: seedFirst(6, lies('wrong-inbox-order', FOUR)),
  },
  {
    name: 'inbox-beyond-its-share',
    rule: 'an inbox stays within its share',
    violates: ['validity'],
    file: INBOX,
    find: 'return bytes <= inboxBytesShare ? PASSED',
    replace: 'return bytes <= inboxBytesShare * 100 ? PASSED',
    trials: seedFirst(2, NARROW_LIES),
  },
  {
    name: 'message-unproved',
    rule: 'a message is the one that stands in the anchored outbox',
    violates: ['validity', 'conservation', 'exactly-once'],
    file: 'src/core/messaging/inbox-item.ts',
    find: 'return isCommitted ? accept(decoded.value)',
    replace: 'return isCommitted || indexRoot !== undefined ? accept(decoded.value)',
    trials: lies('wrong-inbox-message'),
  },
  {
    name: 'outbox-out-of-order',
    rule: 'a bundle has messages in the order of emission',
    violates: ['determinism', 'validity', 'exactly-once'],
    file: EXECUTE,
    find: 'outbox = makeOutbox(instance.shard, block.header.height, emitted, instance.layout);',
    replace: 'outbox = makeOutbox(instance.shard, block.header.height, emitted.toReversed(), instance.layout);',
    trials: QUIET,
  },
  {
    name: 'waves-out-of-order',
    rule: 'within a wave the order is that of emission',
    violates: ['exactly-once', 'determinism', 'validity'],
    file: WAVES,
    find: '  await waves.executeAll(first);',
    replace: '  await waves.executeAll(first.toReversed());',
    trials: QUIET,
  },
  {
    name: 'tip-left-behind',
    rule: 'half of a priority fee is owed to who executes the main call',
    violates: ['conservation', 'determinism', 'validity'],
    file: WAVES,
    find: "      if (result.outcome !== 'forwarded') this.travelledTipsWei",
    replace: "      if (result.outcome !== 'forwarded' && wave > 0) this.travelledTipsWei",
    trials: QUIET,
  },
  {
    name: 'tip-at-each-hop',
    rule: 'a forward passes the travelling fee on',
    violates: ['conservation', 'determinism', 'validity'],
    file: WAVES,
    find: "      if (result.outcome !== 'forwarded') this.travelledTipsWei",
    replace: "      if (result.outcome !== 'refused' as string) this.travelledTipsWei",
    trials: QUIET,
  },
  {
    name: 'ration-uncounted',
    rule: 'what a block sends to another shard counts against its ration',
    violates: ['validity'],
    file: 'src/core/shard/ration.ts',
    find: '      if (destination !== instance.shard) used.set(destination, after(destination, weight));',
    replace: '      if (destination !== instance.shard) used.set(destination, after(destination, weight) * 0);',
    trials: CROWDED,
  },
  {
    name: 'calls-without-pointer-proofs',
    rule: 'a call to another shard comes with the proof of where its target lives',
    violates: ['validity'],
    file: 'src/core/shard/transaction-target.ts',
    find: 'if (to === undefined || data.length === 0 || isFamilyOf(instance, to)) return false;',
    replace: 'if (to === undefined || data.length >= 0 || isFamilyOf(instance, to)) return false;',
    trials: QUIET,
  },
  {
    name: 'price-of-the-target-left-out',
    rule: "a transaction pays the higher base fee of its own and its target's shard",
    violates: ['determinism', 'validity'],
    file: 'src/core/shard/transaction-target.ts',
    find: 'const baseFeePerGasWei = targetsWei > parent.baseFeePerGasWei ? targetsWei : parent.baseFeePerGasWei;',
    replace: 'const baseFeePerGasWei = targetsWei < 0n ? targetsWei : parent.baseFeePerGasWei;',
    trials: BUSY,
  },
  {
    name: 'price-without-backlog',
    rule: 'the base fee moves by the backlog too',
    violates: ['validity'],
    file: VALIDATE,
    find: '    inboxGas,\n    backlog,\n    elapsedMs,\n',
    replace: '    inboxGas,\n    backlog: backlog * 0,\n    elapsedMs,\n',
    trials: BUSY_AND_NARROW,
  },
  {
    name: 'price-without-inbox',
    rule: 'the base fee moves by the inbox too',
    violates: ['validity'],
    file: VALIDATE,
    find: '    gasBought,\n    inboxGas,\n    backlog,\n',
    replace: '    gasBought,\n    inboxGas: inboxGas * 0,\n    backlog,\n',
    trials: BUSY,
  },
  {
    name: 'backlog-unreported',
    rule: 'a header reports what is under way to its shard',
    violates: ['validity', 'determinism'],
    file: 'src/core/shard/shard-load.ts',
    find: 'gas: gasAt(ROOT_SHARD), backlog, stateLeaves: leafCount }',
    replace: 'gas: gasAt(ROOT_SHARD), backlog: backlog * 0, stateLeaves: leafCount }',
    trials: seedFirst(2, NARROW),
  },
  {
    name: 'load-unreported',
    rule: "a header reports its parent's load",
    violates: ['validity', 'determinism'],
    file: 'src/core/shard/shard-load.ts',
    find: 'gas: gasAt(ROOT_SHARD), backlog, stateLeaves: leafCount }',
    replace: 'gas: bought[ROOT_SHARD] as number, backlog, stateLeaves: leafCount }',
    trials: QUIET,
  },
  {
    name: 'record-committed-with-results',
    rule: "an instance's first header commits its record, and no results",
    violates: ['validity', 'liveness'],
    file: 'src/core/shard/shard-commitment.ts',
    find: 'return { ...commitmentOfRecord(record.stateRoot), cursors: [...cursors] };',
    replace: 'return { ...commitmentOfRecord(record.stateRoot), gasUsed: 1, cursors: [...cursors] };',
    trials: [CALM, ...EPOCHS],
  },
  {
    name: 'bundles-let-go',
    rule: 'a bundle is kept until everybody has read it',
    violates: ['liveness', 'durability'],
    file: SHELF,
    find: `          if (!bundles.every(({ destination }) => mayForgetBundle(source, height, destination, readers))) continue;
          kept.readSince = beaconHeight;
`,
    replace: `          if (readers.length === 0) continue;
          kept.readSince = Math.min(shownHeight, beaconHeight);
`,
    trials: [...OVERDUE, ...QUIET],
  },
  {
    name: 'bundles-kept-for-good',
    rule: 'what all have read is let go',
    violates: ['bounds'],
    file: SHELF,
    find: '        ofSource.delete(height);\n        this.#drop(kept);\n',
    replace: '',
    trials: LONG,
  },
  {
    name: 'bundles-never-anchored',
    rule: 'a bundle can be read from its anchor on',
    violates: ['liveness'],
    file: SHELF,
    find: '    kept.heldSince = beaconHeight;\n',
    replace: '    if (beaconHeight < height) kept.heldSince = beaconHeight;\n',
    trials: [...OVERDUE_AT_BEACON, ...QUIET],
  },
  {
    name: 'bundles-forgotten-at-restart',
    rule: 'what was sent and is not read outlives a restart',
    violates: ['liveness', 'durability'],
    file: 'src/node/fill-shelf.ts',
    find: '    for (const { height, sent } of await shardStore.readSent(shard)) {\n',
    replace: '    for (const { height, sent } of (await shardStore.readSent(shard)).slice(0, 0)) {\n',
    trials: ALL_AT_ONCE,
  },
];
