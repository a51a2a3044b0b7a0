// What honest nodes vote for in shards: the voting rules (protocol, section 3), which are no part of validity, and which a replay of the chain cannot
// see. A block may not refer to a beacon block of too long ago, nor leave out what the voter has held for eight beacon blocks. A node comes to know and
// hold more with time, so what it knew when the proposal came to it is the least that it knew when it judged.
import { epochOfHeight } from '../../core/beacon/epochs.ts';
import { isCarrier } from '../../core/consensus/block-role.ts';
import { verifyInbox } from '../../core/messaging/inbox.ts';
import { HELD_BEACON_BLOCKS, type SkipInput, skippedThoughHeld } from '../../core/messaging/skipped-item.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import { forgetOldest } from '../../core/primitives/forget-oldest.ts';
import { BEACON_CHAIN, type Height, type Hex } from '../../core/primitives/ids.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import type { NetworkParameters } from '../../core/protocol/parameters.ts';
import type { Proposal } from '../../core/protocol/vote.ts';
import { REFERENCE_AGE_MAX } from '../../core/shard/voting-rules.ts';
import type { Network } from '../../network/ports.ts';
import type { Node } from '../../node/create-node.ts';
import type { ConsensusMessage } from '../../runtime/consensus-codec.ts';
import { chainOf } from '../chains-of.ts';
import { readableOf } from '../messages.ts';
import { hearing } from '../speaking.ts';
import type { Report } from './violation.ts';

/** What a node knew when a proposal first came to it. */
interface Arrived {
  readonly proposal: Proposal;
  readonly newestBeaconHeight: Height;
  readonly held: SkipInput['held'];
}

/** Proposals remembered of each node: who votes does so before as many others have come. */
const ARRIVED_MAX = 64;

/** See the file's head. */
export class ShardVotes {
  readonly #nodeOf: (name: string) => Node | undefined;
  readonly #parameters: () => NetworkParameters | undefined;
  readonly #report: Report;
  /** By node, then by hash of the block. */
  readonly #arrived = new Map<string, Map<Hex, Arrived>>();

  constructor(nodeOf: (name: string) => Node | undefined, parameters: () => NetworkParameters | undefined, report: Report) {
    this.#nodeOf = nodeOf;
    this.#parameters = parameters;
    this.#report = report;
  }

  /** The node's network with an ear at what comes in. */
  earOf(name: string, own: Network): Network {
    return hearing(own, (topic, data) => {
      if (!topic.includes('/consensus/')) return;
      for (const message of readableOf(data)) if (message.kind === 'proposal') this.#arrives(name, message.proposal);
    });
  }

  /** A node has started: on an older copy of its database it may know less than it did. */
  restarted(name: string): void {
    this.#arrived.delete(name);
  }

  /** An honest node says this. */
  said(name: string, message: ConsensusMessage): void {
    const [node, parameters] = [this.#nodeOf(name), this.#parameters()];
    if (message.kind !== 'vote' || node === undefined || parameters === undefined) return;
    const arrived = this.#arrived.get(name)?.get(bytesToHex(message.vote.point.blockHash));
    if (arrived === undefined || isCarrier(arrived.proposal.header)) return;
    const { newestBeaconHeight, proposal } = arrived;
    const { height } = proposal.header.beaconReference;
    const block = `block ${bytesToHex(blockHashOf(proposal.header)).slice(0, 10)}`;
    if (newestBeaconHeight - height > REFERENCE_AGE_MAX)
      this.#report('validity', name, `voted for ${block}, which refers to beacon block ${height}, and knew ${newestBeaconHeight}`);
    const skipped = skippedBy(arrived, node, parameters);
    if (skipped !== undefined)
      this.#report('validity', name, `voted for ${block}, which leaves out what shard ${skipped.source} sent at ${skipped.height}`);
  }

  #arrives(name: string, proposal: Proposal): void {
    const node = this.#nodeOf(name);
    const chain = node === undefined ? undefined : chainOf(node, proposal.header.instanceId);
    if (node === undefined || chain === undefined || chain.instance.chain === BEACON_CHAIN) return;
    const arrived = this.#arrived.get(name) ?? new Map<Hex, Arrived>();
    this.#arrived.set(name, arrived);
    const hash = bytesToHex(blockHashOf(proposal.header));
    if (arrived.has(hash)) return;
    arrived.set(hash, { proposal, newestBeaconHeight: node.window.newest.height, held: node.shards.bundles.heldSince() });
    forgetOldest(arrived, ARRIVED_MAX);
  }
}

// What the block should have taken; undefined too of one that closes, and of one that the node cannot judge any more.
function skippedBy({ proposal, newestBeaconHeight, held }: Arrived, node: Node, parameters: NetworkParameters) {
  const { header, body } = proposal;
  const chain = chainOf(node, header.instanceId);
  const isMissed = [...held.values()].some(({ heldSince }) => newestBeaconHeight - heldSince >= HELD_BEACON_BLOCKS);
  if (chain === undefined || !isMissed || epochOfHeight(header.beaconReference.height, parameters) > chain.instance.epoch) return undefined;
  const view = node.window.viewAt(header.beaconReference.height)?.lanes;
  if (view === undefined) return undefined;
  const shard = chain.instance.chain;
  const inbox = verifyInbox({ shard, parentCursors: header.parentExecution.cursors, view, body, share: parameters });
  return inbox.ok ? skippedThoughHeld(inbox.value, { shard, view, share: parameters, held, newestBeaconHeight }) : undefined;
}
