// A Byzantine leader signs whatever it likes: every field of an otherwise valid proposal, made wrong and signed again by the right
// leader, is refused by a rule. Fields are found by walking the SSZ types, so a new one fails here until its row is written.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { CompositeType, Type } from '@chainsafe/ssz';
import { leaderOf, vrfAlphaOf } from '../../src/core/consensus/leader.ts';
import { areValid, proposalClaims } from '../../src/core/consensus/signature-sets.ts';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import {
  type BlockBody,
  BlockBody as BlockBodyType,
  type BlockHeader,
  BlockHeader as BlockHeaderType,
  blockHashOf,
} from '../../src/core/protocol/block.ts';
import { addressOfPublicKey } from '../../src/core/protocol/decode-transaction.ts';
import type { Transaction } from '../../src/core/protocol/transaction.ts';
import type { Proposal } from '../../src/core/protocol/vote.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { type Mutation, mutationsOf } from '../../src/simulation/adversaries/wrong-fields.ts';
import { signTransfer } from '../../src/simulation/workload.ts';
import { certify, createSignedChain, crypto, giveUp, type MadeBlock, pointOf, type SignedChain, VALIDATORS } from './signed-chain.ts';

const SENDER_KEY = new Uint8Array(32).fill(5);
const SENDER = addressOfPublicKey(crypto.secp256k1.publicKeyOf(SENDER_KEY));

/** No verdict comes. */
const WAITS = 'waits';
const VERDICT_MS_MAX = 200;

/** What refuses a header with this field wrong. */
const REFUSED_HEADERS: Readonly<Record<string, string>> = {
  instanceId: 'wrong-instance',
  height: 'wrong-parent',
  round: 'not-admitted',
  parentHash: 'wrong-parent',
  'justify-': 'wrong-start',
  'justify.0.point.height': 'bad-signature', // One higher, and the header would be a carrier's.
  'justify.0.point.round': 'not-admitted',
  'justify.0.point.blockHash': 'wrong-parent',
  'justify.0.scheme': 'unknown-scheme',
  'justify.0.signers': 'bad-signature',
  'justify.0.signers+': 'wrong-bitmap',
  'justify.0.signature': 'bad-signature',
  'timeoutCertificate+': 'not-admitted',
  proposer: 'bad-signature',
  vrfProof: 'bad-vrf-proof',
  timestampMs: 'timestamp-too-early',
  'beaconReference.height': WAITS, // Of a beacon block that may come: nobody votes before it is there.
  'beaconReference.hash': 'wrong-beacon-reference',
  bodyRoot: 'wrong-body-root',
  gasBought: 'wrong-gas-bought',
  baseFeePerGasWei: 'wrong-base-fee',
  'parentExecution.stateRoot': 'wrong-parent-execution',
  'parentExecution.receiptsRoot': 'wrong-parent-execution',
  'parentExecution.outboxRoot': 'wrong-parent-execution',
  'parentExecution.gasUsed': 'wrong-parent-execution',
  'parentExecution.logsBloom': 'wrong-parent-execution',
  'parentExecution.cursors+': 'wrong-parent-execution',
  'parentExecution.cursors-': 'wrong-parent-execution',
  'parentExecution.cursors.0.source': 'wrong-parent-execution',
  'parentExecution.cursors.0.prefix': 'wrong-parent-execution',
  'parentExecution.cursors.0.height': 'wrong-parent-execution',
  'parentExecution.cursors.0.index': 'wrong-parent-execution',
  'parentExecution.load.whole.gas': 'wrong-parent-execution',
  'parentExecution.load.whole.backlog': 'wrong-parent-execution',
  'parentExecution.load.whole.stateLeaves': 'wrong-parent-execution',
  'parentExecution.load.descendants.0.gas': 'wrong-parent-execution',
  'parentExecution.load.descendants.0.backlog': 'wrong-parent-execution',
  'parentExecution.load.descendants.0.stateLeaves': 'wrong-parent-execution',
  'parentExecution.load.descendants.13.gas': 'wrong-parent-execution',
  'parentExecution.load.descendants.13.backlog': 'wrong-parent-execution',
  'parentExecution.load.descendants.13.stateLeaves': 'wrong-parent-execution',
  'parentExecution.proposerFeesWei': 'wrong-parent-execution',
  'parentExecution.burnedFeesWei': 'wrong-parent-execution',
  postStateRoot: 'wrong-post-state-root',
};

