// The state of the whole world as clients read it: one tree, whose subtrees are the states of the shards (protocol, section 4). Each question goes to the
// shard that it is about, which the family decides; so a layout shows nowhere.
import { placementOfFamily } from '../messaging/placement.ts';
import { invariant } from '../primitives/errors.ts';
import { type Address, type Bytes32, type ChainId, ROOT_SHARD } from '../primitives/ids.ts';
import { shardOfPlacement } from '../protocol/shard-id.ts';
import type { Account } from '../state/account.ts';
import type { StateReader } from '../state/state-reader.ts';
import type { StateVersion } from '../state/state-version.ts';
import { type ShardRoots, worldRootOf } from '../state/world-root.ts';

/** See the file's head. */
export class WorldState implements StateReader {
  /** The version of each shard of a layout. */
  readonly versions: ReadonlyMap<ChainId, StateVersion>;
  readonly #whole: StateVersion | undefined;

  constructor(versions: ReadonlyMap<ChainId, StateVersion>) {
    this.versions = versions;
    this.#whole = versions.get(ROOT_SHARD);
  }

  /** The root of each shard. */
  get roots(): ShardRoots {
    return new Map([...this.versions].map(([shard, { root }]) => [shard, root]));
  }

  /** The world root. */
  get root(): Bytes32 {
    return this.#whole?.root ?? worldRootOf(this.roots);
  }

  /** The shard that a family, or the natural place of an address, is in. */
  shardOf(family: Address): ChainId {
    if (this.#whole !== undefined) return ROOT_SHARD;
    const shard = shardOfPlacement(this.versions, placementOfFamily(family));
    invariant(shard !== undefined, 'the shards of a world are the whole tree');
    return shard;
  }

  /** The version in which a family's accounts are. */
  versionOf(family: Address): StateVersion {
    const version = this.#whole ?? this.versions.get(this.shardOf(family));
    invariant(version !== undefined, 'each shard of a world has its version');
    return version;
  }

  getAccount(family: Address, address: Address): Account | undefined {
    return this.versionOf(family).getAccount(family, address);
  }

  getPointer(address: Address): Address | undefined {
    return this.versionOf(address).getPointer(address);
  }

  isLoneFamily(family: Address): boolean {
    return this.versionOf(family).isLoneFamily?.(family) ?? false;
  }

  getStorage(family: Address, address: Address, slot: Bytes32): Bytes32 | undefined {
    return this.versionOf(family).getStorage(family, address, slot);
  }

  // Codes are kept by their hash, whoever has them.
  getCode(codeHash: Bytes32): Uint8Array | undefined {
    for (const version of this.versions.values()) {
      const code = version.getCode(codeHash);
      if (code !== undefined) return code;
    }
    return undefined;
  }
}
