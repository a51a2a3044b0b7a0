// Looks into a fork. Something names a chain that leaves ours below our newest committed block: with less than a third of dishonest seats
// that is a stale proposal at most, and one question shows it. Else a peer has committed another block where we have committed one; then we
// look for the place where the chains part, fetch some of its blocks from there, and keep what the certificates of both prove.

import type { Evidence } from '../core/consensus/evidence/evidence.ts';
import { evidenceOfFork } from '../core/consensus/evidence/fork.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { isError } from '../core/primitives/errors.ts';
import type { Bytes32, Height } from '../core/primitives/ids.ts';
import { blockHashOf } from '../core/protocol/block.ts';
import type { CertifiedBlock } from '../core/protocol/certified-block.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { Network, PeerName } from '../network/ports.ts';
import type { Clock, Logger } from '../runtime/ports.ts';
import { BLOCK_PROTOCOLS, BlocksByRangeRequest, RANGE_BLOCKS_MAX, RANGE_BYTES_MAX } from './block-protocol.ts';
import { decodeCertifiedBlock } from './block-server.ts';

/** Between two inquiries: each asks every peer once, and one of them some fifty times at most. */
const INTERVAL_MS = 2_000;
const REQUEST_TIMEOUT_MS = 5_000;
const PEERS_MAX = 16;

/** What an inquiry needs of its node. */
export interface ForkInquiryDependencies {
  readonly instance: Instance;
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Our committed blocks from a height on, in order. */
  readonly readCommitted: (fromHeight: Height, count: number) => Promise<readonly CertifiedBlock[]>;
  readonly committedHeight: () => Height;
  readonly committedHash: (height: Height) => Bytes32 | undefined;
  /** Verifies evidence, and keeps it if it holds. */
  readonly report: (evidence: Evidence) => Promise<void>;
}

/** See the file's head. */
export class ForkInquiry {
  readonly #dependencies: ForkInquiryDependencies;
  #isRunning = false;
  #stopped = false;

  constructor(dependencies: ForkInquiryDependencies) {
    this.#dependencies = dependencies;
  }

  /** Something contradicts what is committed here. One inquiry at a time, and a pause after each. */
  suspect(): void {
    if (this.#isRunning || this.#stopped) return;
    this.#isRunning = true;
    const { clock, logger } = this.#dependencies;
    this.#inquire()
      .catch((error: unknown) => logger.warn({ error: String(error) }, 'a fork could not be looked into'))
      .finally(() => {
        clock.schedule(INTERVAL_MS, () => {
          this.#isRunning = false;
        });
      });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #inquire(): Promise<void> {
    const { network, instance, logger, report, readCommitted } = this.#dependencies;
    for (const peer of network.peers.connected().slice(0, PEERS_MAX)) {
      if (this.#stopped) return;
      const fork = await this.#forkWith(peer);
      if (fork === undefined) continue;
      logger.error(
        { chain: instance.chain, epoch: instance.epoch, height: fork, peer },
        'a peer has committed another block than this node',
      );
      const [ours, theirs] = await Promise.all([readCommitted(fork, RANGE_BLOCKS_MAX), this.#ask(peer, fork, RANGE_BLOCKS_MAX)]);
      for (const evidence of evidenceOfFork(instance, ours, theirs)) await report(evidence);
    }
  }

  /** The lowest height at which the peer has committed another block than we; undefined when there is none. */
  async #forkWith(peer: PeerName): Promise<Height | undefined> {
    const { instance, committedHeight } = this.#dependencies;
    let same = instance.startRecord.height;
    let other = await this.#highestOther(peer, same, committedHeight());
    if (other === undefined) return undefined;
    while (other - same > 1) {
      const middle: Height = same + Math.floor((other - same) / 2);
      const isSame = await this.#isSame(peer, middle);
      if (isSame === undefined) return undefined; // It has gone, or answers no more.
      if (isSame) same = middle;
      else other = middle;
    }
    return other;
  }

  // A peer that is behind has no block where our newest is: it is asked lower, by ever greater steps.
  async #highestOther(peer: PeerName, lowest: Height, highest: Height): Promise<Height | undefined> {
    for (let [height, step] = [highest, 1]; height > lowest; height -= step, step *= 2) {
      const isSame = await this.#isSame(peer, height);
      if (isSame !== undefined) return isSame ? undefined : height;
    }
    return undefined;
  }

  async #isSame(peer: PeerName, height: Height): Promise<boolean | undefined> {
    const [theirs] = await this.#ask(peer, height, 1);
    const ours = this.#dependencies.committedHash(height);
    if (theirs === undefined || ours === undefined || theirs.block.header.height !== height) return undefined;
    return bytesEqual(blockHashOf(theirs.block.header), ours);
  }

  async #ask(peer: PeerName, fromHeight: Height, count: number): Promise<readonly CertifiedBlock[]> {
    const { network, instance } = this.#dependencies;
    const body = BlocksByRangeRequest.serialize({ instanceId: instance.instanceId, fromHeight, count });
    try {
      const options = { timeoutMs: REQUEST_TIMEOUT_MS, responseBytesMax: RANGE_BYTES_MAX };
      const frames = await network.request.request(peer, BLOCK_PROTOCOLS.blocksByRange, body, options);
      return frames.slice(0, count).flatMap((frame) => {
        const decoded = decodeCertifiedBlock(frame);
        return decoded.ok ? [decoded.value] : [];
      });
    } catch (error) {
      if (!isError(error, 'network/request-failed') && !isError(error, 'network/closed')) throw error;
      return [];
    }
  }
}
