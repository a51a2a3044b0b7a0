// Leads with blocks in which one single thing is wrong, signed as if they were right: whatever SSZ knows as a leaf of header, body or crosslink,
// a body with its root made to fit, a timestamp far ahead, a reference before the parent's, a carrier where none may be, a body of garbage.
// Nobody honest may vote for any of them, on the beacon or on a shard.
import type { CompositeType, Type } from '@chainsafe/ssz';
import { isCarrier } from '../../core/consensus/block-role.ts';
import { keccak256 } from '../../core/crypto/keccak.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import { isError } from '../../core/primitives/errors.ts';
import {
  type BlockBody,
  BlockBody as BlockBodyType,
  type BlockHeader,
  BlockHeader as BlockHeaderType,
  blockHashOf,
  bodyRootOf,
  EMPTY_BODY,
} from '../../core/protocol/block.ts';
import { Crosslink } from '../../core/protocol/crosslink.ts';
import { decodeCanonical } from '../../core/protocol/ssz.ts';
import type { Proposal } from '../../core/protocol/vote.ts';
import { referenceOf } from '../../core/shard/beacon-view.ts';
import type { ConsensusMessage } from '../../runtime/consensus-codec.ts';
import { readableOf } from '../messages.ts';
import { frameOf, sayingOnConsensus } from './speech.ts';
import type { Adversary, StrategyTools } from './strategy.ts';
import { mutationsOf } from './wrong-fields.ts';

const WRONG_SHARE = 0.7;
/** No rule of validity forbids it on a shard: no voter's clock is near it. */
const FUTURE_MS = 3_600_000;
/** Without what it leaves out a block may be right: a lane may be skipped. */
const MAY_BE_LEFT_OUT = /^(inbox|bundleIndexes)-$/;

/** See the file's head. */
export const proposingWrong: Adversary = (own, tools) =>
  sayingOnConsensus(own, async (topic, data) => {
    const said: ConsensusMessage[] = [];
    for (const message of readableOf(data)) said.push(await wrong(message, tools));
    return own.pubSub.publish(topic, frameOf(said));
  });

async function wrong(message: ConsensusMessage, tools: StrategyTools): Promise<ConsensusMessage> {
  if (message.kind !== 'proposal' || !tools.random.chance(WRONG_SHARE)) return message;
  const keys = tools.signerIn(message.proposal.header.instanceId);
  if (keys === undefined) return message;
  const old = await onOldReference(message.proposal, tools);
  const kinds = [leavesOf(message.proposal), [...contentsOf(message.proposal), ...liesOf(message.proposal), ...old]];
  const { header, body } = tools.random.pick(tools.random.pick(kinds)).proposal;
  const hash = blockHashOf(header);
  tools.toldWrong(bytesToHex(hash));
  return { kind: 'proposal', proposal: { header, body, signature: keys.signProposal(hash) } };
}

/** A proposal with one thing wrong, and the name of what it is; its signature is the one of the right block. */
export interface WrongBlock {
  readonly path: string;
  readonly proposal: Proposal;
}

/** Every way to get a block wrong in one place, without knowing more than the block. */
export function wrongBlocks(proposal: Proposal): readonly WrongBlock[] {
  return [...leavesOf(proposal), ...contentsOf(proposal), ...liesOf(proposal)];
}

// Each leaf of header and body, all else as it was.
function leavesOf({ header, body, signature }: Proposal): readonly WrongBlock[] {
  const headers = mutationsOf(BlockHeaderType as unknown as CompositeType<BlockHeader, unknown, unknown>, header).map(
    ({ path, value }) => ({
      path,
      // One later would be right on a shard.
      proposal: { header: path === 'timestampMs' ? { ...value, timestampMs: 1 } : value, body, signature },
    }),
  );
  const bodies = mutationsOf(BlockBodyType as unknown as Type<BlockBody>, body).map(({ path, value }) => ({
    path: `body.${path}`,
    proposal: { header, body: value, signature },
  }));
  return [...headers, ...bodies];
}

// Bodies with something wrong, under a root that fits them.
function contentsOf(proposal: Proposal): readonly WrongBlock[] {
  const { body } = proposal;
  const parts = mutationsOf(BlockBodyType as unknown as Type<BlockBody>, body)
    .filter(({ path }) => !MAY_BE_LEFT_OUT.test(path))
    .map(({ path, value }) => ({ path: `content.${path}`, proposal: withBody(proposal, value) }));
  const [encoded, ...others] = body.crosslinks;
  const crosslink = encoded === undefined ? undefined : decodeCanonical(Crosslink, encoded);
  if (crosslink?.ok !== true) return parts;
  const crosslinks = mutationsOf(Crosslink as unknown as Type<Crosslink>, crosslink.value).map(({ path, value }) => ({
    path: `crosslink.${path}`,
    proposal: withBody(proposal, { ...body, crosslinks: [Crosslink.serialize(value), ...others] }),
  }));
  return [...parts, ...crosslinks];
}

function liesOf(proposal: Proposal): readonly WrongBlock[] {
  const { header, body, signature } = proposal;
  const garbage: BlockBody = { ...EMPTY_BODY, transactions: [Uint8Array.of(2, 1, 2, 3)] };
  // What shows itself as a carrier, or hides that it is one.
  const height = isCarrier(header) ? header.height + 1 : header.height - 1;
  return [
    { path: 'future', proposal: { header: { ...header, timestampMs: header.timestampMs + FUTURE_MS }, body, signature } },
    { path: 'garbage', proposal: withBody(proposal, garbage) },
    { path: 'carrier-out-of-place', proposal: { header: { ...header, height }, body, signature } },
  ];
}

// A shard's block that goes back behind what its parent refers to.
async function onOldReference({ header, body, signature }: Proposal, { node }: StrategyTools): Promise<readonly WrongBlock[]> {
  const own = node();
  const chain = [...(own?.shards.chains.values() ?? [])].find(({ instance }) => bytesEqual(instance.instanceId, header.instanceId));
  if (own === undefined || chain === undefined || isCarrier(header)) return [];
  try {
    const { asParent } = await chain.blocks.outcomeOf(header.parentHash);
    const view = own.window.viewAt(asParent.referenceHeight - 1);
    if (view === undefined) return [];
    return [{ path: 'reference-before-parent', proposal: { header: { ...header, beaconReference: referenceOf(view) }, body, signature } }];
  } catch (error) {
    if (isError(error, 'chain-blocks/not-held')) return []; // Committed past it meanwhile.
    throw error;
  }
}

function withBody({ header, signature }: Proposal, body: BlockBody): Proposal {
  const hashes = body.transactions.map((raw) => keccak256(raw));
  return { header: { ...header, bodyRoot: bodyRootOf(body, hashes) }, body, signature };
}
