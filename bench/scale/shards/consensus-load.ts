// What one block of consensus costs a member of a committee, in processor time and bytes, from the costs and messages of committees of that size:
// the broadcast votes that are built (model.ts runs the engine itself, and a test holds the two against each other).

import { BitArray } from '@chainsafe/ssz';
import { type BlockBody, EMPTY_BODY } from '../../../src/core/protocol/block.ts';
import type { Instance } from '../../../src/core/protocol/committee.ts';
import { type Costs, quorumOf } from '../costs.ts';
import { proposalExample, sizeOf, voteExample } from '../messages.ts';

/** Of one block and member. */
export interface ConsensusLoad {
  /** On the thread that runs everything else. */
  readonly mainMs: number;
  /** Signatures that are checked, wherever that happens. */
  readonly verifyMs: number;
  /** Of all that, what lies between the proposal and a QC, and between a QC and a CC. */
  readonly quorumMs: number;
  readonly commitMs: number;
  /** Votes and the proposal without what is in its body, sent or received. */
  readonly bytes: number;
}

/** See the file's head. */
export function consensusLoadOf(instance: Instance, costs: Costs): ConsensusLoad {
  const members = instance.committee.members.length;
  const quorum = quorumOf(instance);
  const proposal = costs.takeProposal + costs.vrfVerify + costs.sign + (costs.vrfProve + costs.sign) / members;
  const votes = costs.takeVote * (members - 1) + costs.aggregate;
  const header = {
    ...proposalExample(instance, BitArray.fromBoolArray(new Array<boolean>(members).fill(true))),
    body: EMPTY_BODY satisfies BlockBody,
  };
  return {
    mainMs: proposal + costs.sign + 2 * votes,
    verifyMs: costs.verifyBatch(1) + 2 * costs.verifyCertificate,
    quorumMs: proposal + costs.verifyBatch(1) + costs.takeVote * quorum + costs.aggregate + costs.verifyCertificate,
    commitMs: costs.sign + costs.takeVote * quorum + costs.aggregate + costs.verifyCertificate,
    bytes: 2 * (members - 1) * sizeOf({ kind: 'vote', vote: voteExample(instance, 0) }) + sizeOf({ kind: 'proposal', proposal: header }),
  };
}
