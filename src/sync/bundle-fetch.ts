// Fetches the bundles that the shards of this node want and do not hold (core/messaging/wanted-bundles.ts). Nothing is believed: each is held
// against the summary of its outbox that the beacon anchored, before anybody hears of it. Several peers are asked, one after the other for
// the same bundle; what nobody has yet is asked for again, ever less often, as long as it is wanted.
import { type HeldBundle, verifyBundle } from '../core/messaging/held-bundle.ts';
import { type BundleName, bundleNameOf } from '../core/messaging/lane-view.ts';
import type { WantedBundle } from '../core/messaging/wanted-bundles.ts';
import type { ChainId } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import type { Network, PeerName } from '../network/ports.ts';
import type { CancelTimer, Clock, Logger } from '../runtime/ports.ts';
import { askPeer } from './ask-peer.ts';
import {
  BUNDLES_ANSWER_BYTES_MAX,
  BUNDLES_PER_REQUEST_MAX,
  BUNDLES_PROTOCOL,
  decodeBundleFrame,
  encodeBundlesRequest,
} from './bundle-protocol.ts';

const REQUEST_TIMEOUT_MS = 5_000;
/** Requests under way: of each as much as an answer has may come into memory. */
const REQUESTS_MAX = 8;
const REQUESTS_PER_PEER_MAX = 2;
/** Before the same bundle is asked for again, doubled with each try. */
const RETRY_DELAY_MS = 100;
const RETRY_DELAY_MS_MAX = 5_000;
/** Doublings that lead to the longest delay. */
const DOUBLINGS_MAX = 6;
/** Weight of a bundle that is none: nobody serves what does not fit its outbox. */
const BAD_BUNDLE_WEIGHT = 20;

/** A bundle that was wanted, and is what its outbox says. */
export interface FetchedBundle extends WantedBundle {
  readonly bundle: HeldBundle;
}

