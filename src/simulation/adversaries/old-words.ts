// Says old things again: as they were (replaying), or signed anew, about rounds that are long over (stale): votes for blocks of old
// rounds that it never gave, timeouts of old rounds with old certificates, bundles of old certificates under new nonces.

import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Hex } from '../../core/primitives/ids.ts';
import type { BlockPoint, QuorumCertificate } from '../../core/protocol/certificate.ts';
import { type ConsensusMessage, instanceIdOf } from '../../runtime/consensus-codec.ts';
import type { Signer } from '../../runtime/signer.ts';
import { readableOf } from '../messages.ts';
import type { SeededRandom } from '../random.ts';
import { frameOf, sayingOnConsensus } from './speech.ts';
import type { Adversary } from './strategy.ts';

const OLD_MAX = 200;
/** Of one chain. */
const INSTANCES_MAX = 8;
const OTHER_INSTANCE_SHARE = 0.25;
const REPLAY_SHARE = 0.3;
const STALE_SHARE = 0.5;

/** Repeats whole frames of its own, to anyone. */
export const replaying: Adversary = (own, { random, whisper }) => {
  const frames = new Map<string, Uint8Array[]>();
  return sayingOnConsensus(own, (topic, data) => {
    const old = frames.get(topic) ?? [];
    frames.set(topic, old);
    if (old.length > 0) for (const peer of own.peers.connected()) if (random.chance(REPLAY_SHARE)) whisper(peer, topic, random.pick(old));
    keep(old, data);
    return own.pubSub.publish(topic, data);
  });
};

/** What was said of one instance. */
interface Past {
  readonly instanceId: Uint8Array;
  readonly points: BlockPoint[];
  readonly certificates: QuorumCertificate[];
}

/** Says new things about old rounds, also of instances that are over. */
export const stale: Adversary = (own, { random, whisper, signerIn }) => {
  /** By topic: the past of its instances. */
  const pasts = new Map<string, Map<Hex, Past>>();
  return sayingOnConsensus(own, (topic, data) => {
    const ofTopic = pasts.get(topic) ?? new Map<Hex, Past>();
    pasts.set(topic, ofTopic);
    for (const message of readableOf(data)) remember(ofTopic, message);
    const told = [...ofTopic.values()].filter(({ points }) => points.length > 0);
    for (const peer of own.peers.connected()) {
      if (told.length === 0 || !random.chance(STALE_SHARE)) continue;
      const past = random.chance(OTHER_INSTANCE_SHARE) ? random.pick(told) : (told.at(-1) as Past);
      const signer = signerIn(past.instanceId);
      if (signer !== undefined) whisper(peer, topic, frameOf([aboutOldRounds(past, signer, random)]));
    }
    return own.pubSub.publish(topic, data);
  });
};

function remember(pasts: Map<Hex, Past>, message: ConsensusMessage): void {
  const instanceId = instanceIdOf(message);
  const name = bytesToHex(instanceId);
  const past = pasts.get(name) ?? { instanceId, points: [], certificates: [] };
  pasts.set(name, past);
  for (const oldest of pasts.keys()) if (pasts.size > INSTANCES_MAX) pasts.delete(oldest);
  if (message.kind === 'vote') keep(past.points, message.vote.point);
  if (message.kind === 'proposal') for (const justify of message.proposal.header.justify) keep(past.certificates, justify);
  if (message.kind === 'timeout') for (const highest of message.timeout.highestQuorumCertificate) keep(past.certificates, highest);
}

function aboutOldRounds({ instanceId, points, certificates }: Past, signer: Signer, random: SeededRandom): ConsensusMessage {
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
