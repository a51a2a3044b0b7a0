// Proposes two blocks in a round, and votes for both of what it votes for: every second peer hears of one, the others of the other.
import { blockHashOf } from '../../core/protocol/block.ts';
import type { Proposal } from '../../core/protocol/vote.ts';
import type { ConsensusMessage } from '../../runtime/consensus-codec.ts';
import type { Signer } from '../../runtime/signer.ts';
import { readableOf } from '../messages.ts';
import { frameOf, NOBODY, sayingOnConsensus } from './speech.ts';
import type { Adversary } from './strategy.ts';

/** See the file's head. */
export const twoFaced: Adversary = (own, { whisper, signer }) =>
  sayingOnConsensus(own, async (topic, data) => {
    const keys = signer();
    const other = keys === undefined ? data : frameOf(readableOf(data).map((message) => otherOf(message, keys)));
    for (const [place, peer] of own.peers.connected().entries()) whisper(peer, topic, place % 2 === 0 ? data : other);
    return NOBODY;
  });

function otherOf(message: ConsensusMessage, signer: Signer): ConsensusMessage {
  switch (message.kind) {
    case 'proposal':
      return { kind: 'proposal', proposal: otherBlock(message.proposal, signer) };
    case 'vote':
    case 'commit-vote': {
      // For a block that nobody knows, in the round of its own: a quorum must not come of it.
      const { point } = message.vote;
      const other = { ...point, blockHash: point.blockHash.with(0, (point.blockHash[0] as number) ^ 1) };
      const signature = message.kind === 'vote' ? signer.signVote(other) : signer.signCommitVote(other);
      return { kind: message.kind, vote: { ...message.vote, point: other, signature } };
    }
    case 'timeout':
    case 'certificates':
      return message;
  }
}

/** Another block of the same round, as valid as the first. */
export function otherBlock({ header, body }: Proposal, signer: Signer, laterMs = 1): Proposal {
  const other = { ...header, timestampMs: header.timestampMs + laterMs };
  return { header: other, body, signature: signer.signProposal(blockHashOf(other)) };
}
