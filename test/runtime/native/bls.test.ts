import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import fc from 'fast-check';
import type { BlsScheme, BlsSignatureSet } from '../../../src/core/crypto/bls.ts';
import { nobleBls } from '../../../src/core/crypto/bls-noble.ts';
import { bigintToBytes, bytesToBigint } from '../../../src/core/primitives/bytes.ts';
import { blstBls, blstLoads } from '../../../src/runtime/native/bls-blst.ts';

const GROUP_ORDER = bls12_381.fields.Fr.ORDER;
const INFINITE_KEY = Uint8Array.from({ length: 48 }, (_unused, index) => (index === 0 ? 0xc0 : 0));
const INFINITE_SIGNATURE = Uint8Array.from({ length: 96 }, (_unused, index) => (index === 0 ? 0xc0 : 0));
const MESSAGE = new Uint8Array(32).fill(1);
const OTHER_MESSAGE = new Uint8Array(32).fill(2);

const schemes = blstLoads() ? [blstBls, nobleBls] : [nobleBls];
const skipAgreement = blstLoads() ? false : 'no native build on this platform';
const anySecretKey = fc.bigInt({ min: 1n, max: GROUP_ORDER - 1n }).map((scalar) => bigintToBytes(scalar, 32));
const anyMessage = fc.uint8Array({ maxLength: 64 });

function secretKey(index: number): Uint8Array {
  return bigintToBytes(BigInt(index) + 1_000n, 32);
}

function opposite(key: Uint8Array): Uint8Array {
  return bigintToBytes(GROUP_ORDER - bytesToBigint(key), 32);
}

function signed(scheme: BlsScheme, index: number, message: Uint8Array): BlsSignatureSet {
  return { publicKey: scheme.publicKeyOf(secretKey(index)), message, signature: scheme.sign(secretKey(index), message) };
}

function sumOf(scheme: BlsScheme, signatures: readonly Uint8Array[]): Uint8Array {
  const sum = scheme.aggregate(signatures);
  assert.ok(sum !== undefined);
  return sum;
}

for (const scheme of schemes) {
  describe(`BLS by ${scheme.name}`, () => {
    it('verifies its own signatures and no others', () => {
      const { publicKey, signature } = signed(scheme, 0, MESSAGE);
      assert.equal(scheme.verify(publicKey, MESSAGE, signature), true);
      assert.equal(scheme.verify(publicKey, OTHER_MESSAGE, signature), false);
      assert.equal(scheme.verify(scheme.publicKeyOf(secretKey(1)), MESSAGE, signature), false);
    });

    it('adds up no signature that is beside the group', () => refusesBesideGroup(scheme));

    it('checks that one message was signed by all of the keys, and by each of them', () => {
      const sets = [0, 1, 2].map((index) => signed(scheme, index, MESSAGE));
      const keys = sets.map((set) => set.publicKey);
      const sum = sumOf(
        scheme,
        sets.map((set) => set.signature),
      );
      assert.equal(scheme.fastAggregateVerify(keys, MESSAGE, sum), true);
      assert.equal(scheme.fastAggregateVerify(keys.slice(1), MESSAGE, sum), false);
      assert.equal(scheme.fastAggregateVerify([...keys, keys[0] as Uint8Array], MESSAGE, sum), false);
      assert.equal(scheme.fastAggregateVerify([], MESSAGE, sum), false);
    });

    it('checks an aggregate over messages of which some are the same', () => {
      const messages = [MESSAGE, OTHER_MESSAGE, MESSAGE, MESSAGE];
      const sets = messages.map((message, index) => signed(scheme, index, message));
      const keys = sets.map((set) => set.publicKey);
      const sum = sumOf(
        scheme,
        sets.map((set) => set.signature),
      );
      assert.equal(scheme.aggregateVerify(keys, messages, sum), true);
      assert.equal(scheme.aggregateVerify(keys, messages.toReversed(), sum), false);
      assert.equal(scheme.aggregateVerify(keys, messages.slice(1), sum), false);
      assert.equal(scheme.aggregateVerify([], [], sum), false);
    });

    it('accepts a batch only if every set in it is valid', () => acceptsWholeBatches(scheme));
    it('is not fooled by two bad signatures that cancel out', () => seesThroughCancelling(scheme));
    it('never accepts the point at infinity', () => refusesInfinity(scheme));

    it('still counts the others where two keys cancel out', () => {
      const pair = [secretKey(0), opposite(secretKey(0))];
      const others = [secretKey(1), secretKey(2)];
      const messages = [MESSAGE, MESSAGE, OTHER_MESSAGE, OTHER_MESSAGE];
      const signers = [...pair, ...others];
      const keys = signers.map((key) => scheme.publicKeyOf(key));
      const sum = sumOf(
        scheme,
        signers.map((key, index) => scheme.sign(key, messages[index] as Uint8Array)),
      );
      assert.equal(scheme.aggregateVerify(keys, messages, sum), true);
      assert.equal(scheme.aggregateVerify(keys.slice(0, 2), messages.slice(0, 2), sum), false);
    });

    it('answers malformed bytes with no, never with a throw', () => answersMalformed(scheme));

    it('throws on a secret key that is none: zero, the group order, a wrong length', () => {
      for (const key of [new Uint8Array(32), bigintToBytes(GROUP_ORDER, 32), new Uint8Array(31), new Uint8Array(0)]) {
        assert.throws(() => scheme.sign(key, MESSAGE));
        assert.throws(() => scheme.publicKeyOf(key));
      }
    });
  });
}

