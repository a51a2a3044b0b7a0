// Crosslinks, judged: what makes shard blocks final, and every rule that refuses one, by name.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BitArray } from '@chainsafe/ssz';
import { NO_CERTIFICATE } from '../../../src/core/beacon/child-roots.ts';
import { judgeCrosslink } from '../../../src/core/beacon/crosslink.ts';
import type { RecordEntry } from '../../../src/core/beacon/state.ts';
import { joinedRoot } from '../../../src/core/beacon/world-root.ts';
import { commitProofClaims } from '../../../src/core/consensus/signature-sets.ts';
import { ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import type { Crosslink } from '../../../src/core/protocol/crosslink.ts';
import {
  advance,
  advanceTo,
  type Beacon,
  beaconOf,
  certificateOf,
  chainOf,
  crosslinkOf,
  emitting,
  encoded,
  entryOf,
  extend,
  extendByCarrier,
  type FakeChain,
  type HeaderChange,
  nextInput,
  outboxTo,
  pointOf,
  rootOf,
  smallGenesis,
} from './fixture.ts';

/** The verdict's reason in the beacon's next block. */
function reasonFor(beacon: Beacon, crosslink: Crosslink): string {
  const { block, state, ...input } = nextInput(beacon);
  const verdict = judgeCrosslink({ ...input, state: { ...state, height: block.height }, encoded: encoded(crosslink) });
  return verdict.ok ? 'accepted' : verdict.reason;
}

/** A beacon at height 3 with one shard, or with a layout, and the chain of a shard. */
function started(layout: readonly number[] = [1], shard = layout[0] ?? 1): { beacon: Beacon; chain: FakeChain } {
  const beacon = beaconOf(smallGenesis({ layout }));
  advanceTo(beacon, 3);
  return { beacon, chain: chainOf(beacon, entryOf(beacon, shard).record) };
}

/** What is said of three blocks of which one is made otherwise. */
function withHeader(place: number, change: HeaderChange | ((chain: FakeChain) => HeaderChange)): string {
  const { beacon, chain } = started();
  for (let index = 0; index < 3; index++)
    extend(beacon, chain, index !== place ? {} : typeof change === 'function' ? change(chain) : change);
  return reasonFor(beacon, crosslinkOf(chain));
}

/** A beacon in epoch 1, and a chain of epoch 0 that a third block closes. */
function closing(change: HeaderChange = {}): { beacon: Beacon; chain: FakeChain } {
  const { beacon, chain } = started();
  extend(beacon, chain);
  extend(beacon, chain);
  advanceTo(beacon, 10);
  extend(beacon, chain, change);
  return { beacon, chain };
}

describe('a crosslink is accepted', () => {
  it('with headers from the record on, and claims the signatures of the last one’s QC and CC', () => {
    const { beacon, chain } = started();
    for (let index = 0; index < 64; index++) extend(beacon, chain);
    const crosslink = crosslinkOf(chain);
    const { block, state, ...input } = nextInput(beacon);
    const verdict = judgeCrosslink({ ...input, state: { ...state, height: block.height }, encoded: encoded(crosslink) });
    assert.ok(verdict.ok);
    assert.equal(verdict.value.closes, false);
    const claims = commitProofClaims(chain.instance, crosslink.quorumCertificate, crosslink.commitCertificate);
    assert.ok(claims.ok);
    assert.deepEqual(verdict.value.claims, claims.value);
    assert.equal(verdict.value.claims.length, 2);
  });

  it('with headers from the last crosslinked one on', () => {
    const { beacon, chain } = started();
    for (let index = 0; index < 3; index++) extend(beacon, chain);
    advance(beacon, { crosslinks: [encoded(crosslinkOf(chain))] });
    assert.equal(reasonFor(beacon, crosslinkOf(chain)), 'wrong-parent', 'what is final is not brought again');
    for (let index = 0; index < 3; index++) extend(beacon, chain);
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { from: 3 })), 'accepted');
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { from: 4 })), 'wrong-parent');
  });

  it('with a closing header, alone or with carriers', () => {
    const { beacon, chain } = closing();
    assert.equal(reasonFor(beacon, crosslinkOf(chain)), 'accepted');
    for (let index = 0; index < 256; index++) extendByCarrier(chain);
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { carriers: 256 })), 'accepted');
  });
});

