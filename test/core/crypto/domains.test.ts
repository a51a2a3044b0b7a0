import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteVectorType, ContainerType, UintNumberType } from '@chainsafe/ssz';
import fc from 'fast-check';
import { domainRoot, SIGNATURE_KIND, signingRoot } from '../../../src/core/crypto/domains.ts';
import { SCHEME, schemeOf } from '../../../src/core/crypto/scheme.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import { bytesToHex } from '../../../src/core/primitives/bytes.ts';

const Domain = new ContainerType({ kind: new UintNumberType(8), genesisRoot: new ByteVectorType(32), instanceId: new ByteVectorType(32) });
const kinds = Object.values(SIGNATURE_KIND);
const anyRoot = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('a signature domain', () => {
  it('is the hash-tree-root of kind, genesis root and instance id', () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), anyRoot, anyRoot, (kind, genesisRoot, instanceId) => {
        assert.deepEqual(domainRoot(kind, genesisRoot, instanceId), Domain.hashTreeRoot({ kind, genesisRoot, instanceId }));
      }),
    );
  });

  it('differs by kind, by network and by instance', () => {
    const zero = new Uint8Array(32);
    const one = new Uint8Array(32).fill(1);
    const domains = [...kinds.map((kind) => domainRoot(kind, zero, zero)), domainRoot(1, one, zero), domainRoot(1, zero, one)];
    assert.equal(new Set(domains.map(bytesToHex)).size, kinds.length + 2);
  });

  it('is mixed with the object under a signature', () => {
    fc.assert(
      fc.property(anyRoot, anyRoot, (objectRoot, domain) => {
        assert.deepEqual(signingRoot(objectRoot, domain), sha256(objectRoot, domain));
      }),
    );
  });

  it('is pinned', () => {
    const domain = domainRoot(SIGNATURE_KIND.vote, new Uint8Array(32).fill(3), new Uint8Array(32).fill(4));
    assert.equal(bytesToHex(domain), 'd481bed18679bff04eda3749dad2ed47d2c712e32d30c513387a34e3765c4992');
    assert.deepEqual(SIGNATURE_KIND, { proposal: 1, vote: 2, commitVote: 3, timeout: 4, possession: 5, vrf: 6, address: 7 });
  });
});

describe('the scheme table', () => {
  it('has one row for each scheme byte', () => {
    for (const id of Object.values(SCHEME)) assert.equal(schemeOf(id)?.id, id);
    assert.equal(new Set(Object.values(SCHEME)).size, Object.keys(SCHEME).length);
  });

  it('knows no other byte, zero least of all', () => {
    for (const id of [0, 4, 5, 255, 256, -1, 1.5]) assert.equal(schemeOf(id), undefined);
  });
});
