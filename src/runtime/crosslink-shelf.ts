// Crosslinks of shards that this node does not follow (protocol, section 6): members of their committees announce them, and whoever leads the
// beacon puts them into its block. Of each open record the one that goes furthest is kept. What is kept was judged by the beacon's own rules and
// verified, so that a leader's block is valid with it, and what is handed on to others is of use to them.
import type { BeaconConstants } from '../core/beacon/constants.ts';
import { type CrosslinkRefusal, judgeCrosslink } from '../core/beacon/crosslink.ts';
import { epochOfHeight } from '../core/beacon/epochs.ts';
import { restOfCrosslink } from '../core/beacon/rest-of-crosslink.ts';
import type { BeaconState, RecordEntry } from '../core/beacon/state.ts';
import type { SignatureSet } from '../core/consensus/signature-sets.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import type { Bytes32, ChainId, Height } from '../core/primitives/ids.ts';
import { refuse, type Verdict } from '../core/primitives/verdict.ts';
import type { BlockHeader } from '../core/protocol/block.ts';
import { Crosslink } from '../core/protocol/crosslink.ts';
import { CROSSLINK_BYTES_MAX } from '../core/protocol/limits.ts';
import { decodeCanonical } from '../core/protocol/ssz.ts';
import type { ForwardDecision, GossipMessage, Network, PeerName } from '../network/ports.ts';
import type { Metrics } from './ports.ts';
import type { ClaimsJudgement } from './verified-claims.ts';

/** Crosslinks that are verified at once; what comes on top is not looked at, and will be announced again. */
const CHECKS_AT_ONCE_MAX = 16;
/** Bytes of all that is kept: far more than honest committees make between two beacon blocks. */
const SHELF_BYTES_MAX = 64 * 1024 * 1024;
/** Weight of a crosslink that is none: nobody hands on what he has not verified. */
const BAD_CROSSLINK_WEIGHT = 20;
/** Without headers, for the child roots alone: of a record that is closed, so that nothing goes further. */
const BEHIND_ALL_HEADERS: Height = Number.MAX_SAFE_INTEGER;

/** Reasons that say no more than that its maker knew another state of the beacon, later or earlier: nobody is to blame. */
const OTHER_STATE: ReadonlySet<CrosslinkRefusal> = new Set<CrosslinkRefusal>([
  'unknown-record',
  'record-closed',
  'record-not-closed',
  'wrong-parent',
  'wrong-reference',
  'child-roots-not-wanted',
  'wrong-child-roots',
]);

/** What the shelf needs of its node. */
export interface CrosslinkShelfDependencies {
  readonly constants: BeaconConstants;
  /** The state after the newest committed beacon block. */
  readonly newest: () => BeaconState;
  /** Hash of a committed beacon block; of height 0 the root of the beacon's first start record. */
  readonly beaconHashAt: (height: Height) => Bytes32 | undefined;
  /** Whether all of these claims verify. */
  readonly verify: (claims: readonly SignatureSet[]) => Promise<ClaimsJudgement>;
  readonly network: Pick<Network, 'peers'>;
  readonly metrics: Metrics;
}

interface Kept {
  readonly crosslink: Crosslink;
  /** Height of its last header. */
  readonly end: Height;
  readonly bytes: number;
}

