// The vote (protocol, section 3): a node votes for a valid block B of round r if r is above its last voted round and its last
// timeout round, and either B's justify is of round r − 1, or B carries a TC of round r − 1 and its justify's round is at least the
// highest QC round in that TC.
import type { BlockHeader } from '../protocol/block.ts';
import { isAdmittedToRound } from './header-rules.ts';
import { type ConsensusState, type Transition, type TreeBlock, unchanged } from './state.ts';

/** True if the rule permits a vote for a valid block with this header. Votes of rounds already left are of no use. */
export function mayVote({ record, round }: Pick<ConsensusState, 'record' | 'round'>, header: BlockHeader): boolean {
  return (
    header.round === round && header.round > record.lastVotedRound && header.round > record.lastTimeoutRound && isAdmittedToRound(header)
  );
}

/** Votes for a valid block that was proposed to us, where the rule permits it. The block is stored first: see `StoreBlock`. */
export function voteFor(state: ConsensusState, { hash, header, isCertified }: TreeBlock): Transition {
  if (state.self === undefined || isCertified || !mayVote(state, header)) return unchanged(state);
  const { height, round } = header;
  const record = { ...state.record, lastVotedRound: round, lastVotedHash: hash };
  return {
    state: { ...state, record },
    effects: [
      { kind: 'store-block', hash, header },
      { kind: 'sign-and-send-vote', point: { height, round, blockHash: hash } },
    ],
  };
}
