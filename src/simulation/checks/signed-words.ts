// Durability of promises: whatever a correct validator signs, over all its lives, contradicts nothing that it signed before.
import type { SigningRecord } from '../../core/consensus/record.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { Round } from '../../core/primitives/ids.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import type { Network } from '../../network/ports.ts';
import type { ConsensusMessage } from '../../runtime/consensus-codec.ts';
import { messagesOf } from '../messages.ts';
import { speaking } from '../speaking.ts';
import type { Report } from './violation.ts';

/** Everything that one validator signed: at most one block for each kind and round. */
export class SignedWords {
  readonly #report: Report;
  readonly #name: string;
  readonly #words = new Map<string, string>();
  /** Rounds given up: nothing may be voted for in them, or below, afterwards. */
  #lastTimeoutRound: Round = 0;

  constructor(name: string, report: Report) {
    this.#name = name;
    this.#report = report;
  }

  /** Takes note of a message that the validator sends. */
  hear(message: ConsensusMessage): void {
    switch (message.kind) {
      case 'proposal':
        return this.#note('proposal', message.proposal.header.round, bytesToHex(blockHashOf(message.proposal.header)));
      case 'vote':
      case 'commit-vote': {
        const { round, blockHash } = message.vote.point;
        const isNew = !this.#words.has(`${message.kind} ${round}`);
        if (isNew && round <= this.#lastTimeoutRound) this.#report('durability', this.#name, `${message.kind} in round ${round}, given up`);
        return this.#note(message.kind, round, bytesToHex(blockHash));
      }
      case 'timeout':
        this.#lastTimeoutRound = Math.max(this.#lastTimeoutRound, message.timeout.round);
        return;
      case 'certificates':
        return;
    }
  }

  /**
   * The validator has started again: what its record promises counts as said, since it may have ended between the promise and the word, and
   * says it now.
   */
  remember(record: SigningRecord): void {
    const { lastVotedRound, lastVotedHash, lastCommitVotedRound, lastCommitVotedHash, lastProposedRound, lastProposedHash } = record;
    if (lastVotedRound > 0) this.#note('vote', lastVotedRound, bytesToHex(lastVotedHash));
    if (lastCommitVotedRound > 0) this.#note('commit-vote', lastCommitVotedRound, bytesToHex(lastCommitVotedHash));
    if (lastProposedRound > 0) this.#note('proposal', lastProposedRound, bytesToHex(lastProposedHash));
  }

  #note(kind: string, round: Round, hash: string): void {
    const key = `${kind} ${round}`;
    const before = this.#words.get(key);
    if (before !== undefined && before !== hash) this.#report('durability', this.#name, `signed two of ${key}: ${before} and ${hash}`);
    this.#words.set(key, hash);
  }
}

/**
 * The network of a node with an ear at its mouth. `beforeSending` says whether the node's process ends just there: what it was about to say
 * is then never heard.
 */
export function overheard(own: Network, hear: (message: ConsensusMessage) => void, beforeSending: () => boolean): Network {
  return speaking(own, (topic, data) => {
    if (beforeSending()) return new Promise(() => undefined);
    if (topic.includes('/consensus/')) for (const message of ownMessagesOf(data)) hear(message);
    return own.pubSub.publish(topic, data);
  });
}

function ownMessagesOf(data: Uint8Array): readonly ConsensusMessage[] {
  const messages = messagesOf(data);
  invariant(messages !== undefined, 'a frame of our own can be read');
  return messages;
}
