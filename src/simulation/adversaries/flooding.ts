// Says far more than an honest validator ever would, all of it well-formed and signed: votes for blocks that are not there, timeouts of
// rounds to come, bundles of certificates under ever new nonces, and any number of blocks for the round that it leads. What that costs others
// must be bounded work and bounded memory, and the chain must go on.

import type { ConsensusState } from '../../core/consensus/state.ts';
import type { Proposal } from '../../core/protocol/vote.ts';
import type { ConsensusMessage } from '../../runtime/consensus-codec.ts';
import type { Signer } from '../../runtime/signer.ts';
import { readableOf } from '../messages.ts';
import type { SeededRandom } from '../random.ts';
import { frameOf, sayingOnConsensus } from './speech.ts';
import type { Adversary } from './strategy.ts';
import { otherBlock } from './two-faced.ts';

/** Beside each frame of the node, in one frame. */
const AT_ONCE = 40;
/** Of one life of the node: more than any of the bounds that it runs against. */
const MESSAGES_MAX = 2_400;
const ROUNDS_AHEAD = 2_000;
const HEIGHTS_AHEAD = 250;
/** Within what clocks may be wrong. */
const LATER_MS_MAX = 400;

/** See the file's head. */
export const flooding: Adversary = (own, { random, signer, node }) => {
  let left = MESSAGES_MAX;
  /** A block of its own to make others of. */
  let model: Proposal | undefined;
  return sayingOnConsensus(own, async (topic, data) => {
    const [keys, state] = [signer(), node()?.chain.runner.state];
    for (const message of readableOf(data)) if (message.kind === 'proposal') model = message.proposal;
    const told = await own.pubSub.publish(topic, data);
    if (keys === undefined || state === undefined || left <= 0) return told;
    left -= AT_ONCE;
    const kind = random.pick(['vote', 'commit-vote', 'timeout', 'certificates', 'proposal', 'proposal'] as const);
    const flood = Array.from({ length: AT_ONCE }, () => wellFormed(kind, keys, state, model, random));
    return own.pubSub.publish(topic, frameOf(flood));
  });
};

function wellFormed(
  kind: ConsensusMessage['kind'],
  signer: Signer,
  { instance: { instanceId }, record: { highestQuorumCertificate }, round, committed }: ConsensusState,
  model: Proposal | undefined,
  random: SeededRandom,
): ConsensusMessage {
  const { validator } = signer;
  const someHash = Uint8Array.from({ length: 32 }, () => random.integer(0, 256));
  switch (kind) {
    case 'vote':
    case 'commit-vote': {
      const point = {
        height: committed.height + random.integer(1, HEIGHTS_AHEAD),
        round: round + random.integer(0, 10),
        blockHash: someHash,
      };
      const signature = kind === 'vote' ? signer.signVote(point) : signer.signCommitVote(point);
      return { kind, vote: { instanceId, point, validator, signature } };
    }
    case 'timeout': {
      const ahead = round + random.integer(0, ROUNDS_AHEAD);
      const signature = signer.signTimeout(ahead, highestQuorumCertificate[0]?.point.round ?? 0);
      return { kind, timeout: { instanceId, round: ahead, highestQuorumCertificate, validator, signature } };
    }
    case 'proposal':
      // Each as valid as the first: of a round's leader more than two tell nothing new.
      if (model !== undefined) return { kind, proposal: otherBlock(model, signer, random.integer(1, LATER_MS_MAX)) };
      return certificatesUnderNonce();
    case 'certificates':
      return certificatesUnderNonce();
  }

  function certificatesUnderNonce(): ConsensusMessage {
    const none = { commitCertificate: [], commitQuorumCertificate: [], timeoutCertificate: [] };
    const nonce = random.integer(0, 2 ** 31);
    return { kind: 'certificates', certificates: { instanceId, highestQuorumCertificate, ...none, nonce } };
  }
}
