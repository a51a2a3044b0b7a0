// The world as clients read it is the same under every layout: accounts, roots and proofs.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { initialiseKeccak, keccak256 } from '../../../src/core/crypto/keccak.ts';
import { placementOfFamily } from '../../../src/core/messaging/placement.ts';
import { bytesToHex, uint64ToBytes } from '../../../src/core/primitives/bytes.ts';
import type { Address, ChainId } from '../../../src/core/primitives/ids.ts';
import { isUnder } from '../../../src/core/protocol/shard-id.ts';
import { buildGenesisState } from '../../../src/core/state/genesis-state.ts';
import { verifyProof } from '../../../src/core/state/proof.ts';
import { extendToWorld } from '../../../src/core/state/shard-proof.ts';
import { createStateDatabase } from '../../../src/core/state/state-database.ts';
import type { StateDatabase, StateVersion } from '../../../src/core/state/state-version.ts';
import { WorldState } from '../../../src/core/view/world-state.ts';
import { createMemoryStore } from '../../../src/storage/memory-store.ts';

const LAYOUTS: readonly (readonly ChainId[])[] = [[1], [2, 3], [4, 5, 3], [4, 5, 6, 7]];
const CODE = Uint8Array.of(0x60, 1);
const SLOT = new Uint8Array(32).fill(5);

const ACCOUNTS = Array.from({ length: 40 }, (_unused, index) => {
  const address = keccak256OfIndex(index);
  const storage = index % 4 === 0 ? [{ slot: SLOT, value: new Uint8Array(32).fill(index + 1) }] : [];
  return { address, index, storage };
});
const ABSENT = new Uint8Array(20).fill(0xee);

// Before Keccak is initialised any twenty bytes do.
function keccak256OfIndex(index: number): Address {
  const address = new Uint8Array(20);
  address.set(uint64ToBytes((index + 1) * 7_919), 4);
  return address;
}

interface Made {
  readonly world: WorldState;
  readonly databases: ReadonlyMap<ChainId, StateDatabase>;
}

async function worldUnder(layout: readonly ChainId[]): Promise<Made> {
  const store = createMemoryStore();
  const databases = new Map<ChainId, StateDatabase>();
  const versions = new Map<ChainId, StateVersion>();
  for (const shard of layout) {
    const states = createStateDatabase(store, shard);
    const accounts = ACCOUNTS.filter(({ address }) => isUnder(placementOfFamily(address), shard)).map(({ address, index, storage }) => ({
      address,
      family: address,
      nonce: BigInt(index),
      balanceWei: BigInt(index) * 10n ** 18n,
      code: index % 5 === 0 ? CODE : new Uint8Array(0),
      storage,
    }));
    const version = await states.writeFirst(0, buildGenesisState(accounts), (operations) => store.write(operations, { sync: false }));
    await store.write(states.commit(version), { sync: true });
    states.adopted(version);
    databases.set(shard, states);
    versions.set(shard, states.committed());
  }
  return { world: new WorldState(versions), databases };
}

describe('the world as clients read it', () => {
  before(initialiseKeccak);

  it('has the same root, accounts, slots and codes under every layout', async () => {
    const [whole, ...others] = await Promise.all(LAYOUTS.map(worldUnder));
    assert.ok(whole !== undefined);
    for (const { world } of others) {
      assert.equal(bytesToHex(world.root), bytesToHex(whole.world.root));
      for (const address of [...ACCOUNTS.map((account) => account.address), ABSENT]) {
        assert.deepEqual(world.getAccount(address, address), whole.world.getAccount(address, address));
        assert.deepEqual(world.getStorage(address, address, SLOT), whole.world.getStorage(address, address, SLOT));
        assert.equal(world.getPointer(address), undefined);
        assert.equal(world.isLoneFamily(address), whole.world.isLoneFamily(address));
      }
      assert.deepEqual(world.getCode(keccak256(CODE)), CODE);
      assert.equal(world.getCode(keccak256(SLOT)), undefined);
    }
  });

  it('asks each shard for its own families only', async () => {
    const { world } = await worldUnder([4, 5, 3]);
    for (const { address } of ACCOUNTS) assert.ok(isUnder(placementOfFamily(address), world.shardOf(address)));
    assert.equal(new Set(ACCOUNTS.map(({ address }) => world.shardOf(address))).size, 3);
  });

  it('proves what is there and what is not against the world root', async () => {
    for (const layout of LAYOUTS) {
      const { world, databases } = await worldUnder(layout);
      for (const address of [...ACCOUNTS.slice(0, 8).map((account) => account.address), ABSENT]) {
        const shard = world.shardOf(address);
        const states = databases.get(shard);
        assert.ok(states !== undefined);
        const { account } = states.proveAccount(world.versionOf(address), address, address, []);
        for (const proof of [account, states.provePointer(world.versionOf(address), address)]) {
          const extended = extendToWorld(shard, proof, world.roots);
          assert.ok(verifyProof('account', world.root, extended.key, extended).ok, `${bytesToHex(address)} under ${layout.join()}`);
        }
      }
    }
  });
});
