// Writes the story of a world into its event log: what each node says, as it leaves the node, and what each node has come to believe, seen
// after every event. It only looks: a world with a chronicle goes as one without.
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Bytes32, Round } from '../../core/primitives/ids.ts';
import type { OptionalCertificate } from '../../core/protocol/certificate.ts';
import type { Node } from '../../node/create-node.ts';
import type { ConsensusMessage } from '../../runtime/consensus-codec.ts';
import { hashOf, messagesOf } from '../messages.ts';
import { type BlockName, type StoryEvent, storyLine } from './story.ts';

const BLOCK_NAME_BYTES = 5;

type State = Node['chain']['runner']['state'];

/** See the file's head. */
export class Chronicle {
  readonly #record: (line: string) => void;
  readonly #seen = new Map<string, State>();

  /** `record` takes lines of the log. */
  constructor(record: (line: string) => void) {
    this.#record = record;
  }

  /** Something that is not of one message or state. */
  tell(who: string, event: StoryEvent): void {
    this.#record(storyLine(who, event));
  }

  /** A node publishes, or whispers to one other. */
  hear(who: string, to: string | undefined, topic: string, data: Uint8Array): void {
    if (!topic.includes('/consensus/')) return;
    const whispered = to === undefined ? {} : { to };
    const messages = messagesOf(data);
    if (messages === undefined) return this.tell(who, { kind: 'babbles', ...whispered, bytes: data.length });
    for (const message of messages) this.tell(who, { ...said(message), ...whispered });
  }

  /** What a node believes now, where that is new. */
  look(who: string, { chain: { runner } }: Node): void {
    const { state } = runner;
    const before = this.#seen.get(who);
    if (state === before) return;
    this.#seen.set(who, state);
    const certificate = state.record.highestQuorumCertificate[0];
    if (certificate !== undefined && certificate.point.round !== highestRound(before)) {
      const { round, height, blockHash } = certificate.point;
      this.tell(who, { kind: 'certified', round, height, block: nameOf(blockHash) });
    }
    if (before !== undefined && state.committed.height > before.committed.height) {
      const { round, height, hash } = state.committed;
      this.tell(who, { kind: 'commits', round, height, block: nameOf(hash) });
    }
    if (state.round !== before?.round) this.tell(who, { kind: 'enters', round: state.round });
  }
}

function highestRound(state: State | undefined): Round | undefined {
  return state?.record.highestQuorumCertificate[0]?.point.round;
}

function said(message: ConsensusMessage): StoryEvent {
  switch (message.kind) {
    case 'proposal': {
      const { header, body } = message.proposal;
      const { round, height, parentHash } = header;
      return {
        kind: 'proposes',
        round,
        height,
        block: nameOf(hashOf(header)),
        parent: nameOf(parentHash),
        transactions: body.transactions.length,
      };
    }
    case 'vote':
    case 'commit-vote': {
      const { round, blockHash } = message.vote.point;
      return { kind: message.kind === 'vote' ? 'votes' : 'commit-votes', round, block: nameOf(blockHash) };
    }
    case 'timeout':
      return { kind: 'gives-up', round: message.timeout.round, highestRound: roundOf(message.timeout.highestQuorumCertificate) };
    case 'certificates': {
      const { highestQuorumCertificate, commitCertificate } = message.certificates;
      return { kind: 'tells-certificates', highestRound: roundOf(highestQuorumCertificate), committedRound: roundOf(commitCertificate) };
    }
  }
}

function roundOf(optional: Readonly<ReturnType<typeof OptionalCertificate.defaultValue>>): Round {
  return optional[0]?.point.round ?? 0;
}

function nameOf(hash: Bytes32): BlockName {
  return bytesToHex(hash.subarray(0, BLOCK_NAME_BYTES));
}
