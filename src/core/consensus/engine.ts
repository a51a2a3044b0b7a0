// The consensus engine: two-phase HotStuff with broadcast votes (protocol, section 3) as a pure function of state and event. One
// handler for each kind of event; each rule is in the file of its name.

import { adoptQuorumCertificate, adoptTimeoutCertificate, receiveCommitCertificate } from './adopt.ts';
import { onBlockFetched, onBlockNotHeld, onBlockValidated, onProposalReceived } from './blocks.ts';
import { stepClosed } from './closed-instance.ts';
import { durableBeforeSpoken } from './durable.ts';
import type { ConsensusEvent } from './events.ts';
import { answerWithNewest, startRound } from './pacemaker.ts';
import { onPayloadReady } from './proposal.ts';
import type { ConsensusState, Transition } from './state.ts';
import { onTimeoutReceived, onTimerFired } from './timeout.ts';

/** What the event makes of the state, and what the shell has to do about it. */
export function step(state: ConsensusState, event: ConsensusEvent): Transition {
  return durableBeforeSpoken(handle(state, event));
}

function handle(state: ConsensusState, event: ConsensusEvent): Transition {
  if (state.closed !== undefined) return stepClosed(state, state.closed, event);
  switch (event.kind) {
    case 'started':
      return startRound(state);
    case 'proposal-received':
      return onProposalReceived(state, event);
    case 'block-fetched':
      return onBlockFetched(state, event);
    case 'block-validated':
      return onBlockValidated(state, event);
    case 'block-not-held':
      return onBlockNotHeld(state, event);
    case 'quorum-certificate-received':
      return adoptQuorumCertificate(state, event.certificate);
    case 'commit-certificate-received':
      return receiveCommitCertificate(state, event.certificate, event.quorumCertificate);
    case 'timeout-certificate-received':
      return adoptTimeoutCertificate(state, event.certificate);
    case 'timeout-received':
      return onTimeoutReceived(state, event);
    case 'old-message-seen':
      return answerWithNewest(state, event.from);
    case 'timer-fired':
      return onTimerFired(state, event);
    case 'payload-ready':
      return onPayloadReady(state, event);
  }
}
