// Leads with blocks in which one single field or root is wrong, signed as if they were right: whatever SSZ knows as a leaf of header or body,
// a timestamp far ahead, a body of garbage. Nobody honest may vote for any of them.
import type { CompositeType, Type } from '@chainsafe/ssz';
import { keccak256 } from '../../core/crypto/keccak.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import {
  type BlockBody,
  BlockBody as BlockBodyType,
  type BlockHeader,
  BlockHeader as BlockHeaderType,
  blockHashOf,
  bodyRootOf,
  EMPTY_BODY,
} from '../../core/protocol/block.ts';
import type { Proposal } from '../../core/protocol/vote.ts';
import type { ConsensusMessage } from '../../runtime/consensus-codec.ts';
import { readableOf } from '../messages.ts';
import { frameOf, sayingOnConsensus } from './speech.ts';
import type { Adversary, StrategyTools } from './strategy.ts';
import { mutationsOf } from './wrong-fields.ts';

const WRONG_SHARE = 0.7;
/** No rule of validity forbids it: no voter's clock is near it. */
const FUTURE_MS = 3_600_000;

/** See the file's head. */
export const proposingWrong: Adversary = (own, tools) =>
  sayingOnConsensus(own, (topic, data) => own.pubSub.publish(topic, frameOf(readableOf(data).map((message) => wrong(message, tools)))));

function wrong(message: ConsensusMessage, { random, signer, toldWrong }: StrategyTools): ConsensusMessage {
  const keys = signer();
  if (message.kind !== 'proposal' || keys === undefined || !random.chance(WRONG_SHARE)) return message;
  const { header, body } = random.pick(wrongBlocks(message.proposal)).proposal;
  const hash = blockHashOf(header);
  toldWrong(bytesToHex(hash));
  return { kind: 'proposal', proposal: { header, body, signature: keys.signProposal(hash) } };
}

/** A proposal with one thing wrong, and the name of what it is; its signature is the one of the right block. */
export interface WrongBlock {
  readonly path: string;
  readonly proposal: Proposal;
}

/** Every way to get a block wrong in one place. */
export function wrongBlocks({ header, body, signature }: Proposal): readonly WrongBlock[] {
  const headers = mutationsOf(BlockHeaderType as unknown as CompositeType<BlockHeader, unknown, unknown>, header).map(
    ({ path, value }) => ({
      path,
      // One later would be right.
      proposal: { header: path === 'timestampMs' ? { ...value, timestampMs: 1 } : value, body, signature },
    }),
  );
  const bodies = mutationsOf(BlockBodyType as unknown as Type<BlockBody>, body).map(({ path, value }) => ({
    path: `body.${path}`,
    proposal: { header, body: value, signature },
  }));
  const raw = Uint8Array.of(2, 1, 2, 3);
  const garbage: BlockBody = { ...EMPTY_BODY, transactions: [raw] };
  return [
    ...headers,
    ...bodies,
    { path: 'future', proposal: { header: { ...header, timestampMs: header.timestampMs + FUTURE_MS }, body, signature } },
    {
      path: 'garbage',
      proposal: { header: { ...header, bodyRoot: bodyRootOf(garbage, [keccak256(raw)]) }, body: garbage, signature },
    },
  ];
}