/** The same for a header that a TC admits: what differs, and what is more. */
const REFUSED_AFTER_TIMEOUT: Readonly<Record<string, string>> = {
  'timeoutCertificate-': 'not-admitted',
  'timeoutCertificate.0.round': 'not-admitted',
  'timeoutCertificate.0.scheme': 'unknown-scheme',
  'timeoutCertificate.0.signers': 'wrong-rounds-list',
  'timeoutCertificate.0.signers+': 'wrong-bitmap',
  'timeoutCertificate.0.highestQuorumCertificateRounds+': 'wrong-rounds-list',
  'timeoutCertificate.0.highestQuorumCertificateRounds-': 'wrong-rounds-list',
  'timeoutCertificate.0.highestQuorumCertificateRounds.0': 'not-admitted',
  'timeoutCertificate.0.highestQuorumCertificate-': 'wrong-highest-certificate',
  'timeoutCertificate.0.highestQuorumCertificate.0.point.height': 'bad-signature',
  'timeoutCertificate.0.highestQuorumCertificate.0.point.round': 'wrong-highest-certificate',
  'timeoutCertificate.0.highestQuorumCertificate.0.point.blockHash': 'bad-signature',
  'timeoutCertificate.0.highestQuorumCertificate.0.scheme': 'unknown-scheme',
  'timeoutCertificate.0.highestQuorumCertificate.0.signers': 'bad-signature',
  'timeoutCertificate.0.highestQuorumCertificate.0.signers+': 'wrong-bitmap',
  'timeoutCertificate.0.highestQuorumCertificate.0.signature': 'bad-signature',
  'timeoutCertificate.0.signature': 'bad-signature',
};

/** And for a body that its header does not name. */
const REFUSED_BODIES: Readonly<Record<string, string>> = {
  'inbox+': 'wrong-body-root',
  'bundleIndexes+': 'wrong-body-root',
  'pointerProofs+': 'wrong-body-root',
  'crosslinks+': 'wrong-body-root',
  'evidence+': 'wrong-body-root',
  'transactions+': 'wrong-body-root',
  'transactions-': 'wrong-body-root',
  'transactions.0': 'wrong-body-root',
};

/** What a node does with a proposal before it votes, rule by rule. */
async function judge(chain: SignedChain, parent: MadeBlock, { header, body, signature }: Proposal): Promise<string | undefined> {
  const { instance, blocks } = chain;
  const hash = blockHashOf(header);
  const claims = proposalClaims(instance, header, hash, signature);
  if (!claims.ok) return claims.reason;
  if (!areValid(crypto.bls, claims.value)) return 'bad-signature';
  const added = await blocks.add(hash, header, body);
  if (!added.ok) return added.reason;
  const proposer = leaderOf(instance, parent.point, header.round);
  if (header.proposer !== proposer) return 'not-the-leader';
  const alpha = vrfAlphaOf(instance, parent.point.seed, header.round);
  const judged = blocks.validate(hash, instance.committee.members[proposer]?.vrfPublicKey ?? hash, alpha);
  const verdict = await Promise.race([judged, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), VERDICT_MS_MAX))]);
  if (verdict === undefined) return WAITS;
  return verdict.ok ? undefined : verdict.reason;
}

/** Where the next value is not wrong for sure: a timestamp may be any from the earliest on, and the last validator has no next. */
function surelyWrong({ path, value }: Mutation<BlockHeader>): BlockHeader {
  if (path === 'timestampMs') return { ...value, timestampMs: value.timestampMs - 100 };
  return path === 'proposer' ? { ...value, proposer: value.proposer % VALIDATORS } : value;
}

