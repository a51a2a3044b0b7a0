// What the nodes of a scenario say to each other. Saying the same thing gives the same object, in all branches of an enumeration, so that
// it is signed once and verified once: both are pure functions of what is said.
import type { SignAndSendProposal, SignAndSendTimeout } from '../../core/consensus/effects.ts';
import {
  areValid,
  bundleClaims,
  proposalClaims,
  proposalMessage,
  type SignatureClaims,
  timeoutClaims,
  timeoutMessage,
  type VoteKind,
  voteClaims,
  voteMessage,
} from '../../core/consensus/signature-sets.ts';
import { bytesToHex } from '../../core/primitives/bytes.ts';
import type { Hex, ValidatorIndex } from '../../core/primitives/ids.ts';
import type { BlockHeader } from '../../core/protocol/block.ts';
import type { BlockPoint, QuorumCertificate } from '../../core/protocol/certificate.ts';
import type { Instance } from '../../core/protocol/committee.ts';
import type { CertificateBundle, Timeout, Vote } from '../../core/protocol/vote.ts';
import type { Keys } from './instance.ts';

/** A block as nodes hand it on. */
export interface NamedBlock {
  readonly hash: Uint8Array;
  readonly header: BlockHeader;
}

/** What nodes say to each other. `name` tells what it says, whole. */
export type TwinMessage = { readonly name: string } & (
  | ({ readonly kind: 'proposal'; readonly signature: Uint8Array } & NamedBlock)
  | { readonly kind: VoteKind; readonly vote: Vote }
  | { readonly kind: 'timeout'; readonly timeout: Timeout }
  | { readonly kind: 'certificates'; readonly bundle: CertificateBundle }
  | { readonly kind: 'blocks'; readonly blocks: readonly NamedBlock[] }
);

/** See the file's head. */
export class Speech {
  readonly instance: Instance;
  readonly keys: Keys;
  readonly #said = new Map<string, TwinMessage>();
  readonly #good = new WeakMap<TwinMessage, boolean>();

  constructor(instance: Instance, keys: Keys) {
    this.instance = instance;
    this.keys = keys;
  }

  proposal(validator: ValidatorIndex, { hash, header }: SignAndSendProposal): TwinMessage {
    return this.#say(`proposal ${bytesToHex(hash)}`, (name) => {
      return { name, kind: 'proposal', hash, header, signature: this.#sign(validator, proposalMessage(this.instance, hash)) };
    });
  }

  vote(validator: ValidatorIndex, kind: VoteKind, point: BlockPoint): TwinMessage & { readonly vote: Vote } {
    const said = this.#say(`${kind} ${validator} ${nameOfPoint(point)}`, (name) => {
      const signature = this.#sign(validator, voteMessage(this.instance, kind, point));
      return { name, kind, vote: { instanceId: this.instance.instanceId, point, validator, signature } };
    });
    return said as TwinMessage & { readonly vote: Vote };
  }

  timeout(
    validator: ValidatorIndex,
    { round, highestQuorumCertificate: highest }: SignAndSendTimeout,
  ): TwinMessage & { readonly timeout: Timeout } {
    const said = this.#say(`timeout ${validator} ${round} ${nameOfCertificate(highest)}`, (name) => {
      const timeout: Timeout = {
        instanceId: this.instance.instanceId,
        round,
        highestQuorumCertificate: highest === undefined ? [] : [highest],
        validator,
        signature: this.#sign(validator, timeoutMessage(this.instance, round, highest?.point.round ?? 0)),
      };
      return { name, kind: 'timeout', timeout };
    });
    return said as TwinMessage & { readonly timeout: Timeout };
  }

  certificates(bundle: CertificateBundle): TwinMessage {
    const { highestQuorumCertificate, commitCertificate, timeoutCertificate } = bundle;
    const certificates = [highestQuorumCertificate[0], commitCertificate[0]].map(nameOfCertificate);
    const timeouts = timeoutCertificate.map(({ round, signature }) => `${round}:${bytesToHex(signature)}`);
    return this.#say(`certificates ${[...certificates, ...timeouts].join(' ')}`, (name) => ({ name, kind: 'certificates', bundle }));
  }

  blocks(blocks: readonly NamedBlock[]): TwinMessage {
    const name = `blocks ${blocks.map(({ hash }) => bytesToHex(hash)).join(' ')}`;
    return this.#say(name, () => ({ name, kind: 'blocks', blocks }));
  }

  /** Whether a node may take the message: its structure is right, and every signature in it. Blocks are checked by their hashes. */
  isGood(message: TwinMessage): boolean {
    const known = this.#good.get(message);
    if (known !== undefined) return known;
    const claims = this.#claimsOf(message);
    const isGood = claims === undefined || (claims.ok && areValid(this.keys.bls, claims.value));
    this.#good.set(message, isGood);
    return isGood;
  }

  #claimsOf(message: TwinMessage): SignatureClaims | undefined {
    switch (message.kind) {
      case 'proposal':
        return proposalClaims(this.instance, message.header, message.hash, message.signature);
      case 'vote':
      case 'commit-vote':
        return voteClaims(this.instance, message.kind, message.vote);
      case 'timeout':
        return timeoutClaims(this.instance, message.timeout);
      case 'certificates':
        return bundleClaims(this.instance, message.bundle);
      case 'blocks':
        return undefined;
    }
  }

  #say(name: string, make: (name: string) => TwinMessage): TwinMessage {
    const said = this.#said.get(name) ?? make(name);
    this.#said.set(name, said);
    return said;
  }

  #sign(validator: ValidatorIndex, message: Uint8Array): Uint8Array {
    return this.keys.bls.sign(this.keys.secretOf(validator), message);
  }
}

/** A block's place and hash. */
export function nameOfPoint({ round, blockHash }: BlockPoint): string {
  return `${round}:${bytesToHex(blockHash)}`;
}

/** A certificate by its block and its signers' sum, which says who they are. */
export function nameOfCertificate(certificate: QuorumCertificate | undefined): string {
  return certificate === undefined ? '-' : `${nameOfPoint(certificate.point)}/${hexOfSigners(certificate)}`;
}

function hexOfSigners({ signers }: QuorumCertificate): Hex {
  return bytesToHex(signers.uint8Array);
}
