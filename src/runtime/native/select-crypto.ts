// Which implementation of each scheme this node runs: the native one where it works, else the portable one. A node must never be
// silently slow, so the choice is also described in words, which the node logs when it starts.
import type { BlsScheme } from '../../core/crypto/bls.ts';
import { nobleBls } from '../../core/crypto/bls-noble.ts';
import { implementationName } from '../../core/crypto/keccak.ts';
import type { Secp256k1 } from '../../core/crypto/secp256k1.ts';
import { nobleSecp256k1 } from '../../core/crypto/secp256k1-noble.ts';
import { pairHasherName } from '../../core/crypto/sha256.ts';
import { ecvrf, type VrfScheme } from '../../core/crypto/vrf.ts';
import { blstBls, blstLoads } from './bls-blst.ts';
import { nativeSecp256k1 } from './secp256k1-native.ts';

/** What a node signs and verifies with. */
export interface CryptoSelection {
  readonly bls: BlsScheme;
  readonly secp256k1: Secp256k1;
  readonly vrf: VrfScheme;
  /** Implementation by scheme, for the log line at the start. */
  readonly describe: Readonly<Record<string, string>>;
}

/**
 * Chooses native where it works, unless `disableNative` (COPPICE_PORTABLE_CRYPTO=1) asks for the portable forms. Hashes are chosen by
 * `installHashtree` and `initialiseKeccak`, which are asynchronous: run them before, so that the description holds.
 */
export function selectCrypto(options: { readonly disableNative: boolean }): CryptoSelection {
  const bls = !options.disableNative && blstLoads() ? blstBls : nobleBls;
  const secp256k1 = (options.disableNative ? undefined : nativeSecp256k1()) ?? nobleSecp256k1;
  return {
    bls,
    secp256k1,
    vrf: ecvrf,
    describe: {
      bls: bls.name,
      secp256k1: secp256k1.name,
      vrf: ecvrf.name,
      sha256: pairHasherName(),
      keccak256: implementationName(),
    },
  };
}
