// Breaks the promise of a timeout: gives up each round as soon as it votes in it, says so, and goes on voting and commit-voting in it. When
// its timer really ends, it votes for what it holds of that round and commit-votes for the highest QC that it reports.
import type { ConsensusState } from '../../core/consensus/state.ts';
import { type ConsensusMessage, instanceIdOf } from '../../runtime/consensus-codec.ts';
import type { Signer } from '../../runtime/signer.ts';
import { readableOf } from '../messages.ts';
import { frameOf, sayingOnConsensus } from './speech.ts';
import type { Adversary, StrategyTools } from './strategy.ts';

/** See the file's head. */
export const lateCommitting: Adversary = (own, tools) =>
  sayingOnConsensus(own, (topic, data) =>
    own.pubSub.publish(topic, frameOf(readableOf(data).flatMap((message) => broken(message, tools)))),
  );

function broken(message: ConsensusMessage, { signerIn, chainIn }: StrategyTools): readonly ConsensusMessage[] {
  const instanceId = instanceIdOf(message);
  const [signer, state] = [signerIn(instanceId), chainIn(instanceId)?.runner.state];
  if (signer === undefined || state === undefined) return [message];
  switch (message.kind) {
    case 'vote':
      return [timeoutOf(signer, state, message.vote.point.round), message];
    case 'timeout':
      return [message, ...votesAfter(signer, state, message.timeout.round)];
    case 'proposal':
    case 'commit-vote':
    case 'certificates':
      return [message];
  }
}

function timeoutOf(signer: Signer, { instance: { instanceId }, record }: ConsensusState, round: number): ConsensusMessage {
  const { highestQuorumCertificate } = record;
  const signature = signer.signTimeout(round, highestQuorumCertificate[0]?.point.round ?? 0);
  return { kind: 'timeout', timeout: { instanceId, round, highestQuorumCertificate, validator: signer.validator, signature } };
}

function votesAfter(
  signer: Signer,
  { instance: { instanceId }, record, blocks }: ConsensusState,
  round: number,
): readonly ConsensusMessage[] {
  const { validator } = signer;
  const held = [...blocks.values()].filter(({ header, status }) => header.round === round && status === 'valid');
  const votes = held.map(({ hash, header }): ConsensusMessage => {
    const point = { height: header.height, round, blockHash: hash };
    return { kind: 'vote', vote: { instanceId, point, validator, signature: signer.signVote(point) } };
  });
  const commitVotes = record.highestQuorumCertificate.map(({ point }): ConsensusMessage => {
    return { kind: 'commit-vote', vote: { instanceId, point, validator, signature: signer.signCommitVote(point) } };
  });
  return [...votes, ...commitVotes];
}
