// Validity of what is called final: every block that any node has committed carries a QC of a quorum for it, the last one of each commit a
// CC beside it, and a header whose form and certificates pass; all of it signed in the domains of this instance. A stranger who knows
// the committee and nothing else must come to believe the block by what the node has stored.
import { areValid, certificateClaims, commitProofClaims, headerClaims, type SignatureClaims } from '../../core/consensus/signature-sets.ts';
import type { BlsScheme } from '../../core/crypto/bls.ts';
import { sha256 } from '../../core/crypto/sha256.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import type { Height } from '../../core/primitives/ids.ts';
import { Block, BlockCertificates } from '../../core/protocol/certified-block.ts';
import type { Instance } from '../../core/protocol/committee.ts';
import { decodeCanonical } from '../../core/protocol/ssz.ts';
import type { Node } from '../../node/create-node.ts';
import { createBlockStore, type StoredBlock } from '../../storage/block-store.ts';
import type { KeyValueStore } from '../../storage/key-value-store.ts';
import type { Report } from './violation.ts';

/** See the file's head. */
export class CertifiedChain {
  readonly #report: Report;
  readonly #instance: Instance;
  readonly #bls: BlsScheme;
  readonly #seen = new Map<string, Height>();
  /** What was found good, by its bytes: most nodes store the same. */
  readonly #good = new Set<string>();

  constructor(instance: Instance, bls: BlsScheme, report: Report) {
    this.#instance = instance;
    this.#bls = bls;
    this.#report = report;
  }

  /** Looks at what a node has committed since the last time. */
  observe(name: string, node: Node, rows: KeyValueStore): void {
    const { height } = node.chain.blocks.committed.facts;
    const seen = Math.min(this.#seen.get(name) ?? 0, height);
    if (height === seen) return;
    const store = createBlockStore(rows);
    const { chain, instanceId } = this.#instance;
    for (let next = seen + 1; next <= height; next++) {
      const stored = store.getByHeight({ chain, instanceId, height: next });
      if (stored !== undefined) this.#look(name, stored); // Its absence is another check's to report.
    }
    this.#seen.set(name, height);
  }

  #look(name: string, stored: StoredBlock): void {
    const key = bytesToHex(sha256(stored.hash, stored.certificates));
    if (this.#good.has(key)) return;
    const fault = this.#faultOf(stored);
    if (fault === undefined) this.#good.add(key);
    else this.#report('validity', name, `block ${stored.place.height} is committed and not certified: ${fault}`);
  }

  #faultOf(stored: StoredBlock): string | undefined {
    const block = decodeCanonical(Block, stored.block);
    const certificates = decodeCanonical(BlockCertificates, stored.certificates);
    if (!block.ok || !certificates.ok) return 'what is stored does not decode';
    const { quorumCertificate, commitCertificate } = certificates.value;
    const { point } = quorumCertificate;
    if (!bytesEqual(point.blockHash, stored.hash) || point.height !== stored.place.height) return 'the QC is of another block';
    const [commit] = commitCertificate;
    const finality =
      commit === undefined
        ? certificateClaims(this.#instance, 'vote', quorumCertificate)
        : commitProofClaims(this.#instance, quorumCertificate, commit);
    return this.#refusalOf(finality, 'QC and CC') ?? this.#refusalOf(headerClaims(this.#instance, block.value.header), 'header');
  }

  #refusalOf(claims: SignatureClaims, what: string): string | undefined {
    if (!claims.ok) return `${what}: ${claims.reason} ${claims.detail}`;
    return areValid(this.#bls, claims.value) ? undefined : `${what}: bad signature`;
  }
}
