// What a keeper makes of evidence that peers tell: what holds is kept, stored and handed on once; what is none is refused by its reason, and costs
// whoever told it; and no flood of it is looked at beyond a bound.
import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { type Evidence, encodeEvidence, votePairOf } from '../../src/core/consensus/evidence/evidence.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import type { QuorumCertificate } from '../../src/core/protocol/certificate.ts';
import type { ForwardDecision, Network } from '../../src/network/ports.ts';
import { EvidenceKeeper, type KeptEvidence } from '../../src/runtime/evidence-keeper.ts';
import { VerifiedClaims } from '../../src/runtime/verified-claims.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { createEvidenceStore } from '../../src/storage/evidence-store.ts';
import { certify, createSignedChain, type SignedChain, START_MS } from './signed-chain.ts';

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

describe('the keeper of evidence, told by a peer', () => {
  let chain: SignedChain;
  let keeper: EvidenceKeeper;
  let counted: string[];
  let blamed: string[];
  let told: KeptEvidence[];
  let verifications: number;
  /** While it is set, no verification ends. */
  let held: Promise<void> | undefined;

  before(() => initialiseKeccak());

  beforeEach(async () => {
    chain = await createSignedChain();
    [counted, blamed, told, verifications, held] = [[], [], [], 0, undefined];
    const { instance, store, verifier } = chain;
    const network = {
      pubSub: { publish: async () => ({ recipients: 0 }), subscribe: () => undefined, unsubscribe: () => undefined },
      peers: {
        connected: () => [],
        onChange: () => () => undefined,
        misbehaved: (peer: string, reason: string, weight: number) => void blamed.push(`${peer} ${reason} ${weight}`),
      },
    } as unknown as Network;
    const claims = new VerifiedClaims({
      ...verifier,
      verify: async (sets, of) => {
        verifications++;
        await held;
        return verifier.verify(sets, of);
      },
    });
    keeper = await EvidenceKeeper.open({
      instance,
      topic: 'evidence',
      network,
      claims,
      store,
      evidenceStore: createEvidenceStore(store),
      clock: new VirtualClock(START_MS),
      logger: SILENT,
      metrics: {
        count: (name, labels = {}) => void counted.push(`${name} ${Object.values(labels).join(' ')}`),
        gauge: () => undefined,
        observe: () => undefined,
      },
      onEvidence: (_instance, kept) => void told.push(kept),
      onFault: (fault) => assert.fail(String(fault)),
    });
  });

  const votes = (by: number, name: number): QuorumCertificate =>
    certify(chain, { height: 1, round: 1, blockHash: sha256(Uint8Array.of(name)) }, 'vote', [by]);
  const doubleVotes = (by: number, changed: Partial<QuorumCertificate> = {}): Evidence =>
    votePairOf('conflicting-votes', chain.instance.instanceId, votes(by, 1), { ...votes(by, 2), ...changed });
  const tell = (data: Uint8Array): Promise<ForwardDecision> => keeper.receive({ from: 'peer', topic: 'evidence', data });
  const stored = (): Promise<Uint8Array[]> =>
    createEvidenceStore(chain.store).readAll(chain.instance.chain, chain.instance.instanceId) as Promise<Uint8Array[]>;

  async function assertRefused(data: Uint8Array, reason: string): Promise<void> {
    assert.equal(await tell(data), 'reject');
    assert.deepEqual(counted, [`coppice_gossip_refused_total evidence ${reason}`]);
    assert.deepEqual(blamed, [`peer ${reason} 20`]);
    assert.deepEqual([keeper.list(), told, await stored()], [[], [], []], 'nothing of it is kept');
  }

  it('keeps what holds, stores it and hands it on, once', async () => {
    const encoded = encodeEvidence(doubleVotes(2));
    assert.equal(await tell(encoded), 'accept');
    assert.deepEqual(keeper.list(), told);
    assert.deepEqual(told[0]?.guilty, [2]);
    assert.deepEqual(await stored(), [encoded]);
    assert.equal(await tell(encoded), 'ignore', 'it is known');
    assert.deepEqual([counted, blamed], [['coppice_evidence_total 1 conflicting-votes'], []]);
  });

  it('refuses what does not decode', () => assertRefused(Uint8Array.of(1, 2, 3), 'malformed'));

  it('refuses two votes that contradict each other in nothing, without a look at signatures', async () => {
    const pair = doubleVotes(2);
    assert.ok(pair.kind === 'conflicting-votes');
    const second = { ...pair.second, point: { ...pair.second.point, round: 7 } };
    await assertRefused(encodeEvidence({ ...pair, second }), 'no-evidence');
    assert.equal(verifications, 0);
  });

  it('refuses a contradiction that nobody has signed', () =>
    assertRefused(encodeEvidence(doubleVotes(2, { signature: votes(1, 2).signature })), 'no-evidence'));

  it('leaves evidence of another instance to its own keeper, and blames nobody', async () => {
    assert.equal(await tell(encodeEvidence({ ...doubleVotes(2), instanceId: sha256(Uint8Array.of(7)) })), 'ignore');
    assert.deepEqual([counted, blamed, keeper.list()], [[], [], []]);
  });

  it('looks at no more than sixteen pieces at once, and blames nobody for the rest', async () => {
    let release = (): void => undefined;
    held = new Promise((resolve) => {
      release = resolve;
    });
    const forged = Array.from({ length: 160 }, (_unused, index) => {
      const signature = new Uint8Array(96).fill(index + 1);
      return tell(encodeEvidence(doubleVotes(index % 4, { signature })));
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(verifications, 16);
    release();
    const decisions = await Promise.all(forged);
    assert.equal(decisions.filter((decision) => decision === 'reject').length, 16);
    assert.equal(decisions.filter((decision) => decision === 'ignore').length, 144);
    assert.equal(blamed.length, 16);
  });
});
