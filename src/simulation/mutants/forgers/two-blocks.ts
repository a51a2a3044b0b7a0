// A leader that proposes two blocks in each of its rounds, to everybody.
import type { Forgery } from './hand.ts';
import { signedAgain } from './hand.ts';

/** See the file's head. */
export function twoBlocks(): Forgery {
  return {
    instead: (message, hand) => {
      if (message.kind !== 'proposal') return [message];
      const { header } = message.proposal;
      const other = signedAgain(message.proposal, { ...header, timestampMs: header.timestampMs + 1 }, hand);
      return [message, { kind: 'proposal', proposal: other }];
    },
  };
}
