// What the whole-node tests of bad messages cannot bring about: a node that is too busy to verify, and certificates said again.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import type { ConsensusEvent } from '../../src/core/consensus/events.ts';
import { type ConsensusState, initialState } from '../../src/core/consensus/state.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import { EMPTY_BODY } from '../../src/core/protocol/block.ts';
import type { CertificateBundle } from '../../src/core/protocol/vote.ts';
import { packMessages } from '../../src/network/coalesce.ts';
import type { ForwardDecision, GossipHandler, Network, RequestHandler } from '../../src/network/ports.ts';
import { topicName } from '../../src/network/topics.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { type ConsensusMessage, encodeConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { EvidenceKeeper } from '../../src/runtime/evidence-keeper.ts';
import { EvidenceWatch } from '../../src/runtime/evidence-watch.ts';
import { CERTIFICATES_PROTOCOL, InstanceSwitch } from '../../src/runtime/instance-switch.ts';
import { MessageIntake } from '../../src/runtime/message-intake.ts';
import type { Metrics } from '../../src/runtime/ports.ts';
import { VerifiedClaims } from '../../src/runtime/verified-claims.ts';
import { createEvidenceStore } from '../../src/storage/evidence-store.ts';
import { certify, createSignedChain, crypto, type MadeBlock, pointOf, type SignedChain, timeoutOf, voteOf } from './signed-chain.ts';

const NAMES = ['v0', 'v1', 'v2', 'v3'];

