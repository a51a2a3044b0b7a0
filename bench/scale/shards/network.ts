// A network of shards and their beacon in virtual time, block by block: committees drawn by the production rule and laid out over the regions of the
// wide-area network, one member standing for all of its committee, whose one thread does everything that a validator of that shard does. Users are
// uniform: each transfer goes to a shard drawn at random, its own included, and there are always more of them than fit. A transfer counts when it is
// complete: the execution of its second item is final.
import { drawCommittees } from '../../../src/core/beacon/committees.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { hasTurn, rationOf } from '../../../src/core/messaging/congestion.ts';
import { MESSAGE_GAS, TRANSACTION_GAS } from '../../../src/core/protocol/gas.ts';
import { CROSSLINK_HEADERS_MAX, INBOX_ITEMS_PER_BODY_MAX } from '../../../src/core/protocol/limits.ts';
import type { NetworkParameters } from '../../../src/core/protocol/parameters.ts';
import { SeededRandom } from '../../../src/simulation/random.ts';
import { VirtualTime } from '../../../test/core/consensus/driver-world.ts';
import { type BeaconCosts, layoutOf } from './beacon-costs.ts';
import type { ConsensusLoad } from './consensus-load.ts';
import type { TransferCosts } from './transfer-costs.ts';
import { type RoundTrips, roundTripsOf } from './wan-rounds.ts';

/** One run. */
export interface NetworkOptions {
  readonly shards: number;
  readonly committee: number;
  readonly parameters: NetworkParameters;
  readonly transfer: TransferCosts;
  readonly beacon: BeaconCosts;
  /** Of a shard's committee, and of all validators. */
  readonly shardConsensus: ConsensusLoad;
  readonly beaconConsensus: ConsensusLoad;
  /** A QC or CC of a shard's committee. */
  readonly verifyCertificateMs: number;
  /** Signatures are checked on threads of their own, and cost the one that does everything else nothing. */
  readonly hasVerifierThreads: boolean;
  readonly seconds: number;
  readonly seed: number;
}

/** What a run comes to. */
export interface NetworkFigures {
  readonly shards: number;
  readonly validators: number;
  readonly hasVerifierThreads: boolean;
  readonly shardIntervalMs: number;
  readonly crossPercent: number;
  readonly completedPerSecond: number;
  readonly blocksPerSecond: number;
  /** From the block that a transfer was bought in until it is final, in the middle, within a shard and across. */
  readonly localMsP50: number;
  readonly crossMsP50: number;
  /** Of a validator's main thread: everything, and what the beacon takes. */
  readonly busyPercent: number;
  readonly beaconPercent: number;
  readonly beaconBlocksPerSecond: number;
  /** Of a beacon block: crosslinks in kB, and in a hundred blocks those into which not all crosslinks fitted. */
  readonly beaconBodyKb: number;
  readonly beaconFullPercent: number;
  /** What a validator sends and receives for the beacon. */
  readonly beaconKbPerSecond: number;
  /** The most messages that ever waited for a shard. */
  readonly backlogMost: number;
  /** The most headers of a shard that waited for a crosslink. */
  readonly headersWaitingMost: number;
}

const WARM_UP_SECONDS = 20;
const LINK_BITS_PER_MS = 1_000_000; // 1 Gbit/s, as in machines.ts
/** Large bodies go from neighbour to neighbour where the author's link would take longer to serve everybody. */
const MESH_NEIGHBOURS = 8;
/** Candidates that a leader looks at for each place in the block, where rations hold some back. */
const CANDIDATES = 4;
/** The beacon's work comes in so many parts over the time between two of its blocks. */
const BEACON_PARTS = 10;
/** Bundles are asked for when they are anchored, one round trip away. */
const FETCH_TRIPS = 2;
/** After a beacon block the first of a committee announces its crosslink so much later. */
const ANNOUNCE_MS = 50;
/** Certificates and framing of a body beside what is in it. */
const BODY_OTHER_BYTES = 1_024;

