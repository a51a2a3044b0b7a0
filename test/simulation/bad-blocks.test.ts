// One of four validators is Byzantine: whenever it leads, it proposes a block with one field wrong, properly signed. Nobody votes for
// any of them, each is counted by the rule that refused it, nobody hands it on, and the chain goes on.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { BitArray } from '@chainsafe/ssz';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { BEACON_CHAIN, type ChainId, ROOT_SHARD } from '../../src/core/primitives/ids.ts';
import { BlockHeader as BlockHeaderType, blockHashOf, EMPTY_BODY } from '../../src/core/protocol/block.ts';
import { Crosslink } from '../../src/core/protocol/crosslink.ts';
import { EMPTY_OUTBOX } from '../../src/core/protocol/outbox.ts';
import type { Proposal } from '../../src/core/protocol/vote.ts';
import type { Chain } from '../../src/node/create-chain.ts';
import type { Node } from '../../src/node/create-node.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { createSigner, type Signer } from '../../src/runtime/signer.ts';
import { type WrongBlock, wrongBlocks } from '../../src/simulation/adversaries/wrong-blocks.ts';
import { chainsOf } from '../../src/simulation/chains-of.ts';
import { standInCrypto } from '../../src/simulation/stand-in-crypto.ts';
import { createWorld, type World } from '../../src/simulation/world.ts';
import { prepareHashes } from './hashes.ts';
import { lying, signedAgain } from './liar.ts';

const START_MS = 1_700_000_000_000;
const LIAR = 3;
const RUN_MS_MAX = 3_600_000;
const SETTLE_MS = 30_000;
/** One leaf of each stands for its siblings: the rule compares the commitment whole, and bad-fields and bad-beacon-fields.test.ts take every leaf. */
const LEFT_TO_UNIT_TEST =
  /^(crosslink\.headers\.0\.)?parentExecution\.(?!stateRoot|cursors|proposerFeesWei)|^timeoutCertificate\.|^crosslink\.(headers\.0\.(justify|timeoutCertificate)|commitCertificate|carriers)/;
/** Reasons to refuse that no kind of chain has for itself. */
const ON_EVERY_CHAIN = ['unknown-instance', 'wrong-parent', 'not-admitted', 'wrong-start', 'unknown-scheme', 'wrong-bitmap'];

interface Told {
  readonly path: string;
  readonly hashHex: string;
}

describe('a Byzantine leader', () => {
  before(() => prepareHashes());

  it('of the beacon gets no vote for a block with any field wrong, and does not stop the chain', () =>
    tellAll(BEACON_CHAIN, [
      'bad-signature',
      'bad-vrf-proof',
      'timestamp-too-early',
      'field-not-permitted',
      'wrong-body-root',
      'wrong-post-state-root',
      'malformed',
      'wrong-instance',
      'wrong-outboxes',
      'certificate-of-another-block',
    ]));

  it('of a shard gets no vote for a block with any field wrong, and does not stop the chain', () =>
    tellAll(ROOT_SHARD, [
      'bad-signature',
      'bad-vrf-proof',
      'timestamp-too-early',
      'wrong-beacon-reference',
      'wrong-body-root',
      'wrong-gas-bought',
      'wrong-base-fee',
      'wrong-parent-execution',
      'malformed-item',
    ]));
});

