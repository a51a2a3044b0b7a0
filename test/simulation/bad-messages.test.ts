// Messages that no honest peer sends, told to one node by peers that only that node knows: each is refused before it is handed on (the
// others never see it), counted by reason, and its sender scored; what was sent ten times over leaves memory bounded.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { signerBitsOf } from '../../src/core/consensus/certificates.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { bytesToHex, uint64ToBytes } from '../../src/core/primitives/bytes.ts';
import { BEACON_CHAIN, type ChainId, ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { blockHashOf, EMPTY_BODY } from '../../src/core/protocol/block.ts';
import { type QuorumCertificate, SCHEME_BLS } from '../../src/core/protocol/certificate.ts';
import { Block } from '../../src/core/protocol/certified-block.ts';
import type { Instance } from '../../src/core/protocol/committee.ts';
import { decodeCanonical } from '../../src/core/protocol/ssz.ts';
import type { CertificateBundle, Vote } from '../../src/core/protocol/vote.ts';
import { packMessages } from '../../src/network/coalesce.ts';
import type { Network } from '../../src/network/ports.ts';
import { topicName } from '../../src/network/topics.ts';
import type { Chain } from '../../src/node/create-chain.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { type ConsensusMessage, encodeConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { FRAME_MESSAGES_MAX } from '../../src/runtime/gossip-outbox.ts';
import { CERTIFICATES_PROTOCOL } from '../../src/runtime/instance-switch.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { createSigner, type Signer } from '../../src/runtime/signer.ts';
import { chainsOf } from '../../src/simulation/chains-of.ts';
import { hearing } from '../../src/simulation/speaking.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { createWorld, type World } from '../../src/simulation/world.ts';
import { BLOCK_PROTOCOLS } from '../../src/sync/block-protocol.ts';
import { prepareHashes } from './hashes.ts';

const START_MS = 1_700_000_000_000;
const DOWN = 'node-3';
const STRANGERS = Array.from({ length: 40 }, (_unused, index) => `stranger-${index}`);
const GARBAGE_96 = new Uint8Array(96).fill(0xc1);
const MAILBOX_MAX = 8_192;
/** A write of the attacked node's disk takes so long meanwhile: its engine waits, and what comes in waits behind it. */
const STUCK_MS = 5_000;

let world: World;
let instance: Instance;
let signers: readonly Signer[];
let topic: string;
let chainId: ChainId;
const seenByOthers = new Set<string>();
let strangersUsed = 0;

function nextStranger(): Network {
  const network = world.network.networks.get(STRANGERS[strangersUsed++] ?? '');
  assert.ok(network !== undefined, 'more strangers are needed');
  return network;
}

function node(index: number): World['nodes'][number] {
  const found = world.nodes[index];
  assert.ok(found !== undefined);
  return found;
}

/** Where it is told: the beacon, or the shard. */
function chain(): Chain {
  const found = chainsOf(node(0)).find((each) => each.instance.chain === chainId);
  assert.ok(found !== undefined);
  return found;
}

function round(): number {
  return chain().runner.state.round;
}

function wire(message: ConsensusMessage): Uint8Array {
  return packMessages([encodeConsensusMessage(message)]);
}

function vote(wrong: Partial<Vote>): Vote {
  const point = { height: 1, round: round(), blockHash: sha256(uint64ToBytes(strangersUsed)) };
  return { instanceId: instance.instanceId, point, validator: 3, signature: GARBAGE_96, ...wrong };
}

function certificate(wrong: Partial<QuorumCertificate> = {}): QuorumCertificate {
  const point = { height: 9_000, round: 9_000, blockHash: sha256(uint64ToBytes(strangersUsed)) };
  return { point, scheme: SCHEME_BLS, signers: signerBitsOf(instance.committee, [0, 1, 2, 3]), signature: GARBAGE_96, ...wrong };
}

function bundle(wrong: Partial<CertificateBundle>): ConsensusMessage {
  const nothing = { highestQuorumCertificate: [], commitCertificate: [], commitQuorumCertificate: [], timeoutCertificate: [], nonce: 1 };
  return { kind: 'certificates', certificates: { instanceId: instance.instanceId, ...nothing, ...wrong } };
}

function timeout(atRound: number, signedFor: number, highest: readonly QuorumCertificate[], validator = 3): ConsensusMessage {
  const signature = (signers[3] as Signer).signTimeout(atRound, signedFor);
  return {
    kind: 'timeout',
    timeout: { instanceId: instance.instanceId, round: atRound, highestQuorumCertificate: [...highest], validator, signature },
  };
}

function inAnotherInstance(message: ConsensusMessage): ConsensusMessage {
  assert.ok(message.kind === 'timeout');
  return { kind: 'timeout', timeout: { ...message.timeout, instanceId: sha256() } };
}

function countedSince(line: number, reason: string): boolean {
  return world.eventLog
    .slice(line)
    .some((text) => text.includes('node-0 count coppice_gossip_refused_total') && text.includes(`"reason":"${reason}"`));
}

async function settle(ms = 60): Promise<void> {
  await world.clock.run(world.clock.nowMs() + ms);
}

for (const [where, id] of [
  ['the beacon', BEACON_CHAIN],
  ['a shard', ROOT_SHARD],
] as const)
  describe(`a node that is told in ${where} what no honest peer tells`, () => {
    before(async () => {
      await prepareHashes();
      chainId = id;
      strangersUsed = 0;
      seenByOthers.clear();
      world = await createWorld({
        crypto: selectCrypto({ disableNative: false }),
        seed: 21,
        nodes: 4,
        startMs: START_MS,
        latencyMs: 5,
        lossShare: 0,
        // One instance for all.
        parameters: { ...readPreset('devnet'), epochBlocks: 100_000, beaconBlockIntervalMsMin: 1_000 },
        accounts: [],
        outsiders: STRANGERS,
        interpose: (name, own) => (name === 'node-0' ? own : listening(own)),
      });
      for (const stranger of STRANGERS)
        for (const other of ['node-1', 'node-2', DOWN, ...STRANGERS]) if (other !== stranger) world.network.setLink(stranger, other, false);
      // One validator is away: what is said in its name would be handed on, if it were good.
      world.network.setUp(DOWN, false);
      ({ instance } = chain());
      const schemes = selectCrypto({ disableNative: false });
      signers = world.keys.map((keys, validator) => createSigner(schemes, { validator, ...keys }, instance));
      topic = topicName(instance.genesisRoot, instance.chain, 'consensus');
      await settle(20_000);
    });

    after(() => world.stop());

    const frames: readonly [string, string, () => Uint8Array][] = [
      ['random bytes', 'truncated', () => sha256(Uint8Array.of(1))],
      ['a frame of too many messages', 'too-many-messages', () => packMessages(Array.from({ length: 300 }, () => Uint8Array.of(2)))],
      ['a message of an unknown kind', 'unknown-kind', () => packMessages([Uint8Array.of(77, 1)])],
      ['an empty message', 'unknown-kind', () => packMessages([new Uint8Array(0)])],
      ['a vote cut short', 'malformed', () => packMessages([encodeConsensusMessage({ kind: 'vote', vote: vote({}) }).subarray(0, 90)])],
      [
        'a vote that goes on',
        'malformed',
        () => packMessages([Buffer.concat([encodeConsensusMessage({ kind: 'vote', vote: vote({}) }), new Uint8Array(9)])]),
      ],
      ['a vote of a stranger', 'not-a-member', () => wire({ kind: 'vote', vote: vote({ validator: 99 }) })],
      ['a commit vote of a stranger', 'not-a-member', () => wire({ kind: 'commit-vote', vote: vote({ validator: 4 }) })],
      ['a vote forged in the name of one who is away', 'bad-signature', () => wire({ kind: 'vote', vote: vote({}) })],
      ['a commit vote forged in the name of one who is away', 'bad-signature', () => wire({ kind: 'commit-vote', vote: vote({}) })],
      ['a timeout far away', 'far-round', () => wire(timeout(2_000_000_000, 0, []))],
      ['a timeout whose certificate is missing', 'bad-signature', () => wire(timeout(round(), round() - 1, []))],
      ['a timeout with a forged certificate', 'bad-signature', () => wire(timeout(9_001, 9_000, [certificate()]))],
      ['a timeout with a certificate of its own round', 'wrong-round', () => wire(timeout(9_000, 9_000, [certificate()]))],
      ['a timeout in the name of another', 'bad-signature', () => wire(timeout(round(), 0, [], 2))],
      ['a timeout of a stranger', 'not-a-member', () => wire(timeout(round(), 0, [], 44))],
      ['a commit certificate without its pair', 'certificate-without-pair', () => wire(bundle({ commitCertificate: [certificate()] }))],
      [
        'a commit certificate with the pair of another block',
        'certificate-without-pair',
        () =>
          wire(
            bundle({
              commitCertificate: [certificate()],
              commitQuorumCertificate: [certificate({ point: { height: 9_000, round: 9_000, blockHash: sha256() } })],
            }),
          ),
      ],
      [
        'a certificate of too few',
        'no-quorum',
        () => wire(bundle({ highestQuorumCertificate: [certificate({ signers: signerBitsOf(instance.committee, [0, 1]) })] })),
      ],
      ['a certificate of another scheme', 'unknown-scheme', () => wire(bundle({ highestQuorumCertificate: [certificate({ scheme: 2 })] }))],
      ['a forged certificate', 'bad-signature', () => wire(bundle({ highestQuorumCertificate: [certificate()] }))],
    ];
    for (const [what, reason, make] of frames) {
      it(`refuses ${what}: ${reason}`, async () => {
        const stranger = nextStranger();
        const line = world.eventLog.length;
        const data = make();
        await stranger.pubSub.publish(topic, data);
        await settle();
        assert.ok(countedSince(line, reason), `counted as ${reason}`);
        assert.ok((world.network.networks.get('node-0')?.stats().misbehaviour[reason] ?? 0) > 0, 'the peer is scored');
        assert.ok(!seenByOthers.has(bytesToHex(sha256(data))), 'nobody else sees it');
      });
    }

    const strange: readonly [string, () => Uint8Array][] = [
      ['a vote', () => wire({ kind: 'vote', vote: vote({ instanceId: sha256() }) })],
      ['a timeout', () => wire(inAnotherInstance(timeout(round(), 0, [])))],
      ['a bundle', () => wire(bundle({ instanceId: sha256() }))],
    ];
    for (const [what, make] of strange) {
      it(`counts ${what} of an instance that is not known without blame: it may be over, or about to begin`, async () => {
        const line = world.eventLog.length;
        const data = make();
        await nextStranger().pubSub.publish(topic, data);
        await settle();
        assert.ok(countedSince(line, 'unknown-instance'));
        assert.equal(world.network.networks.get('node-0')?.stats().misbehaviour['unknown-instance'], undefined);
        assert.ok(!seenByOthers.has(bytesToHex(sha256(data))), 'nobody else sees it');
      });
    }

    it('counts a vote for a round far away without blame: its sender may be ahead', async () => {
      const line = world.eventLog.length;
      const data = wire({ kind: 'vote', vote: vote({ point: { height: 1, round: 1_000_000, blockHash: sha256() } }) });
      await nextStranger().pubSub.publish(topic, data);
      await settle();
      assert.ok(countedSince(line, 'far-round'));
      assert.ok(!seenByOthers.has(bytesToHex(sha256(data))));
    });

    it('takes nothing but certificates as an answer, and no request that is none', async () => {
      const stranger = nextStranger();
      const limits = { timeoutMs: 1_000, responseBytesMax: 1_000_000 };
      const ask = (protocol: string, body: Uint8Array): void =>
        void stranger.request.request('node-0', protocol, body, limits).catch(() => []);
      const line = world.eventLog.length;
      ask(CERTIFICATES_PROTOCOL, encodeConsensusMessage({ kind: 'vote', vote: vote({}) }));
      ask(CERTIFICATES_PROTOCOL, sha256());
      ask(BLOCK_PROTOCOLS.blocksByRange, sha256());
      ask(BLOCK_PROTOCOLS.blockByHash, Uint8Array.of(1));
      await settle(200);
      for (const reason of ['not-certificates', 'unknown-kind']) assert.ok(countedSince(line, reason), reason);
      const offences = world.network.networks.get('node-0')?.stats().misbehaviour ?? {};
      for (const reason of ['bad-range-request', 'bad-block-request']) assert.ok((offences[reason] ?? 0) > 0, reason);
    });

    it('throws out whoever goes on', async () => {
      const stranger = nextStranger();
      for (let count = 0; count < 10; count++) {
        await stranger.pubSub.publish(topic, packMessages([Uint8Array.of(77, count)]));
        await settle(20);
      }
      assert.ok(!(world.network.networks.get('node-0')?.peers.connected() ?? []).includes(stranger.self));
    });

    it('keeps its mailbox bounded, and its own timers, when ten times as much comes in while it waits for its disk', async () => {
      const stranger = nextStranger();
      const old = encodeConsensusMessage({ kind: 'vote', vote: vote({ point: { height: 1, round: 1, blockHash: sha256() } }) });
      const disk = world.disks[0];
      assert.ok(disk !== undefined);
      const { syncMs } = disk.conditions;
      const height = chain().blocks.committed.facts.height;
      disk.conditions.syncMs = STUCK_MS;
      await settle(2_000);
      let [longest, sent] = [0, 0];
      for (let count = 0; count < (10 * MAILBOX_MAX) / FRAME_MESSAGES_MAX; count++) {
        const last = Uint8Array.from(
          encodeConsensusMessage({ kind: 'vote', vote: vote({ point: { height: count, round: 1, blockHash: sha256() } }) }),
        );
        const messages = [...Array.from({ length: FRAME_MESSAGES_MAX - 1 }, () => old), last];
        await stranger.pubSub.publish(topic, packMessages(messages));
        sent += messages.length;
        if (count % 64 === 63) await settle(20);
        longest = Math.max(longest, chain().runner.mailboxLength);
      }
      await settle(20);
      longest = Math.max(longest, chain().runner.mailboxLength);
      assert.ok(sent >= 10 * MAILBOX_MAX);
      assert.equal(longest, MAILBOX_MAX, 'the mailbox was full, and took no more');
      disk.conditions.syncMs = syncMs;
      const goesOn = (): boolean => chain().blocks.committed.facts.height > height;
      await world.clock.run(world.clock.nowMs() + 12 * STUCK_MS, () => goesOn() && chain().runner.mailboxLength === 0);
      assert.equal(chain().runner.mailboxLength, 0, 'it is worked off');
      assert.ok(goesOn(), 'the chain goes on');
    });

    it('never scored an honest peer', () => {
      for (const name of ['node-1', 'node-2']) assert.deepEqual(world.network.networks.get(name)?.stats().misbehaviour, {}, name);
    });

    it('holds few blocks of a member that proposes a hundred for one round', async () => {
      // The validator that was away comes back with another's voice: everything below is properly signed.
      const [member, signer] = [nextStranger(), signers[3] as Signer];
      const { highestQuorumCertificate } = chain().runner.state.record;
      const [justify] = highestQuorumCertificate;
      assert.ok(justify !== undefined);
      const stored = decodeCanonical(Block, chain().blockSource.readByHash(justify.point.blockHash) ?? new Uint8Array(0));
      assert.ok(stored.ok, 'the newest certified block is here');
      const template = stored.value.header;
      const before = chain().blocks.size;
      for (let count = 0; count < 100; count++) {
        const header = {
          ...template,
          height: justify.point.height + 1,
          round: justify.point.round + 1,
          parentHash: justify.point.blockHash,
          justify: [justify],
          timeoutCertificate: [],
          proposer: 3,
          timestampMs: template.timestampMs + 1_000 + count,
        };
        const body = EMPTY_BODY;
        await member.pubSub.publish(
          topic,
          wire({ kind: 'proposal', proposal: { header, body, signature: signer.signProposal(blockHashOf(header)) } }),
        );
      }
      await settle(20);
      assert.ok(chain().blocks.size <= before + 8, `${chain().blocks.size} blocks held, ${before} before`);
      const height = chain().blocks.committed.facts.height;
      await settle(30_000);
      assert.ok(chain().blocks.committed.facts.height > height, 'the chain goes on');
    });
  });

describe('honest nodes', () => {
  it('never score each other, through loss, a cut link, an absence and a restart', async () => {
    await prepareHashes();
    const honest = await createWorld({
      crypto: standInCrypto(),
      seed: 22,
      nodes: 4,
      startMs: START_MS,
      latencyMs: 20,
      lossShare: 0.1,
      parameters: readPreset('devnet'),
      accounts: [],
    });
    const run = (ms: number): Promise<number> => honest.clock.run(honest.clock.nowMs() + ms);
    await run(10_000);
    honest.network.setLink('node-0', 'node-1', false);
    await run(15_000);
    honest.network.setLink('node-0', 'node-1', true);
    honest.network.setUp('node-2', false);
    await run(20_000);
    honest.network.setUp('node-2', true);
    await run(15_000);
    honest.end(1, 'killed');
    await honest.start(1);
    await run(20_000);
    for (const [name, { stats }] of [...honest.network.networks].map(
      ([each, network]) => [each, { stats: () => network.stats() }] as const,
    )) {
      assert.deepEqual(stats().misbehaviour, {}, name);
      assert.deepEqual(stats().refused, {}, name);
    }
    const heights = honest.nodes.map((each) => chainsOf(each).map(({ blocks }) => blocks.committed.facts.height));
    for (const place of [0, 1]) {
      const ofChain = heights.map((ofNode) => ofNode[place] ?? 0);
      assert.ok(Math.min(...ofChain) > 10 && Math.max(...ofChain) - Math.min(...ofChain) <= 2, heights.join('; '));
    }
    await honest.stop();
  });
});

/** Remembers every frame that reaches the node. */
function listening(own: Network): Network {
  return hearing(own, (_topic, data) => void seenByOthers.add(bytesToHex(sha256(data))));
}
