// Each dishonest strategy: that it does what its name says, seen at its own mouth, and that honest nodes live with it under faults.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { blockHashOf } from '../../src/core/protocol/block.ts';
import type { Network } from '../../src/network/ports.ts';
import type { Node } from '../../src/node/create-node.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { type ConsensusMessage, instanceIdOf } from '../../src/runtime/consensus-codec.ts';
import { dishonest, STRATEGIES, type Strategy } from '../../src/simulation/adversaries/strategies.ts';
import { toolsFor } from '../../src/simulation/adversaries/tools.ts';
import { chainsOf } from '../../src/simulation/chains-of.ts';
import type { Fault } from '../../src/simulation/faults.ts';
import { readableOf } from '../../src/simulation/messages.ts';
import { runSchedule } from '../../src/simulation/schedule.ts';
import { speaking } from '../../src/simulation/speaking.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { createWorld, type World } from '../../src/simulation/world.ts';
import { prepareHashes } from './hashes.ts';

const START_MS = 1_700_000_000_000;
const RUN_MS = 15_000;
const LIAR = 1;
const SCHEDULES = 1;
const standIns = standInCrypto;

/** What left the mouth of a dishonest validator, and what became of its world. */
interface Heard {
  readonly world: World;
  /** In order, with the round that its node was in; whispers too. */
  readonly messages: readonly ConsensusMessage[];
  readonly frames: readonly Uint8Array[];
  readonly wrongBlocks: ReadonlySet<string>;
  /** The most directions that were silenced or slowed at once, and whether any was after faults had ended. */
  readonly attacked: { most: number; afterwards: number };
}

async function hear(strategy: Strategy, seed: number): Promise<Heard> {
  const crypto = standIns();
  const frames: Uint8Array[] = [];
  const wrongBlocks = new Set<string>();
  const attacked = { most: 0, afterwards: 0 };
  let made: World | undefined;
  const faultsEndMs = START_MS + RUN_MS / 2;
  const mouth = (own: Network): Network =>
    speaking(own, (topic, data) => {
      if (topic.includes('/consensus/')) frames.push(data);
      return own.pubSub.publish(topic, data);
    });
  const world = await createWorld({
    crypto,
    seed,
    nodes: 4,
    startMs: START_MS,
    latencyMs: 30,
    lossShare: 0.15,
    parameters: { ...readPreset('devnet'), roundTimeoutMs: 600, idleIntervalMs: 100, epochBlocks: 40 },
    layout: [2, 3],
    accounts: [],
    interpose: (name, own) => {
      if (name !== `node-${LIAR}`) return own;
      const tools = toolsFor({
        name,
        validator: LIAR,
        seed,
        crypto,
        world: () => made,
        isHonest: (index) => index !== LIAR,
        faultsEndMs,
        toldWrong: (hash) => wrongBlocks.add(hash),
      });
      const whisper: typeof tools.whisper = (to, topic, data) => {
        frames.push(data);
        tools.whisper(to, topic, data);
      };
      return dishonest(strategy, mouth(own), { ...tools, whisper });
    },
  });
  made = world;
  world.clock.onEvent = async () => {
    const ways = world.links.silenced.size + world.links.slower.size;
    attacked.most = Math.max(attacked.most, ways);
    // An attack that began before is over soon.
    if (world.clock.nowMs() > faultsEndMs + 1_000) attacked.afterwards += ways;
  };
  await world.clock.run(START_MS + RUN_MS);
  const lowest = (): number =>
    Math.min(
      ...world.nodes
        .filter((_node, index) => index !== LIAR)
        .flatMap((node) => chainsOf(node).map(({ blocks }) => blocks.committed.facts.height)),
    );
  // Whoever has lost much of what was said catches up.
  await world.clock.run(START_MS + 6 * RUN_MS, () => lowest() >= 3);
  const height = lowest();
  assert.ok(height >= 3, `the others are at height ${height}`);
  await world.stop();
  return { world, frames, messages: frames.flatMap(readableOf), wrongBlocks, attacked };
}

/** Blocks by what was said of each round of each instance: votes, commit votes or proposals. */
function hashesByRound(
  messages: readonly ConsensusMessage[],
  kind: 'vote' | 'commit-vote' | 'proposal',
): ReadonlyMap<string, ReadonlySet<string>> {
  const rounds = new Map<string, Set<string>>();
  for (const message of messages) {
    if (message.kind !== kind) continue;
    const [round, hash] =
      message.kind === 'proposal'
        ? [message.proposal.header.round, blockHashOf(message.proposal.header)]
        : [message.vote.point.round, message.vote.point.blockHash];
    const name = `${bytesToHex(instanceIdOf(message))}/${round}`;
    rounds.set(name, (rounds.get(name) ?? new Set()).add(bytesToHex(hash)));
  }
  return rounds;
}

