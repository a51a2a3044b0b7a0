// What a node says of instances that have ended or were taken over: to whoever still speaks in one that is not run here any more, the certificates of its end
// (protocol, section 6, "Closing"); to whoever asks, its blocks, and the carriers that are no part of the chain. So a node that was away for
// epochs comes back instance by instance.
import { bytesEqual, bytesToHex } from '../core/primitives/bytes.ts';
import type { Bytes32, ChainId, Height, Round } from '../core/primitives/ids.ts';
import { blockHashOf, EMPTY_BODY } from '../core/protocol/block.ts';
import { Block } from '../core/protocol/certified-block.ts';
import { storedValue } from '../core/protocol/ssz.ts';
import type { CertificateBundle } from '../core/protocol/vote.ts';
import type { Network, PeerName } from '../network/ports.ts';
import { AnswerLimit } from '../runtime/answer-limit.ts';
import { encodeConsensusMessage } from '../runtime/consensus-codec.ts';
import { decodeInstanceEnd } from '../runtime/instance-end.ts';
import { CERTIFICATES_PROTOCOL } from '../runtime/instance-switch.ts';
import type { Clock, Logger } from '../runtime/ports.ts';
import type { BlockStore } from '../storage/block-store.ts';
import type { BlockServerSource } from './block-server.ts';

const SEND_TIMEOUT_MS = 5_000;

/** A carrier of an ended instance as a block, if the hash is of one: whoever is behind has to fetch what the certificates are of. */
export function carrierOf(blockStore: BlockStore, instanceId: Bytes32, hash: Bytes32): Uint8Array | undefined {
  const stored = blockStore.getEnd(instanceId);
  if (stored === undefined) return undefined;
  const carrier = decodeInstanceEnd(stored.end).carriers.find((header) => bytesEqual(blockHashOf(header), hash));
  return carrier === undefined ? undefined : Block.serialize({ header: carrier, body: EMPTY_BODY });
}

/**
 * What can be read of an instance that has ended, or that the beacon took over: who is behind there needs its last header, which may have its CC with a block
 * above, void as that is. Undefined of one that goes on, or is not known.
 */
export function endedSourceOf(blockStore: BlockStore, instanceId: Bytes32): BlockServerSource | undefined {
  const newest = newestOf(blockStore, instanceId);
  if (newest === undefined) return undefined;
  const { chain, height: committedHeight, hash: committedHash, round } = newest;
  return {
    chain,
    instanceId,
    status: () => ({ instanceId, committedHeight, committedHash, round }),
    readRange: (fromHeight, count) => blockStore.readRange({ chain, instanceId, height: fromHeight }, count),
    readByHash: (hash) => blockStore.getByHash(hash)?.block ?? carrierOf(blockStore, instanceId, hash),
  };
}

function newestOf(
  blockStore: BlockStore,
  instanceId: Bytes32,
): { readonly chain: ChainId; readonly height: Height; readonly hash: Bytes32; readonly round: Round } | undefined {
  const ended = blockStore.getEnd(instanceId);
  if (ended !== undefined) {
    const { height, blockHash: hash, round } = decodeInstanceEnd(ended.end).proof.quorumCertificate.point;
    return { chain: ended.chain, height, hash, round };
  }
  const takenOver = blockStore.getTakenOver(instanceId);
  const head = takenOver && blockStore.getHead(takenOver.chain, instanceId);
  const stored = head && blockStore.getByHeight(head);
  if (stored === undefined) return undefined;
  const { chain, height } = stored.place;
  return { chain, height, hash: stored.hash, round: storedValue(Block, stored.block).header.round };
}

/** What answering needs of its node. */
export interface EndAnswersDependencies {
  readonly network: Network;
  readonly blockStore: BlockStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** See the file's head. */
export class EndAnswers {
  readonly #dependencies: EndAnswersDependencies;
  readonly #answers: AnswerLimit;
  #nonce: number;

  constructor(dependencies: EndAnswersDependencies) {
    this.#dependencies = dependencies;
    this.#answers = new AnswerLimit(dependencies.clock);
    this.#nonce = dependencies.clock.nowMs();
  }

  /** A peer has spoken in an instance that is not run here: if it has ended, the peer is told so. */
  answer(instanceId: Bytes32, peer: PeerName): void {
    const { network, blockStore, logger } = this.#dependencies;
    const stored = blockStore.getEnd(instanceId);
    // By peer and instance: who comes back after epochs goes through many instances in a moment.
    if (stored === undefined || !this.#answers.admits(`${peer} ${bytesToHex(instanceId)}`)) return;
    const { proof } = decodeInstanceEnd(stored.end);
    const certificates: CertificateBundle = {
      instanceId,
      highestQuorumCertificate: [],
      commitCertificate: [proof.commitCertificate],
      commitQuorumCertificate: [proof.quorumCertificate],
      timeoutCertificate: [],
      nonce: this.#nonce++,
    };
    const message = encodeConsensusMessage({ kind: 'certificates', certificates });
    network.request
      .request(peer, CERTIFICATES_PROTOCOL, message, { timeoutMs: SEND_TIMEOUT_MS, responseBytesMax: 0 })
      .catch((error: unknown) =>
        logger.debug({ peer, instance: bytesToHex(instanceId), error: String(error) }, 'the end of an instance not delivered'),
      );
  }
}