describe('a crosslink is refused', () => {
  it('when it is no encoding', () => {
    const { beacon, chain } = started();
    extend(beacon, chain);
    const { block, state, ...input } = nextInput(beacon);
    const verdict = judgeCrosslink({ ...input, state: { ...state, height: block.height }, encoded: encoded(crosslinkOf(chain)).slice(1) });
    assert.ok(!verdict.ok && verdict.reason === 'malformed');
  });

  it('when no record is of its shard and epoch', () => {
    const { beacon, chain } = started();
    extend(beacon, chain);
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { change: { epoch: 1 } })), 'unknown-record');
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { change: { shard: 2 } })), 'unknown-record');
  });

  it('when its record is closed', () => {
    const { beacon, chain } = closing();
    const records = beacon.state.records.map((entry): RecordEntry => ({ ...entry, closed: true }));
    beacon.state = { ...beacon.state, records };
    assert.equal(reasonFor(beacon, crosslinkOf(chain)), 'record-closed');
  });

  it('when a header is of another instance', () => assert.equal(withHeader(1, { instanceId: rootOf('other') }), 'wrong-instance'));

  it('when a header is by nobody of the committee', () => assert.equal(withHeader(1, { proposer: 9 }), 'not-a-member'));

  it('when a header does not follow the one before it', () => {
    assert.equal(withHeader(0, { parentHash: rootOf('other') }), 'wrong-parent');
    assert.equal(
      withHeader(2, (chain) => ({ parentHash: chain.hashes[0] as Uint8Array })),
      'wrong-parent',
    );
  });

  it('when heights do not rise one by one', () => assert.equal(withHeader(1, { height: 3 }), 'wrong-height'));

  it('when a header carries no QC of its parent, or the first of an instance carries one', () => {
    assert.equal(withHeader(1, { justify: [] }), 'wrong-justify');
    const qcOf = (place: number, change: object) => (chain: FakeChain) => ({
      justify: [certificateOf(chain.instance, { ...pointOf(chain, place), ...change })],
    });
    assert.equal(withHeader(2, qcOf(0, {})), 'wrong-justify');
    assert.equal(withHeader(2, qcOf(1, { round: 7 })), 'wrong-justify');
    assert.equal(withHeader(2, qcOf(1, { height: 7 })), 'wrong-justify');
    assert.equal(withHeader(2, qcOf(1, { blockHash: rootOf('other') })), 'wrong-justify');
    assert.equal(
      withHeader(0, (chain) => ({ justify: [certificateOf(chain.instance, { height: 0, round: 0, blockHash: ZERO_32 })] })),
      'wrong-justify',
    );
  });

  it('when a reference is above the parent, before its own parent’s, or no block of this beacon', () => {
    assert.equal(withHeader(2, { beaconReference: { height: 4, hash: rootOf('beacon', 4) } }), 'wrong-reference');
    assert.equal(withHeader(2, { beaconReference: { height: 2, hash: rootOf('beacon', 2) } }), 'wrong-reference');
    assert.equal(withHeader(0, { beaconReference: { height: 2, hash: rootOf('beacon', 2) } }), 'accepted');
    assert.equal(withHeader(2, { beaconReference: { height: 3, hash: rootOf('beacon', 2) } }), 'wrong-reference');
  });

  it('when the first reference is before the record’s beacon block', () => {
    const { beacon, chain } = closing();
    advance(beacon, { crosslinks: [encoded(crosslinkOf(chain))] });
    const next = chainOf(beacon, entryOf(beacon, 1).record);
    assert.equal(next.instance.startRecord.beaconHeight, 11);
    advance(beacon);
    extend(beacon, next, { beaconReference: { height: 10, hash: beacon.hashes[10] as Uint8Array } });
    assert.equal(reasonFor(beacon, crosslinkOf(next)), 'wrong-reference');
  });

  it('when outboxes are too few, of another root, or an empty one is written otherwise', () => {
    const { beacon, chain } = started();
    const sent = outboxTo(1);
    extend(beacon, chain);
    extend(beacon, chain, { execution: emitting(sent) });
    const outboxes = new Map([[1, sent]]);
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { outboxes })), 'accepted');
    assert.equal(reasonFor(beacon, crosslinkOf(chain)), 'wrong-outboxes');
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { outboxes, change: { outboxes: [sent] } })), 'wrong-outboxes');
    const odd = { bundles: [], indexesRoot: rootOf('odd') };
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { outboxes: new Map([[0, odd], ...outboxes]) })), 'wrong-outboxes');
  });

  it('when bundles are empty, or their destinations no shards, out of order, twice or within each other', () => {
    const said = (...destinations: number[]): string => {
      const { beacon, chain } = started();
      const sent = outboxTo(...destinations);
      extend(beacon, chain);
      extend(beacon, chain, { execution: emitting(sent) });
      return reasonFor(beacon, crosslinkOf(chain, { outboxes: new Map([[1, sent]]) }));
    };
    assert.equal(said(0, 4, 5, 3), 'accepted');
    for (const wrong of [[5, 4], [4, 4], [2, 4], [4, 2], [3, 0], [0, 0], [2 ** 17]]) {
      assert.equal(said(...wrong), 'outbox-out-of-order', String(wrong));
    }
    const { beacon, chain } = started();
    const none = { bundles: [{ destination: 1, messageCount: 0, weight: 0 }], indexesRoot: ZERO_32 };
    extend(beacon, chain);
    extend(beacon, chain, { execution: emitting(none) });
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { outboxes: new Map([[1, none]]) })), 'outbox-out-of-order');
  });

  it('when the first header of an instance commits results, or another state than the record’s', () => {
    assert.equal(withHeader(0, { execution: { stateRoot: rootOf('other') } }), 'wrong-start');
    assert.equal(withHeader(0, { execution: { proposerFeesWei: 1n } }), 'wrong-start');
    assert.equal(withHeader(0, { execution: { burnedFeesWei: 1n } }), 'wrong-start');
    assert.equal(withHeader(0, { execution: { gasUsed: 1 } }), 'wrong-start');
    assert.equal(withHeader(1, { execution: { stateRoot: rootOf('other'), proposerFeesWei: 1n } }), 'accepted');
  });

  it('when cursors read for other shards, or from what is none', () => {
    const said = (source: number, prefix: number): string => {
      const { beacon, chain } = started([4, 5, 3], 5);
      extend(beacon, chain, { execution: { cursors: [{ source, prefix, height: 1, index: 0 }] } });
      return reasonFor(beacon, crosslinkOf(chain));
    };
    for (const prefix of [1, 2, 5, 10]) assert.equal(said(3, prefix), 'accepted', String(prefix));
    for (const prefix of [4, 3, 0, 2 ** 17]) assert.equal(said(3, prefix), 'wrong-cursors', String(prefix));
    assert.equal(said(0, 5), 'wrong-cursors');
  });

  it('when fees are more than there can be', () => {
    assert.equal(withHeader(1, { execution: { proposerFeesWei: 2n ** 128n } }), 'fees-too-large');
    assert.equal(withHeader(1, { execution: { burnedFeesWei: 2n ** 128n } }), 'fees-too-large');
  });

  it('when a header follows a closing one', () => {
    const { beacon, chain } = closing();
    extend(beacon, chain);
    assert.equal(reasonFor(beacon, crosslinkOf(chain)), 'headers-after-closing');
  });

  it('when a closing header has a body', () => {
    for (const change of [{ bodyRoot: rootOf('body') }, { gasBought: 1 }]) {
      const { beacon, chain } = closing(change);
      assert.equal(reasonFor(beacon, crosslinkOf(chain)), 'closing-with-body');
    }
  });

  it('when carriers follow a header that closes nothing', () => {
    const { beacon, chain } = started();
    extend(beacon, chain);
    extendByCarrier(chain);
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { carriers: 1 })), 'carriers-without-closing');
  });

  it('when a carrier says anything of its own', () => {
    const changes: readonly ((chain: FakeChain) => HeaderChange)[] = [
      (chain) => ({ parentHash: chain.hashes[0] as Uint8Array }),
      () => ({ height: 4 }),
      () => ({ justify: [] }),
      (chain) => ({ justify: [certificateOf(chain.instance, { ...pointOf(chain, 2), round: 9 })] }),
      () => ({ beaconReference: { height: 9, hash: rootOf('beacon', 9) } }),
      () => ({ execution: { stateRoot: rootOf('other') } }),
      () => ({ bodyRoot: rootOf('body') }),
    ];
    for (const [index, change] of changes.entries()) {
      const { beacon, chain } = closing();
      extendByCarrier(chain, change(chain));
      extendByCarrier(chain);
      assert.equal(reasonFor(beacon, crosslinkOf(chain, { carriers: 2 })), 'wrong-carrier', `change ${index}`);
    }
    const { beacon, chain } = closing();
    extendByCarrier(chain, { instanceId: rootOf('other') });
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { carriers: 1 })), 'wrong-instance');
  });

  it('when its certificates are of another block than the last, or of two, or by too few', () => {
    const { beacon, chain } = started();
    for (let index = 0; index < 3; index++) extend(beacon, chain);
    const [second, third] = [1, 2].map((place) => certificateOf(chain.instance, pointOf(chain, place)));
    if (second === undefined || third === undefined) throw new Error('two certificates');
    const both = (quorumCertificate: typeof second, commitCertificate: typeof second) =>
      reasonFor(beacon, crosslinkOf(chain, { change: { quorumCertificate, commitCertificate } }));
    assert.equal(both(second, second), 'certificate-of-another-block');
    assert.equal(both(third, second), 'certificate-without-pair');
    assert.equal(both({ ...third, point: { ...third.point, round: 8 } }, third), 'certificate-of-another-block');
    assert.equal(both({ ...third, point: { ...third.point, height: 8 } }, third), 'certificate-of-another-block');
    const few = certificateOf(chain.instance, pointOf(chain, 2), [true, true, false, false]);
    assert.equal(both(third, few), 'no-quorum');
    assert.equal(both(few, third), 'no-quorum');
    assert.equal(both({ ...third, signers: BitArray.fromBitLen(3) }, third), 'wrong-bitmap');
    assert.equal(both({ ...third, scheme: 2 }, third), 'unknown-scheme');
  });

  it('when carriers are there and the certificates are of the closing header', () => {
    const { beacon, chain } = closing();
    const certificate = certificateOf(chain.instance, pointOf(chain, 2));
    extendByCarrier(chain);
    const change = { quorumCertificate: certificate, commitCertificate: certificate };
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { carriers: 1, change })), 'certificate-of-another-block');
  });
});

