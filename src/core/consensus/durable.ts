// Durable before spoken (protocol, section 3): whatever a step signs, the signing record that covers it and the block that it
// votes for are on disk before any signature leaves the node. One place puts effects in that order, so no rule can forget it.
import type { Effect } from './effects.ts';
import type { ConsensusState, Transition } from './state.ts';

type Phase = 'before' | 'durable' | 'spoken' | 'after';

/**
 * Puts a step's effects in order: what needs no signature, so that the disk delays it not; the blocks to store and, once, the
 * record; what is signed; slow local work. The record is not written again when the one on disk already covers what is signed.
 */
export function durableBeforeSpoken({ state, effects }: Transition): Transition {
  const spoken = inPhase(effects, 'spoken');
  const mustPersist = spoken.length > 0 && state.durableRecord !== state.record;
  const persist: readonly Effect[] = mustPersist ? [{ kind: 'persist', record: state.record }] : [];
  const next: ConsensusState = mustPersist ? { ...state, durableRecord: state.record } : state;
  return {
    state: next,
    effects: [...inPhase(effects, 'before'), ...inPhase(effects, 'durable'), ...persist, ...spoken, ...inPhase(effects, 'after')],
  };
}

function inPhase(effects: readonly Effect[], phase: Phase): readonly Effect[] {
  return effects.filter((effect) => phaseOf(effect) === phase);
}

function phaseOf(effect: Effect): Phase {
  switch (effect.kind) {
    case 'persist':
    case 'store-block':
      return 'durable';
    case 'sign-and-send-proposal':
    case 'sign-and-send-vote':
    case 'sign-and-send-commit-vote':
    case 'sign-and-send-timeout':
      return 'spoken';
    case 'commit':
    case 'instance-closed':
    case 'discard-blocks':
    case 'send-certificates':
      return 'after';
    default:
      return 'before';
  }
}
