// Leading a round: the leader asks for a payload at once on entering its round, and proposes when it is there (optimistic
// responsiveness; on an idle chain the shell lets it wait). It proposes once in a round, and not in a round that it gave up.
import { bytesEqual, bytesToHex } from '../primitives/bytes.ts';
import { invariant } from '../primitives/errors.ts';
import { type BlockHeader, blockHashOf } from '../protocol/block.ts';
import { endsChain, heightOn, isRoleOf } from './block-role.ts';
import { highestPoint, roleOf, treeBlockOf, withBlock } from './block-tree.ts';
import type { Payload, PayloadReady } from './events.ts';
import { isAdmittedToRound } from './header-rules.ts';
import { type ChainPoint, leaderOf, pointAfter, vrfAlphaOf } from './leader.ts';
import { type ConsensusState, sequence, type Transition, type TreeBlock, unchanged } from './state.ts';
import { voteFor } from './vote.ts';

/** Asks for a payload on the block of the highest QC, if the node leads the round and has not asked for the same before. */
export function lead(state: ConsensusState): Transition {
  const { round, instance, requestedPayload } = state;
  const parent = highestPoint(state);
  if (parent === undefined || !mayPropose(state, parent)) return unchanged(state);
  const parentHex = bytesToHex(parent.hash);
  if (requestedPayload?.round === round && requestedPayload.parentHex === parentHex) return unchanged(state);
  const vrfAlpha = vrfAlphaOf(instance, parent.seed, round);
  const role = roleOf(state, parentHex);
  const [height, isCarrier] = [heightOn(parent, role), endsChain(role)];
  return {
    state: { ...state, requestedPayload: { round, parentHex } },
    effects: [{ kind: 'request-payload', parentHash: parent.hash, height, round, isCarrier, vrfAlpha }],
  };
}

/** Upon the payload: propose the block, and vote for it. A payload for another parent or round is of no use any more. */
export function onPayloadReady(state: ConsensusState, { round, parentHash, payload, role }: PayloadReady): Transition {
  const parent = highestPoint(state);
  if (round !== state.round || parent === undefined || !bytesEqual(parent.hash, parentHash)) return unchanged(state);
  if (!mayPropose(state, parent)) return unchanged(state);
  const header = headerOn(state, parent, payload);
  if (!isAdmittedToRound(header)) return unchanged(state);
  invariant(isRoleOf(role, header), 'the shell makes a carrier where it is asked for one, and nowhere else');
  const hash = blockHashOf(header);
  const point = pointAfter(parent, { hash, height: header.height, round }, payload.vrfOutput, state.parameters.leaderWindow);
  const block: TreeBlock = { ...treeBlockOf(hash, header, false), status: 'valid', point, role };
  const record = { ...state.record, lastProposedRound: round, lastProposedHash: hash };
  return sequence(
    withBlock({ ...state, record }, block),
    (current) => ({ state: current, effects: [{ kind: 'sign-and-send-proposal', hash, header }] }),
    (current) => voteFor(current, block),
  );
}

/** True if the node leads its round on this parent, and has neither proposed in the round nor given it up. */
export function mayPropose({ self, round, record, instance }: ConsensusState, parent: ChainPoint): boolean {
  if (self === undefined || record.lastProposedRound >= round || record.lastTimeoutRound >= round) return false;
  return leaderOf(instance, parent, round) === self;
}

// The TC goes into the header only where there is no QC of the round before.
function headerOn(state: ConsensusState, parent: ChainPoint, payload: Payload): BlockHeader {
  const { instance, self, round, record } = state;
  const { vrfOutput: _notInTheHeader, ...content } = payload;
  const justify = record.highestQuorumCertificate;
  const isOnRoundBefore = (justify[0]?.point.round ?? 0) === round - 1;
  return {
    ...content,
    instanceId: instance.instanceId,
    height: heightOn(parent, roleOf(state, bytesToHex(parent.hash))),
    round,
    parentHash: parent.hash,
    justify,
    timeoutCertificate: isOnRoundBefore ? [] : record.timeoutCertificate,
    proposer: self as number,
  };
}
