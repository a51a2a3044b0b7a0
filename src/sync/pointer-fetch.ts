// Fetches pointer proofs of addresses whose shards this node does not follow (protocol, section 5, "Where a message goes"), and keeps them: each is checked
// against a world root that the beacon state names, so where it comes from makes no difference. What was proved at the end of an epoch is good for
// every later block, a pointer for ever; what was proved at a reference, for blocks with that reference.
//
// A leader waits a moment for what its block needs, but not for shards that did not answer the last time: they hold up nothing but what is for them.
import { placementOfFamily } from '../core/messaging/placement.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { invariant } from '../core/primitives/errors.ts';
import { forgetOldest } from '../core/primitives/forget-oldest.ts';
import type { Address, Bytes32, ChainId, Epoch, Height, Hex } from '../core/primitives/ids.ts';
import { shardOfPlacement } from '../core/protocol/shard-id.ts';
import type { BeaconView } from '../core/shard/beacon-view.ts';
import { decodePointerProof, PointerProof, verifyPointerProof } from '../core/shard/pointer-proof.ts';
import type { Network, PeerName } from '../network/ports.ts';
import type { Clock } from '../runtime/ports.ts';
import { askPeer } from './ask-peer.ts';
import { encodePointersRequest, POINTERS_ANSWER_BYTES_MAX, POINTERS_PER_REQUEST_MAX, POINTERS_PROTOCOL } from './pointer-protocol.ts';

const REQUEST_TIMEOUT_MS = 1_000;
/** What a block waits for at most: a few round trips, and a fraction of the time that a round has. */
const WAIT_MS_MAX = 200;
/** Peers that are asked for the same proofs, one after the other. */
const PEERS_ASKED_MAX = 3;
/** Proofs kept, of 1 to 3 KiB. */
const PROOFS_MAX = 4_096;
/** Requests under way. */
const REQUESTS_MAX = 8;
/** Weight of a proof that is none: nobody serves what does not lead to the root. */
const BAD_PROOF_WEIGHT = 20;

/** What fetching needs of its node. */
export interface PointerFetchDependencies {
  readonly network: Network;
  /** Peers that should have a shard. */
  readonly peersOf: (shard: ChainId) => readonly PeerName[];
  /** The last block of an epoch. */
  readonly lastHeightOf: (epoch: Epoch) => Height;
  readonly clock: Clock;
}

/** A proof and where it holds. */
interface Kept {
  readonly encoded: Uint8Array;
  /** Undefined: at the reference with this height alone. */
  readonly epoch: Epoch | undefined;
  readonly height: Height;
  readonly isThere: boolean;
}

/** The world against which is proved. */
interface World {
  readonly epoch: Epoch | undefined;
  readonly height: Height;
  readonly root: Bytes32;
}

