// Worlds of whole nodes for tests of the beacon and its shards: short epochs, and what all nodes committed, side by side.
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import type { ChainId, Height } from '../../src/core/primitives/ids.ts';
import type { GenesisAccount } from '../../src/core/protocol/genesis.ts';
import type { Beacon } from '../../src/node/create-beacon.ts';
import type { Shards } from '../../src/node/create-shards.ts';
import type { Follow } from '../../src/node/followed-shards.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import type { End } from '../../src/simulation/disk.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { createWorld, type World, type WorldCrypto } from '../../src/simulation/world.ts';
import { createBeaconStore } from '../../src/storage/beacon-store.ts';

const START_MS = 1_700_000_000_000;

export interface BeaconWorldOptions {
  readonly seed: number;
  readonly epochBlocks: number;
  /** Four when absent. */
  readonly nodes?: number;
  /** Of each committee; of all validators when absent. */
  readonly committeeSeats?: number;
  /** Which shards a node follows; all when absent. */
  readonly follow?: (index: number) => Follow;
  readonly lossShare?: number;
  readonly latencyMs?: number;
  /** One shard when absent. */
  readonly layout?: readonly ChainId[];
  readonly accounts?: readonly GenesisAccount[];
  /** Stand-ins know what they signed: who signs for the world's accounts gives them. */
  readonly crypto?: WorldCrypto;
}

/** See the file's head. */
export interface BeaconWorld extends World {
  /** Of each node, of its present life. */
  readonly beacons: readonly Beacon[];
  readonly shards: readonly Shards[];
  run(forMs: number): Promise<void>;
  /** Ends a node, and starts it again after a while. */
  restart(index: number, end: End, afterMs: number): Promise<void>;
  /** The hash of the beacon block that a node has on disk at a height. */
  beaconHashAt(index: number, height: Height): string | undefined;
}

/** Makes the nodes and starts them. */
export async function createBeaconWorld(options: BeaconWorldOptions): Promise<BeaconWorld> {
  const {
    seed,
    epochBlocks,
    layout,
    nodes = 4,
    committeeSeats = nodes,
    accounts = [],
    crypto = standInCrypto(),
    latencyMs = 5,
    lossShare = 0,
  } = options;
  const world = await createWorld({
    crypto,
    seed,
    nodes,
    startMs: START_MS,
    latencyMs,
    lossShare,
    parameters: { ...readPreset('devnet'), epochBlocks, committeeSeats },
    accounts,
    ...(layout === undefined ? {} : { layout }),
    ...(options.follow === undefined ? {} : { follow: options.follow }),
  });
  return {
    ...world,
    get beacons() {
      return world.nodes.map(({ beacon }) => beacon);
    },
    get shards() {
      return world.nodes.map(({ shards }) => shards);
    },
    run: async (forMs) => {
      await world.clock.run(world.clock.nowMs() + forMs);
    },
    restart: async (index, how, afterMs) => {
      world.end(index, how);
      await world.clock.run(world.clock.nowMs() + afterMs);
      await world.start(index);
    },
    beaconHashAt: (index, height) => {
      const rows = world.disks[index]?.rows;
      const point = rows === undefined ? undefined : createBeaconStore(rows).getPoint(height);
      return point === undefined ? undefined : bytesToHex(point.hash);
    },
  };
}
