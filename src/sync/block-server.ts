// Serves blocks to nodes that are behind. What goes out is read from disk or memory as it is; what comes in is checked, and costs a
// bounded amount of work (protocol, section 9).
import type { Bytes32, ChainId } from '../core/primitives/ids.ts';
import { Block, CertifiedBlock } from '../core/protocol/certified-block.ts';
import { decodeCanonical } from '../core/protocol/ssz.ts';
import type { PeerName, Request } from '../network/ports.ts';
import {
  BLOCK_PROTOCOLS,
  BlockByHashRequest,
  BlocksByRangeRequest,
  RANGE_BLOCKS_MAX,
  RANGE_BYTES_MAX,
  Status,
  StatusRequest,
} from './block-protocol.ts';

/** A committed block as it is stored: SSZ of `Block` and `BlockCertificates`. */
export interface StoredCertifiedBlock {
  readonly block: Uint8Array;
  readonly certificates: Uint8Array;
}

/** What serving needs of the node. */
export interface BlockServerSource {
  readonly chain: ChainId;
  readonly instanceId: Bytes32;
  status(): Status;
  /** Committed blocks from a height on, at most `count`. */
  readRange(fromHeight: number, count: number): Promise<readonly StoredCertifiedBlock[]>;
  /** SSZ of `Block`, committed or not. */
  readByHash(hash: Bytes32): Uint8Array | undefined;
}

/** Answers the block protocols; `onBadRequest` is told of each request that no honest node sends. An instance not held here gets no frames. */
export function serveBlocks(
  request: Request,
  sourceOf: (instanceId: Bytes32) => BlockServerSource | undefined,
  onBadRequest: (peer: PeerName, reason: string) => void,
): void {
  request.handle(BLOCK_PROTOCOLS.status, (peer, body) => {
    const asked = decodeCanonical(StatusRequest, body);
    if (!asked.ok) {
      onBadRequest(peer, 'bad-status-request');
      return [];
    }
    const source = sourceOf(asked.value.instanceId);
    return source === undefined ? [] : [Status.serialize(source.status())];
  });
  request.handle(BLOCK_PROTOCOLS.blocksByRange, (peer, body) => {
    const asked = decodeCanonical(BlocksByRangeRequest, body);
    if (!asked.ok) {
      onBadRequest(peer, 'bad-range-request');
      return [];
    }
    const source = sourceOf(asked.value.instanceId);
    return source === undefined ? [] : rangeFrames(source, asked.value.fromHeight, asked.value.count);
  });
  request.handle(BLOCK_PROTOCOLS.blockByHash, (peer, body) => {
    const asked = decodeCanonical(BlockByHashRequest, body);
    if (!asked.ok) {
      onBadRequest(peer, 'bad-block-request');
      return [];
    }
    const block = sourceOf(asked.value.instanceId)?.readByHash(asked.value.hash);
    return block === undefined ? [] : [block];
  });
}

async function* rangeFrames(source: BlockServerSource, fromHeight: number, count: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for (const { block, certificates } of await source.readRange(fromHeight, Math.min(count, RANGE_BLOCKS_MAX))) {
    const frame = joinCertified(block, certificates);
    bytes += frame.length;
    if (bytes > RANGE_BYTES_MAX) return;
    yield frame;
  }
}

/** SSZ of `CertifiedBlock` from the encodings of its two parts: two offsets, then the parts. No part is decoded. */
function joinCertified(block: Uint8Array, certificates: Uint8Array): Uint8Array {
  const frame = new Uint8Array(8 + block.length + certificates.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, 8, true);
  view.setUint32(4, 8 + block.length, true);
  frame.set(block, 8);
  frame.set(certificates, 8 + block.length);
  return frame;
}

/** Reads a frame of a range answer. */
export function decodeCertifiedBlock(frame: Uint8Array): ReturnType<typeof decodeCanonical<CertifiedBlock>> {
  return decodeCanonical(CertifiedBlock, frame);
}

/** Reads the frame of an answer by hash. */
export function decodeBlock(frame: Uint8Array): ReturnType<typeof decodeCanonical<Block>> {
  return decodeCanonical(Block, frame);
}