/** See the file's head. */
export class CrosslinkShelf {
  readonly #dependencies: CrosslinkShelfDependencies;
  /** By record. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #checks = 0;

  constructor(dependencies: CrosslinkShelfDependencies) {
    this.#dependencies = dependencies;
  }

  /** Bytes of all that is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Judges what is gossiped: it goes on if it holds, and goes further than what is crosslinked and what is kept. */
  async receive({ data, from }: GossipMessage): Promise<ForwardDecision> {
    if (data.length > CROSSLINK_BYTES_MAX) return this.#refuse(from, 'too-large');
    const decoded = decodeCanonical(Crosslink, data);
    if (!decoded.ok) return this.#refuse(from, decoded.reason);
    const crosslink = decoded.value;
    if (!this.#addsTo(crosslink) || !this.#hasRoom(crosslink, data.length)) return 'ignore';
    const judged = this.#judge(crosslink, this.#dependencies.newest());
    if (!judged.ok) return OTHER_STATE.has(judged.reason) ? 'ignore' : this.#refuse(from, judged.reason);
    if (this.#checks >= CHECKS_AT_ONCE_MAX) return 'ignore';
    this.#checks++;
    const judgement = await this.#dependencies.verify(judged.value.claims).finally(() => this.#checks--);
    if (judgement === 'invalid') return this.#refuse(from, 'wrong-signature');
    return judgement === 'valid' && this.#keep(crosslink, data.length) ? 'accept' : 'ignore';
  }

  /** Keeps one of this node's own making, whose certificates it has verified; true if it is worth telling. */
  offer(crosslink: Crosslink, bytes: number): boolean {
    return this.#judge(crosslink, this.#dependencies.newest()).ok && this.#keep(crosslink, bytes);
  }

  /** The height up to which a record's headers are here, or are crosslinked. */
  endOf({ record, progress }: RecordEntry): Height {
    return Math.max(this.#kept.get(nameOf(record))?.end ?? 0, progress.height);
  }

  /** For a body on this state: of each record that this node does not follow what is here, in the order of the records, each valid. */
  collect(state: BeaconState, follows: (shard: ChainId) => boolean): Uint8Array[] {
    return state.records.flatMap(({ record }) => {
      const kept = follows(record.shard) ? undefined : this.#kept.get(nameOf(record));
      const judged = kept && this.#judge(kept.crosslink, state);
      return judged?.ok === true ? [Crosslink.serialize(judged.value.crosslink)] : [];
    });
  }

  /** What is here that changes what is final on this state: the end of an instance (or what its successors begin with), or else results. */
  awaitedOn({ records }: BeaconState): 'end' | 'results' | undefined {
    let awaited: 'results' | undefined;
    for (const entry of records) {
      const crosslink = this.#kept.get(nameOf(entry.record))?.crosslink;
      if (crosslink === undefined || !addsToEntry(crosslink, entry)) continue;
      const last = crosslink.headers.at(-1);
      if (last === undefined || crosslink.carriers.length > 0 || this.#isOfLaterEpoch(last, entry)) return 'end';
      if (!bytesEqual(last.parentExecution.stateRoot, entry.progress.stateRoot)) awaited = 'results';
    }
    return awaited;
  }

  /** A beacon block is committed: what its state has is let go. */
  onBeacon({ records }: BeaconState): void {
    const open = new Map(records.map((entry) => [nameOf(entry.record), entry]));
    for (const [name, kept] of this.#kept) {
      const entry = open.get(name);
      if (entry !== undefined && addsToEntry(kept.crosslink, entry)) continue;
      this.#kept.delete(name);
      this.#bytes -= kept.bytes;
    }
  }

  // By the rules of the block that would hold it.
  #judge(
    crosslink: Crosslink,
    state: BeaconState,
  ): Verdict<{ readonly crosslink: Crosslink; readonly claims: readonly SignatureSet[] }, CrosslinkRefusal> {
    const { constants, beaconHashAt } = this.#dependencies;
    const entry = entryOf(crosslink, state);
    if (entry === undefined) return refuse('unknown-record');
    const rest = restOfCrosslink(crosslink, entry.progress);
    if (rest === undefined) return refuse('wrong-parent');
    return judgeCrosslink({ constants, state: { ...state, height: state.height + 1 }, encoded: Crosslink.serialize(rest), beaconHashAt });
  }

  // The reference of a closing block is behind the end of its instance's epoch.
  #isOfLaterEpoch({ beaconReference }: BlockHeader, { record }: RecordEntry): boolean {
    return epochOfHeight(beaconReference.height, this.#dependencies.constants.parameters) > record.epoch;
  }

  // Cheap: before anything is hashed.
  #addsTo(crosslink: Crosslink): boolean {
    const entry = entryOf(crosslink, this.#dependencies.newest());
    return entry !== undefined && addsToEntry(crosslink, entry) && endOfCrosslink(crosslink) > this.#keptEnd(crosslink);
  }

  #keptEnd(crosslink: Crosslink): Height {
    return this.#kept.get(nameOf(crosslink))?.end ?? 0;
  }

  #hasRoom(crosslink: Crosslink, bytes: number): boolean {
    return this.#bytes - (this.#kept.get(nameOf(crosslink))?.bytes ?? 0) + bytes <= SHELF_BYTES_MAX;
  }

  // Unless one that goes as far has come meanwhile, or a beacon block that has it.
  #keep(crosslink: Crosslink, bytes: number): boolean {
    if (!this.#addsTo(crosslink) || !this.#hasRoom(crosslink, bytes)) return false;
    const name = nameOf(crosslink);
    this.#bytes += bytes - (this.#kept.get(name)?.bytes ?? 0);
    this.#kept.set(name, { crosslink, end: endOfCrosslink(crosslink), bytes });
    return true;
  }

  #refuse(from: PeerName, reason: string): ForwardDecision {
    this.#dependencies.metrics.count('coppice_gossip_refused_total', { kind: 'crosslinks', reason });
    this.#dependencies.network.peers.misbehaved(from, reason, BAD_CROSSLINK_WEIGHT);
    return 'reject';
  }
}

function nameOf({ shard, epoch }: Pick<Crosslink, 'shard' | 'epoch'>): string {
  return `${shard}/${epoch}`;
}

function entryOf({ shard, epoch }: Crosslink, { records }: BeaconState): RecordEntry | undefined {
  return records.find(({ record }) => record.shard === shard && record.epoch === epoch);
}

function endOfCrosslink({ headers }: Crosslink): Height {
  return headers.at(-1)?.height ?? BEHIND_ALL_HEADERS;
}

// Headers behind those of the record while it is open; of one that is closed the child roots, as long as there are none.
function addsToEntry({ headers }: Crosslink, { closed, progress, childRoots }: RecordEntry): boolean {
  const last = headers.at(-1);
  return last === undefined ? closed && childRoots.length === 0 : !closed && last.height > progress.height;
}