async function tellAll(chainId: ChainId, reasons: readonly string[]): Promise<void> {
  const told: Told[] = [];
  const votedFor = new Set<string>();
  const handedOn: string[] = [];
  const schemes = standInCrypto();
  let signer: Signer | undefined;
  let instanceId: Uint8Array = new Uint8Array(32);
  const chainOfTest = (node: Node): Chain => chainsOf(node).find(({ instance }) => instance.chain === chainId) as Chain;
  const heights = ({ nodes }: World): number[] => nodes.map((node) => chainOfTest(node).blocks.committed.facts.height);
  const wanted = pathsToTell(chainId);
  const world: World = await createWorld({
    crypto: schemes,
    seed: 11,
    nodes: 4,
    startMs: START_MS,
    latencyMs: 5,
    lossShare: 0,
    // One instance for all; the beacon is the faster one, or it would have nothing to do with crosslinks.
    parameters: { ...readPreset('devnet'), idleIntervalMs: 5_000, beaconBlockIntervalMsMin: 2_000, epochBlocks: 100_000 },
    accounts: [],
    interpose: (name, own) => {
      if (name !== `node-${LIAR}`) {
        return lying(own, (message) => {
          if (message.kind === 'vote') votedFor.add(bytesToHex(message.vote.point.blockHash));
          if (message.kind === 'proposal' && message.proposal.header.proposer === LIAR) handedOn.push(name);
          return [message];
        });
      }
      return lying(own, (message) => {
        if (message.kind !== 'proposal' || signer === undefined) return [message];
        const { sign, proposal } = { sign: signer.signProposal, proposal: message.proposal };
        if (!isTemplate(proposal, instanceId)) return [message];
        const next = liesAbout(proposal).find(({ path }) => wanted.has(path) && !told.some((before) => before.path === path));
        if (next === undefined) return [message];
        const lie = signedAgain(next.proposal, sign);
        told.push({ path: next.path, hashHex: bytesToHex(blockHashOf(lie.header)) });
        return [{ kind: 'proposal', proposal: lie }];
      });
    },
  });
  const secrets = world.keys[LIAR];
  const instance = world.nodes[LIAR] && chainOfTest(world.nodes[LIAR]).instance;
  assert.ok(secrets !== undefined && instance !== undefined);
  signer = createSigner(schemes, { validator: LIAR, ...secrets }, instance);
  instanceId = instance.instanceId;

  await world.clock.run(START_MS + RUN_MS_MAX, () => told.length >= wanted.size);
  assert.deepEqual(told.map(({ path }) => path).sort(), [...wanted].sort());
  const before = heights(world);
  await world.clock.run(world.clock.nowMs() + SETTLE_MS);

  const honest = heights(world).slice(0, LIAR);
  assert.ok(Math.min(...honest) > Math.max(...before), `the chain goes on: ${before} before, ${honest} after`);
  for (const { path, hashHex } of told) assert.ok(!votedFor.has(hashHex), `nobody votes for a wrong ${path}`);
  assert.deepEqual(handedOn, [], 'nobody hands on what the liar says');
  const counted = countedReasons(world);
  for (const reason of [...ON_EVERY_CHAIN, ...reasons]) assert.ok(counted.has(reason), `${reason} is counted: ${[...counted].join(', ')}`);
  for (const name of ['node-0', 'node-1', 'node-2']) {
    const offences = Object.keys(world.network.networks.get(name)?.stats().misbehaviour ?? {});
    for (const reason of ['bad-signature', 'wrong-parent']) assert.ok(offences.includes(reason), `${name}: ${offences}`);
  }
  for (const { blocks } of world.nodes.slice(0, LIAR).map(chainOfTest)) assert.ok(blocks.size < 16, `${blocks.size} blocks held`);
  await world.stop();
}

function liesAbout(proposal: Proposal): readonly WrongBlock[] {
  return wrongBlocks(proposal).filter(({ path }) => !LEFT_TO_UNIT_TEST.test(path));
}

/** What lies are told about: of a block that has a parent in its instance and came without a timeout; of the beacon with one crosslink. */
function isTemplate({ header, body }: Proposal, instanceId: Uint8Array): boolean {
  if (!header.instanceId.every((byte, place) => byte === instanceId[place])) return false;
  if (header.justify.length === 0 || header.timeoutCertificate.length > 0) return false;
  return body.crosslinks.length < 2;
}

function pathsToTell(chain: ChainId): ReadonlySet<string> {
  const header = BlockHeaderType.defaultValue();
  const point = { height: 7, round: 7, blockHash: new Uint8Array(32) };
  const certificate = { ...BlockHeaderType.fields.justify.elementType.defaultValue(), point, signers: BitArray.fromBitLen(4) };
  const crosslinked = { ...header, justify: [certificate] };
  const crosslink = {
    ...Crosslink.defaultValue(),
    headers: [crosslinked],
    outboxes: [EMPTY_OUTBOX],
    quorumCertificate: certificate,
    commitCertificate: certificate,
  };
  const body = chain === BEACON_CHAIN ? { ...EMPTY_BODY, crosslinks: [Crosslink.serialize(crosslink)] } : EMPTY_BODY;
  const block = { header: { ...header, height: 8, justify: [certificate] }, body, signature: new Uint8Array(96) };
  return new Set(liesAbout(block).map(({ path }) => path));
}

function countedReasons({ eventLog }: World): ReadonlySet<string> {
  const reasons = new Set<string>();
  for (const line of eventLog) {
    const [, labels] = / count coppice_(?:gossip|blocks)_refused_total (\{.*\}) /.exec(line) ?? [];
    if (labels !== undefined) reasons.add((JSON.parse(labels) as { reason: string }).reason);
  }
  return reasons;
}
