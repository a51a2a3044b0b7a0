// Says far more than an honest validator ever would, all of it well-formed and signed: votes for blocks that are not there, timeouts of
// rounds to come, bundles of certificates under ever new nonces, and any number of blocks for the round that it leads. What that costs others
// must be bounded work and bounded memory, and the chain must go on.

import type { ConsensusState } from '../../core/consensus/state.ts';
import { bytesEqual } from '../../core/primitives/bytes.ts';
import type { Proposal } from '../../core/protocol/vote.ts';
import { type ConsensusMessage, instanceIdOf } from '../../runtime/consensus-codec.ts';
import type { Signer } from '../../runtime/signer.ts';
import { readableOf } from '../messages.ts';
import type { SeededRandom } from '../random.ts';
import { frameOf, sayingOnConsensus } from './speech.ts';
import type { Adversary, StrategyTools } from './strategy.ts';
import { otherBlock } from './two-faced.ts';

/** Beside each frame of the node, in one frame. */
const AT_ONCE = 40;
/** Of one life of the node, in one chain: more than any of the bounds that it runs against. */
const MESSAGES_MAX = 2_400;
const ROUNDS_AHEAD = 2_000;
const HEIGHTS_AHEAD = 250;
/** Within what clocks may be wrong. */
const LATER_MS_MAX = 400;

/** See the file's head. */
export const flooding: Adversary = (own, tools) => {
  const { random, signerIn, chainIn } = tools;
  /** By topic: each chain has its share. */
  const left = new Map<string, number>();
  /** By topic, a block of its own to make others of. */
  const models = new Map<string, Proposal>();
  return sayingOnConsensus(own, async (topic, data) => {
    const messages = readableOf(data);
    for (const message of messages) if (message.kind === 'proposal') models.set(topic, message.proposal);
    const told = await own.pubSub.publish(topic, data);
    const instanceId = messages[0] === undefined ? undefined : instanceIdOf(messages[0]);
    const [keys, state] = instanceId === undefined ? [] : [signerIn(instanceId), chainIn(instanceId)?.runner.state];
    const leftNow = left.get(topic) ?? MESSAGES_MAX;
    if (instanceId === undefined || keys === undefined || state === undefined || leftNow <= 0) return told;
    left.set(topic, leftNow - AT_ONCE);
    const kind = random.pick(['vote', 'commit-vote', 'timeout', 'certificates', 'proposal', 'proposal'] as const);
    const known = models.get(topic);
    const model = known !== undefined && bytesEqual(known.header.instanceId, instanceId) ? known : undefined;
    const others = kind === 'proposal' && model !== undefined ? await otherBlocks(model, keys, tools) : [];
    const flood = others.length > 0 ? others : Array.from({ length: AT_ONCE }, () => wellFormed(kind, keys, state, random));
    return own.pubSub.publish(topic, frameOf(flood));
  });
};

// Each as valid as the first: of a round's leader more than two tell nothing new.
async function otherBlocks(model: Proposal, signer: Signer, tools: StrategyTools): Promise<readonly ConsensusMessage[]> {
  const others: ConsensusMessage[] = [];
  for (let count = 0; count < AT_ONCE; count++) {
    const proposal = await otherBlock(model, signer, tools, tools.random.integer(1, LATER_MS_MAX));
    if (proposal !== undefined) others.push({ kind: 'proposal', proposal });
  }
  return others;
}

function wellFormed(
  kind: ConsensusMessage['kind'],
  signer: Signer,
  { instance: { instanceId }, record: { highestQuorumCertificate }, round, committed }: ConsensusState,
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
    case 'certificates': {
      const none = { commitCertificate: [], commitQuorumCertificate: [], timeoutCertificate: [] };
      const nonce = random.integer(0, 2 ** 31);
      return { kind: 'certificates', certificates: { instanceId, highestQuorumCertificate, ...none, nonce } };
    }
  }
}
