// A node that answers those who are behind with a block of its own making: rightly led and valid in itself, on the asker's newest block,
// and certified by nobody.
import { bytesEqual } from '../../../core/primitives/bytes.ts';
import { blockHashOf } from '../../../core/protocol/block.ts';
import { CertifiedBlock } from '../../../core/protocol/certified-block.ts';
import { decodeCanonical } from '../../../core/protocol/ssz.ts';
import type { Proposal } from '../../../core/protocol/vote.ts';
import { BLOCK_PROTOCOLS, BlocksByRangeRequest } from '../../../sync/block-protocol.ts';
import { unsignedOf } from './certificates.ts';
import type { Forgery } from './hand.ts';

/** Blocks of its own that it remembers. */
const OWN_MAX = 256;

/** See the file's head. */
export function lyingServer(): Forgery {
  const own: Proposal[] = [];
  return {
    instead: (message) => {
      if (message.kind === 'proposal') own.push(message.proposal);
      if (own.length > OWN_MAX) own.shift();
      return [message];
    },
    answer: (protocol, body, handIn) => {
      const asked = protocol === BLOCK_PROTOCOLS.blocksByRange ? decodeCanonical(BlocksByRangeRequest, body) : undefined;
      if (asked?.ok !== true) return undefined;
      const { instanceId, fromHeight } = asked.value;
      const proposal = own.find(({ header }) => header.height === fromHeight && bytesEqual(header.instanceId, instanceId));
      const hand = handIn(instanceId);
      if (proposal === undefined || hand === undefined) return undefined;
      const header = { ...proposal.header, timestampMs: proposal.header.timestampMs + 1 };
      const point = { height: header.height, round: header.round, blockHash: blockHashOf(header) };
      const certificate = unsignedOf(point, hand);
      const certificates = { quorumCertificate: certificate, commitCertificate: [certificate] };
      return [CertifiedBlock.serialize({ block: { header, body: proposal.body }, certificates })];
    },
  };
}
