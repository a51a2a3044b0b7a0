// Genesis: what its root commits, what is refused, and what the first committee and start record are.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { deriveValidatorKeys } from '../../../src/core/crypto/validator-keys.ts';
import { vrfPublicKeyOf } from '../../../src/core/crypto/vrf.ts';
import { bytesToHex, hex, ZERO_32 } from '../../../src/core/primitives/bytes.ts';
import {
  checkGenesis,
  committeeOf,
  type Genesis,
  type GenesisRefusal,
  type GenesisValidator,
  genesisRoot,
  possessionSigningRoot,
  startRecordOf,
  type ValidatorIdentity,
  withoutAccounts,
} from '../../../src/core/protocol/genesis.ts';
import type { NetworkParameters } from '../../../src/core/protocol/parameters.ts';
import { selectCrypto } from '../../../src/runtime/native/select-crypto.ts';

const { bls } = selectCrypto({ disableNative: false });

const parameters: NetworkParameters = {
  evmChainId: 1_131_376_752,
  blockGasLimit: 16_000_000,
  inboxGasShare: 8_000_000,
  inboxBytesShare: 524_288,
  transactionGasLimitMax: 8_000_000,
  bodyBytesMax: 1_048_576,
  transactionBytesMax: 131_072,
  roundTimeoutMs: 1_000,
  roundTimeoutMsMax: 20_000,
  roundTimeoutGrowthPercent: 150,
  resendIntervalMs: 500,
  blockIntervalMsMin: 20,
  idleIntervalMs: 1_000,
  leaderWindow: 8,
  baseFeePerGasWeiMin: 100_000_000n,
  committeeSeats: 2,
  clockToleranceMs: 500,
  mempoolTransactionsMax: 16_384,
  mempoolBytesMax: 33_554_432,
  mempoolTransactionsPerSenderMax: 64,
  fullHistoryBlocks: 16_384,
  epochBlocks: 80,
  takeoverGraceBlocks: 120,
  beaconBlockIntervalMsMin: 250,
};

const validatorOf = (number: number, changed: Partial<ValidatorIdentity> = {}): GenesisValidator => {
  const { blsSecretKey, vrfSeed, peerSeed } = deriveValidatorKeys(new Uint8Array(32).fill(number));
  const identity = {
    blsPublicKey: bls.publicKeyOf(blsSecretKey),
    vrfPublicKey: vrfPublicKeyOf(vrfSeed),
    peerKey: ed25519.getPublicKey(peerSeed),
    rewardAddress: new Uint8Array(20).fill(number),
    ...changed,
  };
  return { ...identity, seats: number, proofOfPossession: bls.sign(blsSecretKey, possessionSigningRoot(identity)) };
};

const first = validatorOf(1);
const second = validatorOf(2);
const eoa = { address: hex('11'.repeat(20)), nonce: 0n, balanceWei: 5n, code: new Uint8Array(0), storage: [] };
const slot = { slot: hex('01'.repeat(32)), value: hex('02'.repeat(32)) };
const contract = { address: hex('22'.repeat(20)), nonce: 1n, balanceWei: 0n, code: hex('6000'), storage: [slot] };
const genesis: Genesis = {
  parameters,
  validators: [first, second],
  accounts: [eoa, contract],
  timestampMs: 1_700_000_000_000,
  seed: hex('07'.repeat(32)),
  layout: [1],
};

const refusal = (changed: Partial<Genesis>): GenesisRefusal | 'accepted' => {
  const verdict = checkGenesis({ ...genesis, ...changed }, bls);
  return verdict.ok ? 'accepted' : verdict.reason;
};

describe('the genesis root', () => {
  it('changes with every single parameter', () => {
    const roots = new Set([bytesToHex(genesisRoot(genesis))]);
    const names = Object.keys(parameters) as (keyof NetworkParameters)[];
    for (const name of names) {
      const value = parameters[name];
      const changed = { ...parameters, [name]: typeof value === 'bigint' ? value + 1n : value + 1 };
      roots.add(bytesToHex(genesisRoot({ ...genesis, parameters: changed })));
    }
    assert.equal(roots.size, names.length + 1);
  });

  it('changes with every field of a validator, of an account, with the time and the seed', () => {
    const changes: Partial<Genesis>[] = [
      { validators: [{ ...first, seats: 9 }, second] },
      { validators: [{ ...first, proofOfPossession: second.proofOfPossession }, second] },
      { validators: [{ ...first, rewardAddress: second.rewardAddress }, second] },
      { validators: [{ ...first, vrfPublicKey: second.vrfPublicKey }, second] },
      { validators: [{ ...first, peerKey: second.peerKey }, second] },
      { validators: [{ ...first, blsPublicKey: second.blsPublicKey }, second] },
      { validators: [second, first] },
      { validators: [first] },
      { accounts: [{ ...eoa, balanceWei: 6n }, contract] },
      { accounts: [{ ...eoa, nonce: 1n }, contract] },
      { accounts: [{ ...eoa, address: hex('12'.repeat(20)) }, contract] },
      { accounts: [eoa, { ...contract, code: hex('6001') }] },
      { accounts: [eoa, { ...contract, storage: [] }] },
      { accounts: [eoa] },
      { timestampMs: 1 },
      { seed: ZERO_32 },
      { layout: [2, 3] },
    ];
    const roots = new Set([genesis, ...changes.map((change) => ({ ...genesis, ...change }))].map((each) => bytesToHex(genesisRoot(each))));
    assert.equal(roots.size, changes.length + 1);
  });

  it('stays the same when the accounts are let go, which are in the state by then', () => {
    const rest = withoutAccounts(genesis);
    assert.deepEqual(rest, { ...genesis, accounts: [] });
    assert.deepEqual(genesisRoot(rest), genesisRoot(genesis));
  });

  it('is pinned: a change of the format is a decision', () => {
    assert.equal(
      bytesToHex(genesisRoot({ ...genesis, validators: [] })),
      '10b81cb6147d25f17d161e01a0591fb356e9688dcaca2299c543f86f164198b3',
    );
  });
});

