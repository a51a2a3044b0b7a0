// One instance of a chain as a node follows it that takes part in nothing: each block that became final is validated and executed again, once, from
// its parent's outcome alone; its leader is the one that the draw gives, and its VRF proof is the leader's.
import { type ChainPoint, leaderOf, pointAfter, vrfAlphaOf } from '../../core/consensus/leader.ts';
import type { VrfScheme } from '../../core/crypto/vrf.ts';
import { bytesEqual } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { Bytes32, Height } from '../../core/primitives/ids.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import { Block } from '../../core/protocol/certified-block.ts';
import type { Instance } from '../../core/protocol/committee.ts';
import { decodeCanonical } from '../../core/protocol/ssz.ts';
import { ChainBlocks } from '../../runtime/chain-blocks.ts';
import type { ChainLogic, Outcome } from '../../runtime/chain-logic.ts';
import type { StoredBlock } from '../../storage/block-store.ts';
import type { Property } from './violation.ts';

/** What a block that follows came to, and what it stood on; or what is wrong with it. */
export type Followed<Start, Executed> =
  | { readonly ok: true; readonly executed: Executed; readonly parent: Start }
  | { readonly ok: false; readonly property: Property; readonly detail: string };

/** What following takes. */
export interface ReplayedInstanceOptions<Start extends Outcome, Executed extends Start> {
  readonly instance: Instance;
  readonly logic: ChainLogic<Start, Executed>;
  /** Of the start record. */
  readonly start: Start;
  readonly vrf: VrfScheme;
  readonly leaderWindow: number;
}

/** See the file's head. */
export class ReplayedInstance<Start extends Outcome, Executed extends Start> {
  readonly instance: Instance;
  readonly #options: ReplayedInstanceOptions<Start, Executed>;
  readonly #blocks: ChainBlocks<Start, Executed>;
  readonly #hashes = new Map<Height, Bytes32>();
  #point: ChainPoint;

  constructor(options: ReplayedInstanceOptions<Start, Executed>) {
    this.#options = options;
    this.instance = options.instance;
    const { startRecord, startRecordRoot } = options.instance;
    this.#hashes.set(startRecord.height, startRecordRoot);
    const { logic, vrf } = options;
    this.#blocks = new ChainBlocks({ logic, vrf, committedHash: (height) => this.#hashes.get(height) }, options.start);
    this.#point = { hash: startRecordRoot, height: startRecord.height, round: 0, seed: startRecord.seed, anchors: [] };
  }

  /** The height of the newest block that was followed. */
  get height(): Height {
    return this.#point.height;
  }

  /** Judges and executes the next block. Afterwards `adopt` goes on from it. */
  async follow(stored: StoredBlock): Promise<Followed<Start, Executed>> {
    const { instance } = this.#options;
    const decoded = decodeCanonical(Block, stored.block);
    if (!decoded.ok) return fault('validity', `does not decode: ${decoded.reason}`);
    const { header, body } = decoded.value;
    if (!bytesEqual(blockHashOf(header), stored.hash)) return fault('validity', 'has another hash');
    if (!bytesEqual(header.parentHash, this.#point.hash)) return fault('agreement', `is not a child of block ${this.#point.height}`);
    const leader = leaderOf(instance, this.#point, header.round);
    if (header.proposer !== leader) return fault('validity', `is of ${header.proposer}, leader is ${leader}`);
    const added = await this.#blocks.add(stored.hash, header, body);
    if (!added.ok) return fault('validity', `${added.reason} ${added.detail}`);
    const member = instance.committee.members.find(({ validator }) => validator === leader);
    invariant(member !== undefined, 'the leader is a member');
    const alpha = vrfAlphaOf(instance, this.#point.seed, header.round);
    const verdict = await this.#blocks.validate(stored.hash, member.vrfPublicKey, alpha);
    if (!verdict.ok) return fault('validity', `${verdict.reason} ${verdict.detail}`);
    const parent = this.#blocks.committed;
    const executed = await this.#blocks.executedOutcomeOf(stored.hash);
    const { height, round } = header;
    this.#point = pointAfter(this.#point, { hash: stored.hash, height, round }, verdict.value, this.#options.leaderWindow);
    this.#hashes.set(height, stored.hash);
    invariant(bytesEqual(executed.seed, this.#point.seed), 'a seed follows from seeds and proofs');
    return { ok: true, executed, parent };
  }

  /** What was followed is on disk. */
  adopt(executed: Executed): void {
    this.#blocks.adopt(executed);
  }
}

function fault(property: Property, detail: string): { readonly ok: false; readonly property: Property; readonly detail: string } {
  return { ok: false, property, detail };
}
