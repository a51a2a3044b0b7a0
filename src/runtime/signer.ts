// Signs what consensus decides, in the domains of one instance. It holds the keys and asks no questions: that nothing conflicting is
// ever signed is the engine's rule, and that the record is on disk before is the runner's.
import { domainOf } from '../core/consensus/instance-domains.ts';
import type { BlsScheme } from '../core/crypto/bls.ts';
import { SIGNATURE_KIND, type SignatureKind, signingRoot } from '../core/crypto/domains.ts';
import type { VrfScheme } from '../core/crypto/vrf.ts';
import type { Bytes32, Round, ValidatorIndex } from '../core/primitives/ids.ts';
import { type BlockPoint, BlockPoint as BlockPointType, TimeoutPoint } from '../core/protocol/certificate.ts';
import type { Instance } from '../core/protocol/committee.ts';

/** The keys of one validator. */
export interface ValidatorSecrets {
  readonly validator: ValidatorIndex;
  readonly blsSecretKey: Uint8Array;
  readonly vrfSeed: Uint8Array;
}

/** Signatures of one validator in one instance. */
export interface Signer {
  readonly validator: ValidatorIndex;
  signProposal(blockHash: Bytes32): Uint8Array;
  signVote(point: BlockPoint): Uint8Array;
  signCommitVote(point: BlockPoint): Uint8Array;
  signTimeout(round: Round, highestQuorumCertificateRound: Round): Uint8Array;
  proveLeader(vrfAlpha: Uint8Array): { readonly proof: Uint8Array; readonly output: Uint8Array };
}

/** What a validator signs with. */
export interface SigningSchemes {
  readonly bls: BlsScheme;
  readonly vrf: VrfScheme;
}

/** See the file's head. */
export function createSigner({ bls, vrf }: SigningSchemes, secrets: ValidatorSecrets, instance: Instance): Signer {
  const sign = (kind: SignatureKind, objectRoot: Bytes32): Uint8Array =>
    bls.sign(secrets.blsSecretKey, signingRoot(objectRoot, domainOf(instance, kind)));
  return {
    validator: secrets.validator,
    signProposal: (blockHash) => sign(SIGNATURE_KIND.proposal, blockHash),
    signVote: (point) => sign(SIGNATURE_KIND.vote, BlockPointType.hashTreeRoot(point)),
    signCommitVote: (point) => sign(SIGNATURE_KIND.commitVote, BlockPointType.hashTreeRoot(point)),
    signTimeout: (round, highestQuorumCertificateRound) =>
      sign(SIGNATURE_KIND.timeout, TimeoutPoint.hashTreeRoot({ round, highestQuorumCertificateRound })),
    proveLeader(vrfAlpha) {
      const proof = vrf.prove(secrets.vrfSeed, vrfAlpha);
      return { proof, output: vrf.output(proof) };
    },
  };
}