describe('the intake of messages', () => {
  let chain: SignedChain;
  let first: MadeBlock;
  let state: ConsensusState;
  let isBusy: boolean;
  let neighbours: readonly string[];
  let events: ConsensusEvent[];
  let blamed: string[];
  let counted: string[];
  let faults: unknown[];
  let verifications: number;
  let keeper: EvidenceKeeper;
  let published: Uint8Array[];
  let hear: GossipHandler;
  let topic: string;
  let answer: RequestHandler;

  before(() => initialiseKeccak());

  beforeEach(async () => {
    chain = await createSignedChain();
    first = await chain.extend(chain.start, { round: 1 });
    const { parameters } = chain.genesis;
    state = initialState({
      instance: chain.instance,
      parameters,
      self: 0,
      record: undefined,
      committed: undefined,
      closed: undefined,
      storedBlocks: [],
    });
    published = [];
    [isBusy, neighbours, events, blamed, counted, faults, verifications] = [false, ['v1'], [], [], [], [], 0];
    const network = {
      pubSub: {
        subscribe: (subscribed: string, handler: GossipHandler) => {
          if (subscribed.includes('/consensus/')) hear = handler;
        },
        unsubscribe: () => undefined,
        publish: async (_topic: string, data: Uint8Array) => ({ recipients: published.push(data) }),
      },
      request: {
        handle: (protocol: string, handler: RequestHandler) => {
          assert.equal(protocol, CERTIFICATES_PROTOCOL);
          answer = handler;
        },
      },
      peers: {
        connected: () => neighbours,
        onChange: () => () => undefined,
        misbehaved: (peer: string, reason: string) => blamed.push(`${peer} ${reason}`),
      },
    } as unknown as Network;
    const claims = new VerifiedClaims({
      verify: (sets, of) => {
        verifications += sets.length;
        if (isBusy) return Promise.reject(new CoppiceError('signature-verifier/overloaded', { waiting: 2, waitingMax: 1 }));
        return chain.verifier.verify(sets, of);
      },
      recoverSenders: (requests) => chain.verifier.recoverSenders(requests),
      close: async () => undefined,
    });
    const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const metrics: Metrics = {
      count: (_name, labels) => counted.push(labels?.['reason'] ?? ''),
      gauge: () => undefined,
      observe: () => undefined,
    };
    const onUnknownInstance = (): void => undefined;
    const shared = {
      instance: chain.instance,
      onUnknownInstance,
      network,
      claims,
      logger,
      metrics,
      onFault: (fault: unknown) => faults.push(fault),
    };
    const { store } = chain;
    const evidenceStore = createEvidenceStore(store);
    keeper = await EvidenceKeeper.open({
      ...shared,
      topic: 'evidence',
      store,
      evidenceStore,
      clock: systemClock,
      onEvidence: () => undefined,
    });
    const intake = new MessageIntake({
      ...shared,
      blocks: chain.blocks,
      validatorPeers: NAMES,
      watch: new EvidenceWatch({ ...shared, keeper }),
      bls: crypto.bls,
      post: (event) => events.push(event) > 0,
      state: () => state,
    });
    topic = topicName(chain.instance.genesisRoot, chain.instance.chain, 'consensus');
    new InstanceSwitch(shared).attach(chain.instance, intake, async () => 'ignore');
  });

  async function tell(messages: readonly ConsensusMessage[], from = 'v1'): Promise<ForwardDecision> {
    return hear({ from, topic, data: packMessages(messages.map(encodeConsensusMessage)) });
  }

  function bundle(nonce: number, highest = certify(chain, pointOf(first))): ConsensusMessage {
    const certificates: CertificateBundle = {
      instanceId: chain.instance.instanceId,
      highestQuorumCertificate: [highest],
      commitCertificate: [],
      commitQuorumCertificate: [],
      timeoutCertificate: [],
      nonce,
    };
    return { kind: 'certificates', certificates };
  }

  it('blames nobody when the node is too busy to verify', async () => {
    isBusy = true;
    assert.equal(await tell([{ kind: 'timeout', timeout: timeoutOf(chain, 2, 1, undefined) }]), 'ignore');
    assert.equal(await tell([{ kind: 'vote', vote: voteOf(chain, 2, 'vote', pointOf(first)) }]), 'ignore');
    assert.equal(await tell([bundle(1)]), 'ignore');
    assert.ok(counted.includes('not-looked-at'));
    assert.deepEqual(blamed, []);
    assert.deepEqual(events, []);
    assert.deepEqual(faults, []);
  });

  it('hands on what is good and whose author is no neighbour, and nothing else', async () => {
    assert.equal(await tell([{ kind: 'vote', vote: voteOf(chain, 2, 'vote', pointOf(first)) }]), 'accept');
    assert.equal(await tell([{ kind: 'vote', vote: voteOf(chain, 1, 'vote', pointOf(first)) }]), 'ignore');
    assert.equal(await tell([{ kind: 'timeout', timeout: timeoutOf(chain, 3, 1, undefined) }]), 'accept');
    const forged = { ...voteOf(chain, 3, 'vote', pointOf(first)), signature: voteOf(chain, 3, 'commit-vote', pointOf(first)).signature };
    assert.equal(await tell([{ kind: 'vote', vote: forged }]), 'reject');
    assert.deepEqual(blamed, ['v1 bad-signature']);
  });

  it('rejects a whole frame for one bad message, and still takes the good ones', async () => {
    const stranger = { ...voteOf(chain, 2, 'vote', pointOf(first)), validator: 9 };
    const good: ConsensusMessage = { kind: 'timeout', timeout: timeoutOf(chain, 3, 1, undefined) };
    assert.equal(await tell([{ kind: 'vote', vote: stranger }, good]), 'reject');
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['timeout-received'],
    );
  });

  it('answers for all of a frame that it hands on, also for what is of no use to itself', async () => {
    const point = pointOf(first);
    const forged = { ...voteOf(chain, 1, 'vote', point), signature: voteOf(chain, 1, 'commit-vote', point).signature };
    const highest = certify(chain, point);
    const old = { ...highest, signature: voteOf(chain, 1, 'commit-vote', point).signature };
    state = { ...state, record: { ...state.record, highestQuorumCertificate: [highest] } };
    const good = (round: number): ConsensusMessage => ({ kind: 'timeout', timeout: timeoutOf(chain, 3, round, undefined) });
    // Of a neighbour, far away, and known: none of these is verified for this node's own sake.
    const useless: readonly (readonly [ConsensusMessage, ConsensusMessage])[] = [
      [
        { kind: 'vote', vote: voteOf(chain, 1, 'vote', { ...point, round: 2 }) },
        { kind: 'vote', vote: { ...forged, point: { ...point, round: 3 } } },
      ],
      [
        { kind: 'vote', vote: voteOf(chain, 1, 'vote', { ...point, round: 900 }) },
        { kind: 'vote', vote: { ...forged, point: { ...point, round: 901 } } },
      ],
      [bundle(1), bundle(2, old)],
    ];
    for (const [index, [honest, forgery]] of useless.entries()) {
      assert.equal(await tell([honest]), 'ignore');
      assert.equal(await tell([good(100 + index), honest], 'v2'), 'accept');
      assert.deepEqual(blamed, []);
      assert.equal(await tell([good(200 + index), forgery], 'v2'), 'reject', `${forgery.kind} ${index}`);
      assert.deepEqual(blamed.splice(0), ['v2 bad-signature']);
    }
    isBusy = true;
    assert.equal(await tell([{ kind: 'timeout', timeout: timeoutOf(chain, 3, 100, undefined) }, bundle(3, old)], 'v2'), 'ignore');
    assert.deepEqual(blamed, []);
  });

  const forgeries: readonly [string, () => Uint8Array][] = [
    ['of another message', () => voteOf(chain, 2, 'commit-vote', pointOf(first)).signature],
    ['that is no point', () => new Uint8Array(96).fill(0xc1)],
    ['that is infinity', () => Uint8Array.of(0xc0, ...new Uint8Array(95))],
    ['of zeros', () => new Uint8Array(96)],
  ];
  for (const [what, signature] of forgeries) {
    it(`makes a certificate of votes, of which a signature ${what} falls out`, async () => {
      const point = pointOf(first);
      neighbours = NAMES;
      await tell([{ kind: 'vote', vote: { ...voteOf(chain, 1, 'vote', point), signature: signature() } }], 'v1');
      await tell(
        [0, 2, 3].map((index) => ({ kind: 'vote', vote: voteOf(chain, index, 'vote', point) })),
        'v2',
      );
      for (let turn = 0; turn < 20 && events.length === 0; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual(
        events.map(({ kind }) => kind),
        ['quorum-certificate-received'],
      );
      assert.deepEqual(blamed, ['v1 bad-signature']);
      assert.deepEqual(faults, []);
    });
  }

  it('verifies and hands on certificates that are news, however often they are said', async () => {
    assert.equal(await tell([bundle(1)]), 'accept');
    assert.equal(events.length, 1);
    const before = verifications;
    const { header } = first.proposal;
    assert.equal(header.round, 1);
    state = { ...state, record: { ...state.record, highestQuorumCertificate: [certify(chain, pointOf(first))] } };
    for (let nonce = 2; nonce < 50; nonce++) assert.equal(await tell([bundle(nonce)]), 'ignore');
    assert.equal(events.length, 1);
    assert.equal(verifications, before);
    assert.deepEqual(blamed, []);
  });

  it('takes a body for a known header only if it is its own', async () => {
    const { header, signature } = first.proposal;
    const body = { ...EMPTY_BODY, transactions: [Uint8Array.of(1)] };
    assert.equal(await tell([{ kind: 'proposal', proposal: { header, body, signature } }]), 'reject');
    assert.deepEqual(blamed, ['v1 wrong-body-root']);
  });

  it('takes a timeout of a network that has been running for weeks, when it is new itself', async () => {
    const far = certify(chain, { ...pointOf(first), round: 3_000_000 });
    assert.equal(await tell([{ kind: 'timeout', timeout: timeoutOf(chain, 2, 3_000_001, far) }]), 'accept');
    assert.deepEqual(blamed, []);
    assert.equal(await tell([{ kind: 'timeout', timeout: timeoutOf(chain, 2, 9_000_001, far) }]), 'reject');
    assert.deepEqual(blamed, ['v1 far-round']);
  });

  it('proves who votes for two blocks, also when a certificate is known already, and verifies nothing more while nobody does', async () => {
    neighbours = NAMES;
    const point = pointOf(first);
    const other = { ...point, blockHash: point.blockHash.with(0, (point.blockHash[0] as number) ^ 1) };
    await tell([1, 2, 3].map((index) => ({ kind: 'vote', vote: voteOf(chain, index, 'vote', point) })));
    for (let turn = 0; turn < 20 && events.length === 0; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(verifications, 1, 'the votes, together');
    await tell([{ kind: 'vote', vote: { ...voteOf(chain, 2, 'vote', other), signature: voteOf(chain, 2, 'vote', point).signature } }]);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(keeper.list(), [], 'a forgery proves nothing');
    await tell([{ kind: 'vote', vote: voteOf(chain, 1, 'vote', other) }]);
    for (let turn = 0; turn < 50 && keeper.list().length === 0; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(
      keeper.list().map(({ kind, guilty }) => ({ kind, guilty })),
      [{ kind: 'conflicting-votes', guilty: [1] }],
    );
    assert.deepEqual(published, [keeper.list()[0]?.encoded]);
    assert.deepEqual(faults, []);
  });

  it('takes nothing but certificates as an answer, whatever it is, without a fault', async () => {
    for (const body of [new Uint8Array(0), Uint8Array.of(5, 1), encodeConsensusMessage({ kind: 'proposal', proposal: first.proposal })]) {
      answer('v1', body);
    }
    answer('v1', encodeConsensusMessage(bundle(1)));
    for (let turn = 0; turn < 20 && events.length === 0; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(blamed, ['v1 unknown-kind', 'v1 malformed', 'v1 not-certificates']);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['quorum-certificate-received'],
    );
    assert.deepEqual(faults, []);
  });
});