interface Chunk {
  readonly count: number;
  readonly sentAtMs: number;
  readonly availableAtMs: number;
}

interface MadeBlock {
  readonly sentAtMs: number;
  readonly local: number;
  readonly out: ReadonlyMap<number, number>;
  readonly taken: readonly Chunk[];
  readonly backlog: number;
  executedAtMs: number;
  committedAtMs: number;
}

interface Shard {
  readonly place: number;
  readonly trips: RoundTrips;
  busyUntilMs: number;
  busyMs: number;
  readonly inbox: Chunk[];
  /** Those whose execution is not final. */
  readonly blocks: MadeBlock[];
  /** So many of them are in beacon blocks that are proposed and not committed. */
  proposed: number;
  /** As the beacon publishes it. */
  backlog: number;
  reference: number;
  readonly rationUsed: Map<number, number>;
}

/** Runs the model. The same options come to the same figures. */
export function runNetwork(options: NetworkOptions): NetworkFigures {
  return new Network(options).run();
}

class Network {
  readonly #options: NetworkOptions;
  readonly #time = new VirtualTime();
  readonly #random: SeededRandom;
  readonly #shards: Shard[];
  readonly #beaconTrips: RoundTrips;
  readonly #sources;
  #beaconHeight = 0;
  #offered: { readonly shard: Shard; readonly headers: number }[] = [];
  // What counts, after the warm-up.
  #isCounting = false;
  #completed = 0;
  #crossed = 0;
  #shardBlocks = 0;
  #beaconBlocks = 0;
  #beaconFull = 0;
  #beaconBodyBytes = 0;
  #beaconBytes = 0;
  #beaconMs = 0;
  #backlogMost = 0;
  #headersWaitingMost = 0;
  readonly #localMs: number[] = [];
  readonly #crossMs: number[] = [];

