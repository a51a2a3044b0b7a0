// Composes the beacon of a node: one chain of instances, each ended by the last block of its epoch and followed by the next, whose record
// derives from that block (protocol, section 6). Whoever still speaks in an instance that has ended is answered from what is stored
// (sync/ended-instances.ts).
import { beaconConstantsOf } from '../core/beacon/constants.ts';
import type { NextLayout } from '../core/beacon/epoch.ts';
import { isLastOfEpoch } from '../core/beacon/epochs.ts';
import { genesisBeaconState } from '../core/beacon/genesis-state.ts';
import { firstBeaconRecord, instanceOfRecord } from '../core/beacon/instance.ts';
import { type BeaconState, shardsOf } from '../core/beacon/state.ts';
import { isCarrier } from '../core/consensus/block-role.ts';
import { invariant } from '../core/primitives/errors.ts';
import { BEACON_CHAIN, type Bytes32, type ChainId, type Height, type ValidatorIndex } from '../core/primitives/ids.ts';
import { type Instance, StartRecord } from '../core/protocol/committee.ts';
import type { Genesis } from '../core/protocol/genesis.ts';
import { decodeCanonical } from '../core/protocol/ssz.ts';
import type { RowOperation } from '../core/state/state-rows.ts';
import { createBeaconCommits, decodeBeaconState, encodeBeaconState } from '../runtime/beacon-commits.ts';
import {
  type BeaconOutcome,
  beaconOutcome,
  beaconStartOutcome,
  createBeaconLogic,
  type ExecutedBeaconOutcome,
} from '../runtime/beacon-logic.ts';
import { type BeaconOperations, createBeaconPayloads } from '../runtime/beacon-payloads.ts';
import type { KeptEvidence } from '../runtime/evidence-keeper.ts';
import type { InstanceSwitch } from '../runtime/instance-switch.ts';
import type { ValidatorSecrets } from '../runtime/signer.ts';
import type { VerifiedClaims } from '../runtime/verified-claims.ts';
import type { SigningRecord } from '../storage/signing-record.ts';
import { type Chain, createChain } from './create-chain.ts';
import type { NodePorts } from './create-node.ts';
import type { EpochPace } from './epoch-pace.ts';
import { loadInstance } from './load-instance.ts';
import type { NodeStores } from './node-stores.ts';
import type { SigningRecords } from './signing-records.ts';

/** What composing the beacon takes beside the node's ports. */
export interface CreateBeaconOptions extends NodePorts, NodeStores {
  readonly genesis: Genesis;
  /** Root of the genesis accounts under a shard. */
  readonly genesisRootOf: (shard: ChainId) => Bytes32;
  readonly self: ValidatorIndex | undefined;
  readonly secrets: ValidatorSecrets | undefined;
  readonly signingRecords: SigningRecords;
  readonly instances: InstanceSwitch;
  /** Of all chains of the node. */
  readonly claims: VerifiedClaims;
  readonly onEvidence: (instance: Instance, kept: KeptEvidence) => void;
  readonly operations: BeaconOperations;
  /** When an epoch may be entered. */
  readonly pace: EpochPace;
  /** What others write with a beacon block. */
  readonly rowsOf: (outcome: ExecutedBeaconOutcome) => readonly RowOperation[];
  readonly onCommitted: (outcome: ExecutedBeaconOutcome) => void;
  readonly onFault: (fault: unknown) => void;
}

/** The beacon's chain in the instance that runs. */
export type BeaconChain = Chain<BeaconOutcome, ExecutedBeaconOutcome>;

interface Running {
  readonly chain: BeaconChain;
  readonly signingRecord: SigningRecord;
}

/** Until the controller decides, the layout stays what the newest one is. */
export const sameLayout: NextLayout = ({ layouts }) => {
  const newest = layouts.at(-1);
  invariant(newest !== undefined, 'there is a layout');
  return shardsOf(newest);
};

/** See the file's head. */
export class Beacon {
  readonly #options: CreateBeaconOptions;
  #current: Running | undefined;
  #succession: Promise<void> = Promise.resolve();
  #hasStarted = false;
  #stopped = false;

  private constructor(options: CreateBeaconOptions) {
    this.#options = options;
  }

  /** Opens the beacon where it stands on disk; a new database gets the genesis state. */
  static async open(options: CreateBeaconOptions): Promise<Beacon> {
    const beacon = new Beacon(options);
    const { beaconStore } = options;
    if (beaconStore.getRecord() === undefined) await beacon.#writeGenesis();
    beacon.#current = await beacon.#run();
    return beacon;
  }

