// Consensus messages on the wire: one byte for the kind, then the SSZ encoding. Only canonical bytes decode.
import type { Type } from '@chainsafe/ssz';
import type { Bytes32 } from '../core/primitives/ids.ts';
import { accept, refuse, type Verdict } from '../core/primitives/verdict.ts';
import { decodeCanonical } from '../core/protocol/ssz.ts';
import { CertificateBundle, Proposal, Timeout, Vote } from '../core/protocol/vote.ts';

/** A message of one validator to its committee. */
export type ConsensusMessage =
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'commit-vote'; readonly vote: Vote }
  | { readonly kind: 'timeout'; readonly timeout: Timeout }
  | { readonly kind: 'certificates'; readonly certificates: CertificateBundle };

const KIND_BYTES = { proposal: 1, vote: 2, 'commit-vote': 3, timeout: 4, certificates: 5 } as const;

/** Why bytes are no consensus message. */
export type CodecRefusal = 'malformed' | 'not-canonical' | 'unknown-kind';

/** Which instance a message says that it is of. */
export function instanceIdOf(message: ConsensusMessage): Bytes32 {
  switch (message.kind) {
    case 'proposal':
      return message.proposal.header.instanceId;
    case 'vote':
    case 'commit-vote':
      return message.vote.instanceId;
    case 'timeout':
      return message.timeout.instanceId;
    case 'certificates':
      return message.certificates.instanceId;
  }
}

/** The wire form. */
export function encodeConsensusMessage(message: ConsensusMessage): Uint8Array {
  switch (message.kind) {
    case 'proposal':
      return withKind(KIND_BYTES.proposal, Proposal.serialize(message.proposal));
    case 'vote':
    case 'commit-vote':
      return withKind(KIND_BYTES[message.kind], Vote.serialize(message.vote));
    case 'timeout':
      return withKind(KIND_BYTES.timeout, Timeout.serialize(message.timeout));
    case 'certificates':
      return withKind(KIND_BYTES.certificates, CertificateBundle.serialize(message.certificates));
  }
}

/** Reads foreign bytes. */
export function decodeConsensusMessage(data: Uint8Array): Verdict<ConsensusMessage, CodecRefusal> {
  const content = data.subarray(1);
  switch (data[0]) {
    case KIND_BYTES.proposal:
      return decoded(Proposal, content, (proposal) => ({ kind: 'proposal', proposal }));
    case KIND_BYTES.vote:
      return decoded(Vote, content, (vote) => ({ kind: 'vote', vote }));
    case KIND_BYTES['commit-vote']:
      return decoded(Vote, content, (vote) => ({ kind: 'commit-vote', vote }));
    case KIND_BYTES.timeout:
      return decoded(Timeout, content, (timeout) => ({ kind: 'timeout', timeout }));
    case KIND_BYTES.certificates:
      return decoded(CertificateBundle, content, (certificates) => ({ kind: 'certificates', certificates }));
    default:
      return refuse('unknown-kind', `kind ${data[0]}`);
  }
}

function decoded<T>(type: Type<T>, content: Uint8Array, wrap: (value: T) => ConsensusMessage): Verdict<ConsensusMessage, CodecRefusal> {
  const verdict = decodeCanonical(type, content);
  return verdict.ok ? accept(wrap(verdict.value)) : verdict;
}

function withKind(kind: number, content: Uint8Array): Uint8Array {
  const message = new Uint8Array(1 + content.length);
  message[0] = kind;
  message.set(content, 1);
  return message;
}
