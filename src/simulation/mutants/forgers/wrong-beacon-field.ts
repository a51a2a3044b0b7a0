// A leader of the beacon whose blocks say one thing wrongly, with everything that follows from it made to fit and signed anew. What state the
// block leads to is told by the code that every node runs, with the same rule missing.
import { BitArray } from '@chainsafe/ssz';
import { isLastOfEpoch } from '../../../core/beacon/epochs.ts';
import { isCarrier } from '../../../core/consensus/block-role.ts';
import { encodeEvidence } from '../../../core/consensus/evidence/evidence.ts';
import { bytesEqual, ZERO_32 } from '../../../core/primitives/bytes.ts';
import { isError } from '../../../core/primitives/errors.ts';
import type { Bytes32, ValidatorIndex } from '../../../core/primitives/ids.ts';
import { type BlockBody, type BlockHeader, bodyRootOf } from '../../../core/protocol/block.ts';
import { type BlockPoint, SCHEME_BLS } from '../../../core/protocol/certificate.ts';
import { Crosslink } from '../../../core/protocol/crosslink.ts';
import { EMPTY_OUTBOX } from '../../../core/protocol/outbox.ts';
import { storedValue } from '../../../core/protocol/ssz.ts';
import type { Proposal } from '../../../core/protocol/vote.ts';
import type { BeaconChain } from '../../../node/create-beacon.ts';
import { type UnsignedBlock, withPostState } from '../../adversaries/post-state.ts';
import { chainsOf } from '../../chains-of.ts';
import type { WrongBeaconField } from '../trial.ts';
import { changing, FORGER, type Forgery, type Hand, signedBy } from './hand.ts';

const SIGNATURE_BYTES = 96;
const SLANDERED: ValidatorIndex = 1;

interface Right extends UnsignedBlock {
  readonly hand: Hand;
  readonly parent: BeaconChain['blocks']['committed'];
}

/** A leader that lies about the field. */
export function wrongBeaconField(field: WrongBeaconField): Forgery {
  return {
    instead: async (message, hand) => {
      if (message.kind !== 'proposal') return [message];
      const right = await rightOf(message.proposal, hand);
      const wrong = right === undefined ? undefined : await wrongBlock(field, right);
      return wrong === undefined ? [message] : [{ kind: 'proposal', proposal: signedBy(wrong, hand) }];
    },
  };
}

// Undefined of what is not the beacon's, and of carriers.
async function rightOf({ header, body }: Proposal, hand: Hand): Promise<Right | undefined> {
  const { chain } = hand.node.beacon;
  if (!bytesEqual(header.instanceId, chain.instance.instanceId) || isCarrier(header)) return undefined;
  try {
    return { header, body, hand, parent: await chain.blocks.outcomeOf(header.parentHash) };
  } catch (error) {
    if (isError(error, 'chain-blocks/not-held')) return undefined; // Committed past it meanwhile.
    throw error;
  }
}