/** What fetching needs of its node. */
export interface BundleFetchDependencies {
  readonly network: Network;
  /** Peers that should hold what a source sent, in the order in which this node asks them; after them all that are connected. */
  readonly peersOf: (source: ChainId) => readonly PeerName[];
  /** Bundles are there: those of one answer together. */
  readonly onBundles: (bundles: readonly FetchedBundle[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A bundle that is not here yet. */
interface Pursuit {
  readonly wanted: WantedBundle;
  tries: number;
  dueMs: number;
  isAsked: boolean;
}

/** See the file's head. Bounded by what shards may want at once. */
export class BundleFetch {
  readonly #dependencies: BundleFetchDependencies;
  readonly #wantedBy = new Map<ChainId, Map<BundleName, WantedBundle>>();
  /** In the order in which shards take them. */
  #pursuits = new Map<BundleName, Pursuit>();
  readonly #underWay = new Map<PeerName, number>();
  readonly #stop = new AbortController();
  #requests = 0;
  #wake: CancelTimer | undefined;

  constructor(dependencies: BundleFetchDependencies) {
    this.#dependencies = dependencies;
  }

  /** How many bundles are wanted and not here. */
  get missing(): number {
    return this.#pursuits.size;
  }

  /** What a shard wants from now on, all of it: what it wanted before and does not want now is not asked for any more. */
  want(shard: ChainId, wanted: readonly WantedBundle[]): void {
    if (wanted.length === 0) this.#wantedBy.delete(shard);
    else this.#wantedBy.set(shard, new Map(wanted.map((one) => [bundleNameOf(one.place), one])));
    const nowMs = this.#dependencies.clock.nowMs();
    const before = this.#pursuits;
    this.#pursuits = new Map(
      [...this.#wantedBy.values()].flatMap((ofShard) =>
        [...ofShard].map(([name, one]) => [name, before.get(name) ?? { wanted: one, tries: 0, dueMs: nowMs, isAsked: false }]),
      ),
    );
    this.#askDue();
  }

  stop(): void {
    this.#stop.abort();
    this.#wake?.();
  }

  // Asks for whatever is due, as far as there may be more requests, and wakes up for what is due next.
  #askDue(): void {
    if (this.#stop.signal.aborted) return;
    const nowMs = this.#dependencies.clock.nowMs();
    const isDue = ({ isAsked, dueMs }: Pursuit): boolean => !isAsked && dueMs <= nowMs;
    const bySource = Map.groupBy([...this.#pursuits.values()].filter(isDue), ({ wanted }) => wanted.place.source);
    for (const [source, due] of bySource)
      for (let at = 0; at < due.length && this.#requests < REQUESTS_MAX; at += BUNDLES_PER_REQUEST_MAX)
        this.#askFor(source, due.slice(at, at + BUNDLES_PER_REQUEST_MAX));
    this.#wakeAtNext(nowMs);
  }

  #askFor(source: ChainId, batch: readonly Pursuit[]): void {
    const { clock, logger } = this.#dependencies;
    const peers = this.#peersInTurn(source);
    if (peers.length === 0) {
      for (const pursuit of batch) postpone(pursuit, clock.nowMs());
      return;
    }
    const turn = batch[0]?.tries ?? 0;
    const peer = peers.map((_peer, at) => peers[(turn + at) % peers.length] as PeerName).find((one) => this.#mayAsk(one));
    // All have enough to do: the end of any request brings us back.
    if (peer === undefined) return;
    for (const pursuit of batch) pursuit.isAsked = true;
    this.#count(peer, 1);
    this.#ask(peer, batch)
      .catch((error: unknown) => logger.warn({ source, error: String(error) }, 'bundles could not be fetched'))
      .finally(() => {
        for (const pursuit of batch) pursuit.isAsked = false;
        this.#count(peer, -1);
        this.#askDue();
      });
  }

  async #ask(peer: PeerName, batch: readonly Pursuit[]): Promise<void> {
    const { network, clock, onBundles, logger } = this.#dependencies;
    const question = encodeBundlesRequest(batch.map(({ wanted }) => wanted.place));
    const limits = { timeoutMs: REQUEST_TIMEOUT_MS, responseBytesMax: BUNDLES_ANSWER_BYTES_MAX, signal: this.#stop.signal };
    const frames = (await askPeer(network, peer, BUNDLES_PROTOCOL, question, limits)) ?? [];
    if (this.#stop.signal.aborted) return;
    const open = new Map(batch.map((pursuit) => [bundleNameOf(pursuit.wanted.place), pursuit]));
    const fetched: FetchedBundle[] = [];
    for (const frame of frames) {
      const read = readBundle(frame, open);
      if (!read.ok) {
        logger.debug({ peer, reason: read.reason, detail: read.detail }, 'a bundle that is none');
        network.peers.misbehaved(peer, 'bad-bundle', BAD_BUNDLE_WEIGHT);
        break;
      }
      const name = bundleNameOf(read.value.place);
      open.delete(name);
      // What came too late for anybody to want it goes no further.
      if (this.#pursuits.delete(name)) fetched.push(read.value);
      for (const ofShard of this.#wantedBy.values()) ofShard.delete(name);
    }
    for (const pursuit of open.values()) postpone(pursuit, clock.nowMs());
    if (fetched.length > 0) onBundles(fetched);
  }

  #peersInTurn(source: ChainId): readonly PeerName[] {
    const { network, peersOf } = this.#dependencies;
    const connected = new Set(network.peers.connected());
    return [...new Set([...peersOf(source).filter((peer) => connected.has(peer)), ...connected])];
  }

  #mayAsk(peer: PeerName): boolean {
    return (this.#underWay.get(peer) ?? 0) < REQUESTS_PER_PEER_MAX;
  }

  #count(peer: PeerName, by: 1 | -1): void {
    const left = (this.#underWay.get(peer) ?? 0) + by;
    if (left === 0) this.#underWay.delete(peer);
    else this.#underWay.set(peer, left);
    this.#requests += by;
  }

  #wakeAtNext(nowMs: number): void {
    this.#wake?.();
    this.#wake = undefined;
    const waiting = [...this.#pursuits.values()].filter(({ isAsked, dueMs }) => !isAsked && dueMs > nowMs);
    if (waiting.length === 0) return;
    const nextMs = waiting.reduce((least, { dueMs }) => Math.min(least, dueMs), Number.POSITIVE_INFINITY);
    this.#wake = this.#dependencies.clock.schedule(nextMs - nowMs, () => this.#askDue());
  }
}

/** What no honest peer sends. */
type BundleReadFault = 'bad-frame' | 'unasked-bundle' | 'wrong-bundle';

/** One frame of an answer: a bundle that was asked for, once, and is the one that its outbox's anchored summary names. */
export function readBundle(
  frame: Uint8Array,
  open: ReadonlyMap<BundleName, { readonly wanted: WantedBundle }>,
): Verdict<FetchedBundle, BundleReadFault> {
  const decoded = decodeBundleFrame(frame);
  if (!decoded.ok) return refuse('bad-frame', decoded.detail);
  const { place, branch, messages } = decoded.value;
  const asked = open.get(bundleNameOf(place));
  if (asked === undefined) return refuse('unasked-bundle', bundleNameOf(place));
  const verified = verifyBundle(place, messages, branch, asked.wanted.outbox.summary);
  if (!verified.ok) return refuse('wrong-bundle', `${verified.reason}: ${verified.detail}`);
  return accept({ ...asked.wanted, bundle: verified.value });
}

function postpone(pursuit: Pursuit, nowMs: number): void {
  pursuit.dueMs = nowMs + Math.min(RETRY_DELAY_MS * 2 ** Math.min(pursuit.tries, DOUBLINGS_MAX), RETRY_DELAY_MS_MAX);
  pursuit.tries++;
}
