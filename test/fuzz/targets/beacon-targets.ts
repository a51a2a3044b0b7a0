// What anybody may put before the beacon: crosslinks, judged against a state and applied to it, and proofs of parts of a state.
import assert from 'node:assert/strict';
import { anchorCrosslink } from '../../../src/core/beacon/anchoring.ts';
import { judgeCrosslink } from '../../../src/core/beacon/crosslink.ts';
import { updateSources } from '../../../src/core/beacon/sources.ts';
import { replaceClosedRecords } from '../../../src/core/beacon/start-records.ts';
import { RecordEntry } from '../../../src/core/beacon/state.ts';
import { proveRecord, verifyField, verifyRecord } from '../../../src/core/beacon/state-proof.ts';
import { stateRootOf } from '../../../src/core/beacon/state-root.ts';
import { bytesEqual, concatBytes } from '../../../src/core/primitives/bytes.ts';
import { decodeCanonical } from '../../../src/core/protocol/ssz.ts';
import type { SeededRandom } from '../../../src/simulation/random.ts';
import {
  advance,
  advanceTo,
  beaconOf,
  chainOf,
  crosslinkOf,
  emitting,
  encoded,
  entryOf,
  extend,
  extendByCarrier,
  nextInput,
  outboxTo,
  rootOf,
  smallGenesis,
} from '../../core/beacon/fixture.ts';
import { type FuzzTarget, refusal } from '../target.ts';

const beacon = beaconOf(smallGenesis({ layout: [2, 3] }));
advanceTo(beacon, 6);
advance(beacon, {}, { nextLayout: () => [4, 5, 3] });
advanceTo(beacon, 18);
const input = nextInput(beacon);
const state = { ...beacon.state, height: input.block.height };

/** Chains that keep the rules, but for what is drawn. */
function crosslinkFor(random: SeededRandom): Uint8Array {
  const shard = random.pick([2, 3]);
  const chain = chainOf(beacon, entryOf(beacon, shard).record);
  const sent = outboxTo(...random.pick([[], [2], [0, 3], [2, 3], [3, 2]]));
  const cursor = { source: random.integer(0, 4), prefix: random.integer(0, 9), height: random.integer(0, 9), index: 0 };
  const early = { height: 3, hash: rootOf('beacon', 3) };
  const headers = random.integer(1, 4);
  for (let index = 0; index < headers; index++) {
    const isLast = index === headers - 1;
    extend(beacon, chain, {
      ...(isLast && random.chance(0.6) ? {} : { beaconReference: early }),
      execution: {
        ...(index === 1 ? emitting(sent) : {}),
        ...(random.chance(0.2) ? { cursors: [cursor] } : {}),
        ...(index > 0 && random.chance(0.3) ? { proposerFeesWei: 2n ** BigInt(random.integer(0, 160)) } : {}),
      },
    });
  }
  const carriers = random.chance(0.3) ? random.integer(1, 3) : 0;
  for (let index = 0; index < carriers; index++) extendByCarrier(chain);
  const outboxes = new Map([[1, sent]]);
  const change = random.chance(0.2) ? { childStateRoots: [rootOf('a'), rootOf('b')] } : {};
  return encoded(crosslinkOf(chain, { carriers, outboxes, change }));
}

const crosslink: FuzzTarget = {
  name: 'beacon-crosslink',
  covers: ['core/protocol/crosslink#Crosslink'],
  executions: 400,
  generatedShare: 0.3,
  generate: crosslinkFor,
  judge(bytes) {
    const { constants, beaconHashAt } = input;
    const judged = judgeCrosslink({ constants, state, encoded: bytes, beaconHashAt });
    if (!judged.ok) return refusal(judged.reason, '');
    const anchored = anchorCrosslink(state, judged.value, 0).state;
    const after = updateSources(replaceClosedRecords(constants, anchored).state);
    assert.equal(stateRootOf(after).length, 32, 'what is accepted has a state');
    return judged.value.closes ? 'closes' : 'accepted';
  },
};

const INDEX_BYTES = 1;
const BRANCH_BYTES = 15 * 32;
const root = stateRootOf(state);

function proofBytes(shard: number): Uint8Array {
  const { entry, index, branch } = proveRecord(state, shard);
  return concatBytes(Uint8Array.of(index), ...branch, RecordEntry.serialize(entry));
}

const recordProof: FuzzTarget = {
  name: 'beacon-record-proof',
  covers: ['core/beacon/state-proof#verifyField', 'core/beacon/state-proof#verifyRecord'],
  executions: 400,
  generate: (random) => proofBytes(random.pick([2, 3])),
  judge(bytes) {
    const [index = 0] = bytes;
    const branch: Uint8Array[] = [];
    for (let at = INDEX_BYTES; at < Math.min(bytes.length, INDEX_BYTES + BRANCH_BYTES); at += 32) branch.push(bytes.slice(at, at + 32));
    assert.equal(verifyField(root, 'records', bytes.subarray(1, 33), branch), false);
    const entry = decodeCanonical(RecordEntry, bytes.subarray(INDEX_BYTES + BRANCH_BYTES));
    if (!entry.ok) return refusal(entry.reason, '');
    const isProved = verifyRecord(root, { entry: entry.value, index, branch });
    const isOwn = [2, 3].some((shard) => bytesEqual(proofBytes(shard), bytes));
    assert.equal(isProved, isOwn, 'nothing but what is there is proved');
    return isProved ? 'proved' : 'not proved';
  },
};

/** See the file's head. */
export const BEACON_TARGETS: readonly FuzzTarget[] = [crosslink, recordProof];