/** See the file's head. */
export class PointerFetch {
  readonly #dependencies: PointerFetchDependencies;
  readonly #kept = new Map<Hex, Kept>();
  /** Shards of which the last question brought nothing. */
  readonly #mute = new Set<ChainId>();
  readonly #asked = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(dependencies: PointerFetchDependencies) {
    this.#dependencies = dependencies;
  }

  /** The encoded element of a body, where one that holds in this view is here. */
  get(target: Address, view: BeaconView): Uint8Array | undefined {
    const kept = this.#kept.get(bytesToHex(target));
    return kept !== undefined && (kept.epoch !== undefined || kept.height === view.height) ? kept.encoded : undefined;
  }

  /** Asks for what is not here, and resolves when it has come, or when the block should wait no longer. */
  async prepare(targets: readonly Address[], view: BeaconView): Promise<void> {
    const world = this.#worldOf(view);
    const missing = [...new Map(targets.map((target) => [bytesToHex(target), target]))].filter(([name]) => !this.#holds(name, world));
    const byShard = Map.groupBy(missing, ([, target]) => shardOf(target, view));
    const awaited: Promise<void>[] = [];
    for (const [shard, ofShard] of byShard) {
      const isMute = this.#mute.has(shard);
      const asking = this.#askOnce(
        shard,
        world,
        ofShard.slice(0, POINTERS_PER_REQUEST_MAX).map(([, target]) => target),
      );
      if (!isMute) awaited.push(asking);
    }
    if (awaited.length > 0) await this.#untilAll(awaited);
  }

  stop(): void {
    this.#stop.abort();
  }

  // In the first epoch there is no end of one yet.
  #worldOf({ epoch, height, worldRoot, worldRootOfEpoch }: BeaconView): World {
    const ended = epoch - 1;
    const root = ended < 0 ? undefined : worldRootOfEpoch(ended);
    if (root === undefined) return { epoch: undefined, height, root: worldRoot };
    return { epoch: ended, height: this.#dependencies.lastHeightOf(ended), root };
  }

  // That there is none may have changed since.
  #holds(name: Hex, { epoch, height }: World): boolean {
    const kept = this.#kept.get(name);
    if (kept === undefined) return false;
    return kept.height === height || (kept.epoch !== undefined && (kept.isThere || epoch === undefined));
  }

  #askOnce(shard: ChainId, world: World, targets: readonly Address[]): Promise<void> {
    const name = `${shard}/${world.height}/${targets.map(bytesToHex).join()}`;
    const known = this.#asked.get(name);
    if (known !== undefined || this.#asked.size >= REQUESTS_MAX) return known ?? Promise.resolve();
    const asking = this.#ask(shard, world, targets).finally(() => this.#asked.delete(name));
    this.#asked.set(name, asking);
    return asking;
  }

  async #ask(shard: ChainId, world: World, targets: readonly Address[]): Promise<void> {
    const { network, peersOf } = this.#dependencies;
    const connected = new Set(network.peers.connected());
    const peers = [...new Set([...peersOf(shard).filter((peer) => connected.has(peer)), ...connected])].slice(0, PEERS_ASKED_MAX);
    const open = new Map(targets.map((target) => [bytesToHex(target), target]));
    for (const peer of peers) {
      const question = encodePointersRequest({ beaconHeight: world.height, targets: [...open.values()] });
      const limits = { timeoutMs: REQUEST_TIMEOUT_MS, responseBytesMax: POINTERS_ANSWER_BYTES_MAX, signal: this.#stop.signal };
      const frames = (await askPeer(network, peer, POINTERS_PROTOCOL, question, limits)) ?? [];
      if (this.#stop.signal.aborted) return;
      if (!this.#takeAll(frames, open, world)) network.peers.misbehaved(peer, 'bad-pointer-proof', BAD_PROOF_WEIGHT);
      if (open.size === 0) break;
    }
    if (open.size === 0) this.#mute.delete(shard);
    else this.#mute.add(shard);
  }

  // False for what no honest peer sends.
  #takeAll(frames: readonly Uint8Array[], open: Map<Hex, Address>, world: World): boolean {
    for (const frame of frames) {
      const decoded = decodePointerProof(frame);
      if (!decoded.ok || decoded.value.epoch.length > 0) return false;
      const name = bytesToHex(decoded.value.target);
      if (!open.has(name)) return false;
      const verified = verifyPointerProof(decoded.value, { worldRoot: world.root, worldRootOfEpoch: () => undefined });
      if (!verified.ok) return false;
      open.delete(name);
      const encoded = world.epoch === undefined ? frame : PointerProof.serialize({ ...decoded.value, epoch: [world.epoch] });
      this.#keep(name, { encoded, epoch: world.epoch, height: world.height, isThere: verified.value !== undefined });
    }
    return true;
  }

  #keep(name: Hex, kept: Kept): void {
    this.#kept.delete(name); // To the end: the first one is the oldest.
    this.#kept.set(name, kept);
    forgetOldest(this.#kept, PROOFS_MAX);
  }

  #untilAll(awaited: readonly Promise<void>[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#dependencies.clock.schedule(WAIT_MS_MAX, resolve);
      Promise.all(awaited).then(() => {
        cancel();
        resolve();
      }, reject);
    });
  }
}

function shardOf(target: Address, { shards }: BeaconView): ChainId {
  const shard = shardOfPlacement(shards, placementOfFamily(target));
  invariant(shard !== undefined, 'the records in force are the whole tree');
  return shard;
}
