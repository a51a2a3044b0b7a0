// The messages of the scale study as they travel: the real SSZ encoding in a real gossip frame, and what gossipsub adds. Signatures and
// transactions are of the right length and mean nothing.
import type { BitArray } from '@chainsafe/ssz';
import { ZERO_32 } from '../../src/core/primitives/bytes.ts';
import { type BlockBody, type BlockHeader, EMPTY_BODY } from '../../src/core/protocol/block.ts';
import { type BlockPoint, type QuorumCertificate, SCHEME_BLS } from '../../src/core/protocol/certificate.ts';
import type { Instance } from '../../src/core/protocol/committee.ts';
import type { Proposal, Timeout, Vote } from '../../src/core/protocol/vote.ts';
import { packMessages } from '../../src/network/coalesce.ts';
import { pack, unpack } from '../../src/network/frame-codec.ts';
import { type ConsensusMessage, encodeConsensusMessage } from '../../src/runtime/consensus-codec.ts';
import { EMPTY_EXECUTION } from '../../test/core/consensus/values.ts';

/** Transactions of a block of the study, and the bytes of a plain transfer. */
export const BLOCK_TRANSACTIONS = 200;
const TRANSFER_BYTES = 112;
/** The topic's name, and the fields and lengths of the protobuf around it and the data. */
const GOSSIP_BYTES = '/coppice/00000000/1/consensus/1'.length + 8;
const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;

/** Bytes that do not compress, as signatures and hashes do not. */
function noise(length: number): Uint8Array {
  let state = length;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

/** The body of every block. */
export const BODY: BlockBody = {
  ...EMPTY_BODY,
  transactions: Array.from({ length: BLOCK_TRANSACTIONS }, (_unused, index) => noise(TRANSFER_BYTES).map((byte) => byte ^ index)),
};
export const SIGNATURE = noise(96);

/** A message as gossip carries it. */
export function wireBytes(message: ConsensusMessage): Uint8Array {
  return pack(packMessages([encodeConsensusMessage(message)]));
}

/** What a frame held before `pack`. */
export function unpacked(frame: Uint8Array): Uint8Array {
  const content = unpack(frame, MESSAGE_BYTES_MAX);
  if (!content.ok) throw new Error(`a frame of our own: ${content.reason}`);
  return content.value;
}

/** Bytes of a message on the way, gossipsub's part included; noise, yamux and TCP are not. */
export function sizeOf(message: ConsensusMessage): number {
  return wireBytes(message).length + GOSSIP_BYTES;
}

/** A vote of a validator. */
export function voteExample(instance: Instance, validator: number, point: BlockPoint = { height: 1, round: 1, blockHash: ZERO_32 }): Vote {
  return { instanceId: instance.instanceId, point, validator, signature: SIGNATURE };
}

/** A timeout of round 1. */
export function timeoutExample(instance: Instance, validator: number): Timeout {
  return { instanceId: instance.instanceId, round: 1, highestQuorumCertificate: [], validator, signature: SIGNATURE };
}

/** A certificate with these signers. */
export function certificateExample(signers: BitArray, point: BlockPoint = { height: 1, round: 1, blockHash: ZERO_32 }): QuorumCertificate {
  return { point, scheme: SCHEME_BLS, signers, signature: SIGNATURE };
}

/** A proposal on a block with a certificate of these signers. */
export function proposalExample(instance: Instance, signers: BitArray): Proposal {
  const header: BlockHeader = {
    instanceId: instance.instanceId,
    height: 2,
    round: 2,
    parentHash: ZERO_32,
    justify: [certificateExample(signers)],
    timeoutCertificate: [],
    proposer: 0,
    vrfProof: new Uint8Array(80),
    timestampMs: 0,
    beaconReference: { height: 0, hash: ZERO_32 },
    bodyRoot: ZERO_32,
    gasBought: 0,
    baseFeePerGasWei: 1n,
    parentExecution: EMPTY_EXECUTION,
    postStateRoot: ZERO_32,
  };
  return { header, body: BODY, signature: SIGNATURE };
}
