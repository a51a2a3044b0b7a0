// What a node makes of its shard's blocks is what the beacon takes: each crosslink is judged by the beacon's own rules.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { judgeCrosslink } from '../../../src/core/beacon/crosslink.ts';
import { type CommittedHeader, type CrosslinkMaterial, type InstanceEnd, makeCrosslink } from '../../../src/core/beacon/make-crosslink.ts';
import { Crosslink } from '../../../src/core/protocol/crosslink.ts';
import { CROSSLINK_BYTES_MAX, CROSSLINK_HEADERS_MAX } from '../../../src/core/protocol/limits.ts';
import { EMPTY_OUTBOX } from '../../../src/core/protocol/outbox.ts';
import { installHashtree } from '../../../src/runtime/native/ssz-hashtree.ts';
import {
  advance,
  advanceTo,
  type Beacon,
  beaconOf,
  certificateOf,
  chainOf,
  emitting,
  encoded,
  entryOf,
  extend,
  extendByCarrier,
  type FakeChain,
  nextInput,
  outboxTo,
  pointOf,
  rootOf,
  smallGenesis,
} from './fixture.ts';

before(() => installHashtree());

const EPOCH_BLOCKS = 8;

function started(): { readonly beacon: Beacon; readonly chain: FakeChain } {
  const beacon = beaconOf(smallGenesis({ layout: [2, 3] }));
  advanceTo(beacon, 5);
  return { beacon, chain: chainOf(beacon, entryOf(beacon, 2).record) };
}

/** The chain as a node has it: the blocks at these places have a CC of their own. */
function committedOf(chain: FakeChain, withCommit: (index: number) => boolean, blocks = chain.headers.length): readonly CommittedHeader[] {
  return chain.headers.slice(0, blocks).map((header, index) => {
    const certificate = certificateOf(chain.instance, pointOf(chain, index));
    return { header, quorumCertificate: certificate, commitCertificate: withCommit(index) ? certificate : undefined };
  });
}

function materialOf(beacon: Beacon, committed: readonly CommittedHeader[], more: Partial<CrosslinkMaterial> = {}): CrosslinkMaterial {
  const entry = entryOf(beacon, 2);
  const { height } = entry.progress;
  return {
    entry,
    beaconHeight: beacon.state.height,
    committed: committed.filter(({ header }) => header.height > height),
    outboxAt: () => EMPTY_OUTBOX,
    end: undefined,
    bytesMax: CROSSLINK_BYTES_MAX,
    childRoots: [],
    ...more,
  };
}

function refusalOf(beacon: Beacon, crosslink: Crosslink): string | undefined {
  const { constants, state, block, beaconHashAt } = nextInput(beacon);
  const judged = judgeCrosslink({ constants, state: { ...state, height: block.height }, encoded: encoded(crosslink), beaconHashAt });
  return judged.ok ? undefined : judged.reason;
}

