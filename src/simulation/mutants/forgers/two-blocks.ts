// A leader that proposes two blocks in each of its rounds, to everybody.
import { isCarrier } from '../../../core/consensus/block-role.ts';
import { withPostState } from '../../adversaries/post-state.ts';
import { changing, type Forgery, signedBy } from './hand.ts';

/** See the file's head. */
export function twoBlocks(): Forgery {
  return {
    instead: async (message, hand) => {
      if (message.kind !== 'proposal' || isCarrier(message.proposal.header)) return [message];
      const { header, body } = message.proposal;
      const other = await withPostState({ header: { ...header, timestampMs: header.timestampMs + 1 }, body }, changing(hand));
      return other === undefined ? [message] : [message, { kind: 'proposal', proposal: signedBy(other, hand) }];
    },
  };
}