// Undefined where the block gives no occasion.
async function wrongBlock(field: WrongBeaconField, right: Right): Promise<UnsignedBlock | undefined> {
  const { header, body, parent, hand } = right;
  const { parameters } = hand.world.genesis;
  switch (field) {
    case 'beacon-timestamp':
      return fitted(right, { ...header, timestampMs: parent.state.timestampMs + 1 });
    case 'beacon-post-state':
      return { header: { ...header, postStateRoot: header.postStateRoot.with(0, (header.postStateRoot[0] as number) ^ 1) }, body };
    case 'beacon-gas':
      return { header: { ...header, gasBought: 1 }, body };
    case 'last-block-body': {
      if (!isLastOfEpoch(header.height, parameters)) return undefined;
      const crosslinks = await hand.node.crosslinks.collect(parent.state);
      return crosslinks.length === 0 ? undefined : fitted(right, header, { ...body, crosslinks });
    }
    case 'slander':
      // Nobody has signed it.
      return fitted(right, header, { ...body, evidence: [voteTwice(SLANDERED, hand, () => undefined)] });
    case 'confession':
      // True, and no news after the first time.
      return fitted(right, header, { ...body, evidence: [voteTwice(FORGER, hand, (point) => hand.signer.signVote(point))] });
    case 'crosslink-outboxes':
      return withCrosslink(right, (crosslink) => {
        const outboxes = crosslink.outboxes.map(() => EMPTY_OUTBOX);
        return crosslink.outboxes.some(({ bundles }) => bundles.length > 0) ? { ...crosslink, outboxes } : undefined;
      });
    case 'crosslink-signature':
      return withCrosslink(right, (crosslink) => {
        const { signature } = crosslink.commitCertificate;
        return {
          ...crosslink,
          commitCertificate: { ...crosslink.commitCertificate, signature: signature.with(9, (signature[9] as number) ^ 1) },
        };
      });
    case 'crosslink-beyond':
      return withCrosslink(right, (crosslink) => {
        const next = nextHeader(crosslink, hand);
        return next && { ...crosslink, headers: [...crosslink.headers, next], outboxes: [...crosslink.outboxes, EMPTY_OUTBOX] };
      });
    case 'crosslink-gap':
      return withCrosslink(right, (crosslink) =>
        crosslink.headers.length < 2
          ? undefined
          : { ...crosslink, headers: crosslink.headers.slice(1), outboxes: crosslink.outboxes.slice(1) },
      );
    case 'crosslink-carriers':
      return withCrosslink(right, (crosslink) => (crosslink.carriers.length === 0 ? undefined : { ...crosslink, carriers: [] }));
  }
}

// What is not certified yet, as far as its parent sent nothing: the summary is then known.
function nextHeader({ headers, shard }: Crosslink, { node }: Hand): BlockHeader | undefined {
  const last = headers.at(-1);
  const chain = chainsOf(node).find(({ instance }) => instance.chain === shard);
  if (last === undefined || chain === undefined) return undefined;
  const held = [...chain.runner.state.blocks.values()].map(({ header }) => header);
  return held.find(
    (header) =>
      header.height === last.height + 1 &&
      bytesEqual(header.parentExecution.outboxRoot, ZERO_32) &&
      header.justify.some(({ point }) => point.height === last.height),
  );
}

/** That a validator voted for two blocks in a round; `sign` gives its signature of a vote, as far as there is one. */
function voteTwice(validator: ValidatorIndex, hand: Hand, sign: (point: BlockPoint) => Uint8Array | undefined): Uint8Array {
  const { instanceId, committee } = hand.chain.instance;
  const nobodys = (fill: number): Bytes32 => new Uint8Array(32).fill(fill);
  const [first, second] = [nobodys(1), nobodys(2)].map((blockHash) => {
    const point = { height: 1, round: 1, blockHash };
    const signers = BitArray.fromBoolArray(committee.members.map((member) => member.validator === validator));
    return { point, scheme: SCHEME_BLS, signers, signature: sign(point) ?? new Uint8Array(SIGNATURE_BYTES) };
  });
  if (first === undefined || second === undefined) throw new Error('a pair has two halves');
  return encodeEvidence({ kind: 'conflicting-votes', instanceId, first, second });
}

function withCrosslink(right: Right, change: (crosslink: Crosslink) => Crosslink | undefined): Promise<UnsignedBlock | undefined> {
  const { header, body } = right;
  const crosslinks = body.crosslinks.map((encoded) => {
    const changed = change(storedValue(Crosslink, encoded));
    return changed === undefined ? encoded : Crosslink.serialize(changed);
  });
  const isChanged = crosslinks.some((encoded, index) => encoded !== body.crosslinks[index]);
  return isChanged ? fitted(right, header, { ...body, crosslinks }) : Promise.resolve(undefined);
}

// As far as the code knows a state after it.
async function fitted({ hand, body: right }: Right, header: BlockHeader, body: BlockBody = right): Promise<UnsignedBlock | undefined> {
  return withPostState({ header: { ...header, bodyRoot: bodyRootOf(body, []) }, body }, changing(hand));
}