describe('a proposal with one field wrong, signed by the right leader', () => {
  let chain: SignedChain;
  let first: MadeBlock;
  let second: MadeBlock;
  let afterTimeout: MadeBlock;

  before(async () => {
    await initialiseKeccak();
    chain = await createSignedChain([SENDER]);
    const { evmChainId } = readPreset('devnet');
    const raw = signTransfer({ secretKey: SENDER_KEY, nonce: 0n, to: SENDER, valueWei: 1n, chainId: evmChainId }, crypto.secp256k1);
    const [decoded] = await chain.directory.decode([raw]);
    assert.ok(decoded?.ok);
    const transactions: readonly Transaction[] = [decoded.value];
    first = await chain.extend(chain.start, { round: 1 });
    // Three of four sign: a flipped bit then still leaves a quorum, or adds a signer who did not sign.
    const certificate = certify(chain, pointOf(first), 'vote', [1, 2, 3]);
    second = await chain.extend(first.point, { round: 2, justify: certificate, transactions });
    const timeoutCertificate = giveUp(chain, 2, certificate);
    afterTimeout = await chain.extend(first.point, { round: 3, justify: certificate, timeoutCertificate, transactions });
  });

  const signed = (header: BlockHeader, body: BlockBody, by: number): Proposal => {
    const signer = chain.signers[by];
    assert.ok(signer !== undefined);
    return { header, body, signature: signer.signProposal(blockHashOf(header)) };
  };
  const assertCovered = (found: readonly string[], expected: Readonly<Record<string, string>>): void =>
    assert.deepEqual([...found].sort(), Object.keys(expected).sort(), 'every field of the SSZ types has its row, and no row is stale');

  it('is valid before any field is wrong', async () => {
    assert.equal(await judge(chain, first, second.proposal), undefined);
    assert.equal(await judge(chain, first, afterTimeout.proposal), undefined);
  });

  it('is refused by the rule of each field of the header', async () => {
    const { header, body } = second.proposal;
    const mutations = headerMutations(header);
    assertCovered(
      mutations.map(({ path }) => path),
      REFUSED_HEADERS,
    );
    for (const mutation of mutations) {
      const reason = await judge(chain, first, signed(surelyWrong(mutation), body, header.proposer));
      assert.equal(reason, REFUSED_HEADERS[mutation.path], mutation.path);
    }
  });

  it('is refused by the rule of each field of its timeout certificate', async () => {
    const { header, body } = afterTimeout.proposal;
    const mutations = headerMutations(header).filter(({ path }) => path.startsWith('timeoutCertificate'));
    assertCovered(
      mutations.map(({ path }) => path),
      REFUSED_AFTER_TIMEOUT,
    );
    for (const { path, value } of mutations) {
      assert.equal(await judge(chain, first, signed(value, body, header.proposer)), REFUSED_AFTER_TIMEOUT[path], path);
    }
  });

  it('is refused when its body is not the one that the header names', async () => {
    const { header, body } = second.proposal;
    const mutations = mutationsOf(BlockBodyType as unknown as Type<BlockBody>, body);
    assertCovered(
      mutations.map(({ path }) => path),
      REFUSED_BODIES,
    );
    for (const { path, value } of mutations)
      assert.equal(await judge(chain, first, signed(header, value, header.proposer)), REFUSED_BODIES[path], path);
  });

  it('is refused when another validator signed it, or leads it', async () => {
    const { header, body } = second.proposal;
    const other = (header.proposer + 1) % 4;
    assert.equal(await judge(chain, first, signed(header, body, other)), 'bad-signature');
    assert.equal(await judge(chain, first, signed({ ...header, proposer: other }, body, other)), 'not-the-leader');
  });
});

function headerMutations(header: BlockHeader): readonly Mutation<BlockHeader>[] {
  return mutationsOf(BlockHeaderType as unknown as CompositeType<BlockHeader, unknown, unknown>, header);
}
