// The whole devnet with every native crypto library switched off: the portable implementations carry consensus, transactions,
// contracts, hashing and a restart, only slower; and the same with whatever this platform has.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Devnet, startDevnet } from './devnet-fixture.ts';
import { runDevnetScenario } from './devnet-scenario.ts';

const BLOCKS_COMPARED_MIN = 4;

/** What each validator says in its log at each of its starts. */
function implementationsOf({ validators }: Devnet): readonly (readonly Readonly<Record<string, string>>[])[] {
  return validators.map(({ dataDir }) =>
    readFileSync(join(dataDir, 'log', 'node.log'), 'utf8')
      .split('\n')
      .filter((text) => text.includes('cryptography in use'))
      .map((text) => JSON.parse(text) as Record<string, string>),
  );
}

describe('a devnet without native crypto', () => {
  let devnet: Devnet;
  before(async () => {
    devnet = await startDevnet({ environment: { COPPICE_PORTABLE_CRYPTO: '1' } });
  });
  after(() => devnet?.remove());

  it('carries coins, a contract and a restart, with the same state on every node', async () => {
    const { blocksCompared } = await runDevnetScenario(devnet);
    assert.ok(blocksCompared >= BLOCKS_COMPARED_MIN, `${blocksCompared} blocks`);
  });

  it('says in its log which implementations were in use at every start, none of them native', () => {
    const starts = implementationsOf(devnet);
    assert.deepEqual(
      starts.map((each) => each.length),
      [1, 1, 1, 2],
      'each validator has started once, and the killed one again',
    );
    for (const { bls, secp256k1, vrf, sha256, keccak256, sszHasher } of starts.flat()) {
      assert.deepEqual(
        { bls, secp256k1, vrf, sha256, keccak256, sszHasher },
        {
          bls: '@noble/curves',
          secp256k1: '@noble/curves',
          vrf: '@noble/curves',
          sha256: '@chainsafe/as-sha256', // WebAssembly, as the SSZ hasher's and Keccak's.
          keccak256: 'hash-wasm',
          sszHasher: '@chainsafe/as-sha256',
        },
      );
    }
  });
});

describe('a devnet with the crypto that this platform has', () => {
  let devnet: Devnet;
  before(async () => {
    devnet = await startDevnet();
  });
  after(() => devnet?.remove());

  it('carries the same', async () => {
    const { blocksCompared } = await runDevnetScenario(devnet);
    assert.ok(blocksCompared >= BLOCKS_COMPARED_MIN, `${blocksCompared} blocks`);
  });
});
