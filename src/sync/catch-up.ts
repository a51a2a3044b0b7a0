// Catching up: a certificate names a block that is missing here. Committed blocks come by range with their certificates; one that is
// certified and not committed comes by its hash. Nothing is believed: hashes must link from our newest committed block up to one
// whose QC and CC verify, and only then does the engine hear of them; it validates and executes each as if it had been proposed.
import type { RequestBlock } from '../core/consensus/effects.ts';
import type { ConsensusEvent } from '../core/consensus/events.ts';
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';
import { isError } from '../core/primitives/errors.ts';
import type { Bytes32, Height } from '../core/primitives/ids.ts';
import { blockHashOf } from '../core/protocol/block.ts';
import type { BlockCertificates, CertifiedBlock } from '../core/protocol/certified-block.ts';
import type { Network, PeerName, RequestOptions } from '../network/ports.ts';
import type { ChainBlocks } from '../runtime/chain-blocks.ts';
import type { Clock, Logger, Metrics } from '../runtime/ports.ts';
import type { ClaimsJudgement } from '../runtime/verified-claims.ts';
import {
  BLOCK_BYTES_MAX,
  BLOCK_PROTOCOLS,
  BlockByHashRequest,
  BlocksByRangeRequest,
  RANGE_BLOCKS_MAX,
  RANGE_BYTES_MAX,
} from './block-protocol.ts';
import { decodeBlock, decodeCertifiedBlock } from './block-server.ts';
import { peersAheadFirst } from './peers-ahead.ts';

const REQUEST_TIMEOUT_MS_MAX = 10_000;
/** The first requests wait only so long, and each time twice as long when nothing came: a link that swallows everything is soon found out, and a slow one gets its time. */
const REQUEST_TIMEOUT_MS_MIN = 1_500;
/** Between two tries when nobody had anything, and while the chain digests what came. */
const RETRY_DELAY_MS = 250;
/** When a peer has not answered for so long, the next is asked too. */
const NEXT_PEER_MS = 500;
/** Peers asked for one thing at once. */
const ASKED_AT_ONCE_MAX = 3;
/** Of so many tries one is with whoever is connected. */
const ANYBODY_EVERY = 4;
/** Tries for one wanted block before it is given up; a later certificate asks again. */
const TRIES_MAX = 40;
/** Weight of an answer that no honest peer gives. */
const BAD_ANSWER_WEIGHT = 20;

/** The frames that a peer answered with: at least one. */
interface Answer {
  readonly peer: PeerName;
  readonly frames: readonly Uint8Array[];
}

/** A block that is to be got. */
interface WantedBlock extends Pick<RequestBlock, 'height' | 'hash'> {
  /** Others have committed it, and the engine has not heard so: it is not enough to hold it. */
  readonly isCommitted: boolean;
}

/** What catching up needs of its node. */
export interface CatchUpDependencies {
  readonly instanceId: Bytes32;
  /** Those who should have the instance's blocks: its committee. */
  readonly members: ReadonlySet<PeerName>;
  readonly network: Network;
  readonly blocks: ChainBlocks;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly post: (event: ConsensusEvent) => boolean;
  /** Whether a block is known to be of the losing branch of a fork. */
  readonly isLosing: (block: { readonly height: Height; readonly hash: Bytes32 }) => boolean;
  /** A quorum has committed another block than this node. */
  readonly onFork: () => void;
  /** `valid` when both certificates are of a quorum of the committee, for this block. */
  readonly judgeCertificates: (certificates: BlockCertificates, hash: Bytes32, height: Height) => Promise<ClaimsJudgement>;
}

/** See the file's head. */
export class CatchUp {
  readonly #dependencies: CatchUpDependencies;
  #wanted: WantedBlock | undefined;
  /** What the search under way looked at last. */
  #searched: WantedBlock | undefined;
  /** The highest block that was handed to the chain. */
  #handedHeight: Height = 0;
  #isRunning = false;
  #stopped = false;
  #nextPeer = 0;
  #requestTimeoutMs = REQUEST_TIMEOUT_MS_MIN;