/** The messages of each instance, in order. */
function byInstance(messages: readonly ConsensusMessage[]): readonly (readonly ConsensusMessage[])[] {
  return [...Map.groupBy(messages, (message) => bytesToHex(instanceIdOf(message))).values()];
}

const mostIn = (rounds: ReadonlyMap<string, ReadonlySet<string>>): number => Math.max(0, ...[...rounds.values()].map(({ size }) => size));

const beaconOf = ({ nodes: [node] }: World): Uint8Array => (node as Node).beacon.chain.instance.instanceId;

describe('a dishonest strategy', () => {
  before(() => prepareHashes());

  it('two-faced: proposes and votes twice in a round', async () => {
    const { world, messages } = await hear('two-faced', 1);
    assert.equal(mostIn(hashesByRound(messages, 'proposal')), 2);
    assert.equal(mostIn(hashesByRound(messages, 'vote')), 2);
    const beacon = messages.filter((message) => instanceIdOf(message).every((byte, place) => byte === beaconOf(world)[place]));
    assert.equal(mostIn(hashesByRound(beacon, 'proposal')), 2, 'on the beacon too');
  });

  it('silent: says nothing; selective: says things to some', async () => {
    assert.equal((await hear('silent', 1)).frames.length, 0);
    assert.ok((await hear('selective', 1)).messages.length > 50);
  });

  it('late-committing: gives rounds up and votes and commit-votes in them afterwards', async () => {
    const instances = byInstance((await hear('late-committing', 1)).messages);
    assert.ok(instances.length >= 3, 'on every chain');
    for (const messages of instances) {
      let givenUp = 0;
      const after = { vote: 0, 'commit-vote': 0 };
      for (const message of messages) {
        if (message.kind === 'timeout') givenUp = Math.max(givenUp, message.timeout.round);
        if ((message.kind === 'vote' || message.kind === 'commit-vote') && message.vote.point.round <= givenUp) after[message.kind]++;
      }
      if (messages.length > 60) assert.ok(after.vote > 10 && after['commit-vote'] > 0, JSON.stringify(after));
    }
  });

  it('withholding: shows no certificates, and old QCs in timeouts; builds on older blocks than it could', async () => {
    let hidden = 0;
    let furtherBack = 0;
    for (let seed = 1; seed <= 2 || (furtherBack === 0 && seed <= 8); seed++) {
      const { messages } = await hear('withholding', seed);
      assert.ok(messages.every(({ kind }) => kind !== 'certificates'));
      for (const ofInstance of byInstance(messages)) {
        let highest = 0;
        for (const message of ofInstance) {
          // What it signed a commit vote for, it had a QC of.
          if (message.kind === 'commit-vote') highest = Math.max(highest, message.vote.point.round);
          if (message.kind === 'timeout' && (message.timeout.highestQuorumCertificate[0]?.point.round ?? 0) < highest) hidden++;
          if (message.kind !== 'proposal') continue;
          const { justify, timeoutCertificate } = message.proposal.header;
          if (timeoutCertificate.length > 0 && (justify[0]?.point.round ?? 0) < highest) furtherBack++;
        }
      }
    }
    assert.ok(hidden > 5, `${hidden} timeouts hide a QC`);
    assert.ok(furtherBack > 0, `${furtherBack} proposals further back`);
  });

  it('wrong-blocks: proposes blocks that are wrong', async () => {
    const { wrongBlocks, messages } = await hear('wrong-blocks', 1);
    assert.ok(wrongBlocks.size >= 3, `${wrongBlocks.size} wrong blocks`);
    const told = new Set([...hashesByRound(messages, 'proposal').values()].flatMap((hashes) => [...hashes]));
    for (const hash of wrongBlocks) assert.ok(told.has(hash));
  });

  it('replaying and stale: say old frames again, and new things about old rounds', async () => {
    const replayed = (await hear('replaying', 1)).frames.map(bytesToHex);
    assert.ok(replayed.length - new Set(replayed).size > 10);
    const { messages } = await hear('stale', 1);
    let old = 0;
    for (const ofInstance of byInstance(messages)) {
      let newest = 0;
      for (const message of ofInstance) {
        const round = message.kind === 'vote' ? message.vote.point.round : message.kind === 'timeout' ? message.timeout.round : newest;
        newest = Math.max(newest, round);
        if (round < newest - 2) old++;
      }
    }
    assert.ok(old > 10, `${old} messages of old rounds`);
  });

  it('flooding: says many times more than others, and others keep little of it', async () => {
    const { messages, world } = await hear('flooding', 1);
    assert.ok(messages.length > 1_500, `${messages.length} messages`);
    for (const { blocks, runner } of world.nodes.slice(2).flatMap(chainsOf)) {
      assert.ok(blocks.size < 32, `${blocks.size} blocks held`);
      assert.ok(runner.mailboxLength < 64, `${runner.mailboxLength} events wait`);
    }
  });

  it('hunting: attacks links while faults last and not afterwards', async () => {
    const { attacked, messages } = await hear('hunting', 1);
    assert.ok(attacked.most >= 3, `${attacked.most} directions at most`);
    assert.equal(attacked.afterwards, 0);
    assert.ok(messages.every(({ kind }) => kind !== 'proposal'));
  });

  it('twin: is two nodes that speak with one key, and each signs what the other contradicts', async () => {
    const said: { readonly by: string; readonly message: ConsensusMessage }[] = [];
    const crypto = standIns();
    const world = await createWorld({
      crypto,
      seed: 1,
      nodes: 4,
      twins: [LIAR],
      startMs: START_MS,
      latencyMs: 30,
      lossShare: 0.15,
      parameters: { ...readPreset('devnet'), roundTimeoutMs: 600, idleIntervalMs: 100, epochBlocks: 40 },
      accounts: [],
      interpose: (by, own) =>
        speaking(own, (topic, data) => {
          if (topic.includes('/consensus/')) for (const message of readableOf(data)) said.push({ by, message });
          return own.pubSub.publish(topic, data);
        }),
    });
    await world.clock.run(START_MS + RUN_MS);
    await world.stop();
    const of = (name: string) => said.filter(({ by }) => by === name).map(({ message }) => message);
    const [one, other] = [of(`node-${LIAR}`), of(`node-${LIAR}-twin`)];
    for (const messages of [one, other]) {
      const votes = messages.filter((message) => message.kind === 'vote');
      assert.ok(votes.length > 10 && votes.every(({ vote }) => vote.validator === LIAR), 'both vote by the one key');
      for (const kind of ['proposal', 'vote', 'commit-vote'] as const)
        assert.ok(mostIn(hashesByRound(messages, kind)) <= 1, 'each by itself is honest');
    }
    const together = [...one, ...other];
    assert.equal(mostIn(hashesByRound(together, 'proposal')), 2, 'both lead, with different blocks');
  });

  it('babbling: sends noise and damaged copies beside what it has to say, and others refuse them', async () => {
    const { frames, messages, world } = await hear('babbling', 1);
    const readable = frames.filter((frame) => readableOf(frame).length > 0);
    assert.ok(messages.length > 50, `${messages.length} messages that mean something`);
    assert.ok(frames.length - readable.length >= 10, `${frames.length - readable.length} frames that mean nothing`);
    const refused = world.eventLog.filter((line) => /node-[023] count coppice_gossip_refused_total/.test(line));
    assert.ok(refused.length > 10, `${refused.length} refused`);
  });

  it('lying-in-sync: is found out by those who ask it', async () => {
    // Others fall behind again and again, so that they ask.
    const faults = [500, 1_500, 2_500, 3_500, 4_500].map((fromMs, place): Fault => {
      return { fromMs, forMs: 900, what: { kind: 'old-backup', node: place % 2 === 0 ? 0 : 2, ageMs: 2_000 } };
    });
    let foundOut = 0;
    for (const seed of [1, 2, 3, 4]) {
      const dishonestValidators = [{ validator: LIAR, strategy: 'lying-in-sync' as const }];
      const report = await runSchedule({
        seed,
        nodes: 4,
        crypto: standIns(),
        preset: readPreset('devnet'),
        faults,
        dishonest: dishonestValidators,
      });
      assert.equal(report.violation, undefined, `seed ${seed}`);
      foundOut += report.misbehaviour['bad-range-answer'] ?? 0;
      foundOut += report.misbehaviour['bad-certificate-in-range'] ?? 0;
    }
    assert.ok(foundOut > 3, `${foundOut} times`);
  });

  for (const strategy of STRATEGIES) {
    it(`${strategy}: breaks nothing under faults`, async () => {
      for (let seed = 700; seed < 700 + SCHEDULES; seed++) {
        const dishonestValidators = [{ validator: seed % 4, strategy }];
        const report = await runSchedule({
          seed,
          nodes: 4,
          crypto: standIns(),
          preset: readPreset('devnet'),
          dishonest: dishonestValidators,
        });
        assert.equal(report.violation, undefined, `seed ${seed}`);
      }
    });
  }
});