describe('the two implementations of BLS', { skip: skipAgreement }, () => {
  it('give the same keys, signatures and aggregates', () => {
    fc.assert(
      fc.property(anySecretKey, anySecretKey, anyMessage, (first, second, message) => {
        assert.deepEqual(blstBls.publicKeyOf(first), nobleBls.publicKeyOf(first));
        const signatures = [first, second].map((key) => blstBls.sign(key, message));
        assert.deepEqual(nobleBls.sign(first, message), signatures[0]);
        const sum = nobleBls.aggregate(signatures);
        assert.deepEqual(sum, blstBls.aggregate(signatures));
        const keys = [first, second].map((key) => blstBls.publicKeyOf(key));
        for (const scheme of schemes) assert.equal(scheme.fastAggregateVerify(keys, message, sum as Uint8Array), true);
      }),
      { numRuns: 5 },
    );
  });

  it('differ in sums whose parts are beside the group and cancel out: the native one is of the signatures without them', () => {
    const beside = pointBesideGroup();
    const sets = [signed(blstBls, 0, MESSAGE), signed(blstBls, 1, MESSAGE)];
    const signatures = sets.map(({ signature }) => signature);
    const moved = signatures.map((signature, index) =>
      compressed(bls12_381.longSignatures.Signature.fromBytes(signature).add(index === 0 ? beside : beside.negate())),
    );
    assert.equal(nobleBls.aggregate(moved), undefined);
    const sum = blstBls.aggregate(moved);
    assert.deepEqual(sum, blstBls.aggregate(signatures));
    const keys = sets.map(({ publicKey }) => publicKey);
    for (const scheme of schemes) assert.equal(scheme.fastAggregateVerify(keys, MESSAGE, sum as Uint8Array), true);
  });

  it('judge altered keys and signatures alike', () => {
    const { publicKey, signature } = signed(blstBls, 0, MESSAGE);
    fc.assert(
      fc.property(fc.nat(8 * 48 - 1), fc.nat(8 * 96 - 1), (keyBit, signatureBit) => {
        const key = withBitFlipped(publicKey, keyBit);
        const altered = withBitFlipped(signature, signatureBit);
        assert.equal(nobleBls.isValidPublicKey(key), blstBls.isValidPublicKey(key));
        assert.equal(nobleBls.isValidSignature(altered), blstBls.isValidSignature(altered));
        for (const scheme of schemes) {
          assert.equal(scheme.verify(key, MESSAGE, signature), false);
          assert.equal(scheme.verify(publicKey, MESSAGE, altered), false);
        }
      }),
      { numRuns: 10 },
    );
  });
});

