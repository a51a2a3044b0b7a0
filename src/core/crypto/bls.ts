// Consensus signatures: BLS12-381 with public keys in G1 (48 bytes) and signatures in G2 (96 bytes), as two implementations offer
// them: the portable one beside this file and the native one of the runtime, tested against each other.
//
// The rule both uphold: foreign bytes never throw. Whatever is not the one canonical encoding of a point of the right group,
// and the point at infinity always, is an invalid key or signature. Public keys that are aggregated over one message must have
// proven possession of their secret keys before (deposits do), or a rogue key could forge.

/** The ciphersuite, which is also the domain separation tag of hashing to the curve. */
export const BLS_CIPHERSUITE = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_';
/** Bytes of a secret key: a big-endian scalar, not zero and below the group order. */
export const BLS_SECRET_KEY_BYTES = 32;
/** Bytes of a compressed public key. */
export const BLS_PUBLIC_KEY_BYTES = 48;
/** Bytes of a compressed signature. */
export const BLS_SIGNATURE_BYTES = 96;

/** One signature by one key over one message. */
export interface BlsSignatureSet {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** The sum of a signature by every key, each proven to be possessed, over one message. */
export interface BlsAggregateSet {
  readonly publicKeys: readonly Uint8Array[];
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** What consensus asks of BLS. Methods that take a secret key throw on an invalid one: it is our own. */
export interface BlsScheme {
  /** The implementation, for logs and metrics. */
  readonly name: string;
  publicKeyOf(secretKey: Uint8Array): Uint8Array;
  sign(secretKey: Uint8Array, message: Uint8Array): Uint8Array;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /**
   * The sum of the signatures; `undefined` of none, if one is no point of the curve or the one at infinity, or if the sum is that or not of
   * the group. It proves nothing of its parts: verified, it says that all signed, and not that each part would pass alone.
   */
  aggregate(signatures: readonly Uint8Array[]): Uint8Array | undefined;
  /** True if `signature` is the sum of a signature by every key (each proven to be possessed) over the one message. */
  fastAggregateVerify(publicKeys: readonly Uint8Array[], message: Uint8Array, signature: Uint8Array): boolean;
  /** True if `signature` is the sum of a signature by each key over the message of the same index. */
  aggregateVerify(publicKeys: readonly Uint8Array[], messages: readonly Uint8Array[], signature: Uint8Array): boolean;
  /** True if every set is valid by itself (and for no sets); no mixture of invalid ones passes but by guessing 64 bits. */
  verifyBatch(sets: readonly (BlsSignatureSet | BlsAggregateSet)[]): boolean;
  isValidPublicKey(publicKey: Uint8Array): boolean;
  isValidSignature(signature: Uint8Array): boolean;
}

/** The keys that signed a set, one or many. */
export function publicKeysOf(set: BlsSignatureSet | BlsAggregateSet): readonly Uint8Array[] {
  return 'publicKeys' in set ? set.publicKeys : [set.publicKey];
}

/** Every item decoded, or `undefined` if one of them decodes to nothing. */
export function decodeAll<T, P>(items: readonly T[], decode: (item: T) => P | undefined): P[] | undefined {
  const decoded: P[] = [];
  for (const item of items) {
    const point = decode(item);
    if (point === undefined) return undefined;
    decoded.push(point);
  }
  return decoded;
}
