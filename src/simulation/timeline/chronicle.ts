// Writes the story of a world into its event log: what each node says, as it leaves the node, and what each node has come to believe of each
// chain, seen after every event. It only looks: a world with a chronicle goes as one without.
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import type { Bytes32, ChainId, Round } from '../../core/primitives/ids.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import type { OptionalCertificate } from '../../core/protocol/certificate.ts';
import type { Chain } from '../../node/create-chain.ts';
import type { Node } from '../../node/create-node.ts';
import type { ConsensusMessage } from '../../runtime/consensus-codec.ts';
import { chainsOf } from '../chains-of.ts';
import { messagesOf } from '../messages.ts';
import { type BlockName, type StoryEvent, storyLine } from './story.ts';

const BLOCK_NAME_BYTES = 5;

type State = Chain['runner']['state'];

interface Seen {
  readonly instance: Chain['instance'];
  readonly state: State;
}

/** See the file's head. */
export class Chronicle {
  readonly #record: (line: string) => void;
  /** By node and chain. */
  readonly #seen = new Map<string, Map<ChainId, Seen>>();

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
    const chain = chainOfTopic(topic);
    for (const message of messages) this.tell(who, { ...said(chain, message), ...whispered });
  }

  /** What a node believes now, where that is new. */
  look(who: string, node: Node): void {
    const seen = this.#seen.get(who) ?? new Map<ChainId, Seen>();
    this.#seen.set(who, seen);
    for (const { instance, runner } of chainsOf(node)) {
      const { chain, epoch } = instance;
      const { state } = runner;
      const last = seen.get(chain);
      if (state === last?.state) continue;
      seen.set(chain, { instance, state });
      const isNew = last === undefined || !bytesEqual(last.instance.instanceId, instance.instanceId);
      if (isNew && epoch > 0) this.tell(who, { kind: 'begins-instance', chain, epoch, height: state.committed.height });
      this.#tellChange(who, chain, isNew ? undefined : last?.state, state);
    }
  }

  #tellChange(who: string, chain: ChainId, before: State | undefined, state: State): void {
    const certificate = state.record.highestQuorumCertificate[0];
    if (certificate !== undefined && certificate.point.round !== highestRound(before)) {
      const { round, height, blockHash } = certificate.point;
      this.tell(who, { kind: 'certified', chain, round, height, block: nameOf(blockHash) });
    }
    if (before !== undefined && state.committed.height > before.committed.height) {
      const { round, height, hash } = state.committed;
      this.tell(who, { kind: 'commits', chain, round, height, block: nameOf(hash) });
    }
    if (state.round !== before?.round) this.tell(who, { kind: 'enters', chain, round: state.round });
  }
}

// `/coppice/<network>/<chain>/<kind>/1`.
function chainOfTopic(topic: string): ChainId {
  return Number(topic.split('/')[3]);
}

function highestRound(state: State | undefined): Round | undefined {
  return state?.record.highestQuorumCertificate[0]?.point.round;
}

function said(chain: ChainId, message: ConsensusMessage): StoryEvent {
  switch (message.kind) {
    case 'proposal': {
      const { header, body } = message.proposal;
      const { round, height, parentHash } = header;
      return {
        kind: 'proposes',
        chain,
        round,
        height,
        block: nameOf(blockHashOf(header)),
        parent: nameOf(parentHash),
        transactions: body.transactions.length,
      };
    }
    case 'vote':
    case 'commit-vote': {
      const { round, blockHash } = message.vote.point;
      return { kind: message.kind === 'vote' ? 'votes' : 'commit-votes', chain, round, block: nameOf(blockHash) };
    }
    case 'timeout':
      return { kind: 'gives-up', chain, round: message.timeout.round, highestRound: roundOf(message.timeout.highestQuorumCertificate) };
    case 'certificates': {
      const { highestQuorumCertificate, commitCertificate } = message.certificates;
      const [committedRound, highest] = [roundOf(commitCertificate), roundOf(highestQuorumCertificate)];
      return { kind: 'tells-certificates', chain, highestRound: highest, committedRound };
    }
  }
}

function roundOf(optional: Readonly<ReturnType<typeof OptionalCertificate.defaultValue>>): Round {
  return optional[0]?.point.round ?? 0;
}

function nameOf(hash: Bytes32): BlockName {
  return bytesToHex(hash.subarray(0, BLOCK_NAME_BYTES));
}
