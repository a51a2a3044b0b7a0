import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { heightOn, isCarrier, isRoleOf, mayFollow, parentHeightOf } from '../../../src/core/consensus/block-role.ts';
import { checkHeader } from '../../../src/core/consensus/header-rules.ts';
import { pointAfter } from '../../../src/core/consensus/leader.ts';
import { startPoint } from '../../../src/core/consensus/state.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import { blockOn, certificateFor, FOUR, pointOfBlock, startedEngine } from './values.ts';

const state = startedEngine();
const first = blockOn(state, 1);
const justify = certificateFor(pointOfBlock(first));
const { header: ordinary } = blockOn(state, 2, justify);
const { header: carrier } = blockOn(state, 2, justify, undefined, { height: 1 });

describe('a carrier', () => {
  it('is who is at the height of its parent', () => {
    assert.deepEqual([first.header, ordinary, carrier].map(isCarrier), [false, false, true]);
    assert.deepEqual([first.header, ordinary, carrier].map(parentHeightOf), [0, 1, 1]);
  });

  it('is fine on its face at that height, and at no other but the next', () => {
    for (const [height, isFine] of [
      [0, false],
      [1, true],
      [2, true],
      [3, false],
    ] as const)
      assert.equal(checkHeader(FOUR, { ...ordinary, height }).ok, isFine, `height ${height}`);
    assert.equal(checkHeader(FOUR, { ...first.header, height: 0 }).ok, false, 'nothing is beside the start record');
  });

  it('follows a closing block or a carrier, and nothing else does', () => {
    for (const [header, role, isFine] of [
      [ordinary, 'ordinary', true],
      [ordinary, 'closing', false],
      [ordinary, 'carrier', false],
      [carrier, 'ordinary', false],
      [carrier, 'closing', true],
      [carrier, 'carrier', true],
    ] as const)
      assert.equal(mayFollow(header, role), isFine, `${header.height} on ${role}`);
    assert.deepEqual(
      [heightOn({ height: 7 }, 'ordinary'), heightOn({ height: 7 }, 'closing'), heightOn({ height: 7 }, 'carrier')],
      [8, 7, 7],
    );
  });

  it('cannot be called anything else', () => {
    assert.deepEqual([isRoleOf('carrier', carrier), isRoleOf('ordinary', carrier), isRoleOf('closing', carrier)], [true, false, false]);
    assert.deepEqual([isRoleOf('carrier', ordinary), isRoleOf('ordinary', ordinary), isRoleOf('closing', ordinary)], [false, true, true]);
  });

  it('changes no leader: all tips above a closing block have its anchors', () => {
    for (const height of [7, 8, 9, 10]) {
      let point = startPoint(FOUR);
      for (let at = 1; at <= height; at++) {
        point = pointAfter(point, { hash: sha256(uint64ToBytes(at)), height: at, round: at }, uint64ToBytes(at), 8);
      }
      const { anchors } = point;
      for (let round = height + 1; round < height + 20; round++) {
        point = pointAfter(point, { hash: sha256(uint64ToBytes(round)), height, round }, uint64ToBytes(round), 8);
        assert.deepEqual(point.anchors, anchors, `closing at ${height}`);
      }
    }
  });
});
