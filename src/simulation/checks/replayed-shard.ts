// A shard as the replay follows it, from instance to instance, over a state of its own.
import { layoutOfEpoch, shardsOf } from '../../core/beacon/state.ts';
import type { ItemExecutor } from '../../core/execution/item-executor.ts';
import { bytesEqual } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { Bytes32, ChainId, Height } from '../../core/primitives/ids.ts';
import type { Cursor } from '../../core/protocol/block.ts';
import type { Instance } from '../../core/protocol/committee.ts';
import type { NetworkParameters } from '../../core/protocol/parameters.ts';
import { makeShardInstance, type ShardInstance } from '../../core/shard/beacon-view.ts';
import { createStateDatabase } from '../../core/state/state-database.ts';
import type { StateDatabase } from '../../core/state/state-version.ts';
import type { BeaconWindow } from '../../runtime/beacon-window.ts';
import {
  createShardBlockLogic,
  type ExecutedShardBlockOutcome,
  type ShardBlockOutcome,
  shardStartOutcome,
} from '../../runtime/shard-block-logic.ts';
import { TransactionDirectory } from '../../runtime/transaction-directory.ts';
import type { StoredBlock } from '../../storage/block-store.ts';
import type { MemoryStore } from '../../storage/memory-store.ts';
import { inlineVerifier } from '../inline-verifier.ts';
import type { WorldCrypto } from '../world.ts';
import { type Followed, ReplayedInstance } from './replayed-instance.ts';

/** What following a shard takes. */
export interface ReplayedShardOptions {
  readonly shard: ChainId;
  readonly parameters: NetworkParameters;
  readonly crypto: WorldCrypto;
  /** Holds the state at genesis. */
  readonly store: MemoryStore;
  readonly window: BeaconWindow;
  readonly executor: ItemExecutor;
  /** The cursors with which an instance starts, as the beacon says. */
  readonly cursorsOf: (instanceId: Bytes32) => readonly Cursor[];
}

type Running = ReplayedInstance<ShardBlockOutcome, ExecutedShardBlockOutcome>;

/** See the file's head. */
export class ReplayedShard {
  readonly states: StateDatabase;
  readonly #options: ReplayedShardOptions;
  readonly #directory: TransactionDirectory;
  #running: Running | undefined;

  constructor(options: ReplayedShardOptions) {
    this.#options = options;
    this.states = createStateDatabase(options.store, options.shard);
    this.#directory = new TransactionDirectory(inlineVerifier(options.crypto), options.parameters.evmChainId);
  }

  /** The height of the newest block that was followed. */
  get height(): Height {
    return this.states.committed().height;
  }

  /** Follows the next block, which is of this instance; all that its reference makes final was followed. */
  async follow(stored: StoredBlock, instance: Instance): Promise<Followed<ShardBlockOutcome, ExecutedShardBlockOutcome>> {
    const running = this.#runningIn(instance);
    if (running === undefined) return { ok: false, property: 'agreement', detail: 'is of an instance that starts on another state' };
    const followed = await running.follow(stored);
    if (!followed.ok) return followed;
    const { executed } = followed;
    await this.#options.store.write([...this.states.commit(executed.version)], { sync: true });
    this.states.adopted(executed.version);
    running.adopt(executed);
    return followed;
  }

  /** What was followed above a height is void; the state is that of this height, known as the one of the next record. */
  async undo(height: Height, knownAs: Height): Promise<void> {
    const { version, operations } = await this.states.rollbackTo(height, knownAs);
    await this.#options.store.write([...operations], { sync: true });
    this.states.adopted(version);
    this.#running = undefined;
  }

  #runningIn(instance: Instance): Running | undefined {
    const before = this.#running;
    if (before !== undefined && bytesEqual(before.instance.instanceId, instance.instanceId)) return before;
    const { startRecord } = instance;
    const committed = this.states.committed();
    if (!bytesEqual(committed.root, startRecord.stateRoot) || committed.height !== startRecord.height) return undefined;
    const shardInstance = this.#shardInstanceOf(instance);
    const { parameters, window, executor, crypto } = this.#options;
    const logic = createShardBlockLogic({
      instance: shardInstance,
      parameters,
      states: this.states,
      directory: this.#directory,
      evm: executor,
      window,
      held: () => new Map(),
      pause: undefined,
    });
    const start = shardStartOutcome(shardInstance, committed);
    const { leaderWindow } = parameters;
    this.#running = new ReplayedInstance({ instance, logic, start, vrf: crypto.vrf, leaderWindow });
    return this.#running;
  }

  #shardInstanceOf({ instanceId, epoch, startRecord }: Instance): ShardInstance {
    const layout = layoutOfEpoch(this.#options.window.newest, epoch);
    invariant(layout !== undefined, `the layout of epoch ${epoch} is kept while an instance of it runs`);
    return makeShardInstance(startRecord, new Set(shardsOf(layout)), this.#options.cursorsOf(instanceId));
  }
}
