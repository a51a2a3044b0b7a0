// What a consensus message of any kind must prove for whoever hands it on to answer for it: signatures, and a proposal's body.
// What the message intake looks at for its own sake is less, since much that is good is of no use to it.
import {
  bundleClaims,
  type MessageRefusal,
  proposalClaims,
  type SignatureSet,
  timeoutClaims,
  voteClaims,
} from '../core/consensus/signature-sets.ts';
import { keccak256 } from '../core/crypto/keccak.ts';
import { bytesEqual } from '../core/primitives/bytes.ts';
import { refuse, type Verdict } from '../core/primitives/verdict.ts';
import { blockHashOf, bodyRootOf } from '../core/protocol/block.ts';
import type { Instance } from '../core/protocol/committee.ts';
import type { Proposal } from '../core/protocol/vote.ts';
import type { ConsensusMessage } from './consensus-codec.ts';

/** What there is to verify, or why there is no need to. */
export type MessageClaims = Verdict<readonly SignatureSet[], MessageRefusal | 'wrong-body-root'>;

/** See the file's head. */
export function claimsOfMessage(instance: Instance, message: ConsensusMessage): MessageClaims {
  switch (message.kind) {
    case 'proposal':
      return claimsOfProposal(instance, message.proposal);
    case 'vote':
    case 'commit-vote':
      return voteClaims(instance, message.kind, message.vote);
    case 'timeout':
      return timeoutClaims(instance, message.timeout);
    case 'certificates':
      return bundleClaims(instance, message.certificates);
  }
}

function claimsOfProposal(instance: Instance, { header, body, signature }: Proposal): MessageClaims {
  const transactionHashes = body.transactions.map((raw) => keccak256(raw));
  if (!bytesEqual(bodyRootOf(body, transactionHashes), header.bodyRoot)) return refuse('wrong-body-root');
  return proposalClaims(instance, header, blockHashOf(header), signature);
}
