// The table of signature schemes. Every validator key, certificate and account transaction names its scheme in one byte, so that a
// new scheme is one module and one row here, enabled from an epoch by the fork schedule.

/** The byte of each scheme. 0 is none, so that zeroed bytes name nothing; a number is never used again. */
export const SCHEME = { blsProofOfPossession: 1, ecvrfEd25519Elligator2: 2, secp256k1Recoverable: 3 } as const;

/** The byte that names a scheme. */
export type SchemeId = (typeof SCHEME)[keyof typeof SCHEME];

/** What holds of a scheme whatever implements it. */
export interface Scheme {
  readonly id: SchemeId;
  /** The name under which its standard is known. */
  readonly name: string;
  readonly use: 'consensus' | 'leader-draw' | 'account';
  readonly publicKeyBytes: number;
  /** Bytes of a signature, or of a proof. */
  readonly signatureBytes: number;
}

const SCHEMES: readonly Scheme[] = [
  { id: 1, name: 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_', use: 'consensus', publicKeyBytes: 48, signatureBytes: 96 },
  { id: 2, name: 'ECVRF-EDWARDS25519-SHA512-ELL2', use: 'leader-draw', publicKeyBytes: 32, signatureBytes: 80 },
  { id: 3, name: 'secp256k1-recoverable', use: 'account', publicKeyBytes: 64, signatureBytes: 65 },
];

/** The scheme that a byte names, or `undefined` for one that this version does not know. */
export function schemeOf(id: number): Scheme | undefined {
  return SCHEMES.find((scheme) => scheme.id === id);
}
