// Says old things again: as they were (replaying), or signed anew, about rounds that are long over (stale): votes for blocks of old
// rounds that it never gave, timeouts of old rounds with old certificates, bundles of old certificates under new nonces.
import type { BlockPoint, QuorumCertificate } from '../../core/protocol/certificate.ts';
import { type ConsensusMessage, instanceIdOf } from '../../runtime/consensus-codec.ts';
import type { Signer } from '../../runtime/signer.ts';
import { readableOf } from '../messages.ts';
import type { SeededRandom } from '../random.ts';
import { frameOf, sayingOnConsensus } from './speech.ts';
import type { Adversary } from './strategy.ts';

const OLD_MAX = 200;
const REPLAY_SHARE = 0.3;
const STALE_SHARE = 0.5;

/** Repeats whole frames of its own, to anyone. */
export const replaying: Adversary = (own, { random, whisper }) => {
  const old: Uint8Array[] = [];
  return sayingOnConsensus(own, (topic, data) => {
    if (old.length > 0) for (const peer of own.peers.connected()) if (random.chance(REPLAY_SHARE)) whisper(peer, topic, random.pick(old));
    keep(old, data);
    return own.pubSub.publish(topic, data);
  });
};

/** Says new things about old rounds. */
export const stale: Adversary = (own, { random, whisper, signer }) => {
  const points: BlockPoint[] = [];
  const certificates: QuorumCertificate[] = [];
  return sayingOnConsensus(own, (topic, data) => {
    const [keys, messages] = [signer(), readableOf(data)];
    for (const message of messages) {
      if (message.kind === 'vote') keep(points, message.vote.point);
      if (message.kind === 'proposal') for (const justify of message.proposal.header.justify) keep(certificates, justify);
      if (message.kind === 'timeout') for (const highest of message.timeout.highestQuorumCertificate) keep(certificates, highest);
    }
    const [model] = messages;
    if (keys !== undefined && model !== undefined && points.length > 0)
      for (const peer of own.peers.connected())
        if (random.chance(STALE_SHARE))
          whisper(peer, topic, frameOf([aboutOldRounds(instanceIdOf(model), keys, points, certificates, random)]));
    return own.pubSub.publish(topic, data);
  });
};

function aboutOldRounds(
  instanceId: Uint8Array,
  signer: Signer,
  points: readonly BlockPoint[],
  certificates: readonly QuorumCertificate[],
  random: SeededRandom,
): ConsensusMessage {
  const { validator } = signer;
  const point = random.pick(points);
  switch (random.pick(['vote', 'commit-vote', 'timeout', 'certificates'] as const)) {
    case 'vote': {
      const other = { ...point, blockHash: point.blockHash.with(0, random.integer(0, 256)) };
      return { kind: 'vote', vote: { instanceId, point: other, validator, signature: signer.signVote(other) } };
    }
    case 'commit-vote':
      return { kind: 'commit-vote', vote: { instanceId, point, validator, signature: signer.signCommitVote(point) } };
    case 'timeout': {
      const highest = certificates.filter((certificate) => certificate.point.round < point.round).slice(0, 1);
      const signature = signer.signTimeout(point.round, highest[0]?.point.round ?? 0);
      return { kind: 'timeout', timeout: { instanceId, round: point.round, highestQuorumCertificate: highest, validator, signature } };
    }
    case 'certificates': {
      const highest = certificates.length === 0 ? [] : [random.pick(certificates)];
      const none = { commitCertificate: [], commitQuorumCertificate: [], timeoutCertificate: [] };
      const nonce = random.integer(0, 2 ** 31);
      return { kind: 'certificates', certificates: { instanceId, highestQuorumCertificate: highest, ...none, nonce } };
    }
  }
}

function keep<T>(kept: T[], item: T): void {
  kept.push(item);
  if (kept.length > OLD_MAX) kept.shift();
}
