// The beacon as the replay follows it, over the ends of its epochs, and all that shards and view blocks read of it: states, instances, anchors.
import type { BeaconConstants } from '../../core/beacon/constants.ts';
import { isLastOfEpoch } from '../../core/beacon/epochs.ts';
import { beaconStartRecord, firstBeaconRecord, instanceOfRecord } from '../../core/beacon/instance.ts';
import { type BeaconState, shardsOf } from '../../core/beacon/state.ts';
import { areValid } from '../../core/consensus/signature-sets.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { Bytes32, Height, Hex } from '../../core/primitives/ids.ts';
import type { Cursor } from '../../core/protocol/block.ts';
import { type Instance, StartRecord } from '../../core/protocol/committee.ts';
import type { Genesis } from '../../core/protocol/genesis.ts';
import { createBeaconCommits, encodeBeaconState } from '../../runtime/beacon-commits.ts';
import { type BeaconOutcome, beaconStartOutcome, createBeaconLogic, type ExecutedBeaconOutcome } from '../../runtime/beacon-logic.ts';
import { BeaconWindow } from '../../runtime/beacon-window.ts';
import { createBeaconStore } from '../../storage/beacon-store.ts';
import type { StoredBlock } from '../../storage/block-store.ts';
import type { MemoryStore } from '../../storage/memory-store.ts';
import type { WorldCrypto } from '../world.ts';
import { type Followed, ReplayedInstance } from './replayed-instance.ts';

/** What following the beacon takes. */
export interface ReplayedBeaconOptions {
  readonly genesis: Genesis;
  readonly constants: BeaconConstants;
  readonly crypto: WorldCrypto;
  readonly store: MemoryStore;
}

type Running = ReplayedInstance<BeaconOutcome, ExecutedBeaconOutcome>;

/** See the file's head. */
export class ReplayedBeacon {
  readonly window: BeaconWindow;
  readonly #options: ReplayedBeaconOptions;
  readonly #instances = new Map<Hex, Instance>();
  /** With which cursors each instance of a shard starts. */
  readonly #cursors = new Map<Hex, readonly Cursor[]>();
  readonly #hashes = new Map<Height, Bytes32>();
  #running: Running;

  private constructor(options: ReplayedBeaconOptions, window: BeaconWindow, genesisState: BeaconState) {
    this.#options = options;
    this.window = window;
    this.#running = this.#begin(firstBeaconRecord(genesisState), genesisState);
    const records = genesisState.records.map(({ record }) => record);
    this.#knowShards(genesisState, records);
  }

  /** From the genesis state on. */
  static async begin(options: ReplayedBeaconOptions, genesisState: BeaconState): Promise<ReplayedBeacon> {
    const { store, genesis } = options;
    const beaconStore = createBeaconStore(store);
    const record = firstBeaconRecord(genesisState);
    const { timestampMs, seed } = record;
    await store.write(
      [
        ...beaconStore.putState(0, encodeBeaconState(genesisState)),
        ...beaconStore.putPoint(0, { hash: StartRecord.hashTreeRoot(record), timestampMs, seed }),
      ],
      { sync: true },
    );
    const window = await BeaconWindow.open({ parameters: genesis.parameters, beaconStore }, genesisState);
    return new ReplayedBeacon(options, window, genesisState);
  }

  /** The instance of the next block. */
  get instance(): Instance {
    return this.#running.instance;
  }

  /** The height of the newest block that was followed. */
  get height(): Height {
    return this.#running.height;
  }

  /** The instance that a block says it is of, the beacon's or a shard's; undefined of one that no block which was followed has begun. */
  instanceOf(instanceId: Bytes32): Instance | undefined {
    return this.#instances.get(bytesToHex(instanceId));
  }

  /** The cursors with which an instance of a shard starts. */
  cursorsOf(instanceId: Bytes32): readonly Cursor[] {
    return this.#cursors.get(bytesToHex(instanceId)) ?? [];
  }

  /** Follows the next block. */
  async follow(stored: StoredBlock): Promise<Followed<BeaconOutcome, ExecutedBeaconOutcome>> {
    const followed = await this.#running.follow(stored);
    if (!followed.ok) return followed;
    const { executed } = followed;
    const { constants, store } = this.#options;
    const { height } = executed.facts;
    const rows = createBeaconCommits({
      constants,
      beaconStore: createBeaconStore(store),
      rowsOf: () => [],
      onCommitted: (outcome) => this.window.extend(outcome),
    });
    await store.write([...rows.rowsOf(executed)], { sync: true });
    this.#running.adopt(executed);
    this.#hashes.set(height, executed.hash);
    rows.written(executed);
    this.#knowShards(executed.state, executed.applied.newRecords);
    if (isLastOfEpoch(height, constants.parameters))
      this.#running = this.#begin(beaconStartRecord(constants, executed.state, executed.hash), executed.state);
    return followed;
  }

  #begin(record: StartRecord, state: BeaconState): Running {
    const { constants, crypto, genesis } = this.#options;
    const instance = instanceOfRecord(constants, state, record);
    this.#instances.set(bytesToHex(instance.instanceId), instance);
    if (record.height === 0) this.#hashes.set(0, instance.startRecordRoot); // Genesis has no block.
    const logic = createBeaconLogic({
      constants,
      instance,
      hashBefore: (height) => this.#hashes.get(height),
      nextLayout: ({ layouts }) => {
        const newest = layouts.at(-1);
        invariant(newest !== undefined, 'there is a layout');
        return shardsOf(newest);
      },
      verify: async (sets) => areValid(crypto.bls, sets),
    });
    const { leaderWindow } = genesis.parameters;
    return new ReplayedInstance({ instance, logic, start: beaconStartOutcome(instance, state), vrf: crypto.vrf, leaderWindow });
  }

  #knowShards(state: BeaconState, records: readonly StartRecord[]): void {
    for (const record of records) {
      const instance = instanceOfRecord(this.#options.constants, state, record);
      const name = bytesToHex(instance.instanceId);
      this.#instances.set(name, instance);
      const entry = state.records.find((each) => each.record === record);
      invariant(entry !== undefined, 'a record that was just made is in force');
      this.#cursors.set(name, entry.progress.cursors);
    }
  }
}
