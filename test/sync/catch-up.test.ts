// A node that is behind asks peers that lie: each lie is found out and blamed, nothing of it reaches the engine, and the first honest
// answer is taken.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import type { ConsensusEvent } from '../../src/core/consensus/events.ts';
import { commitProofClaims } from '../../src/core/consensus/signature-sets.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { bytesEqual, bytesToHex } from '../../src/core/primitives/bytes.ts';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import { blockHashOf, EMPTY_BODY } from '../../src/core/protocol/block.ts';
import { Block, type BlockCertificates, CertifiedBlock } from '../../src/core/protocol/certified-block.ts';
import type { Network, PeerName } from '../../src/network/ports.ts';
import type { ClaimsJudgement } from '../../src/runtime/verified-claims.ts';
import { VerifiedClaims } from '../../src/runtime/verified-claims.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { BLOCK_PROTOCOLS, Status } from '../../src/sync/block-protocol.ts';
import { CatchUp } from '../../src/sync/catch-up.ts';
import { certify, createSignedChain, giveUp, type MadeBlock, pointOf, type SignedChain } from '../runtime/signed-chain.ts';

type Answers = Readonly<Record<string, readonly Uint8Array[] | 'fails'>>;

describe('catching up', () => {
  /** Where the blocks were made, and a copy of it that has none of them. */
  let maker: SignedChain;
  let behind: SignedChain;
  let made: readonly MadeBlock[];
  let range: readonly CertifiedBlock[];

  before(async () => {
    await initialiseKeccak();
    maker = await createSignedChain();
    const first = await maker.extend(maker.start, { round: 1 });
    const second = await maker.extend(first.point, { round: 2, justify: certify(maker, pointOf(first)) });
    const third = await maker.extend(second.point, { round: 3, justify: certify(maker, pointOf(second)) });
    made = [first, second, third];
    range = made.map((block) => certified(block));
  });

  beforeEach(async () => {
    behind = await createSignedChain();
  });

  function certified(block: MadeBlock, wrong: Partial<BlockCertificates> = {}): CertifiedBlock {
    const { header, body } = block.proposal;
    const quorumCertificate = certify(maker, pointOf(block));
    const commitCertificate = [certify(maker, pointOf(block), 'commit-vote')];
    return { block: { header, body }, certificates: { quorumCertificate, commitCertificate, ...wrong } };
  }

  interface Run {
    readonly events: ConsensusEvent[];
    readonly blamed: string[];
    readonly askedPeers: PeerName[];
    forks: number;
    /** When each was asked. */
    readonly askedAtMs: number[];
  }

  /** Asks each peer in turn until the wanted block is held or nobody has it. */
  async function run(
    peers: Readonly<Record<PeerName, Answers | 'silent'>>,
    options: {
      readonly judgement?: ClaimsJudgement;
      readonly hasRoom?: boolean;
      /** All of them when absent. */
      readonly members?: readonly PeerName[];
      readonly onPost?: (event: ConsensusEvent, catchUp: CatchUp) => void;
      /** Known to be committed elsewhere, from the beacon. */
      readonly isCommitted?: boolean;
    } = {},
  ): Promise<Run> {
    const clock = new VirtualClock(0);
    const result: Run = { events: [], blamed: [], askedPeers: [], forks: 0, askedAtMs: [] };
    const claims = new VerifiedClaims(behind.verifier);
    const network = {
      request: {
        request: async (peer: PeerName, protocol: string) => {
          result.askedPeers.push(peer);
          result.askedAtMs.push(clock.nowMs());
          const answers = peers[peer];
          if (answers === 'silent') return new Promise<Uint8Array[]>(() => undefined);
          const answer = answers?.[protocol] ?? [];
          if (answer === 'fails') throw new CoppiceError('network/request-failed', { peer, protocol, failure: 'reset', detail: '' });
          return [...answer];
        },
      },
      peers: {
        connected: () => Object.keys(peers),
        misbehaved: (peer: PeerName, reason: string) => result.blamed.push(`${peer} ${reason}`),
      },
    } as unknown as Network;
    const catchUp = new CatchUp({
      isLosing: () => false,
      instanceId: behind.instance.instanceId,
      members: new Set(options.members ?? Object.keys(peers)),
      network,
      blocks: behind.blocks,
      clock,
      logger: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
      metrics: { count: () => undefined, gauge: () => undefined, observe: () => undefined },
      post: (event) => {
        if (options.hasRoom === false) return false;
        result.events.push(event);
        options.onPost?.(event, catchUp);
        return true;
      },
      onFork: () => result.forks++,
      judgeCertificates: async ({ quorumCertificate, commitCertificate }, hash, height) => {
        if (options.judgement !== undefined) return options.judgement;
        const [commit] = commitCertificate;
        const { point } = quorumCertificate;
        if (commit === undefined || !bytesEqual(point.blockHash, hash) || point.height !== height) return 'invalid';
        const sets = commitProofClaims(behind.instance, quorumCertificate, commit);
        return sets.ok ? claims.judge(sets.value, behind.instance.chain) : 'invalid';
      },
    });
    const last = made[2] as MadeBlock;
    if (options.isCommitted === true) catchUp.requestCommitted({ hash: last.hash, height: 3 });
    else catchUp.request({ kind: 'request-block', hash: last.hash, height: 3 });
    assert.equal(catchUp.targetHeight, 3);
    // Signatures are checked in real time, so a moment of it goes by with each step of the virtual clock.
    for (let step = 0; step < 40 && catchUp.targetHeight !== undefined; step++) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      await clock.run(clock.nowMs() + 300);
    }
    catchUp.stop();
    return result;
  }

  const frames = (blocks: readonly CertifiedBlock[]): Answers => ({
    [BLOCK_PROTOCOLS.blocksByRange]: blocks.map((block) => CertifiedBlock.serialize(block)),
  });
  const fetched = ({ events }: Run): readonly string[] =>
    events.flatMap((event) => (event.kind === 'block-fetched' ? [bytesToHex(event.hash)] : []));
  const allHashes = (): readonly string[] => made.map(({ hash }) => bytesToHex(hash));

  it('hands a range to the engine in order, then the certificates of its end', async () => {
    const result = await run({ honest: frames(range) });
    assert.deepEqual(fetched(result), allHashes());
    assert.deepEqual(
      result.events.slice(3).map(({ kind }) => kind),
      ['quorum-certificate-received', 'commit-certificate-received'],
    );
    assert.deepEqual(result.blamed, []);
  });

  it('asks those who should have the blocks first', async () => {
    const strangers = Object.fromEntries(['a', 'b', 'c', 'd'].map((name): [string, Answers] => [name, {}]));
    const direct = await run({ ...strangers, honest: frames(range) }, { members: ['honest'] });
    assert.deepEqual(direct.askedPeers, ['honest']);
  });

  it('asks others when those who should have the blocks have not', async () => {
    const indirect = await run({ gone: {}, honest: frames(range) }, { members: ['gone'] });
    assert.deepEqual(fetched(indirect), allHashes());
    assert.deepEqual(indirect.blamed, []);
  });

  const first = (): CertifiedBlock => range[0] as CertifiedBlock;
  const lies: readonly [string, string, () => readonly CertifiedBlock[]][] = [
    ['blocks that do not follow each other', 'bad-range-answer', () => [first(), range[2] as CertifiedBlock]],
    ['blocks that do not follow ours', 'bad-range-answer', () => range.slice(1)],
    [
      'a quorum certificate that is forged',
      'bad-certificate-in-range',
      () => [certified(made[0] as MadeBlock, { quorumCertificate: forged() })],
    ],
    [
      'a commit certificate that is forged',
      'bad-certificate-in-range',
      () => [certified(made[0] as MadeBlock, { commitCertificate: [forged()] })],
    ],
    [
      'certificates of too few',
      'bad-certificate-in-range',
      () => [
        certified(made[0] as MadeBlock, { commitCertificate: [certify(maker, pointOf(made[0] as MadeBlock), 'commit-vote', [0, 1])] }),
      ],
    ],
    [
      'certificates of another block',
      'bad-certificate-in-range',
      () => [{ ...first(), certificates: (range[1] as CertifiedBlock).certificates }],
    ],
    [
      'a body that is not the one of the header',
      'bad-block-in-range',
      () => [{ ...first(), block: { ...first().block, body: { ...EMPTY_BODY, transactions: [Uint8Array.of(1)] } } }],
    ],
  ];
  function forged(): BlockCertificates['quorumCertificate'] {
    const right = certify(maker, pointOf(made[0] as MadeBlock));
    return { ...right, signature: certify(maker, pointOf(made[1] as MadeBlock)).signature };
  }

  for (const [what, reason, lie] of lies) {
    it(`blames a peer for ${what}, and takes the honest answer of the next`, async () => {
      const result = await run({ 'a-liar': frames(lie()), honest: frames(range) });
      assert.ok(result.blamed.includes(`a-liar ${reason}`), result.blamed.join());
      assert.ok(!result.blamed.some((line) => line.startsWith('honest')));
      assert.deepEqual(fetched(result), allHashes());
    });
  }

  it('blames nobody for a final block that follows another than ours: the chain has forked', async () => {
    const other = await maker.extend(maker.start, { round: 2, timeoutCertificate: giveUp(maker, 1, undefined) });
    const header = { ...other.proposal.header, parentHash: new Uint8Array(32).fill(7) };
    const point = { height: header.height, round: header.round, blockHash: blockHashOf(header) };
    const certificates = { quorumCertificate: certify(maker, point), commitCertificate: [certify(maker, point, 'commit-vote')] };
    const result = await run({
      elsewhere: frames([{ block: { header, body: other.proposal.body }, certificates }]),
      honest: frames(range),
    });
    assert.deepEqual(result.blamed, []);
    assert.ok(result.forks > 0);
  });

  it('blames a peer for bytes that are no block', async () => {
    const garbage = { [BLOCK_PROTOCOLS.blocksByRange]: [sha256()], [BLOCK_PROTOCOLS.blockByHash]: [sha256()] };
    const result = await run({ 'a-liar': garbage, honest: frames(range) });
    assert.deepEqual([...new Set(result.blamed)].sort(), ['a-liar bad-block-answer', 'a-liar bad-range-answer']);
    assert.deepEqual(fetched(result), allHashes());
  });

  it('blames a peer for another block than the one asked for by its hash', async () => {
    const byHash = (place: number): Answers => {
      const { header, body } = made[place]?.proposal ?? assert.fail();
      return { [BLOCK_PROTOCOLS.blockByHash]: [Block.serialize({ header, body })] };
    };
    const result = await run({ 'a-liar': byHash(0), honest: byHash(2) });
    assert.deepEqual(result.blamed, ['a-liar bad-block-answer']);
    assert.deepEqual(fetched(result), allHashes().slice(2));
  });

  it('takes a block by its hash where it is certified and not committed', async () => {
    const { header, body } = made[2]?.proposal ?? assert.fail();
    const result = await run({ honest: { [BLOCK_PROTOCOLS.blockByHash]: [Block.serialize({ header, body })] } });
    assert.deepEqual(fetched(result), [bytesToHex(made[2]?.hash ?? sha256())]);
  });

  it('asks for the certificates of a committed block that it holds without them', async () => {
    for (const { hash, proposal } of made) assert.ok((await behind.blocks.add(hash, proposal.header, proposal.body)).ok);
    const result = await run({ empty: frames([]), honest: frames(range) }, { isCommitted: true });
    assert.deepEqual(fetched(result).slice(0, 3), allHashes());
    assert.ok(result.events.some(({ kind }) => kind === 'commit-certificate-received'));
    assert.deepEqual(result.blamed, []);
  });

  it('drops the end of a range that no commit certificate covers', async () => {
    const uncovered = certified(made[2] as MadeBlock, { commitCertificate: [] });
    const result = await run({ honest: frames([first(), range[1] as CertifiedBlock, uncovered]) });
    assert.deepEqual(fetched(result).slice(0, 2), allHashes().slice(0, 2));
    assert.deepEqual(result.blamed, []);
  });

  it('asks the next peer too when one says nothing, and does not wait for it', async () => {
    const result = await run({ a: 'silent', b: frames(range) });
    assert.deepEqual(result.askedPeers, ['a', 'b']);
    assert.deepEqual(fetched(result), allHashes());
    assert.deepEqual(result.blamed, []);
  });

  it('goes on to the next peer after silence and failures, and blames nobody', async () => {
    const failing: Answers = { [BLOCK_PROTOCOLS.blocksByRange]: 'fails', [BLOCK_PROTOCOLS.blockByHash]: 'fails' };
    const result = await run({ a: {}, b: failing, c: frames(range) });
    assert.deepEqual(fetched(result), allHashes());
    assert.deepEqual(result.blamed, []);
  });

  describe('among more peers than are asked at once', () => {
    const status = (committedHeight: number, instanceId = behind.instance.instanceId): Answers => ({
      [BLOCK_PROTOCOLS.status]: [Status.serialize({ instanceId, committedHeight, committedHash: sha256(), round: 9 })],
    });
    /** Four that cannot help, each with a status of its own, and one that can and says so. */
    const crowd = (of: (place: number) => Answers | 'silent') => ({
      ...Object.fromEntries(Array.from({ length: 4 }, (_unused, place) => [`peer-${place}`, of(place)])),
      ahead: { ...status(3), ...frames(range) },
    });
    const askedFirst = ({ askedPeers }: Run): string | undefined => askedPeers[5];

    it('asks those first who say that they have it, of which there is one', async () => {
      const result = await run(crowd((place) => status(place === 0 ? 2 : 0)));
      assert.equal(new Set(result.askedPeers.slice(0, 5)).size, 5, 'all are asked where they stand');
      assert.equal(askedFirst(result), 'ahead');
      assert.deepEqual([fetched(result), result.blamed], [allHashes(), []]);
    });

    it('does not wait for a status, and takes none for nothing', async () => {
      const result = await run(crowd((place) => (place % 2 === 0 ? { [BLOCK_PROTOCOLS.status]: 'fails' } : {})));
      assert.equal(askedFirst(result), 'ahead');
      assert.deepEqual([fetched(result), result.blamed], [allHashes(), []]);
    });

    it('tries those who lie about it, and the honest one with the next', async () => {
      const result = await run(crowd(() => status(1_000)));
      assert.notEqual(askedFirst(result), 'ahead', 'all say that they are ahead');
      assert.deepEqual([fetched(result), result.blamed], [allHashes(), []]);
    });

    it('blames peers for a status that is none, or of another instance', async () => {
      const result = await run(
        crowd((place) => (place === 0 ? { [BLOCK_PROTOCOLS.status]: [sha256()] } : place === 1 ? status(3, sha256()) : {})),
      );
      assert.deepEqual(result.blamed, ['peer-0 bad-status-answer', 'peer-1 bad-status-answer']);
      assert.deepEqual(fetched(result), allHashes());
    });
  });

  it('blames nobody when this node has no room, or no time to verify', async () => {
    const full = await run({ honest: frames(range) }, { hasRoom: false });
    assert.deepEqual(full.blamed, []);
    const busy = await run({ honest: frames(range) }, { judgement: 'not-looked-at' });
    assert.deepEqual(busy.blamed, []);
    assert.deepEqual(busy.events, []);
  });

  it('fetches a block again at once that was handed over and is asked for again', async () => {
    const lost = made[2] as MadeBlock;
    let isLost = false;
    const { askedAtMs } = await run(
      { honest: frames(range) },
      {
        onPost: (event, catchUp) => {
          if (isLost || event.kind !== 'commit-certificate-received') return;
          isLost = true;
          behind.blocks.discard([lost.hash]);
          catchUp.request({ kind: 'request-block', hash: lost.hash, height: 3 });
        },
      },
    );
    assert.ok(isLost);
    assert.ok(behind.blocks.get(lost.hash) !== undefined, 'it is held again');
    assert.equal(askedAtMs.length, 2);
    assert.ok((askedAtMs[1] as number) <= 2_000, `asked at ${askedAtMs} ms`);
  });

  it('goes on to a newer block soon after one that is certified and that nobody commits yet', async () => {
    const [block] = range.slice(2);
    let isNewer = false;
    const { askedAtMs } = await run(
      { honest: { [BLOCK_PROTOCOLS.blockByHash]: [Block.serialize((block as CertifiedBlock).block)] } },
      {
        onPost: (event, catchUp) => {
          if (isNewer || event.kind !== 'block-fetched') return;
          isNewer = true;
          catchUp.request({ kind: 'request-block', hash: sha256(event.hash), height: 5 });
        },
      },
    );
    assert.ok(isNewer);
    assert.ok((askedAtMs[2] as number) <= 2_000, `asked at ${askedAtMs} ms`);
  });
});
