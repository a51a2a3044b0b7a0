// Hides what others wait for: proposals reach a few and late, votes late or never, certificates never; timeouts report no QC or an old one. And
// where it leads with a QC that others may not know, it waits for their timeouts, joins them, and builds on the oldest block that a TC of
// theirs permits, as if that QC had never been: the attack for which leaders are drawn from old anchors (protocol, section 3, "Leader").
import { pointOf } from '../../core/consensus/block-tree.ts';
import { timeoutCertificateOf } from '../../core/consensus/certificates.ts';
import { leaderOf, vrfAlphaOf } from '../../core/consensus/leader.ts';
import { startPoint } from '../../core/consensus/state.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import type { Hex } from '../../core/primitives/ids.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import type { QuorumCertificate, TimeoutCertificate } from '../../core/protocol/certificate.ts';
import { isQuorum } from '../../core/protocol/committee.ts';
import type { Proposal, Timeout } from '../../core/protocol/vote.ts';
import type { Network } from '../../network/ports.ts';
import type { Chain } from '../../node/create-chain.ts';
import type { Signer } from '../../runtime/signer.ts';
import { readableOf } from '../messages.ts';
import { hearing } from '../speaking.ts';
import { emptyBlockAt } from './empty-block.ts';
import { frameOf, NOBODY, sayingOnConsensus } from './speech.ts';
import type { Adversary, StrategyTools } from './strategy.ts';

const TOLD_OF_PROPOSAL_SHARE = 0.5;
const PROPOSAL_DELAY_MS_MAX = 500;
/** Long enough for the others' timers, where they wait for this leader. */
const HOLD_MS = 1_400;
const HOLD_SHARE = 0.5;
const VOTE_DELAY_MS_MAX = 700;
const VOTE_LOST_SHARE = 0.5;
const NOTHING_SHOWN_SHARE = 0.3;
const CERTIFICATES_MAX = 50;
/** Of one instance. */
const ROUNDS_MAX = 8;
const INSTANCES_MAX = 64;

/** What was heard of one instance: timeouts by round and validator, and what QCs they reported. */
interface HeardTimeouts {
  readonly byRound: Map<number, Map<number, Timeout>>;
  readonly old: QuorumCertificate[];
}

/** By instance. */
type Heard = Map<Hex, HeardTimeouts>;

/** See the file's head. */
export const withholding: Adversary = (own, tools) => {
  const { random, whisper, schedule, signerIn } = tools;
  const heardIn: Heard = new Map();
  const tell = (topic: string, frame: Uint8Array, share: number): void => {
    for (const peer of own.peers.connected()) if (random.chance(share)) whisper(peer, topic, frame);
  };
  const later = (delayMs: number, run: () => void): void => schedule(random.between(0, delayMs), run);
  const giveUpToo = (topic: string, heard: Timeout): void => {
    const keys = signerIn(heard.instanceId);
    const past = pastOf(heardIn, heard.instanceId);
    const ofRound = timeoutsOf(past, heard.round);
    ofRound.set(heard.validator, heard);
    if (keys === undefined || ofRound.has(keys.validator)) return;
    const lie = hidingTimeout(heard, keys, past.old, random.chance(NOTHING_SHOWN_SHARE));
    ofRound.set(keys.validator, lie);
    later(VOTE_DELAY_MS_MAX, () => tell(topic, frameOf([{ kind: 'timeout', timeout: lie }]), 1));
  };
  const speaking = sayingOnConsensus(own, async (topic, data) => {
    for (const message of readableOf(data)) {
      switch (message.kind) {
        case 'certificates':
          break;
        case 'vote':
        case 'commit-vote':
          if (!random.chance(VOTE_LOST_SHARE)) later(VOTE_DELAY_MS_MAX, () => tell(topic, frameOf([message]), 1));
          break;
        case 'timeout': {
          const { old } = pastOf(heardIn, message.timeout.instanceId);
          for (const certificate of message.timeout.highestQuorumCertificate) old.push(certificate);
          if (old.length > CERTIFICATES_MAX) old.shift();
          giveUpToo(topic, message.timeout);
          break;
        }
        case 'proposal': {
          const say = (proposal: Proposal): void => tell(topic, frameOf([{ kind: 'proposal', proposal }]), TOLD_OF_PROPOSAL_SHARE);
          if (random.chance(HOLD_SHARE)) schedule(HOLD_MS, () => void furtherBack(message.proposal, tools, heardIn).then(say));
          else later(PROPOSAL_DELAY_MS_MAX, () => say(message.proposal));
        }
      }
    }
    return NOBODY;
  });
  return hearingTimeouts(speaking, (topic, timeout) => giveUpToo(topic, timeout));
};

