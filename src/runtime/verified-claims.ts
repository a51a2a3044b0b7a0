// Verifies signature claims, each at most once while it is remembered: the same QC arrives in the next proposal, in timeouts, in bundles and in
// the beacon's crosslinks, and the one that this node made itself needs no check at all. A node has one of these for all its chains.
import type { SignatureSet } from '../core/consensus/signature-sets.ts';
import { sha256 } from '../core/crypto/sha256.ts';
import { bytesToHex } from '../core/primitives/bytes.ts';
import { isError } from '../core/primitives/errors.ts';
import { forgetOldest } from '../core/primitives/forget-oldest.ts';
import type { Hex } from '../core/primitives/ids.ts';
import type { ClaimsOf } from './claims-queue.ts';
import type { SignatureVerifier } from './signature-verifier.ts';

/** Claims remembered as valid, of each chain: several rounds of the largest committee's certificates. A flood of one chain makes no other forget. */
const REMEMBERED_CLAIMS_MAX = 4096;

/** `not-looked-at`: the node is too busy. Nobody is to blame for that, and whatever it was will be sent again. */
export type ClaimsJudgement = 'valid' | 'invalid' | 'not-looked-at';

/** See the file's head. */
export class VerifiedClaims {
  readonly #verifier: SignatureVerifier;
  readonly #valid = new Map<ClaimsOf, Set<Hex>>();

  constructor(verifier: SignatureVerifier) {
    this.#verifier = verifier;
  }

  /** `valid` if every claim is. */
  async judge(sets: readonly SignatureSet[], of: ClaimsOf): Promise<ClaimsJudgement> {
    const unknown = sets.map((set) => ({ set, key: keyOf(set) })).filter(({ key }) => !this.#isKnown(key));
    if (unknown.length === 0) return 'valid';
    try {
      if (
        !(await this.#verifier.verify(
          unknown.map(({ set }) => set),
          of,
        ))
      )
        return 'invalid';
    } catch (error) {
      if (!isError(error, 'signature-verifier/overloaded')) throw error;
      return 'not-looked-at';
    }
    for (const { key } of unknown) this.#remember(key, of);
    return 'valid';
  }

  // Whoever it was verified for: certificates of shards come to the beacon too.
  #isKnown(key: Hex): boolean {
    for (const valid of this.#valid.values()) if (valid.has(key)) return true;
    return false;
  }

  #remember(key: Hex, of: ClaimsOf): void {
    const valid = this.#valid.get(of) ?? new Set<Hex>();
    this.#valid.set(of, valid);
    valid.add(key);
    forgetOldest(valid, REMEMBERED_CLAIMS_MAX);
  }
}

/** What is claimed, whole: keys and messages of fixed lengths, so that no two claims share a key. */
function keyOf(set: SignatureSet): Hex {
  const publicKeys = set.kind === 'single' ? [set.publicKey] : set.publicKeys;
  const messages = set.kind === 'aggregate' ? set.messages : [set.message];
  return bytesToHex(sha256(set.signature, ...messages, ...publicKeys));
}
