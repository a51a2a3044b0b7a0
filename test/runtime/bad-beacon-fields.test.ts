// What test/runtime/bad-fields does for a shard's block, for one of the beacon that holds a crosslink and evidence: every leaf of header, timeout
// certificate, body, crosslink and each kind of evidence, made wrong and signed again by the right leader, is refused by a rule that stands here. Leaves
// are found by walking the SSZ types, so a new one fails until its row is written.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Type } from '@chainsafe/ssz';
import { EVIDENCE_CONTENTS, type Evidence } from '../../src/core/consensus/evidence/evidence.ts';
import { leaderOf, vrfAlphaOf } from '../../src/core/consensus/leader.ts';
import { areValid, proposalClaims } from '../../src/core/consensus/signature-sets.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import {
  type BlockBody,
  BlockBody as BlockBodyType,
  type BlockHeader,
  BlockHeader as BlockHeaderType,
  blockHashOf,
  bodyRootOf,
} from '../../src/core/protocol/block.ts';
import { Crosslink } from '../../src/core/protocol/crosslink.ts';
import type { Proposal } from '../../src/core/protocol/vote.ts';
import { mutationsOf } from '../../src/simulation/adversaries/wrong-fields.ts';
import {
  REFUSED_BODIES,
  REFUSED_CONTENTS,
  REFUSED_CROSSLINKS,
  REFUSED_EVIDENCE,
  REFUSED_HEADERS,
  REFUSED_TIMEOUT_CERTIFICATES,
  type Refusals,
} from './bad-beacon-reasons.ts';
import { bodyWith, createSignedBeacon, type MadeBeaconBlock, type SignedBeacon } from './signed-beacon.ts';

const pointOf = ({ point: { hash, height, round } }: MadeBeaconBlock) => ({ height, round, blockHash: hash });

/** What a node does with a proposal before it votes, rule by rule; undefined where all hold. */
async function judge(
  { instance, blocks, bls }: SignedBeacon,
  parent: MadeBeaconBlock,
  { header, body, signature }: Proposal,
): Promise<string | undefined> {
  const hash = blockHashOf(header);
  const claims = proposalClaims(instance, header, hash, signature);
  if (!claims.ok) return claims.reason;
  if (!areValid(bls, claims.value)) return 'bad-signature';
  const added = await blocks.add(hash, header, body);
  if (!added.ok) return added.reason;
  const proposer = leaderOf(instance, parent.point, header.round);
  if (header.proposer !== proposer) return 'not-the-leader';
  const alpha = vrfAlphaOf(instance, parent.point.seed, header.round);
  const verdict = await blocks.validate(hash, instance.committee.members[proposer]?.vrfPublicKey ?? hash, alpha);
  return verdict.ok ? undefined : verdict.reason;
}

describe('a beacon block with one field wrong, signed by the right leader', () => {
  let beacon: SignedBeacon;
  let first: MadeBeaconBlock;
  let whole: MadeBeaconBlock;
  let afterTimeout: MadeBeaconBlock;
  let crosslink: Crosslink;

  before(async () => {
    await initialiseKeccak();
    beacon = createSignedBeacon();
    first = await beacon.extend(beacon.start, { round: 1 });
    const justify = beacon.quorumOf(pointOf(first));
    crosslink = beacon.crosslinkOn(first.point);
    const body = bodyWith(crosslink, beacon.evidence);
    whole = await beacon.extend(first.point, { round: 2, justify, body });
    afterTimeout = await beacon.extend(first.point, { round: 3, justify, timeoutCertificate: beacon.giveUp(2, justify), body });
  });

  const signedAgain = (header: BlockHeader, body: BlockBody): Proposal => {
    const signer = beacon.signers[whole.proposal.header.proposer];
    assert.ok(signer !== undefined);
    return { header, body, signature: signer.signProposal(blockHashOf(header)) };
  };
  const withBody = (body: BlockBody): Proposal => signedAgain({ ...whole.proposal.header, bodyRoot: bodyRootOf(body, []) }, body);
  /** Which rule refuses each, beside the table of what is expected. */
  async function assertRefused(
    wrong: readonly { readonly path: string; readonly proposal: Proposal }[],
    expected: Refusals,
  ): Promise<void> {
    const found: Record<string, string[]> = {};
    for (const { path, proposal } of wrong) {
      const reason = (await judge(beacon, first, proposal)) ?? 'accepted';
      found[reason] = [...(found[reason] ?? []), path];
    }
    assert.deepEqual(found, expected, 'every leaf of the SSZ types stands under the rule that refuses it, and no path is stale');
  }

  it('is valid before any field is wrong', async () => {
    assert.equal(await judge(beacon, first, whole.proposal), undefined);
    assert.equal(await judge(beacon, first, afterTimeout.proposal), undefined);
  });

  it('is refused by the rule of each field of the header', async () => {
    const { header, body } = whole.proposal;
    const wrong = mutationsOf(BlockHeaderType as unknown as Type<BlockHeader>, header).map(({ path, value }) => ({
      path,
      proposal: signedAgain(path === 'proposer' ? { ...value, proposer: value.proposer % 4 } : value, body),
    }));
    await assertRefused(wrong, REFUSED_HEADERS);
  });

  it('is refused by the rule of each field of its timeout certificate', async () => {
    const { header, body } = afterTimeout.proposal;
    const signer = beacon.signers[header.proposer];
    assert.ok(signer !== undefined);
    const wrong = mutationsOf(BlockHeaderType as unknown as Type<BlockHeader>, header)
      .filter(({ path }) => path.startsWith('timeoutCertificate'))
      .map(({ path, value }) => ({ path, proposal: { header: value, body, signature: signer.signProposal(blockHashOf(value)) } }));
    await assertRefused(wrong, REFUSED_TIMEOUT_CERTIFICATES);
  });

  it('is refused when its body is not the one that the header names, or has what no beacon block holds', async () => {
    const { header, body } = whole.proposal;
    const bodies = mutationsOf(BlockBodyType as unknown as Type<BlockBody>, body);
    await assertRefused(
      bodies.map(({ path, value }) => ({ path, proposal: signedAgain(header, value) })),
      REFUSED_BODIES,
    );
    await assertRefused(
      bodies.filter(({ path }) => !path.startsWith('transactions')).map(({ path, value }) => ({ path, proposal: withBody(value) })),
      REFUSED_CONTENTS,
    );
  });

  it('is refused by the rule of each field of its crosslink', async () => {
    const wrong = mutationsOf(Crosslink as unknown as Type<Crosslink>, crosslink).map(({ path, value }) => ({
      path,
      proposal: withBody(bodyWith(value, beacon.evidence)),
    }));
    await assertRefused(wrong, REFUSED_CROSSLINKS);
  });

  for (const kind of Object.keys(EVIDENCE_CONTENTS) as Evidence['kind'][]) {
    it(`is refused by the rule of each field of evidence of ${kind}`, async () => {
      const place = beacon.evidence.findIndex((piece) => piece.kind === kind);
      const wrong = mutationsOf<Evidence>(EVIDENCE_CONTENTS[kind] as unknown as Type<Evidence>, beacon.evidence[place] as Evidence).map(
        ({ path, value }) => ({
          path,
          proposal: withBody(bodyWith(crosslink, beacon.evidence.with(place, value))),
        }),
      );
      await assertRefused(wrong, REFUSED_EVIDENCE[kind]);
    });
  }
});
