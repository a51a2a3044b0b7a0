// One of four validators is Byzantine: whenever it leads, it proposes a block with one field wrong, properly signed. Nobody votes for
// any of them, each is counted by the rule that refused it, nobody hands it on, and the chain goes on.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { BitArray } from '@chainsafe/ssz';
import { initialiseKeccak } from '../../src/core/crypto/keccak.ts';
import { bytesToHex } from '../../src/core/primitives/bytes.ts';
import { BlockHeader as BlockHeaderType, blockHashOf, EMPTY_BODY } from '../../src/core/protocol/block.ts';
import type { Proposal } from '../../src/core/protocol/vote.ts';
import { readPreset } from '../../src/node/genesis-file.ts';
import { selectCrypto } from '../../src/runtime/native/select-crypto.ts';
import { createSigner, type Signer } from '../../src/runtime/signer.ts';
import { type WrongBlock, wrongBlocks } from '../../src/simulation/adversaries/wrong-blocks.ts';
import { createWorld, type World } from '../../src/simulation/world.ts';
import { lying, signedAgain } from './liar.ts';

const START_MS = 1_700_000_000_000;
const LIAR = 3;
const RUN_MS_MAX = 3_600_000;
const SETTLE_MS = 90_000;
/** One leaf of each stands for its siblings: the rule compares the commitment whole, and bad-fields.test.ts takes every leaf. */
const LEFT_TO_UNIT_TEST = /^parentExecution\.(?!stateRoot|cursors|proposerFeesWei)|^timeoutCertificate\./;

interface Told {
  readonly path: string;
  readonly hashHex: string;
}

describe('a Byzantine leader', () => {
  before(() => initialiseKeccak());

  it('gets no vote for a block with any field wrong, and does not stop the chain', async () => {
    const told: Told[] = [];
    const votedFor = new Set<string>();
    const handedOn: string[] = [];
    let signer: Signer | undefined;
    const wanted = pathsToTell();
    const world: World = await createWorld({
      crypto: selectCrypto({ disableNative: false }),
      seed: 11,
      nodes: 4,
      startMs: START_MS,
      latencyMs: 5,
      lossShare: 0,
      parameters: { ...readPreset('devnet'), idleIntervalMs: 10_000 },
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
          if (proposal.header.justify.length === 0) return [message];
          const next = liesAbout(proposal).find(({ path }) => wanted.has(path) && !told.some((before) => before.path === path));
          if (next === undefined) return [message];
          const lie = signedAgain(next.proposal, sign);
          told.push({ path: next.path, hashHex: bytesToHex(blockHashOf(lie.header)) });
          return [{ kind: 'proposal', proposal: lie }];
        });
      },
    });
    const schemes = selectCrypto({ disableNative: false });
    const secrets = world.keys[LIAR];
    const instance = world.nodes[LIAR]?.chain.instance;
    assert.ok(secrets !== undefined && instance !== undefined);
    signer = createSigner(schemes, { validator: LIAR, ...secrets }, instance);

    await world.clock.run(START_MS + RUN_MS_MAX, () => told.length >= wanted.size);
    assert.deepEqual(told.map(({ path }) => path).sort(), [...wanted].sort());
    const before = heights(world);
    await world.clock.run(world.clock.nowMs() + SETTLE_MS);

    const honest = heights(world).slice(0, LIAR);
    assert.ok(Math.min(...honest) > Math.max(...before), `the chain goes on: ${before} before, ${honest} after`);
    for (const { path, hashHex } of told) assert.ok(!votedFor.has(hashHex), `nobody votes for a wrong ${path}`);
    assert.deepEqual(handedOn, [], 'nobody hands on what the liar says');
    const counted = countedReasons(world);
    for (const reason of [
      'unknown-instance',
      'wrong-parent',
      'not-admitted',
      'wrong-start',
      'unknown-scheme',
      'wrong-bitmap',
      'bad-signature',
      'bad-vrf-proof',
      'timestamp-too-early',
      'wrong-beacon-reference',
      'wrong-body-root',
      'wrong-gas-bought',
      'wrong-base-fee',
      'wrong-parent-execution',
      'undecodable-transaction',
    ]) {
      assert.ok(counted.has(reason), `${reason} is counted: ${[...counted].join(', ')}`);
    }
    for (const name of ['node-0', 'node-1', 'node-2']) {
      const offences = Object.keys(world.network.networks.get(name)?.stats().misbehaviour ?? {});
      for (const reason of ['bad-signature', 'wrong-parent', 'wrong-parent-execution'])
        assert.ok(offences.includes(reason), `${name}: ${offences}`);
    }
    for (const { chain } of world.nodes.slice(0, LIAR)) assert.ok(chain.blocks.size < 16, `${chain.blocks.size} blocks held`);
    await world.stop();
  });
});

function liesAbout(proposal: Proposal): readonly WrongBlock[] {
  return wrongBlocks(proposal).filter(({ path }) => !LEFT_TO_UNIT_TEST.test(path));
}

/** The lies about a block that has a parent in its instance, came without a timeout, and is empty. */
function pathsToTell(): ReadonlySet<string> {
  const header = BlockHeaderType.defaultValue();
  const justify = { ...BlockHeaderType.fields.justify.elementType.defaultValue(), signers: BitArray.fromBitLen(4) };
  return new Set(
    liesAbout({ header: { ...header, justify: [justify] }, body: EMPTY_BODY, signature: new Uint8Array(96) }).map(({ path }) => path),
  );
}

function heights({ nodes }: World): number[] {
  return nodes.map(({ chain }) => chain.blocks.committed.facts.height);
}

function countedReasons({ eventLog }: World): ReadonlySet<string> {
  const reasons = new Set<string>();
  for (const line of eventLog) {
    const [, labels] = / count coppice_(?:gossip|blocks)_refused_total (\{.*\}) /.exec(line) ?? [];
    if (labels !== undefined) reasons.add((JSON.parse(labels) as { reason: string }).reason);
  }
  return reasons;
}
