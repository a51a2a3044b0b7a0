// Which committed blocks of a shard are void: those that the beacon took over (protocol, section 6). An instance is over at the last header that its successor's
// record names. Where that header closes it, nothing is void. Where it does not, the beacon closed it there: the header stays, its body and all that was
// committed above do not count, and the next instance goes on from its height. Known from what beacon blocks say and from nothing else.
import { epochOfHeight } from '../../core/beacon/epochs.ts';
import type { KnownInstance } from '../../core/beacon/state.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import type { Bytes32, ChainId, Height, Hex } from '../../core/primitives/ids.ts';
import { type BlockHeader, blockHashOf } from '../../core/protocol/block.ts';
import { StartRecord } from '../../core/protocol/committee.ts';

/** An instance that the beacon took over. */
export interface Takeover {
  readonly shard: ChainId;
  readonly instanceId: Bytes32;
  /** Of its last crosslinked header, or of its record: blocks above are void. */
  readonly height: Height;
  /** The height after whose execution the state was when the next instance began. */
  readonly stateHeight: Height;
}

/** See the file's head. */
export class Takeovers {
  readonly #epochLength: Parameters<typeof epochOfHeight>[1];
  /** By hash, the beacon height that a crosslinked header refers to. */
  readonly #references = new Map<Hex, Height>();
  readonly #known = new Map<ChainId, KnownInstance[]>();
  readonly #takenOver = new Map<Hex, Takeover>();

  constructor(epochLength: Parameters<typeof epochOfHeight>[1]) {
    this.#epochLength = epochLength;
  }

  /** A beacon block made a header final. */
  crosslinked(header: BlockHeader): void {
    this.#references.set(bytesToHex(blockHashOf(header)), header.beaconReference.height);
  }

  /** The beacon has made a record, which is of the first instance of its shard, or goes on from the one before. */
  began(next: KnownInstance): Takeover | undefined {
    const { shard, closingHeaders, height } = next.record;
    const known = this.#known.get(shard) ?? [];
    this.#known.set(shard, [...known, next]);
    const before = known.at(-1);
    const [last] = closingHeaders;
    if (before === undefined || last === undefined) return undefined;
    const { record, instanceId } = before;
    const reference = bytesEqual(last, StartRecord.hashTreeRoot(record)) ? undefined : this.#references.get(bytesToHex(last));
    if (reference !== undefined && epochOfHeight(reference, this.#epochLength) > record.epoch) return undefined;
    const takeover = { shard, instanceId, height, stateHeight: Math.max(record.height, height - 1) };
    this.#takenOver.set(bytesToHex(instanceId), takeover);
    return takeover;
  }

  /** How an instance was taken over, if it was. */
  of(instanceId: Bytes32): Takeover | undefined {
    return this.#takenOver.get(bytesToHex(instanceId));
  }

  /** Whether a committed block is void. */
  isVoid(instanceId: Bytes32, height: Height): boolean {
    return height > (this.of(instanceId)?.height ?? Number.POSITIVE_INFINITY);
  }

  /** The instances of a shard, oldest first. */
  instancesOf(shard: ChainId): readonly KnownInstance[] {
    return this.#known.get(shard) ?? [];
  }
}
