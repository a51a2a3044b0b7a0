import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nobleBls } from '../../../src/core/crypto/bls-noble.ts';
import { sha256 } from '../../../src/core/crypto/sha256.ts';
import {
  ADDRESS_BYTES_MAX,
  ADDRESSES_MAX,
  type AddressRecord,
  addressClaim,
  addressSigningRoot,
  decodeAddressRecord,
  encodeAddressRecord,
  isAddressText,
  SignedAddressRecord,
} from '../../../src/core/protocol/address-record.ts';

const GENESIS_ROOT = sha256(Uint8Array.of(1));
const RECORD: AddressRecord = { validator: 7, peerKey: sha256(Uint8Array.of(2)), sequence: 5, addresses: ['/ip4/192.0.2.1/tcp/9545'] };
const SIGNATURE = new Uint8Array(96).fill(3);

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const address = fc
  .array(fc.integer({ min: 0x21, max: 0x7e }), { maxLength: ADDRESS_BYTES_MAX - 1 })
  .map((codes) => `/${String.fromCharCode(...codes)}`);
const anyRecord: fc.Arbitrary<AddressRecord> = fc.record(
  {
    validator: fc.nat(2 ** 32 - 1),
    peerKey: bytes32,
    sequence: fc.maxSafeNat(),
    addresses: fc.uniqueArray(address, { minLength: 1, maxLength: ADDRESSES_MAX }),
  },
  { noNullPrototype: true },
);

describe('an address record', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(anyRecord, fc.uint8Array({ minLength: 96, maxLength: 96 }), (record, signature) => {
        assert.deepEqual(decodeAddressRecord(encodeAddressRecord({ record, signature })), { ok: true, value: { record, signature } });
      }),
    );
  });

  it('is refused with no address, with one that is none, or with one twice', () => {
    const text = (words: string): Uint8Array => new TextEncoder().encode(words);
    const cases: readonly (readonly [string, readonly Uint8Array[]])[] = [
      ['no-address', []],
      ['bad-address', [text('/ip4/192.0.2.1/tcp/1'), text('ip4')]],
      ['bad-address', [text('')]],
      ['bad-address', [text('/ip4/192.0.2.1/tcp/1 ')]],
      ['bad-address', [text('/dns4/ä.example/tcp/1')]],
      ['address-twice', [text('/a'), text('/b'), text('/a')]],
    ];
    for (const [reason, addresses] of cases) {
      const bytes = SignedAddressRecord.serialize({ record: { ...RECORD, addresses: [...addresses] }, signature: SIGNATURE });
      const decoded = decodeAddressRecord(bytes);
      assert.equal(decoded.ok ? '' : decoded.reason, reason);
    }
    assert.ok(!decodeAddressRecord(Uint8Array.of(1)).ok);
  });

  it('holds what an operator would write, within bounds', () => {
    for (const good of ['/ip4/192.0.2.1/tcp/9545', '/ip6/::1/tcp/1', '/dns4/node.example/tcp/9545']) assert.ok(isAddressText(good));
    for (const bad of ['', 'ip4', '/ip4/1 2', '/дом', `/${'x'.repeat(ADDRESS_BYTES_MAX)}`]) assert.ok(!isAddressText(bad));
    assert.throws(() => encodeAddressRecord({ record: { ...RECORD, addresses: ['nowhere'] }, signature: SIGNATURE }));
  });

  it('is signed by the validator’s consensus key, for one network and no instance', () => {
    const secretKey = new Uint8Array(32).fill(1);
    const identity = { blsPublicKey: nobleBls.publicKeyOf(secretKey), peerKey: RECORD.peerKey };
    const signature = nobleBls.sign(secretKey, addressSigningRoot(GENESIS_ROOT, RECORD));
    const isValid = (record: AddressRecord, genesisRoot = GENESIS_ROOT): boolean => {
      const claim = addressClaim(genesisRoot, { record, signature }, identity);
      return claim.ok && nobleBls.verify(claim.value.publicKey, claim.value.message, claim.value.signature);
    };
    assert.ok(isValid(RECORD));
    assert.ok(!isValid({ ...RECORD, sequence: 6 }));
    assert.ok(!isValid({ ...RECORD, addresses: ['/ip4/192.0.2.2/tcp/9545'] }));
    assert.ok(!isValid(RECORD, sha256(Uint8Array.of(9))));
    const other = addressClaim(GENESIS_ROOT, { record: { ...RECORD, peerKey: sha256() }, signature }, identity);
    assert.equal(other.ok ? '' : other.reason, 'wrong-peer-key');
  });
});
