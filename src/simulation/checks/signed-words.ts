// Durability of promises: whatever a correct validator signs, over all its lives, contradicts nothing that it signed before, and is in its
// signing record on disk before anyone hears it.
import { highestRoundOf, SigningRecord } from '../../core/consensus/record.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { Round } from '../../core/primitives/ids.ts';
import { decodeCanonical } from '../../core/protocol/ssz.ts';
import type { Network } from '../../network/ports.ts';
import type { ConsensusMessage } from '../../runtime/consensus-codec.ts';
import { signingRecordIn } from '../../storage/signing-record.ts';
import { hashOf, messagesOf } from '../messages.ts';
import { speaking } from '../speaking.ts';
import type { Report } from './violation.ts';

/** Everything that one validator signed: at most one block for each kind and round. */
export class SignedWords {
  readonly #report: Report;
  readonly #name: string;
  readonly #words = new Map<string, string>();
  /** Rounds given up: nothing may be voted for in them, or below, afterwards. */
  #lastTimeoutRound: Round = 0;
  #lastVotedRound: Round = 0;
  #lastCommitVotedRound: Round = 0;
  #lastProposedRound: Round = 0;

  constructor(name: string, report: Report) {
    this.#name = name;
    this.#report = report;
  }

  /** Takes note of a message that the validator sends; `recordFile` is its signing record as a loss of power would leave it now. */
  hear(message: ConsensusMessage, recordFile: Uint8Array | undefined): void {
    this.#checkPromised(message, recordFile);
    switch (message.kind) {
      case 'proposal':
        this.#lastProposedRound = Math.max(this.#lastProposedRound, message.proposal.header.round);
        return this.#note('proposal', message.proposal.header.round, bytesToHex(hashOf(message.proposal.header)));
      case 'vote':
      case 'commit-vote': {
        const { round, blockHash } = message.vote.point;
        const isNew = !this.#words.has(`${message.kind} ${round}`);
        if (isNew && round <= this.#lastTimeoutRound) this.#report('durability', this.#name, `${message.kind} in round ${round}, given up`);
        if (message.kind === 'vote') this.#lastVotedRound = Math.max(this.#lastVotedRound, round);
        else this.#lastCommitVotedRound = Math.max(this.#lastCommitVotedRound, round);
        return this.#note(message.kind, round, bytesToHex(blockHash));
      }
      case 'timeout':
        this.#checkTimeout(message.timeout.round, message.timeout.highestQuorumCertificate[0]?.point.round ?? 0);
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
    const forgotten = [
      ['vote', lastVotedRound, this.#lastVotedRound],
      ['commit vote', lastCommitVotedRound, this.#lastCommitVotedRound],
      ['proposal', lastProposedRound, this.#lastProposedRound],
      ['timeout', record.lastTimeoutRound, this.#lastTimeoutRound],
      ['QC that it commit-voted for', highestRoundOf(record), this.#lastCommitVotedRound],
    ] as const;
    for (const [what, remembered, said] of forgotten)
      if (remembered < said)
        this.#report('durability', this.#name, `has forgotten its ${what} of round ${said}: its record says ${remembered}`);
    if (lastVotedRound > 0) this.#note('vote', lastVotedRound, bytesToHex(lastVotedHash));
    if (lastCommitVotedRound > 0) this.#note('commit-vote', lastCommitVotedRound, bytesToHex(lastCommitVotedHash));
    if (lastProposedRound > 0) this.#note('proposal', lastProposedRound, bytesToHex(lastProposedHash));
  }

  // A commit vote says that the voter holds the QC, and a timeout that it holds none higher than it shows: the two together are evidence.
  #checkTimeout(round: Round, reportedRound: Round): void {
    const committed = this.#lastCommitVotedRound;
    if (committed <= round && reportedRound < committed)
      this.#report(
        'durability',
        this.#name,
        `timeout of round ${round} with a QC of ${reportedRound}, after a commit vote in ${committed}`,
      );
  }

  // Durable before spoken.
  #checkPromised(message: ConsensusMessage, recordFile: Uint8Array | undefined): void {
    if (message.kind === 'certificates') return;
    const content = recordFile === undefined ? undefined : signingRecordIn(recordFile);
    const record = content === undefined ? undefined : decodeCanonical(SigningRecord, content);
    const round = roundOf(message);
    const promised = record?.ok === true ? promisedRoundOf(message, record.value) : 0;
    if (promised < round)
      this.#report(
        'durability',
        this.#name,
        `${message.kind} of round ${round} is heard before it is on disk: the record there says ${promised}`,
      );
  }

  #note(kind: string, round: Round, hash: string): void {
    const key = `${kind} ${round}`;
    const before = this.#words.get(key);
    if (before !== undefined && before !== hash) this.#report('durability', this.#name, `signed two of ${key}: ${before} and ${hash}`);
    this.#words.set(key, hash);
  }
}

function roundOf(message: Exclude<ConsensusMessage, { kind: 'certificates' }>): Round {
  switch (message.kind) {
    case 'proposal':
      return message.proposal.header.round;
    case 'vote':
    case 'commit-vote':
      return message.vote.point.round;
    case 'timeout':
      return message.timeout.round;
  }
}

function promisedRoundOf({ kind }: Exclude<ConsensusMessage, { kind: 'certificates' }>, record: SigningRecord): Round {
  switch (kind) {
    case 'proposal':
      return record.lastProposedRound;
    case 'vote':
      return record.lastVotedRound;
    case 'commit-vote':
      return record.lastCommitVotedRound;
    case 'timeout':
      return record.lastTimeoutRound;
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
