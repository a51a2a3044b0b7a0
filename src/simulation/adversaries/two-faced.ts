// Proposes two blocks in a round, and votes for both of what it votes for: every second peer hears of one, the others of the other.
import { isCarrier } from '../../core/consensus/block-role.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import type { Proposal } from '../../core/protocol/vote.ts';
import { type ConsensusMessage, instanceIdOf } from '../../runtime/consensus-codec.ts';
import type { Signer } from '../../runtime/signer.ts';
import { readableOf } from '../messages.ts';
import { withPostState } from './post-state.ts';
import { frameOf, NOBODY, sayingOnConsensus } from './speech.ts';
import type { Adversary, StrategyTools } from './strategy.ts';

/** See the file's head. */
export const twoFaced: Adversary = (own, tools) =>
  sayingOnConsensus(own, async (topic, data) => {
    const others: ConsensusMessage[] = [];
    for (const message of readableOf(data)) others.push(await otherOf(message, tools));
    const other = frameOf(others);
    for (const [place, peer] of own.peers.connected().entries()) tools.whisper(peer, topic, place % 2 === 0 ? data : other);
    return NOBODY;
  });

async function otherOf(message: ConsensusMessage, tools: StrategyTools): Promise<ConsensusMessage> {
  const signer = tools.signerIn(instanceIdOf(message));
  if (signer === undefined) return message;
  switch (message.kind) {
    case 'proposal':
      return { kind: 'proposal', proposal: (await otherBlock(message.proposal, signer, tools)) ?? message.proposal };
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

/** Another block of the same round, as valid as the first; undefined of a carrier, which says nothing of its own, and of what is over. */
export async function otherBlock(
  { header, body }: Proposal,
  signer: Signer,
  tools: StrategyTools,
  laterMs = 1,
): Promise<Proposal | undefined> {
  if (isCarrier(header)) return undefined;
  const other = await withPostState({ header: { ...header, timestampMs: header.timestampMs + laterMs }, body }, tools);
  return other && { ...other, signature: signer.signProposal(blockHashOf(other.header)) };
}
