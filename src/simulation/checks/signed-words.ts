// Durability of promises: whatever a correct validator signs, over all its lives, contradicts nothing that it signed before, and is in its
// signing record on disk before anyone hears it.
import { highestRoundOf, SigningRecord } from '../../core/consensus/record.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';
import type { Bytes32, Hex, Round } from '../../core/primitives/ids.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import { decodeCanonical } from '../../core/protocol/ssz.ts';
import type { Network } from '../../network/ports.ts';
import { type ConsensusMessage, instanceIdOf } from '../../runtime/consensus-codec.ts';
import { signingRecordIn } from '../../storage/signing-record.ts';
import { messagesOf } from '../messages.ts';
import { speaking } from '../speaking.ts';
import type { Report } from './violation.ts';

/** What one validator signed in one instance: at most one block for each kind and round. */
interface Said {
  readonly words: Map<string, string>;
  /** Rounds given up: nothing may be voted for in them, or below, afterwards. */
  lastTimeoutRound: Round;
  lastVotedRound: Round;
  lastCommitVotedRound: Round;
  lastProposedRound: Round;
}

/** Everything that one validator signed, instance by instance: a promise of one says nothing about another. */
export class SignedWords {
  readonly #report: Report;
  readonly #name: string;
  readonly #byInstance = new Map<Hex, Said>();

  constructor(name: string, report: Report) {
    this.#report = report;
    this.#name = name;
  }

  /**
   * Takes note of a message that the validator sends; `recordFile` is its signing record of the message's instance as a loss of power would
   * leave it now.
   */
  hear(message: ConsensusMessage, recordFile: Uint8Array | undefined): void {
    const said = this.#saidIn(instanceIdOf(message));
    this.#checkPromised(message, recordFile);
    switch (message.kind) {
      case 'proposal':
        said.lastProposedRound = Math.max(said.lastProposedRound, message.proposal.header.round);
        return this.#note(said, 'proposal', message.proposal.header.round, bytesToHex(blockHashOf(message.proposal.header)));
      case 'vote':
      case 'commit-vote': {
        const { round, blockHash } = message.vote.point;
        const isNew = !said.words.has(`${message.kind} ${round}`);
        if (isNew && round <= said.lastTimeoutRound) this.#report('durability', this.#name, `${message.kind} in round ${round}, given up`);
        if (message.kind === 'vote') said.lastVotedRound = Math.max(said.lastVotedRound, round);
        else said.lastCommitVotedRound = Math.max(said.lastCommitVotedRound, round);
        return this.#note(said, message.kind, round, bytesToHex(blockHash));
      }
      case 'timeout':
        this.#checkTimeout(said, message.timeout.round, message.timeout.highestQuorumCertificate[0]?.point.round ?? 0);
        said.lastTimeoutRound = Math.max(said.lastTimeoutRound, message.timeout.round);
        return;
      case 'certificates':
        return;
    }
  }

  /**
   * The validator has started again, with these files of its records: what they promise counts as said, since it may have ended between the
   * promise and the word, and says it now. Of every instance in which it has signed there is one.
   */
  remember(recordFiles: readonly Uint8Array[]): void {
    const remembered = new Set<Hex>();
    for (const file of recordFiles) {
      const content = signingRecordIn(file);
      const record = content === undefined ? undefined : decodeCanonical(SigningRecord, content);
      if (record?.ok !== true) continue;
      remembered.add(bytesToHex(record.value.instanceId));
      this.#rememberRecord(record.value);
    }
    for (const instance of this.#byInstance.keys())
      if (!remembered.has(instance)) this.#report('durability', this.#name, `has no signing record of instance ${instance} any more`);
  }

  #rememberRecord(record: SigningRecord): void {
    const said = this.#saidIn(record.instanceId);
    const { lastVotedRound, lastVotedHash, lastCommitVotedRound, lastCommitVotedHash, lastProposedRound, lastProposedHash } = record;
    const forgotten = [
      ['vote', lastVotedRound, said.lastVotedRound],
      ['commit vote', lastCommitVotedRound, said.lastCommitVotedRound],
      ['proposal', lastProposedRound, said.lastProposedRound],
      ['timeout', record.lastTimeoutRound, said.lastTimeoutRound],
      ['QC that it commit-voted for', highestRoundOf(record), said.lastCommitVotedRound],
    ] as const;
    for (const [what, remembered, spoken] of forgotten)
      if (remembered < spoken)
        this.#report('durability', this.#name, `has forgotten its ${what} of round ${spoken}: its record says ${remembered}`);
    if (lastVotedRound > 0) this.#note(said, 'vote', lastVotedRound, bytesToHex(lastVotedHash));
    if (lastCommitVotedRound > 0) this.#note(said, 'commit-vote', lastCommitVotedRound, bytesToHex(lastCommitVotedHash));
    if (lastProposedRound > 0) this.#note(said, 'proposal', lastProposedRound, bytesToHex(lastProposedHash));
  }

  // A commit vote says that the voter holds the QC, and a timeout that it holds none higher than it shows: the two together are evidence.
  #checkTimeout({ lastCommitVotedRound }: Said, round: Round, reportedRound: Round): void {
    if (lastCommitVotedRound <= round && reportedRound < lastCommitVotedRound)
      this.#report(
        'durability',
        this.#name,
        `timeout of round ${round} with a QC of ${reportedRound}, after a commit vote in ${lastCommitVotedRound}`,
      );
  }

  // Durable before spoken.
  #checkPromised(message: ConsensusMessage, recordFile: Uint8Array | undefined): void {
    if (message.kind === 'certificates') return;
    const content = recordFile === undefined ? undefined : signingRecordIn(recordFile);
    const record = content === undefined ? undefined : decodeCanonical(SigningRecord, content);
    const round = roundOf(message);
    const isOfInstance = record?.ok === true && bytesEqual(record.value.instanceId, instanceIdOf(message));
    const promised = isOfInstance ? promisedRoundOf(message, record.value) : 0;
    if (promised < round)
      this.#report(
        'durability',
        this.#name,
        `${message.kind} of round ${round} is heard before it is on disk: the record there says ${promised}`,
      );
  }

  #note({ words }: Said, kind: string, round: Round, hash: string): void {
    const key = `${kind} ${round}`;
    const before = words.get(key);
    if (before !== undefined && before !== hash) this.#report('durability', this.#name, `signed two of ${key}: ${before} and ${hash}`);
    words.set(key, hash);
  }

  #saidIn(instanceId: Bytes32): Said {
    const name = bytesToHex(instanceId);
    const known = this.#byInstance.get(name);
    if (known !== undefined) return known;
    const said: Said = { words: new Map(), lastTimeoutRound: 0, lastVotedRound: 0, lastCommitVotedRound: 0, lastProposedRound: 0 };
    this.#byInstance.set(name, said);
    return said;
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
