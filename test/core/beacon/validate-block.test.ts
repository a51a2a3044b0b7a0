// What a voter checks of a beacon block, by the name of each rule; and that signatures of crosslinks are what is claimed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_EXECUTION } from '../../../src/core/beacon/header-fields.ts';
import { instanceOfRecord } from '../../../src/core/beacon/instance.ts';
import { stateRootOf } from '../../../src/core/beacon/state-root.ts';
import { applyBeaconBlock } from '../../../src/core/beacon/transition.ts';
import { type ValidationInput, validateBeaconBlock } from '../../../src/core/beacon/validate-block.ts';
import { areValid, voteMessage } from '../../../src/core/consensus/signature-sets.ts';
import { ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import { type BlockBody, type BlockHeader, bodyRootOf, EMPTY_BODY } from '../../../src/core/protocol/block.ts';
import type { QuorumCertificate } from '../../../src/core/protocol/certificate.ts';
import { standInBls } from '../../../src/simulation/stand-in-crypto.ts';
import {
  advance,
  type Beacon,
  beaconOf,
  chainOf,
  crosslinkOf,
  encoded,
  entryOf,
  extend,
  nextInput,
  rootOf,
  smallGenesis,
} from './fixture.ts';

function inputFor(beacon: Beacon, parts: Partial<BlockBody> = {}, change: Partial<BlockHeader> = {}): ValidationInput {
  const { block, body, ...input } = nextInput(beacon, parts);
  const applied = applyBeaconBlock({ ...input, block, body });
  const record = beacon.state.records[0]?.record;
  if (record === undefined) throw new Error('there is a record');
  const header: BlockHeader = {
    instanceId: instanceOfRecord(beacon.constants, beacon.state, record).instanceId,
    height: block.height,
    round: 1,
    parentHash: rootOf('parent'),
    justify: [],
    timeoutCertificate: [],
    proposer: 0,
    vrfProof: new Uint8Array(80),
    timestampMs: block.timestampMs,
    beaconReference: { height: 0, hash: ZERO_32 },
    bodyRoot: bodyRootOf(body, []),
    gasBought: 0,
    baseFeePerGasWei: 0n,
    parentExecution: NO_EXECUTION,
    postStateRoot: applied.ok ? stateRootOf(applied.value.state) : ZERO_32,
    ...change,
  };
  return { ...input, body, header, parentHash: rootOf('parent'), seed: block.seed };
}

const reasonFor = (input: ValidationInput): string => {
  const verdict = validateBeaconBlock(input);
  return verdict.ok ? 'accepted' : verdict.reason;
};

describe('a beacon block', () => {
  const beacon = beaconOf(smallGenesis({}));
  const said = (change: Partial<BlockHeader>): string => reasonFor(inputFor(beacon, {}, change));

  it('is accepted when the state after it is the one that its header commits', () => assert.equal(said({}), 'accepted'));

  it('is refused on another parent', () => assert.equal(said({ parentHash: rootOf('other') }), 'wrong-parent'));

  it('is refused at another height', () => assert.equal(said({ height: 2 }), 'wrong-height'));

  it('is refused before its time', () => {
    assert.equal(said({ timestampMs: 1_249 }), 'timestamp-too-early');
    assert.equal(said({ timestampMs: 1_251 }), 'wrong-post-state-root', 'the time is part of the state');
  });

  it('is refused with anything in the fields of shards', () => {
    assert.equal(said({ beaconReference: { height: 1, hash: ZERO_32 } }), 'field-not-permitted');
    assert.equal(said({ gasBought: 1 }), 'field-not-permitted');
    assert.equal(said({ baseFeePerGasWei: 1n }), 'field-not-permitted');
    assert.equal(said({ parentExecution: { ...NO_EXECUTION, burnedFeesWei: 1n } }), 'field-not-permitted');
  });

  it('is refused with the root of another body, or with transactions', () => {
    assert.equal(said({ bodyRoot: rootOf('other') }), 'wrong-body-root');
    const input = inputFor(beacon);
    assert.equal(reasonFor({ ...input, body: { ...EMPTY_BODY, transactions: [Uint8Array.of(1)] } }), 'body-part-not-permitted');
  });

  it('is refused when its header commits another state', () =>
    assert.equal(said({ postStateRoot: rootOf('other') }), 'wrong-post-state-root'));

  it('is refused with a crosslink that is', () =>
    assert.equal(reasonFor(inputFor(beacon, { crosslinks: [new Uint8Array(1)] })), 'malformed'));
});

describe('the signatures of a block’s crosslinks', () => {
  it('verify when the committee signed, and not when another block was signed, or as another kind', () => {
    const bls = standInBls();
    const secrets = Array.from({ length: 4 }, (_unused, index) => rootOf('secret', index));
    const genesis = smallGenesis({});
    const validators = genesis.validators.map((validator, index) => ({
      ...validator,
      blsPublicKey: bls.publicKeyOf(secrets[index] as Uint8Array),
    }));
    const beacon = beaconOf({ ...genesis, validators });
    advance(beacon);
    const chain = chainOf(beacon, entryOf(beacon, 1).record);
    extend(beacon, chain);
    const plain = crosslinkOf(chain);
    const signed = (certificate: QuorumCertificate, kind: 'vote' | 'commit-vote'): QuorumCertificate => {
      const message = voteMessage(chain.instance, kind, certificate.point);
      const signature = bls.aggregate(secrets.map((secret) => bls.sign(secret, message))) as Uint8Array;
      return { ...certificate, signature };
    };
    const quorumCertificate = signed(plain.quorumCertificate, 'vote');
    const commitCertificate = signed(plain.commitCertificate, 'commit-vote');
    const claimsOf = (change: object) => {
      const verdict = validateBeaconBlock(inputFor(beacon, { crosslinks: [encoded({ ...plain, ...change })] }));
      assert.ok(verdict.ok);
      return areValid(bls, verdict.value.claims);
    };
    assert.equal(claimsOf({ quorumCertificate, commitCertificate }), true);
    assert.equal(claimsOf({ quorumCertificate, commitCertificate: signed(plain.commitCertificate, 'vote') }), false);
    assert.equal(claimsOf({ commitCertificate }), false);
  });
});
