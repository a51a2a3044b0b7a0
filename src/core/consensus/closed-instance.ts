// An instance that has ended (protocol, section 6, "Closing"): its closing block is committed. The node neither proposes nor votes nor gives
// rounds up any more, and needs no timer. It goes on to answer: whoever still speaks in the instance has not heard of its end, and cannot reach
// a quorum without those who have.
import type { BlockHeader } from '../protocol/block.ts';
import type { CommitProof, Effect, InstanceClosed } from './effects.ts';
import type { CommitCertificateReceived, ConsensusEvent } from './events.ts';
import type { ConsensusState, Transition, TreeBlock } from './state.ts';

/** What shows that the closing block is final. To be stored with that block. */
export interface ClosedInstance {
  /** From the one on the closing block up to the one that the certificates are of; none where they are of the closing block itself. */
  readonly carriers: readonly BlockHeader[];
  readonly proof: CommitProof;
}

/** The blocks of a path that a CC covers, without the carriers at its end, and these. */
export function splitAtClosing(path: readonly TreeBlock[]): {
  readonly chain: readonly TreeBlock[];
  readonly carriers: readonly BlockHeader[];
} {
  const chain = path.filter(({ role }) => role !== 'carrier');
  return { chain, carriers: path.slice(chain.length).map(({ header }) => header) };
}

/** Tells the shell that the instance has ended: once, and once more in each later life. */
export function closedEffect(committed: ConsensusState['committed'], { carriers, proof }: ClosedInstance): InstanceClosed {
  return { kind: 'instance-closed', closing: committed, carriers, proof };
}

/** Everything that still happens to a node whose instance has ended. */
export function stepClosed(state: ConsensusState, closed: ClosedInstance, event: ConsensusEvent): Transition {
  switch (event.kind) {
    case 'started':
      return { state, effects: [closedEffect(state.committed, closed)] };
    case 'old-message-seen':
      return answerWithClosing(state, closed, event.from);
    case 'timeout-received':
      return event.timeout.validator === state.self ? { state, effects: [] } : answerWithClosing(state, closed, event.from);
    case 'commit-certificate-received':
      return { state, effects: reportFork(state, event) };
    default:
      return { state, effects: [] };
  }
}

// Certificates of later carriers are left out: nobody needs them, and not everybody has their blocks.
function answerWithClosing(state: ConsensusState, { proof }: ClosedInstance, from: string): Transition {
  const certificates = { highestQuorumCertificate: undefined, commitProof: proof, timeoutCertificate: undefined };
  return { state, effects: [{ kind: 'send-certificates', to: from, certificates }] };
}

// Nothing is above a closing block. What is of its height may be a carrier of others.
function reportFork({ committed }: ConsensusState, { certificate: { point } }: CommitCertificateReceived): readonly Effect[] {
  if (point.height <= committed.height) return [];
  return [{ kind: 'report', report: 'conflicting-commit', round: point.round, hash: point.blockHash, validator: undefined }];
}
