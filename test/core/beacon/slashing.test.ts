// Evidence in beacon blocks: who is punished, how often, and what is refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { instanceOfRecord } from '../../../src/core/beacon/instance.ts';
import { applyEvidence, SLASHED_PART } from '../../../src/core/beacon/slashing.ts';
import { applyBeaconBlock } from '../../../src/core/beacon/transition.ts';
import { encodeEvidence, votePairOf } from '../../../src/core/consensus/evidence/evidence.ts';
import type { Instance } from '../../../src/core/protocol/committee.ts';
import {
  advance,
  advanceTo,
  type Beacon,
  beaconOf,
  certificateOf,
  chainOf,
  entryOf,
  extend,
  nextInput,
  rootOf,
  smallGenesis,
} from './fixture.ts';

/** Two votes of one round by the members at these places. */
function doubleVotes(instance: Instance, places: readonly number[], round = 1): Uint8Array {
  const signers = instance.committee.members.map((_member, place) => places.includes(place));
  const [a, b] = ['a', 'b'].map((name) => certificateOf(instance, { height: 1, round, blockHash: rootOf(name) }, signers));
  if (a === undefined || b === undefined) throw new Error('two certificates');
  return encodeEvidence(votePairOf('conflicting-votes', instance.instanceId, a, b));
}

function started(): { beacon: Beacon; instance: Instance } {
  const beacon = beaconOf(smallGenesis({ validators: 7, layout: [2, 3] }));
  advance(beacon);
  return { beacon, instance: chainOf(beacon, entryOf(beacon, 2).record).instance };
}

const reasonFor = (beacon: Beacon, encoded: Uint8Array): string => {
  const verdict = applyEvidence(beacon.constants, beacon.state, encoded);
  return verdict.ok ? 'accepted' : verdict.reason;
};

describe('evidence in a block', () => {
  it('takes a part of the guilty’s stake, marks them, and claims the signatures', () => {
    const { beacon, instance } = started();
    const { slashed, claims, doubted } = advance(beacon, { evidence: [doubleVotes(instance, [0, 2])] });
    const guilty = [0, 2].map((place) => instance.committee.members[place]?.validator);
    assert.deepEqual(slashed, guilty);
    assert.equal(claims.length, 2);
    assert.deepEqual(doubted, []);
    const stakeGwei = 32n * 10n ** 9n;
    for (const [index, validator] of beacon.state.validators.entries()) {
      const isGuilty = guilty.includes(index);
      assert.equal(validator.slashed, isGuilty);
      assert.equal(validator.stakeGwei, isGuilty ? stakeGwei - stakeGwei / SLASHED_PART : stakeGwei);
      if (isGuilty) assert.equal(validator.exitEpoch, 2);
    }
  });

  it('keeps the guilty out of every committee that is drawn from then on, not out of those that are', () => {
    const { beacon, instance } = started();
    const { slashed } = advance(beacon, { evidence: [doubleVotes(instance, [1])] });
    advanceTo(beacon, 16);
    const serving = beacon.state.layouts.map(({ epoch, beaconMembers, shards }) => {
      const members = [...beaconMembers, ...shards.flatMap((shard) => shard.members)];
      return [epoch, members.some(({ validator }) => slashed.includes(validator))];
    });
    assert.deepEqual(serving, [
      [0, true],
      [1, true],
      [2, false],
      [3, false],
    ]);
  });

  it('of everybody leaves the beacon running with those who were slashed', () => {
    const { beacon } = started();
    const own = beacon.state.instances.find(({ record }) => record.shard === 0);
    if (own === undefined) throw new Error('the beacon’s instance is known');
    const instance = instanceOfRecord(beacon.constants, beacon.state, own.record);
    advance(beacon, { evidence: [doubleVotes(instance, [0, 1, 2, 3, 4, 5, 6])] });
    advanceTo(beacon, 8);
    assert.equal(beacon.state.layouts[2]?.beaconMembers.length, 7);
  });

  it('punishes once for one instance, and again for another', () => {
    const { beacon, instance } = started();
    advance(beacon, { evidence: [doubleVotes(instance, [0])] });
    assert.equal(reasonFor(beacon, doubleVotes(instance, [0])), 'already-punished');
    assert.equal(reasonFor(beacon, doubleVotes(instance, [0], 2)), 'already-punished');
    const { slashed } = advance(beacon, { evidence: [doubleVotes(instance, [0, 1], 2)] });
    assert.deepEqual(slashed, [instance.committee.members[1]?.validator], 'who is new in it only');
    const [first] = instance.committee.members;
    const other = beacon.state.instances.find(({ record }) => record.shard === 0);
    if (other === undefined || first === undefined) throw new Error('the beacon’s instance is known');
    const own = instanceOfRecord(beacon.constants, beacon.state, other.record);
    const place = own.committee.members.findIndex(({ validator }) => validator === first.validator);
    assert.deepEqual(advance(beacon, { evidence: [doubleVotes(own, [place])] }).slashed, [first.validator]);
    assert.equal(beacon.state.convictions.length, 3);
  });

  it('is refused of an instance that the state does not know, and what is no evidence', () => {
    const { beacon, instance } = started();
    assert.equal(reasonFor(beacon, doubleVotes({ ...instance, instanceId: rootOf('other') }, [0])), 'unknown-instance');
    assert.equal(reasonFor(beacon, Uint8Array.of(9)), 'unknown-kind');
    assert.equal(reasonFor(beacon, doubleVotes(instance, [])), 'wrong-bitmap');
    const verdict = applyBeaconBlock(nextInput(beacon, { evidence: [Uint8Array.of(9)] }));
    assert.ok(!verdict.ok && verdict.reason === 'unknown-kind', 'and makes the block invalid');
  });

  it('is taken of an instance that closed, for four epochs more', () => {
    const { beacon, instance } = started();
    const evidence = doubleVotes(instance, [0]);
    advanceTo(beacon, 8 * 4 + 6);
    assert.equal(entryOf(beacon, 2).record.epoch, 4, 'it was taken over');
    assert.equal(reasonFor(beacon, evidence), 'accepted');
    advance(beacon);
    assert.equal(reasonFor(beacon, evidence), 'unknown-instance');
  });

  it('returns as doubted the certificates of a header that looks right', () => {
    const { beacon, instance } = started();
    const chain = chainOf(beacon, entryOf(beacon, 2).record);
    extend(beacon, chain);
    const header = extend(beacon, chain);
    const votes = certificateOf(instance, { height: 2, round: 2, blockHash: chain.hashes[1] as Uint8Array });
    const evidence = encodeEvidence({ kind: 'vote-against-rules', instanceId: instance.instanceId, votes, header });
    const { claims, doubted } = advance(beacon, { evidence: [evidence] });
    assert.equal(claims.length, 1);
    assert.deepEqual(
      doubted.map((sets) => sets.length),
      [1],
    );
  });
});
