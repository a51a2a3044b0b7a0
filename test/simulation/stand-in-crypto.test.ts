// Stand-in signatures are worth something only if they refuse what the real ones refuse.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSignatureInRange } from '../../src/core/crypto/secp256k1.ts';
import { sha256 } from '../../src/core/crypto/sha256.ts';
import { standInBls, standInCrypto, standInSecp256k1, standInVrf } from '../../src/simulation/stand-in-crypto.ts';

const [first, second] = [sha256(Uint8Array.of(1)), sha256(Uint8Array.of(2))];
const [message, other] = [sha256(Uint8Array.of(3)), sha256(Uint8Array.of(4))];

describe('stand-in signatures', () => {
  const bls = standInBls();
  const [firstKey, secondKey] = [bls.publicKeyOf(first), bls.publicKeyOf(second)];
  const [bySelf, bySecond] = [bls.sign(first, message), bls.sign(second, message)];
  const aggregate = bls.aggregate([bySelf, bySecond]) as Uint8Array;

  it('are accepted of the key and over the message that they are of', () => {
    assert.ok(bls.verify(firstKey, message, bySelf));
    assert.ok(bls.fastAggregateVerify([firstKey, secondKey], message, aggregate));
    const mixed = bls.aggregate([bySelf, bls.sign(second, other)]) as Uint8Array;
    assert.ok(bls.aggregateVerify([firstKey, secondKey], [message, other], mixed));
    assert.ok(bls.verifyBatch([{ publicKey: firstKey, message, signature: bySelf }]));
    assert.ok(bls.verifyBatch([]));
  });

  it('are refused of another key, over another message, altered, cut short, counted twice or of nobody', () => {
    assert.ok(!bls.verify(secondKey, message, bySelf));
    assert.ok(!bls.verify(firstKey, other, bySelf));
    assert.ok(!bls.verify(firstKey, message, bySelf.with(0, (bySelf[0] as number) ^ 1)));
    assert.ok(!bls.verify(firstKey, message, bySelf.slice(1)));
    assert.ok(!bls.fastAggregateVerify([firstKey], message, aggregate));
    assert.ok(!bls.fastAggregateVerify([firstKey, firstKey, secondKey], message, aggregate));
    assert.ok(!bls.fastAggregateVerify([], message, new Uint8Array(96)));
    assert.ok(!bls.verify(new Uint8Array(48), message, bySelf));
    assert.equal(bls.aggregate([]), undefined);
    const wrong = { publicKey: secondKey, message, signature: bySelf };
    assert.ok(!bls.verifyBatch([{ publicKey: firstKey, message, signature: bySelf }, wrong]));
  });
});

describe('a stand-in VRF', () => {
  const vrf = standInVrf();
  const publicKey = vrf.publicKeyOf(first);
  const proof = vrf.prove(first, message);

  it('gives everyone the output that its owner has', () => {
    assert.deepEqual(vrf.verify(publicKey, message, proof), vrf.output(proof));
  });

  it('refuses proofs of others, for other inputs, and altered ones', () => {
    assert.equal(vrf.verify(vrf.publicKeyOf(second), message, proof), undefined);
    assert.equal(vrf.verify(publicKey, other, proof), undefined);
    assert.equal(vrf.verify(publicKey, message, proof.with(79, (proof[79] as number) ^ 1)), undefined);
    assert.equal(vrf.verify(new Uint8Array(32), message, proof), undefined);
  });
});

describe('stand-in signatures of accounts', () => {
  const secp256k1 = standInSecp256k1();
  const { r, s, yParity } = secp256k1.sign(first, message);

  it('give the key that they are of, and are in the range of real ones', () => {
    assert.deepEqual(secp256k1.recoverPublicKey(message, r, s, yParity), secp256k1.publicKeyOf(first));
    assert.notDeepEqual(secp256k1.publicKeyOf(first), secp256k1.publicKeyOf(second));
    assert.ok(isSignatureInRange(message, r, s, yParity));
  });

  it('have no signer over another message, or altered', () => {
    assert.equal(secp256k1.recoverPublicKey(other, r, s, yParity), undefined);
    assert.equal(secp256k1.recoverPublicKey(message, r.with(9, (r[9] as number) ^ 1), s, yParity), undefined);
    assert.equal(secp256k1.recoverPublicKey(message, r, s.with(9, (s[9] as number) ^ 1), yParity), undefined);
    assert.equal(secp256k1.recoverPublicKey(message, r, s, yParity === 0 ? 1 : 0), undefined);
  });
});

describe('stand-ins that have forgotten', () => {
  it('know nobody, and nothing that was signed, until it is done again', () => {
    const { bls, vrf, secp256k1, forget } = standInCrypto();
    const does = (): readonly boolean[] => [
      bls.verify(voter, message, bls.sign(first, message)),
      vrf.verify(drawn, message, vrf.prove(first, message)) !== undefined,
      secp256k1.recoverPublicKey(message, r, s, yParity) !== undefined,
    ];
    const [voter, drawn] = [bls.publicKeyOf(first), vrf.publicKeyOf(first)];
    const { r, s, yParity } = secp256k1.sign(first, message);
    assert.deepEqual(does(), [true, true, true]);
    forget();
    assert.deepEqual(does(), [false, false, false]);
    bls.publicKeyOf(first);
    vrf.publicKeyOf(first);
    secp256k1.sign(first, message);
    assert.deepEqual(does(), [true, true, true]);
  });
});