function acceptsWholeBatches(scheme: BlsScheme): void {
  const same = [0, 1].map((index) => signed(scheme, index, MESSAGE));
  const mixed = [...same, signed(scheme, 2, OTHER_MESSAGE)];
  const aggregate = {
    publicKeys: same.map((set) => set.publicKey),
    message: MESSAGE,
    signature: sumOf(
      scheme,
      same.map((set) => set.signature),
    ),
  };
  for (const batch of [[], mixed.slice(2), same, mixed, [...mixed, aggregate], [aggregate]]) assert.equal(scheme.verifyBatch(batch), true);
  const [first, second, third] = mixed as [BlsSignatureSet, BlsSignatureSet, BlsSignatureSet];
  for (const wrong of [
    { ...first, message: OTHER_MESSAGE },
    { ...third, signature: first.signature },
    { ...aggregate, publicKeys: [] },
  ]) {
    assert.equal(scheme.verifyBatch([wrong]), false);
    assert.equal(scheme.verifyBatch([first, second, wrong]), false);
    assert.equal(scheme.verifyBatch([wrong, third]), false);
  }
}

// Two claims over one message with their signatures exchanged: their plain sums agree.
function seesThroughCancelling(scheme: BlsScheme): void {
  const [first, second] = [0, 1].map((index) => signed(scheme, index, MESSAGE)) as [BlsSignatureSet, BlsSignatureSet];
  const exchanged = [
    { ...first, signature: second.signature },
    { ...second, signature: first.signature },
  ];
  const sum = sumOf(scheme, [first.signature, second.signature]);
  assert.equal(scheme.fastAggregateVerify([first.publicKey, second.publicKey], MESSAGE, sum), true);
  assert.equal(scheme.verifyBatch(exchanged), false);
}

function refusesInfinity(scheme: BlsScheme): void {
  const { publicKey, signature } = signed(scheme, 0, MESSAGE);
  const cancelling = [publicKey, scheme.publicKeyOf(opposite(secretKey(0)))];
  const negative = scheme.sign(opposite(secretKey(0)), MESSAGE);
  assert.equal(scheme.isValidPublicKey(INFINITE_KEY), false);
  assert.equal(scheme.isValidSignature(INFINITE_SIGNATURE), false);
  assert.equal(scheme.verify(INFINITE_KEY, MESSAGE, INFINITE_SIGNATURE), false);
  assert.equal(scheme.verify(publicKey, MESSAGE, INFINITE_SIGNATURE), false);
  assert.equal(scheme.fastAggregateVerify([publicKey, INFINITE_KEY], MESSAGE, signature), false);
  assert.equal(scheme.fastAggregateVerify(cancelling, MESSAGE, INFINITE_SIGNATURE), false);
  assert.equal(scheme.fastAggregateVerify(cancelling, MESSAGE, signature), false);
  assert.equal(scheme.aggregateVerify([INFINITE_KEY], [MESSAGE], INFINITE_SIGNATURE), false);
  assert.equal(scheme.aggregateVerify(cancelling, [MESSAGE, MESSAGE], INFINITE_SIGNATURE), false);
  assert.equal(scheme.aggregateVerify([publicKey, INFINITE_KEY], [MESSAGE, OTHER_MESSAGE], signature), false);
  assert.equal(scheme.aggregate([signature, INFINITE_SIGNATURE]), undefined);
  assert.equal(scheme.aggregate([INFINITE_SIGNATURE]), undefined);
  assert.equal(scheme.aggregate([signature, negative]), undefined);
  assert.equal(scheme.verifyBatch([{ publicKey: INFINITE_KEY, message: MESSAGE, signature: INFINITE_SIGNATURE }]), false);
  const infinite = { publicKey: INFINITE_KEY, message: MESSAGE, signature: INFINITE_SIGNATURE };
  assert.equal(scheme.verifyBatch([infinite, { publicKey, message: MESSAGE, signature }]), false);
  assert.equal(scheme.verifyBatch([{ publicKeys: cancelling, message: MESSAGE, signature }, infinite]), false);
}

