// The layout in a genesis file, from text to a checked genesis.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { deriveValidatorKeys } from '../../src/core/crypto/validator-keys.ts';
import { vrfPublicKeyOf } from '../../src/core/crypto/vrf.ts';
import { bytesToPrefixedHex } from '../../src/core/primitives/bytes.ts';
import { CoppiceError } from '../../src/core/primitives/errors.ts';
import { genesisRoot, possessionSigningRoot } from '../../src/core/protocol/genesis.ts';
import { type GenesisFileContent, parseGenesis } from '../../src/node/genesis-file.ts';
import { standInBls } from '../../src/simulation/stand-in-crypto.ts';

const bls = standInBls();
const { blsSecretKey, vrfSeed, peerSeed } = deriveValidatorKeys(new Uint8Array(32).fill(7));
const identity = {
  blsPublicKey: bls.publicKeyOf(blsSecretKey),
  vrfPublicKey: vrfPublicKeyOf(vrfSeed),
  peerKey: ed25519.getPublicKey(peerSeed),
  rewardAddress: new Uint8Array(20),
};
const content: GenesisFileContent = {
  version: 1,
  preset: 'devnet',
  timestampMs: 1,
  seed: `0x${'07'.repeat(32)}`,
  validators: [
    {
      blsPublicKey: bytesToPrefixedHex(identity.blsPublicKey),
      vrfPublicKey: bytesToPrefixedHex(identity.vrfPublicKey),
      peerKey: bytesToPrefixedHex(identity.peerKey),
      rewardAddress: bytesToPrefixedHex(identity.rewardAddress),
      seats: 1,
      proofOfPossession: bytesToPrefixedHex(bls.sign(blsSecretKey, possessionSigningRoot(identity))),
    },
  ],
  accounts: [],
};
const parse = (changed: Partial<GenesisFileContent>) => parseGenesis('genesis.json', JSON.stringify({ ...content, ...changed }), bls);

describe('the layout of a genesis file', () => {
  it('is one shard where the file says nothing, and is committed by the root', () => {
    assert.deepEqual(parse({}).layout, [1]);
    assert.deepEqual(parse({ layout: [2, 6, 7] }).layout, [2, 6, 7]);
    assert.deepEqual(genesisRoot(parse({})), genesisRoot(parse({ layout: [1] })));
    assert.notDeepEqual(genesisRoot(parse({})), genesisRoot(parse({ layout: [2, 3] })));
  });

  it('is refused when it is none', () => {
    for (const layout of [[], [2], [3, 2], [0]]) {
      const isRefused = (error: unknown) => error instanceof CoppiceError && error.code === 'genesis/invalid';
      assert.throws(() => parse({ layout }), isRefused, String(layout));
    }
  });
});
