// What the replay of the formal model compares after every action, in one shape for the model and the engine: everything that an honest
// validator remembers, and what the action made it say and commit. Blocks are numbers, lists are in ascending order.
import type { ModelCertificate, ModelNode, ModelTimeoutCertificate } from './model-trace.ts';

/** What an action brought about, in the words of the model. */
export interface Output {
  readonly votes: number[];
  readonly commitVotes: number[];
  readonly timeouts: { round: number; high: number }[];
  readonly commits: number[];
  readonly proposals: number[];
  persisted: boolean;
}

/** The record of a validator that has signed nothing. */
export const EMPTY_RECORD = {
  lastVoted: 0,
  lastCommitVoted: 0,
  lastProposed: 0,
  lastTimeout: 0,
  high: { block: 0, signers: [] as number[] },
  tc: { round: 0, reported: [] as [number, number][], high: { block: 0, signers: [] as number[] } },
};

/** Block numbers in ascending order. */
export function ids(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** A QC or CC. */
export function certificateIn({ block, signers }: ModelCertificate): { block: number; signers: number[] } {
  return { block, signers: ids(signers) };
}

/** A TC, by place in the committee. */
export function tcIn({ round, reported, high }: ModelTimeoutCertificate) {
  const inOrder = [...reported].sort(([a], [b]) => a - b).map(([member, of]): [number, number] => [member, of]);
  return { round, reported: inOrder, high: certificateIn(high) };
}

/** The signing record. */
export function recordIn({ high, tc, ...rounds }: ModelNode['rec']) {
  const { lastVoted, lastCommitVoted, lastProposed, lastTimeout } = rounds;
  return { lastVoted, lastCommitVoted, lastProposed, lastTimeout, high: certificateIn(high), tc: tcIn(tc) };
}

/** All that is compared of a validator's memory and disk. */
export function stateIn(node: ModelNode) {
  return {
    round: node.round,
    record: recordIn(node.rec),
    durable: recordIn(node.durable),
    committed: node.committed,
    pending: { block: node.pending.block, hasQc: node.pending.hasQc },
    nearest: node.nearest,
    waiting: ids(node.waiting),
    opened: ids(node.opened),
    valid: ids(node.valid),
    certified: ids(node.certified),
    stored: ids(node.stored),
    timeouts: node.timeouts
      .map(([validator, { round, high }]) => ({ validator, round, high: high.block }))
      .sort((a, b) => a.validator - b.validator),
    aggregated: node.aggregated,
  };
}

/** What the model says that the action brought about; proposals are told by the action itself. */
export function outputIn({ out }: ModelNode, proposals: number[]): Output {
  const timeouts = out.timeouts.map(({ round, high }) => ({ round, high: high.block }));
  const { votes, commitVotes, commits, persisted } = out;
  return sorted({ votes: [...votes], commitVotes: [...commitVotes], timeouts, commits: [...commits], proposals, persisted });
}

/** The output in ascending order. */
export function sorted(output: Output): Output {
  const { votes, commitVotes, timeouts, commits, proposals, persisted } = output;
  const byRound = [...timeouts].sort((a, b) => a.round - b.round || a.high - b.high);
  return { votes: ids(votes), commitVotes: ids(commitVotes), timeouts: byRound, commits: ids(commits), proposals, persisted };
}