function refusesBesideGroup(scheme: BlsScheme): void {
  const { signature } = signed(scheme, 0, MESSAGE);
  const beside = pointBesideGroup();
  const moved = bls12_381.longSignatures.Signature.fromBytes(signature).add(beside);
  for (const point of [beside, moved]) {
    const bytes = compressed(point);
    assert.equal(scheme.isValidSignature(bytes), false);
    assert.equal(scheme.aggregate([bytes]), undefined);
    assert.equal(scheme.aggregate([bytes, signature]), undefined);
    assert.equal(scheme.aggregate([signature, bytes, bytes]), undefined);
  }
}

type SignaturePoint = typeof bls12_381.G2.Point.BASE;

// Of the curve, and outside the group: what is left of any point of the curve when its part in the group is taken away.
function pointBesideGroup(): SignaturePoint {
  const { Fp2 } = bls12_381.fields;
  for (let c0 = 1n; ; c0++) {
    const x = Fp2.create({ c0, c1: 0n });
    const ySquared = Fp2.add(Fp2.mul(Fp2.sqr(x), x), Fp2.create({ c0: 4n, c1: 4n }));
    if (!Fp2.isValidNot0(ySquared) || !isSquare(ySquared)) continue;
    const point = bls12_381.G2.Point.fromAffine({ x, y: Fp2.sqrt(ySquared) });
    return point.multiplyUnsafe(GROUP_ORDER - 1n).add(point);
  }
}

function isSquare(value: { readonly c0: bigint; readonly c1: bigint }): boolean {
  const { Fp2 } = bls12_381.fields;
  return Fp2.eql(Fp2.pow(value, (Fp2.ORDER - 1n) / 2n), Fp2.ONE);
}

// The library writes points of the group only.
function compressed(point: SignaturePoint): Uint8Array {
  const { x, y } = point.toAffine();
  const { Fp } = bls12_381.fields;
  const [high, highNegative] = y.c1 === 0n ? [y.c0, Fp.neg(y.c0)] : [y.c1, Fp.neg(y.c1)];
  const bytes = new Uint8Array(96);
  bytes.set(bigintToBytes(x.c1, 48));
  bytes.set(bigintToBytes(x.c0, 48), 48);
  bytes[0] = (bytes[0] as number) | 0x80 | (high > highNegative ? 0x20 : 0);
  return bytes;
}

function answersMalformed(scheme: BlsScheme): void {
  const { publicKey, signature } = signed(scheme, 0, MESSAGE);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      assert.equal(scheme.isValidPublicKey(bytes), false);
      assert.equal(scheme.isValidSignature(bytes), false);
      assert.equal(scheme.verify(bytes, MESSAGE, signature), false);
      assert.equal(scheme.verify(publicKey, MESSAGE, bytes), false);
      assert.equal(scheme.aggregate([signature, bytes]), undefined);
      assert.equal(scheme.fastAggregateVerify([publicKey, bytes], MESSAGE, signature), false);
      assert.equal(scheme.aggregateVerify([publicKey], [MESSAGE], bytes), false);
      assert.equal(scheme.verifyBatch([{ publicKey: bytes, message: MESSAGE, signature }]), false);
      assert.equal(scheme.verifyBatch([{ publicKey, message: MESSAGE, signature: bytes }]), false);
      const good = { publicKey, message: MESSAGE, signature };
      assert.equal(scheme.verifyBatch([good, { publicKey, message: MESSAGE, signature: bytes }]), false);
    }),
    { numRuns: 20 },
  );
  assert.equal(scheme.aggregate([]), undefined);
  for (const length of [48, 96]) {
    for (const fill of [0, 0x80, 0xa0, 0xc0, 0xff]) {
      const bytes = new Uint8Array(length).fill(fill);
      assert.equal(scheme.isValidPublicKey(bytes) || scheme.isValidSignature(bytes), false, `${length} × ${fill}`);
    }
  }
}

function withBitFlipped(bytes: Uint8Array, bit: number): Uint8Array {
  const altered = bytes.slice();
  altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
  return altered;
}