describe('the roots of children', () => {
  const children = [
    { shard: 4, stateRoot: rootOf('left') },
    { shard: 10, stateRoot: ZERO_32 },
    { shard: 11, stateRoot: ZERO_32 },
  ];
  const childStateRoots = children.map(({ stateRoot }) => stateRoot);
  const stateRoot = joinedRoot(2, children);

  /** A beacon in epoch 2, in which shard 2 is split into 4, 10 and 11. */
  function splitting(): { beacon: Beacon; chain: FakeChain } {
    const { beacon, chain } = started([2, 3]);
    extend(beacon, chain);
    advanceTo(beacon, 6);
    advance(beacon, {}, { nextLayout: () => [4, 10, 11, 3] });
    advanceTo(beacon, 18);
    return { beacon, chain };
  }

  it('come with a closing header of a shard that is split, and with no other', () => {
    const { beacon, chain } = splitting();
    extend(beacon, chain, { execution: { stateRoot } });
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { change: { childStateRoots } })), 'accepted');
    assert.equal(reasonFor(beacon, crosslinkOf(chain)), 'wrong-child-roots');
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { change: { childStateRoots: childStateRoots.toReversed() } })), 'wrong-child-roots');
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { change: { childStateRoots: childStateRoots.slice(1) } })), 'wrong-child-roots');
    const other = chainOf(beacon, entryOf(beacon, 3).record);
    extend(beacon, other);
    assert.equal(reasonFor(beacon, crosslinkOf(other, { change: { childStateRoots } })), 'child-roots-not-wanted');
  });

  it('do not come before the closing header', () => {
    const { beacon, chain } = splitting();
    const reference = { height: 3, hash: rootOf('beacon', 3) };
    extend(beacon, chain, { beaconReference: reference, execution: { stateRoot } });
    assert.equal(reasonFor(beacon, crosslinkOf(chain, { change: { childStateRoots } })), 'child-roots-not-wanted');
  });

  it('come alone for a record that was taken over, and prove themselves', () => {
    const { beacon, chain } = splitting();
    const reference = { height: 3, hash: rootOf('beacon', 3) };
    extend(beacon, chain, { beaconReference: reference, execution: { stateRoot } });
    const late: Crosslink = {
      ...crosslinkOf(chain, { from: 2 }),
      quorumCertificate: NO_CERTIFICATE,
      commitCertificate: NO_CERTIFICATE,
      childStateRoots,
    };
    advance(beacon, { crosslinks: [encoded(crosslinkOf(chain))] });
    assert.equal(reasonFor(beacon, late), 'record-not-closed');
    advanceTo(beacon, 21);
    assert.deepEqual(
      beacon.state.records.map(({ record, closed }) => [record.shard, record.epoch, closed]),
      [
        [2, 0, true],
        [3, 2, false],
      ],
    );
    assert.equal(reasonFor(beacon, late), 'accepted');
    assert.equal(
      reasonFor(beacon, { ...late, quorumCertificate: certificateOf(chain.instance, pointOf(chain, 1)) }),
      'certificate-not-wanted',
    );
    assert.equal(reasonFor(beacon, { ...late, childStateRoots: [] }), 'wrong-child-roots');
    assert.equal(reasonFor(beacon, { ...late, outboxes: [outboxTo(3)] }), 'without-headers');
    const { newRecords } = advance(beacon, { crosslinks: [encoded(late)] });
    assert.deepEqual(
      newRecords.map((record) => [record.shard, record.stateRoot, record.height]),
      children.map((child) => [child.shard, child.stateRoot, 2]),
    );
    assert.equal(reasonFor(beacon, late), 'unknown-record');
  });
});
