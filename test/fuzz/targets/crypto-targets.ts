// Points, signatures and proofs: the portable and the native implementation agree on every byte string, and neither throws. Here belong
// proofs of the state too, which anybody may hand over.
import assert from 'node:assert/strict';
import { nobleBls } from '../../../src/core/crypto/bls-noble.ts';
import { nobleSecp256k1 } from '../../../src/core/crypto/secp256k1-noble.ts';
import { ecvrf, VRF_PROOF_BYTES, vrfOutput, vrfProve, vrfPublicKeyOf, vrfVerify } from '../../../src/core/crypto/vrf.ts';
import { bytesEqual, bytesToHex, concatBytes } from '../../../src/core/primitives/bytes.ts';
import { invariant } from '../../../src/core/primitives/errors.ts';
import { LEAF_TAG, slotLeaf } from '../../../src/core/state/leaf.ts';
import { type StateProof, verifyProof } from '../../../src/core/state/proof.ts';
import { EMPTY_TREE, hashAtSlot } from '../../../src/core/state/tree-node.ts';
import { selectCrypto } from '../../../src/runtime/native/select-crypto.ts';
import { type FuzzTarget, ownFault, refusal } from '../target.ts';
import { bytesOf } from './values.ts';

const { bls, secp256k1 } = selectCrypto({ disableNative: false });
const SECRET = new Uint8Array(32).fill(7);
const MESSAGE = new Uint8Array(32).fill(9);
const VRF_KEY = vrfPublicKeyOf(SECRET);

/** A public key or a signature by its length. */
const blsPoint: FuzzTarget = {
  name: 'bls-point',
  covers: ['core/crypto/bls-noble#nobleBls', 'runtime/native/bls-blst#blstBls', 'core/crypto/bls#decodeAll'],
  executions: 250,
  generate(random) {
    const secret = bytesOf(random, 32).fill(1, 0, 1);
    const key = bls.publicKeyOf(secret);
    if (random.chance(0.5)) return key;
    const signature = bls.sign(secret, MESSAGE);
    assert.ok(bls.verify(key, MESSAGE, signature) && nobleBls.isValidSignature(signature));
    return signature;
  },
  judge(bytes) {
    const isKey = nobleBls.isValidPublicKey(bytes);
    const isSignature = nobleBls.isValidSignature(bytes);
    assert.equal(bls.isValidPublicKey(bytes), isKey, 'both implementations know the same keys');
    assert.equal(bls.isValidSignature(bytes), isSignature, 'both implementations know the same signatures');
    assert.equal(bls.verify(bytes, MESSAGE, bytes), false);
    assert.equal(bls.aggregate([bytes]) !== undefined, isSignature);
    return isKey
      ? 'a key'
      : isSignature
        ? 'a signature'
        : `neither, of ${bytes.length === 48 || bytes.length === 96 ? 'fitting' : 'any'} length`;
  },
};

const accountSignature: FuzzTarget = {
  name: 'account-signature',
  covers: ['core/crypto/secp256k1-noble#nobleSecp256k1', 'runtime/native/secp256k1-native#nativeSecp256k1'],
  executions: 500,
  generate(random) {
    const { r, s, yParity } = secp256k1.sign(bytesOf(random, 32).fill(1, 0, 1), MESSAGE);
    return concatBytes(Uint8Array.of(yParity), r, s);
  },
  judge(bytes) {
    const [yParity = 0, r, s] = [bytes[0], bytes.subarray(1, 33), bytes.subarray(33)];
    const native = secp256k1.recoverPublicKey(MESSAGE, r, s, yParity as 0 | 1);
    const portable = nobleSecp256k1.recoverPublicKey(MESSAGE, r, s, yParity as 0 | 1);
    assert.equal(native && bytesToHex(native), portable && bytesToHex(portable), 'both implementations recover one key');
    return native === undefined ? 'no signer' : 'a signer';
  },
};

const vrfProof: FuzzTarget = {
  name: 'vrf-proof',
  covers: ['core/crypto/vrf#vrfVerify', 'core/crypto/vrf#vrfOutput'],
  executions: 120,
  generate(random) {
    const seed = random.chance(0.5) ? SECRET : bytesOf(random, 32);
    return vrfProve(seed, MESSAGE);
  },
  judge(bytes) {
    const verified = vrfVerify(VRF_KEY, MESSAGE, bytes);
    assert.equal(vrfVerify(bytes.subarray(0, 32), MESSAGE, bytes) === undefined || bytes.length === VRF_PROOF_BYTES, true);
    if (verified !== undefined) {
      assert.ok(bytesEqual(bytes, vrfProve(SECRET, MESSAGE)), 'a key has one proof of a message');
      assert.ok(bytesEqual(vrfOutput(bytes), verified));
      return 'verified';
    }
    try {
      assert.equal(ecvrf.output(bytes).length, 64);
      return 'a proof of something else';
    } catch (error) {
      return ownFault(error);
    }
  },
};

const PROOF_KEY = new Uint8Array(32).fill(0x5a);
const PROVEN = slotLeaf(PROOF_KEY, new Uint8Array(32).fill(1));

/** Tag, length of the value, key, value, and the siblings. */
const stateProof: FuzzTarget = {
  name: 'state-proof',
  covers: ['core/state/proof#verifyProof'],
  executions: 4_000,
  generate: () => concatBytes(Uint8Array.of(LEAF_TAG.slot, 32), PROOF_KEY, new Uint8Array(32).fill(1)),
  judge(bytes) {
    const valueEnd = 34 + (bytes[1] ?? 0);
    const siblings: Uint8Array[] = [];
    for (let at = valueEnd; at < bytes.length; at += 32) siblings.push(bytes.subarray(at, at + 32));
    const leaf =
      bytes.length === 0 ? undefined : { tag: bytes[0] as number, key: bytes.subarray(2, 34), value: bytes.subarray(34, valueEnd) };
    const proof: StateProof = { key: PROOF_KEY, siblings, leaf };
    const verdict = verifyProof('storage', PROVEN.hash, PROOF_KEY, proof);
    verifyProof('account', hashAtSlot(EMPTY_TREE.node, 0), PROOF_KEY, proof);
    if (!verdict.ok) return refusal(verdict.reason, verdict.detail);
    invariant(verdict.value !== undefined, 'nothing but the leaf is proven of a tree of one');
    assert.ok(siblings.length === 0 && bytesEqual(verdict.value.value, new Uint8Array(32).fill(1)), 'a fact has one proof');
    return 'proven';
  },
};

/** See the file's head. */
export const CRYPTO_TARGETS: readonly FuzzTarget[] = [blsPoint, accountSignature, vrfProof, stateProof];