describe('a crosslink that a node makes', () => {
  it('goes up to the newest block with a CC of its own, and is taken', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), fc.nat(), (commits, first) => {
        const { beacon, chain } = started();
        for (const _commit of commits) extend(beacon, chain);
        const newest = commits.lastIndexOf(true);
        const made = makeCrosslink(
          materialOf(
            beacon,
            committedOf(chain, (index) => commits[index] === true),
          ),
        );
        if (newest < 0) return assert.equal(made, undefined);
        assert.equal(made?.headers.length, newest + 1);
        assert.equal(refusalOf(beacon, made), undefined);
        advance(beacon, { crosslinks: [encoded(made)] });
        const more = 1 + (first % 3);
        for (let block = 0; block < more; block++) extend(beacon, chain);
        const next = makeCrosslink(
          materialOf(
            beacon,
            committedOf(chain, (index) => index === chain.headers.length - 1),
          ),
        );
        assert.equal(next?.headers.length, chain.headers.length - newest - 1);
        assert.equal(refusalOf(beacon, next as Crosslink), undefined);
      }),
      { numRuns: 20 },
    );
  });

  it('brings the outboxes that its headers commit', () => {
    const { beacon, chain } = started();
    extend(beacon, chain);
    const sent = outboxTo(3);
    extend(beacon, chain, { execution: emitting(sent) });
    const outboxAt = (height: number) => (height === chain.headers[0]?.height ? sent : EMPTY_OUTBOX);
    const made = makeCrosslink(
      materialOf(
        beacon,
        committedOf(chain, () => true),
        { outboxAt },
      ),
    );
    assert.deepEqual(made?.outboxes, [EMPTY_OUTBOX, sent]);
    assert.equal(refusalOf(beacon, made as Crosslink), undefined);
  });

  it('leaves out what refers to a beacon block that is not there for all yet, and more headers than fit', () => {
    const { beacon, chain } = started();
    extend(beacon, chain);
    const early = beacon.state.height;
    advance(beacon);
    extend(beacon, chain);
    const committed = committedOf(chain, () => true);
    assert.equal(makeCrosslink({ ...materialOf(beacon, committed), beaconHeight: early })?.headers.length, 1);
    assert.equal(makeCrosslink(materialOf(beacon, committed))?.headers.length, 2);
    for (let block = 0; block < 100; block++) extend(beacon, chain);
    const long = makeCrosslink(
      materialOf(
        beacon,
        committedOf(chain, () => true),
      ),
    );
    assert.equal(long?.headers.length, CROSSLINK_HEADERS_MAX);
    assert.equal(refusalOf(beacon, long as Crosslink), undefined);
  });

  it('has as many headers as there is room for, up to one with a CC of its own', () => {
    const { beacon, chain } = started();
    for (let block = 0; block < 12; block++) extend(beacon, chain);
    const committed = committedOf(chain, (index) => index % 3 === 2);
    const whole = makeCrosslink(materialOf(beacon, committed)) as Crosslink;
    assert.equal(whole.headers.length, 12);
    const bytesMax = Crosslink.value_serializedSize(whole) - 1;
    const shorter = makeCrosslink(materialOf(beacon, committed, { bytesMax })) as Crosslink;
    assert.equal(shorter.headers.length, 9);
    assert.equal(refusalOf(beacon, shorter), undefined);
    assert.equal(makeCrosslink(materialOf(beacon, committed, { bytesMax: 2_000 })), undefined);
  });

  for (const carriers of [0, 3]) {
    it(`ends with the closing block and ${carriers} carriers, and closes the record`, () => {
      const { beacon, chain } = started();
      extend(beacon, chain);
      extend(beacon, chain);
      advanceTo(beacon, EPOCH_BLOCKS + 1);
      const closing = extend(beacon, chain);
      for (let index = 0; index < carriers; index++) extendByCarrier(chain);
      const certificate = certificateOf(chain.instance, pointOf(chain, chain.headers.length - 1));
      const end: InstanceEnd = {
        closingHeight: closing.height,
        carriers: chain.headers.slice(chain.headers.length - carriers),
        quorumCertificate: certificate,
        commitCertificate: certificate,
      };
      const blocks = chain.headers.length - carriers;
      const made = makeCrosslink(
        materialOf(
          beacon,
          committedOf(chain, (index) => index === 0, blocks),
          { end },
        ),
      );
      assert.equal(made?.headers.length, 3);
      assert.equal(made?.carriers.length, carriers);
      assert.equal(refusalOf(beacon, made as Crosslink), undefined);
      const { newRecords } = advance(beacon, { crosslinks: [encoded(made as Crosslink)] });
      assert.deepEqual(
        newRecords.map(({ shard, epoch, height }) => ({ shard, epoch, height })),
        [{ shard: 2, epoch: 1, height: closing.height }],
      );
    });
  }

  it('names the roots of children only with a closing block', () => {
    const { beacon, chain } = started();
    extend(beacon, chain);
    const childRoots = [
      { shard: 4, stateRoot: rootOf('a') },
      { shard: 5, stateRoot: rootOf('b') },
    ];
    const made = makeCrosslink(
      materialOf(
        beacon,
        committedOf(chain, () => true),
        { childRoots },
      ),
    );
    assert.deepEqual(made?.childStateRoots, []);
  });

  it('is none of a record that is closed, or while nothing is certified', () => {
    const { beacon, chain } = started();
    assert.equal(makeCrosslink(materialOf(beacon, [])), undefined);
    extend(beacon, chain);
    const material = materialOf(
      beacon,
      committedOf(chain, () => true),
    );
    assert.equal(makeCrosslink({ ...material, entry: { ...material.entry, closed: true } }), undefined);
  });
});