// The same network, with an ear for timeouts.
function hearingTimeouts(own: Network, heard: (topic: string, timeout: Timeout) => void): Network {
  return hearing(own, (topic, data) => {
    if (!topic.includes('/consensus/')) return;
    for (const message of readableOf(data)) if (message.kind === 'timeout') heard(topic, message.timeout);
  });
}

function pastOf(heard: Heard, instanceId: Uint8Array): HeardTimeouts {
  const name = bytesToHex(instanceId);
  const past = heard.get(name) ?? { byRound: new Map<number, Map<number, Timeout>>(), old: [] };
  heard.set(name, past);
  for (const oldest of heard.keys()) if (heard.size > INSTANCES_MAX) heard.delete(oldest);
  return past;
}

function timeoutsOf({ byRound }: HeardTimeouts, round: number): Map<number, Timeout> {
  const ofRound = byRound.get(round) ?? new Map<number, Timeout>();
  byRound.set(round, ofRound);
  if (byRound.size > ROUNDS_MAX) byRound.delete(Math.min(...byRound.keys()));
  return ofRound;
}

// A timeout of the same round that reports an old QC, or none.
function hidingTimeout(heard: Timeout, signer: Signer, old: readonly QuorumCertificate[], showsNothing: boolean): Timeout {
  const [shown] = old.filter(({ point }) => point.round < heard.round);
  const highestQuorumCertificate = shown === undefined || showsNothing ? [] : [shown];
  const signature = signer.signTimeout(heard.round, highestQuorumCertificate[0]?.point.round ?? 0);
  return { ...heard, validator: signer.validator, highestQuorumCertificate, signature };
}

/** The quorum of timeouts of the round that reports the lowest QCs, as a certificate; undefined where no quorum was heard. */
function lowestCertificate(
  round: number,
  { instance: { committee, instanceId } }: Chain,
  { bls }: StrategyTools,
  heard: Heard,
): TimeoutCertificate | undefined {
  const lowestFirst = [...(pastOf(heard, instanceId).byRound.get(round)?.values() ?? [])].sort((a, b) => reportedBy(a) - reportedBy(b));
  for (let count = 1; count <= lowestFirst.length; count++) {
    const chosen = lowestFirst.slice(0, count).sort((a, b) => a.validator - b.validator);
    const seats = chosen.reduce(
      (sum, { validator }) => sum + (committee.members.find((member) => member.validator === validator)?.seats ?? 0),
      0,
    );
    const signature = bls.aggregate(chosen.map((timeout) => timeout.signature));
    if (isQuorum(seats, committee) && signature !== undefined) return timeoutCertificateOf(committee, chosen, signature);
  }
  return undefined;
}

function reportedBy({ highestQuorumCertificate }: Timeout): number {
  return highestQuorumCertificate[0]?.point.round ?? 0;
}

/**
 * A block of the same round on the highest QC that a TC of the round before need report, where that is lower than the QC that the validator
 * knows, and it leads on that parent too; else the proposal as it is. Nothing of it is invalid: who did not see the higher QC votes for it.
 */
async function furtherBack(proposal: Proposal, tools: StrategyTools, heard: Heard): Promise<Proposal> {
  const { header } = proposal;
  const [signer, chain] = [tools.signerIn(header.instanceId), tools.chainIn(header.instanceId)];
  const certificate = chain === undefined ? undefined : lowestCertificate(header.round - 1, chain, tools, heard);
  if (signer === undefined || chain === undefined || certificate === undefined) return proposal;
  const [reported] = certificate.highestQuorumCertificate;
  const { instance, runner } = chain;
  const parent = reported === undefined ? startPoint(instance) : pointOf(runner.state, bytesToHex(reported.point.blockHash));
  if (parent === undefined || bytesEqual(parent.hash, header.parentHash)) return proposal;
  if (leaderOf(instance, parent, header.round) !== signer.validator) return proposal;
  const place = {
    height: parent.height + 1,
    parentHash: parent.hash,
    justify: reported === undefined ? [] : [reported],
    timeoutCertificate: [certificate],
    vrfProof: signer.proveLeader(vrfAlphaOf(instance, parent.seed, header.round)).proof,
  };
  const other = await emptyBlockAt(place, header, tools);
  return other === undefined ? proposal : { ...other, signature: signer.signProposal(blockHashOf(other.header)) };
}