  /** The chain of the instance that runs now. */
  get chain(): BeaconChain {
    invariant(this.#current !== undefined, 'an open beacon runs an instance');
    return this.#current.chain;
  }

  /** The state after the newest committed block. */
  get state(): BeaconState {
    return this.chain.blocks.committed.state;
  }

  start(): void {
    this.#hasStarted = true;
    this.chain.runner.start();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.pace.stop();
    await this.#succession;
    if (this.#current !== undefined) await endOf(this.#current);
  }

  async #writeGenesis(): Promise<void> {
    const { genesis, genesisRootOf, beaconStore, store } = this.#options;
    const state = genesisBeaconState(genesis, genesisRootOf);
    const record = firstBeaconRecord(state);
    const { timestampMs, seed } = record;
    const operations = [
      ...beaconStore.putState(0, encodeBeaconState(state)),
      ...beaconStore.putPoint(0, { hash: StartRecord.hashTreeRoot(record), timestampMs, seed }),
      ...beaconStore.putRecord(StartRecord.serialize(record)),
    ];
    await store.write(operations, { sync: true });
  }

  async #run(): Promise<Running> {
    const { genesis, beaconStore, secrets, signingRecords, claims } = this.#options;
    const { parameters } = genesis;
    const constants = beaconConstantsOf(genesis);
    const encoded = beaconStore.getRecord();
    invariant(encoded !== undefined, 'the record of an instance that runs is stored');
    const record = decodeCanonical(StartRecord, encoded);
    invariant(record.ok, 'a stored record decodes');
    const startState = this.#stateAt(record.value.height);
    const instance = instanceOfRecord(constants, startState, record.value);
    const loaded = await loadInstance<BeaconOutcome>(this.#options, instance, {
      roleOf: (header) => (isCarrier(header) ? 'carrier' : isLastOfEpoch(header.height, constants.parameters) ? 'closing' : 'ordinary'),
      start: () => beaconStartOutcome(instance, startState),
      newest: ({ hash, block: { header }, record: { point } }) => beaconOutcome(hash, header, point.seed, this.#stateAt(header.height)),
    });
    const { signingRecord, maySign } = await signingRecords.openFor(loaded);
    const hashBefore = (height: Height): Bytes32 | undefined => beaconStore.getPoint(height)?.hash;
    const chain = await createChain<BeaconOutcome, ExecutedBeaconOutcome>({
      ...this.#options,
      // A round of the beacon waits as long as its leader may (beacon-payloads.ts).
      parameters: { ...parameters, idleIntervalMs: Math.max(parameters.idleIntervalMs, parameters.beaconBlockIntervalMsMin) },
      loaded,
      logic: createBeaconLogic({
        constants,
        instance,
        hashBefore,
        nextLayout: sameLayout,
        verify: async (sets) => (await claims.judge(sets, BEACON_CHAIN)) === 'valid',
      }),
      rows: createBeaconCommits({
        constants,
        beaconStore,
        rowsOf: this.#options.rowsOf,
        onCommitted: (outcome) => this.#onCommitted(outcome),
      }),
      payloadsOn: (blocks) =>
        createBeaconPayloads({
          constants,
          nextLayout: sameLayout,
          operations: this.#options.operations,
          clock: this.#options.clock,
          beaconHashAt: (height) => (height <= instance.startRecord.height ? hashBefore(height) : blocks.ancestorHashOf(height)),
        }),
      signingRecord,
      // Its fork is nobody's to decide.
      isLosing: () => false,
      secrets: maySign ? secrets : undefined,
    });
    return { chain, signingRecord };
  }

  #stateAt(height: Height): BeaconState {
    const encoded = this.#options.beaconStore.getState(height);
    invariant(encoded !== undefined, `the state at height ${height} is kept while an instance starts from it or stands at it`);
    return decodeBeaconState(encoded);
  }

  #onCommitted(outcome: ExecutedBeaconOutcome): void {
    this.#options.onCommitted(outcome);
    const { parameters } = this.#options.genesis;
    const { height } = outcome.facts;
    if (isLastOfEpoch(height, parameters)) this.#succession = this.#succession.then(() => this.#succeed()).catch(this.#options.onFault);
  }

  async #succeed(): Promise<void> {
    if (this.#stopped) return;
    const ended = this.#current;
    if (ended !== undefined) {
      await endOf(ended);
      await this.#options.pace.until(ended.chain.instance.epoch + 1, ended.chain.blocks.committed.facts.timestampMs);
      if (this.#stopped) return;
    }
    this.#current = await this.#run();
    if (!this.#hasStarted) return;
    this.#current.chain.runner.start();
    this.#current.chain.runner.greet(); // A node that was away comes back through many instances: it waits for no timer in each.
  }
}

async function endOf({ chain, signingRecord }: Running): Promise<void> {
  await chain.stop();
  await signingRecord.close();
}
