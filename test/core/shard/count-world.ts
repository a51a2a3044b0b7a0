// Counts all that a network of shards has: a scan of every leaf of every state, never of a counter of the code under test.
import assert from 'node:assert/strict';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';
import type { Bytes32 } from '../../../src/core/primitives/ids.ts';
import { decodeAccountLeaf } from '../../../src/core/state/account-codec.ts';
import { LEAF_TAG } from '../../../src/core/state/leaf.ts';
import { decodeStateChunk } from '../../../src/core/state/state-chunk.ts';
import { worldRootOf } from '../../../src/core/state/world-root.ts';
import type { ShardWorld } from './shard-world.ts';

/**
 * All that there is, by key: accounts with nonce, balance, code hash and the root of what they store, and pointers. Summed over it, over what is
 * under way and over what was paid, nothing is lost or made.
 */
export async function countEverything(world: ShardWorld): Promise<ReadonlyMap<string, string>> {
  const leaves = new Map<string, string>();
  let heldWei = 0n;
  for (const { states, version } of world.shards.values()) {
    for await (const bytes of states.exportVersion(version)) {
      const chunk = decodeStateChunk(bytes);
      assert.ok(chunk.ok);
      for (const { tag, key, value } of chunk.value.leaves) {
        if (tag === LEAF_TAG.slot) continue;
        leaves.set(bytesToHex(key), `${tag} ${bytesToHex(value)}`);
        if (tag === LEAF_TAG.account) heldWei += decodeAccountLeaf(value)?.balanceWei ?? 0n;
      }
    }
  }
  let underWayWei = 0n;
  for (const { valueWei, travellingTipWei } of world.underWay.values()) underWayWei += valueWei + travellingTipWei;
  assert.equal(heldWei + underWayWei + world.paidWei, world.supplyWei, 'no wei is lost or made');
  return leaves;
}

/** The root of all that there is, whatever the layout. */
export function worldRootNow({ shards }: ShardWorld): Bytes32 {
  return worldRootOf(new Map([...shards].map(([shard, { version }]) => [shard, version.root])));
}