  constructor(dependencies: CatchUpDependencies) {
    this.#dependencies = dependencies;
  }

  /** The height of the block that a certificate named and that is not here; undefined when nothing is missing. */
  get targetHeight(): Height | undefined {
    return this.#wanted?.height;
  }

  /** Gets the block, and everything between the newest committed one and it. One search at a time: the newest request counts. */
  request({ hash, height }: RequestBlock): void {
    this.#want({ hash, height, isCommitted: false });
  }

  /** The same for a block that the beacon says is committed: with its certificates, which are missing where the block came as a proposal. */
  requestCommitted({ hash, height }: Pick<RequestBlock, 'height' | 'hash'>): void {
    this.#want({ hash, height, isCommitted: true });
  }

  stop(): void {
    this.#stopped = true;
  }

  #want(wanted: WantedBlock): void {
    // A lower one only once the higher one is here: then the engine asks for its parent.
    if (this.#wanted === undefined || wanted.height >= this.#wanted.height || this.#isHeld(this.#wanted)) this.#wanted = wanted;
    if (this.#isRunning || this.#stopped) return;
    this.#isRunning = true;
    this.#run()
      .catch((error: unknown) => this.#dependencies.logger.warn({ error: String(error) }, 'catching up failed'))
      .finally(() => {
        this.#isRunning = false;
        const last = this.#wanted;
        this.#wanted = undefined;
        // The engine may have asked for another one while this search was ending.
        if (last !== undefined && last !== this.#searched) this.#want(last);
      });
  }

  async #run(): Promise<void> {
    let hasAsked = false;
    for (let tries = 0; tries < TRIES_MAX && !this.#stopped; tries++) {
      const wanted = this.#wanted;
      this.#searched = wanted;
      const { blocks } = this.#dependencies;
      if (wanted === undefined || wanted.height <= blocks.committed.facts.height) return;
      const held = blocks.get(wanted.hash);
      if (held !== undefined && !wanted.isCommitted) {
        // Held before anybody was asked: the engine has not heard of it, or has forgotten it, and would ask for ever.
        if (!hasAsked) this.#dependencies.post({ kind: 'block-fetched', hash: wanted.hash, header: held.header });
        return;
      }
      const before = blocks.committed.facts.height;
      if (this.#dependencies.network.peers.connected().length > 0) {
        hasAsked = true;
        this.#log(wanted, 'asking for missing blocks');
        const peers = await this.#peersToAsk(wanted.height);
        const hasRange = await this.#fetchRange(peers, before + 1);
        const hasBlock = !hasRange && held === undefined && (await this.#fetchByHash(peers, wanted.hash));
        if (!hasRange && !hasBlock) this.#requestTimeoutMs = Math.min(2 * this.#requestTimeoutMs, REQUEST_TIMEOUT_MS_MAX);
        // What came by its hash is certified and no more: nothing is committed by it, and what is wanted next need not wait for that.
        if (hasBlock || (hasRange && (await this.#untilDigested(before, wanted)))) tries = 0;
      }
      await this.#pause(RETRY_DELAY_MS);
    }
  }

  #log({ height, hash }: WantedBlock, message: string): void {
    const { blocks, logger } = this.#dependencies;
    const facts = { height: blocks.committed.facts.height, missingHeight: height, missingHash: bytesToHex(hash) };
    logger.debug({ ...facts, requestTimeoutMs: this.#requestTimeoutMs }, message);
  }

  // Peers to ask, each try beginning with another one: whoever lied is not asked first again. Those who should have the blocks, and every few tries
  // anybody: the committee of an instance that is long over may have gone. Of many, those who say that they have come so far.
  async #peersToAsk(height: Height): Promise<readonly PeerName[]> {
    const { network, instanceId, members } = this.#dependencies;
    const connected = network.peers.connected();
    const likely = connected.filter((peer) => members.has(peer));
    const turn = this.#nextPeer++;
    const peers = likely.length === 0 || turn % ANYBODY_EVERY === ANYBODY_EVERY - 1 ? connected : likely;
    const first = turn % Math.max(1, peers.length);
    const inTurn = [...peers.slice(first), ...peers.slice(0, first)];
    if (inTurn.length <= ASKED_AT_ONCE_MAX) return inTurn;
    return (await peersAheadFirst(network, inTurn, { instanceId, height })).slice(0, ASKED_AT_ONCE_MAX);
  }

  async #fetchRange(peers: readonly PeerName[], fromHeight: Height): Promise<boolean> {
    const body = BlocksByRangeRequest.serialize({ instanceId: this.#dependencies.instanceId, fromHeight, count: RANGE_BLOCKS_MAX });
    const answer = await this.#askInTurn(peers, BLOCK_PROTOCOLS.blocksByRange, body, RANGE_BYTES_MAX);
    if (answer === undefined) return false;
    const { peer, frames } = answer;
    const fetched: { readonly hash: Bytes32; readonly certified: CertifiedBlock }[] = [];
    let parentHash = this.#dependencies.blocks.committed.hash;
    if (this.#dependencies.blocks.committed.facts.height + 1 !== fromHeight) return true; // Moved on meanwhile.
    for (const frame of frames.slice(0, RANGE_BLOCKS_MAX)) {
      const decoded = decodeCertifiedBlock(frame);
      if (!decoded.ok) return this.#blame(peer, 'bad-range-answer');
      if (!bytesEqual(decoded.value.block.header.parentHash, parentHash)) return this.#judgeUnlinked(peer, decoded.value, fromHeight);
      parentHash = blockHashOf(decoded.value.block.header);
      // Whoever gave it may not know better.
      if (this.#dependencies.isLosing({ height: decoded.value.block.header.height, hash: parentHash })) break;
      fetched.push({ hash: parentHash, certified: decoded.value });
    }
    while (fetched.length > 0 && fetched.at(-1)?.certified.certificates.commitCertificate.length === 0) fetched.pop();
    const last = fetched.at(-1);
    if (last === undefined) return false;
    const { certificates, block } = last.certified;
    const judgement = await this.#dependencies.judgeCertificates(certificates, last.hash, block.header.height);
    if (judgement === 'invalid') return this.#blame(peer, 'bad-certificate-in-range');
    if (judgement === 'not-looked-at') return false;
    for (const { hash, certified } of fetched) {
      const handed = await this.#hand(hash, certified.block);
      if (handed === 'bad') return this.#blame(peer, 'bad-block-in-range');
      if (handed === 'no-room') return false;
    }
    this.#postCertificates(certificates);
    this.#dependencies.metrics.count('coppice_sync_blocks_total', {}, fetched.length);
    return true;
  }

  // A block of the height above ours that does not follow ours and yet is final: our chain has forked, and whoever tells is not to blame.
  async #judgeUnlinked(peer: PeerName, { block: { header }, certificates }: CertifiedBlock, height: Height): Promise<false> {
    const isInPlace = header.height === height;
    const judgement = isInPlace ? await this.#dependencies.judgeCertificates(certificates, blockHashOf(header), height) : 'invalid';
    if (judgement === 'invalid') return this.#blame(peer, 'bad-range-answer');
    if (judgement === 'valid') this.#dependencies.onFork();
    return false;
  }

  async #fetchByHash(peers: readonly PeerName[], hash: Bytes32): Promise<boolean> {
    const body = BlockByHashRequest.serialize({ instanceId: this.#dependencies.instanceId, hash });
    const answer = await this.#askInTurn(peers, BLOCK_PROTOCOLS.blockByHash, body, BLOCK_BYTES_MAX);
    if (answer === undefined) return false;
    const { peer, frames } = answer;
    const frame = frames[0] as Uint8Array;
    const decoded = decodeBlock(frame);
    if (!decoded.ok || !bytesEqual(blockHashOf(decoded.value.header), hash)) return this.#blame(peer, 'bad-block-answer');
    const handed = await this.#hand(hash, decoded.value);
    return handed === 'bad' ? this.#blame(peer, 'bad-block-answer') : handed === 'taken';
  }

  // Where there is no room here, whoever gave the block is not to blame.
  async #hand(hash: Bytes32, block: CertifiedBlock['block']): Promise<'taken' | 'no-room' | 'bad'> {
    const added = await this.#dependencies.blocks.add(hash, block.header, block.body);
    if (!added.ok) {
      this.#dependencies.logger.warn({ hash: bytesToHex(hash), reason: added.reason, detail: added.detail }, 'certified block not taken');
      return added.reason === 'too-many-blocks' ? 'no-room' : 'bad';
    }
    this.#handedHeight = Math.max(this.#handedHeight, block.header.height);
    return this.#dependencies.post({ kind: 'block-fetched', hash, header: block.header }) ? 'taken' : 'no-room';
  }

  #postCertificates({ quorumCertificate, commitCertificate }: BlockCertificates): void {
    this.#dependencies.post({ kind: 'quorum-certificate-received', certificate: quorumCertificate });
    for (const certificate of commitCertificate) {
      this.#dependencies.post({ kind: 'commit-certificate-received', certificate, quorumCertificate });
    }
  }

  // Asks one peer, and further ones while nobody answers: a peer that is silent would hold everything up for as long as a large answer of
  // a slow one may take. The first answer with something in it counts, and ends the other requests.
  #askInTurn(peers: readonly PeerName[], protocol: string, body: Uint8Array, responseBytesMax: number): Promise<Answer | undefined> {
    const others = new AbortController();
    return new Promise((resolve, reject) => {
      let next = 0;
      let open = 0;
      const askNext = (): void => {
        const peer = peers[next];
        if (peer === undefined || others.signal.aborted) return;
        next++;
        open++;
        this.#dependencies.clock.schedule(NEXT_PEER_MS, askNext);
        this.#ask(peer, protocol, body, { responseBytesMax, signal: others.signal }).then((frames) => {
          open--;
          if (others.signal.aborted) return;
          if (frames.length > 0) {
            others.abort();
            resolve({ peer, frames });
          } else if (next < peers.length) askNext();
          else if (open === 0) resolve(undefined);
        }, reject);
      };
      askNext();
    });
  }

  // No frames of a peer that fails or has nothing.
  async #ask(
    peer: PeerName,
    protocol: string,
    body: Uint8Array,
    limits: Pick<RequestOptions, 'responseBytesMax' | 'signal'>,
  ): Promise<readonly Uint8Array[]> {
    try {
      return await this.#dependencies.network.request.request(peer, protocol, body, { timeoutMs: this.#requestTimeoutMs, ...limits });
    } catch (error) {
      if (!isError(error, 'network/request-failed') && !isError(error, 'network/closed')) throw error;
      return [];
    }
  }

  #isHeld({ hash }: WantedBlock): boolean {
    return this.#dependencies.blocks.get(hash) !== undefined;
  }

  // Waits for the chain to digest: execution takes its time, so long as it moves. When the engine asks for a parent, or for a block that it
  // was handed and that was discarded meanwhile, there is nothing to wait for; a newer block is wanted every moment while others go on, and
  // to ask again for that would fetch the same range many times.
  async #untilDigested(height: Height, wanted: WantedBlock): Promise<boolean> {
    for (let waited = 0; waited < REQUEST_TIMEOUT_MS_MAX && !this.#stopped; waited += RETRY_DELAY_MS / 10) {
      const now = this.#wanted;
      const isParentWanted = now !== undefined && now.height < wanted.height;
      const isLost = now !== undefined && now.height <= this.#handedHeight && !this.#isHeld(now);
      if (this.#dependencies.blocks.committed.facts.height > height || isParentWanted || isLost) return true;
      await this.#pause(RETRY_DELAY_MS / 10);
    }
    return false;
  }

  #blame(peer: PeerName, reason: string): false {
    this.#dependencies.network.peers.misbehaved(peer, reason, BAD_ANSWER_WEIGHT);
    return false;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#dependencies.clock.schedule(delayMs, resolve);
    });
  }
}
