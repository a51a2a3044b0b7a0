// What the beacon has made final of an instance that runs here, held against what this node has committed of it. With fewer than a third of dishonest
// seats in the committee the one is a part of the other. With more, the instance may have forked before its crosslink, and this node may be on the
// side that lost: then the headers part, and it must go back to where they do (node/shard-rollback.ts). That is seen at the first height where this node
// has another block, whichever of the two it heard of first.
import { bytesEqual } from '../core/primitives/bytes.ts';
import type { Bytes32, Height } from '../core/primitives/ids.ts';

/** Anchored headers above the newest committed block that are remembered; of more, the newest takes the place of the last. */
const AWAITED_MAX = 4_096;

/** A block's place in its instance, and its name. */
export interface NamedBlock {
  readonly height: Height;
  readonly hash: Bytes32;
}

/** What this node has committed of the instance. */
export interface CommittedBlocks {
  readonly has: (hash: Bytes32) => boolean;
  readonly height: () => Height;
}

/** See the file's head. */
export class AnchoredBranch {
  readonly #committed: CommittedBlocks;
  readonly #awaited = new Map<Height, Bytes32>();
  #newestAwaited: Height = 0;
  #partsAt: Height | undefined;

  constructor(committed: CommittedBlocks) {
    this.#committed = committed;
  }

  /** A height at which this node has committed another block than the anchored one, as soon as there is one. */
  get partsAt(): Height | undefined {
    return this.#partsAt;
  }

  /** Whether a block is of another branch than the anchored one, as far as this node does not have that. */
  isLosing({ height, hash }: NamedBlock): boolean {
    const anchored = this.#awaited.get(height);
    return anchored !== undefined && !bytesEqual(hash, anchored);
  }

  /** A crosslink made a header final. */
  anchored({ height, hash }: NamedBlock): void {
    if (this.#committed.has(hash)) return;
    if (height <= this.#committed.height()) return this.#part(height);
    // They come in ascending order.
    if (this.#awaited.size >= AWAITED_MAX) this.#awaited.delete(this.#newestAwaited);
    this.#awaited.set(height, hash);
    this.#newestAwaited = height;
  }

  /** This node has committed a block. */
  committed({ height, hash }: NamedBlock): void {
    const anchored = this.#awaited.get(height);
    if (anchored === undefined) return;
    this.#awaited.delete(height);
    if (!bytesEqual(hash, anchored)) this.#part(height);
  }

  #part(height: Height): void {
    this.#partsAt = Math.min(height, this.#partsAt ?? height);
  }
}
