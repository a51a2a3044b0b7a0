// secp256k1 on libsecp256k1, the native library: 42 µs a recovery against 1,014 in JavaScript.
//
// The package's main file falls back to a slow JavaScript implementation without a word. So this file loads `bindings.js`, which is
// the native addon or an exception, and then lets it recover a known key once: what runs is detected, never assumed.
import { createRequire } from 'node:module';
import type secp256k1Library from 'secp256k1';
import { isSignatureInRange, type Secp256k1 } from '../../core/crypto/secp256k1.ts';
import { bytesEqual } from '../../core/primitives/bytes.ts';
import { invariant } from '../../core/primitives/errors.ts';

type Addon = typeof secp256k1Library;

let detected: { readonly implementation: Secp256k1 | undefined } | undefined;

/** The native implementation, or `undefined` where the addon has no build or does not work. */
export function nativeSecp256k1(): Secp256k1 | undefined {
  detected ??= { implementation: detect() };
  return detected.implementation;
}

function detect(): Secp256k1 | undefined {
  try {
    const addon = createRequire(import.meta.url)('secp256k1/bindings.js') as Addon;
    const implementation = overAddon(addon);
    return recoversOwnSignature(implementation) ? implementation : undefined;
  } catch {
    return undefined;
  }
}

// The addon reads its inputs through their buffers, for which V8 would move each small array out of its heap first. These live outside.
const messageScratch = new Uint8Array(new ArrayBuffer(32));
const signatureScratch = new Uint8Array(new ArrayBuffer(64));
const publicKeyScratch = new Uint8Array(new ArrayBuffer(65));

function overAddon(addon: Addon): Secp256k1 {
  return {
    name: 'secp256k1 (native)',

    recoverPublicKey(messageHash, r, s, yParity) {
      if (!isSignatureInRange(messageHash, r, s, yParity)) return undefined;
      try {
        messageScratch.set(messageHash);
        signatureScratch.set(r, 0);
        signatureScratch.set(s, 32);
        return addon.ecdsaRecover(signatureScratch, yParity, messageScratch, false, publicKeyScratch).slice(1);
      } catch {
        return undefined; // r is the x coordinate of no point: there is no such signer.
      }
    },

    sign(secretKey, messageHash) {
      const { signature, recid } = addon.ecdsaSign(messageHash, secretKey);
      invariant(recid === 0 || recid === 1, 'the recovery id is a parity: r above the order occurs once in 2^127');
      return { r: signature.slice(0, 32), s: signature.slice(32, 64), yParity: recid };
    },

    publicKeyOf: (secretKey) => addon.publicKeyCreate(secretKey, false).slice(1),
  };
}

function recoversOwnSignature(implementation: Secp256k1): boolean {
  const secretKey = new Uint8Array(32).fill(7);
  const messageHash = new Uint8Array(32).fill(9);
  const { r, s, yParity } = implementation.sign(secretKey, messageHash);
  const recovered = implementation.recoverPublicKey(messageHash, r, s, yParity);
  return recovered !== undefined && bytesEqual(recovered, implementation.publicKeyOf(secretKey));
}