  constructor(options: NetworkOptions) {
    const { shards, committee, seed } = options;
    this.#options = options;
    this.#random = new SeededRandom(seed, 'shards');
    const holders = Array.from({ length: shards * committee }, (_unused, validator) => ({ validator, seats: 1 }));
    const layout = layoutOf(shards);
    const committees = drawCommittees({ seed: sha256(Uint8Array.of(seed)), shards: layout, holders, committeeSeats: committee });
    this.#shards = committees.map(({ members }, place) => ({
      place,
      trips: roundTripsOf(members.map(({ validator }) => validator)),
      busyUntilMs: 0,
      busyMs: 0,
      inbox: [],
      blocks: [],
      proposed: 0,
      backlog: 0,
      reference: 0,
      rationUsed: new Map(),
    }));
    this.#beaconTrips = roundTripsOf(holders.map(({ validator }) => validator));
    this.#sources = layout.map((shard) => ({ shard, startHeight: 0, lastAnchoredHeight: 0, outboxes: [] }));
  }

  run(): NetworkFigures {
    const { shards, committee, seconds, hasVerifierThreads, parameters } = this.#options;
    for (const shard of this.#shards) this.#time.schedule(this.#random.next() * 100, () => this.#propose(shard));
    this.#time.schedule(0, () => this.#proposeBeacon());
    this.#runFor(WARM_UP_SECONDS);
    this.#isCounting = true;
    const busyBeforeMs = this.#shards.map(({ busyMs }) => busyMs);
    this.#runFor(seconds);
    const busyMs = this.#shards.reduce((sum, shard, place) => sum + shard.busyMs - (busyBeforeMs[place] as number), 0);
    const beaconBlocks = Math.max(1, this.#beaconBlocks);
    return {
      shards,
      validators: shards * committee,
      hasVerifierThreads,
      shardIntervalMs: parameters.blockIntervalMsMin,
      crossPercent: (100 * this.#crossed) / Math.max(1, this.#completed),
      completedPerSecond: this.#completed / seconds,
      blocksPerSecond: this.#shardBlocks / shards / seconds,
      localMsP50: middleOf(this.#localMs),
      crossMsP50: middleOf(this.#crossMs),
      busyPercent: busyMs / shards / seconds / 10,
      beaconPercent: this.#beaconMs / seconds / 10,
      beaconBlocksPerSecond: this.#beaconBlocks / seconds,
      beaconBodyKb: this.#beaconBodyBytes / beaconBlocks / 1_000,
      beaconFullPercent: (100 * this.#beaconFull) / beaconBlocks,
      beaconKbPerSecond: this.#beaconBytes / seconds / 1_000,
      backlogMost: this.#backlogMost,
      headersWaitingMost: this.#headersWaitingMost,
    };
  }

  #runFor(seconds: number): void {
    const endMs = this.#time.nowMs + 1_000 * seconds;
    this.#time.runUntil(endMs, () => false);
    this.#time.nowMs = Math.max(this.#time.nowMs, endMs);
  }

  // The main thread of a shard's members, who are alike.
  #work(shard: Shard, ms: number): number {
    shard.busyUntilMs = Math.max(shard.busyUntilMs, this.#time.nowMs) + ms;
    shard.busyMs += ms;
    return shard.busyUntilMs;
  }

  #propose(shard: Shard): void {
    const { parameters, transfer, shardConsensus, committee, hasVerifierThreads } = this.#options;
    const nowMs = this.#time.nowMs;
    const { block, own, bytes } = this.#makeBlock(shard);
    shard.blocks.push(block);
    if (this.#isCounting) this.#shardBlocks++;
    const items = own + countOf(block.taken);
    const sendMs = carryMs(bytes, committee, shard.trips.spreadMs);
    const takeMs = own * (transfer.intakeMs - (hasVerifierThreads ? transfer.recoverMs : 0));
    const consensusMs = shardConsensus.mainMs + (hasVerifierThreads ? 0 : shardConsensus.verifyMs);
    const crossing = own - block.local;
    const executeMs = block.local * transfer.localMs + crossing * transfer.sendMs + countOf(block.taken) * transfer.receiveMs;
    const builtMs = items * transfer.buildMs;
    const quorumAtMs = nowMs + builtMs + sendMs + shard.trips.quorumMs + shardConsensus.quorumMs;
    this.#time.schedule(builtMs + sendMs + shard.trips.spreadMs, () => {
      const consensusDoneMs = this.#work(shard, takeMs + consensusMs + builtMs / committee);
      const executedMs = this.#work(shard, executeMs);
      block.executedAtMs = executedMs;
      const certifiedMs = Math.max(quorumAtMs, consensusDoneMs);
      block.committedAtMs = certifiedMs + shard.trips.finalMs - shard.trips.quorumMs + shardConsensus.commitMs;
      // The next header commits this block's execution, and its votes stand for it.
      const nextMs = Math.max(certifiedMs, executedMs, nowMs + parameters.blockIntervalMsMin);
      this.#time.schedule(nextMs - this.#time.nowMs, () => this.#propose(shard));
    });
  }

  #makeBlock(shard: Shard): { readonly block: MadeBlock; readonly own: number; readonly bytes: number } {
    const { parameters, transfer } = this.#options;
    const taken = this.#takeInbox(shard);
    const inboxBytes = countOf(taken) * transfer.inboxItemBytes;
    const roomByGas = Math.floor((parameters.blockGasLimit - countOf(taken) * MESSAGE_GAS) / TRANSACTION_GAS);
    const roomByBytes = Math.floor((parameters.bodyBytesMax - BODY_OTHER_BYTES - inboxBytes) / (transfer.transactionBytes + 4));
    const room = Math.min(roomByGas, roomByBytes);
    const out = new Map<number, number>();
    let [own, local] = [0, 0];
    for (let candidate = 0; own < room && candidate < CANDIDATES * room; candidate++) {
      const target = this.#random.integer(0, this.#shards.length);
      if (target === shard.place) local++;
      else if (this.#hasRation(shard, target)) out.set(target, (out.get(target) ?? 0) + 1);
      else continue;
      own++;
    }
    const backlog = countOf(shard.inbox) * MESSAGE_GAS;
    this.#backlogMost = Math.max(this.#backlogMost, countOf(shard.inbox));
    const unknown = Number.POSITIVE_INFINITY;
    const block = { sentAtMs: this.#time.nowMs, local, out, taken, backlog, executedAtMs: unknown, committedAtMs: unknown };
    return { block, own, bytes: BODY_OTHER_BYTES + inboxBytes + own * (transfer.transactionBytes + 4) };
  }

  #takeInbox({ inbox }: Shard): Chunk[] {
    const { parameters, transfer } = this.#options;
    const byGas = Math.floor(parameters.inboxGasShare / MESSAGE_GAS);
    let room = Math.min(byGas, Math.floor(parameters.inboxBytesShare / transfer.inboxItemBytes), INBOX_ITEMS_PER_BODY_MAX);
    const taken: Chunk[] = [];
    while (room > 0 && inbox[0] !== undefined && inbox[0].availableAtMs <= this.#time.nowMs) {
      const first = inbox.shift() as Chunk;
      const count = Math.min(room, first.count);
      if (count < first.count) inbox.unshift({ ...first, count: first.count - count });
      taken.push({ ...first, count });
      room -= count;
    }
    return taken;
  }

  #hasRation(shard: Shard, target: number): boolean {
    const { parameters } = this.#options;
    if (shard.reference !== this.#beaconHeight) {
      shard.reference = this.#beaconHeight;
      shard.rationUsed.clear();
    }
    const used = (shard.rationUsed.get(target) ?? 0) + MESSAGE_GAS;
    const id = this.#sources[shard.place]?.shard ?? 0;
    const ration = rationOf({
      inboxGasShare: parameters.inboxGasShare,
      transactionGasLimitMax: parameters.transactionGasLimitMax,
      backlog: (this.#shards[target] as Shard).backlog,
      listedSources: this.#sources.length,
      hasTurn: hasTurn(id, shard.reference, this.#sources),
    });
    if (used > ration) return false;
    shard.rationUsed.set(target, used);
    return true;
  }

  #proposeBeacon(): void {
    const { parameters, beacon, beaconConsensus, committee, verifyCertificateMs, hasVerifierThreads, shards } = this.#options;
    const nowMs = this.#time.nowMs;
    const validators = shards * committee;
    const { packed, bytes, isFull } = this.#pack();
    const headers = packed.reduce((sum, each) => sum + each.headers, 0);
    const judgeMs = packed.length * beacon.crosslinkMs + headers * beacon.headerMs;
    // Each crosslink is judged when it is announced and again in the block; its signatures are known then.
    const verifyMs = hasVerifierThreads ? 0 : 2 * packed.length * verifyCertificateMs + beaconConsensus.verifyMs;
    const workMs = 2 * judgeMs + beacon.stateRootMs + verifyMs + beaconConsensus.mainMs;
    for (const shard of this.#shards) {
      for (let part = 0; part < BEACON_PARTS; part++) {
        this.#time.schedule((part * parameters.beaconBlockIntervalMsMin) / BEACON_PARTS, () => this.#work(shard, workMs / BEACON_PARTS));
      }
    }
    if (this.#isCounting) {
      this.#beaconBlocks++;
      this.#beaconMs += workMs;
      this.#beaconBodyBytes += bytes;
      // The body once by gossip and each crosslink once before it, and votes.
      this.#beaconBytes += 2 * bytes + beaconConsensus.bytes;
      if (isFull) this.#beaconFull++;
    }
    const waitingMs = middleOf(this.#shards.map(({ busyUntilMs }) => Math.max(0, busyUntilMs - nowMs)));
    const { spreadMs, quorumMs, finalMs } = this.#beaconTrips;
    const takenMs = carryMs(bytes + BODY_OTHER_BYTES, validators, spreadMs) + judgeMs + beacon.stateRootMs + waitingMs;
    const certifiedMs = takenMs + quorumMs + beaconConsensus.quorumMs;
    const committedMs = certifiedMs + (finalMs - quorumMs) + beaconConsensus.commitMs;
    this.#time.schedule(committedMs, () => this.#commitBeacon(packed));
    this.#time.schedule(committedMs + ANNOUNCE_MS, () => this.#announce());
    this.#time.schedule(Math.max(parameters.beaconBlockIntervalMsMin, certifiedMs), () => this.#proposeBeacon());
  }

  // What each committee can show as final, as of the newest beacon block.
  #announce(): void {
    this.#offered = this.#shards.flatMap((shard) => {
      const firstLater = shard.blocks.findIndex(({ committedAtMs }) => committedAtMs > this.#time.nowMs);
      const committed = firstLater < 0 ? shard.blocks.length : firstLater;
      // The execution of a block is final with the header of the next. What a leader finds in the parent's body he leaves out (rest-of-crosslink.ts).
      const headers = Math.min(CROSSLINK_HEADERS_MAX, committed - 1 - shard.proposed);
      this.#headersWaitingMost = Math.max(this.#headersWaitingMost, headers);
      return headers > 0 ? [{ shard, headers }] : [];
    });
  }

  // As pack-body.ts: whole crosslinks, another shard the first at each height, those left out that no longer fit.
  #pack(): {
    readonly packed: readonly { readonly shard: Shard; readonly headers: number }[];
    readonly bytes: number;
    readonly isFull: boolean;
  } {
    const { parameters, beacon } = this.#options;
    const first = this.#offered.length === 0 ? 0 : this.#beaconHeight % this.#offered.length;
    const inTurn = [...this.#offered.slice(first), ...this.#offered.slice(0, first)];
    let bytes = 0;
    const packed = inTurn.filter(({ headers }) => {
      const size = beacon.crosslinkBytes + headers * beacon.headerBytes + 4;
      if (bytes + size > parameters.bodyBytesMax - BODY_OTHER_BYTES) return false;
      bytes += size;
      return true;
    });
    for (const { shard, headers } of packed) shard.proposed += headers;
    this.#offered = this.#offered.filter((offer) => !packed.includes(offer));
    return { packed, bytes, isFull: packed.length < inTurn.length };
  }

  #commitBeacon(packed: readonly { readonly shard: Shard; readonly headers: number }[]): void {
    this.#beaconHeight++;
    const nowMs = this.#time.nowMs;
    for (const { shard, headers } of packed) {
      const made = shard.blocks.splice(0, headers);
      shard.proposed -= headers;
      for (const block of made) this.#anchor(block, nowMs);
      shard.backlog = made.at(-1)?.backlog ?? shard.backlog;
    }
  }

  #anchor({ local, sentAtMs, out, taken }: MadeBlock, nowMs: number): void {
    for (const [target, count] of out) {
      const { inbox, trips } = this.#shards[target] as Shard;
      inbox.push({ count, sentAtMs, availableAtMs: nowMs + FETCH_TRIPS * trips.spreadMs });
    }
    if (!this.#isCounting) return;
    const crossed = countOf(taken);
    this.#completed += local + crossed;
    this.#crossed += crossed;
    if (local > 0) this.#localMs.push(nowMs - sentAtMs);
    for (const chunk of taken) this.#crossMs.push(nowMs - chunk.sentAtMs);
  }
}

function countOf(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { count }) => sum + count, 0);
}

// Until everybody has a body: from the author's link to all, or from neighbour to neighbour, whichever is sooner. The first one-way trip is the rounds'.
function carryMs(bytes: number, members: number, oneWayMs: number): number {
  const copyMs = (bytes * 8) / LINK_BITS_PER_MS;
  const hops = Math.ceil(Math.log(members) / Math.log(MESH_NEIGHBOURS));
  return Math.min(copyMs * (members - 1), hops * copyMs * MESH_NEIGHBOURS + (hops - 1) * oneWayMs);
}

function middleOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
