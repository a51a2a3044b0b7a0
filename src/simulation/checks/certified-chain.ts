// Validity of what is called final: every block of the beacon and of each shard that any node has committed carries a QC of a quorum of its own
// instance's committee, the last one of each commit a CC beside it, and a header whose form and certificates pass; the end of each instance has the CC
// of its closing block, or of a carrier above it, unless the beacon took it over; all of it signed in the domains of that instance. A stranger who knows the committees and nothing else must come to believe the
// block by what the node has stored. The committees are those that the replay has drawn.
import { areValid, certificateClaims, commitProofClaims, headerClaims, type SignatureClaims } from '../../core/consensus/signature-sets.ts';
import type { BlsScheme } from '../../core/crypto/bls.ts';
import { sha256 } from '../../core/crypto/sha256.ts';
import { bytesEqual, bytesToHex } from '../../core/primitives/bytes.ts';
import type { Bytes32, ChainId, Height } from '../../core/primitives/ids.ts';
import { blockHashOf } from '../../core/protocol/block.ts';
import { Block, BlockCertificates } from '../../core/protocol/certified-block.ts';
import type { Instance } from '../../core/protocol/committee.ts';
import { decodeCanonical } from '../../core/protocol/ssz.ts';
import type { Node } from '../../node/create-node.ts';
import { decodeInstanceEnd } from '../../runtime/instance-end.ts';
import { type BlockStore, createBlockStore, type StoredBlock } from '../../storage/block-store.ts';
import type { KeyValueStore } from '../../storage/key-value-store.ts';
import { chainsOf } from '../chains-of.ts';
import { chainName } from '../timeline/story.ts';
import type { Replay } from './replay.ts';
import type { Report } from './violation.ts';

interface Seen {
  readonly instanceId: Bytes32;
  readonly committed: unknown;
  readonly height: Height;
}

/** See the file's head. */
export class CertifiedChain {
  readonly #report: Report;
  readonly #truth: Pick<Replay, 'instanceOf' | 'takeovers'>;
  readonly #bls: BlsScheme;
  /** By node and chain. */
  readonly #seen = new Map<string, Map<ChainId, Seen>>();
  /** What was found good, by its bytes: blocks, which all nodes store alike, and their certificates, which most do. */
  readonly #good = new Set<string>();

  constructor(truth: Pick<Replay, 'instanceOf' | 'takeovers'>, bls: BlsScheme, report: Report) {
    this.#truth = truth;
    this.#bls = bls;
    this.#report = report;
  }

  /** Looks at what a node has committed since the last time; false where the replay has not come so far, and it must look again. */
  observe(name: string, node: Node, rows: KeyValueStore): boolean {
    let isAll = true;
    const seen = this.#seen.get(name) ?? new Map<ChainId, Seen>();
    this.#seen.set(name, seen);
    for (const { instance, blocks } of chainsOf(node)) {
      const { chain, instanceId } = instance;
      const { committed } = blocks;
      const last = seen.get(chain);
      if (last?.committed === committed) continue;
      const store = createBlockStore(rows);
      const own = this.#truth.instanceOf(instanceId);
      if (own === undefined) {
        isAll = false; // The replay has not come so far: later.
        continue;
      }
      const isSame = last !== undefined && bytesEqual(last.instanceId, instanceId);
      // The instance before has gone on to its end meanwhile.
      if (last !== undefined && !isSame) this.#lookAtRest(name, store, last, instance.startRecord.height);
      const { height } = committed.facts;
      this.#lookUpTo(name, store, instanceId, Math.min(isSame ? last.height : instance.startRecord.height, height) + 1, height);
      seen.set(chain, { instanceId, committed, height });
    }
    return isAll;
  }

  #lookAtRest(name: string, store: BlockStore, { instanceId, height }: Seen, closingHeight: Height): void {
    this.#lookUpTo(name, store, instanceId, height + 1, closingHeight);
    // What the beacon took over has no end of its own.
    if (this.#truth.takeovers.of(instanceId) !== undefined) return;
    const instance = this.#truth.instanceOf(instanceId);
    const closing = instance && store.getByHeight({ chain: instance.chain, instanceId, height: closingHeight });
    const fault = closing && this.#endFaultOf(instance, closing, store);
    if (fault !== undefined)
      this.#report('validity', name, `the end of an instance of ${chainName(instance?.chain ?? 0)} is not certified: ${fault}`);
  }

  #lookUpTo(name: string, store: BlockStore, instanceId: Bytes32, from: Height, to: Height): void {
    const instance = this.#truth.instanceOf(instanceId);
    if (instance === undefined) return;
    const { chain } = instance;
    for (let height = from; height <= to; height++) {
      const stored = store.getByHeight({ chain, instanceId, height });
      if (stored !== undefined) this.#look(name, instance, stored); // Its absence is another check's to report.
    }
  }

  #look(name: string, instance: Instance, stored: StoredBlock): void {
    const key = bytesToHex(sha256(stored.hash, stored.certificates));
    if (this.#good.has(key)) return;
    const fault = this.#faultOf(instance, stored);
    if (fault === undefined) this.#good.add(key);
    else
      this.#report(
        'validity',
        name,
        `block ${stored.place.height} of ${chainName(instance.chain)} is committed and not certified: ${fault}`,
      );
  }

  #faultOf(instance: Instance, stored: StoredBlock): string | undefined {
    const certificates = decodeCanonical(BlockCertificates, stored.certificates);
    if (!certificates.ok) return 'what is stored does not decode';
    const { quorumCertificate, commitCertificate } = certificates.value;
    const { point } = quorumCertificate;
    if (!bytesEqual(point.blockHash, stored.hash) || point.height !== stored.place.height) return 'the QC is of another block';
    const [commit] = commitCertificate;
    const finality =
      commit === undefined
        ? certificateClaims(instance, 'vote', quorumCertificate)
        : commitProofClaims(instance, quorumCertificate, commit);
    return this.#refusalOf(finality, 'QC and CC') ?? this.#blockFaultOf(instance, stored);
  }

  #blockFaultOf(instance: Instance, { block }: StoredBlock): string | undefined {
    const key = `${bytesToHex(instance.instanceId)} ${bytesToHex(sha256(block))}`;
    if (this.#good.has(key)) return undefined;
    const decoded = decodeCanonical(Block, block);
    if (!decoded.ok) return 'what is stored does not decode';
    const fault = this.#refusalOf(headerClaims(instance, decoded.value.header), 'header');
    if (fault === undefined) this.#good.add(key);
    return fault;
  }

  // A CC of the block, or of a carrier that stands on it.
  #endFaultOf(instance: Instance, stored: StoredBlock, store: BlockStore): string | undefined {
    const end = store.getEnd(instance.instanceId);
    if (end === undefined) return 'nothing that has a CC is on disk';
    const { carriers, proof } = decodeInstanceEnd(end.end);
    let hash = stored.hash;
    for (const carrier of carriers) {
      if (!bytesEqual(carrier.parentHash, hash)) return 'the carriers above it do not stand on each other';
      hash = blockHashOf(carrier);
    }
    if (!bytesEqual(proof.quorumCertificate.point.blockHash, hash)) return 'the end that is stored is of another block';
    return this.#refusalOf(commitProofClaims(instance, proof.quorumCertificate, proof.commitCertificate), 'QC and CC of the last carrier');
  }

  #refusalOf(claims: SignatureClaims, what: string): string | undefined {
    if (!claims.ok) return `${what}: ${claims.reason} ${claims.detail}`;
    return areValid(this.#bls, claims.value) ? undefined : `${what}: bad signature`;
  }
}