describe('the first committee and start record', () => {
  it('hold every validator by index with its seats, and start at height 0 with the least base fee', () => {
    const committee = committeeOf(genesis);
    assert.deepEqual(
      committee.members.map(({ validator, seats }) => [validator, seats]),
      [
        [0, 1],
        [1, 2],
      ],
    );
    assert.equal(committee.totalSeats, 3);
    const record = startRecordOf(genesis, hex('aa'.repeat(32)));
    assert.deepEqual([record.shard, record.epoch, record.height, record.baseFeePerGasWei], [1, 0, 0, 100_000_000n]);
    assert.deepEqual([record.stateRoot, record.seed, record.timestampMs], [hex('aa'.repeat(32)), genesis.seed, genesis.timestampMs]);
  });
});

describe('a genesis is refused', () => {
  it('not when it is whole', () => assert.equal(refusal({}), 'accepted'));

  it('when parameters contradict each other or are no positive numbers', () => {
    const wrong: Partial<NetworkParameters>[] = [
      { transactionGasLimitMax: 8_000_001 },
      { inboxGasShare: 16_000_001 },
      { transactionBytesMax: 131_073 },
      { bodyBytesMax: 131_071 },
      { roundTimeoutMs: 20_001 },
      { roundTimeoutGrowthPercent: 100 },
      { blockIntervalMsMin: 1_001 },
      { leaderWindow: 0 },
      { evmChainId: 1.5 },
      { baseFeePerGasWeiMin: 0n },
      { mempoolBytesMax: 131_071 },
      { epochBlocks: 3, takeoverGraceBlocks: 3 },
      { takeoverGraceBlocks: 641 },
      { beaconBlockIntervalMsMin: 0 },
    ];
    for (const change of wrong)
      assert.equal(refusal({ parameters: { ...parameters, ...change } }), 'parameters', JSON.stringify(change, String));
  });

  it('when validators are none, share a key, have no seats, or do not prove possession', () => {
    assert.equal(refusal({ validators: [] }), 'validators');
    assert.equal(refusal({ validators: [first, first] }), 'validators');
    assert.equal(refusal({ validators: [{ ...first, seats: 0 }] }), 'validators');
    assert.equal(refusal({ validators: [{ ...first, rewardAddress: second.rewardAddress }] }), 'validators');
    assert.equal(refusal({ validators: [{ ...first, seats: 2 ** 20 + 1 }] }), 'validators');
  });

  it('when a VRF or peer key is no point of the curve, of small order, or of another encoding, with its holder by name', () => {
    const noPoint = hex(`02${'00'.repeat(31)}`);
    const identityPoint = hex(`01${'00'.repeat(31)}`);
    const ofOrderFour = ZERO_32;
    const notReduced = new Uint8Array(32).fill(0xff).with(0, 0xf0).with(31, 0x7f); // p + 3, for the y of a point: 3.
    for (const key of [noPoint, identityPoint, ofOrderFour, notReduced]) {
      for (const name of ['vrfPublicKey', 'peerKey'] as const) {
        const verdict = checkGenesis({ ...genesis, validators: [first, validatorOf(2, { [name]: key })] }, bls);
        assert.ok(!verdict.ok, `${name} ${bytesToHex(key)}`);
        assert.equal(verdict.reason, 'validators');
        const said = name === 'peerKey' ? 'peer' : 'VRF';
        assert.equal(verdict.detail, `validator 1: its ${said} key ${bytesToHex(key)} is no key of edwards25519`);
      }
    }
  });

  it('when its layout is no complete cover of the tree, from left to right', () => {
    assert.equal(refusal({ layout: [2, 6, 7] }), 'accepted');
    for (const layout of [[], [2], [3, 2], [1, 2, 3], [2, 3, 3], [0]]) assert.equal(refusal({ layout }), 'layout', String(layout));
  });

  it('when accounts are out of order, double, empty, or have storage that is not canonical', () => {
    assert.equal(refusal({ accounts: [contract, eoa] }), 'accounts');
    assert.equal(refusal({ accounts: [eoa, eoa] }), 'accounts');
    assert.equal(refusal({ accounts: [{ ...eoa, balanceWei: 0n }] }), 'accounts');
    assert.equal(refusal({ accounts: [{ ...eoa, storage: [slot] }] }), 'accounts');
    assert.equal(refusal({ accounts: [{ ...contract, storage: [slot, slot] }] }), 'accounts');
    assert.equal(refusal({ accounts: [{ ...contract, storage: [{ ...slot, value: ZERO_32 }] }] }), 'accounts');
    assert.equal(refusal({ accounts: [{ ...eoa, balanceWei: 2n ** 128n }] }), 'accounts');
  });
});
