// All evidence that a node has, of whatever chain and instance, for as long as the beacon knows the instance: what a leader of the beacon puts in its
// block, so that the guilty lose stake (protocol, section 6), and what clients are told. Each running instance has a keeper that finds and verifies
// its own (evidence-keeper.ts); here it stays when the instance has ended.
import type { BeaconConstants } from '../core/beacon/constants.ts';
import { applyEvidence } from '../core/beacon/slashing.ts';
import type { BeaconState } from '../core/beacon/state.ts';
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';
import type { ChainId, Hex } from '../core/primitives/ids.ts';
import type { Instance } from '../core/protocol/committee.ts';
import { EVIDENCE_PER_BODY_MAX } from '../core/protocol/limits.ts';
import type { EvidenceStore } from '../storage/evidence-store.ts';
import { type KeptEvidence, keptEvidenceOf } from './evidence-keeper.ts';

/** Pieces kept in memory; the oldest go first, and stay on disk. */
const PIECES_MAX = 4_096;

type InstanceName = Pick<Instance, 'chain' | 'instanceId'>;

interface Archived {
  readonly instance: InstanceName;
  readonly kept: KeptEvidence;
}

/** See the file's head. */
export class EvidenceArchive {
  readonly #constants: BeaconConstants;
  readonly #pieces = new Map<Hex, Archived>();
  /** The last answer: whether a block is wanted, and what goes into it, is asked of one state in turn. */
  #answered: { readonly state: BeaconState; readonly operations: readonly Uint8Array[] } | undefined;

  private constructor(constants: BeaconConstants) {
    this.#constants = constants;
  }

  /** What is on disk of these instances. */
  static async open(constants: BeaconConstants, evidenceStore: EvidenceStore, instances: readonly Instance[]): Promise<EvidenceArchive> {
    const archive = new EvidenceArchive(constants);
    for (const instance of instances)
      for (const encoded of await evidenceStore.readAll(instance.chain, instance.instanceId))
        archive.add(instance, keptEvidenceOf(instance, encoded));
    return archive;
  }

  /** A keeper has something new that holds. */
  add({ chain, instanceId }: InstanceName, kept: KeptEvidence): void {
    this.#pieces.set(bytesToHex(kept.id), { instance: { chain, instanceId }, kept });
    this.#answered = undefined;
    for (const oldest of this.#pieces.keys()) {
      if (this.#pieces.size <= PIECES_MAX) return;
      this.#pieces.delete(oldest);
    }
  }

  /** All that is known against validators of a chain, the oldest first. */
  of(chain: ChainId): readonly KeptEvidence[] {
    return [...this.#pieces.values()].filter(({ instance }) => instance.chain === chain).map(({ kept }) => kept);
  }

  /** The operations of a beacon block on this state: each holds after those before it, and punishes somebody. */
  operationsOn(state: BeaconState): readonly Uint8Array[] {
    if (this.#answered?.state !== state) this.#answered = { state, operations: this.#findOperationsOn(state) };
    return this.#answered.operations;
  }

  #findOperationsOn(state: BeaconState): readonly Uint8Array[] {
    const operations: Uint8Array[] = [];
    let after: BeaconState = { ...state, height: state.height + 1 };
    for (const piece of this.#pieces.values()) {
      if (operations.length === EVIDENCE_PER_BODY_MAX) break;
      if (!isKnown(after, piece) || isPunished(after, piece)) continue;
      const applied = applyEvidence(this.#constants, after, piece.kept.encoded);
      if (!applied.ok) continue;
      operations.push(piece.kept.encoded);
      after = applied.value.state;
    }
    return operations;
  }
}

// Both before it is decoded, since this is asked at every commit: most instances are forgotten by the beacon, and most of the guilty are punished.
function isKnown({ instances }: BeaconState, { instance }: Archived): boolean {
  return instances.some(({ instanceId }) => bytesEqual(instanceId, instance.instanceId));
}

function isPunished({ convictions }: BeaconState, { instance, kept }: Archived): boolean {
  if (convictions.length === 0) return false;
  const convicted = convictions.filter(({ instanceId }) => bytesEqual(instanceId, instance.instanceId)).map(({ validator }) => validator);
  return kept.guilty.every((validator) => convicted.includes(validator));
}
